//! Functions that do something to a session.

use std::time::{Duration, Instant};

use pgtypes::{SqlState, SqlValue as Value};

use crate::control_plane::Person;
use crate::session::functions::facts::{Facts, SessionFunction, lock};
use crate::session::functions::refusal::Refusal;
use crate::session::search_path;
use crate::system::users::{Privilege, Users};

/// The function of that name.
pub(super) fn find(name: &str) -> Option<SessionFunction> {
    Some(match name {
        "pg_sleep" => sleep,
        "pg_cancel_backend" => |facts, arguments| end_session(facts, arguments, false),
        "pg_terminate_backend" => |facts, arguments| end_session(facts, arguments, true),
        "set_config" => set_config,
        "pg_advisory_unlock_all" => |_, _| Ok(Value::Text(String::new())),
        _ => return None,
    })
}

fn sleep(facts: &Facts, arguments: &[Value]) -> Result<Value, Refusal> {
    let seconds = match arguments.first() {
        Some(Value::Integer(seconds)) => f64::from(i32::try_from(*seconds).unwrap_or(i32::MAX)),
        Some(Value::Real(seconds)) => *seconds,
        Some(Value::Text(text)) => text.trim().parse().unwrap_or(0.0),
        _ => return Ok(Value::Null),
    };
    let length = Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX);
    let end = Instant::now().checked_add(length);
    loop {
        if let Err(error) = facts.interrupt.check() {
            return Err(Refusal::new(error.sqlstate(), error.to_string()));
        }
        // An interrupt unparks the session's thread, which this is.
        match end {
            None => std::thread::park(),
            Some(end) => match end.checked_duration_since(Instant::now()) {
                Some(left) if !left.is_zero() => std::thread::park_timeout(left),
                _ => return Ok(Value::Text(String::new())),
            },
        }
    }
}

fn end_session(facts: &Facts, arguments: &[Value], whole: bool) -> Result<Value, Refusal> {
    let Some(Value::Integer(pid)) = arguments.first() else {
        return Ok(Value::Null);
    };
    let own = i64::from(facts.pid) == *pid;
    let may = own
        || Users::of(&facts.env)
            .privilege(&facts.user)
            .is_ok_and(|privilege| privilege != Privilege::User);
    if !may {
        return Err(Refusal::new(
            SqlState::INSUFFICIENT_PRIVILEGE,
            "permission denied: another user's session needs the privilege dba or operator",
        ));
    }
    let Ok(pid) = i32::try_from(*pid) else {
        return Ok(Value::Integer(0));
    };
    let found = if whole {
        facts.sessions.kill(pid)
    } else {
        facts.sessions.cancel_by_operator(pid)
    };
    if found {
        let what = if whole {
            "session"
        } else {
            "the statement of session"
        };
        let person = Person {
            user: &facts.user,
            address: facts.address,
        };
        person.has_done(&format!("{what} {pid} is told to end"));
    }
    Ok(Value::Integer(i64::from(found)))
}

/// `set_config` runs in the middle of a statement, where the settings can't be reached: it takes what is set already,
/// and a search path, which is that of the next statement.
fn set_config(facts: &Facts, arguments: &[Value]) -> Result<Value, Refusal> {
    let [Value::Text(name), Value::Text(value), ..] = arguments else {
        return Ok(Value::Null);
    };
    let key = name.to_ascii_lowercase();
    let settings = lock(&facts.settings);
    if settings.get(&key) == Some(value) {
        return Ok(Value::Text(value.clone()));
    }
    if key == "search_path" {
        let local = matches!(arguments.get(2), Some(Value::Integer(1)));
        let value = search_path::checked(value).map_err(|failure| {
            let fields = failure.fields();
            Refusal::new(fields.sqlstate, fields.message.clone())
        })?;
        lock(&facts.said).push((key, value.clone(), local));
        return Ok(Value::Text(value));
    }
    Err(Refusal::new(
        SqlState::FEATURE_NOT_SUPPORTED,
        format!("set_config of \"{name}\" is not supported; use SET"),
    ))
}
