//! Functions about locks.

use pgtypes::SqlValue as Value;

use crate::session::functions::facts::{Facts, SessionFunction};
use crate::session::functions::refusal::Refusal;

/// The function of that name.
pub(super) fn find(name: &str) -> Option<SessionFunction> {
    Some(match name {
        "lock_row" => lock_row,
        "pg_blocking_pids" => blocking,
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

/// An array of the sessions that keep one waiting.
#[expect(
    clippy::unnecessary_wraps,
    reason = "in a table with functions that can fail"
)]
fn blocking(facts: &Facts, arguments: &[Value]) -> Result<Value, Refusal> {
    let Some(Value::Integer(pid)) = arguments.first() else {
        return Ok(Value::Null);
    };
    let pids = i32::try_from(*pid).map_or_else(|_| Vec::new(), |pid| facts.locks.blockers_of(pid));
    let pids: Vec<String> = pids.iter().map(ToString::to_string).collect();
    Ok(Value::Text(format!("{{{}}}", pids.join(","))))
}
