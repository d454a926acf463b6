//! How a rep is told: channels, templates, retry policy. Knows neither queue nor ledger.

pub mod settings;

pub use settings::Settings;
