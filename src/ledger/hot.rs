//! The statements of the commit path, kept at hand by the thread that writes: to look one up by its text
//! costs as much as to bind it.

use std::cell::RefCell;

use rusqlite::{CachedStatement, Connection, Params};

use super::{Fault, Tx};

/// A handful, each found by where its text stands in the program.
#[derive(Default)]
pub(super) struct Hot<'c>(RefCell<Vec<(&'static str, CachedStatement<'c>)>>);

impl<'c> Hot<'c> {
    fn execute(
        &self,
        conn: &'c Connection,
        sql: &'static str,
        args: impl Params,
    ) -> rusqlite::Result<usize> {
        let mut statements = self.0.borrow_mut();
        let known = statements
            .iter()
            .position(|(text, _)| std::ptr::eq(*text, sql));
        if let Some((_, statement)) = known.and_then(|at| statements.get_mut(at)) {
            return statement.execute(args);
        }
        let mut statement = conn.prepare_cached(sql)?;
        let changed = statement.execute(args)?;
        statements.push((sql, statement));
        Ok(changed)
    }
}

impl Tx<'_> {
    /// Runs what every lead runs; how many rows it changed.
    pub(super) fn run(&self, sql: &'static str, args: impl Params) -> Result<usize, Fault> {
        Ok(self.hot.execute(self.conn, sql, args)?)
    }
}
