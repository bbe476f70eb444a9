//! Keys that take no NULL, where SQLite would take it for the wish to get a number.

use pgtypes::SqlValue;

use crate::analysis::Analyzer;
use crate::analysis::insert::select_from;
use crate::analysis::schema::Relation as Stored;
use crate::analysis::select::plain;
use crate::analysis::tree::{Body, ColumnRef, Distinct, Expr, ExprKind, Output, Query};
use crate::syntax::ast::Position;

impl Analyzer<'_> {
    /// Has the values of a column that is SQLite's rowid tested, also where an INSERT leaves it out.
    pub(crate) fn require_key(
        &mut self,
        mut columns: Vec<usize>,
        source: Option<Query>,
        stored: &Stored,
    ) -> (Vec<usize>, Option<Query>) {
        let Some(key) = stored.columns.iter().position(|column| column.rowid) else {
            return (columns, source);
        };
        if let Some(at) = columns.iter().position(|place| *place == key) {
            let source = source.map(|query| self.tested(query, at, key, stored));
            return (columns, source);
        }
        let Some(column) = stored.columns.get(key) else {
            return (columns, source);
        };
        columns.push(key);
        let output = Output {
            name: column.name.clone(),
            ty: column.ty,
        };
        let null = ExprKind::Constant(SqlValue::Null);
        let value = required(Expr::new(column.ty, null, Position::default()), key, stored);
        let source = match source {
            None => plain(Body::Values(vec![vec![value]]), vec![output], Vec::new()),
            Some(mut query) => {
                if let Body::Values(rows) = &mut query.body {
                    for row in rows {
                        row.push(value.clone());
                    }
                    query.columns.push(output);
                    query
                } else {
                    self.beside(query, vec![value], vec![output])
                }
            }
        };
        (columns, Some(source))
    }

    /// The rows of a query, of which a column is tested.
    fn tested(&mut self, mut query: Query, at: usize, key: usize, stored: &Stored) -> Query {
        match &mut query.body {
            Body::Values(rows) => {
                for value in rows.iter_mut().filter_map(|row| row.get_mut(at)) {
                    *value = required(value.clone(), key, stored);
                }
                return query;
            }
            Body::Select(select) if matches!(select.distinct, Distinct::No) => {
                if let Some(value) = select.targets.get_mut(at) {
                    *value = required(value.clone(), key, stored);
                }
                return query;
            }
            Body::Select(_) | Body::SetOperation { .. } => {}
        }
        let outputs = query.columns.clone();
        let (id, types) = self.as_relation(query);
        let targets = types.into_iter().enumerate().map(|(column, ty)| {
            let reference = ColumnRef {
                relation: id,
                column,
            };
            let value = Expr::new(ty, ExprKind::Column(reference), Position::default());
            if column == at {
                required(value, key, stored)
            } else {
                value
            }
        });
        select_from(id, targets.collect(), None, outputs)
    }
}

/// The value, tested if it is for SQLite's rowid and might be NULL.
pub(crate) fn required(value: Expr, place: usize, stored: &Stored) -> Expr {
    let Some(column) = stored.columns.get(place).filter(|column| column.rowid) else {
        return value;
    };
    let is_given = match &value.without_relabel().kind {
        ExprKind::Constant(value) => !matches!(value, SqlValue::Null),
        ExprKind::ColumnDefault(_) => true,
        _ => false,
    };
    if is_given {
        return value;
    }
    let (ty, at) = (value.ty, value.at);
    let kind = ExprKind::NotNull {
        operand: Box::new(value),
        column: column.name.clone(),
        table: stored.name.clone(),
    };
    Expr::new(ty, kind, at)
}
