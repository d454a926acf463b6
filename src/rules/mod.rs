//! Rules that a marketer can read: lead and facts in, verdict and trace out. Pure: no file, no
//! clock, no chance, so the same lead, rules and facts give the same verdict on every machine. Only
//! rules that would never end are stopped by a clock (`limit.rs`).
//! Texts come in from outside; nothing here knows where they lie or what becomes of a verdict.
//!
//! Read `phrases.rs` for what a line does, `vocabulary.rs` for the words, `load.rs` for the way from
//! text to [`Rulebook`], `engine.rs` for the limits.

mod compare;
mod early;
mod engine;
mod facts;
mod inline;
mod limit;
mod lines;
mod lint;
mod lists;
mod load;
mod meaning;
mod names;
mod needles;
mod phrases;
mod place;
mod prepare;
mod quick;
mod samples;
mod source;
mod speech;
mod text;
mod value;
mod vocabulary;
mod words;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rhai::{AST, Dynamic, Engine, EvalAltResult, ImmutableString, Position, Scope};

pub use words::{Word, words};

use crate::clock::Millis;
use crate::lead::Decided;
use crate::lead::Facts;
use crate::lead::HoldCause;
use crate::lead::Inquiry;
use crate::lead::Passed;
use crate::lead::Phrase;
use crate::lead::PhraseKind;
use crate::lead::Priority;
use crate::lead::Trace;
use crate::lead::Verdict;
use crate::problem::Problem;
use facts::{LeadFact, SeenFact};
use lines::Line;
use phrases::{Noted, POINTS, RUN, Run};
use quick::Quick;
use value::Value;

/// The texts of the rules folder by relative name: `screen.rhai`, `lib/size.rhai`,
/// `lists/competitors.txt`, `samples/good.toml`.
pub type Texts = BTreeMap<String, String>;

/// What rules must agree with.
pub struct Known<'a> {
    /// The pools of `reps.toml`.
    pub pools: &'a BTreeSet<String>,
    /// The grade where no line gives one; empty for none.
    pub default_grade: &'a str,
    /// The pool where no line gives one; empty for none.
    pub default_pool: &'a str,
}

/// What a lead is decided by.
pub struct Asked<'a> {
    /// Who asks for what.
    pub inquiry: &'a Inquiry,
    /// The source's name.
    pub source: &'a str,
    /// When it arrived; also the present, to the rules.
    pub received_at: Millis,
    /// What is known from outside the lead.
    pub facts: &'a Facts,
    /// The words of a `hold` line that a person overruled: it is passed as not fired.
    pub overruled: Option<&'a str>,
}

/// One version of the rules, checked and ready.
pub struct Rulebook {
    engine: Engine,
    screen: Vec<Line>,
    grade: Vec<Line>,
    route: Vec<Line>,
    phrases: Vec<Phrase>,
    quick: Arc<[Option<Quick>]>,
    grades: Vec<String>,
    default_grade: String,
    default_pool: String,
    file_of_function: BTreeMap<String, String>,
    samples: usize,
}

impl Rulebook {
    /// Compiles the texts, checks every name in them and runs the samples; all problems come at
    /// once.
    pub fn load(texts: &Texts, known: &Known<'_>) -> Result<Self, Vec<Problem>> {
        load::load(texts, known)
    }

    /// Every phrase; a trace holds indexes into these.
    pub fn phrases(&self) -> &[Phrase] {
        &self.phrases
    }

    /// How many samples ran when these rules were loaded.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// The order of service of a grade: the first that `grade.rhai` names is hot, the last low.
    pub fn priority(&self, grade: &str) -> Priority {
        let last = self.grades.len().saturating_sub(1);
        match self.grades.iter().position(|known| known == grade) {
            Some(_) if last == 0 => Priority::Normal,
            Some(0) => Priority::Hot,
            Some(at) if at == last => Priority::Low,
            Some(_) | None => Priority::Normal,
        }
    }

    /// Decides a lead. Never fails: a line that does holds the lead, with file and line.
    pub fn decide(&self, asked: &Asked<'_>) -> Decided {
        let walk = AssertUnwindSafe(|| self.walk_through(asked));
        let decided = limit::timed(|| catch_unwind(walk));
        decided.unwrap_or_else(|_| Decided {
            verdict: broken("the rules broke down on this lead".to_owned()),
            trace: Trace::default(),
        })
    }

    fn walk_through(&self, asked: &Asked<'_>) -> Decided {
        let mut way = Way::begin(self, asked);
        let verdict = match way.decide() {
            Ok(verdict) => verdict,
            Err(why) => broken(why),
        };
        Decided {
            verdict,
            trace: Trace(way.end()),
        }
    }

    fn overruled(&self, words: Option<&str>) -> Arc<[u16]> {
        let Some(words) = words else {
            return Arc::default();
        };
        let holds = (0_u16..).zip(&self.phrases);
        holds
            .filter(|(_, p)| p.kind == PhraseKind::Hold && p.label == words)
            .map(|(at, _)| at)
            .collect()
    }
}

fn broken(why: String) -> Verdict {
    Verdict::Held {
        why,
        cause: HoldCause::RuleError,
    }
}

/// One lead on its way through the three files.
struct Way<'b> {
    book: &'b Rulebook,
    /// `None` while the engine has it.
    run: Option<Run>,
    /// What the engine sees; made for the first line of a file that needs it.
    scope: Scope<'static>,
    /// Variables of the file that the engine has not set yet.
    unset: Vec<&'b AST>,
    /// Lines passed.
    lines: u64,
}

impl<'b> Way<'b> {
    fn begin(book: &'b Rulebook, asked: &Asked<'_>) -> Self {
        let lead = LeadFact::of(asked.inquiry, asked.source, asked.received_at);
        let run = Run {
            lead: Value::Lead(lead),
            seen: SeenFact::of(&asked.facts.seen, asked.received_at),
            graded: ImmutableString::new(),
            quick: book.quick.clone(),
            passed: Vec::with_capacity(book.phrases.len()),
            points: 0,
            decided: None,
            overruled: book.overruled(asked.overruled),
        };
        Self {
            book,
            run: Some(run),
            scope: Scope::new(),
            unset: Vec::new(),
            lines: 0,
        }
    }

    fn decide(&mut self) -> Result<Verdict, String> {
        if let Some(phrase) = self.pass(&self.book.screen, "screen.rhai")? {
            let why = phrase.label.clone();
            return Ok(if phrase.kind == PhraseKind::Hold {
                let cause = HoldCause::Rule;
                Verdict::Held { why, cause }
            } else {
                Verdict::Rejected { why }
            });
        }
        let given = self.pass(&self.book.grade, "grade.rhai")?;
        let grade = label_or(given, &self.book.default_grade);
        let grade = grade.ok_or("grade.rhai: no `grade` line applied")?;
        if let Some(run) = &mut self.run {
            run.graded = ImmutableString::from(&grade);
        }
        let given = self.pass(&self.book.route, "route.rhai")?;
        let pool = label_or(given, &self.book.default_pool);
        let pool = pool.ok_or("route.rhai: no `route` line applied")?;
        let points = self.run.as_ref().map_or(0, |run| run.points);
        Ok(Verdict::Accepted {
            grade,
            points,
            pool,
        })
    }

    /// Passes one file; the phrase that decided, if one did.
    fn pass(&mut self, lines: &'b [Line], file: &str) -> Result<Option<&'b Phrase>, String> {
        self.unset.clear();
        let passed = lines.iter().try_for_each(|line| match self.line(line) {
            Ok(false) => ControlFlow::Continue(()),
            Ok(true) => ControlFlow::Break(Ok(())),
            Err(error) => ControlFlow::Break(Err(error)),
        });
        // Variables of one file are not those of the next.
        self.scope.clear();
        let failed = match passed {
            ControlFlow::Break(Err(error)) => Some(error),
            ControlFlow::Break(Ok(())) | ControlFlow::Continue(()) => {
                limit::is_over().then(|| out_of_time(Position::NONE).into())
            }
        };
        if let Some(error) = failed {
            let of_function = |name: &str| self.book.file_of_function.get(name).cloned();
            return Err(speech::of_run_error(file, &error, of_function));
        }
        let decided = self.run.as_mut().and_then(|run| run.decided.take());
        Ok(decided.and_then(|at| self.book.phrases.get(usize::from(at))))
    }

    /// Passes one line; whether it decided.
    fn line(&mut self, line: &'b Line) -> Result<bool, Box<EvalAltResult>> {
        self.lines += 1;
        if limit::is_over_at_line(self.lines) {
            return Err(out_of_time(line.begins()).into());
        }
        let script = match line {
            Line::Script(script) => script,
            Line::Variable(script) => {
                self.unset.push(script);
                return Ok(false);
            }
            Line::Phrase(kind, mark, script) => {
                let noted = self.run.as_mut().and_then(|run| run.pass(*kind, *mark));
                match noted {
                    Some(noted) => return Ok(matches!(noted, Noted::Decided)),
                    None => script,
                }
            }
        };
        self.lend();
        let engine = &self.book.engine;
        let mut scripts = self.unset.drain(..).chain([script]);
        let ran = scripts.try_for_each(|script| engine.run_ast_with_scope(&mut self.scope, script));
        let lent = self.scope.get_mut(RUN).map(std::mem::take);
        self.run = lent.and_then(Dynamic::try_cast::<Run>);
        ran?;
        Ok(self.run.as_ref().is_some_and(|run| run.decided.is_some()))
    }

    /// Gives the engine what it needs for a line.
    fn lend(&mut self) {
        let Some(run) = self.run.take() else {
            return;
        };
        let scope = &mut self.scope;
        if scope.is_empty() {
            scope.push_dynamic(RUN, Dynamic::UNIT);
            scope.push_dynamic(POINTS, Dynamic::UNIT);
            scope.push("seen", run.seen);
            if let Value::Lead(lead) = &run.lead {
                scope.push("lead", lead.clone());
            }
            if !run.graded.is_empty() {
                scope.push("graded", run.graded.clone());
            }
        }
        scope.set_value(POINTS, run.points);
        scope.set_value(RUN, run);
    }

    fn end(&mut self) -> Vec<Passed> {
        let passed = self.run.as_mut().map(|run| std::mem::take(&mut run.passed));
        passed.unwrap_or_default()
    }
}

fn out_of_time(at: Position) -> EvalAltResult {
    EvalAltResult::ErrorTerminated(Dynamic::UNIT, at)
}

fn label_or(given: Option<&Phrase>, default: &str) -> Option<String> {
    let label = given.map_or(default, |phrase| phrase.label.as_str());
    (!label.is_empty()).then(|| label.to_owned())
}
