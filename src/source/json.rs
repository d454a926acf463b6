//! JSON from outside, read strictly: no duplicate keys, bounded depth and count, numbers as the
//! text that came, so that an id of 19 digits stays itself.

mod reader;

use std::borrow::Cow;

use super::Refusal;

/// Objects and lists within each other.
const DEPTH_MAX: usize = 32;
/// Values in one document: a batch of 1,000 leads has its own bound for each.
const VALUES_MAX: usize = 100_000;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json<'a> {
    Null,
    Bool(bool),
    /// As it came.
    Number(&'a str),
    Text(Cow<'a, str>),
    List(Vec<Json<'a>>),
    /// In the order of the document.
    Map(Vec<(Cow<'a, str>, Json<'a>)>),
}

impl<'a> Json<'a> {
    /// Reads a whole document.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, Refusal> {
        reader::read(text(bytes)?)
    }

    /// Reads a whole document that must be an object.
    pub(super) fn object(bytes: &'a [u8]) -> Result<Self, Refusal> {
        let json = Self::parse(bytes)?;
        if !matches!(json, Self::Map(_)) {
            return Err(Refusal::Malformed("a JSON object is wanted".into()));
        }
        Ok(json)
    }

    /// The items of a list; none of anything else.
    pub(super) fn items(&self) -> &[Json<'a>] {
        if let Self::List(items) = self {
            return items;
        }
        &[]
    }

    /// The leaf under a key of an object as text; empty where there is none.
    pub(super) fn text(&self, key: &str) -> Cow<'_, str> {
        self.get(key).and_then(Json::as_text).unwrap_or_default()
    }

    /// The canonical form as bytes.
    pub(super) fn content(&self) -> Vec<u8> {
        let mut content = Vec::new();
        self.canonical(&mut content);
        content
    }

    /// The value under a key of an object.
    pub(super) fn get(&self, key: &str) -> Option<&Json<'a>> {
        match self {
            Self::Map(entries) => entries.iter().find(|(k, _)| k == key).map(|(_, v)| v),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::List(_) => None,
        }
    }

    /// A text, number or truth under a key of an object; `None` where it is empty.
    pub(super) fn text_at(&self, key: &str) -> Option<Cow<'_, str>> {
        let text = self.get(key).and_then(Self::as_text);
        text.filter(|text| !text.is_empty())
    }

    /// The items of a list under a key of an object; none where there is no list.
    pub(super) fn items_at(&self, key: &str) -> &[Json<'a>] {
        match self.get(key) {
            Some(Self::List(items)) => items,
            Some(_) | None => &[],
        }
    }

    /// Keys and values of an object; none of anything else.
    pub(super) fn entries(&self) -> &[(Cow<'a, str>, Json<'a>)] {
        match self {
            Self::Map(entries) => entries,
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::List(_) => &[],
        }
    }

    /// How many leaves there are, and the bytes of the longest text or key.
    pub(super) fn size(&self) -> (usize, usize) {
        let more = |(count, longest): (usize, usize), key: &str, value: &Self| {
            let (leaves, bytes) = value.size();
            (count + leaves, longest.max(bytes).max(key.len()))
        };
        match self {
            Self::Null => (0, 0),
            Self::Bool(_) => (1, 0),
            Self::Number(text) => (1, text.len()),
            Self::Text(text) => (1, text.len()),
            Self::List(items) => items.iter().fold((0, 0), |sum, item| more(sum, "", item)),
            Self::Map(entries) => entries
                .iter()
                .fold((0, 0), |sum, (key, value)| more(sum, key, value)),
        }
    }

    /// A leaf as text; `None` for null, objects and lists.
    pub(super) fn as_text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Text(text) => Some(Cow::Borrowed(text)),
            Self::Number(text) => Some(Cow::Borrowed(text)),
            Self::Bool(true) => Some(Cow::Borrowed("true")),
            Self::Bool(false) => Some(Cow::Borrowed("false")),
            Self::Null | Self::List(_) | Self::Map(_) => None,
        }
    }

    /// `true`, `"true"`, `1`.
    pub(super) fn is_true(&self) -> bool {
        matches!(self.as_text().as_deref(), Some("true" | "1"))
    }

    /// The document in a form that does not depend on the order of keys.
    pub(super) fn canonical(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.push(b'n'),
            Self::Bool(truth) => out.push(if *truth { b't' } else { b'f' }),
            Self::Number(text) => piece(b'#', text, out),
            Self::Text(text) => piece(b'"', text, out),
            Self::List(items) => {
                out.push(b'[');
                for item in items {
                    item.canonical(out);
                }
                out.push(b']');
            }
            Self::Map(entries) => {
                let mut sorted: Vec<_> = entries.iter().collect();
                sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
                out.push(b'{');
                for (key, value) in sorted {
                    piece(b'"', key, out);
                    value.canonical(out);
                }
                out.push(b'}');
            }
        }
    }

    /// The document as JSON again, numbers as they came.
    pub(super) fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
            Self::Number(text) => out.push_str(text),
            Self::Text(text) => quoted(text, out),
            Self::List(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    out.push_str(if at == 0 { "" } else { "," });
                    item.write(out);
                }
                out.push(']');
            }
            Self::Map(entries) => {
                out.push('{');
                for (at, (key, value)) in entries.iter().enumerate() {
                    out.push_str(if at == 0 { "" } else { "," });
                    quoted(key, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }

    /// Every leaf with its dotted name; the items of a list of leaves share the list's name.
    pub(super) fn leaves(&self, name: &str, out: &mut Vec<(String, String)>) {
        match self {
            Self::Map(entries) => {
                for (key, value) in entries {
                    let dotted = if name.is_empty() {
                        key.to_string()
                    } else {
                        format!("{name}.{key}")
                    };
                    match value.as_text() {
                        Some(text) => out.push((dotted, text.into_owned())),
                        None => value.leaves(&dotted, out),
                    }
                }
            }
            Self::List(items) => {
                for (at, item) in items.iter().enumerate() {
                    match item {
                        Self::Map(_) | Self::List(_) => item.leaves(&format!("{name}.{at}"), out),
                        Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) => {
                            item.leaves(name, out);
                        }
                    }
                }
            }
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) => {
                if let Some(text) = self.as_text() {
                    out.push((name.to_owned(), text.into_owned()));
                }
            }
        }
    }
}

fn quoted(text: &str, out: &mut String) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

/// Length before content, so that no two documents look the same.
fn piece(kind: u8, text: &str, out: &mut Vec<u8>) {
    out.push(kind);
    out.extend_from_slice(&(text.len() as u64).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// The text of a body: UTF-8, one byte order mark allowed.
pub(super) fn text(bytes: &[u8]) -> Result<&str, Refusal> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Refusal::Malformed("the body is empty".into()));
    }
    std::str::from_utf8(bytes).map_err(|_| Refusal::Malformed("the body is not UTF-8".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_documents_are_refused_and_odd_ones_kept_exactly() {
        let deep = format!("{}1{}", "[".repeat(40), "]".repeat(40));
        let abyss = "[".repeat(10_000);
        let refused: [&[u8]; 12] = [
            b"",
            b"  \n",
            b"{}{}",
            b"{\"a\":1,}",
            b"{\"email\":\"a\",\"email\":\"b\"}",
            b"{\"a\":\"\\ud800\"}",
            b"{\"a\":\"\xff\"}",
            b"{\"a\":NaN}",
            b"\xef\xbb\xbf\xef\xbb\xbf{}",
            b"{\"a\":\"\x01\"}",
            deep.as_bytes(),
            abyss.as_bytes(),
        ];
        for body in refused {
            let result = Json::parse(body);
            let shown =
                String::from_utf8_lossy(body.get(..body.len().min(40)).unwrap()).into_owned();
            assert!(
                matches!(result, Err(Refusal::Malformed(_))),
                "{shown}: {result:?}"
            );
        }
        let text = b"\xef\xbb\xbf{\"id\": 1234567890123456789012, \"x\": 1e999, \"__proto__\": null, \"e\": \"\\u00e4\"}";
        let json = Json::parse(text).unwrap();
        assert_eq!(
            json.get("id"),
            Some(&Json::Number("1234567890123456789012"))
        );
        assert_eq!(json.get("x"), Some(&Json::Number("1e999")));
        assert_eq!(json.get("e"), Some(&Json::Text("ä".into())));
    }

    #[test]
    fn the_canonical_form_does_not_depend_on_order_or_space() {
        let form = |text: &str| {
            let mut out = Vec::new();
            Json::parse(text.as_bytes()).unwrap().canonical(&mut out);
            out
        };
        assert_eq!(
            form("{\"a\":1,\"b\":[true,null]}"),
            form("{ \"b\" : [true, null], \"a\" : 1 }")
        );
        assert_ne!(form("{\"a\":1}"), form("{\"a\":\"1\"}"));
        assert_ne!(form("{\"a\":\"1:b\"}"), form("{\"a1\":\":b\"}"));
    }
}
