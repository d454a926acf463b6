//! What one lead may hold. Knows no platform.

use super::Refusal;
use super::json::Json;
use super::mapping::{PAIRS_MAX, VALUE_BYTES_MAX};

/// At most [`PAIRS_MAX`] values, none longer with its name than [`VALUE_BYTES_MAX`].
pub(super) fn lead(json: &Json<'_>) -> Result<(), Refusal> {
    let mut values = 0;
    walk(json, 0, &mut values)
}

fn walk(json: &Json<'_>, name_bytes: usize, values: &mut usize) -> Result<(), Refusal> {
    match json {
        Json::Map(entries) => entries
            .iter()
            .try_for_each(|(key, value)| walk(value, name_bytes + key.len() + 1, values)),
        Json::List(items) => items
            .iter()
            .try_for_each(|item| walk(item, name_bytes, values)),
        Json::Text(text) => value(text, name_bytes, values),
        Json::Number(text) => value(text, name_bytes, values),
        Json::Bool(_) => value("", name_bytes, values),
        Json::Null => Ok(()),
    }
}

fn value(text: &str, name_bytes: usize, values: &mut usize) -> Result<(), Refusal> {
    *values += 1;
    counted(*values, name_bytes + text.len())
}

/// The same for names and values that are read already.
pub(super) fn pairs(pairs: &[(String, String)]) -> Result<(), Refusal> {
    let mut values = 0;
    pairs
        .iter()
        .try_for_each(|(name, text)| value(text, name.len(), &mut values))
}

/// The same for who counts by themselves: how many fields, and the longest text.
pub(super) fn counted(fields: usize, longest: usize) -> Result<(), Refusal> {
    if fields > PAIRS_MAX {
        let message = format!("more than {PAIRS_MAX} fields");
        return Err(Refusal::Unprocessable(message));
    }
    if longest > VALUE_BYTES_MAX {
        let message = format!("a field is longer than {VALUE_BYTES_MAX} bytes");
        return Err(Refusal::Unprocessable(message));
    }
    Ok(())
}
