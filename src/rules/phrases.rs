//! The five phrases: how they are written, and what they do when a lead passes them. Each notes
//! itself in the trace; those that decide end the script. Knows nothing of facts.

use std::sync::Arc;

use rhai::{
    Dynamic, Engine, EvalAltResult, EvalContext, Expression, ImmutableString, LexError, ParseError,
    Position,
};

use super::facts::SeenFact;
use super::quick::{About, Quick};
use super::value::Value;
use super::words::plain_error;
use crate::lead::{Passed, PhraseKind};

/// Where a run is kept in the scope; no rule can write this name.
pub(super) const RUN: &str = "$run";
/// The points as rules read them.
pub(super) const POINTS: &str = "points";

/// Every phrase with its word.
pub(super) const ALL: [(PhraseKind, &str); 5] = [
    (PhraseKind::Reject, "reject"),
    (PhraseKind::Hold, "hold"),
    (PhraseKind::Score, "score"),
    (PhraseKind::Grade, "grade"),
    (PhraseKind::Route, "route"),
];

/// The word of a phrase.
pub(super) fn word_of(kind: PhraseKind) -> &'static str {
    ALL.iter()
        .find(|(known, _)| *known == kind)
        .map_or("", |(_, word)| word)
}

/// The phrase of a word.
pub(super) fn kind_of(word: &str) -> Option<PhraseKind> {
    ALL.iter()
        .find(|(_, known)| *known == word)
        .map(|(kind, _)| *kind)
}

/// What the quoted text after a phrase's word is.
pub(super) fn quoted(kind: PhraseKind) -> &'static str {
    match kind {
        PhraseKind::Reject | PhraseKind::Hold | PhraseKind::Score => "reason",
        PhraseKind::Grade => "grade",
        PhraseKind::Route => "pool",
    }
}

/// What a phrase carries from load to run, in one integer: rhai wants states that can be hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// Index into the policy's phrases.
    pub(super) phrase: u16,
    /// Whether the last input is a condition.
    pub(super) conditional: bool,
    /// The points of a `score`, else 0.
    pub(super) points: i64,
}

/// Points that one line may give or take.
pub(super) const POINTS_MAX: i64 = 1_000_000;

impl Mark {
    pub(super) fn pack(self) -> Dynamic {
        let conditional = i64::from(self.conditional) << 16;
        Dynamic::from(self.points << 17 | conditional | i64::from(self.phrase))
    }

    pub(super) fn unpack(state: &Dynamic) -> Option<Self> {
        let packed = state.as_int().ok()?;
        Some(Self {
            phrase: u16::try_from(packed & 0xffff).ok()?,
            conditional: packed >> 16 & 1 == 1,
            points: packed >> 17,
        })
    }
}

/// One lead's way through the phrases.
#[derive(Clone)]
pub(super) struct Run {
    pub(super) lead: Value,
    pub(super) seen: SeenFact,
    pub(super) graded: ImmutableString,
    /// The conditions that need no engine, by phrase.
    pub(super) quick: Arc<[Option<Quick>]>,
    pub(super) passed: Vec<Passed>,
    pub(super) points: i64,
    /// The phrase that ended the file.
    pub(super) decided: Option<u16>,
    /// The `hold` phrases that a person overruled.
    pub(super) overruled: Arc<[u16]>,
}

/// What came of a phrase that was passed.
pub(super) enum Noted {
    Nothing,
    /// The sum is another.
    Points(i64),
    /// The file is at its end.
    Decided,
}

impl Run {
    /// Passes a phrase without the engine; `None` where only the engine can.
    pub(super) fn pass(&mut self, kind: PhraseKind, mark: Mark) -> Option<Noted> {
        let fired = if mark.conditional {
            self.quickly(mark)?
        } else {
            true
        };
        Some(self.note(kind, mark, fired))
    }

    fn note(&mut self, kind: PhraseKind, mark: Mark, fired: bool) -> Noted {
        let overruled = kind == PhraseKind::Hold && self.overruled.contains(&mark.phrase);
        let fired = fired && !overruled;
        self.passed.push(Passed {
            phrase: mark.phrase,
            fired,
        });
        if !fired {
            return Noted::Nothing;
        }
        if kind != PhraseKind::Score {
            self.decided = Some(mark.phrase);
            return Noted::Decided;
        }
        self.points = self.points.saturating_add(mark.points);
        Noted::Points(self.points)
    }

    /// Whether the condition of a phrase holds, where that is known without the engine.
    fn quickly(&self, mark: Mark) -> Option<bool> {
        let quick = self.quick.get(usize::from(mark.phrase))?.as_ref()?;
        quick.holds(&About {
            lead: &self.lead,
            seen: self.seen,
            points: self.points,
            graded: &self.graded,
        })
    }
}

/// Adds the phrases to an engine.
pub(super) fn register(engine: &mut Engine) {
    for (kind, word) in ALL {
        engine.register_custom_syntax_with_state_raw(
            word,
            move |symbols, ahead, state| parse(kind, symbols, ahead, state),
            false,
            move |context, inputs, state| pass(kind, context, inputs, state),
        );
    }
}

const QUOTED: &str = "$string$";
const NUMBER: &str = "$int$";
const CONDITION: &str = "$expr$";

/// How far the parser has come in a phrase; kept in the state while it parses.
mod step {
    pub(super) const WORD: i64 = 0;
    pub(super) const MINUS: i64 = 1;
    pub(super) const POINTS: i64 = 2;
    pub(super) const QUOTED: i64 = 3;
    pub(super) const NOTE: i64 = 4;
    pub(super) const WHEN: i64 = 5;
    pub(super) const CONDITION: i64 = 6;
}

type Next = Result<Option<ImmutableString>, ParseError>;

fn parse(kind: PhraseKind, _: &[ImmutableString], ahead: &str, state: &mut Dynamic) -> Next {
    let at = state.as_int().unwrap_or(step::WORD);
    let word = word_of(kind);
    let mut go = |to: i64, symbol: &str| {
        *state = Dynamic::from(to);
        Ok(Some(ImmutableString::from(symbol)))
    };
    let is_quoted = ahead.starts_with('"');
    if ahead == LexError::UnterminatedString.to_string() {
        return Err(LexError::UnterminatedString.into_err(Position::NONE));
    }
    match at {
        step::WORD if kind == PhraseKind::Score && ahead == "-" => go(step::MINUS, "-"),
        step::WORD | step::MINUS if kind == PhraseKind::Score => {
            if ahead.parse::<i64>().is_err() {
                return wrong("after `score` come the points, a whole number: score 20 \"why\"");
            }
            go(step::POINTS, NUMBER)
        }
        step::WORD | step::POINTS => {
            if !is_quoted {
                let after = if kind == PhraseKind::Score {
                    "the points"
                } else {
                    word
                };
                let tick = if kind == PhraseKind::Score { "" } else { "`" };
                let what = quoted(kind);
                return wrong(&format!(
                    "after {tick}{after}{tick} comes the {what} in quotes"
                ));
            }
            go(step::QUOTED, QUOTED)
        }
        step::QUOTED if kind == PhraseKind::Route && is_quoted => go(step::NOTE, QUOTED),
        step::QUOTED | step::NOTE => match ahead {
            "when" => go(step::WHEN, "when"),
            ";" | "}" | "{EOF}" => Ok(None),
            _ if phrase_begins(ahead) => Ok(None),
            "if" => wrong("the condition begins with `when` instead of `if`"),
            _ if is_quoted => wrong("one text in quotes is enough here; then comes `when` or `;`"),
            _ => wrong(&format!(
                "between the {} and the condition stands `when`",
                quoted(kind)
            )),
        },
        step::WHEN if matches!(ahead, ";" | "}" | "{EOF}") => {
            wrong("after `when` comes the condition")
        }
        step::WHEN => go(step::CONDITION, CONDITION),
        _ => Ok(None),
    }
}

/// A phrase that follows at once: the semicolon is what is missing, and rhai says so.
fn phrase_begins(ahead: &str) -> bool {
    kind_of(ahead).is_some()
}

fn wrong(message: &str) -> Next {
    let error = LexError::ImproperSymbol(String::new(), message.to_owned());
    Err(error.into_err(Position::NONE))
}

fn pass(
    kind: PhraseKind,
    context: &mut EvalContext<'_, '_, '_, '_, '_, '_>,
    inputs: &[Expression<'_>],
    state: &Dynamic,
) -> Result<Dynamic, Box<EvalAltResult>> {
    let Some(mark) = Mark::unpack(state) else {
        return Err(plain_error("this line stands where it cannot be used"));
    };
    let quick = context.scope_mut().get_mut(RUN);
    let quick = quick.and_then(|run| run.read_lock::<Run>()?.quickly(mark));
    let fired = match (quick, inputs.last()) {
        (Some(fired), _) => fired,
        (None, Some(condition)) if mark.conditional => {
            let answer = context.eval_expression_tree(condition)?;
            answer.as_bool().map_err(|_| {
                let mut error = plain_error("what stands after `when` is neither true nor false");
                error.set_position(condition.position());
                error
            })?
        }
        _ => true,
    };
    let scope = context.scope_mut();
    let noted = {
        let run = scope.get_mut(RUN);
        let Some(mut run) = run.and_then(Dynamic::write_lock::<Run>) else {
            return Err(plain_error("this line stands where it cannot be used"));
        };
        run.note(kind, mark, fired)
    };
    match noted {
        Noted::Nothing => {}
        Noted::Decided => return Err(EvalAltResult::Return(Dynamic::UNIT, Position::NONE).into()),
        Noted::Points(points) => drop(scope.set_value(POINTS, points)),
    }
    Ok(Dynamic::UNIT)
}
