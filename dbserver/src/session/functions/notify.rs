//! `pg_notify` and `pg_listening_channels`.

use pgtypes::{SqlState, SqlValue as Value};

use crate::session::functions::facts::{Facts, SessionFunction};
use crate::session::functions::refusal::Refusal;

/// The function of that name.
pub(super) fn find(name: &str) -> Option<SessionFunction> {
    Some(match name {
        "pg_notify" => notify,
        "pg_listening_channels" => |facts, _| {
            let channels = facts.listening.channels();
            let quoted = channels.iter().map(|name| pgtypes::json::quoted(name));
            let quoted: Vec<String> = quoted.collect();
            Ok(Value::Text(format!("[{}]", quoted.join(","))))
        },
        _ => return None,
    })
}

/// `pg_notify(channel, payload)`; NULL is an empty text.
fn notify(facts: &Facts, arguments: &[Value]) -> Result<Value, Refusal> {
    if facts.home.is_read_only() {
        return Err(Refusal::new(
            SqlState::READ_ONLY_SQL_TRANSACTION,
            "cannot execute NOTIFY during recovery",
        ));
    }
    let text = |at: usize| match arguments.get(at) {
        Some(Value::Text(text)) => text.as_str(),
        _ => "",
    };
    let told = facts.listening.notify(text(0), text(1));
    told.map_err(|(state, why)| Refusal::new(state, why))?;
    Ok(Value::Text(String::new()))
}
