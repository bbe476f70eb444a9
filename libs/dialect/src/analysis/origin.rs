//! Which columns of a result are columns of tables, as they are: what drivers are told beside names and types.

use crate::analysis::deeper;
use crate::analysis::statement::Analyzed;
use crate::analysis::tree::{
    Body, ColumnRef, CommonTable, CommonTableId, Expr, ExprKind, Query, Relation, Source, Statement,
};

/// The column of a table or view that a column of a result is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The table or view.
    pub table: OriginTable,
    /// The number of its column, from 1.
    pub column: u16,
}

/// A table or view that a column comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OriginTable {
    /// One of the catalog, by its number.
    Catalog(u32),
    /// One of the database, by its name.
    Table(String),
    /// One of the session's own.
    Temporary(String),
}

impl Analyzed {
    /// Where each column of its result comes from; `None`: it is computed.
    pub(crate) fn origins(&self) -> Vec<Option<Origin>> {
        let mut finder = Finder {
            analyzed: self,
            with: Vec::new(),
        };
        match &self.statement {
            Statement::Query(query) => {
                let columns = 0..query.columns.len();
                columns.map(|at| finder.of_query(query, at)).collect()
            }
            Statement::Insert(insert) => finder.of_values(&insert.with, &insert.returning.values),
            Statement::Update(update) => finder.of_values(&update.with, &update.returning.values),
            Statement::Delete(delete) => finder.of_values(&delete.with, &delete.returning.values),
        }
    }
}

struct Finder<'a> {
    analyzed: &'a Analyzed,
    /// The common table expressions that are in sight.
    with: Vec<&'a CommonTable>,
}

impl<'a> Finder<'a> {
    fn of_values(&mut self, with: &'a [CommonTable], values: &'a [Expr]) -> Vec<Option<Origin>> {
        self.with.extend(with);
        values.iter().map(|value| self.of_value(value)).collect()
    }

    fn of_query(&mut self, query: &'a Query, at: usize) -> Option<Origin> {
        // What a set operation or VALUES gives is of no table.
        let Body::Select(select) = &query.body else {
            return None;
        };
        let before = self.with.len();
        self.with.extend(&query.with);
        let value = select.targets.get(at)?;
        let found = deeper(|| self.of_value(value));
        self.with.truncate(before);
        found
    }

    fn of_value(&mut self, value: &'a Expr) -> Option<Origin> {
        let ExprKind::Column(ColumnRef { relation, column }) = value.kind else {
            return None;
        };
        let relation: &'a Relation = self.analyzed.relations.get(relation.0)?;
        let origin = |table| {
            let column = u16::try_from(column + 1).ok()?;
            Some(Origin { table, column })
        };
        match &relation.source {
            Source::Table {
                schema: "temp",
                name,
                ..
            } => origin(OriginTable::Temporary(name.clone())),
            Source::Table { name, .. } => origin(OriginTable::Table(name.clone())),
            Source::Catalog { oid, .. } => origin(OriginTable::Catalog(*oid)),
            Source::Query(query) | Source::Lateral(query) => self.of_query(query, column),
            Source::CommonTable(id) => self.of_common_table(*id, column),
            Source::Function(_) | Source::Excluded => None,
        }
    }

    /// One that reads itself is a set operation.
    fn of_common_table(&mut self, id: CommonTableId, at: usize) -> Option<Origin> {
        let table = self.with.iter().rev().find(|table| table.id == id)?;
        self.of_query(&table.query, at)
    }
}
