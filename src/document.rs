//! Reads a TOML file that a person wrote, so that every problem is found in one go: an unknown key
//! with the nearest known one, a wrong type, a value out of range, each with its line. Knows no
//! topic: the rooms ask for the keys that they know.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Range, RangeInclusive};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::problem::{Problem, nearest};

/// Values that stand above the file's: dotted path to text, from the environment.
pub type Overrides = BTreeMap<String, String>;

/// Reads `text` by `read`; the problems of syntax and those that `read` noted come all at once.
pub fn read<T>(
    file: &str,
    text: &str,
    overrides: &Overrides,
    read: impl FnOnce(&Table<'_>) -> Option<T>,
) -> Result<T, Vec<Problem>> {
    let (root, errors) = DeTable::parse_recoverable(text);
    let notes = Notes {
        file,
        text,
        overrides,
        problems: RefCell::new(Vec::new()),
    };
    for error in errors {
        let span = error.span().unwrap_or_default();
        notes.add(Problem::at_span(file, text, span, error.message()));
    }
    let syntax_holds = notes.problems.borrow().is_empty();
    let value = syntax_holds
        .then(|| {
            let table = Table {
                notes: &notes,
                entries: Some(root.get_ref()),
                span: 0..0,
                path: String::new(),
                asked: RefCell::default(),
            };
            read(&table)
        })
        .flatten();
    let problems = notes.problems.into_inner();
    match value {
        Some(value) if problems.is_empty() => Ok(value),
        Some(_) | None if !problems.is_empty() => Err(problems),
        Some(_) | None => Err(vec![Problem::in_file(file, "this file cannot be used")]),
    }
}

struct Notes<'d> {
    file: &'d str,
    text: &'d str,
    overrides: &'d Overrides,
    problems: RefCell<Vec<Problem>>,
}

impl Notes<'_> {
    fn add(&self, problem: Problem) {
        self.problems.borrow_mut().push(problem);
    }
}

/// A table being read. Keys that were never asked for are problems, noted by [`Table::done`].
pub struct Table<'d> {
    notes: &'d Notes<'d>,
    entries: Option<&'d DeTable<'d>>,
    span: Range<usize>,
    path: String,
    asked: RefCell<BTreeSet<String>>,
}

enum Found<'d> {
    Nothing,
    InFile(&'d Spanned<DeValue<'d>>),
    Above(&'d str),
}

impl<'d> Table<'d> {
    /// A text; `None` if it is absent or no text (which is noted).
    pub fn text(&self, key: &str) -> Option<String> {
        match self.find(key) {
            Found::Nothing => None,
            Found::Above(text) => Some(text.to_owned()),
            Found::InFile(value) => match value.get_ref().as_str() {
                Some(text) => Some(text.to_owned()),
                None => self.mistyped(key, value, "a text in quotes"),
            },
        }
    }

    /// A text that must be there and not be empty.
    pub fn required_text(&self, key: &str) -> Option<String> {
        let present = self.has(key);
        let text = self.text(key);
        if !present || text.as_deref() == Some("") {
            self.missing(key);
            return None;
        }
        text
    }

    /// One of `words`.
    pub fn choice(&self, key: &str, words: &[&'static str]) -> Option<&'static str> {
        let text = self.text(key)?;
        let known = words.iter().find(|word| **word == text).copied();
        if known.is_none() {
            let near = nearest(&text, words.iter().copied());
            let hint = near.map(|n| format!("did you mean \"{n}\"?"));
            let wanted = words.join("\", \"");
            let message = format!(
                "{} is \"{text}\"; wanted is one of \"{wanted}\"",
                self.name(key)
            );
            self.problem_hint(key, message, hint);
        }
        known
    }

    /// A whole number within `range`.
    pub fn int(&self, key: &str, range: RangeInclusive<i64>) -> Option<i64> {
        let text = match self.find(key) {
            Found::Nothing => return None,
            Found::Above(text) => text.to_owned(),
            Found::InFile(value) => match value.get_ref().as_integer() {
                Some(int) if int.radix() == 10 => int.as_str().replace('_', ""),
                Some(_) | None => return self.mistyped(key, value, "a whole number"),
            },
        };
        let number: Option<i64> = text.trim().parse().ok();
        let within = number.filter(|n| range.contains(n));
        if within.is_none() {
            let name = self.name(key);
            let (low, high) = (range.start(), range.end());
            self.problem(
                key,
                format!("{name} is {text}; wanted is a number from {low} to {high}"),
            );
        }
        within
    }

    /// `true` or `false`.
    pub fn bool(&self, key: &str) -> Option<bool> {
        match self.find(key) {
            Found::Nothing => None,
            Found::Above("true" | "1" | "yes") => Some(true),
            Found::Above("false" | "0" | "no") => Some(false),
            Found::Above(other) => {
                let name = self.name(key);
                self.problem(key, format!("{name} is {other}; wanted is true or false"));
                None
            }
            Found::InFile(value) => match value.get_ref().as_bool() {
                Some(truth) => Some(truth),
                None => self.mistyped(key, value, "true or false"),
            },
        }
    }

    /// A list of texts; from the environment separated by commas.
    pub fn texts(&self, key: &str) -> Option<Vec<String>> {
        let value = match self.find(key) {
            Found::Nothing => return None,
            Found::Above(text) => {
                let items = text.split(',').map(str::trim).filter(|t| !t.is_empty());
                return Some(items.map(str::to_owned).collect());
            }
            Found::InFile(value) => value,
        };
        let Some(array) = value.get_ref().as_array() else {
            return self.mistyped(key, value, "a list of texts");
        };
        let mut texts = Vec::new();
        for item in array {
            let Some(text) = item.get_ref().as_str() else {
                return self.mistyped(key, item, "a list of texts");
            };
            texts.push(text.to_owned());
        }
        Some(texts)
    }

    /// The table under `key`; where it is absent an empty one, so that defaults need no second way.
    #[must_use]
    pub fn table(&self, key: &str) -> Table<'d> {
        self.asked.borrow_mut().insert(key.to_owned());
        let entry = self.entries.and_then(|t| t.get(key));
        if let Some(value) = entry
            && value.get_ref().as_table().is_none()
        {
            let _: Option<()> = self.mistyped(key, value, "a table");
        }
        Table {
            notes: self.notes,
            entries: entry.and_then(|v| v.get_ref().as_table()),
            span: entry.map_or(self.span.clone(), Spanned::span),
            path: self.name(key),
            asked: RefCell::default(),
        }
    }

    /// Every child table with its key, in the order of the file: for tables whose keys are names.
    pub fn tables(&self) -> Vec<(String, Table<'d>)> {
        let keys = self.keys();
        let child = |key: String| {
            let table = self.table(&key);
            (key, table)
        };
        keys.into_iter().map(child).collect()
    }

    /// The tables of an array of tables (`[[key]]`), in the order of the file.
    pub fn array(&self, key: &str) -> Vec<Table<'d>> {
        let Found::InFile(value) = self.find(key) else {
            return Vec::new();
        };
        let Some(array) = value.get_ref().as_array() else {
            let _: Option<()> = self.mistyped(key, value, "a list of tables");
            return Vec::new();
        };
        let mut tables = Vec::new();
        for (at, item) in array.iter().enumerate() {
            let entries = item.get_ref().as_table();
            if entries.is_none() {
                let _: Option<()> = self.mistyped(key, item, "a table");
            }
            tables.push(Table {
                notes: self.notes,
                entries,
                span: item.span(),
                path: format!("{}[{at}]", self.name(key)),
                asked: RefCell::default(),
            });
        }
        tables
    }

    /// The keys in the order of the file.
    pub fn keys(&self) -> Vec<String> {
        let mut keys: Vec<_> = self
            .entries
            .into_iter()
            .flat_map(|t| t.iter())
            .map(|(key, _)| (key.span().start, key.get_ref().clone().into_owned()))
            .collect();
        keys.sort();
        keys.into_iter().map(|(_, key)| key).collect()
    }

    /// Whether the key is there, in the file or above it.
    pub fn has(&self, key: &str) -> bool {
        !matches!(self.find(key), Found::Nothing)
    }

    /// Whether the table itself stands in the file.
    pub fn is_there(&self) -> bool {
        self.entries.is_some()
    }

    /// Notes that a key which must be there is not.
    pub fn missing(&self, key: &str) {
        self.note(
            self.span.clone(),
            format!("{} is missing", self.name(key)),
            None,
        );
    }

    /// Notes a problem at the key's value, or at the table where the key is absent.
    pub fn problem(&self, key: &str, message: impl Into<String>) {
        self.problem_hint(key, message, None);
    }

    /// The same with what to do about it.
    pub fn problem_hint(&self, key: &str, message: impl Into<String>, hint: Option<String>) {
        let message = message.into();
        match self.find(key) {
            Found::Above(_) => {
                let name = variable(&self.name(key));
                let problem = Problem::in_file("environment", format!("{name}: {message}"));
                self.notes.add(match hint {
                    Some(hint) => problem.hint(hint),
                    None => problem,
                });
            }
            Found::InFile(value) => self.note(value.span(), message, hint),
            Found::Nothing => self.note(self.span.clone(), message, hint),
        }
    }

    /// Notes every key that was never asked for, with the nearest of those that were.
    pub fn done(&self) {
        let asked = self.asked.borrow().clone();
        for (key, _) in self.entries.into_iter().flat_map(|t| t.iter()) {
            let name = key.get_ref();
            if asked.contains(name.as_ref()) {
                continue;
            }
            let near = nearest(name, asked.iter().map(String::as_str));
            let hint = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known here: {}", Vec::from_iter(asked.clone()).join(", ")),
            };
            let message = format!("unknown key `{}`", self.name(name));
            self.note(key.span(), message, Some(hint));
        }
    }

    /// The dotted path of a key, for messages.
    pub fn name(&self, key: &str) -> String {
        if self.path.is_empty() {
            return key.to_owned();
        }
        format!("{}.{key}", self.path)
    }

    /// 1-based line of the key's value, or of the table where the key is absent.
    pub fn line(&self, key: &str) -> usize {
        let value = self.entries.and_then(|t| t.get(key));
        let start = value.map_or(self.span.start, |v| v.span().start);
        self.notes
            .text
            .get(..start)
            .unwrap_or_default()
            .matches('\n')
            .count()
            + 1
    }

    fn find(&self, key: &str) -> Found<'d> {
        self.asked.borrow_mut().insert(key.to_owned());
        if let Some(text) = self.notes.overrides.get(&self.name(key)) {
            return Found::Above(text);
        }
        match self.entries.and_then(|t| t.get(key)) {
            Some(value) => Found::InFile(value),
            None => Found::Nothing,
        }
    }

    fn mistyped<T>(&self, key: &str, at: &Spanned<DeValue<'_>>, wanted: &str) -> Option<T> {
        let found = at.get_ref().type_str();
        let message = format!("{} is of type {found}; wanted is {wanted}", self.name(key));
        self.note(at.span(), message, None);
        None
    }

    fn note(&self, span: Range<usize>, message: String, hint: Option<String>) {
        let problem = Problem::at_span(self.notes.file, self.notes.text, span, message);
        self.notes.add(match hint {
            Some(hint) => problem.hint(hint),
            None => problem,
        });
    }
}

/// The environment variable of a dotted path: `server.listen` is `LEADGATE_SERVER__LISTEN`.
pub fn variable(path: &str) -> String {
    format!("LEADGATE_{}", path.to_uppercase().replace('.', "__"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_problems_come_at_once_with_line_and_nearest_key() {
        let text = "[server]\nlistn = \"x\"\nport = \"8080\"\nworkers = 900\n[servr]\n";
        let overrides = Overrides::from([("server.debug".into(), "perhaps".into())]);
        let result = read("a.toml", text, &overrides, |root| {
            let server = root.table("server");
            let _ = (server.text("listen"), server.int("port", 1..=65535));
            let _ = (server.int("workers", 1..=64), server.bool("debug"));
            server.done();
            root.done();
            Some(())
        });
        let lines: Vec<_> = result.unwrap_err().iter().map(Problem::one_line).collect();
        assert_eq!(
            lines,
            [
                "a.toml:3: server.port is of type string; wanted is a whole number",
                "a.toml:4: server.workers is 900; wanted is a number from 1 to 64",
                "environment: LEADGATE_SERVER__DEBUG: server.debug is perhaps; wanted is true or false",
                "a.toml:2: unknown key `server.listn`",
                "a.toml:5: unknown key `servr`",
            ]
        );
    }
}
