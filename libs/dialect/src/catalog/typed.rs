//! A type with its modifier.

use std::fmt;

use pgtypes::PgType;

use super::TypeId;
use super::modifier::with_modifier;

/// A type and its modifier: the length of `varchar(10)`, the digits of `numeric(10,2)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Type {
    /// The type.
    pub id: TypeId,
    /// The modifier, -1 for none.
    pub typmod: i32,
}

impl Type {
    /// A type without a modifier.
    pub const fn new(id: TypeId) -> Self {
        Self { id, typmod: -1 }
    }

    /// The type under which values go to a client, which an array or a row has, too.
    pub fn result_type(self) -> Option<PgType> {
        let composed = self.id.is_array() || self.id == TypeId::RECORD;
        let by_number =
            composed.then(|| PgType::Composed(pgtypes::Oid::new(self.id.get()), self.typmod));
        self.pg_type().or(by_number)
    }

    /// The type in which its values are kept; `None` for one without support.
    pub fn pg_type(self) -> Option<PgType> {
        self.id.pg_type(self.typmod)
    }
}

impl From<TypeId> for Type {
    fn from(id: TypeId) -> Self {
        Self::new(id)
    }
}

impl From<PgType> for Type {
    fn from(ty: PgType) -> Self {
        let id = match ty {
            PgType::Opaque(pgtypes::Opaque::Citext) => TypeId::CITEXT,
            _ => TypeId::new(ty.oid().get()),
        };
        Self {
            id,
            typmod: ty.typmod(),
        }
    }
}

/// As a column's type is shown. Messages name types without modifiers: [`TypeId::name`].
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&with_modifier(self.id, self.typmod))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_of_values_comes_back_with_its_modifier() {
        for ty in [
            PgType::Varchar(Some(10)),
            PgType::Int4,
            PgType::Timestamptz(Some(3)),
            PgType::Opaque(pgtypes::Opaque::Regclass),
            PgType::Numeric {
                precision: Some(10),
                scale: Some(2),
            },
        ] {
            assert_eq!(Type::from(ty).pg_type(), Some(ty));
        }
        assert_eq!(Type::new(TypeId::INT4_ARRAY).pg_type(), None);
    }

    #[test]
    fn types_are_shown_with_modifiers() {
        let ty = Type::from(PgType::Varchar(Some(10)));
        assert_eq!(ty.to_string(), "character varying(10)");
        assert_eq!(Type::new(TypeId::INT4).to_string(), "integer");
    }
}
