//! nextval and its kin.

use pgtypes::{SqlState, SqlValue as Value};

use crate::session::functions::facts::{Facts, SessionFunction};
use crate::session::functions::refusal::Refusal;
use crate::session::search_path;
use crate::session::sequences::Refused;

/// The function of that name.
pub(super) fn find(name: &str) -> Option<SessionFunction> {
    Some(match name {
        "nextval" => {
            |facts, arguments| on_sequence(facts, arguments, |name| facts.sequences.next(name))
        }
        "currval" => {
            |facts, arguments| on_sequence(facts, arguments, |name| facts.sequences.current(name))
        }
        "lastval" => |facts, _| number(facts.sequences.last()),
        "setval" => set,
        "pg_get_serial_sequence" => serial_sequence,
        "eq_sequence_stamp" => |facts, _| Ok(Value::Integer(facts.sequences.stamp())),
        "eq_sequence_last" => |facts, arguments| {
            Ok(match present(facts, arguments) {
                Some((last, _)) => Value::Integer(last),
                None => arguments.get(2).cloned().unwrap_or(Value::Null),
            })
        },
        "eq_sequence_called" => |facts, arguments| {
            Ok(match present(facts, arguments) {
                Some((_, called)) => Value::Integer(i64::from(called)),
                None => arguments.get(2).cloned().unwrap_or(Value::Null),
            })
        },
        _ => return None,
    })
}

fn number(result: Result<i64, Refused>) -> Result<Value, Refusal> {
    result
        .map(Value::Integer)
        .map_err(|(sqlstate, message)| Refusal::new(sqlstate, message))
}

fn on_sequence(
    facts: &Facts,
    arguments: &[Value],
    call: impl FnOnce(&str) -> Result<i64, Refused>,
) -> Result<Value, Refusal> {
    match arguments.first() {
        Some(Value::Text(name)) if facts.schemas().is_empty() => number(call(name)),
        Some(Value::Text(name)) => {
            let mut names = stored_names(facts, name).into_iter();
            let found = names.find(|stored| facts.sequences.has(stored));
            let found = found.map(|stored| dialect::qualified_name(&stored));
            number(call(found.as_deref().unwrap_or(name)))
        }
        Some(Value::Null) | None => Ok(Value::Null),
        Some(_) => Err(Refusal::new(
            SqlState::FEATURE_NOT_SUPPORTED,
            "a sequence by its number is not supported",
        )),
    }
}

fn set(facts: &Facts, arguments: &[Value]) -> Result<Value, Refusal> {
    let called = match arguments.get(2) {
        Some(Value::Null) => return Ok(Value::Null),
        Some(Value::Integer(called)) => *called != 0,
        _ => true,
    };
    let Some(Value::Integer(value)) = arguments.get(1) else {
        return Ok(Value::Null);
    };
    on_sequence(facts, arguments, |name| {
        facts.sequences.set(name, *value, called)
    })
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "in a table with functions that can fail"
)]
fn serial_sequence(facts: &Facts, arguments: &[Value]) -> Result<Value, Refusal> {
    let (Some(Value::Text(table)), Some(Value::Text(column))) =
        (arguments.first(), arguments.get(1))
    else {
        return Ok(Value::Null);
    };
    let owned = stored_names(facts, table)
        .iter()
        .find_map(|table| facts.sequences.owned(table, column));
    Ok(owned.map_or(Value::Null, |stored| {
        let (schema, name) = dialect::split_name(&stored);
        let shown = [schema, name].map(dialect::identifier);
        Value::Text(shown.join("."))
    }))
}

/// The names under which what a text names may be stored: without a schema it is in one of the search path.
fn stored_names(facts: &Facts, text: &str) -> Vec<String> {
    let stored = dialect::bare_name(text);
    let (schema, name) = dialect::split_name(&stored);
    if schema != "public" || text.contains('.') {
        return vec![stored];
    }
    let path = search_path::of_users(&facts.search_path(), &facts.role(), &facts.schemas());
    let names = path.iter().map(|schema| dialect::stored_name(schema, name));
    names.collect()
}

fn present(facts: &Facts, arguments: &[Value]) -> Option<(i64, bool)> {
    match arguments {
        [Value::Integer(id), Value::Integer(generation), ..] => {
            facts.sequences.present(*id, *generation)
        }
        _ => None,
    }
}
