//! FOR UPDATE and its kin: each row of the result is locked before LIMIT counts it.

use crate::analysis::tree::{Query, RowLock, Select, Source};
use crate::sqlite::names::output_names;
use crate::sqlite::{Printer, Result};
use crate::syntax::ast::{LockStrength, LockWait};

/// What the session locks a row by: `pg_lock_row(table, row number, strength, what to do about a locked one)`; false for
/// a row that is to be left out.
pub const LOCK_ROW: &str = "pg_lock_row";

impl Printer<'_> {
    /// `SELECT columns FROM (query with the numbers of its rows) WHERE pg_lock_row(…) LIMIT …`
    pub(crate) fn locking_query(&mut self, query: &Query, select: &Select) -> Result {
        let names = output_names(query);
        self.push("SELECT ");
        if names.is_empty() {
            self.push("NULL");
        }
        self.list(&names, ", ", |printer, name| {
            printer.name(name);
            Ok(())
        })?;
        self.push(" FROM (SELECT ");
        self.find_nullable(&select.from);
        self.targets(&select.targets, &names, false)?;
        for (number, lock) in query.locks.iter().enumerate() {
            self.push(", ");
            let alias = self.names.alias(lock.relation).to_owned();
            self.name(&alias);
            self.push(&format!(".rowid AS \"row {number}\""));
        }
        self.clauses(select)?;
        self.order(query)?;
        // With a limit of its own SQLite computes it as it stands, row by row.
        self.push(" LIMIT -1)");
        for (number, lock) in query.locks.iter().enumerate() {
            self.push(if number == 0 { " WHERE " } else { " AND " });
            self.lock_row(lock, number);
        }
        self.limits(query)
    }

    fn lock_row(&mut self, lock: &RowLock, number: usize) {
        let table = match self.relations.get(lock.relation.0).map(|r| &r.source) {
            Some(Source::Table { name, .. }) => name.clone(),
            _ => String::new(),
        };
        self.push(LOCK_ROW);
        self.push("(");
        self.text(&table);
        let strength = match lock.strength {
            LockStrength::KeyShare => 0,
            LockStrength::Share => 1,
            LockStrength::NoKeyUpdate => 2,
            LockStrength::Update => 3,
        };
        let wait = match lock.wait {
            LockWait::Block => 0,
            LockWait::Nowait => 1,
            LockWait::SkipLocked => 2,
        };
        self.push(&format!(", \"row {number}\", {strength}, {wait})"));
    }
}
