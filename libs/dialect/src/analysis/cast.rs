//! Casts that were written.

use pgtypes::SqlState;

use crate::analysis::Analyzer;
use crate::analysis::coerce::with_modifier;
use crate::analysis::tree::{Expr, ExprKind};
use crate::catalog::coerce::Context;
use crate::catalog::{Type, TypeId};
use crate::error::DialectError;
use crate::syntax::ast::{self, Position, TypeName};

impl Analyzer<'_> {
    /// `operand::to`
    pub(crate) fn cast(
        &mut self,
        operand: &ast::Expr,
        to: &TypeName,
        at: Position,
    ) -> Result<Expr, DialectError> {
        if to.dimensions == 0
            && let Some(domain) = self.domain_named(to)
        {
            let value = self.cast_as(operand, Type::from(domain.base), at)?;
            return self.as_domain(value, &domain, at);
        }
        let ty = self.type_name(to)?;
        self.cast_as(operand, ty, at)
    }

    /// The same where the type is known.
    fn cast_as(
        &mut self,
        operand: &ast::Expr,
        ty: Type,
        at: Position,
    ) -> Result<Expr, DialectError> {
        if let (ast::ExprKind::Array(elements), Some(element)) = (&operand.kind, ty.id.element()) {
            let array = self.array_of(elements, element, operand.at)?;
            return Ok(with_modifier(array, ty, true));
        }
        let value = self.expr(operand)?;
        if matches!(value.kind, ExprKind::Unknown(_)) {
            let place = value.at;
            return self.literal_of(value, ty, place);
        }
        self.cast_to(value, ty, at)
    }

    /// A literal of the type that is written at it: `date '2024-01-31'`.
    fn literal_of(&mut self, value: Expr, ty: Type, at: Position) -> Result<Expr, DialectError> {
        let ExprKind::Unknown(text) = &value.kind else {
            return Ok(value);
        };
        let text = text.clone();
        // An interval's fields say how its text is read.
        if ty.id == TypeId::INTERVAL && ty.typmod >= 0 {
            return self.input(&text, ty, at);
        }
        let value = self.input(&text, Type::new(ty.id), at)?;
        Ok(with_modifier(value, ty, true))
    }

    /// An explicit conversion.
    pub(crate) fn cast_to(
        &mut self,
        value: Expr,
        ty: Type,
        at: Position,
    ) -> Result<Expr, DialectError> {
        let source = value.ty.id;
        if !ty.id.is_supported() && !ty.id.is_array() {
            return Err(self.unsupported(at, format!("type {}", ty.id.name())));
        }
        let value = match self.try_coerce(value, ty.id, Context::Explicit)? {
            // A call of the type itself is no cast.
            Some(value) if source == ty.id => value,
            Some(value) => explicit(value),
            None => return Err(self.cannot_cast(source, ty.id, at)),
        };
        let value = with_modifier(value, ty, true);
        if value.ty == ty {
            return Ok(Expr { at, ..value });
        }
        // A cast to a type without its modifier shows none.
        Ok(Expr::new(ty, ExprKind::Relabel(Box::new(value)), at))
    }

    /// 42846 or a value that the type takes without a loss, for a function call that is a cast.
    pub(crate) fn cast_by_name(
        &mut self,
        value: Expr,
        target: TypeId,
        at: Position,
    ) -> Result<Expr, DialectError> {
        if let ExprKind::Unknown(text) = &value.kind {
            let text = text.clone();
            return self.input(&text, Type::new(target), at);
        }
        self.cast_to(value, Type::new(target), at)
    }

    /// The type of a name, which must be one that values can have.
    pub(crate) fn type_name(&mut self, name: &TypeName) -> Result<Type, DialectError> {
        let ty = self.named_type(name)?;
        if ty.id.is_pseudo() {
            return Err(self.error(
                name.at,
                SqlState::FEATURE_NOT_SUPPORTED,
                format!("type {} is not supported here", ty.id.name()),
            ));
        }
        let base = ty.id.element().unwrap_or(ty.id);
        if !base.is_supported() {
            return Err(self.unsupported(name.at, format!("type {}", base.name())));
        }
        Ok(ty)
    }
}

/// A length coercion that is part of the cast function is told that the cast was written.
fn explicit(value: Expr) -> Expr {
    let Expr { ty, kind, at } = value;
    let kind = match kind {
        ExprKind::Call(mut call) => {
            if let (3, Some(last)) = (call.arguments.len(), call.arguments.last_mut()) {
                last.kind = ExprKind::Constant(pgtypes::SqlValue::Integer(1));
            }
            ExprKind::Call(call)
        }
        other => other,
    };
    Expr { ty, kind, at }
}
