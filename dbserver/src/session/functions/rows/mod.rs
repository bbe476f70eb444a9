//! The rows of catalog relations that are computed when a statement reads them.

mod extensions;
mod locks;
mod replication;
mod session;
mod statements;
mod statistics;

use dialect::pg_catalog::{Rows, built_in_rows};
use pgtypes::SqlValue as Value;

use crate::session::functions::activity;
use crate::session::functions::facts::{Facts, SessionFunction};
use crate::session::functions::refusal::Refusal;

pub(in crate::session) use session::SessionRows;

/// What fills the rows of a relation.
type Fill = fn(&Facts, &mut Rows) -> Result<(), Refusal>;

/// The function of that name.
pub(super) fn find(name: &str) -> Option<SessionFunction> {
    Some(match name {
        "eq_catalog_rows" => rows,
        "pg_stat_statements" => statements::function,
        "pg_stat_statements_info" => |facts, _| rows(facts, &[text("pg_stat_statements_info")]),
        "pg_stat_statements_reset" => statements::reset,
        _ => return None,
    })
}

/// The rows of the relation that is named: a JSON array of arrays whose values have their stored forms.
fn rows(facts: &Facts, arguments: &[Value]) -> Result<Value, Refusal> {
    let Some(Value::Text(name)) = arguments.first() else {
        return Ok(Value::Null);
    };
    match name.as_str() {
        "pg_stat_activity" => return activity::sessions(facts),
        "pg_stat_ssl" => return activity::channels(facts),
        _ => {}
    }
    if let Some(rows) = built_in_rows(name) {
        return Ok(Value::Text(rows.to_owned()));
    }
    let Some(mut rows) = Rows::named(name) else {
        return Ok(Value::Text("[]".to_owned()));
    };
    if let Some(fill) = fill(name) {
        fill(facts, &mut rows)?;
    }
    Ok(Value::Text(rows.end()))
}

fn fill(name: &str) -> Option<Fill> {
    Some(match name {
        "pg_available_extensions" => extensions::available,
        "pg_available_extension_versions" => extensions::versions,
        "pg_cursors" => session::cursors,
        "pg_prepared_statements" => session::prepared_statements,
        "pg_locks" => locks::all,
        "pg_stat_all_tables"
        | "pg_stat_user_tables"
        | "pg_statio_all_tables"
        | "pg_statio_user_tables" => statistics::tables,
        "pg_stat_all_indexes"
        | "pg_stat_user_indexes"
        | "pg_statio_all_indexes"
        | "pg_statio_user_indexes" => statistics::indexes,
        "pg_stat_database" | "pg_stat_database_conflicts" => statistics::databases,
        "pg_stat_bgwriter" => statistics::checkpoints,
        "pg_stat_archiver" => statistics::archiver,
        "pg_stat_replication" => replication::slaves,
        "pg_stat_wal_receiver" => replication::receiver,
        "pg_stat_statements" => statements::all,
        "pg_stat_statements_info" => statements::info,
        _ => return None,
    })
}

fn text(text: impl Into<String>) -> Value {
    Value::Text(text.into())
}

fn number(number: impl Into<i64>) -> Value {
    Value::Integer(number.into())
}

/// A count that SQL's integers may not hold.
fn count(count: u64) -> Value {
    Value::Integer(i64::try_from(count).unwrap_or(i64::MAX))
}

fn truth(truth: bool) -> Value {
    Value::Integer(truth.into())
}

fn optional(number: Option<u32>) -> Value {
    number.map_or(Value::Null, |number| Value::Integer(number.into()))
}
