//! Functions that a script calls which does lost transactions again.

use pgtypes::{SqlState, SqlValue as Value};

use crate::session::functions::facts::{Facts, SessionFunction};
use crate::session::functions::refusal::Refusal;
use crate::system::lost_outcomes::{self, Outcome};
use crate::system::since_fork;
use crate::system::users::{Privilege, Users};

/// The function of that name.
pub(super) fn find(name: &str) -> Option<SessionFunction> {
    Some(match name {
        "eloqdb_lost_begin" => begin,
        "eloqdb_lost_expect" => expect,
        "eloqdb_changed_since_fork" => changed_since_fork,
        _ => return None,
    })
}

/// `eloqdb_lost_begin(id [, outcome])`: this transaction does that one again, or says what came of it; with its COMMIT
/// that is known.
fn begin(facts: &Facts, arguments: &[Value]) -> Result<Value, Refusal> {
    let Some(Value::Text(id)) = arguments.first() else {
        return Ok(Value::Null);
    };
    let outcome = match arguments.get(1) {
        None => Outcome::Applied,
        Some(Value::Text(word)) => Outcome::of(word).ok_or_else(|| {
            let words = Outcome::ALL.map(Outcome::word).join(", ");
            let message = format!("\"{word}\" is no outcome: write one of {words}");
            Refusal::new(SqlState::INVALID_PARAMETER_VALUE, message)
        })?,
        Some(_) => return Ok(Value::Null),
    };
    check(facts, id)?;
    let failed =
        |error: crate::error::EngineError| Refusal::new(error.sqlstate(), error.to_string());
    let database = facts.home.database(&facts.database).map_err(failed)?;
    if lost_outcomes::is_done(&database, id).map_err(failed)? {
        let message = format!("lost transaction {id} was done again already");
        return Err(Refusal::new(SqlState::LOST_DONE_ALREADY, message));
    }
    if !facts.lost().begin(id, outcome, &facts.user) {
        let message = "a transaction does one lost transaction again, and has begun another";
        let state = SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE;
        return Err(Refusal::new(state, message));
    }
    Ok(Value::Text(id.clone()))
}

fn check_dba(facts: &Facts) -> Result<(), Refusal> {
    match Users::of(&facts.env).privilege(&facts.user) {
        Ok(Privilege::Dba) => Ok(()),
        Ok(_) => {
            let message =
                "permission denied: to do lost transactions again needs the privilege dba";
            Err(Refusal::new(SqlState::INSUFFICIENT_PRIVILEGE, message))
        }
        Err(error) => Err(Refusal::new(error.sqlstate(), error.to_string())),
    }
}

fn check(facts: &Facts, id: &str) -> Result<(), Refusal> {
    if facts.home.is_read_only() {
        let message = "lost transactions are done again at the root; this server is a slave";
        return Err(Refusal::new(SqlState::READ_ONLY_SQL_TRANSACTION, message));
    }
    check_dba(facts)?;
    let is_hex = |text: &str| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_id = id.split_once('/').is_some_and(|(generation, commit)| {
        is_hex(generation) && !commit.is_empty() && commit.bytes().all(|byte| byte.is_ascii_digit())
    });
    if is_id {
        return Ok(());
    }
    let message = format!("\"{id}\" is no lost transaction: the id is as lost.jsonl has it");
    Err(Refusal::new(SqlState::INVALID_PARAMETER_VALUE, message))
}

/// `eloqdb_lost_expect(rows)`: so many rows were changed since the transaction was begun, or it fails.
fn expect(facts: &Facts, arguments: &[Value]) -> Result<Value, Refusal> {
    let Some(Value::Integer(expected)) = arguments.first() else {
        return Ok(Value::Null);
    };
    let state = SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE;
    let Some(rows) = facts.lost().rows() else {
        let message = "no lost transaction was begun: call eloqdb_lost_begin before, in one transaction block";
        return Err(Refusal::new(state, message));
    };
    if i64::try_from(rows) == Ok(*expected) {
        return Ok(Value::Integer(1));
    }
    let message = format!(
        "the lost transaction has changed {expected} rows, and {rows} of them were as it had found them: nothing of it is done"
    );
    Err(Refusal::new(state, message))
}

/// `eloqdb_changed_since_fork(table, key, …)`: 0 where the row with this key is as it was at the oldest fork that is not
/// settled, or was not there then and is not now; 1 where it may be another.
fn changed_since_fork(facts: &Facts, arguments: &[Value]) -> Result<Value, Refusal> {
    check_dba(facts)?;
    let texts: Option<Vec<String>> = arguments
        .iter()
        .map(|value| match value {
            Value::Text(text) => Some(text.clone()),
            Value::Integer(number) => Some(number.to_string()),
            _ => None,
        })
        .collect();
    let Some((table, key)) = texts.as_deref().and_then(<[String]>::split_first) else {
        return Ok(Value::Null);
    };
    let failed =
        |error: crate::error::EngineError| Refusal::new(error.sqlstate(), error.to_string());
    let database = facts.home.database(&facts.database).map_err(failed)?;
    let changed = since_fork::may_have_changed(&facts.home, &database, (table, key));
    changed
        .map(|changed| Value::Integer(i64::from(changed)))
        .map_err(failed)
}
