//! `UPDATE … SET document['a'][0] = value`: what the path misses is made, and gaps in arrays are filled with nulls.

use pgtypes::json::{Json, key_order};
use pgtypes::{SqlState, SqlValueRef, ValueError};

use crate::arguments::{Answer, text, truth, value, written};
use crate::error::fail;
use crate::registry::Scalar;

pub(crate) const FUNCTIONS: &[Scalar] = &[Scalar::pure("pg_jsonb_assign", -1, assign).loose()];

/// The document, the new value, whether a document that is NULL becomes an array, and the steps.
fn assign(arguments: &[SqlValueRef<'_>]) -> Answer {
    let mut steps = Vec::new();
    for (at, step) in arguments.iter().enumerate().skip(3) {
        if step.is_null() {
            return fail(
                SqlState::NULL_VALUE_NOT_ALLOWED,
                "jsonb subscript in assignment must not be null",
            );
        }
        steps.push(text(arguments, at)?);
    }
    let new = match value(arguments, 1) {
        SqlValueRef::Null => Json::Null,
        _ => Json::parse(text(arguments, 1)?)?,
    };
    let document = match value(arguments, 0) {
        SqlValueRef::Null if truth(arguments, 2)? => Json::Array(Vec::new()),
        SqlValueRef::Null => Json::Object(Vec::new()),
        _ => Json::parse(text(arguments, 0)?)?,
    };
    written(assigned(document, &steps, 1, new)?)
}

/// `level` is the number of the first step, for messages.
fn assigned(document: Json, steps: &[&str], level: usize, new: Json) -> Result<Json, ValueError> {
    let Some((step, rest)) = steps.split_first() else {
        return Ok(new);
    };
    match document {
        Json::Object(mut members) => {
            match members.binary_search_by(|(key, _)| key_order(key, step)) {
                Ok(at) => {
                    if let Some((_, old)) = members.get_mut(at) {
                        let inner = std::mem::replace(old, Json::Null);
                        *old = assigned(inner, rest, level + 1, new)?;
                    }
                }
                Err(at) => members.insert(at, ((*step).to_owned(), made(rest, new))),
            }
            Ok(Json::Object(members))
        }
        Json::Array(mut elements) => {
            let at = place(step, elements.len(), level)?;
            match elements.get_mut(at) {
                Some(old) => {
                    let inner = std::mem::replace(old, Json::Null);
                    *old = assigned(inner, rest, level + 1, new)?;
                }
                None => {
                    elements.resize(at, Json::Null);
                    elements.push(made(rest, new));
                }
            }
            Ok(Json::Array(elements))
        }
        _ => Err(ValueError::new(
            SqlState::INVALID_PARAMETER_VALUE,
            "cannot replace existing key",
        )
        .with_detail("The path assumes key is a composite object, but it is a scalar value.")),
    }
}

/// What stands where nothing was: an array for a step that is a number, else an object.
fn made(steps: &[&str], new: Json) -> Json {
    let Some((step, rest)) = steps.split_first() else {
        return new;
    };
    let inner = made(rest, new);
    match step.parse::<i32>() {
        Ok(at) => {
            let mut elements = vec![Json::Null; usize::try_from(at).unwrap_or(0)];
            elements.push(inner);
            Json::Array(elements)
        }
        Err(_) => Json::Object(vec![((*step).to_owned(), inner)]),
    }
}

fn place(step: &str, length: usize, level: usize) -> Result<usize, ValueError> {
    let Ok(number) = step.parse::<i32>() else {
        return fail(
            SqlState::INVALID_TEXT_REPRESENTATION,
            format!("path element at position {level} is not an integer: \"{step}\""),
        );
    };
    let at = match usize::try_from(number) {
        Ok(at) => Some(at),
        Err(_) => length.checked_sub(usize::try_from(number.unsigned_abs()).unwrap_or(usize::MAX)),
    };
    match at {
        Some(at) => Ok(at),
        None => fail(
            SqlState::NUMERIC_VALUE_OUT_OF_RANGE,
            format!("path element at position {level} is out of range: {number}"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::assigned;
    use pgtypes::json::Json;

    fn after(document: &str, steps: &[&str]) -> String {
        let document = Json::parse(document).unwrap();
        match assigned(document, steps, 1, Json::Number("1".to_owned())) {
            Ok(document) => document.to_string(),
            Err(error) => error.message,
        }
    }

    #[test]
    fn paths_are_made_and_gaps_filled() {
        assert_eq!(after("{}", &["a"]), "{\"a\": 1}");
        assert_eq!(after("[0]", &["3"]), "[0, null, null, 1]");
        assert_eq!(after("[0, 1, 2]", &["-2"]), "[0, 1, 2]");
        assert_eq!(after("{}", &["a", "1", "b"]), "{\"a\": [null, {\"b\": 1}]}");
        assert_eq!(after("{\"0\": 7}", &["0"]), "{\"0\": 1}");
    }

    #[test]
    fn what_cannot_be_is_refused() {
        assert_eq!(
            after("[0]", &["-8"]),
            "path element at position 1 is out of range: -8"
        );
        assert_eq!(
            after("{\"a\": 1}", &["a", "b"]),
            "cannot replace existing key"
        );
        assert_eq!(
            after("[]", &["a"]),
            "path element at position 1 is not an integer: \"a\""
        );
    }
}
