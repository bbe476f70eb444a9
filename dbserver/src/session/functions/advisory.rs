//! `pg_advisory_lock` and its kin.

use std::time::Instant;

use pgtypes::SqlValue as Value;

use crate::databases::locks::{Thing, Wait};
use crate::session::advisory_locks::Until;
use crate::session::functions::facts::{Facts, SessionFunction};
use crate::session::functions::refusal::Refusal;

/// The function of that name.
pub(super) fn find(name: &str) -> Option<SessionFunction> {
    Some(match name {
        "pg_advisory_lock" => |f, a| wait(f, a, false, Until::Unlocked),
        "pg_advisory_lock_shared" => |f, a| wait(f, a, true, Until::Unlocked),
        "pg_advisory_xact_lock" => |f, a| wait(f, a, false, Until::TransactionEnd),
        "pg_advisory_xact_lock_shared" => |f, a| wait(f, a, true, Until::TransactionEnd),
        "pg_try_advisory_lock" => |f, a| attempt(f, a, false, Until::Unlocked),
        "pg_try_advisory_lock_shared" => |f, a| attempt(f, a, true, Until::Unlocked),
        "pg_try_advisory_xact_lock" => |f, a| attempt(f, a, false, Until::TransactionEnd),
        "pg_try_advisory_xact_lock_shared" => |f, a| attempt(f, a, true, Until::TransactionEnd),
        "pg_advisory_unlock" => |f, a| unlock(f, a, false),
        "pg_advisory_unlock_shared" => |f, a| unlock(f, a, true),
        "pg_advisory_unlock_all" => unlock_all,
        _ => return None,
    })
}

/// One number of eight bytes, or two of four; `None` where one is NULL.
fn thing(arguments: &[Value]) -> Option<Thing> {
    match arguments {
        [Value::Integer(key)] => Some(Thing::advisory(0, *key)),
        [Value::Integer(class), Value::Integer(object)] => {
            let key = (class << 32) | (object & 0xffff_ffff);
            Some(Thing::advisory(1, key))
        }
        _ => None,
    }
}

fn wait(facts: &Facts, arguments: &[Value], shared: bool, until: Until) -> Result<Value, Refusal> {
    let Some(thing) = thing(arguments) else {
        return Ok(Value::Null);
    };
    let wait = Wait {
        interrupt: &facts.interrupt,
        lock: facts.lock_timeout().map(|limit| Instant::now() + limit),
        // What ends the statement interrupts the session.
        statement: None,
    };
    facts
        .locks
        .advisory()
        .lock(thing, shared, until, Some(wait))
        .map(|_| Value::Text(String::new()))
        .map_err(|error| Refusal::new(error.sqlstate(), error.to_string()))
}

fn attempt(
    facts: &Facts,
    arguments: &[Value],
    shared: bool,
    until: Until,
) -> Result<Value, Refusal> {
    let Some(thing) = thing(arguments) else {
        return Ok(Value::Null);
    };
    facts
        .locks
        .advisory()
        .lock(thing, shared, until, None)
        .map(|locked| Value::Integer(locked.into()))
        .map_err(|error| Refusal::new(error.sqlstate(), error.to_string()))
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "in a table with functions that can fail"
)]
fn unlock(facts: &Facts, arguments: &[Value], shared: bool) -> Result<Value, Refusal> {
    let Some(thing) = thing(arguments) else {
        return Ok(Value::Null);
    };
    let had = facts.locks.advisory().unlock(thing, shared);
    Ok(Value::Integer(had.into()))
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "in a table with functions that can fail"
)]
fn unlock_all(facts: &Facts, _: &[Value]) -> Result<Value, Refusal> {
    facts.locks.advisory().unlock_all();
    Ok(Value::Text(String::new()))
}
