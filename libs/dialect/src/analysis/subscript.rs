//! `a[i]`

use pgtypes::SqlState;

use crate::analysis::Analyzer;
use crate::analysis::tree::{Expr, ExprKind};
use crate::catalog::{Type, TypeId};
use crate::error::DialectError;
use crate::syntax::ast::{self, Position, Subscript};

impl Analyzer<'_> {
    /// An element of an array, or a member of a jsonb.
    pub(crate) fn subscript(
        &mut self,
        operand: &ast::Expr,
        index: &Subscript,
        at: Position,
    ) -> Result<Expr, DialectError> {
        let operand = self.resolved(operand)?;
        let id = operand.ty.id;
        let Subscript::Index(index) = index else {
            return Err(self.unsupported(at, "a slice of an array"));
        };
        let index = self.expr(index)?;
        if id == TypeId::JSONB {
            let whole = matches!(index.ty.id, TypeId::INT2 | TypeId::INT4 | TypeId::INT8);
            let name = if whole {
                "jsonb_array_element"
            } else {
                "jsonb_object_field"
            };
            let wanted = if whole { TypeId::INT4 } else { TypeId::TEXT };
            let index = self.coerce(index, wanted)?;
            return self.call_named(name, vec![operand, index], at);
        }
        let Some(element) = id.element() else {
            let message = format!(
                "cannot subscript type {} because it does not support subscripting",
                id.name()
            );
            return Err(self.error(at, SqlState::DATATYPE_MISMATCH, message));
        };
        if matches!(operand.kind, ExprKind::Element { .. }) {
            return Err(self.unsupported(at, "an element of an array of arrays"));
        }
        let index = self.coerce(index, TypeId::INT4)?;
        let kind = ExprKind::Element {
            array: Box::new(operand),
            index: Box::new(index),
        };
        Ok(Expr::new(Type::new(element), kind, at))
    }
}
