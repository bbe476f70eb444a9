//! Constants.

use pgtypes::{PgType, SqlValue, SqlValueRef, to_text};

use crate::analysis::tree::{Expr, ExprKind};
use crate::catalog::{Type, TypeId};
use crate::deparse::Writer;
use crate::literal::quote;

impl Writer<'_> {
    /// A constant, with its type where its text alone would be read as another.
    pub(super) fn constant(&mut self, value: &SqlValue, ty: Type, labelled: bool) {
        if value.is_null() {
            self.push("NULL");
            if labelled {
                self.label(ty);
            }
            return;
        }
        let text = match ty.pg_type() {
            Some(known) => to_text(value.as_ref(), &known),
            None => own_text(value.as_ref()),
        };
        let number = text.bytes().next().is_some_and(|c| c.is_ascii_digit());
        let needs_label = match ty.id {
            TypeId::BOOL => {
                self.push(if text == "t" { "true" } else { "false" });
                return;
            }
            TypeId::INT4 if number => {
                self.push(&text);
                return;
            }
            // Without a point it would be read as an integer.
            TypeId::NUMERIC if number && text.contains('.') => {
                self.push(&text);
                ty.typmod >= 0
            }
            _ => {
                self.push(&quote(&text));
                ty.id != TypeId::UNKNOWN
            }
        };
        if needs_label && labelled {
            self.label(ty);
        }
    }

    pub(super) fn label(&mut self, ty: Type) {
        self.push("::");
        let shown = self.type_name(ty);
        self.push(&shown);
    }
}

impl Writer<'_> {
    /// A type by the name that finds it.
    pub(super) fn type_name(&self, ty: Type) -> String {
        match (self.visible, ty.id.info()) {
            (Some(visible), Some(info)) if ty.id.is_enum() => visible.type_name(info.catalog_name),
            _ => ty.to_string(),
        }
    }
}

/// A value without a known type is stored as it is shown.
fn own_text(value: SqlValueRef<'_>) -> String {
    to_text(value, &PgType::Text)
}

/// The value of a constant.
pub(super) fn constant_of(value: &Expr) -> Option<&SqlValue> {
    match &value.kind {
        ExprKind::Constant(value) => Some(value),
        _ => None,
    }
}
