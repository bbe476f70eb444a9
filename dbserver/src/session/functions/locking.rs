//! Functions about locks.

use pgtypes::SqlValue as Value;

use crate::session::functions::facts::{Facts, SessionFunction};
use crate::session::functions::refusal::Refusal;

/// The function of that name.
pub(super) fn find(name: &str) -> Option<SessionFunction> {
    Some(match name {
        "lock_row" => lock_row,
        _ => return None,
    })
}

/// `pg_lock_row(table, row, strength, what to do about a locked one)`; a row that is not there is locked by nobody.
fn lock_row(facts: &Facts, arguments: &[Value]) -> Result<Value, Refusal> {
    let [
        Value::Text(table),
        Value::Integer(rowid),
        Value::Integer(strength),
        Value::Integer(if_locked),
    ] = arguments
    else {
        return Ok(Value::Integer(1));
    };
    facts
        .locks
        .lock_row(table, *rowid, *strength, *if_locked)
        .map(|locked| Value::Integer(i64::from(locked)))
        .map_err(|(state, message)| Refusal::new(state, message))
}
