//! HTTP of what comes in: endpoints, limits, body reading, answers. Knows neither platforms, nor
//! rules, nor SQL.

pub mod settings;

pub use settings::Settings;
