//! The way a lead goes. Knows neither HTTP, nor SQL text, nor Redis commands, nor rhai.

pub mod settings;

pub use settings::Settings;
