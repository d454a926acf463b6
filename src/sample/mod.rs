//! Made-up people with inquiries, for the demo, `send`, the benchmark and tests. Knows no platform.
