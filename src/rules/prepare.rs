//! Makes a compiled file ready to run: numbers its phrases, and turns the lists written into it
//! into sets, once, so that no lead pays for them. Judges where phrases stand, not what they ask.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the engine's enums are not ours and may grow; what is not named is left alone"
)]

use std::collections::BTreeMap;

use rhai::{
    AST, ASTNode, CustomExpr, Dynamic, Expr, FnCallExpr, FnCallHashes, Position, Stmt, StmtBlock,
};

use super::inline::{self, Functions, Variables};
use super::lists::List;
use super::load::RuleFile;
use super::names::Names;
use super::phrases::{self, Mark, POINTS_MAX, kind_of, quoted, word_of};
use super::quick::{Maker, Quick};
use super::words;
use crate::lead::{Phrase, PhraseKind};
use crate::problem::{Problem, nearest};

/// The longest reason, grade, pool or note, in characters.
const LABEL_CHARS_MAX: usize = 200;

/// What preparing a file needs to know, and what it finds.
pub(super) struct Preparing<'a> {
    pub(super) lists: &'a BTreeMap<String, List>,
    pub(super) names: &'a Names,
    pub(super) pools: &'a std::collections::BTreeSet<String>,
    pub(super) phrases: Vec<Phrase>,
    /// The conditions that need no engine, by phrase.
    pub(super) quick: Vec<Option<Quick>>,
    /// What conditions may name: functions of the libraries, and what the file at hand has set.
    pub(super) functions: Functions,
    pub(super) variables: Variables,
    pub(super) problems: Vec<Problem>,
}

/// A file of rules made ready.
pub(super) struct Prepared {
    pub(super) ast: AST,
    /// Whether a phrase without condition ends it, whatever the lead.
    pub(super) always_decides: bool,
}

impl Preparing<'_> {
    /// Numbers the phrases of `ast` after those already there.
    pub(super) fn file(&mut self, file: &RuleFile<'_>, ast: &AST) -> Prepared {
        let mut statements = ast.statements().to_vec();
        let libraries = self.functions.clone();
        self.functions.extend(inline::functions(ast));
        self.variables.clear();
        let mut visit = Visit {
            known: self,
            file,
            always_decides: false,
            keeps_variables: inline::keeps_variables(ast),
        };
        visit.functions();
        for statement in &mut statements {
            visit.statement(statement, true);
        }
        let always_decides = visit.always_decides;
        if !file.phrases.is_empty() {
            self.functions = libraries;
        }
        let ast = AST::new(statements, ast.shared_lib().clone());
        self.misplaced(file, &ast);
        Prepared {
            ast,
            always_decides,
        }
    }

    fn maker(&self) -> Maker<'_> {
        Maker {
            names: self.names,
            functions: &self.functions,
            variables: &self.variables,
            depth: 0,
        }
    }

    /// Phrases that were not reached stand where they would not do what they say.
    fn misplaced(&mut self, file: &RuleFile<'_>, ast: &AST) {
        ast.walk(&mut |path: &[ASTNode<'_>]| {
            let Some(ASTNode::Expr(Expr::Custom(custom, at))) = path.last() else {
                return true;
            };
            if !custom.is_numbered() {
                let word = custom.word();
                self.problems.push(
                    file.problem(
                        *at,
                        word.len(),
                        format!("`{word}` cannot be used within a loop, a function or another expression"),
                    )
                    .hint("phrases stand by themselves, at the top of the file or within an `if`"),
                );
            }
            true
        });
    }
}

/// Reads a phrase as the parser left it.
trait PhraseParts {
    fn word(&self) -> &str;
    fn is_numbered(&self) -> bool;
}

/// Stands behind the tokens of a phrase that has its number; the engine reads only the first.
const NUMBERED: &str = "numbered";

impl PhraseParts for CustomExpr {
    fn word(&self) -> &str {
        self.tokens.first().map_or("", |t| t.as_str())
    }

    fn is_numbered(&self) -> bool {
        self.tokens.last().is_some_and(|t| t.as_str() == NUMBERED)
    }
}

struct Visit<'v, 'a> {
    known: &'v mut Preparing<'a>,
    file: &'v RuleFile<'v>,
    always_decides: bool,
    keeps_variables: bool,
}

impl Visit<'_, '_> {
    fn statement(&mut self, statement: &mut Stmt, top: bool) {
        match statement {
            Stmt::Expr(expr) => {
                self.expr(expr);
                if let Expr::Custom(custom, at) = &mut **expr {
                    self.phrase(custom, *at, top);
                }
            }
            Stmt::If(flow, _) => {
                self.expr(&mut flow.expr);
                self.block(&mut flow.body);
                self.block(&mut flow.branch);
            }
            Stmt::Block(block) => self.block(block),
            Stmt::Var(var, ..) => {
                self.expr(&mut var.1);
                if top && self.keeps_variables {
                    self.variable(&var.0.name, &var.1);
                }
            }
            Stmt::FnCall(call, _) => self.call(call),
            _ => {}
        }
    }

    fn block(&mut self, block: &mut StmtBlock) {
        for statement in block.statements_mut().iter_mut() {
            self.statement(statement, false);
        }
    }

    /// Lists written into functions are sets too, where a condition is reckoned with them.
    fn functions(&mut self) {
        let mut functions = std::mem::take(&mut self.known.functions);
        for function in functions.values_mut() {
            self.expr(&mut function.gives);
        }
        self.known.functions = functions;
    }

    fn variable(&mut self, name: &str, expr: &Expr) {
        if let Some(known) = self.known.maker().variable(expr) {
            self.known.variables.insert(name.to_owned(), known);
        }
    }

    fn phrase(&mut self, custom: &mut CustomExpr, at: Position, top: bool) {
        let word = custom.word().to_owned();
        let Some(kind) = kind_of(&word) else { return };
        self.in_its_file(kind, at);
        let conditional = custom.tokens.iter().any(|t| t.as_str() == "when");
        let negative = custom.tokens.get(1).is_some_and(|t| t.as_str() == "-");
        let mut points = 0;
        let mut texts = Vec::new();
        let inputs = custom.inputs.len() - usize::from(conditional);
        for input in custom.inputs.iter().take(inputs) {
            if let Expr::IntegerConstant(number, at) = input {
                points = if negative { -*number } else { *number };
                if number.abs() > POINTS_MAX {
                    let message = format!("a line gives at most {POINTS_MAX} points");
                    let problem = self.file.problem(*at, 1, message);
                    self.known.problems.push(problem);
                    points = 0;
                }
            }
            if let Expr::StringConstant(text, at) = input {
                self.label(kind, text, *at, texts.is_empty());
                texts.push(text.to_string());
            }
        }
        let mut texts = texts.into_iter();
        let index = self.known.phrases.len();
        self.known.phrases.push(Phrase {
            kind,
            file: self.file.name.to_owned(),
            line: at.line().unwrap_or_default(),
            label: texts.next().unwrap_or_default(),
            note: texts.next().unwrap_or_default(),
            points,
        });
        let condition = custom.inputs.last().filter(|_| conditional);
        let quick = condition.and_then(|c| self.known.maker().condition(c));
        self.known.quick.push(quick);
        custom.state = Mark {
            phrase: u16::try_from(index).unwrap_or(u16::MAX),
            conditional,
            points,
        }
        .pack();
        custom.tokens.push(NUMBERED.into());
        let decides = !matches!(kind, PhraseKind::Score);
        self.always_decides |= top && !conditional && decides;
    }

    fn in_its_file(&mut self, kind: PhraseKind, at: Position) {
        if self.file.phrases.contains(&kind) {
            return;
        }
        let word = word_of(kind);
        let home = RuleFile::home(kind);
        let here = self.file.name;
        let problem = self
            .file
            .problem(at, word.len(), format!("`{word}` cannot be used in {here}"))
            .hint(format!("move this line to {home}"));
        self.known.problems.push(problem);
    }

    fn label(&mut self, kind: PhraseKind, text: &str, at: Position, first: bool) {
        let what = if first { quoted(kind) } else { "note" };
        let width = text.chars().count() + 2;
        if text.trim().is_empty() {
            let problem = self.file.problem(at, width, format!("the {what} is empty"));
            self.known.problems.push(problem);
        } else if width > LABEL_CHARS_MAX {
            let message = format!("the {what} is longer than {LABEL_CHARS_MAX} characters");
            self.known.problems.push(self.file.problem(at, 1, message));
        } else if kind == PhraseKind::Route && first && !self.known.pools.contains(text) {
            let pools = self.known.pools.iter().map(String::as_str);
            let hint = match nearest(text, pools.clone()) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => format!("pools there: {}", pools.collect::<Vec<_>>().join(", ")),
            };
            let message = format!("there is no pool \"{text}\" in reps.toml");
            let problem = self.file.problem(at, width, message).hint(hint);
            self.known.problems.push(problem);
        }
    }

    fn expr(&mut self, expr: &mut Expr) {
        if let Some(list) = self.constant_list(expr, false) {
            *expr = list;
            return;
        }
        match expr {
            Expr::Custom(custom, _) => custom.inputs.iter_mut().for_each(|e| self.expr(e)),
            Expr::FnCall(call, _) | Expr::MethodCall(call, _) => self.call(call),
            Expr::Dot(pair, ..) | Expr::Index(pair, ..) => {
                self.expr(&mut pair.lhs);
                self.expr(&mut pair.rhs);
            }
            Expr::And(all, _) | Expr::Or(all, _) | Expr::Coalesce(all, _) => {
                all.iter_mut().for_each(|e| self.expr(e));
            }
            Expr::Array(items, _) => items.iter_mut().for_each(|e| self.expr(e)),
            _ => {}
        }
    }

    /// `x in [..]` is a call of `contains`; there and in questions of texts a written list is a set.
    fn call(&mut self, call: &mut FnCallExpr) {
        let ours = words::is_function(&call.name) || call.name == "contains";
        if ours && !self.known.names.defines(&call.name) {
            // Otherwise the engine looks twice for a function in the rules, for every lead.
            call.hashes = FnCallHashes::from_native_only(call.hashes.native());
        }
        let takes_set = match (call.name.as_str(), call.args.len()) {
            ("contains", 2) | ("contains" | "starts_with" | "ends_with" | "mentions", 1) => 0,
            ("starts_with" | "ends_with" | "mentions", 2) => 1,
            _ => usize::MAX,
        };
        for (at, arg) in call.args.iter_mut().enumerate() {
            match self.constant_list(arg, at == takes_set) {
                Some(list) => *arg = list,
                None => self.expr(arg),
            }
        }
    }

    fn constant_list(&self, expr: &Expr, written: bool) -> Option<Expr> {
        let (list, at) = match expr {
            Expr::FnCall(call, at) if call.name == "list" => match call.args.as_slice() {
                [Expr::StringConstant(name, _)] => {
                    (self.known.lists.get(name.as_str())?.clone(), *at)
                }
                _ => return None,
            },
            Expr::Array(items, at) if written => {
                let texts: Option<Vec<&str>> = items.iter().map(text_of).collect();
                (List::of(texts?), *at)
            }
            _ => return None,
        };
        Some(Expr::DynamicConstant(Box::new(Dynamic::from(list)), at))
    }
}

fn text_of(expr: &Expr) -> Option<&str> {
    if let Expr::StringConstant(text, _) = expr {
        return Some(text.as_str());
    }
    None
}

/// The grades in the order of their lines, each once.
pub(super) fn grades(phrases: &[Phrase]) -> Vec<String> {
    let mut grades: Vec<String> = Vec::new();
    for phrase in phrases.iter().filter(|p| p.kind == PhraseKind::Grade) {
        if !grades.contains(&phrase.label) {
            grades.push(phrase.label.clone());
        }
    }
    grades
}

/// The words of all phrases.
pub(super) fn phrase_words() -> impl Iterator<Item = &'static str> {
    phrases::ALL.iter().map(|(_, word)| *word)
}
