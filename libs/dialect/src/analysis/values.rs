//! VALUES.

use pgtypes::SqlState;

use crate::analysis::Analyzer;
use crate::analysis::coerce::common_of;
use crate::analysis::scope::Clause;
use crate::analysis::select::plain;
use crate::analysis::tree::{Body, Expr, Output, Query};
use crate::catalog::Type;
use crate::error::DialectError;
use crate::syntax::ast;

impl Analyzer<'_> {
    /// VALUES as a query: each column of one type.
    pub(crate) fn values_query(
        &mut self,
        rows: &[Vec<ast::Expr>],
        query: &ast::Query,
    ) -> Result<Query, DialectError> {
        let rows = self.in_clause(Clause::Values, |analyzer| analyzer.rows(rows))?;
        let width = rows.first().map_or(0, Vec::len);
        let mut columns: Vec<Vec<Expr>> = vec![Vec::with_capacity(rows.len()); width];
        for row in rows {
            for (column, value) in columns.iter_mut().zip(row) {
                column.push(value);
            }
        }
        let mut outputs = Vec::with_capacity(width);
        let mut unified = Vec::with_capacity(width);
        for (index, column) in columns.into_iter().enumerate() {
            let column = self.unify(column, "VALUES")?;
            let ty = column
                .first()
                .map_or(Type::new(crate::catalog::TypeId::TEXT), |_| {
                    common_of(&column)
                });
            outputs.push(Output {
                name: format!("column{}", index + 1),
                ty,
            });
            unified.push(column.into_iter());
        }
        let mut rows = Vec::new();
        loop {
            let row: Vec<Expr> = unified.iter_mut().filter_map(Iterator::next).collect();
            if row.is_empty() {
                break;
            }
            rows.push(row);
        }
        let order_by = self.sort_outputs(&query.order_by, &outputs)?;
        Ok(plain(Body::Values(rows), outputs, order_by))
    }

    /// Rows of one length; DEFAULT is refused.
    fn rows(&mut self, rows: &[Vec<ast::Expr>]) -> Result<Vec<Vec<Expr>>, DialectError> {
        let width = rows.first().map_or(0, Vec::len);
        rows.iter()
            .map(|row| {
                if row.len() != width {
                    let at = row.first().map_or_else(Default::default, |value| value.at);
                    return Err(self.error(
                        at,
                        SqlState::SYNTAX_ERROR,
                        "VALUES lists must all be the same length",
                    ));
                }
                self.exprs(row)
            })
            .collect()
    }
}
