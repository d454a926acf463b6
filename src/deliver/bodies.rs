//! How values stand in a template's text: as HTML, as a whole JSON value, or as XML. Whatever a lead
//! wrote cannot end what it stands in.

use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Error, ErrorKind, Output, State, Value};

const JSON: &str = "json";
const XML: &str = "xml";

/// By the file's ending.
pub(super) fn escaping(name: &str) -> AutoEscape {
    match name.rsplit('.').next() {
        Some("html") => AutoEscape::Html,
        Some("json") => AutoEscape::Custom(JSON.into()),
        Some("xml") => AutoEscape::Custom(XML.into()),
        Some(_) | None => AutoEscape::None,
    }
}

/// Writes a value as its surroundings ask for.
pub(super) fn write(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    let AutoEscape::Custom(form) = state.auto_escape() else {
        return minijinja::escape_formatter(out, state, value);
    };
    if value.is_undefined() {
        return Err(ErrorKind::UndefinedError.into());
    }
    let text = match form.as_ref() {
        _ if value.is_safe() => value.to_string(),
        JSON => json(value)?,
        _ => xml(&value.to_string()),
    };
    out.write_str(&text).map_err(Error::from)
}

fn json(value: &Value) -> Result<String, Error> {
    let kind = value.kind();
    if kind == ValueKind::String {
        return Ok(serde_json::Value::from(value.to_string()).to_string());
    }
    if matches!(kind, ValueKind::Number | ValueKind::Bool) {
        return Ok(value.to_string());
    }
    if kind == ValueKind::None {
        return Ok("null".into());
    }
    let wanted = "in JSON a text, a number or a truth can be put; lists by a loop";
    Err(Error::new(ErrorKind::InvalidOperation, wanted))
}

/// Without what XML 1.0 has no way to write.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' | '\r' => out.push(c),
            '\u{fffe}' | '\u{ffff}' => {}
            c if c < ' ' => {}
            c => out.push(c),
        }
    }
    out
}

/// `{{ name | slack }}`: what Slack would take for a mention or a link is plain text.
pub(super) fn slack(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// What is wrong with a rendered text as JSON or XML; by the file's ending.
pub(super) fn mistake(name: &str, text: &str) -> Option<String> {
    match name.rsplit('.').next() {
        Some("json") => {
            let error = serde_json::from_str::<serde::de::IgnoredAny>(text).err()?;
            Some(format!("with a made-up lead this is no JSON: {error}"))
        }
        Some("xml") => {
            let error = read_xml(text).err()?;
            Some(format!("with a made-up lead this is no XML: {error}"))
        }
        Some(_) | None => None,
    }
}

fn read_xml(text: &str) -> Result<(), String> {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_str(text);
    let (mut open, mut elements) = (0_usize, 0_usize);
    loop {
        let event = reader.read_event().map_err(|error| error.to_string())?;
        match event {
            Event::Start(_) => {
                open += 1;
                elements += 1;
            }
            Event::Empty(_) => elements += 1,
            Event::End(_) => open = open.saturating_sub(1),
            Event::Eof if open > 0 => return Err("an element is not closed".into()),
            Event::Eof if elements == 0 => return Err("there is no element".into()),
            Event::Eof => return Ok(()),
            Event::Text(_)
            | Event::CData(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::DocType(_)
            | Event::GeneralRef(_) => {}
        }
    }
}
