//! Sequences: the numbers that SQLite gave to a table's serial column.

use std::collections::HashMap;

use dialect::functions::Value;

use crate::session::functions::{Facts, Known, Refusal, lock};

/// The numbers that this session has drawn, by sequence.
#[derive(Default)]
pub(crate) struct Seen {
    values: HashMap<String, i64>,
    last: Option<i64>,
}

/// The function of that name.
pub(super) fn find(name: &str) -> Option<Known> {
    Some(match name {
        "currval" => currval,
        "lastval" => lastval,
        _ => return None,
    })
}

fn currval(facts: &Facts, arguments: &[Value]) -> Result<Value, Refusal> {
    let Some(Value::Text(name)) = arguments.first() else {
        return Ok(Value::Null);
    };
    lock(&facts.sequences)
        .values
        .get(name)
        .map(|value| Value::Integer(*value))
        .ok_or_else(|| {
            Refusal::new(
                "55000",
                format!("currval of sequence \"{name}\" is not yet defined in this session"),
            )
        })
}

fn lastval(facts: &Facts, _: &[Value]) -> Result<Value, Refusal> {
    lock(&facts.sequences)
        .last
        .map(Value::Integer)
        .ok_or_else(|| Refusal::new("55000", "lastval is not yet defined in this session"))
}
