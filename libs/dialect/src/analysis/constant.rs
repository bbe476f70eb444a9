//! Literals: a text becomes a value of its type, in the form in which the type is stored.

use pgtypes::{Format, SqlState, SqlValue, decode_in};

use crate::analysis::Analyzer;
use crate::analysis::tree::{Expr, ExprKind};
use crate::catalog::{Type, TypeId};
use crate::error::DialectError;
use crate::pg_catalog;
use crate::syntax::ast::Position;

impl Analyzer<'_> {
    /// The value of a literal of this type, without a modifier.
    pub(crate) fn input(
        &mut self,
        text: &str,
        ty: Type,
        at: Position,
    ) -> Result<Expr, DialectError> {
        if ty.id == TypeId::REGTYPE {
            return self.type_by_text(text, ty, at);
        }
        if ty.id.is_enum() {
            return self.label(text, ty, at);
        }
        if ty.id == TypeId::JSONPATH {
            let path = functions::jsonpath_text(text)
                .map_err(|error| DialectError::from(error).at(self.sql, at.0 as usize))?;
            return Ok(Expr::new(ty, ExprKind::Constant(SqlValue::Text(path)), at));
        }
        if ty.id.is_composite() {
            return self.row_of_text(text, ty, at);
        }
        if ty.id.element().is_some_and(TypeId::is_composite) {
            return self.rows_of_text(text, ty, at);
        }
        if names_an_object(ty.id) || reads_by_modifier(ty) {
            let text = Expr::text(text, at);
            return Ok(Expr::new(ty, ExprKind::ViaText(Box::new(text)), at));
        }
        let Some(pg) = ty.result_type().filter(|_| ty.id != TypeId::RECORD) else {
            return Err(self.unsupported(at, format!("type {}", ty.id.name())));
        };
        let value = decode_in(text.as_bytes(), &pg, Format::Text, &self.context)
            .map_err(|error| DialectError::from(error).at(self.sql, at.0 as usize))?;
        Ok(Expr::new(ty, ExprKind::Constant(value), at))
    }

    /// A value of an enum by its label.
    fn label(&self, text: &str, ty: Type, at: Position) -> Result<Expr, DialectError> {
        let types = self.schema.user_types();
        let own = types.iter().find(|known| known.id() == ty.id);
        let Some(label) = own.and_then(|own| own.label(text)) else {
            let name = ty.id.name();
            let message = format!("invalid input value for enum {name}: \"{text}\"");
            return Err(self.error(at, SqlState::INVALID_TEXT_REPRESENTATION, message));
        };
        let kind = ExprKind::Label {
            text: label.text.clone(),
            value: label.stored(),
        };
        Ok(Expr::new(ty, kind, at))
    }

    /// The number of a type by its name or its digits.
    fn type_by_text(&self, text: &str, ty: Type, at: Position) -> Result<Expr, DialectError> {
        let number = match text {
            "-" => 0,
            _ => match text.parse() {
                Ok(number) => number,
                Err(_) => pg_catalog::type_number(text, &self.schema.user_types())
                    .map_err(|error| error.at(self.sql, at.0 as usize))?,
            },
        };
        let number = ExprKind::Constant(SqlValue::Integer(number.into()));
        Ok(Expr::new(ty, number, at))
    }
}

/// An interval's fields say how its text is read, which is not for `decode_in` to know.
fn reads_by_modifier(ty: Type) -> bool {
    ty.id == TypeId::INTERVAL && ty.typmod >= 0
}

/// Types whose input looks a name up, which is done when the statement runs.
fn names_an_object(id: TypeId) -> bool {
    matches!(
        id,
        TypeId::REGCLASS | TypeId::REGPROC | TypeId::REGNAMESPACE | TypeId::REGROLE
    )
}
