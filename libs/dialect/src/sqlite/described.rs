//! What is told of a value without computing it: its type, its collation.

use pgtypes::SqlState;

use crate::analysis::tree::{Body, ColumnRef, Expr, ExprKind, Query, Source};
use crate::catalog::TypeId;
use crate::error::DialectError;
use crate::pg_catalog::identifier;
use crate::sqlite::{Printer, Result};

impl Printer<'_> {
    /// `COLLATION FOR (value)`
    pub(crate) fn collation_of(&mut self, value: &Expr) -> Result {
        let id = value.ty.id;
        // A literal has no type yet, and so no collation.
        if id == TypeId::UNKNOWN || matches!(value.kind, ExprKind::Unknown(_)) {
            self.push("NULL");
            return Ok(());
        }
        if id.category() != 'S' {
            let message = format!("collations are not supported by type {}", id.name());
            return Err(DialectError::new(SqlState::DATATYPE_MISMATCH, message));
        }
        let name = self.collation(value);
        let name = name.map_or_else(|| "\"default\"".to_owned(), |name| identifier(&name));
        self.instead(value, |printer| printer.text(&name))
    }

    /// The collation that a value has from what it is made of; `None`: that of its database.
    fn collation(&self, value: &Expr) -> Option<String> {
        match &value.kind {
            ExprKind::Collate { collation, .. } => {
                return Some(collation.clone()).filter(|name| name != "default");
            }
            ExprKind::Column(column) => {
                if let Some(name) = self.collation_of_column(*column) {
                    return Some(name);
                }
            }
            _ => {}
        }
        let mut found = None;
        value.each_part(&mut |part| {
            if found.is_none() && part.ty.id.category() == 'S' {
                found = self.collation(part);
            }
        });
        found.or_else(|| (value.ty.id == TypeId::NAME).then(|| "C".to_owned()))
    }

    /// What a column of a query in FROM has from that query.
    fn collation_of_column(&self, column: ColumnRef) -> Option<String> {
        let relations = self.relations;
        match &relations.get(column.relation.0)?.source {
            Source::Query(query) | Source::Lateral(query) => {
                self.collation(target(query, column.column)?)
            }
            _ => None,
        }
    }

    /// The number of a value's type.
    pub(crate) fn type_of(&mut self, value: &Expr) -> Result {
        let number = value.ty.id.get();
        self.instead(value, |printer| printer.push(&number.to_string()))
    }

    /// What is told of a value in its place. An aggregate stays, for it makes a group of all rows.
    fn instead(&mut self, value: &Expr, told: impl Fn(&mut Self)) -> Result {
        let mut aggregates = false;
        value.visit(&mut |part| aggregates |= matches!(part.kind, ExprKind::Aggregate(_)));
        if !aggregates {
            told(self);
            return Ok(());
        }
        self.push("CASE WHEN ");
        self.expr(value)?;
        self.push(" IS NULL THEN ");
        told(self);
        self.push(" ELSE ");
        told(self);
        self.push(" END");
        Ok(())
    }
}

/// The value of a query's column, where there is one.
fn target(query: &Query, column: usize) -> Option<&Expr> {
    match &query.body {
        Body::Select(select) => select.targets.get(column),
        Body::Values(_) | Body::SetOperation { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::NoSchema;

    #[test]
    fn a_collation_goes_through_functions_aggregates_and_queries() {
        for (value, name) in [
            ("pg_collation_for('a'::text)", "'\"default\"'"),
            (
                "pg_collation_for('a'::text COLLATE \"POSIX\" || 'b')",
                "'\"POSIX\"'",
            ),
            ("pg_collation_for('a'::name)", "'\"C\"'"),
            (
                "pg_collation_for(x) FROM (SELECT 'a'::text COLLATE ucs_basic AS x) s",
                "'ucs_basic'",
            ),
            (
                "pg_collation_for(percentile_disc(1) WITHIN GROUP (ORDER BY x COLLATE \"POSIX\")) FROM (VALUES ('a')) v(x)",
                "THEN '\"POSIX\"' ELSE '\"POSIX\"' END",
            ),
            (
                "pg_collation_for(CASE WHEN 'a'::text COLLATE \"C\" = 'b' THEN 'x'::text END)",
                "'\"default\"'",
            ),
        ] {
            let sql = format!("SELECT {value}");
            let printed = crate::analyze(&sql, &NoSchema).unwrap().sqlite.concat();
            assert!(printed.contains(name), "{printed}");
        }
    }
}
