//! The text of a rule file before the engine reads it: what of it is code, and which lines a mistake
//! can be taken out with, so that the other mistakes of the file are found as well. Every place stays
//! what it was.

use std::ops::RangeInclusive;

use super::prepare;

/// Begins a comment in files of other kinds, and in rule files by mistake.
pub(super) const FOREIGN_COMMENT: char = '#';

/// A rule file, some statements of which may have been taken out.
pub(super) struct Source {
    lines: Vec<String>,
    /// The same without comments and without what stands in quotes.
    code: Vec<String>,
    /// Where a comment begins that has no end (1-based).
    pub(super) open_comment: Option<(usize, usize)>,
    /// What statements that were taken out would have set.
    pub(super) variables: Vec<String>,
    /// Every function that begins a line, with how many things it takes: known although it may not be
    /// readable.
    pub(super) functions: Vec<(String, usize)>,
}

impl Source {
    pub(super) fn of(text: &str) -> Self {
        let mut reader = Reader::default();
        let code = text.lines().enumerate();
        let code: Vec<String> = code.map(|(at, line)| reader.line(at + 1, line)).collect();
        Self {
            functions: code.iter().filter_map(|code| function(code)).collect(),
            lines: text.lines().map(str::to_owned).collect(),
            code,
            open_comment: reader.comments.first().copied(),
            variables: Vec::new(),
        }
    }

    pub(super) fn text(&self) -> String {
        self.lines.join("\n")
    }

    /// Takes out the statement that holds `line` (1-based); whether one could be taken out alone.
    pub(super) fn take_out(&mut self, line: usize) -> bool {
        let Some(range) = line
            .checked_sub(1)
            .and_then(|line| self.phrase(line).or_else(|| self.statement(line)))
        else {
            return false;
        };
        self.variables.extend(self.variable(*range.start()));
        for lines in [&mut self.lines, &mut self.code] {
            for line in lines.get_mut(range.clone()).unwrap_or_default() {
                line.clear();
            }
        }
        true
    }

    /// The variable that a statement sets.
    fn variable(&self, at: usize) -> Option<String> {
        let code = self.code(at);
        let set = code.strip_prefix("let ").or(code.strip_prefix("const "))?;
        let is_name = |letter: &char| letter.is_alphanumeric() || *letter == '_';
        Some(set.trim_start().chars().take_while(is_name).collect())
    }

    fn code(&self, at: usize) -> &str {
        self.code.get(at).map_or("", |code| code.trim())
    }

    fn begins_phrase(&self, at: usize) -> bool {
        let first = self.code(at).split_whitespace().next();
        first.is_some_and(|first| prepare::phrase_words().any(|word| word == first))
    }

    /// The phrase that holds a line; it ends where the next begins, should its `;` be missing.
    fn phrase(&self, line: usize) -> Option<RangeInclusive<usize>> {
        let start = (0..=line).rev().find(|at| self.begins_phrase(*at))?;
        let ends = |at: &usize| self.code(*at).ends_with(';') || self.begins_phrase(at + 1);
        let end = (start..self.code.len()).find(ends);
        let end = end.unwrap_or(self.code.len().saturating_sub(1));
        (line <= end).then_some(start..=end)
    }

    /// Any other statement that holds a line, a block with all that is in it.
    fn statement(&self, line: usize) -> Option<RangeInclusive<usize>> {
        if self
            .lines
            .get(line)?
            .trim_start()
            .starts_with(FOREIGN_COMMENT)
        {
            return Some(line..=line);
        }
        if self.code(line).is_empty() {
            return None;
        }
        let filled = |at: &usize| !self.code(*at).is_empty();
        let ends = |at: usize| self.code(at).ends_with([';', '{', '}']);
        let mut start = line;
        while let Some(before) = (0..start).rev().find(filled).filter(|at| !ends(*at)) {
            start = before;
        }
        let mut depth = 0_i32;
        for at in start..self.code.len() {
            for sign in self.code(at).chars() {
                depth += i32::from(sign == '{') - i32::from(sign == '}');
            }
            if depth < 0 {
                // What a block ends with has no `;`.
                let before = at.checked_sub(1).filter(|before| line <= *before)?;
                return self.code(at).starts_with('}').then_some(start..=before);
            }
            let next = self.code(at + 1);
            let closed = self.code(at).ends_with([';', '}']) && !next.starts_with("else");
            if at >= line && depth == 0 && (closed || self.begins_phrase(at + 1)) {
                return Some(start..=at);
            }
        }
        None
    }
}

/// The function that a line begins.
fn function(code: &str) -> Option<(String, usize)> {
    let (name, rest) = code.trim().strip_prefix("fn ")?.split_once('(')?;
    let taken = rest.split(')').next().unwrap_or_default();
    let taken = taken.split(',').filter(|one| !one.trim().is_empty());
    Some((name.trim().to_owned(), taken.count()))
}

/// Reads a file line by line.
#[derive(Default)]
struct Reader {
    /// Where the comments begin that are open; they may stand within each other.
    comments: Vec<(usize, usize)>,
    /// The sign that ends the text in quotes.
    quote: Option<char>,
}

impl Reader {
    /// The code of a line, every other character a space.
    fn line(&mut self, number: usize, line: &str) -> String {
        let mut code = String::with_capacity(line.len());
        let mut signs = line.chars().enumerate().peekable();
        while let Some((at, sign)) = signs.next() {
            let next = signs.peek().map(|(_, next)| *next);
            let pair = (sign, next.unwrap_or('\n'));
            let (kept, skips) = match (self.quote, pair) {
                _ if !self.comments.is_empty() => (' ', self.comment(number, at, pair)),
                (Some(_), ('\\', _)) => (' ', true),
                (Some(quote), _) if sign == quote => {
                    self.quote = None;
                    (sign, false)
                }
                (Some(_), _) => (' ', false),
                (None, ('/', '/')) => break,
                (None, (FOREIGN_COMMENT, next)) if !matches!(next, '{' | '"') => break,
                (None, ('/', '*')) => (' ', self.comment(number, at, pair)),
                (None, ('"' | '\'' | '`', _)) => {
                    self.quote = Some(sign);
                    (sign, false)
                }
                (None, _) => (sign, false),
            };
            code.push(kept);
            if skips && signs.next().is_some() {
                code.push(' ');
            }
        }
        // Only a text between backticks goes on in the next line.
        self.quote = self.quote.filter(|quote| *quote == '`');
        code
    }

    /// Opens or closes a comment at this pair of signs; whether it did.
    fn comment(&mut self, line: usize, at: usize, pair: (char, char)) -> bool {
        match pair {
            ('/', '*') => self.comments.push((line, at + 1)),
            ('*', '/') => drop(self.comments.pop()),
            _ => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_taken_out_alone_or_not_at_all() {
        let cases = [
            (
                "let a = 1;\nlet b = ;\nlet c = 1;",
                2,
                "let a = 1;\n\nlet c = 1;",
            ),
            ("rejct \"a;\"\n  when x;\nb;", 1, "\n\nb;"),
            ("let a =\n  1 1;\nb;", 2, "\n\nb;"),
            ("if a = 1 {\n b;\n} else {\n c;\n}\nd;", 1, "\n\n\n\n\nd;"),
            ("if a {\n  b c;\n}\nd;", 2, "if a {\n\n}\nd;"),
            ("hold \"a // b\" when\nhold \"c\";", 1, "\nhold \"c\";"),
            ("a b; // {\nc;", 1, "\nc;"),
            ("# a\nc;", 1, "\nc;"),
            ("hold \"a\"; # b\nif a { b; }", 1, "\nif a { b; }"),
            ("if a {\n  b c;", 1, "not"),
            ("fn f() { a b; }\nc;", 1, "\nc;"),
            ("fn f() {\n  a\n    and b\n}\nc;", 3, "fn f() {\n\n\n}\nc;"),
            ("a b; }\nc;", 1, "not"),
            ("a;\n\n", 2, "not"),
        ];
        for (text, line, wanted) in cases {
            let mut source = Source::of(text);
            let done = source.take_out(line);
            let found = if done {
                source.text()
            } else {
                "not".to_owned()
            };
            assert_eq!(found, wanted, "{text}");
        }
    }

    #[test]
    fn an_open_comment_is_found_where_it_begins() {
        let cases = [
            ("a; /* b", Some((1, 4))),
            ("a;\n /* b /* c */\nd", Some((2, 2))),
            ("/* b /* c */ */", None),
            ("// /*\n\"/*\" + \"\\\"/*\"; `\n/*`", None),
            ("/* \" */ a", None),
        ];
        for (text, wanted) in cases {
            assert_eq!(Source::of(text).open_comment, wanted, "{text}");
        }
    }
}
