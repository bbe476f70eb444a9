//! Queries.

use crate::analysis::tree::{Body, CommonTable, Distinct, Expr, ExprKind, Query, Select};
use crate::sqlite::form::collation;
use crate::sqlite::limit::is_counted;
use crate::sqlite::names::output_names;
use crate::sqlite::{Printer, Result};

impl Printer<'_> {
    /// A query. `compared`: its rows are compared with those of another, so that its columns need their collations.
    pub(crate) fn query(&mut self, query: &Query, compared: bool) -> Result {
        self.nested += 1;
        let result = self.query_of(query, compared);
        self.nested -= 1;
        result
    }

    fn query_of(&mut self, query: &Query, compared: bool) -> Result {
        if is_counted(query) {
            return self.counted_rows(query, compared);
        }
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
            let changed = if recursive {
                printer.recursion(table)?
            } else {
                None
            };
            let Some(changed) = changed else {
                return printer.common_table(table, &table.query);
            };
            for inner in &changed.before {
                printer.common_table(inner, &inner.query)?;
                printer.push(", ");
            }
            printer.common_table(table, &changed.query)
        })?;
        self.push(" ");
        Ok(())
    }

    fn common_table(&mut self, table: &CommonTable, query: &Query) -> Result {
        let (name, columns) = self.names.common_table(table.id);
        let (name, columns) = (name.to_owned(), columns.to_vec());
        self.name(&name);
        self.push("(");
        self.list(&columns, ", ", |printer, column| {
            printer.name(column);
            Ok(())
        })?;
        self.push(") AS ");
        match table.materialized {
            Some(true) => self.push("MATERIALIZED "),
            Some(false) => self.push("NOT MATERIALIZED "),
            None => {}
        }
        self.push("(");
        self.query(query, false)?;
        self.push(")");
        Ok(())
    }

    pub(crate) fn select(&mut self, query: &Query, select: &Select, compared: bool) -> Result {
        self.find_nullable(&select.from);
        self.push("SELECT ");
        let distinct = select.distinct == Distinct::Rows;
        if distinct {
            self.push("DISTINCT ");
        }
        let one_group = select.grouped && select.group_by.is_empty();
        if one_group
            && !select
                .targets
                .iter()
                .any(|target| target.find_aggregate().is_some())
        {
            return self.one_group(query, select, compared || distinct);
        }
        self.targets(&select.targets, &output_names(query), compared || distinct)?;
        self.clauses(select)
    }

    /// SQLite knows only by an aggregate that all rows are one group: one that gives no value is put before the first.
    fn one_group(&mut self, query: &Query, select: &Select, compared: bool) -> Result {
        self.push("coalesce(nullif(count(*), count(*)), ");
        let names = output_names(query);
        let Some((first, rest)) = select.targets.split_first() else {
            self.push("NULL)");
            return self.clauses(select);
        };
        self.expr(first)?;
        self.push(")");
        if let (Some(collation), true) = (collation(first.ty.id), compared) {
            self.push(" COLLATE ");
            self.push(collation);
        }
        self.push(" AS ");
        self.name(names.first().map_or("c", String::as_str));
        if !rest.is_empty() {
            self.push(", ");
            self.targets(rest, names.get(1..).unwrap_or_default(), compared)?;
        }
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
                if let (ExprKind::Row { fields, .. }, false) = (&target.kind, compared) {
                    printer.row_text(fields)?;
                } else if compared {
                    printer.collated(target)?;
                } else {
                    let start = printer.out.len();
                    printer.expr(target)?;
                    printer.shield(target, start, printer.out.len());
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
            self.list(&select.group_by, ", ", Self::key)?;
        }
        if let Some(having) = &select.having {
            self.push(" HAVING ");
            self.expr(having)?;
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
