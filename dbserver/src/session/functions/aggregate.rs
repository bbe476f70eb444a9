//! Aggregates that SQLite does not have: variance and standard deviation.

use pgtypes::SqlState;
use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Result};

use crate::session::functions::refusal::Refusal;

/// Count, mean and sum of squared distances so far (Welford), which lose nothing where values lie close together.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Spread {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Spread {
    fn add(&mut self, value: f64) {
        self.count += 1.0;
        let distance = value - self.mean;
        self.mean += distance / self.count;
        self.squares += distance * (value - self.mean);
    }
}

/// One of the functions.
#[derive(Debug, Clone, Copy)]
struct Measure {
    /// The value is one of a sample: divided by count - 1.
    sample: bool,
    root: bool,
}

impl Aggregate<Spread, Option<f64>> for Measure {
    fn init(&self, _: &mut Context<'_>) -> Result<Spread> {
        Ok(Spread::default())
    }

    fn step(&self, context: &mut Context<'_>, spread: &mut Spread) -> Result<()> {
        match context.get_raw(0) {
            ValueRef::Null => {}
            ValueRef::Real(value) => spread.add(value),
            #[expect(clippy::cast_precision_loss, reason = "the result is a double")]
            ValueRef::Integer(value) => spread.add(value as f64),
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                let text = String::from_utf8_lossy(bytes);
                let message = format!("invalid input syntax for type numeric: \"{text}\"");
                let refusal = Refusal::new(SqlState::INVALID_TEXT_REPRESENTATION, message);
                return Err(refusal.into_error());
            }
        }
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, spread: Option<Spread>) -> Result<Option<f64>> {
        let Some(spread) = spread else {
            return Ok(None);
        };
        let divisor = if self.sample {
            spread.count - 1.0
        } else {
            spread.count
        };
        if divisor < 1.0 {
            return Ok(None);
        }
        let variance = spread.squares / divisor;
        Ok(Some(if self.root { variance.sqrt() } else { variance }))
    }
}

/// Registers them.
pub(super) fn register(connection: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    for (name, sample, root) in [
        ("stddev", true, true),
        ("stddev_samp", true, true),
        ("stddev_pop", false, true),
        ("variance", true, false),
        ("var_samp", true, false),
        ("var_pop", false, false),
    ] {
        connection.create_aggregate_function(name, 1, flags, Measure { sample, root })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spreads_are_those_of_a_sample_or_of_all() {
        let connection = Connection::open_in_memory().unwrap();
        register(&connection).unwrap();
        let values =
            "(SELECT column1 AS x FROM (VALUES (2), (4.0), (4), (4), (5), (5), (7), (9), (NULL)))";
        for (call, expected) in [
            ("stddev_pop(x)", 2.0),
            ("var_pop(x)", 4.0),
            ("variance(x)", 32.0 / 7.0),
            ("stddev(x)", (32.0_f64 / 7.0).sqrt()),
        ] {
            let sql = format!("SELECT {call} FROM {values}");
            let found: f64 = connection.query_row(&sql, [], |row| row.get(0)).unwrap();
            assert!((found - expected).abs() < 1e-12, "{call}: {found}");
        }
        let one: Option<f64> = connection
            .query_row("SELECT stddev(1)", [], |row| row.get(0))
            .unwrap();
        assert_eq!(one, None);
    }
}
