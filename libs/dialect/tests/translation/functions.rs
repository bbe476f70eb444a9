//! PostgreSQL's functions, aggregates and collations in SQLite, in a session at a fixed moment.

use functions::{AggregateSpec, Body, Scalar, Session};
use pgtypes::{SqlValue, SqlValueRef, Timestamp, Timestamptz, ValueError};
use rusqlite::functions::{Aggregate, Context, FunctionFlags, WindowAggregate};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Error, Result, ToSql};

/// 2024-06-09 15:04:05.25 UTC in microseconds since 2000.
const NOW: i64 = 771_260_645_250_000;

/// Registers all of them.
pub(crate) fn register(connection: &Connection) -> Result<()> {
    for collation in functions::collations() {
        connection.create_collation(collation.name, collation.compare)?;
    }
    for scalar in functions::scalars() {
        register_scalar(connection, scalar)?;
    }
    for spec in functions::aggregates() {
        register_aggregate(connection, spec)?;
    }
    Ok(())
}

/// A session with the default settings.
struct Fixed;

impl Session for Fixed {
    fn context(&self) -> &pgtypes::Context {
        pgtypes::Context::standard()
    }

    fn transaction_timestamp(&self) -> Timestamptz {
        Timestamptz(Timestamp::new(NOW, None).unwrap())
    }

    fn statement_timestamp(&self) -> Timestamptz {
        self.transaction_timestamp()
    }

    fn clock(&self) -> Timestamptz {
        self.transaction_timestamp()
    }
}

pub(crate) fn flags(deterministic: bool) -> FunctionFlags {
    let mut flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_INNOCUOUS;
    if deterministic {
        flags |= FunctionFlags::SQLITE_DETERMINISTIC;
    }
    flags
}

/// A value as SQLite holds it.
pub(crate) fn stored(value: ValueRef<'_>) -> SqlValueRef<'_> {
    match value {
        ValueRef::Null => SqlValueRef::Null,
        ValueRef::Integer(number) => SqlValueRef::Integer(number),
        ValueRef::Real(number) => SqlValueRef::Real(number),
        ValueRef::Text(bytes) => SqlValueRef::Text(std::str::from_utf8(bytes).unwrap()),
        ValueRef::Blob(bytes) => SqlValueRef::Blob(bytes),
    }
}

pub(crate) fn arguments<'a>(context: &'a Context<'_>) -> Vec<SqlValueRef<'a>> {
    (0..context.len())
        .map(|at| stored(context.get_raw(at)))
        .collect()
}

pub(crate) fn refused(error: &ValueError) -> Error {
    let tagged = pgtypes::sqlite::tagged(error.sqlstate, &error.message);
    Error::UserFunctionError(tagged.into())
}

/// A value on its way to SQLite.
pub(crate) struct Answer(pub(crate) SqlValue);

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

fn register_scalar(connection: &Connection, scalar: &'static Scalar) -> Result<()> {
    let flags = flags(scalar.deterministic);
    connection.create_scalar_function(scalar.name, scalar.arguments, flags, |context| {
        let arguments = arguments(context);
        if scalar.strict && arguments.iter().any(|argument| argument.is_null()) {
            return Ok(Answer(SqlValue::Null));
        }
        match scalar.body {
            Body::Pure(body) => body(&arguments),
            Body::Session(body) => body(&Fixed, &arguments),
        }
        .map(Answer)
        .map_err(|error| refused(&error))
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
        state
            .step(&arguments(context))
            .map_err(|error| refused(&error))
    }

    fn finalize(&self, _: &mut Context<'_>, state: Option<State>) -> Result<Answer> {
        let state = state.unwrap_or_else(self.0.new);
        state.value().map(Answer).map_err(|error| refused(&error))
    }
}

impl WindowAggregate<State, Answer> for Driven {
    fn value(&self, state: Option<&mut State>) -> Result<Answer> {
        match state {
            Some(state) => state.value(),
            None => (self.0.new)().value(),
        }
        .map(Answer)
        .map_err(|error| refused(&error))
    }

    fn inverse(&self, context: &mut Context<'_>, state: &mut State) -> Result<()> {
        state
            .inverse(&arguments(context))
            .map_err(|error| refused(&error))
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
