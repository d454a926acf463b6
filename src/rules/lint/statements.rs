//! What lint asks of statements: nothing sets what rules only read, and a condition is true or false.

use rhai::{Expr, Stmt};

use super::Reader;

/// Names that rules read and never set.
const FIXED: [&str; 4] = ["lead", "seen", "points", "graded"];

impl Reader<'_, '_> {
    pub(super) fn statement(&mut self, statement: &Stmt) {
        let fixed = |name: &str| FIXED.contains(&name).then(|| name.to_owned());
        let changed = match statement {
            Stmt::FnCall(call, at) => {
                self.call(call, *at);
                None
            }
            Stmt::Var(var, ..) => fixed(&var.0.name).map(|name| (name, var.0.pos)),
            Stmt::Assignment(pair) => match root(&pair.1.lhs) {
                Expr::Variable(variable, _, at) => fixed(&variable.1).map(|name| (name, *at)),
                _ => None,
            },
            Stmt::If(flow, _) | Stmt::While(flow, _) => {
                // What is within is reported as of any other expression of a statement.
                let before = self.lint.problems.len();
                let kind = self.expr(&flow.expr);
                self.lint.problems.truncate(before);
                self.yes_or_no(&flow.expr, kind);
                None
            }
            _ => None,
        };
        if let Some((name, at)) = changed {
            let message = format!("`{name}` can be read, not changed");
            let hint = match name.as_str() {
                "points" => "points are given by `score` lines",
                _ => "to compare, write `==`",
            };
            self.report(at, &name, message, Some(hint.to_owned()));
        }
    }
}

/// What stands at the beginning of `lead.city` and `lead["city"]`.
fn root(expr: &Expr) -> &Expr {
    match expr {
        Expr::Dot(pair, ..) | Expr::Index(pair, ..) => root(&pair.lhs),
        other => other,
    }
}
