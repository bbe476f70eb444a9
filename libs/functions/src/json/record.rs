//! `json_to_record` and its kin: members of objects as columns of given names and types.

use pgtypes::array::{Array, Element};
use pgtypes::json::{Json, Node, Value, document, quoted};
use pgtypes::{SqlState, SqlValueRef, ValueError};

use crate::arguments::{Answer, text, written};
use crate::error::{fail, invalid};
use crate::registry::Scalar;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_set_json_to_record", 2, |a| rows(a, "json_to_record")),
    Scalar::pure("pg_set_jsonb_to_record", 2, |a| rows(a, "jsonb_to_record")),
    Scalar::pure("pg_set_json_to_recordset", 2, |a| {
        rows(a, "json_to_recordset")
    }),
    Scalar::pure("pg_set_jsonb_to_recordset", 2, |a| {
        rows(a, "jsonb_to_recordset")
    }),
];

/// What a column takes.
#[derive(Clone, Copy)]
enum Kind {
    /// JSON as it is.
    Json,
    /// An array's text.
    Array,
    /// An array of JSON.
    JsonArray,
    /// A value's text.
    Text,
}

/// The columns: the names as they stand in an array, each behind the letter of its kind.
fn columns(text: &str) -> Result<Vec<(Kind, String)>, ValueError> {
    let columns = Array::parse(text)?.texts().into_iter().map(|column| {
        let kind = match column.as_bytes().first() {
            Some(b'j') => Kind::Json,
            Some(b'a') => Kind::Array,
            Some(b'J') => Kind::JsonArray,
            _ => Kind::Text,
        };
        (kind, column.get(1..).unwrap_or_default().to_owned())
    });
    Ok(columns.collect())
}

/// The rows as a JSON array of arrays of texts.
fn rows(arguments: &[SqlValueRef<'_>], function: &str) -> Answer {
    let columns = columns(text(arguments, 1)?)?;
    let document = document(text(arguments, 0)?)?;
    let is_set = function.ends_with("set");
    let objects = match document.value {
        Value::Array(elements) if is_set => elements,
        _ if is_set => {
            return invalid(format!("cannot call {function} on a non-array"));
        }
        _ => vec![document],
    };
    let binary = function.starts_with("jsonb");
    let mut out = Vec::with_capacity(objects.len());
    for object in objects {
        let Value::Object(members) = object.value else {
            return if is_set {
                invalid(format!(
                    "argument of {function} must be an array of objects"
                ))
            } else {
                invalid(format!("cannot call {function} on a scalar"))
            };
        };
        let mut found: Vec<Option<String>> = vec![None; columns.len()];
        for (key, value) in members {
            let key = key.into_text()?;
            let mut named = columns.iter().zip(&mut found);
            if let Some(((kind, name), place)) = named.find(|((_, name), _)| *name == key) {
                // Of members with one name the last counts.
                *place = shown(value, *kind, name, binary)?;
            }
        }
        let fields: Vec<String> = found
            .into_iter()
            .map(|field| field.map_or_else(|| "null".to_owned(), |text| quoted(&text)))
            .collect();
        out.push(format!("[{}]", fields.join(",")));
    }
    written(format!("[{}]", out.join(",")))
}

fn shown(
    node: Node<'_>,
    kind: Kind,
    name: &str,
    binary: bool,
) -> Result<Option<String>, ValueError> {
    if matches!(node.value, Value::Null) {
        return Ok(None);
    }
    match (kind, node.value) {
        (Kind::Text | Kind::Array | Kind::JsonArray, Value::String(text)) => {
            Ok(Some(text.into_text()?))
        }
        (Kind::Array, Value::Array(elements)) => {
            let array = Array::new(members(elements, binary)?);
            // Arrays of nothing are one.
            let any = array.leaves().next().is_some();
            Ok(Some(if any {
                array.to_string()
            } else {
                "{}".to_owned()
            }))
        }
        (Kind::JsonArray, Value::Array(elements)) => {
            let mut members = Vec::with_capacity(elements.len());
            for element in elements {
                members.push(match element.value {
                    Value::Null => Element::Null,
                    value => Element::Value(raw(element.text, value, binary)?),
                });
            }
            Ok(Some(Array::new(members).to_string()))
        }
        (Kind::Array | Kind::JsonArray, _) => Err(ValueError::new(
            SqlState::INVALID_TEXT_REPRESENTATION,
            "expected JSON array",
        )
        .with_hint(format!("See the value of key \"{name}\"."))),
        (_, value) => raw(node.text, value, binary).map(Some),
    }
}

/// JSON's own text.
fn raw<'a>(text: &'a str, value: Value<'a>, binary: bool) -> Result<String, ValueError> {
    if binary {
        return Ok(Json::of(&Node { value, text })?.to_string());
    }
    Ok(text.to_owned())
}

fn members(elements: Vec<Node<'_>>, binary: bool) -> Result<Vec<Element>, ValueError> {
    let mut out = Vec::with_capacity(elements.len());
    let mut lengths: Option<Option<usize>> = None;
    for element in elements {
        let (member, length) = match element.value {
            Value::Null => (Element::Null, None),
            Value::String(text) => (Element::Value(text.into_text()?), None),
            Value::Array(inner) => {
                let length = inner.len();
                (Element::Array(members(inner, binary)?), Some(length))
            }
            value => (Element::Value(raw(element.text, value, binary)?), None),
        };
        if *lengths.get_or_insert(length) != length {
            return fail(
                SqlState::INVALID_TEXT_REPRESENTATION,
                "malformed JSON array",
            );
        }
        out.push(member);
    }
    Ok(out)
}
