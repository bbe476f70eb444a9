//! DELETE.

use crate::analysis::Analyzer;
use crate::analysis::tree::Delete;
use crate::error::DialectError;
use crate::syntax::ast;

impl Analyzer<'_> {
    /// DELETE
    pub(crate) fn delete(&mut self, delete: &ast::Delete) -> Result<Delete, DialectError> {
        let (with, recursive) = self.with(delete.with.as_ref())?;
        let stored = self.target_table(&delete.table, "delete from")?;
        let table = self.enter_target(&stored, delete.alias.as_ref())?;
        let using = self.items_beside(&delete.using)?;
        let filter = self.row_filter(&delete.filter)?;
        let returning = self.returning(&delete.returning)?;
        Ok(Delete {
            with,
            recursive,
            table,
            using,
            filter,
            returning,
        })
    }
}
