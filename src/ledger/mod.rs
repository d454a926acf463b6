//! The truth: the only room with SQL. Knows neither HTTP, nor Redis, nor rules.

pub mod settings;

pub use settings::Settings;
