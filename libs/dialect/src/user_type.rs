//! Types that users have made: enums. Each is a row of a table of the database; its values are numbers, its labels are
//! texts that belong to them.

use pgtypes::array::{Array, text_of};
use pgtypes::{PgType, SqlValue};

use crate::catalog::{TypeId, enter_enum};
use crate::literal::quote;
use crate::schema::SchemaView;

/// An enum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserType {
    /// Its name.
    pub name: String,
    /// Its number in `pg_type`.
    pub oid: u32,
    /// The values in their order.
    pub labels: Vec<Label>,
}

/// A value of an enum.
#[derive(Debug, Clone, PartialEq)]
pub struct Label {
    /// What is stored of it: where it stands among the others. One that comes between two later is between their numbers.
    pub position: f64,
    /// What is shown of it.
    pub text: String,
}

/// A position is a number that is finite, as [`UserType::read`] sees to.
impl Eq for Label {}

impl Label {
    /// The stored form.
    pub(crate) fn stored(&self) -> SqlValue {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "whole numbers of that size stay"
        )]
        let whole = self.position as i64;
        if self.position.fract() == 0.0 {
            SqlValue::Integer(whole)
        } else {
            SqlValue::Real(self.position)
        }
    }
}

impl UserType {
    /// The table.
    pub const TABLE: &'static str = "eloqdb_type";
    /// What reads it: name, number and definition.
    pub const READ: &'static str =
        "SELECT name, oid, definition FROM main.eloqdb_type ORDER BY name";
    /// What makes it.
    pub(crate) const CREATE: &'static str = "CREATE TABLE IF NOT EXISTS main.eloqdb_type (name TEXT NOT NULL PRIMARY KEY, \
        oid INTEGER NOT NULL UNIQUE, definition TEXT NOT NULL) WITHOUT ROWID";

    /// A type as its row says; `None` where the definition is none, or another database of this server has given its
    /// number to another name.
    pub fn read(name: &str, oid: u32, definition: &str) -> Option<Self> {
        let array = Array::parse(definition).ok()?;
        let texts = array.texts();
        let labels = texts.chunks_exact(2).map(|pair| match pair {
            [position, text] => Some(Label {
                position: position.parse().ok().filter(|p: &f64| p.is_finite())?,
                text: text.clone(),
            }),
            _ => None,
        });
        let labels = labels.collect::<Option<Vec<Label>>>()?;
        enter_enum(oid, name)?;
        Some(Self {
            name: name.to_owned(),
            oid,
            labels,
        })
    }

    /// How its row says what it is: position and label of each value.
    pub(crate) fn definition(&self) -> String {
        let parts: Vec<String> = self
            .labels
            .iter()
            .flat_map(|label| [label.position.to_string(), label.text.clone()])
            .collect();
        text_of(parts.iter().map(|part| Some(part.as_str())))
    }

    /// The type of its values.
    pub(crate) fn id(&self) -> TypeId {
        TypeId::new(self.oid)
    }

    /// The value of a label.
    pub(crate) fn label(&self, text: &str) -> Option<&Label> {
        self.labels.iter().find(|label| label.text == text)
    }
}

/// The definition of an enum as SQLite finds it when a statement runs.
pub(crate) fn definition_of(id: TypeId) -> String {
    format!(
        "(SELECT definition FROM main.eloqdb_type WHERE oid = {})",
        id.get()
    )
}

/// The value of a column for a parameter that COPY binds; a label becomes the number that is stored.
pub fn bound_place(ty: &PgType) -> String {
    let PgType::Enum(oid) = ty else {
        return "?".to_owned();
    };
    let id = TypeId::new(oid.get());
    format!(
        "pg_enum_in(?, {}, {})",
        definition_of(id),
        quote(&id.name())
    )
}

/// What a client sees of a column's value, as SQLite's text: of an enum the label.
pub fn shown_place(ty: &PgType, value: &str) -> String {
    let PgType::Enum(oid) = ty else {
        return value.to_owned();
    };
    let definition = definition_of(TypeId::new(oid.get()));
    format!("pg_enum_out({value}, {definition})")
}

/// The enum of that name.
pub(crate) fn find(schema: &dyn SchemaView, name: &str) -> Option<UserType> {
    let mut types = schema.user_types().into_iter();
    types.find(|known| known.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_is_read_back() {
        let definition = "{1,sad,1.5,\"so so\",2,\"a,\\\"b\\\"\"}";
        let mood = UserType::read("mood_read_back", 900_001, definition).unwrap();
        assert_eq!(mood.definition(), definition);
        assert_eq!(mood.label("so so").unwrap().stored(), SqlValue::Real(1.5));
        assert_eq!(mood.label("sad").unwrap().stored(), SqlValue::Integer(1));
        assert_eq!(mood.id().name(), "mood_read_back");
        // The same number for another name.
        assert_eq!(UserType::read("other", 900_001, definition), None);
        assert_eq!(UserType::read("mood_bad", 900_002, "{x,y}"), None);
        assert_eq!(UserType::read("mood_nan", 900_003, "{NaN,y}"), None);
    }
}
