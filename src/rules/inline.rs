//! What a condition may name besides the words, and still be reckoned without the engine: functions
//! whose body is one expression, and variables that are set once. Knows no lead.

use std::collections::BTreeMap;

use rhai::{AST, ASTNode, Expr, ImmutableString, Stmt};

use super::quick::Typed;

/// By name and number of things taken.
pub(super) type Functions = BTreeMap<(String, usize), Function>;
/// What a name stands for.
pub(super) type Variables = BTreeMap<String, Typed>;

/// A function of one expression.
#[derive(Clone)]
pub(super) struct Function {
    pub(super) takes: Vec<ImmutableString>,
    pub(super) gives: Expr,
}

/// The functions of one expression in a file. The engine shows a function's body only to who walks the
/// file, so what stands in it is told by its place.
pub(super) fn functions(ast: &AST) -> impl Iterator<Item = ((String, usize), Function)> {
    let mut statements: Vec<Stmt> = Vec::new();
    ast.walk(&mut |path: &[ASTNode<'_>]| {
        if let [ASTNode::Stmt(statement)] = path {
            statements.push((*statement).clone());
        }
        true
    });
    ast.iter_fn_def().filter_map(move |function| {
        let body = function.body.start_position()..=function.body.end_position();
        let mut within = statements.iter().filter(|s| body.contains(&s.position()));
        let (Some(Stmt::Expr(gives)), None) = (within.next(), within.next()) else {
            return None;
        };
        let takes: Vec<ImmutableString> = function.params.iter().cloned().collect();
        let key = (function.name.to_string(), takes.len());
        let gives = (**gives).clone();
        Some((key, Function { takes, gives }))
    })
}

/// Whether every variable of a file is set once and keeps what it was set to.
pub(super) fn keeps_variables(ast: &AST) -> bool {
    let (mut names, mut keeps) = (Vec::new(), true);
    ast.walk(&mut |path: &[ASTNode<'_>]| {
        match path.last() {
            Some(ASTNode::Stmt(Stmt::Var(var, ..))) => {
                keeps &= !names.contains(&var.0.name);
                names.push(var.0.name.clone());
            }
            Some(ASTNode::Stmt(Stmt::Assignment(..) | Stmt::For(..))) => keeps = false,
            _ => {}
        }
        keeps
    });
    keeps
}
