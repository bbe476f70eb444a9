//! PostgreSQL's functions, aggregates and collations, registered under the names that printed statements use.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use dialect::sqlite::session_functions::SESSION_FUNCTIONS;
use functions::{AggregateSpec, Body, Scalar};
use pgtypes::{
    ByteaOutput, DateOrder, DateStyle, IntervalStyle, SqlValueRef, Timestamp, Timestamptz, Zone,
};
use rusqlite::functions::{Aggregate, Context, FunctionFlags, WindowAggregate};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Result, ToSql};

use crate::session::functions::facts::{self, Facts};
use crate::session::functions::refusal::Refusal;
use crate::session::mapping;

/// Microseconds between 1970 and 2000, where stored timestamps begin.
const EPOCH_2000: i64 = 946_684_800_000_000;

/// Registers everything.
pub(super) fn register(connection: &Connection, facts: &Arc<Facts>) -> Result<()> {
    for scalar in functions::scalars() {
        register_scalar(connection, scalar, facts)?;
    }
    for spec in functions::aggregates() {
        register_aggregate(connection, spec)?;
    }
    for (name, arguments, known) in SESSION_FUNCTIONS {
        super::register_session(connection, name, *arguments, known, facts)?;
    }
    Ok(())
}

/// The session as a function sees it.
struct Calling<'a> {
    facts: &'a Facts,
    context: Arc<pgtypes::Context>,
}

impl functions::Session for Calling<'_> {
    fn time_zone(&self) -> &Zone {
        &self.context.zone
    }

    fn date_style(&self) -> DateStyle {
        self.context.date_style
    }

    fn date_order(&self) -> DateOrder {
        self.context.date_order
    }

    fn interval_style(&self) -> IntervalStyle {
        self.context.interval_style
    }

    fn bytea_output(&self) -> ByteaOutput {
        self.context.bytea_output
    }

    fn extra_float_digits(&self) -> i8 {
        self.context.extra_float_digits
    }

    fn transaction_timestamp(&self) -> Timestamptz {
        moment(self.facts.transaction_time.load(Ordering::Relaxed))
    }

    fn statement_timestamp(&self) -> Timestamptz {
        moment(self.facts.statement_time.load(Ordering::Relaxed))
    }

    fn clock(&self) -> Timestamptz {
        moment(facts::now())
    }
}

fn moment(since_1970: i64) -> Timestamptz {
    Timestamptz(Timestamp::new(since_1970 - EPOCH_2000, None).unwrap_or(Timestamp::INFINITY))
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

fn refused(error: pgtypes::ValueError) -> rusqlite::Error {
    Refusal::new(error.sqlstate, error.message).into_error()
}

/// A result on its way to SQLite.
struct Answer(pgtypes::SqlValue);

impl ToSql for Answer {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(mapping::cell(&self.0))
    }
}

fn register_scalar(
    connection: &Connection,
    scalar: &'static Scalar,
    facts: &Arc<Facts>,
) -> Result<()> {
    let flags = flags(scalar.deterministic);
    let facts = AssertUnwindSafe(Arc::clone(facts));
    connection.create_scalar_function(scalar.name, scalar.arguments, flags, move |context| {
        let answer = with_arguments(context, scalar.strict, |arguments| {
            match scalar.body {
                Body::Pure(body) => body(arguments),
                Body::Session(body) => {
                    let calling = Calling {
                        facts: &facts,
                        context: facts.context(),
                    };
                    body(&calling, arguments)
                }
            }
            .map_err(refused)
        })?;
        Ok(Answer(answer.unwrap_or(pgtypes::SqlValue::Null)))
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
