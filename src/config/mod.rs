//! The configuration: defaults, file, environment, secret references. Knows no running object.
