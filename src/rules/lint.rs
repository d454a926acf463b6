//! Reads the compiled rules before any lead does: every field, function and list is checked, inside
//! the conditions of phrases as well, since a misspelt one would fail only when its line runs.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the engine's enums are not ours and may grow; what is not named is left alone"
)]

mod statements;

use std::collections::BTreeSet;

use rhai::{AST, ASTFlags, ASTNode, Engine, Expr, FnCallExpr, Position};

use super::facts::{AttributionFact, FieldsFact};
use super::load::RuleFile;
use super::meaning;
use super::names::Names;
use super::words::{self, Kind, Word};
use crate::problem::{Problem, nearest};

/// What lint found.
pub(super) struct Lint<'n> {
    names: &'n Names,
    pub(super) problems: Vec<Problem>,
    /// Names asked of `lead.fields` and `lead.attribution`.
    fields: BTreeSet<String>,
    attribution: BTreeSet<String>,
}

impl<'n> Lint<'n> {
    pub(super) fn new(names: &'n Names) -> Self {
        Self {
            names,
            problems: Vec::new(),
            fields: BTreeSet::new(),
            attribution: BTreeSet::new(),
        }
    }

    /// Checks every expression of a file, functions included.
    pub(super) fn file(&mut self, file: &RuleFile<'_>, ast: &AST) {
        let mut reader = Reader { lint: self, file };
        ast.walk(&mut |path: &[ASTNode<'_>]| {
            match path {
                // An expression of a statement; what is within it is read from there.
                [.., ASTNode::Stmt(_), ASTNode::Expr(expr)] | [ASTNode::Expr(expr)] => {
                    reader.expr(expr);
                }
                [.., ASTNode::Stmt(stmt)] => reader.statement(stmt),
                _ => {}
            }
            true
        });
    }

    /// Gives the fields that rules ask for by name a way of their own: without it the engine first
    /// makes an error, then looks further, for every lead.
    pub(super) fn ease_fields(&self, engine: &mut Engine) {
        for name in &self.fields {
            let field = name.clone();
            engine.register_get(name, move |f: &mut FieldsFact| f.0.field(&field));
        }
        for name in &self.attribution {
            let field = name.clone();
            engine.register_get(name, move |a: &mut AttributionFact| a.0.attribution(&field));
        }
    }
}

/// The type of a thing that is written out and is no text.
fn constant(expr: &Expr) -> Option<Kind> {
    match expr {
        Expr::IntegerConstant(..) | Expr::FloatConstant(..) => Some(Kind::Number),
        Expr::BoolConstant(..) => Some(Kind::Truth),
        _ => None,
    }
}

/// Whether this is a written list of nothing but texts.
fn holds_texts(expr: &Expr) -> bool {
    let text = |item: &Expr| matches!(item, Expr::StringConstant(..));
    matches!(expr, Expr::Array(items, _) if !items.is_empty() && items.iter().all(text))
}

struct Reader<'r, 'n> {
    lint: &'r mut Lint<'n>,
    file: &'r RuleFile<'r>,
}

impl Reader<'_, '_> {
    fn report(&mut self, at: Position, name: &str, message: String, hint: Option<String>) {
        let width = name.chars().count();
        let problem = self.file.problem(at, width, message);
        self.lint.problems.push(match hint {
            Some(hint) => problem.hint(hint),
            None => problem,
        });
    }

    fn expr(&mut self, expr: &Expr) -> Option<Kind> {
        match expr {
            Expr::Variable(variable, ..) => meaning::of_variable(&variable.1),
            Expr::StringConstant(..) => Some(Kind::Quoted),
            Expr::InterpolatedString(parts, _) => {
                parts.iter().for_each(|part| _ = self.expr(part));
                Some(Kind::Quoted)
            }
            Expr::IntegerConstant(..) | Expr::FloatConstant(..) => Some(Kind::Number),
            Expr::BoolConstant(..) => Some(Kind::Truth),
            Expr::Array(items, _) => {
                items.iter().for_each(|item| _ = self.expr(item));
                Some(Kind::Written)
            }
            Expr::Map(map, _) => {
                map.0.iter().for_each(|(_, value)| _ = self.expr(value));
                None
            }
            Expr::And(all, _) | Expr::Or(all, _) => {
                for part in all.iter() {
                    self.truth(part);
                }
                Some(Kind::Truth)
            }
            Expr::Coalesce(all, _) => {
                all.iter().for_each(|part| _ = self.expr(part));
                None
            }
            Expr::FnCall(call, at) => self.call(call, *at),
            Expr::Dot(pair, flags, _) => {
                let on = self.expr(&pair.lhs);
                self.after_dot(on, &pair.rhs, *flags)
            }
            Expr::Index(pair, flags, _) => {
                let on = self.expr(&pair.lhs);
                self.in_brackets(on, &pair.rhs, *flags)
            }
            Expr::Custom(custom, _) => {
                let conditional = custom.tokens.iter().any(|t| t.as_str() == "when");
                if let Some(condition) = custom.inputs.last().filter(|_| conditional) {
                    self.truth(condition);
                }
                None
            }
            _ => None,
        }
    }

    /// A place where only yes or no makes sense.
    fn truth(&mut self, expr: &Expr) {
        let kind = self.expr(expr);
        self.yes_or_no(expr, kind);
    }

    fn yes_or_no(&mut self, expr: &Expr, kind: Option<Kind>) {
        if let Some(kind) = kind.filter(|kind| *kind != Kind::Truth) {
            let message = format!(
                "this is {}; a condition must be true or false",
                kind.spoken()
            );
            let hint = meaning::question_for(kind).map(str::to_owned);
            self.report(expr.start_position(), "", message, hint);
        }
    }

    fn call(&mut self, call: &FnCallExpr, at: Position) -> Option<Kind> {
        let name = call.name.as_str();
        if name == "!" && call.op_token.is_some() {
            call.args.iter().for_each(|arg| self.truth(arg));
            return Some(Kind::Truth);
        }
        let kinds: Vec<Option<Kind>> = call.args.iter().map(|arg| self.expr(arg)).collect();
        if call.op_token.is_some() || (name == "contains" && kinds.len() == 2) {
            let empty =
                |arg: &Expr| matches!(arg, Expr::StringConstant(text, _) if text.is_empty());
            let with_empty = call.args.iter().any(empty);
            let kinds = match call.args.first() {
                // Made a set of texts when loaded.
                Some(list) if name == "contains" && holds_texts(list) => {
                    vec![Some(Kind::List), kinds.get(1).copied().flatten()]
                }
                _ => kinds,
            };
            if let Some((message, hint)) = meaning::of_operator(name, &kinds, with_empty) {
                let written = if name == "contains" { "in" } else { name };
                self.report(at, written, message, hint);
            }
            return meaning::result_of(name, &kinds);
        }
        if name == "list" && call.args.len() == 1 {
            if let Some(Expr::StringConstant(named, at)) = call.args.first() {
                self.list(named, *at);
            }
            if let Some(kind) = kinds.first().copied().flatten() {
                self.argument(words::asked_globally(name), call, kind);
            }
            return Some(Kind::List);
        }
        let word = words::asked_globally(name);
        self.callable(name, call.args.len(), at, 0);
        word.and_then(|word| Kind::named(word.gives))
    }

    /// Checks the one thing in the parentheses of a word.
    fn argument(&mut self, word: Option<&'static Word>, call: &FnCallExpr, kind: Kind) {
        let (Some(word), [given]) = (word, call.args.as_slice()) else {
            return;
        };
        let listed = match given {
            Expr::Array(items, _) => items.iter().find_map(constant),
            _ => None,
        };
        if let Some((message, hint)) = meaning::of_argument(word, kind, listed) {
            self.report(given.start_position(), "", message, Some(hint));
        }
    }

    fn list(&mut self, name: &str, at: Position) {
        let lists = &self.lint.names.lists;
        if lists.contains(name) {
            return;
        }
        let known = lists.iter().map(String::as_str);
        let hint = match nearest(name, known.clone()) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None if lists.is_empty() => format!("put it into rules/lists/{name}.txt"),
            None => format!("lists there: {}", known.collect::<Vec<_>>().join(", ")),
        };
        let message = format!("there is no list \"{name}\" in rules/lists");
        self.report(at, &format!("\"{name}\""), message, Some(hint));
    }

    /// Checks a function that may be the engine's or a rule file's; `receiver` is 1 after a dot.
    fn callable(&mut self, name: &str, given: usize, at: Position, receiver: usize) {
        let takes = self.lint.names.takes(name);
        if takes.contains(&(given + receiver)) || self.lint.names.is_own(name, given) {
            return;
        }
        let (message, hint) = if takes.is_empty() {
            let words = words::table().filter(|w| w.takes.is_some());
            let known = words.map(|w| w.name).chain(self.lint.names.callable());
            let near = nearest(name, known);
            (
                format!("there is no function `{name}`"),
                near.map(|near| format!("did you mean `{near}`?")),
            )
        } else {
            let wanted = takes.iter().filter_map(|t| t.checked_sub(receiver));
            let wanted: Vec<_> = wanted.map(|t| t.to_string()).collect();
            (
                format!("`{name}` is given {given} values in its parentheses"),
                Some(format!("it takes {}", wanted.join(" or "))),
            )
        };
        self.report(at, name, message, hint);
    }

    fn after_dot(&mut self, on: Option<Kind>, rhs: &Expr, flags: ASTFlags) -> Option<Kind> {
        if let Expr::Dot(pair, further, _) = rhs
            && !flags.contains(ASTFlags::BREAK)
        {
            let on = self.step(on, &pair.lhs);
            return self.after_dot(on, &pair.rhs, *further);
        }
        if let Expr::Index(pair, further, _) = rhs
            && !flags.contains(ASTFlags::BREAK)
        {
            let on = self.step(on, &pair.lhs);
            return self.in_brackets(on, &pair.rhs, *further);
        }
        self.step(on, rhs)
    }

    fn in_brackets(&mut self, on: Option<Kind>, rhs: &Expr, flags: ASTFlags) -> Option<Kind> {
        let chain = !flags.contains(ASTFlags::BREAK);
        match rhs {
            Expr::Dot(pair, further, _) if chain => {
                let on = self.index(on, &pair.lhs);
                self.after_dot(on, &pair.rhs, *further)
            }
            Expr::Index(pair, further, _) if chain => {
                let on = self.index(on, &pair.lhs);
                self.in_brackets(on, &pair.rhs, *further)
            }
            index => self.index(on, index),
        }
    }

    fn index(&mut self, on: Option<Kind>, index: &Expr) -> Option<Kind> {
        self.expr(index);
        match on? {
            Kind::Fields | Kind::Attribution => Some(Kind::Text),
            Kind::Written | Kind::Quoted => None,
            kind => {
                let message = format!("{} cannot be looked up with [ ]", kind.spoken());
                let hint = "fields of a lead are looked up with lead.fields[\"name\"]".to_owned();
                self.report(index.start_position(), "", message, Some(hint));
                None
            }
        }
    }

    /// One field or method after a dot.
    fn step(&mut self, on: Option<Kind>, expr: &Expr) -> Option<Kind> {
        match expr {
            Expr::Property(property, at) => self.property(on, &property.2, *at),
            Expr::MethodCall(call, at) => {
                let given = call
                    .args
                    .iter()
                    .map(|arg| self.expr(arg))
                    .collect::<Vec<_>>();
                if let ([Some(kind)], Some(on)) = (given.as_slice(), on) {
                    self.argument(words::find(on, &call.name), call, *kind);
                }
                self.method(on, call, *at)
            }
            other => self.expr(other),
        }
    }

    fn property(&mut self, on: Option<Kind>, name: &str, at: Position) -> Option<Kind> {
        let Some(kind) = on else {
            let known = words::table().any(|word| word.name == name);
            if self.lint.names.is_key(name) {
                return None;
            }
            if known {
                return words::gives_everywhere(name);
            }
            if !self.lint.names.is_field(name) {
                let near = nearest(name, words::table().map(|word| word.name));
                let hint = near.map(|near| format!("did you mean `{near}`?"));
                self.report(at, name, format!("nothing has a field `{name}`"), hint);
            }
            return None;
        };
        match kind {
            Kind::Fields => {
                self.lint.fields.insert(name.to_owned());
                return Some(Kind::Text);
            }
            Kind::Attribution => {
                self.lint.attribution.insert(name.to_owned());
                return Some(Kind::Text);
            }
            _ => {}
        }
        let (message, hint) = match words::find(kind, name) {
            Some(word) if word.takes.is_none() => return Kind::named(word.gives),
            Some(word) => (
                format!("`{name}` needs something in parentheses"),
                Some(format!("for example {}", word.example)),
            ),
            None if meaning::is_native(kind) && self.lint.names.is_field(name) => return None,
            None => meaning::unknown_field(kind, name),
        };
        self.report(at, name, message, hint);
        None
    }

    fn method(&mut self, on: Option<Kind>, call: &FnCallExpr, at: Position) -> Option<Kind> {
        let (name, given) = (call.name.as_str(), call.args.len());
        let word = on.and_then(|kind| words::find(kind, name));
        if let Some(word) = word {
            let takes = word.takes.unwrap_or_default();
            if word.takes.is_none() {
                let hint = format!("for example {}", word.example);
                let message = format!("`{name}` stands without parentheses");
                self.report(at, name, message, Some(hint));
            } else if takes != given {
                let message = format!("`{name}` takes {takes} thing in its parentheses");
                let hint = format!("for example {}", word.example);
                self.report(at, name, message, Some(hint));
            }
            return Kind::named(word.gives);
        }
        match on {
            Some(kind) if !meaning::is_native(kind) && name != "to_string" => {
                if !self.lint.names.is_own(name, given) {
                    let (message, hint) = meaning::unknown_field(kind, name);
                    self.report(at, name, message, hint);
                }
            }
            Some(_) | None => self.callable(name, given, at, 1),
        }
        None
    }
}
