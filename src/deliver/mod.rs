//! How a rep is told: channels, templates, retry policy. Knows neither queue nor ledger.
