//! Functions that do something to a session.

use std::time::{Duration, Instant};

use pgtypes::{SqlState, SqlValue as Value};

use crate::control_plane::Person;
use crate::session::functions::facts::{Facts, SessionFunction, lock};
use crate::session::functions::refusal::Refusal;
use crate::system::users::{Privilege, Users};

/// The function of that name.
pub(super) fn find(name: &str) -> Option<SessionFunction> {
    Some(match name {
        "pg_sleep" => sleep,
        "pg_cancel_backend" => |facts, arguments| end_session(facts, arguments, false),
        "pg_terminate_backend" => |facts, arguments| end_session(facts, arguments, true),
        "eq_note_row" => note_row,
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
    let limit = match arguments.get(1) {
        None => 0,
        Some(Value::Integer(limit)) => *limit,
        Some(_) => return Ok(Value::Null),
    };
    let limit = u64::try_from(limit).map_err(|_| {
        let message = "\"timeout\" must not be negative";
        Refusal::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, message)
    })?;
    let known = i32::try_from(*pid)
        .ok()
        .and_then(|pid| Some((pid, facts.sessions.user_of(pid)?)));
    let Some((pid, user)) = known else {
        return Ok(Value::Integer(0));
    };
    check_may_signal(facts, &user, whole)?;
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
        person.has_done(&facts.env, &format!("{what} {pid} is told to end"));
    }
    if !found || limit == 0 || pid == facts.pid {
        return Ok(Value::Integer(i64::from(found)));
    }
    let deadline = Instant::now().checked_add(Duration::from_millis(limit));
    let gone = facts.sessions.wait_gone(pid, deadline, &facts.interrupt);
    gone.map(|gone| Value::Integer(i64::from(gone)))
        .map_err(|error| Refusal::new(error.sqlstate(), error.to_string()))
}

/// One's own sessions may be ended, and by administrators and operators all; 42501.
fn check_may_signal(facts: &Facts, user: &str, whole: bool) -> Result<(), Refusal> {
    if user == facts.user {
        return Ok(());
    }
    let what = if whole {
        "process is being terminated"
    } else {
        "query is being canceled"
    };
    match Users::of(&facts.env).privilege(&facts.user) {
        Ok(Privilege::Dba | Privilege::Operator) => Ok(()),
        Ok(Privilege::User) => Err(Refusal::new(
            SqlState::INSUFFICIENT_PRIVILEGE,
            format!("must be a member of the role whose {what} or member of pg_signal_backend"),
        )),
        Err(error) => Err(Refusal::new(error.sqlstate(), error.to_string())),
    }
}

/// `eq_note_row(place, value, …)`: the values of a row from that place on.
#[expect(
    clippy::unnecessary_wraps,
    reason = "in a table with functions that can fail"
)]
fn note_row(facts: &Facts, arguments: &[Value]) -> Result<Value, Refusal> {
    let mut noted = lock(&facts.noted_row);
    if let [Value::Integer(place), values @ ..] = arguments {
        if *place == 0 {
            noted.clear();
        }
        noted.extend_from_slice(values);
    }
    Ok(Value::Null)
}
