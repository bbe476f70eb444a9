//! What is assigned to a column by INSERT and UPDATE.

use pgtypes::{SqlState, SqlValue};

use crate::analysis::Analyzer;
use crate::analysis::insert::always;
use crate::analysis::schema::{Generated, Relation as Stored};
use crate::analysis::scope::Clause;
use crate::analysis::tree::{Expr, ExprKind};
use crate::error::DialectError;
use crate::syntax::ast;

impl Analyzer<'_> {
    /// A value for a column, or its default.
    pub(crate) fn assigned(
        &mut self,
        value: &ast::Expr,
        target: usize,
        stored: &Stored,
        clause: Clause,
    ) -> Result<Expr, DialectError> {
        let value = self.given(value, target, stored, clause)?;
        self.converted_to(value, target, stored)
    }

    /// A value as it was written for a column.
    pub(crate) fn given(
        &mut self,
        value: &ast::Expr,
        target: usize,
        stored: &Stored,
        clause: Clause,
    ) -> Result<Expr, DialectError> {
        let Some(column) = stored.columns.get(target) else {
            return Err(self.unsupported(value.at, "this column"));
        };
        if value.kind == ast::ExprKind::Default {
            let kind = match &column.default {
                Some(text) => ExprKind::ColumnDefault(text.clone()),
                None => ExprKind::Constant(SqlValue::Null),
            };
            return Ok(Expr::new(column.ty, kind, value.at));
        }
        if column.generated == Generated::Computed {
            return Err(self.computed(&column.name, clause, value.at));
        }
        if column.generated == Generated::Always && clause == Clause::Update {
            let message = format!("column \"{}\" can only be updated to DEFAULT", column.name);
            return Err(
                DialectError::new(SqlState::GENERATED_ALWAYS, message).detail(always(&column.name))
            );
        }
        self.in_clause(clause, |analyzer| analyzer.expr(value))
    }

    pub(crate) fn converted_to(
        &mut self,
        value: Expr,
        target: usize,
        stored: &Stored,
    ) -> Result<Expr, DialectError> {
        match stored.columns.get(target) {
            Some(_) if matches!(value.kind, ExprKind::ColumnDefault(_)) => Ok(value),
            Some(column) => self.assign(value, &column.name, column.ty),
            None => Err(self.unsupported(value.at, "this column")),
        }
    }
}
