//! SQL functions that translated statements call: those that the dialect computes, and those that
//! need to know the session.

mod aggregate;
mod control;
mod information;
mod random;

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use dialect::functions::Value;
use dialect::{FunctionSpec, Implementation, REQUIRED_FUNCTIONS, REQUIRED_PRAGMAS};
use pgtypes::SqlState;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Error, ToSql};

use crate::clients::registry::{Registered, Sessions};
use crate::databases::list::SYSTEM_NAME;
use crate::databases::permit::Interrupt;
use crate::environment::Environment;
use crate::session::settings::Settings;
use crate::system::users::{Privilege, Users};

/// What functions may know of their session. SQLite's functions can't borrow from it.
pub struct Facts {
    database: String,
    user: String,
    address: std::net::SocketAddr,
    pid: i32,
    started: SystemTime,
    env: Arc<Environment>,
    sessions: Arc<Sessions>,
    interrupt: Arc<Interrupt>,
    settings: Mutex<HashMap<String, String>>,
    /// Microseconds since 1970 at the start of the statement and of the transaction.
    statement_time: AtomicI64,
    transaction_time: AtomicI64,
}

impl Facts {
    /// The facts of a new session.
    pub fn new(env: &Arc<Environment>, registered: &Registered, settings: &Settings) -> Arc<Self> {
        let entry = &registered.entry;
        let facts = Self {
            database: entry.database.clone(),
            user: entry.user.clone(),
            address: entry.address,
            pid: entry.pid,
            started: entry.started,
            env: Arc::clone(env),
            sessions: Arc::clone(&registered.sessions),
            interrupt: Arc::clone(&entry.interrupt),
            settings: Mutex::default(),
            statement_time: AtomicI64::new(now()),
            transaction_time: AtomicI64::new(now()),
        };
        facts.set_settings(settings);
        Arc::new(facts)
    }

    /// Whether the session is in the server's own database.
    pub fn is_system(&self) -> bool {
        self.database == SYSTEM_NAME
    }

    /// Whether the tables of the database are hidden from the user: users and their verifiers.
    pub fn is_closed(&self) -> bool {
        let privilege = Users::of(&self.env).privilege(&self.user);
        self.is_system() && !matches!(privilege, Ok(Privilege::Dba))
    }

    /// A statement begins; in a transaction block `now()` stays.
    pub fn tick(&self, in_transaction: bool) {
        let now = now();
        self.statement_time.store(now, Ordering::Relaxed);
        if !in_transaction {
            self.transaction_time.store(now, Ordering::Relaxed);
        }
    }

    /// The settings have changed.
    pub fn set_settings(&self, settings: &Settings) {
        let values = settings
            .all()
            .into_iter()
            .map(|(name, value, _)| (name.to_ascii_lowercase(), value));
        *lock(&self.settings) = values.collect();
    }
}

fn now() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An error of a function: SQLSTATE and message.
pub(crate) struct Refusal {
    sqlstate: SqlState,
    message: String,
}

impl Refusal {
    pub(crate) fn new(sqlstate: SqlState, message: impl Into<String>) -> Self {
        Self {
            sqlstate,
            message: message.into(),
        }
    }
}

/// What SQLite calls.
type Call = Box<dyn Fn(&[Value]) -> rusqlite::Result<Value> + Send + std::panic::UnwindSafe>;

/// A function of the session.
pub(crate) type Known = fn(&Facts, &[Value]) -> Result<Value, Refusal>;

/// Registers every function, and sets what translated statements rely on.
pub fn register(connection: &Connection, facts: &Arc<Facts>) -> rusqlite::Result<()> {
    for pragma in REQUIRED_PRAGMAS {
        connection.execute_batch(pragma)?;
    }
    for spec in REQUIRED_FUNCTIONS {
        register_one(connection, spec, facts)?;
    }
    aggregate::register(connection)
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
            pure(arguments).map_err(|error| refused(error.sqlstate, &error.message))
        }),
        Implementation::Session => {
            let known = find(spec.name);
            let facts = std::panic::AssertUnwindSafe(facts);
            Box::new(move |arguments| match known {
                Some(known) => known(&facts, arguments)
                    .map_err(|refusal| refused(refusal.sqlstate, &refusal.message)),
                None => Err(refused(
                    SqlState::FEATURE_NOT_SUPPORTED,
                    &format!("function {} is not supported", spec.name),
                )),
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

fn find(name: &str) -> Option<Known> {
    information::find(name)
        .or_else(|| control::find(name))
        .or_else(|| random::find(name))
}

fn refused(sqlstate: SqlState, message: &str) -> Error {
    Error::UserFunctionError(pgtypes::sqlite::tagged(sqlstate, message).into())
}

fn argument(value: ValueRef<'_>) -> rusqlite::Result<Value> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Value::Text(text.to_owned()),
            Err(_) => {
                return Err(refused(
                    SqlState::CHARACTER_NOT_IN_REPERTOIRE,
                    "invalid byte sequence for encoding \"UTF8\"",
                ));
            }
        },
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
    })
}

/// The result on its way back to SQLite.
struct Answer(Value);

impl ToSql for Answer {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(mapping::cell(&self.0))
    }
}
