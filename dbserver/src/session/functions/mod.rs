//! SQL functions that translated statements call: those that the dialect computes, and those that
//! need to know the session.

mod aggregate;
mod calling;
mod control;
pub mod facts;
mod information;
mod locking;
mod random;
mod refusal;
mod sequence;

use std::sync::Arc;

use dialect::functions::Value;
use dialect::sqlite::session_functions::SESSION_FUNCTIONS;
use dialect::{FunctionSpec, Implementation, REQUIRED_FUNCTIONS, REQUIRED_PRAGMAS};
use pgtypes::SqlState;
use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::ValueRef;

use crate::databases::functions::{self, Answer};
use crate::session::functions::facts::{Facts, SessionFunction};
use crate::session::functions::refusal::Refusal;

/// What SQLite calls.
type Call = Box<dyn Fn(&[Value]) -> rusqlite::Result<Value> + Send + std::panic::UnwindSafe>;

/// Registers every function, and sets what translated statements rely on.
pub fn register(connection: &Connection, facts: &Arc<Facts>) -> rusqlite::Result<()> {
    for pragma in REQUIRED_PRAGMAS {
        connection.execute_batch(pragma)?;
    }
    for spec in REQUIRED_FUNCTIONS {
        register_one(connection, spec, facts)?;
    }
    register_typed(connection, facts)?;
    aggregate::register(connection)
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
        let mut values = Vec::with_capacity(context.len());
        for index in 0..context.len() {
            values.push(argument(context.get_raw(index))?);
        }
        function(&facts, &values)
            .map(Answer)
            .map_err(Refusal::into_error)
    })
}

fn register_one(
    connection: &Connection,
    spec: &'static FunctionSpec,
    facts: &Arc<Facts>,
) -> rusqlite::Result<()> {
    let mut flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_INNOCUOUS;
    if spec.deterministic {
        flags |= FunctionFlags::SQLITE_DETERMINISTIC;
    }
    let facts = Arc::clone(facts);
    let call: Call = match spec.implementation {
        Implementation::Pure(pure) => Box::new(move |arguments| {
            pure(arguments)
                .map_err(|error| Refusal::new(error.sqlstate, error.message).into_error())
        }),
        Implementation::Session => {
            let function = find(spec.name);
            let facts = std::panic::AssertUnwindSafe(facts);
            Box::new(move |arguments| {
                let answer = match function {
                    Some(function) => function(&facts, arguments),
                    None => Err(Refusal::new(
                        SqlState::FEATURE_NOT_SUPPORTED,
                        format!("function {} is not supported", spec.name),
                    )),
                };
                answer.map_err(Refusal::into_error)
            })
        }
    };
    connection.create_scalar_function(spec.name, spec.arguments, flags, move |context| {
        let mut arguments = Vec::with_capacity(context.len());
        for index in 0..context.len() {
            let value = argument(context.get_raw(index))?;
            if spec.strict && value == Value::Null {
                return Ok(Answer(Value::Null));
            }
            arguments.push(value);
        }
        call(&arguments).map(Answer)
    })
}

fn find(name: &str) -> Option<SessionFunction> {
    information::find(name)
        .or_else(|| control::find(name))
        .or_else(|| random::find(name))
        .or_else(|| sequence::find(name))
        .or_else(|| locking::find(name))
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
