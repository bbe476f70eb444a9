//! DELETE.

use crate::analysis::tree::{Delete, Source};
use crate::sqlite::{Printer, Result};
use crate::syntax::ast::Position;

impl Printer<'_> {
    pub(crate) fn delete(&mut self, delete: &Delete) -> Result {
        self.with(&delete.with, delete.recursive)?;
        if delete.using.is_empty() {
            self.push("DELETE FROM ");
            self.relation(delete.table)?;
            self.push(" WHERE ");
            match &delete.filter {
                Some(filter) => self.expr(filter)?,
                // Else SQLite would throw the whole table away, and tell of no row.
                None => self.push("1"),
            }
            return self.returning(&delete.returning, delete.table, &[]);
        }
        self.delete_using(delete)
    }

    /// SQLite deletes from one table only: the rows are found by their numbers first.
    fn delete_using(&mut self, delete: &Delete) -> Result {
        let Some(Source::Table {
            schema,
            name,
            has_rowid,
        }) = self.relations.get(delete.table.0).map(|r| &r.source)
        else {
            return Ok(());
        };
        if !has_rowid {
            return Err(self.unsupported(
                Position::default(),
                "DELETE … USING from a table without row numbers",
            ));
        }
        self.push("DELETE FROM ");
        self.push(schema);
        self.push(".");
        self.name(name);
        self.push(" WHERE rowid IN (SELECT ");
        let alias = self.names.alias(delete.table).to_owned();
        self.name(&alias);
        self.push(".rowid FROM ");
        self.relation(delete.table)?;
        self.push(", ");
        self.items_beside_table(&delete.using)?;
        if let Some(filter) = &delete.filter {
            self.push(" WHERE ");
            self.expr(filter)?;
        }
        self.push(")");
        self.returning(&delete.returning, delete.table, &delete.using)
    }
}
