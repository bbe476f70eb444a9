//! INSERT into parts of columns: `INSERT INTO t (a[1], a[2]) …`

use pgtypes::SqlValue;

use crate::analysis::Analyzer;
use crate::analysis::insert::select_from;
use crate::analysis::schema::Relation as Stored;
use crate::analysis::scope::Clause;
use crate::analysis::select::plain;
use crate::analysis::subscript::is_slice;
use crate::analysis::tree::{Body, ColumnRef, Expr, ExprKind, Output, Query};
use crate::error::DialectError;
use crate::syntax::ast::{self, AssignmentTarget};

/// Whether a part of a column is among the targets.
pub(crate) fn has_parts(columns: &[AssignmentTarget]) -> bool {
    columns.iter().any(|column| !column.subscripts.is_empty())
}

/// The columns of a row with the values that they have so far.
type Row = Vec<(usize, Expr)>;

impl Analyzer<'_> {
    /// Rows of VALUES, and the columns that they are for, each once.
    pub(crate) fn rows_of_parts(
        &mut self,
        columns: &[AssignmentTarget],
        places: &[usize],
        rows: &[Vec<ast::Expr>],
        stored: &Stored,
    ) -> Result<(Vec<usize>, Query), DialectError> {
        let mut targets = Vec::new();
        let mut result = Vec::with_capacity(rows.len());
        for row in rows {
            let mut made = Row::new();
            for ((value, target), place) in row.iter().zip(columns).zip(places) {
                if target.subscripts.is_empty() {
                    let value = self.assigned(value, *place, stored, Clause::Values)?;
                    made.push((*place, value));
                } else {
                    let value = self.part(target, value, *place, stored)?;
                    self.put_part(&mut made, (target, *place), value, stored)?;
                }
            }
            targets = made.iter().map(|(place, _)| *place).collect();
            result.push(made.into_iter().map(|(_, value)| value).collect());
        }
        let outputs = outputs(&targets, stored);
        Ok((targets, plain(Body::Values(result), outputs, Vec::new())))
    }

    /// The same of the rows of a query.
    pub(crate) fn query_of_parts(
        &mut self,
        columns: &[AssignmentTarget],
        places: &[usize],
        query: Query,
        stored: &Stored,
    ) -> Result<(Vec<usize>, Query), DialectError> {
        let at: Vec<_> = (0..places.len())
            .map(|index| query.column_at(index))
            .collect();
        let (relation, types) = self.as_relation(query);
        let mut made = Row::new();
        let given = types.into_iter().zip(at).enumerate();
        for ((target, place), (column, (ty, at))) in columns.iter().zip(places).zip(given) {
            let reference = ColumnRef { relation, column };
            let value = Expr::new(ty, ExprKind::Column(reference), at);
            if target.subscripts.is_empty() {
                let value = self.converted_to(value, *place, stored)?;
                made.push((*place, value));
                continue;
            }
            let Some(column) = stored.columns.get(*place) else {
                return Err(self.unsupported(at, "this column"));
            };
            let mut ty = column.ty;
            if let (Some(element), false) = (ty.id.element(), is_slice(&target.subscripts)) {
                ty.id = element;
            }
            let value = self.assign_part(value, &target.column, ty)?;
            self.put_part(&mut made, (target, *place), value, stored)?;
        }
        let targets: Vec<usize> = made.iter().map(|(place, _)| *place).collect();
        let values = made.into_iter().map(|(_, value)| value).collect();
        let outputs = outputs(&targets, stored);
        Ok((targets, select_from(relation, values, None, outputs)))
    }

    /// Puts a part into what its column has so far, which at first is NULL.
    fn put_part(
        &mut self,
        row: &mut Row,
        (target, place): (&AssignmentTarget, usize),
        value: Expr,
        stored: &Stored,
    ) -> Result<(), DialectError> {
        let Some(column) = stored.columns.get(place) else {
            return Err(self.unsupported(target.column.at, "this column"));
        };
        let before = row.iter().position(|(other, _)| *other == place);
        let whole = if let Some(before) = before {
            row.remove(before).1
        } else {
            let null = ExprKind::Constant(SqlValue::Null);
            Expr::new(column.ty, null, target.column.at)
        };
        let value = self.with_part(whole, &target.subscripts, value)?;
        row.insert(before.unwrap_or(row.len()), (place, value));
        Ok(())
    }
}

fn outputs(targets: &[usize], stored: &Stored) -> Vec<Output> {
    let columns = targets
        .iter()
        .filter_map(|target| stored.columns.get(*target));
    columns
        .map(|column| Output {
            name: column.name.clone(),
            ty: column.ty,
        })
        .collect()
}
