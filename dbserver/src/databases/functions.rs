//! PostgreSQL's functions, aggregates and collations on a connection of SQLite, under the names that printed statements
//! use.

use std::panic::AssertUnwindSafe;

use functions::{AggregateSpec, Body, Scalar, Session};
use pgtypes::{Context as Settings, SqlValue, SqlValueRef, Timestamp, Timestamptz};
use rusqlite::functions::{Aggregate, Context, FunctionFlags, WindowAggregate};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Result, ToSql};

/// Registers all of them; functions that ask for the session they run in ask `session`.
pub fn register<S: Session>(
    connection: &Connection,
    session: impl Fn() -> S + Clone + Send + 'static,
) -> Result<()> {
    register_collations(connection)?;
    for scalar in functions::scalars() {
        register_scalar(connection, scalar, session.clone())?;
    }
    for spec in functions::aggregates() {
        register_aggregate(connection, spec)?;
    }
    Ok(())
}

/// The collations alone, without which SQLite can't compare what is stored.
pub fn register_collations(connection: &Connection) -> Result<()> {
    for collation in functions::collations() {
        connection.create_collation(collation.name, collation.compare)?;
    }
    Ok(())
}

/// What checks a file outside any session: the default settings, at no time.
#[derive(Debug, Clone, Copy)]
pub struct NoSession;

impl Session for NoSession {
    fn context(&self) -> &Settings {
        Settings::standard()
    }

    fn transaction_timestamp(&self) -> Timestamptz {
        Timestamptz(Timestamp::INFINITY)
    }

    fn statement_timestamp(&self) -> Timestamptz {
        self.transaction_timestamp()
    }

    fn clock(&self) -> Timestamptz {
        self.transaction_timestamp()
    }
}

fn flags(deterministic: bool) -> FunctionFlags {
    let mut flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_INNOCUOUS;
    if deterministic {
        flags |= FunctionFlags::SQLITE_DETERMINISTIC;
    }
    flags
}

/// Most functions have no more arguments than this; those need no allocation.
const FEW: usize = 8;

/// Calls `run` with the arguments as SQLite holds them; `None` where one is NULL and the function is strict.
fn with_arguments<T>(
    context: &Context<'_>,
    strict: bool,
    run: impl FnOnce(&[SqlValueRef<'_>]) -> Result<T>,
) -> Result<Option<T>> {
    let count = context.len();
    let mut few = [SqlValueRef::Null; FEW];
    let mut many = Vec::new();
    let arguments = if count <= FEW {
        few.get_mut(..count).unwrap_or_default()
    } else {
        many.resize(count, SqlValueRef::Null);
        many.as_mut_slice()
    };
    for (index, argument) in arguments.iter_mut().enumerate() {
        *argument = match context.get_raw(index) {
            ValueRef::Null if strict => return Ok(None),
            ValueRef::Null => SqlValueRef::Null,
            ValueRef::Integer(number) => SqlValueRef::Integer(number),
            ValueRef::Real(number) => SqlValueRef::Real(number),
            ValueRef::Text(bytes) => SqlValueRef::text(bytes).map_err(refused)?,
            ValueRef::Blob(bytes) => SqlValueRef::Blob(bytes),
        };
    }
    run(arguments).map(Some)
}

/// The error as SQLite takes it: the SQLSTATE stays in the message.
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn refused(error: pgtypes::ValueError) -> rusqlite::Error {
    let tagged = pgtypes::sqlite::tagged(error.sqlstate, &error.message);
    rusqlite::Error::UserFunctionError(tagged.into())
}

/// A result on its way to SQLite.
pub struct Answer(pub SqlValue);

impl ToSql for Answer {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match &self.0 {
            SqlValue::Null => ValueRef::Null,
            SqlValue::Integer(number) => ValueRef::Integer(*number),
            SqlValue::Real(number) => ValueRef::Real(*number),
            SqlValue::Text(text) => ValueRef::Text(text.as_bytes()),
            SqlValue::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

fn register_scalar<S: Session>(
    connection: &Connection,
    scalar: &'static Scalar,
    session: impl Fn() -> S + Send + 'static,
) -> Result<()> {
    let flags = flags(scalar.deterministic);
    let session = AssertUnwindSafe(session);
    connection.create_scalar_function(scalar.name, scalar.arguments, flags, move |context| {
        let answer = with_arguments(context, scalar.strict, |arguments| {
            match scalar.body {
                Body::Pure(body) => body(arguments),
                Body::Session(body) => body(&(session.0)(), arguments),
            }
            .map_err(refused)
        })?;
        Ok(Answer(answer.unwrap_or(SqlValue::Null)))
    })
}

/// An aggregate as SQLite drives it.
struct Driven(&'static AggregateSpec);

type State = Box<dyn functions::Aggregate>;

impl Aggregate<State, Answer> for Driven {
    fn init(&self, _: &mut Context<'_>) -> Result<State> {
        Ok((self.0.new)())
    }

    fn step(&self, context: &mut Context<'_>, state: &mut State) -> Result<()> {
        with_arguments(context, false, |arguments| {
            state.step(arguments).map_err(refused)
        })
        .map(drop)
    }

    fn finalize(&self, _: &mut Context<'_>, state: Option<State>) -> Result<Answer> {
        let state = state.unwrap_or_else(self.0.new);
        state.value().map(Answer).map_err(refused)
    }
}

impl WindowAggregate<State, Answer> for Driven {
    fn value(&self, state: Option<&mut State>) -> Result<Answer> {
        match state {
            Some(state) => state.value(),
            None => (self.0.new)().value(),
        }
        .map(Answer)
        .map_err(refused)
    }

    fn inverse(&self, context: &mut Context<'_>, state: &mut State) -> Result<()> {
        with_arguments(context, false, |arguments| {
            state.inverse(arguments).map_err(refused)
        })
        .map(drop)
    }
}

fn register_aggregate(connection: &Connection, spec: &'static AggregateSpec) -> Result<()> {
    let flags = flags(true);
    if spec.inverse {
        connection.create_window_function(spec.name, spec.arguments, flags, Driven(spec))
    } else {
        connection.create_aggregate_function(spec.name, spec.arguments, flags, Driven(spec))
    }
}
