//! `set_config`. It runs in the middle of a statement, where the session's settings can't be reached: functions see the
//! new value at once, and the session takes it when the statement is done.

use pgtypes::{SqlState, SqlValue as Value};

use crate::failure::Failure;
use crate::session::bounds::Ceiling;
use crate::session::functions::facts::{Facts, SessionFunction, lock};
use crate::session::functions::refusal::Refusal;
use crate::session::{parameters, setting_value};
use crate::system::authority;

/// The function of that name.
pub(super) fn find(name: &str) -> Option<SessionFunction> {
    (name == "set_config").then_some(set_config as SessionFunction)
}

fn set_config(facts: &Facts, arguments: &[Value]) -> Result<Value, Refusal> {
    let [Value::Text(name), Value::Text(value), ..] = arguments else {
        return Ok(Value::Null);
    };
    let local = matches!(arguments.get(2), Some(Value::Integer(1)));
    let mut settings = lock(&facts.settings);
    let (key, kept, shown) = match parameters::find(name) {
        Some(parameter) if parameters::OF_TRANSACTION.contains(&parameter.name) => {
            return Err(Refusal::new(
                SqlState::FEATURE_NOT_SUPPORTED,
                format!("set_config of \"{name}\" is not supported; use SET"),
            ));
        }
        Some(parameter) => {
            if parameter.name == parameters::ROLE {
                check_role(facts, value)?;
            }
            let key = parameter.name.to_ascii_lowercase();
            let present = settings.get(&key).map_or("", String::as_str);
            let kept = setting_value::checked(parameter, value, present).map_err(refused)?;
            let ceiling = Ceiling::of(facts.env.config().server.temp_file_limit);
            ceiling.check(parameter, &kept).map_err(refused)?;
            let shown = setting_value::shown(parameter, &kept);
            (key, kept, shown)
        }
        None if name.contains('.') => (name.to_ascii_lowercase(), value.clone(), value.clone()),
        None => {
            return Err(Refusal::new(
                SqlState::UNDEFINED_OBJECT,
                format!("unrecognized configuration parameter \"{name}\""),
            ));
        }
    };
    settings.insert(key.clone(), shown.clone());
    lock(&facts.said).push((key, kept, local));
    Ok(Value::Text(shown))
}

/// Refuses a role that the session's user is no member of.
fn check_role(facts: &Facts, role: &str) -> Result<(), Refusal> {
    if role == "none" {
        return Ok(());
    }
    let (known, _) = authority::known(&facts.env)
        .map_err(|error| Refusal::new(error.sqlstate(), error.to_string()))?;
    if !known.roles.has(role) {
        let message = format!("role \"{role}\" does not exist");
        return Err(Refusal::new(SqlState::INVALID_PARAMETER_VALUE, message));
    }
    if known.roles.may_become(&facts.user, role) {
        return Ok(());
    }
    let message = format!("permission denied to set role \"{role}\"");
    Err(Refusal::new(SqlState::INSUFFICIENT_PRIVILEGE, message))
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn refused(failure: Failure) -> Refusal {
    let fields = failure.fields();
    Refusal::new(fields.sqlstate, fields.message.clone())
}
