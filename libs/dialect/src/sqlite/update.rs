//! UPDATE.

use crate::analysis::tree::Update;
use crate::sqlite::{Printer, Result};

impl Printer<'_> {
    pub(crate) fn update(&mut self, update: &Update) -> Result {
        self.with(&update.with, update.recursive)?;
        self.push("UPDATE ");
        self.relation(update.table)?;
        self.push(" SET ");
        self.assignments(&update.assignments, update.table)?;
        if !update.from.is_empty() {
            self.push(" FROM ");
            self.items_beside_table(&update.from)?;
        }
        if let Some(filter) = &update.filter {
            self.push(" WHERE ");
            self.expr(filter)?;
        }
        self.returning(&update.returning, update.table, &update.from)
    }
}
