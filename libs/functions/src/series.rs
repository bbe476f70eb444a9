//! `generate_series`: its first value, the value behind another, and all values as a JSON array where a query has no
//! recursion for it.

use pgtypes::json::quoted;
use pgtypes::{Decimal, SqlState, SqlValue, SqlValueRef, ValueError};

use crate::arguments::{Answer, decimal, integer, interval, text, timestamp, whole, written};
use crate::collation::interval_length;
use crate::error::fail;
use crate::registry::Scalar;
use crate::session::Session;
use crate::timestamp::moved;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::session("pg_series_first_numeric", 3, |s, a| first(&NUMERIC, s, a)),
    Scalar::session("pg_series_next_numeric", 3, |s, a| next(&NUMERIC, s, a)),
    Scalar::session("pg_series_first_timestamp", 3, |s, a| {
        first(&TIMESTAMP, s, a)
    }),
    Scalar::session("pg_series_next_timestamp", 3, |s, a| next(&TIMESTAMP, s, a)),
    Scalar::session("pg_series_first_timestamptz", 3, |s, a| {
        first(&TIMESTAMPTZ, s, a)
    }),
    Scalar::session("pg_series_next_timestamptz", 3, |s, a| {
        next(&TIMESTAMPTZ, s, a)
    }),
    Scalar::session("pg_set_generate_series_int4", 2, |s, a| all(&INTEGER, s, a)),
    Scalar::session("pg_set_generate_series_int8", 2, |s, a| all(&INTEGER, s, a)),
    Scalar::session("pg_set_generate_series_step_int4", 3, |s, a| {
        all(&INTEGER, s, a)
    }),
    Scalar::session("pg_set_generate_series_step_int8", 3, |s, a| {
        all(&INTEGER, s, a)
    }),
    Scalar::session("pg_set_generate_series_numeric", 2, |s, a| {
        all(&NUMERIC, s, a)
    }),
    Scalar::session("pg_set_generate_series_step_numeric", 3, |s, a| {
        all(&NUMERIC, s, a)
    }),
    Scalar::session("pg_set_generate_series_timestamp", 3, |s, a| {
        all(&TIMESTAMP, s, a)
    }),
    Scalar::session("pg_set_generate_series_timestamptz", 3, |s, a| {
        all(&TIMESTAMPTZ, s, a)
    }),
];

/// A series for each row of a query is held in memory: it may have this many values.
const MOST_HELD: usize = 1_000_000;

/// How values of a type follow each other.
struct Kind {
    /// Whether the step leads upwards; an error where it leads nowhere.
    rises: fn(&[SqlValueRef<'_>], usize) -> Result<bool, ValueError>,
    /// Refuses a value that no series begins or ends with.
    check: fn(&[SqlValueRef<'_>], usize, &str) -> Result<(), ValueError>,
    /// Whether the first is no greater than the second.
    ordered: fn(SqlValueRef<'_>, SqlValueRef<'_>) -> Result<bool, ValueError>,
    /// A value and a step added; NULL where the type ends.
    add: fn(&dyn Session, &[SqlValueRef<'_>; 2]) -> Answer,
}

const INTEGER: Kind = Kind {
    rises: |a, at| match integer(a, at)? {
        0 => no_step(),
        step => Ok(step > 0),
    },
    check: |_, _, _| Ok(()),
    ordered: |a, b| Ok(integer(&[a], 0)? <= integer(&[b], 0)?),
    add: |_, a| match integer(a, 0)?.checked_add(integer(a, 1)?) {
        Some(sum) => whole(sum),
        None => Ok(SqlValue::Null),
    },
};

const NUMERIC: Kind = Kind {
    rises: |a, at| match decimal(a, at)?.signum() {
        0 => no_step(),
        sign => Ok(sign > 0),
    },
    check: |a, at, what| match decimal(a, at)? {
        Decimal::NotANumber => refused(&format!("{what} cannot be NaN")),
        value if value.unscaled().is_none() => refused(&format!("{what} cannot be infinity")),
        _ => Ok(()),
    },
    ordered: |a, b| Ok(decimal(&[a], 0)? <= decimal(&[b], 0)?),
    add: |_, a| written(decimal(a, 0)?.plus(&decimal(a, 1)?)?),
};

const TIMESTAMP: Kind = Kind {
    rises: rising_span,
    check: |_, _, _| Ok(()),
    ordered: |a, b| Ok(integer(&[a], 0)? <= integer(&[b], 0)?),
    add: |_, a| whole(timestamp(a, 0)?.plus(interval(a, 1)?)?.micros()),
};

const TIMESTAMPTZ: Kind = Kind {
    add: |s, a| whole(moved(s, timestamp(a, 0)?, interval(a, 1)?)?.micros()),
    ..TIMESTAMP
};

fn rising_span(arguments: &[SqlValueRef<'_>], at: usize) -> Result<bool, ValueError> {
    match interval_length(interval(arguments, at)?) {
        0 => no_step(),
        length => Ok(length > 0),
    }
}

fn refused<T>(message: &str) -> Result<T, ValueError> {
    fail(SqlState::INVALID_PARAMETER_VALUE, message)
}

fn no_step<T>() -> Result<T, ValueError> {
    refused("step size cannot equal zero")
}

/// The value, or NULL where it is beyond the end.
fn within(kind: &Kind, value: SqlValue, rises: bool, stop: SqlValueRef<'_>) -> Answer {
    if value == SqlValue::Null {
        return Ok(value);
    }
    let is_in = if rises {
        (kind.ordered)(value.as_ref(), stop)?
    } else {
        (kind.ordered)(stop, value.as_ref())?
    };
    Ok(if is_in { value } else { SqlValue::Null })
}

/// `first(start, step, stop)`
fn first(kind: &Kind, _: &dyn Session, arguments: &[SqlValueRef<'_>]) -> Answer {
    let [start, _, stop] = arguments else {
        return Ok(SqlValue::Null);
    };
    (kind.check)(arguments, 0, "start value")?;
    (kind.check)(arguments, 2, "stop value")?;
    (kind.check)(arguments, 1, "step size")?;
    within(
        kind,
        SqlValueRef::to_owned(*start),
        (kind.rises)(arguments, 1)?,
        *stop,
    )
}

/// `next(value, step, stop)`
fn next(kind: &Kind, session: &dyn Session, arguments: &[SqlValueRef<'_>]) -> Answer {
    let [value, step, stop] = arguments else {
        return Ok(SqlValue::Null);
    };
    let sum = (kind.add)(session, &[*value, *step])?;
    within(kind, sum, (kind.rises)(arguments, 1)?, *stop)
}

/// `all(start, stop [, step])`
fn all(kind: &Kind, session: &dyn Session, arguments: &[SqlValueRef<'_>]) -> Answer {
    let one = SqlValueRef::Integer(1);
    let (start, stop, step) = match arguments {
        [start, stop] => (*start, *stop, one),
        [start, stop, step] => (*start, *stop, *step),
        _ => return Ok(SqlValue::Null),
    };
    let mut out = String::from("[");
    let mut value = first(kind, session, &[start, step, stop])?;
    let mut held = 0;
    while value != SqlValue::Null {
        held += 1;
        if held > MOST_HELD {
            return fail(
                SqlState::PROGRAM_LIMIT_EXCEEDED,
                format!("a series for each row may have {MOST_HELD} values"),
            );
        }
        if held > 1 {
            out.push(',');
        }
        match value.as_ref() {
            SqlValueRef::Integer(number) => out.push_str(&number.to_string()),
            other => out.push_str(&quoted(text(&[other], 0)?)),
        }
        value = next(kind, session, &[value.as_ref(), step, stop])?;
    }
    out.push(']');
    written(out)
}
