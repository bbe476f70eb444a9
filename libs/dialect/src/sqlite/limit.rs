//! LIMIT and OFFSET.

use pgtypes::SqlValue;

use crate::analysis::tree::{Expr, ExprKind, Query};
use crate::catalog::{Type, TypeId};
use crate::sqlite::names::output_names;
use crate::sqlite::{Printer, Result};
use crate::syntax::ast::Position;

impl Printer<'_> {
    /// LIMIT and OFFSET.
    pub(crate) fn limits(&mut self, query: &Query) -> Result {
        if query.limit.is_none() && query.offset.is_none() {
            return Ok(());
        }
        self.push(" LIMIT ");
        match &query.limit {
            // SQLite's way to say that there is none.
            None => self.push("-1"),
            Some(limit) => self.row_count(limit, "pg_limit", "-1")?,
        }
        if let Some(offset) = &query.offset {
            self.push(" OFFSET ");
            self.row_count(offset, "pg_offset", "0")?;
        }
        Ok(())
    }

    /// A number of rows; NULL is no limit, and a negative number an error.
    fn row_count(&mut self, value: &Expr, check: &str, null: &str) -> Result {
        match &value.kind {
            ExprKind::Constant(SqlValue::Integer(number)) if *number >= 0 => {
                self.push(&number.to_string());
                Ok(())
            }
            ExprKind::Constant(SqlValue::Null) => {
                self.push(null);
                Ok(())
            }
            _ => {
                self.push(check);
                self.push("(");
                self.expr(value)?;
                self.push(")");
                Ok(())
            }
        }
    }

    /// A query whose LIMIT or OFFSET reads a column of a query around it, of which SQLite does not know there: its rows
    /// are counted, and the condition is about their numbers.
    pub(crate) fn counted_rows(&mut self, query: &Query, compared: bool) -> Result {
        let names = output_names(query);
        let mut number = "#".to_owned();
        while names.contains(&number) {
            number.push('#');
        }
        self.push("SELECT ");
        self.list(&names, ", ", |printer, name| {
            printer.name(name);
            Ok(())
        })?;
        self.push(" FROM (SELECT *, row_number() OVER () AS ");
        self.name(&number);
        self.push(" FROM (");
        // With a limit that is none SQLite keeps the order.
        let none = ExprKind::Constant(SqlValue::Null);
        let all = Query {
            limit: Some(Expr::new(
                Type::new(TypeId::INT8),
                none,
                Position::default(),
            )),
            offset: None,
            ..query.clone()
        };
        self.query(&all, compared)?;
        self.push(")) WHERE ");
        self.name(&number);
        self.push(" > ");
        self.offset_of(query)?;
        if let Some(limit) = &query.limit {
            self.push(" AND (");
            self.row_count(limit, "pg_limit", "-1")?;
            self.push(" < 0 OR ");
            self.name(&number);
            self.push(" - ");
            self.offset_of(query)?;
            self.push(" <= ");
            self.row_count(limit, "pg_limit", "-1")?;
            self.push(")");
        }
        self.push(" ORDER BY ");
        self.name(&number);
        Ok(())
    }

    fn offset_of(&mut self, query: &Query) -> Result {
        if let Some(offset) = &query.offset {
            return self.row_count(offset, "pg_offset", "0");
        }
        self.push("0");
        Ok(())
    }
}

/// Whether LIMIT or OFFSET reads a column, which is one of a query around it.
pub(crate) fn is_counted(query: &Query) -> bool {
    query.limit.iter().chain(&query.offset).any(reads_column)
}

fn reads_column(value: &Expr) -> bool {
    let mut found = matches!(value.kind, ExprKind::Column(_));
    value.each_part(&mut |part| found |= reads_column(part));
    found
}
