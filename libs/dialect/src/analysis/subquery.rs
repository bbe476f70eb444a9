//! Queries inside expressions.

use pgtypes::SqlState;

use crate::analysis::Analyzer;
use crate::analysis::scope::{Clause, Level};
use crate::analysis::tree::{Body, Expr, ExprKind, Output, Query};
use crate::catalog::{Type, TypeId};
use crate::error::DialectError;
use crate::syntax::ast::{self, Position};

impl Analyzer<'_> {
    /// A query one level deeper, with its unknown columns made text.
    pub(crate) fn subquery(&mut self, query: &ast::Query) -> Result<Query, DialectError> {
        self.at_next_level(query, Self::query)
    }

    /// Analyses a query one level deeper, by `analyze`.
    pub(crate) fn at_next_level(
        &mut self,
        query: &ast::Query,
        analyze: impl FnOnce(&mut Self, &ast::Query) -> Result<Query, DialectError>,
    ) -> Result<Query, DialectError> {
        self.levels.push(Level::default());
        let result = self.in_clause(Clause::Select, |analyzer| {
            analyzer.nested(query.at, |analyzer| analyze(analyzer, query))
        });
        self.levels.pop();
        result
    }

    /// EXISTS
    pub(crate) fn exists(
        &mut self,
        query: &ast::Query,
        at: Position,
    ) -> Result<Expr, DialectError> {
        let query = Box::new(self.subquery(query)?);
        Ok(Expr::boolean(ExprKind::Exists(query), at))
    }

    /// A query whose only column and row is a value.
    pub(crate) fn scalar_subquery(
        &mut self,
        query: &ast::Query,
        at: Position,
    ) -> Result<Expr, DialectError> {
        let query = self.subquery(query)?;
        let ty = self.only_column(&query, at)?;
        let single = self.gives_one_row(&query);
        let query = Box::new(query);
        Ok(Expr::new(ty, ExprKind::Subquery { query, single }, at))
    }

    /// ARRAY (SELECT …)
    pub(crate) fn array_query(
        &mut self,
        query: &ast::Query,
        at: Position,
    ) -> Result<Expr, DialectError> {
        let query = self.subquery(query)?;
        let element = self.only_column(&query, at)?.id;
        // Arrays make an array of one more dimension, whose type is the same.
        let own = Some(element).filter(|element| element.is_array());
        let ty = own.or_else(|| element.array()).ok_or_else(|| {
            self.error(
                at,
                SqlState::UNDEFINED_OBJECT,
                format!("could not find array type for data type {}", element.name()),
            )
        })?;
        Ok(Expr::new(
            Type::new(ty),
            ExprKind::ArrayQuery(Box::new(query)),
            at,
        ))
    }

    /// The type of the only column of a query that is a value.
    fn only_column(&self, query: &Query, at: Position) -> Result<Type, DialectError> {
        let message = match query.columns.as_slice() {
            [column] => return Ok(column.ty),
            [] => "subquery must return a column",
            _ => "subquery must return only one column",
        };
        Err(self.error(at, SqlState::SYNTAX_ERROR, message))
    }

    /// Converts the columns of a query, where they are not of these types yet.
    pub(crate) fn coerce_columns(
        &mut self,
        query: &mut Query,
        wanted: &[Type],
    ) -> Result<(), DialectError> {
        let fits = query
            .columns
            .iter()
            .zip(wanted)
            .all(|(column, wanted)| column.ty.id == wanted.id);
        if fits {
            return Ok(());
        }
        match &mut query.body {
            Body::Select(select) => self.coerce_row(&mut select.targets, wanted)?,
            Body::Values(rows) => {
                for row in rows {
                    self.coerce_row(row, wanted)?;
                }
            }
            Body::SetOperation { sides, .. } => {
                let [left, right] = sides.as_mut();
                self.coerce_columns(left, wanted)?;
                self.coerce_columns(right, wanted)?;
            }
        }
        for (column, wanted) in query.columns.iter_mut().zip(wanted) {
            if column.ty.id != wanted.id {
                *column = Output {
                    name: std::mem::take(&mut column.name),
                    ty: *wanted,
                };
            }
        }
        Ok(())
    }

    fn coerce_row(&mut self, row: &mut [Expr], wanted: &[Type]) -> Result<(), DialectError> {
        for (value, wanted) in row.iter_mut().zip(wanted) {
            if value.ty.id != wanted.id && wanted.id != TypeId::UNKNOWN {
                *value = self.coerce(value.clone(), wanted.id)?;
            }
        }
        Ok(())
    }
}
