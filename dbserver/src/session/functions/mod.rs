//! SQL functions that printed statements call: PostgreSQL's own, those about the catalog, and those that need to know
//! the session.

mod activity;
mod advisory;
mod calling;
mod catalog;
mod control;
pub mod facts;
mod information;
mod locking;
mod lost;
mod notify;
mod random;
mod refusal;
pub(in crate::session) mod rows;
mod sequence;
mod setting;

use std::sync::Arc;

use dialect::REQUIRED_PRAGMAS;
use dialect::sqlite::session_functions::SESSION_FUNCTIONS;
use pgtypes::{SqlState, SqlValue as Value};
use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;

use crate::databases::functions::{self, Answer};
use crate::session::functions::facts::{Facts, SessionFunction};
use crate::session::functions::refusal::Refusal;

/// Registers every function, and sets what translated statements rely on.
pub fn register(connection: &Connection, facts: &Arc<Facts>) -> rusqlite::Result<()> {
    for pragma in REQUIRED_PRAGMAS {
        connection.execute_batch(pragma)?;
    }
    register_typed(connection, facts)?;
    catalog::register(connection, facts)
}

/// Those that printed statements call.
fn register_typed(connection: &Connection, facts: &Arc<Facts>) -> rusqlite::Result<()> {
    let session = Arc::clone(facts);
    functions::register(connection, move || calling::Calling::new(&session))?;
    for (name, arguments, known) in SESSION_FUNCTIONS {
        register_session(connection, name, *arguments, known, facts)?;
    }
    Ok(())
}

/// A function that the session computes, under the name by which printed statements call it.
fn register_session(
    connection: &Connection,
    name: &str,
    arguments: i32,
    known: &'static str,
    facts: &Arc<Facts>,
) -> rusqlite::Result<()> {
    let facts = std::panic::AssertUnwindSafe(Arc::clone(facts));
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_INNOCUOUS;
    let Some(function) = find(known) else {
        return Ok(());
    };
    connection.create_scalar_function(name, arguments, flags, move |context| {
        let values = values(context)?;
        function(&facts, &values)
            .map(Answer)
            .map_err(Refusal::into_error)
    })
}

fn find(name: &str) -> Option<SessionFunction> {
    information::find(name)
        .or_else(|| control::find(name))
        .or_else(|| random::find(name))
        .or_else(|| sequence::find(name))
        .or_else(|| locking::find(name))
        .or_else(|| lost::find(name))
        .or_else(|| notify::find(name))
        .or_else(|| activity::find(name))
        .or_else(|| rows::find(name))
        .or_else(|| advisory::find(name))
        .or_else(|| setting::find(name))
}

fn values(context: &Context<'_>) -> rusqlite::Result<Vec<Value>> {
    (0..context.len())
        .map(|index| argument(context.get_raw(index)))
        .collect()
}

fn argument(value: ValueRef<'_>) -> rusqlite::Result<Value> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Value::Text(text.to_owned()),
            Err(_) => {
                return Err(Refusal::new(
                    SqlState::CHARACTER_NOT_IN_REPERTOIRE,
                    "invalid byte sequence for encoding \"UTF8\"",
                )
                .into_error());
            }
        },
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
    })
}
