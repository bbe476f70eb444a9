//! How much longer the exact sum of prices takes than SQLite's own of doubles:
//! `cargo run --release -p functions --example sums`

use std::time::Instant;

use functions::{Aggregate, aggregates};
use pgtypes::{SqlValue, SqlValueRef};
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error, Result};

struct Sum;

impl rusqlite::functions::Aggregate<Box<dyn Aggregate>, Option<String>> for Sum {
    fn init(&self, _: &mut Context<'_>) -> Result<Box<dyn Aggregate>> {
        let spec = aggregates()
            .iter()
            .find(|spec| spec.name == "pg_sum_numeric");
        spec.map(|spec| (spec.new)()).ok_or(Error::InvalidQuery)
    }

    fn step(&self, context: &mut Context<'_>, sum: &mut Box<dyn Aggregate>) -> Result<()> {
        let value = match context.get_raw(0) {
            ValueRef::Text(bytes) => {
                SqlValueRef::text(bytes).map_err(|error| Error::UserFunctionError(error.into()))?
            }
            _ => SqlValueRef::Null,
        };
        sum.step(&[value])
            .map_err(|error| Error::UserFunctionError(error.into()))
    }

    fn finalize(
        &self,
        _: &mut Context<'_>,
        sum: Option<Box<dyn Aggregate>>,
    ) -> Result<Option<String>> {
        match sum.map(|sum| sum.value()) {
            Some(Ok(SqlValue::Text(text))) => Ok(Some(text)),
            Some(Err(error)) => Err(Error::UserFunctionError(error.into())),
            _ => Ok(None),
        }
    }
}

#[expect(clippy::print_stdout, reason = "it is what this program is for")]
fn main() -> Result<()> {
    let connection = Connection::open_in_memory()?;
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_aggregate_function("pg_sum_numeric", 1, flags, Sum)?;
    connection.execute_batch(
        "CREATE TABLE prices (exact TEXT, real REAL);
         WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)
         INSERT INTO prices SELECT printf('%d.%02d', i, i % 100), i + (i % 100) / 100.0 FROM n;",
    )?;
    let timed = |sql: &str| -> Result<f64> {
        let mut best = f64::MAX;
        for _ in 0..5 {
            let begin = Instant::now();
            connection.query_row(sql, [], |_| Ok(()))?;
            best = best.min(begin.elapsed().as_secs_f64());
        }
        Ok(best * 1e3)
    };
    let exact = timed("SELECT pg_sum_numeric(exact) FROM prices")?;
    let real = timed("SELECT sum(real) FROM prices")?;
    println!("pg_sum_numeric {exact:.0} ms, sum of REAL {real:.0} ms");
    Ok(())
}
