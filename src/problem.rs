//! What is wrong with a file that a person wrote, said so that the person can mend it: what was
//! found, what was wanted, where, and a hint. Knows neither configuration nor rules.

use serde::Serialize;

/// One thing to mend. All problems of a load are reported together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file as the person named it, or `environment`.
    pub file: String,
    /// 1-based; 0 where the problem is the whole file.
    pub line: usize,
    /// 1-based, in characters; 0 where the problem is the whole line.
    pub column: usize,
    /// The text of that line, for the picture with the caret; may be empty.
    pub source: String,
    /// How many characters the caret underlines.
    pub width: usize,
    /// What was found and what was wanted.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem of a whole file.
    pub fn in_file(file: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            line: 0,
            column: 0,
            source: String::new(),
            width: 0,
            message: message.into(),
            hint: None,
        }
    }

    /// A problem at a line and column (1-based) of `text`, the file's whole content.
    pub fn at(
        file: impl Into<String>,
        text: &str,
        (line, column): (usize, usize),
        message: impl Into<String>,
    ) -> Self {
        let source = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
        Self {
            line,
            column,
            source: source.to_owned(),
            width: 1,
            ..Self::in_file(file, message)
        }
    }

    /// A problem at a byte range of `text`, the file's whole content.
    pub fn at_span(
        file: impl Into<String>,
        text: &str,
        span: std::ops::Range<usize>,
        message: impl Into<String>,
    ) -> Self {
        let start = span.start.min(text.len());
        let before = text.get(..start).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before
            .rsplit('\n')
            .next()
            .unwrap_or_default()
            .chars()
            .count()
            + 1;
        let width = text
            .get(span)
            .and_then(|s| s.lines().next())
            .map_or(1, |s| s.chars().count());
        Self {
            width: width.max(1),
            ..Self::at(file, text, (line, column), message)
        }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// `grade.rhai:12: no field "contry"`, for logs and reasons.
    pub fn one_line(&self) -> String {
        if self.line == 0 {
            return format!("{}: {}", self.file, self.message);
        }
        format!("{}:{}: {}", self.file, self.line, self.message)
    }
}

/// The known name that is nearest to a misspelt one, if any is near.
pub fn nearest<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (strsim::osa_distance(found, name), name))
        .filter(|(distance, name)| *distance <= 2.max(name.chars().count() / 3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}
