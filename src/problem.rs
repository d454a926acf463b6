//! What is wrong with a file that a person wrote, said so that the person can mend it: what was
//! found, what was wanted, where, and a hint. Knows neither configuration nor rules.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};
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

/// Pictures for a terminal: the line with a caret under what is meant, and the hint below it.
pub fn render(problems: &[Problem], color: bool) -> String {
    let renderer = if color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let renderer = renderer.decor_style(DecorStyle::Ascii);
    let pictures: Vec<String> = problems.iter().map(|p| picture(p, &renderer)).collect();
    pictures.join("\n\n")
}

fn picture(problem: &Problem, renderer: &Renderer) -> String {
    let title = Level::ERROR.primary_title(problem.message.as_str());
    let file = problem.file.as_str();
    let mut group = if problem.line == 0 {
        title.element(Origin::path(file))
    } else {
        let byte = |chars: usize| {
            let mut starts = problem.source.char_indices().map(|(at, _)| at);
            starts.nth(chars).unwrap_or(problem.source.len())
        };
        let first = problem.column.saturating_sub(1);
        let span = byte(first)..byte(first.saturating_add(problem.width));
        let snippet = Snippet::source(problem.source.as_str()).path(file);
        let snippet = snippet.line_start(problem.line);
        title.element(snippet.annotation(AnnotationKind::Primary.span(span)))
    };
    if let Some(hint) = &problem.hint {
        let hint = annotate_snippets::normalize_untrusted_str(hint);
        group = group.element(Level::HELP.message(hint));
    }
    renderer.render(&[group])
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_drawn_with_a_caret_under_the_word() {
        let text = "[server]\nlistn = \"é\"\n";
        let problem = Problem::at_span("a.toml", text, 9..14, "unknown key `listn`");
        let problems = [
            problem.hint("did you mean `listen`?"),
            Problem::in_file("environment", "LEADGATE_X__Y names no key"),
            Problem::at("b.toml", "é", (1, 9), "beyond the end"),
        ];
        let wanted = "\
error: unknown key `listn`
 --> a.toml:2:1
  |
2 | listn = \"é\"
  | ^^^^^
  |
  = help: did you mean `listen`?

error: LEADGATE_X__Y names no key
--> environment

error: beyond the end
 --> b.toml:1:2
  |
1 | é
  |  ^";
        assert_eq!(render(&problems, false), wanted);
        assert!(render(&problems, true).contains("\u{1b}["));
    }
}
