//! `pg_stat_statements`, and the function that begins its counts anew.

use std::time::{SystemTime, UNIX_EPOCH};

use dialect::pg_catalog::Rows;
use pgtypes::{SqlState, SqlValue as Value};

use crate::process::statement_counts::query_id;
use crate::session::functions::facts::{EPOCH_2000, Facts};
use crate::session::functions::refusal::Refusal;
use crate::session::functions::rows::{count, number, optional, text, truth};
use crate::system::users::{Privilege, Users};

fn is_administrator(facts: &Facts) -> Result<bool, Refusal> {
    let privilege = Users::of(&facts.env)
        .privilege(&facts.user)
        .map_err(|error| Refusal::new(error.sqlstate(), error.to_string()))?;
    Ok(privilege == Privilege::Dba)
}

/// A row for each text; administrators see the texts of all, and everybody his own.
pub(super) fn all(facts: &Facts, rows: &mut Rows) -> Result<(), Refusal> {
    each(facts, rows, true)
}

/// `pg_stat_statements(showtext)`
pub(super) fn function(facts: &Facts, arguments: &[Value]) -> Result<Value, Refusal> {
    let shows = !matches!(arguments.first(), Some(Value::Integer(0)));
    let Some(mut rows) = Rows::named("pg_stat_statements") else {
        return Ok(Value::Null);
    };
    each(facts, &mut rows, shows)?;
    Ok(Value::Text(rows.end()))
}

fn each(facts: &Facts, rows: &mut Rows, shows_text: bool) -> Result<(), Refusal> {
    let every = is_administrator(facts)?;
    let objects = facts.objects();
    for (key, costs) in facts.env.core().counters().texts.list() {
        let may = every || key.user == facts.user;
        let query = match (shows_text, may) {
            (false, _) => Value::Null,
            (true, true) => text(&key.text),
            (true, false) => text("<insufficient privilege>"),
        };
        rows.push(&[
            ("userid", optional(objects.role_number(&key.user))),
            ("dbid", optional(objects.database_number(&key.database))),
            ("toplevel", truth(true)),
            (
                "queryid",
                if may {
                    number(query_id(&key.text))
                } else {
                    Value::Null
                },
            ),
            ("query", query),
            // Plans are made with the execution, and counted there.
            ("plans", number(0)),
            ("total_plan_time", Value::Real(0.0)),
            ("min_plan_time", Value::Real(0.0)),
            ("max_plan_time", Value::Real(0.0)),
            ("mean_plan_time", Value::Real(0.0)),
            ("stddev_plan_time", Value::Real(0.0)),
            ("calls", count(costs.calls)),
            ("total_exec_time", Value::Real(costs.total)),
            ("min_exec_time", Value::Real(costs.min)),
            ("max_exec_time", Value::Real(costs.max)),
            ("mean_exec_time", Value::Real(costs.mean())),
            ("stddev_exec_time", Value::Real(costs.deviation())),
            ("rows", count(costs.rows)),
        ]);
    }
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "in a table with what can fail")]
pub(super) fn info(facts: &Facts, rows: &mut Rows) -> Result<(), Refusal> {
    let (given_up, since) = facts.env.core().counters().texts.info();
    rows.push(&[("dealloc", count(given_up)), ("stats_reset", moment(since))]);
    Ok(())
}

fn moment(time: SystemTime) -> Value {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let since = i64::try_from(since.as_micros()).unwrap_or(i64::MAX);
    Value::Integer(since - EPOCH_2000)
}

/// `pg_stat_statements_reset(userid, dbid, queryid)`; 0 stands for all of them.
pub(super) fn reset(facts: &Facts, arguments: &[Value]) -> Result<Value, Refusal> {
    if !is_administrator(facts)? {
        return Err(Refusal::new(
            SqlState::INSUFFICIENT_PRIVILEGE,
            "permission denied for function pg_stat_statements_reset",
        ));
    }
    let objects = facts.objects();
    let asked = |at: usize| match arguments.get(at) {
        Some(Value::Integer(number)) => *number,
        _ => 0,
    };
    let (user, database, query) = (asked(0), asked(1), asked(2));
    let is = |wanted: i64, own: Option<u32>| {
        wanted == 0 || own.is_some_and(|own| i64::from(own) == wanted)
    };
    let all = (user, database, query) == (0, 0, 0);
    facts.env.core().counters().texts.forget(
        |key| {
            is(user, objects.role_number(&key.user))
                && is(database, objects.database_number(&key.database))
                && (query == 0 || query == query_id(&key.text))
        },
        all,
    );
    Ok(text(""))
}
