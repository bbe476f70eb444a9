//! Conversions: shown where they were written, and inside operators and calls.

use crate::analysis::tree::{Expr, ExprKind};
use crate::catalog::{Type, cast};
use crate::deparse::Writer;
use crate::deparse::constant::constant_of;

/// A conversion.
pub(super) struct Coercion<'a> {
    /// What is converted.
    pub(super) operand: &'a Expr,
    /// To what.
    pub(super) ty: Type,
    /// It was not written: it stands where its operand stands.
    pub(super) implicit: bool,
}

impl<'a> Coercion<'a> {
    /// The conversion that an expression is.
    pub(super) fn of(value: &'a Expr) -> Option<Self> {
        let operand = match &value.kind {
            ExprKind::Relabel(inner) | ExprKind::ViaText(inner) => inner,
            ExprKind::Call(call) => {
                let operand = call.arguments.first()?;
                let known = cast(operand.ty.id, value.ty.id)?;
                let function = known.function?;
                if function.oid != call.function.oid {
                    return None;
                }
                operand
            }
            _ => return None,
        };
        Some(Self {
            operand,
            ty: value.ty,
            implicit: operand.at == value.at,
        })
    }
}

impl Writer<'_> {
    /// `implicit`: conversions that were not written are shown, too.
    pub(super) fn coercion(&mut self, coercion: &Coercion<'_>, implicit: bool) {
        if coercion.implicit && !implicit {
            // PostgreSQL sees the operand as an argument, though of what is not shown.
            if self.pretty && Coercion::of(coercion.operand).is_none() {
                self.wrapped(coercion.operand, None);
            } else {
                self.expr(coercion.operand, false);
            }
            return;
        }
        // A length that a literal is cut to is shown behind the type of the literal.
        let operand = coercion.operand;
        if let Some(value) = constant_of(operand)
            && operand.ty.id == coercion.ty.id
        {
            self.constant(value, operand.ty, false);
            self.label(coercion.ty);
            return;
        }
        if self.pretty {
            self.wrapped(operand, None);
        } else {
            self.push("(");
            self.expr(operand, false);
            self.push(")");
        }
        self.label(coercion.ty);
    }
}
