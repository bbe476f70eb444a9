//! Types that users have made: enums and composite types. Each is a row of a table of the database. The values of an enum
//! are numbers, its labels are texts that belong to them; the values of a composite type are texts of rows.

use pgtypes::array::{Array, text_of};
use pgtypes::{PgType, SqlValue};

use crate::catalog::{TypeId, enter_composite, enter_enum};
use crate::literal::quote;
use crate::schema::SchemaView;

/// An enum or a composite type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserType {
    /// Its name.
    pub name: String,
    /// Its number in `pg_type`.
    pub oid: u32,
    /// The values of an enum in their order.
    pub labels: Vec<Label>,
    /// What a composite type consists of; an enum has none.
    pub composite: Option<Composite>,
}

/// What a composite type consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composite {
    /// The number of the type of its arrays in `pg_type`.
    pub array: u32,
    /// Names of the fields, and their types as SQL.
    pub fields: Vec<(String, String)>,
}

/// What the definition of a composite type begins with: no number, as that of an enum does.
const COMPOSITE: &str = "composite";

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
        if let [COMPOSITE, number, fields @ ..] = texts
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .as_slice()
        {
            let number = number.parse().ok()?;
            let fields = fields.chunks_exact(2).filter_map(|pair| match pair {
                [field, ty] => Some(((*field).to_owned(), (*ty).to_owned())),
                _ => None,
            });
            enter_composite((oid, number), name)?;
            return Some(Self {
                name: name.to_owned(),
                oid,
                labels: Vec::new(),
                composite: Some(Composite {
                    array: number,
                    fields: fields.collect(),
                }),
            });
        }
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
            composite: None,
        })
    }

    /// How its row says what it is: position and label of each value, or name and type of each field.
    pub(crate) fn definition(&self) -> String {
        if let Some(composite) = &self.composite {
            let mut parts = vec![COMPOSITE.to_owned(), composite.array.to_string()];
            for (field, ty) in &composite.fields {
                parts.extend([field.clone(), ty.clone()]);
            }
            return text_of(parts.iter().map(|part| Some(part.as_str())));
        }
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

/// The type of that name.
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
        let definition = "{composite,900005,a,text,b,\"numeric(8,2)\"}";
        let pair = UserType::read("pair_read_back", 900_004, definition).unwrap();
        assert_eq!(pair.definition(), definition);
        assert_eq!(pair.composite.unwrap().fields[1].1, "numeric(8,2)");
        assert_eq!(TypeId::new(900_005).element(), Some(TypeId::new(900_004)));
    }
}
