//! The names that exist besides the vocabulary: functions of the engine, of the rule files, lists,
//! and keys of maps that rules write. Lint asks here before it calls a name unknown.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use rhai::{AST, ASTNode, Expr, Position};

use super::engine;
use super::lists::List;
use super::load::RuleFile;
use crate::problem::Problem;

/// Names with the numbers of things that they take.
type Functions = BTreeMap<String, BTreeSet<usize>>;

/// What the engine itself understands as a call.
const KEYWORDS: [(&str, usize); 9] = [
    ("print", 1),
    ("debug", 1),
    ("type_of", 1),
    ("Fn", 1),
    ("call", 1),
    ("call", 2),
    ("call", 3),
    ("curry", 2),
    ("is_shared", 1),
];

/// Functions and fields of the engine, fields without their receiver.
struct Native {
    functions: Functions,
    fields: BTreeSet<String>,
}

static NATIVE: LazyLock<Native> = LazyLock::new(|| {
    let mut native = Native {
        functions: Functions::new(),
        fields: BTreeSet::new(),
    };
    for signature in engine::build(&BTreeMap::new()).gen_fn_signatures(true) {
        let Some((name, rest)) = signature.split_once('(') else {
            continue;
        };
        match name.strip_prefix("get ").or(name.strip_prefix("get$")) {
            Some(field) => native.fields.insert(field.to_owned()),
            None => native.add(name, arguments(rest)),
        };
    }
    for (name, takes) in KEYWORDS {
        native.add(name, takes);
    }
    native
});

impl Native {
    fn add(&mut self, name: &str, takes: usize) -> bool {
        let counts = self.functions.entry(name.to_owned()).or_default();
        counts.insert(takes)
    }
}

/// Counts what stands in the parentheses of a signature, of which the first is already gone.
fn arguments(rest: &str) -> usize {
    let (mut depth, mut commas, mut any) = (0_i32, 0, false);
    for c in rest.chars() {
        match c {
            ')' | ']' if depth == 0 => break,
            '(' | '[' | '<' => depth += 1,
            ')' | ']' | '>' => depth -= 1,
            ',' if depth == 0 => commas += 1,
            _ => {}
        }
        any |= !c.is_whitespace();
    }
    usize::from(any) + commas
}

/// Every name of one rules folder.
pub(super) struct Names {
    functions: Functions,
    files: BTreeMap<String, String>,
    pub(super) lists: BTreeSet<String>,
    keys: BTreeSet<String>,
}

impl Names {
    /// Collects the names; two functions of the same name and kind are a problem.
    pub(super) fn of<'f>(
        files: impl Iterator<Item = (&'f RuleFile<'f>, &'f AST)>,
        lists: &BTreeMap<String, List>,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let mut names = Self {
            functions: Functions::new(),
            files: BTreeMap::new(),
            lists: lists.keys().cloned().collect(),
            keys: BTreeSet::new(),
        };
        for (file, ast) in files {
            for function in ast.iter_fn_def() {
                let name = function.name.to_string();
                let takes = function.params.len();
                let first = names
                    .functions
                    .entry(name.clone())
                    .or_default()
                    .insert(takes);
                let elsewhere = names.files.insert(name.clone(), file.name.to_owned());
                if let (false, Some(other)) = (first, elsewhere) {
                    let message = format!("the function `{name}` is also in {other}");
                    problems.push(file.problem(Position::NONE, 1, message));
                }
            }
            ast.walk(&mut |path: &[ASTNode<'_>]| {
                if let Some(ASTNode::Expr(Expr::Map(map, _))) = path.last() {
                    let keys = map.0.iter().map(|(key, _)| key.name.to_string());
                    names.keys.extend(keys);
                }
                true
            });
        }
        names
    }

    /// Adds functions that could not be read: who calls them has made no mistake.
    pub(super) fn also(&mut self, unread: &[(String, usize)]) {
        for (name, takes) in unread {
            let counts = self.functions.entry(name.clone()).or_default();
            counts.insert(*takes);
        }
    }

    /// In which file each function stands.
    pub(super) fn into_files(self) -> BTreeMap<String, String> {
        self.files
    }

    /// How many things `name` can take, whoever defines it; empty if nobody does.
    pub(super) fn takes(&self, name: &str) -> BTreeSet<usize> {
        let own = self.functions.get(name).into_iter().flatten();
        let native = NATIVE.functions.get(name).into_iter().flatten();
        own.chain(native).copied().collect()
    }

    /// Whether a rule file defines `name`.
    pub(super) fn defines(&self, name: &str) -> bool {
        self.functions.contains_key(name)
    }

    /// Whether a rule file defines `name` for so many things.
    pub(super) fn is_own(&self, name: &str, takes: usize) -> bool {
        self.functions.get(name).is_some_and(|t| t.contains(&takes))
    }

    /// Whether anything of the engine has this field.
    pub(super) fn is_field(&self, name: &str) -> bool {
        self.is_key(name) || NATIVE.fields.contains(name)
    }

    /// Whether a map in the rules has this key.
    pub(super) fn is_key(&self, name: &str) -> bool {
        self.keys.contains(name)
    }

    /// Functions that a person may have meant.
    pub(super) fn callable(&self) -> impl Iterator<Item = &str> {
        let native = NATIVE.functions.keys().filter(|name| {
            let first = name.chars().next();
            first.is_some_and(char::is_alphabetic)
        });
        self.functions.keys().chain(native).map(String::as_str)
    }
}
