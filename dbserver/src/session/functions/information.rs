//! Functions that say where and who the session is, and what time it has.

use std::time::UNIX_EPOCH;

use pgtypes::{Format, PgType, SqlState, SqlValue as Value};

use crate::session::functions::facts::{EPOCH_2000, Facts, SessionFunction, lock};
use crate::session::functions::refusal::Refusal;
use crate::session::parameters::{self, OPEN_MODE, SERVER_VERSION};
use crate::session::search_path;

/// The function of that name.
pub(super) fn find(name: &str) -> Option<SessionFunction> {
    Some(match name {
        "version" => |_, _| {
            Ok(text(format!(
                "PostgreSQL {SERVER_VERSION}, SQLite {}",
                rusqlite::version()
            )))
        },
        "current_database" => |facts, _| Ok(text(facts.database.clone())),
        "current_user" => |facts, _| Ok(text(facts.role())),
        "session_user" => |facts, _| Ok(text(facts.user.clone())),
        "current_schema" => |facts, _| {
            let first = schemas(facts, false).into_iter().next();
            Ok(first.map_or(Value::Null, text))
        },
        "current_schemas" => |facts, arguments| {
            let implicit = !matches!(arguments.first(), Some(Value::Integer(0)));
            let schemas = schemas(facts, implicit);
            let names = schemas.iter().map(|name| Some(name.as_str()));
            Ok(text(pgtypes::array::text_of(names)))
        },
        "current_setting" => current_setting,
        "pg_is_in_recovery" => |facts, _| Ok(Value::Integer(i64::from(facts.home.is_read_only()))),
        "pg_backend_pid" => |facts, _| Ok(Value::Integer(i64::from(facts.pid))),
        "inet_client_addr" => |facts, _| {
            let address = facts.address.address();
            Ok(address.map_or(Value::Null, |address| text(address.ip().to_string())))
        },
        "inet_client_port" => |facts, _| {
            let address = facts.address.address();
            Ok(address.map_or(Value::Null, |address| Value::Integer(address.port().into())))
        },
        "inet_server_addr" => |_, _| Ok(Value::Null),
        "inet_server_port" => |facts, _| {
            let address = facts.address.address();
            Ok(address.map_or(Value::Null, |_| server_port(facts)))
        },
        "pg_postmaster_start_time" | "pg_conf_load_time" => |facts, _| started(facts),
        "eloqdb_last_commit" => |facts, _| {
            Ok(facts
                .seen()
                .map_or(Value::Null, |seen| text(seen.to_string())))
        },
        "txid_current" => |facts, _| Ok(last_commit(facts)),
        "pg_database_size" => database_size,
        _ => return None,
    })
}

fn text(text: impl Into<String>) -> Value {
    Value::Text(text.into())
}

/// What `set_config` has said holds at once.
fn schemas(facts: &Facts, implicit: bool) -> Vec<String> {
    let path = lock(&facts.settings).get("search_path").cloned();
    let path = path.unwrap_or_default();
    search_path::schemas(&path, &facts.role(), &facts.schemas(), implicit)
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
        let on_slave = facts.home.is_read_only();
        return Ok(text(if on_slave { "on" } else { "off" }));
    }
    if key == "synchronous_standby_names" {
        let rule = facts.home.core().release().status().rule;
        return Ok(text(rule.unwrap_or_default()));
    }
    if key == OPEN_MODE {
        return Ok(facts
            .open_mode()
            .map_or_else(|| text(""), |mode| text(mode.to_string())));
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
    let objects = facts.objects();
    let name = match arguments.first() {
        Some(Value::Text(name)) => name.as_str(),
        Some(Value::Integer(oid)) => match objects.database(*oid) {
            Some(name) => name,
            None => return Ok(Value::Null),
        },
        _ => return Ok(Value::Null),
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
