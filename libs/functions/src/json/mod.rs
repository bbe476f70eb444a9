//! JSON documents: types json, whose text stays as it was written, and jsonb, whose does not.

mod access;
mod assign;
mod build;
mod change;
mod contain;
mod path;
mod record;

use pgtypes::ValueError;
use pgtypes::json::{Node, Value, document};

use crate::registry::Scalar;

pub use path::path_text as jsonpath_text;

/// The functions of JSON.
pub(crate) const FUNCTIONS: &[&[Scalar]] = &[
    access::FUNCTIONS,
    assign::FUNCTIONS,
    build::FUNCTIONS,
    change::FUNCTIONS,
    contain::FUNCTIONS,
    path::FUNCTIONS,
    record::FUNCTIONS,
];

/// Reads a document whose strings a text can hold.
fn checked(text: &str) -> Result<Node<'_>, ValueError> {
    fn check(node: &Node<'_>) -> Result<(), ValueError> {
        match &node.value {
            Value::String(text) => text.into_text().map(drop),
            Value::Array(elements) => elements.iter().try_for_each(check),
            Value::Object(members) => members
                .iter()
                .try_for_each(|(key, value)| key.into_text().and_then(|_| check(value))),
            Value::Null | Value::Bool(_) | Value::Number => Ok(()),
        }
    }
    let node = document(text)?;
    check(&node)?;
    Ok(node)
}
