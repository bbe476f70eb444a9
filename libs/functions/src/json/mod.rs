//! JSON documents: types json, whose text stays as it was written, and jsonb, whose does not.

mod access;
mod assign;
mod build;
mod change;
mod contain;
pub(crate) mod parse;
pub(crate) mod print;
mod record;

pub(crate) use crate::json::parse::{Node, Value};
pub(crate) use crate::json::print::quoted;

use pgtypes::{Decimal, ValueError};

use crate::registry::Scalar;

/// The functions of JSON.
pub(crate) const FUNCTIONS: &[&[Scalar]] = &[
    access::FUNCTIONS,
    assign::FUNCTIONS,
    build::FUNCTIONS,
    change::FUNCTIONS,
    contain::FUNCTIONS,
    record::FUNCTIONS,
];

/// A document of type jsonb.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number as numeric prints it.
    Number(String),
    /// A text.
    String(String),
    /// Elements.
    Array(Vec<Json>),
    /// Members, ordered by the length of their keys and then by the keys; each key occurs once.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads a document.
    pub(crate) fn parse(text: &str) -> Result<Self, ValueError> {
        Self::of(parse::document(text)?)
    }

    /// The document that was read.
    pub(crate) fn of(node: Node<'_>) -> Result<Self, ValueError> {
        Ok(match node.value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(value),
            Value::Number => Self::number(node.text)?,
            Value::String(text) => Self::String(text.into_text()?),
            Value::Array(elements) => {
                let elements = elements.into_iter().map(Self::of);
                Self::Array(elements.collect::<Result<_, _>>()?)
            }
            Value::Object(members) => {
                let members = members
                    .into_iter()
                    .map(|(key, value)| Ok((key.into_text()?, Self::of(value)?)));
                Self::object(members.collect::<Result<_, ValueError>>()?)
            }
        })
    }

    /// A number in its printed form.
    pub(crate) fn number(text: &str) -> Result<Self, ValueError> {
        let printed = !text.contains(['e', 'E']) && text != "-0" && !text.starts_with("-0.");
        if printed {
            return Ok(Self::Number(text.to_owned()));
        }
        Ok(Self::Number(Decimal::parse(text)?.to_string()))
    }

    /// An object of members in any order; of those with one key, the last stays.
    pub(crate) fn object(mut members: Vec<(String, Self)>) -> Self {
        members.sort_by(|(a, _), (b, _)| key_order(a, b));
        // `dedup_by` keeps the first of equals: the later value is moved there.
        members.dedup_by(|(later_key, later), (key, value)| {
            let same = later_key == key;
            if same {
                std::mem::swap(value, later);
            }
            same
        });
        Self::Object(members)
    }

    /// The member of a key.
    pub(crate) fn member(&self, key: &str) -> Option<&Self> {
        let Self::Object(members) = self else {
            return None;
        };
        let found = members.binary_search_by(|(known, _)| key_order(known, key));
        members.get(found.ok()?).map(|(_, value)| value)
    }

    /// Neither array nor object.
    pub(crate) const fn is_scalar(&self) -> bool {
        !matches!(self, Self::Array(_) | Self::Object(_))
    }
}

/// Refuses what is not JSON.
pub(crate) fn check(text: &str) -> Result<(), ValueError> {
    parse::document(text).map(|_| ())
}

/// Shorter keys come first, then it is their bytes that count.
pub(crate) fn key_order(a: &str, b: &str) -> std::cmp::Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}
