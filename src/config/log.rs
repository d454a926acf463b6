//! Section `[log]`.

use crate::document::Table;

/// Section `[log]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// How a line looks.
    pub format: Format,
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub level: String,
}

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            format: Format::Text,
            level: "info".to_owned(),
        }
    }
}

/// Reads `[log]`.
pub(super) fn read(table: &Table<'_>) -> Log {
    let format = match table.choice("format", &["text", "json"]) {
        Some("json") => Format::Json,
        Some(_) | None => Format::Text,
    };
    let levels = ["error", "warn", "info", "debug", "trace"];
    let level = table.choice("level", &levels);
    table.done();
    Log {
        format,
        level: level.map_or(Log::default().level, str::to_owned),
    }
}
