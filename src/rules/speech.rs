//! Puts the engine's errors into the words of a rule's author. Never shows a value of a lead.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the engine's enums are not ours and may grow; what is not named is left alone"
)]

use rhai::{EvalAltResult, LexError, ParseError, ParseErrorType, Position};

use super::engine::{CALLS_MAX, ITEMS_MAX, OPERATIONS_MAX, STRING_BYTES_MAX};
use super::limit::TIME_MAX;
use super::load::RuleFile;
use super::phrases;
use super::source::FOREIGN_COMMENT;
use super::text::cut;
use super::words::Shown;
use crate::problem::{Problem, nearest};

/// The longest message of a failing line.
const MESSAGE_BYTES_MAX: usize = 300;

/// What is wrong with the text of a rule file.
pub(super) fn of_parse_error(file: &RuleFile<'_>, error: &ParseError) -> Problem {
    let text = file.text;
    let at = place(error.position(), text);
    if let ParseErrorType::VariableUndefined(name) = error.err_type()
        && is_written_as_phrase(text, at, name)
    {
        return unknown_phrase(file, error.position(), name);
    }
    let (message, hint) = parse_message(error.err_type(), file.variables);
    let at = match error.err_type() {
        // The engine points at what follows; what is missing belongs behind what is before.
        ParseErrorType::MissingToken(token, _) if token == ";" => end_before(text, at),
        _ => at,
    };
    let hint = hint.or_else(|| foreign_word(error, text));
    if let Some(word) = phrase_after_dot(text, at) {
        let message = format!("`{word}` cannot stand after a dot, it begins a line");
        let hint = if word == "grade" {
            "the grade that was given is `graded`".to_owned()
        } else {
            format!("a field called so is written lead.fields[\"{word}\"]")
        };
        return Problem::at(file.name, text, at, message).hint(hint);
    }
    let problem = Problem::at(file.name, text, at, message);
    match hint {
        Some(hint) => problem.hint(hint),
        None => problem,
    }
}

/// Whether an unknown word begins a line, and is followed by what follows the word of a phrase.
fn is_written_as_phrase(text: &str, (line, column): (usize, usize), name: &str) -> bool {
    let here = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    let mut letters = here.chars();
    let before: String = letters.by_ref().take(column.saturating_sub(1)).collect();
    let before = before.trim_end();
    let after = letters.as_str().strip_prefix(name).unwrap_or_default();
    let after = after.trim_start();
    let follows = after.starts_with(['"', '-', '\'', '“', '„']) || after.starts_with("when ");
    (before.is_empty() || before.ends_with(['{', '}', ';']))
        && (follows || after.starts_with(|first: char| first.is_ascii_digit()))
}

fn unknown_phrase(file: &RuleFile<'_>, at: Position, name: &str) -> Problem {
    let words = phrases::ALL.iter().map(|(_, word)| *word);
    let hint = match nearest(&name.to_lowercase(), words) {
        Some(near) => format!("did you mean `{near}`?"),
        None if file.phrases.is_empty() => "phrases stand in the three rule files".to_owned(),
        None => {
            let here = file.phrases.iter().map(|kind| phrases::word_of(*kind));
            let here: Vec<_> = here.map(|word| format!("`{word}`")).collect();
            format!("a line here begins with {}", here.join(" or "))
        }
    };
    let message = format!("no phrase is called `{name}`");
    let problem = file.problem(at, name.chars().count(), message);
    problem.hint(hint)
}

/// The word of a phrase that is written as a field, right before `at`.
fn phrase_after_dot(text: &str, (line, column): (usize, usize)) -> Option<&'static str> {
    let here = text.lines().nth(line.checked_sub(1)?)?;
    let before: String = here.chars().take(column.checked_sub(1)?).collect();
    let before = before.trim_end();
    phrases::ALL.iter().map(|(_, word)| *word).find(|word| {
        before
            .strip_suffix(word)
            .is_some_and(|rest| rest.ends_with('.'))
    })
}

/// Words of other languages where the engine sees the end of a line.
fn foreign_word(error: &ParseError, text: &str) -> Option<String> {
    let (line, column) = place(error.position(), text);
    let rest = text.lines().nth(line.checked_sub(1)?)?;
    let rest: String = rest.chars().skip(column.checked_sub(1)?).collect();
    let word = rest.split_whitespace().next()?.to_lowercase();
    let symbol = match word.as_str() {
        "and" => "&&",
        "or" => "||",
        "not" => "!in",
        "is" | "equals" => "==",
        _ => return None,
    };
    Some(format!("for `{word}` write `{symbol}`"))
}

fn place(position: Position, text: &str) -> (usize, usize) {
    let last = text.lines().count().max(1);
    let line = position.line().unwrap_or(last);
    (line.min(last), position.position().unwrap_or(1))
}

/// The end of the last thing written before `at`, comments aside.
fn end_before(text: &str, (line, column): (usize, usize)) -> (usize, usize) {
    let lines: Vec<&str> = text.lines().collect();
    let here = lines
        .get(line.saturating_sub(1))
        .copied()
        .unwrap_or_default();
    let before: String = here.chars().take(column.saturating_sub(1)).collect();
    let mut candidates = vec![(line, before.as_str())];
    candidates.extend(
        (1..line)
            .rev()
            .filter_map(|n| Some((n, *lines.get(n - 1)?))),
    );
    for (number, written) in candidates {
        let code = written.split("//").next().unwrap_or_default().trim_end();
        if !code.is_empty() {
            return (number, code.chars().count() + 1);
        }
    }
    (line, column)
}

fn parse_message(error: &ParseErrorType, variables: &[&str]) -> (String, Option<String>) {
    let plain = |message: &str| (message.to_owned(), None);
    match error {
        ParseErrorType::MissingToken(token, _) if token == ";" => {
            plain("a `;` is missing at the end of this line")
        }
        ParseErrorType::MissingToken(token, _) => (format!("a `{token}` is missing"), None),
        ParseErrorType::UnexpectedEOF => plain("the file ends in the middle of a line"),
        ParseErrorType::BadInput(lex) => lex_message(lex),
        ParseErrorType::VariableUndefined(name) => {
            let near = nearest(name, variables.iter().copied());
            let known = variables.join("`, `");
            let hint = near.map_or_else(
                || format!("known here: `{known}`; a text stands in quotes"),
                |near| format!("did you mean `{near}`?"),
            );
            (format!("nothing is called `{name}`"), Some(hint))
        }
        ParseErrorType::Reserved(word) if word.starts_with(FOREIGN_COMMENT) => (
            format!("`{FOREIGN_COMMENT}` means nothing here"),
            Some("a comment begins with `//`".to_owned()),
        ),
        ParseErrorType::Reserved(word) => (
            format!("`{word}` cannot be used as a name"),
            Some(format!("write fields[\"{word}\"] if a field is called so")),
        ),
        ParseErrorType::PropertyExpected => plain("after a dot comes the name of a field"),
        ParseErrorType::ExprExpected(_) => plain("a condition or value is missing here"),
        ParseErrorType::MismatchedType(..) => plain("this is neither true nor false"),
        ParseErrorType::AssignmentToInvalidLHS(_) => (
            "nothing can be put in here".to_owned(),
            Some("to compare, write `==`".to_owned()),
        ),
        ParseErrorType::AssignmentToConstant(name) => (format!("`{name}` cannot be changed"), None),
        ParseErrorType::FnDuplicatedDefinition(name, _) => {
            (format!("there are two functions `{name}`"), None)
        }
        ParseErrorType::ExprTooDeep => plain("too many parentheses within each other"),
        ParseErrorType::TooManyFunctions => plain("too many functions"),
        ParseErrorType::LiteralTooLarge(..) => (
            format!("a text may have {STRING_BYTES_MAX} bytes, a list {ITEMS_MAX} entries"),
            Some("longer lists belong into a file of rules/lists".to_owned()),
        ),
        other => (other.to_string(), None),
    }
}

fn lex_message(error: &LexError) -> (String, Option<String>) {
    match error {
        LexError::UnterminatedString => (
            "the quotes are not closed on this line".to_owned(),
            Some("a text ends with `\"` on the line where it begins".to_owned()),
        ),
        LexError::UnexpectedInput(found) => {
            let hint = match found.as_str() {
                "\u{201c}" | "\u{201d}" | "\u{201e}" => Some("use straight quotes: \"".to_owned()),
                "=" => Some("to compare, write `==`".to_owned()),
                _ => None,
            };
            (format!("`{found}` is not expected here"), hint)
        }
        LexError::ImproperSymbol(symbol, message) if message.is_empty() => {
            let hint = match symbol.as_str() {
                "<>" => Some("for \"not equal\" write `!=`".to_owned()),
                "===" => Some("to compare, write `==`".to_owned()),
                _ => None,
            };
            (format!("`{symbol}` is not known here"), hint)
        }
        LexError::ImproperSymbol(symbol, _) if symbol == "=" => (
            "nothing can be put in here".to_owned(),
            Some("to compare, write `==`".to_owned()),
        ),
        LexError::ImproperSymbol(_, message) => (message.clone(), None),
        other => (other.to_string(), None),
    }
}

/// A failing line: the file, the line, and why, without any value of the lead.
pub(super) fn of_run_error(
    file: &str,
    error: &EvalAltResult,
    file_of_function: impl Fn(&str) -> Option<String>,
) -> String {
    let mut file = file.to_owned();
    let mut inner = error;
    while let EvalAltResult::ErrorInFunctionCall(function, _, within, _) = inner {
        if let Some(named) = file_of_function(function) {
            file = named;
        }
        inner = within;
    }
    let line = inner.position().line().or(error.position().line());
    let message = run_message(inner);
    let text = match line {
        Some(line) => format!("{file}:{line}: {message}"),
        None => format!("{file}: {message}"),
    };
    cut(&text, MESSAGE_BYTES_MAX).to_owned()
}

fn run_message(error: &EvalAltResult) -> String {
    let plain = match error {
        EvalAltResult::ErrorTooManyOperations(_) => {
            let thousands = OPERATIONS_MAX / 1000;
            return format!("this line ran too long ({thousands},000 steps)");
        }
        EvalAltResult::ErrorTerminated(..) => {
            let seconds = TIME_MAX.as_secs();
            return format!("the rules took too long on this lead (over {seconds} second)");
        }
        EvalAltResult::ErrorStackOverflow(_) => {
            return format!("functions call each other more than {CALLS_MAX} deep");
        }
        EvalAltResult::ErrorDataTooLarge(..) => {
            return format!(
                "a text grew over {STRING_BYTES_MAX} bytes, or a list over {ITEMS_MAX} entries"
            );
        }
        EvalAltResult::ErrorFunctionNotFound(signature, _) => {
            let name = signature.split([' ', '(']).next().unwrap_or_default();
            // `x in y` is a call of `contains`.
            let name = if name == "contains" {
                "in` or `contains"
            } else {
                name
            };
            return format!("`{name}` cannot be used with these values");
        }
        EvalAltResult::ErrorVariableNotFound(name, _) => {
            return format!("nothing is called `{name}`");
        }
        EvalAltResult::ErrorDotExpr(..) | EvalAltResult::ErrorPropertyNotFound(..) => {
            "there is no such field"
        }
        EvalAltResult::ErrorRuntime(value, _) => match value.read_lock::<Shown>() {
            Some(shown) => return shown.0.clone(),
            None => "the rule gave up by `throw`",
        },
        EvalAltResult::ErrorMismatchDataType(..) | EvalAltResult::ErrorMismatchOutputType(..) => {
            "this value is of the wrong type here"
        }
        EvalAltResult::ErrorIndexNotFound(..) | EvalAltResult::ErrorArrayBounds(..) => {
            "there is no such entry in the list"
        }
        EvalAltResult::ErrorStringBounds(..) | EvalAltResult::ErrorIndexingType(..) => {
            "this cannot be looked up with [ ]"
        }
        EvalAltResult::ErrorArithmetic(..) => "a calculation has no result (too large, or by zero)",
        EvalAltResult::ErrorFor(_) => "`for` needs a list",
        EvalAltResult::ErrorTooManyVariables(_) => "too many variables",
        EvalAltResult::ErrorModuleNotFound(..) | EvalAltResult::ErrorTooManyModules(_) => {
            "nothing can be imported"
        }
        EvalAltResult::ErrorAssignmentToConstant(..) => "this cannot be changed",
        _ => "this line failed",
    };
    plain.to_owned()
}
