//! INSERT.

use crate::analysis::tree::{
    Assignment, Body, Conflict, ConflictTarget, ConflictUpdate, ExprKind, FromItem, Insert, Query,
    RelationId, Returning, Source,
};
use crate::sqlite::shown::shown_values;
use crate::sqlite::{Printer, Result, fold};

/// What refuses a row that the statement itself has put in or changed: `pg_first_change(schema, table, row number)`.
pub const FIRST_CHANGE: &str = "pg_first_change";

/// Whether rows cannot meet each other, because there is one.
fn is_one_row(insert: &Insert) -> bool {
    match &insert.source {
        None => true,
        Some(query) => matches!(&query.body, Body::Values(rows) if rows.len() < 2),
    }
}

impl Printer<'_> {
    pub(crate) fn insert(&mut self, insert: &Insert) -> Result {
        if let Some(Body::Values(rows)) = insert.source.as_ref().map(|source| &source.body)
            && let Some(error) = rows.iter().flatten().find_map(fold::refused)
        {
            return Err(error);
        }
        self.with(&insert.with, insert.recursive)?;
        self.push("INSERT INTO ");
        self.relation(insert.table)?;
        match &insert.source {
            None => self.push(" DEFAULT VALUES"),
            Some(query) => {
                self.push(" (");
                self.list(&insert.columns, ", ", |printer, column| {
                    printer.column_name(insert.table, *column);
                    Ok(())
                })?;
                self.push(") ");
                match &query.body {
                    Body::Values(rows) if query.with.is_empty() => self.values(rows)?,
                    _ => {
                        // A FROM at the end would take ON CONFLICT for its own.
                        let wrap = insert.on_conflict.is_some();
                        if wrap {
                            self.push("SELECT * FROM (");
                        }
                        self.query(query, false)?;
                        if wrap {
                            self.push(") WHERE 1");
                        }
                    }
                }
            }
        }
        if let Some(conflict) = &insert.on_conflict {
            self.on_conflict(conflict, insert)?;
        }
        self.returning(&insert.returning, insert.table, &[])
    }

    fn on_conflict(&mut self, conflict: &Conflict, insert: &Insert) -> Result {
        let table = insert.table;
        self.push(" ON CONFLICT");
        self.unqualified = Some(table);
        if let Some(ConflictTarget { terms, filter }) = &conflict.target {
            // As the index has it.
            self.kept = true;
            self.push(" (");
            self.list(terms, ", ", Self::expr)?;
            self.push(")");
            if let Some(filter) = filter {
                self.push(" WHERE ");
                self.expr(filter)?;
            }
        }
        self.kept = false;
        self.unqualified = None;
        let Some(ConflictUpdate {
            assignments,
            filter,
        }) = &conflict.update
        else {
            self.push(" DO NOTHING");
            return Ok(());
        };
        self.push(" DO UPDATE SET ");
        self.assignments(assignments, table)?;
        let checked = !is_one_row(insert) && self.first_change(table);
        match (filter, checked) {
            (Some(filter), false) => self.wrapped(" WHERE ", filter, ""),
            // SQLite would leave the check out beside what is never true.
            (Some(filter), true) => self.wrapped(" THEN ", filter, " END"),
            (None, true) => {
                self.push(" THEN 1 END");
                Ok(())
            }
            (None, false) => Ok(()),
        }
    }

    /// ` WHERE CASE WHEN pg_first_change(…)`; false for a table whose rows have no numbers.
    fn first_change(&mut self, table: RelationId) -> bool {
        let source = self.relations.get(table.0).map(|relation| &relation.source);
        let Some(Source::Table {
            schema,
            name,
            has_rowid: true,
        }) = source
        else {
            return false;
        };
        self.push(&format!(" WHERE CASE WHEN {FIRST_CHANGE}('{schema}', "));
        let name = name.clone();
        self.text(&name);
        self.push(", ");
        let alias = self.names.alias(table).to_owned();
        self.name(&alias);
        self.push("._rowid_)");
        true
    }

    /// `"column" = value, …`
    pub(crate) fn assignments(&mut self, assignments: &[Assignment], table: RelationId) -> Result {
        self.list(assignments, ", ", |printer, assignment| match assignment {
            Assignment::One(column, value) => {
                printer.column_name(table, *column);
                printer.push(" = ");
                printer.expr(value)
            }
            Assignment::Several {
                columns,
                query,
                single,
            } => {
                printer.push("(");
                printer.list(columns, ", ", |printer, column| {
                    printer.column_name(table, *column);
                    Ok(())
                })?;
                printer.push(") = ");
                printer.row_subquery(query, *single)
            }
        })
    }

    /// RETURNING: SQLite knows the changed table's columns there, without a name before them, and not those of `others`.
    pub(crate) fn returning(
        &mut self,
        returning: &Returning,
        table: RelationId,
        others: &[FromItem],
    ) -> Result {
        if returning.values.is_empty() {
            return Ok(());
        }
        for value in &returning.values {
            let (mut foreign, mut reads) = (false, false);
            value.visit(&mut |expr| {
                if let ExprKind::Column(column) = expr.kind {
                    foreign |= others.iter().any(|other| other.has(column.relation));
                }
                expr.each_query(&mut |query| reads |= self.reads_tables(query));
            });
            if foreign {
                return Err(self.unsupported(value.at, "another table's column in RETURNING"));
            }
            // SQLite would show it what the statement has changed so far.
            if reads {
                return Err(self.unsupported(value.at, "a query of tables in RETURNING"));
            }
        }
        self.unqualified = Some(table);
        self.push(" RETURNING ");
        let names: Vec<String> = returning
            .columns
            .iter()
            .map(|column| column.name.clone())
            .collect();
        let result = self.targets(&shown_values(&returning.values), &names, false);
        self.unqualified = None;
        result
    }

    /// Whether a query reads what is no value of its own.
    fn reads_tables(&self, query: &Query) -> bool {
        if !query.with.is_empty() {
            return true;
        }
        match &query.body {
            Body::Select(select) => select.from.iter().any(|item| self.is_of_tables(item)),
            Body::Values(_) => false,
            Body::SetOperation { sides, .. } => sides.iter().any(|side| self.reads_tables(side)),
        }
    }

    fn is_of_tables(&self, item: &FromItem) -> bool {
        match item {
            FromItem::Join { sides, .. } => sides.iter().any(|side| self.is_of_tables(side)),
            FromItem::Relation(id) => match self.relations.get(id.0).map(|r| &r.source) {
                Some(Source::Query(query) | Source::Lateral(query)) => self.reads_tables(query),
                Some(Source::Function(_)) => false,
                _ => true,
            },
        }
    }

    /// A column's name alone.
    pub(crate) fn column_name(&mut self, table: RelationId, column: usize) {
        let name = self
            .relations
            .get(table.0)
            .and_then(|relation| relation.columns.get(column))
            .map_or_else(String::new, |column| column.stored_name.clone());
        self.name(&name);
    }
}
