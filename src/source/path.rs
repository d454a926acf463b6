//! Paths into JSON as marketers write them: `$.contact["e-mail"][0]`.

use super::json::Json;

/// A path, read once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    Item(usize),
}

impl Path {
    /// Reads a path; `None` for what is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut rest = text.trim().strip_prefix('$')?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix('.') {
                let end = after.find(['.', '[']).unwrap_or(after.len());
                let (key, after) = after.split_at(end);
                if key.is_empty() {
                    return None;
                }
                steps.push(Step::Key(key.to_owned()));
                rest = after;
                continue;
            }
            let after = rest.strip_prefix('[')?;
            let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''));
            if let Some(quote) = quote {
                let (key, after) = after.get(1..)?.split_once(quote)?;
                steps.push(Step::Key(key.to_owned()));
                rest = after.strip_prefix(']')?;
            } else {
                let (number, after) = after.split_once(']')?;
                steps.push(Step::Item(number.parse().ok()?));
                rest = after;
            }
        }
        Some(Self(steps))
    }

    /// What the path leads to.
    pub(super) fn find<'j, 'a>(&self, json: &'j Json<'a>) -> Option<&'j Json<'a>> {
        let mut at = json;
        for step in &self.0 {
            at = match (step, at) {
                (Step::Key(key), _) => at.get(key)?,
                (Step::Item(n), Json::List(items)) => items.get(*n)?,
                (Step::Item(_), _) => return None,
            };
        }
        Some(at)
    }

    /// Whether a leaf's dotted name is this path.
    pub(super) fn is_dotted(&self, name: &str) -> bool {
        let mut rest = name;
        for (at, step) in self.0.iter().enumerate() {
            if at > 0 {
                let Some(after) = rest.strip_prefix('.') else {
                    return false;
                };
                rest = after;
            }
            let number;
            let piece = match step {
                Step::Key(key) => key.as_str(),
                Step::Item(n) => {
                    number = n.to_string();
                    number.as_str()
                }
            };
            let Some(after) = rest.strip_prefix(piece) else {
                return false;
            };
            rest = after;
        }
        rest.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_where_they_say() {
        let json = Json::parse(br#"{"a":{"e-mail":["x","y"],"b.c":1}}"#).unwrap();
        let cases = [
            ("$.a[\"e-mail\"][1]", Some("y")),
            ("$.a['b.c']", Some("1")),
            ("$.a.none", None),
            ("$.a[0]", None),
        ];
        for (text, found) in cases {
            let path = Path::parse(text).unwrap();
            assert_eq!(
                path.find(&json).and_then(Json::as_text).as_deref(),
                found,
                "{text}"
            );
        }
        for text in ["a.b", "$..a", "$[x]", "$[\"a", "", "$.a["] {
            assert_eq!(Path::parse(text), None, "{text}");
        }
        assert!(
            Path::parse("$.a['e-mail'][1]")
                .unwrap()
                .is_dotted("a.e-mail.1")
        );
    }
}
