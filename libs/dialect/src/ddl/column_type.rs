//! The types of columns, as definitions write them.

use pgtypes::{Oid, Opaque, PgType, SqlState};

use crate::ddl::layout;
use crate::error::DialectError;
use crate::qualify;
use crate::translator::Translator;
use crate::user_type;

impl Translator<'_> {
    /// The PostgreSQL type in tokens `from..to`; `None` if there are none.
    pub(crate) fn declared_type(
        &self,
        from: usize,
        to: usize,
    ) -> Result<Option<PgType>, DialectError> {
        if from >= to {
            return Ok(None);
        }
        let text = self.src.slice(from, to);
        if let Some(end) = layout::element_end(self.src, from, to)? {
            return self.array_type(from, end);
        }
        let ty = PgType::parse(text);
        if ty == Some(PgType::Unknown) {
            let mut at = from.saturating_sub(1);
            while self.src.is_any(at, &["TYPE", "DATA", "SET"]) {
                at = at.saturating_sub(1);
            }
            let column = self.src.name(at).unwrap_or_default();
            let message = format!("column \"{column}\" has pseudo-type unknown");
            return Err(DialectError::new(
                SqlState::INVALID_TABLE_DEFINITION,
                message,
            ));
        }
        if let Some(PgType::Opaque(
            Opaque::Citext | Opaque::Xml | Opaque::Macaddr | Opaque::Money | Opaque::Jsonpath,
        )) = ty
        {
            return Err(self.src.unsupported(from, &format!("type {text}")));
        }
        if ty.as_ref().and_then(PgType::length) == Some(0) {
            let name = if matches!(ty, Some(PgType::Bpchar(_))) {
                "char"
            } else {
                "varchar"
            };
            let message = format!("length for type {name} must be at least 1");
            return Err(self
                .src
                .error(from, SqlState::INVALID_PARAMETER_VALUE, message));
        }
        let ty = match ty {
            Some(ty) => Some(ty),
            None => self.user_type(from, to)?,
        };
        let ty = ty.or_else(|| self.domain(from, to).map(|domain| domain.base));
        // SQLite's word for a column of no type.
        if ty.is_none() && !text.eq_ignore_ascii_case("any") {
            let bare = text.split('(').next().unwrap_or(text).trim();
            if crate::catalog::type_by_name(&bare.to_ascii_lowercase()).is_some()
                || bare.eq_ignore_ascii_case("bit varying")
            {
                return Err(self.src.unsupported(from, &format!("type {text}")));
            }
            let message = format!("type \"{text}\" does not exist");
            return Err(self.src.error(from, SqlState::UNDEFINED_OBJECT, message));
        }
        Ok(ty)
    }

    /// A user's type.
    fn user_type(&self, from: usize, to: usize) -> Result<Option<PgType>, DialectError> {
        let name = qualify::type_at(self.src, self.schema, from, to);
        let Some(found) = name.and_then(|name| user_type::find(self.schema, &name)) else {
            return Ok(None);
        };
        if found.composite.is_some() {
            let what = format!("a column or a domain of the composite type {}", found.name);
            return Err(self.src.unsupported(from, &what));
        }
        Ok(Some(PgType::Enum(Oid::new(found.oid))))
    }

    /// The type of arrays of the type in tokens `from..to`.
    fn array_type(&self, from: usize, to: usize) -> Result<Option<PgType>, DialectError> {
        let text = self.src.slice(from, to);
        let element = self.declared_type(from, to).map_err(|error| {
            if error.sqlstate == SqlState::UNDEFINED_OBJECT {
                let message = format!("type \"{text}[]\" does not exist");
                return self.src.error(from, SqlState::UNDEFINED_OBJECT, message);
            }
            error
        })?;
        let Some(element) = element else {
            return Err(self.src.syntax(from));
        };
        if self.domain(from, to).is_some() {
            return Err(self.src.unsupported(from, "an array of a domain"));
        }
        if text.to_ascii_lowercase().contains("serial") {
            let message = "array of serial is not implemented";
            return Err(self
                .src
                .error(from, SqlState::FEATURE_NOT_SUPPORTED, message));
        }
        match element.array() {
            Some(array) => Ok(Some(array)),
            None => Err(self.src.unsupported(from, &format!("type {text}[]"))),
        }
    }
}
