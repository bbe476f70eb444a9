//! UNION, INTERSECT, EXCEPT.

use pgtypes::SqlState;

use crate::analysis::Analyzer;
use crate::analysis::select::plain;
use crate::analysis::tree::{Body, Expr, ExprKind, Output, Query};
use crate::catalog::Type;
use crate::error::DialectError;
use crate::syntax::ast::{self, SetOperator};

impl Analyzer<'_> {
    pub(crate) fn set_operation(
        &mut self,
        operator: SetOperator,
        all: bool,
        sides: &[ast::Query; 2],
    ) -> Result<Query, DialectError> {
        let name = match operator {
            SetOperator::Union => "UNION",
            SetOperator::Intersect => "INTERSECT",
            SetOperator::Except => "EXCEPT",
        };
        let [left, right] = sides;
        let mut left = self.at_next_level(left, Self::open_query)?;
        let mut right = self.at_next_level(right, Self::open_query)?;
        if left.columns.len() != right.columns.len() {
            return Err(self.error(
                right.column_at(0),
                SqlState::SYNTAX_ERROR,
                format!("each {name} query must have the same number of columns"),
            ));
        }
        let columns = self.common_columns(&left, &right, name)?;
        let wanted: Vec<Type> = columns.iter().map(|column| column.ty).collect();
        self.coerce_columns(&mut left, &wanted)?;
        self.coerce_columns(&mut right, &wanted)?;
        if !all || operator != SetOperator::Union {
            for (index, column) in columns.iter().enumerate() {
                let at = left.column_at(index);
                self.must_equal(&Expr::new(
                    column.ty,
                    ExprKind::anonymous_row(Vec::new()),
                    at,
                ))?;
            }
        }
        let body = Body::SetOperation {
            operator,
            all,
            sides: Box::new([left, right]),
        };
        Ok(plain(body, columns, Vec::new()))
    }

    fn common_columns(
        &self,
        left: &Query,
        right: &Query,
        name: &str,
    ) -> Result<Vec<Output>, DialectError> {
        left.columns
            .iter()
            .zip(&right.columns)
            .enumerate()
            .map(|(index, (one, other))| {
                let place = |query: &Query, ty: Type| {
                    Expr::new(
                        ty,
                        ExprKind::anonymous_row(Vec::new()),
                        query.column_at(index),
                    )
                };
                let both = [place(left, one.ty), place(right, other.ty)];
                let id = self.common(&both, name)?;
                let ty = if one.ty == other.ty {
                    Type { id, ..one.ty }
                } else {
                    Type::new(id)
                };
                Ok(Output {
                    name: one.name.clone(),
                    ty,
                })
            })
            .collect()
    }
}
