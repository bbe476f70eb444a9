//! Functions that say where and who the session is, and what time it has.

use std::sync::atomic::Ordering;
use std::time::UNIX_EPOCH;

use dialect::functions::Value;
use dialect::{Implementation, REQUIRED_FUNCTIONS};
use pgtypes::{Format, PgType, SqlState};

use crate::session::functions::facts::{self, Facts, SessionFunction, lock};
use crate::session::functions::refusal::Refusal;
use crate::session::parameters::{self, SERVER_VERSION};

/// The function of that name.
pub(super) fn find(name: &str) -> Option<SessionFunction> {
    Some(match name {
        "version" => |_, _| {
            Ok(text(format!(
                "PostgreSQL {SERVER_VERSION}, SQLite {}",
                rusqlite::version()
            )))
        },
        "current_database" | "current_catalog" => |facts, _| Ok(text(facts.database.clone())),
        "current_user" | "session_user" | "user" | "current_role" => {
            |facts, _| Ok(text(facts.user.clone()))
        }
        "current_schema" => |_, _| Ok(text("public")),
        "current_schemas" => |_, arguments| {
            let without = matches!(arguments.first(), Some(Value::Integer(0)));
            Ok(text(if without {
                "{public}"
            } else {
                "{pg_catalog,public}"
            }))
        },
        "current_setting" => current_setting,
        "pg_is_in_recovery" => |facts, _| Ok(Value::Integer(i64::from(facts.env.is_read_only()))),
        "pg_backend_pid" => |facts, _| Ok(Value::Integer(i64::from(facts.pid))),
        "inet_client_addr" => |facts, _| Ok(text(facts.address.ip().to_string())),
        "inet_client_port" => |facts, _| Ok(Value::Integer(i64::from(facts.address.port()))),
        "inet_server_addr" => |_, _| Ok(Value::Null),
        "inet_server_port" => |facts, _| Ok(server_port(facts)),
        "pg_postmaster_start_time" | "pg_conf_load_time" => |facts, _| started(facts),
        "txid_current" | "txid_current_if_assigned" => |facts, _| Ok(last_commit(facts)),
        "pg_database_size" => database_size,
        "pg_relation_size"
        | "pg_total_relation_size"
        | "pg_table_size"
        | "pg_indexes_size"
        | "pg_my_temp_schema" => |_, _| Ok(Value::Integer(0)),
        "obj_description" | "shobj_description" => |facts, arguments| {
            let class = match arguments.get(1) {
                None => 0,
                Some(Value::Text(name)) => class_number(name),
                Some(_) => return Ok(Value::Null),
            };
            Ok(comment(facts, class, arguments.first(), 0))
        },
        "col_description" => |facts, arguments| match arguments.get(1) {
            Some(Value::Integer(column)) if *column != 0 => {
                Ok(comment(facts, PG_CLASS, arguments.first(), *column))
            }
            _ => Ok(Value::Null),
        },
        "age" => age,
        "now" => |facts, _| timestamp(facts.transaction_time.load(Ordering::Relaxed)),
        "statement_timestamp" => |facts, _| timestamp(facts.statement_time.load(Ordering::Relaxed)),
        "clock_timestamp" => |_, _| timestamp(facts::now()),
        _ => return None,
    })
}

fn text(text: impl Into<String>) -> Value {
    Value::Text(text.into())
}

/// The number of `pg_class` among the catalog's tables.
const PG_CLASS: i64 = 1259;

/// The numbers of the catalog tables whose objects have comments; -1 of any other.
fn class_number(name: &str) -> i64 {
    match name {
        "pg_class" => PG_CLASS,
        "pg_constraint" => 2606,
        "pg_namespace" => 2615,
        "pg_extension" => 3079,
        "pg_database" => 1262,
        _ => -1,
    }
}

fn comment(facts: &Facts, class: i64, object: Option<&Value>, column: i64) -> Value {
    let Some(Value::Integer(object)) = object else {
        return Value::Null;
    };
    let comments = lock(&facts.comments);
    let found = if class == 0 {
        comments
            .iter()
            .find(|((_, known, part), _)| known == object && *part == column)
            .map(|(_, said)| said)
    } else {
        comments.get(&(class, *object, column))
    };
    found.map_or(Value::Null, |said| text(said.clone()))
}

fn current_setting(facts: &Facts, arguments: &[Value]) -> Result<Value, Refusal> {
    let Some(Value::Text(name)) = arguments.first() else {
        return Ok(Value::Null);
    };
    let missing_ok = matches!(arguments.get(1), Some(Value::Integer(1)));
    let key = parameters::find(name)
        .map_or(name.as_str(), |p| p.name)
        .to_ascii_lowercase();
    if key == "in_hot_standby" {
        // The role is the server's, at this time.
        let on_slave = facts.env.is_read_only();
        return Ok(text(if on_slave { "on" } else { "off" }));
    }
    match lock(&facts.settings).get(&key) {
        Some(value) => Ok(text(value.clone())),
        None if missing_ok => Ok(Value::Null),
        None => Err(Refusal::new(
            SqlState::UNDEFINED_OBJECT,
            format!("unrecognized configuration parameter \"{name}\""),
        )),
    }
}

fn server_port(facts: &Facts) -> Value {
    let sockets = facts.env.config().server.sockets().unwrap_or_default();
    sockets.first().map_or(Value::Null, |socket| {
        Value::Integer(i64::from(socket.port()))
    })
}

fn started(facts: &Facts) -> Result<Value, Refusal> {
    let since = facts.started.duration_since(UNIX_EPOCH).unwrap_or_default();
    timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

fn last_commit(facts: &Facts) -> Value {
    let commit = facts
        .env
        .database(&facts.database)
        .map(|database| database.store().latest().0);
    commit.map_or(Value::Null, |commit| {
        Value::Integer(i64::try_from(commit.get()).unwrap_or(i64::MAX))
    })
}

fn database_size(facts: &Facts, arguments: &[Value]) -> Result<Value, Refusal> {
    let name = match arguments.first() {
        Some(Value::Text(name)) => name.as_str(),
        _ => &facts.database,
    };
    let database = facts
        .env
        .database(name)
        .map_err(|error| Refusal::new(error.sqlstate(), error.to_string()))?;
    let pages = i64::from(database.store().latest().1);
    Ok(Value::Integer(pages * 4096))
}

/// A time in the stored form of `timestamptz`.
fn timestamp(micros: i64) -> Result<Value, Refusal> {
    stored(micros, &PgType::Timestamptz(None))
}

/// The time since a timestamp: from the beginning of this day.
fn age(facts: &Facts, arguments: &[Value]) -> Result<Value, Refusal> {
    let Some(then) = arguments.first() else {
        return Ok(Value::Null);
    };
    let now = timestamp(facts.transaction_time.load(Ordering::Relaxed))?;
    let now = pgtypes::to_text(now.as_ref(), &PgType::Timestamptz(None));
    let today = format!("{} 00:00:00", now.get(..10).unwrap_or_default());
    let pure = REQUIRED_FUNCTIONS
        .iter()
        .find_map(|spec| match spec.implementation {
            Implementation::Pure(pure) if spec.name == "age" && spec.arguments == 2 => Some(pure),
            _ => None,
        });
    let Some(pure) = pure else {
        return Ok(Value::Null);
    };
    pure(&[text(today), then.clone()]).map_err(|error| Refusal::new(error.sqlstate, error.message))
}

/// Microseconds between 1970 and 2000, where the binary form begins.
const EPOCH_2000: i64 = 946_684_800_000_000;

fn stored(micros: i64, ty: &PgType) -> Result<Value, Refusal> {
    let mut bytes = Vec::with_capacity(8);
    bytes::BufMut::put_i64(&mut bytes, micros - EPOCH_2000);
    match pgtypes::decode(&bytes, ty, Format::Binary) {
        Ok(value) => Ok(value),
        Err(error) => Err(Refusal::new(error.sqlstate, error.message)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_the_stored_form() {
        let Ok(time) = timestamp(EPOCH_2000 + 1_500_000) else {
            panic!("no time")
        };
        assert_eq!(time, Value::Integer(1_500_000));
    }
}
