//! JSON documents: types json, whose text stays as it was written, and jsonb, whose does not.

mod parse;
mod print;
mod text;
mod token;

pub use crate::json::parse::{Node, Value, document};
pub use crate::json::print::{put_string, quoted};
pub use crate::json::text::Text;

use crate::json::parse::Build;
use crate::{Decimal, ValueError};

/// Longer numbers take the way that checks the bounds of numeric.
const MAX_PRINTED_BYTES: usize = 1000;

/// A document of type jsonb.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
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
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        parse::read(text)
    }

    /// The document that was read.
    pub fn of(node: &Node<'_>) -> Result<Self, ValueError> {
        Self::parse(node.text)
    }

    /// A number in its printed form.
    pub fn number(text: &str) -> Result<Self, ValueError> {
        let printed = text.len() <= MAX_PRINTED_BYTES
            && !text.contains(['e', 'E'])
            && text != "-0"
            && !text.starts_with("-0.");
        if printed {
            return Ok(Self::Number(text.to_owned()));
        }
        Ok(Self::Number(Decimal::parse(text)?.to_string()))
    }

    /// An object of members in any order; of those with one key, the last stays.
    pub fn object(mut members: Vec<(String, Self)>) -> Self {
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
    pub fn member(&self, key: &str) -> Option<&Self> {
        let Self::Object(members) = self else {
            return None;
        };
        let found = members.binary_search_by(|(known, _)| key_order(known, key));
        members.get(found.ok()?).map(|(_, value)| value)
    }

    /// Neither array nor object.
    pub const fn is_scalar(&self) -> bool {
        !matches!(self, Self::Array(_) | Self::Object(_))
    }
}

impl<'a> Build<'a> for Json {
    fn build(value: Value<'a, Self>, text: &'a str) -> Result<Self, ValueError> {
        Ok(match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(value),
            Value::Number => Self::number(text)?,
            Value::String(text) => Self::String(text.into_text()?),
            Value::Array(elements) => Self::Array(elements),
            Value::Object(members) => {
                let members = members
                    .into_iter()
                    .map(|(key, value)| Ok((key.into_text()?, value)));
                Self::object(members.collect::<Result<_, ValueError>>()?)
            }
        })
    }
}

/// Refuses what is not JSON.
pub fn check(text: &str) -> Result<(), ValueError> {
    parse::read::<()>(text)
}

/// Shorter keys come first, then it is their bytes that count.
pub fn key_order(a: &str, b: &str) -> std::cmp::Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Json;
    use crate::SqlState;

    fn printed(text: &str) -> String {
        Json::parse(text).unwrap().to_string()
    }

    /// Texts of PostgreSQL 15.
    #[test]
    fn documents_are_printed_in_one_form() {
        for (text, form) in [
            (
                r#"{"b":1,"a":2,"b":3,"aa":[1.50,1e3,-0,-0.0,1E-2]}"#,
                r#"{"a": 2, "b": 3, "aa": [1.50, 1000, 0, 0.0, 0.01]}"#,
            ),
            (r#""\/\u00e9\u001f\u007f\t""#, "\"/é\\u001f\u{7f}\\t\""),
            (r#""\ud83d\ude00""#, "\"😀\""),
            (" [ ] ", "[]"),
            ("{ }", "{}"),
            ("null", "null"),
            (r#"{"é":1,"zz":2,"a":3}"#, r#"{"a": 3, "zz": 2, "é": 1}"#),
        ] {
            assert_eq!(printed(text), form, "{text}");
            assert_eq!(printed(form), form);
        }
    }

    #[test]
    fn what_no_text_can_hold_is_refused() {
        for (text, sqlstate, detail) in [
            (
                r#""\u0000""#,
                SqlState::UNTRANSLATABLE_CHARACTER,
                "\\u0000 cannot be converted to text.",
            ),
            (
                r#""\ud83dx""#,
                SqlState::INVALID_TEXT_REPRESENTATION,
                "Unicode low surrogate must follow a high surrogate.",
            ),
            (
                r#"{"\ude00":1}"#,
                SqlState::INVALID_TEXT_REPRESENTATION,
                "Unicode low surrogate must follow a high surrogate.",
            ),
            (
                r#""\ud83d\ud83d""#,
                SqlState::INVALID_TEXT_REPRESENTATION,
                "Unicode high surrogate must not follow a high surrogate.",
            ),
        ] {
            let error = Json::parse(text).unwrap_err();
            assert_eq!(error.sqlstate, sqlstate, "{text}");
            assert_eq!(error.detail.as_deref(), Some(detail), "{text}");
        }
        let error = Json::parse("[1e200000]").unwrap_err();
        assert_eq!(error.message, "value overflows numeric format");
    }

    proptest! {
        #[test]
        fn any_text_survives(text: String) {
            prop_assume!(!text.contains('\0'));
            let quoted = super::quoted(&text);
            prop_assert_eq!(Json::parse(&quoted).unwrap(), Json::String(text));
        }

        #[test]
        fn the_printed_form_is_stable(text in "[\\[\\]{}\":,a0-9.eE -]{0,24}") {
            if let Ok(json) = Json::parse(&text) {
                let printed = json.to_string();
                prop_assert_eq!(Json::parse(&printed).unwrap().to_string(), printed);
            }
        }
    }
}
