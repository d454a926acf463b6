//! What would end a file before a line has decided: no line below would be asked, and a lead might be
//! left without a grade or a pool although the file ends with one for everybody.

use rhai::{AST, ASTFlags, ASTNode, Expr, Module, Position, Stmt};

use super::load::RuleFile;
use crate::problem::Problem;

const INSTEAD: &str =
    "the first line that applies ends the file; what it shall not apply to goes behind its `when`";

/// Every `return` outside of functions, and every `exit`.
pub(super) fn endings(file: &RuleFile<'_>, ast: &AST) -> Vec<Problem> {
    let mut found: Vec<(Position, &str)> = Vec::new();
    // Functions are left behind: there, `return` is how a value is given.
    AST::new(ast.statements().to_vec(), Module::new()).walk(&mut |path: &[ASTNode<'_>]| {
        if let Some(ASTNode::Stmt(Stmt::Return(_, flags, at))) = path.last()
            && !flags.contains(ASTFlags::BREAK)
        {
            found.push((*at, "return"));
        }
        true
    });
    ast.walk(&mut |path: &[ASTNode<'_>]| {
        if let Some(
            ASTNode::Stmt(Stmt::FnCall(call, at))
            | ASTNode::Expr(Expr::FnCall(call, at) | Expr::MethodCall(call, at)),
        ) = path.last()
            && call.name == "exit"
        {
            found.push((*at, "exit"));
        }
        true
    });
    let told = found.into_iter().map(|(at, word)| {
        let message = match word {
            "return" => "`return` cannot be used outside of a function",
            _ => "`exit` cannot be used in rules",
        };
        file.problem(at, word.len(), message).hint(INSTEAD)
    });
    told.collect()
}
