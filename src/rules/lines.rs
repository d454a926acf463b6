//! A file as a lead passes it: phrases whose condition needs no engine are passed without it, and
//! only what lies between them is run. No script ends early by itself (`early.rs`).

use rhai::{AST, Expr, Position, Stmt};

use super::phrases::{Mark, kind_of};
use super::prepare::Preparing;
use super::quick::Quick;
use crate::lead::PhraseKind;

/// Each part that the engine runs may take all the steps; a file in more parts is run as one.
const PARTS_MAX: usize = 8;

/// A part of a file.
pub(super) enum Line {
    /// A phrase; the engine is asked where its condition cannot be answered without it.
    Phrase(PhraseKind, Mark, AST),
    /// Sets a variable that the phrases know already: the engine sets it when it has something to run.
    Variable(AST),
    /// For the engine.
    Script(AST),
}

impl Line {
    /// Where it begins.
    pub(super) fn begins(&self) -> Position {
        let (Self::Phrase(_, _, script) | Self::Variable(script) | Self::Script(script)) = self;
        let first = script.statements().first();
        first.map_or(Position::NONE, Stmt::position)
    }
}

/// Takes a file apart that was prepared just now.
pub(super) fn of(ast: &AST, library: &AST, prepared: &Preparing<'_>) -> Vec<Line> {
    let part = |statements: &[Stmt]| {
        let functions = ast.shared_lib().clone();
        library.merge(&AST::new(statements.to_vec(), functions))
    };
    let whole = || vec![Line::Script(library.merge(ast))];
    let mut lines = Vec::new();
    let mut between: Vec<Stmt> = Vec::new();
    for statement in ast.statements() {
        let alone = || part(std::slice::from_ref(statement));
        let line = match (statement, needs_no_engine(statement, &prepared.quick)) {
            (_, Some((kind, mark))) => Line::Phrase(kind, mark, alone()),
            (Stmt::Var(var, ..), None) if prepared.variables.contains_key(var.0.name.as_str()) => {
                Line::Variable(alone())
            }
            _ => {
                between.push(statement.clone());
                continue;
            }
        };
        if !between.is_empty() {
            lines.push(Line::Script(part(&between)));
            between.clear();
        }
        lines.push(line);
    }
    if !between.is_empty() {
        lines.push(Line::Script(part(&between)));
    }
    let is_script = |line: &&Line| matches!(line, Line::Script(_) | Line::Variable(_));
    if lines.iter().filter(is_script).count() > PARTS_MAX {
        return whole();
    }
    lines
}

fn needs_no_engine(statement: &Stmt, quick: &[Option<Quick>]) -> Option<(PhraseKind, Mark)> {
    let Stmt::Expr(expr) = statement else {
        return None;
    };
    let Expr::Custom(custom, _) = &**expr else {
        return None;
    };
    let kind = kind_of(custom.tokens.first()?.as_str())?;
    let mark = Mark::unpack(&custom.state)?;
    let known = quick.get(usize::from(mark.phrase))?.is_some();
    (known || !mark.conditional).then_some((kind, mark))
}
