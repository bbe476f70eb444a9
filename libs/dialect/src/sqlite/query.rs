//! Queries.

use pgtypes::SqlValue;

use crate::analysis::tree::{Body, CommonTable, Distinct, Expr, ExprKind, Query, Select};
use crate::sqlite::form::collation;
use crate::sqlite::names::output_names;
use crate::sqlite::{Printer, Result};

impl Printer<'_> {
    /// A query. `compared`: its rows are compared with those of another, so that its columns need their collations.
    pub(crate) fn query(&mut self, query: &Query, compared: bool) -> Result {
        self.with(&query.with, query.recursive)?;
        if let (Body::Select(select), false) = (&query.body, query.locks.is_empty()) {
            return self.locking_query(query, select);
        }
        match &query.body {
            Body::Select(select) => {
                if let Distinct::On(keys) = &select.distinct {
                    return self.distinct_on(query, select, keys);
                }
                self.select(query, select, compared)?;
            }
            Body::Values(rows) => {
                // SQLite's VALUES takes no ORDER BY and no LIMIT.
                let sorted =
                    !query.order_by.is_empty() || query.limit.is_some() || query.offset.is_some();
                if sorted {
                    self.push("SELECT * FROM (");
                }
                self.values(rows)?;
                if sorted {
                    self.push(")");
                }
            }
            Body::SetOperation {
                operator,
                all,
                sides,
            } => self.set_operation(*operator, *all, sides)?,
        }
        self.tail(query)
    }

    /// WITH.
    pub(crate) fn with(&mut self, tables: &[CommonTable], recursive: bool) -> Result {
        if tables.is_empty() {
            return Ok(());
        }
        self.push(if recursive {
            "WITH RECURSIVE "
        } else {
            "WITH "
        });
        self.list(tables, ", ", |printer, table| {
            let (name, columns) = printer.names.common_table(table.id);
            let (name, columns) = (name.to_owned(), columns.to_vec());
            printer.name(&name);
            printer.push("(");
            printer.list(&columns, ", ", |printer, column| {
                printer.name(column);
                Ok(())
            })?;
            printer.push(") AS ");
            match table.materialized {
                Some(true) => printer.push("MATERIALIZED "),
                Some(false) => printer.push("NOT MATERIALIZED "),
                None => {}
            }
            printer.push("(");
            printer.query(&table.query, false)?;
            printer.push(")");
            Ok(())
        })?;
        self.push(" ");
        Ok(())
    }

    pub(crate) fn select(&mut self, query: &Query, select: &Select, compared: bool) -> Result {
        self.find_nullable(&select.from);
        self.push("SELECT ");
        let distinct = select.distinct == Distinct::Rows;
        if distinct {
            self.push("DISTINCT ");
        }
        self.targets(&select.targets, &output_names(query), compared || distinct)?;
        self.clauses(select)
    }

    /// The values of the result's columns with their names.
    pub(crate) fn targets(&mut self, targets: &[Expr], names: &[String], compared: bool) -> Result {
        if targets.is_empty() {
            // SQLite wants a column.
            self.push("NULL");
            return Ok(());
        }
        self.list(
            targets.iter().zip(names),
            ", ",
            |printer, (target, name)| {
                if let (ExprKind::Row(fields), false) = (&target.kind, compared) {
                    printer.row_text(fields)?;
                } else if compared {
                    printer.collated(target)?;
                } else {
                    printer.expr(target)?;
                }
                printer.push(" AS ");
                printer.name(name);
                Ok(())
            },
        )
    }

    /// FROM, WHERE, GROUP BY, HAVING.
    pub(crate) fn clauses(&mut self, select: &Select) -> Result {
        if !select.from.is_empty() {
            self.push(" FROM ");
            self.from(&select.from)?;
        }
        if let Some(filter) = &select.filter {
            self.push(" WHERE ");
            self.expr(filter)?;
        }
        if !select.group_by.is_empty() {
            self.push(" GROUP BY ");
            self.list(&select.group_by, ", ", |printer, key| match key.kind {
                // A constant would be taken for a column's number.
                ExprKind::Constant(SqlValue::Integer(_)) => {
                    printer.push("NULL");
                    Ok(())
                }
                _ => printer.collated(key),
            })?;
        }
        if let Some(having) = &select.having {
            self.push(" HAVING ");
            self.expr(having)?;
            if select.group_by.is_empty() {
                // SQLite knows by an aggregate that all rows are one group.
                self.push(" AND count(*) >= 0");
            }
        }
        Ok(())
    }

    /// VALUES; a column whose type has a collation gets it from the first row.
    pub(crate) fn values(&mut self, rows: &[Vec<Expr>]) -> Result {
        self.push("VALUES ");
        self.list(rows, ", ", |printer, row| {
            printer.push("(");
            printer.list(row, ", ", Self::expr)?;
            printer.push(")");
            Ok(())
        })
    }
}

/// Whether a query's columns need no collation of their own.
pub(crate) fn is_plainly_compared(query: &Query) -> bool {
    query
        .columns
        .iter()
        .all(|column| collation(column.ty.id).is_none())
}
