//! Documents changed: `||`, `-`, `#-`, `jsonb_set`, `jsonb_insert`, and stripped of nulls.

use pgtypes::json::{Json, key_order};
use pgtypes::{SqlState, SqlValue, SqlValueRef, ValueError};

use crate::arguments::{Answer, integer, text, truth, value, written};
use crate::array::{self, Array};
use crate::error::{fail, invalid};
use crate::json::access::place;
use crate::registry::Scalar;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_jsonb_concat", 2, |a| {
        written(joined(Json::parse(text(a, 0)?)?, Json::parse(text(a, 1)?)?))
    }),
    Scalar::pure("pg_jsonb_delete", 2, |a| {
        let key = text(a, 1)?.to_owned();
        written(without(Json::parse(text(a, 0)?)?, &[key])?)
    }),
    Scalar::pure("pg_jsonb_delete_array", 2, |a| {
        let keys = array::keys(text(a, 1)?)?;
        written(without(Json::parse(text(a, 0)?)?, &keys)?)
    }),
    Scalar::pure("pg_jsonb_delete_idx", 2, |a| {
        written(without_element(Json::parse(text(a, 0)?)?, integer(a, 1)?)?)
    }),
    Scalar::pure("pg_jsonb_delete_path", 2, |a| {
        let document = Json::parse(text(a, 0)?)?;
        if document.is_scalar() {
            return invalid("cannot delete path in scalar");
        }
        if is_empty(&document) {
            return written(document);
        }
        written(changed(document, &path(a)?, 0, &Change::Delete)?)
    }),
    Scalar::pure("pg_jsonb_set", 4, set),
    Scalar::pure("pg_jsonb_set_lax", 5, set_or_delete).loose(),
    Scalar::pure("pg_jsonb_insert", 4, insert),
    Scalar::pure("pg_jsonb_strip_nulls", 1, |a| {
        written(stripped(Json::parse(text(a, 0)?)?))
    }),
];

fn joined(a: Json, b: Json) -> Json {
    match (a, b) {
        (Json::Object(mut a), Json::Object(b)) => {
            a.extend(b);
            Json::object(a)
        }
        (Json::Array(mut a), Json::Array(b)) => {
            a.extend(b);
            Json::Array(a)
        }
        (Json::Array(mut a), b) => {
            a.push(b);
            Json::Array(a)
        }
        (a, Json::Array(mut b)) => {
            b.insert(0, a);
            Json::Array(b)
        }
        (a, b) => Json::Array(vec![a, b]),
    }
}

fn without(document: Json, keys: &[String]) -> Result<Json, ValueError> {
    let has = |name: &str| keys.iter().any(|key| key == name);
    match document {
        Json::Object(mut members) => {
            members.retain(|(key, _)| !has(key));
            Ok(Json::Object(members))
        }
        Json::Array(mut elements) => {
            elements.retain(|element| !matches!(element, Json::String(text) if has(text)));
            Ok(Json::Array(elements))
        }
        _ => invalid("cannot delete from scalar"),
    }
}

fn without_element(document: Json, at: i64) -> Result<Json, ValueError> {
    match document {
        Json::Array(mut elements) => {
            if let Some(at) = place(at, elements.len()).filter(|at| *at < elements.len()) {
                elements.remove(at);
            }
            Ok(Json::Array(elements))
        }
        Json::Object(_) => invalid("cannot delete from object using integer index"),
        _ => invalid("cannot delete from scalar"),
    }
}

fn stripped(document: Json) -> Json {
    match document {
        Json::Object(members) => Json::Object(
            members
                .into_iter()
                .filter(|(_, value)| *value != Json::Null)
                .map(|(key, value)| (key, stripped(value)))
                .collect(),
        ),
        Json::Array(elements) => Json::Array(elements.into_iter().map(stripped).collect()),
        other => other,
    }
}

fn is_empty(document: &Json) -> bool {
    match document {
        Json::Array(elements) => elements.is_empty(),
        Json::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// What to do where a path leads.
enum Change {
    Delete,
    /// Sets a value, and creates it where it is missing and that is wanted.
    Set {
        value: Json,
        create: bool,
    },
    /// Inserts a value before or behind an element.
    Insert {
        value: Json,
        behind: bool,
    },
}

/// The steps of a path, of which those that are reached must not be NULL; 2202E for one of several dimensions.
fn path(arguments: &[SqlValueRef<'_>]) -> Result<Vec<Option<String>>, ValueError> {
    let array = Array::parse(text(arguments, 1)?)?;
    if array.lengths().len() > 1 {
        return fail(
            SqlState::ARRAY_SUBSCRIPT_ERROR,
            "wrong number of array subscripts",
        );
    }
    Ok(array.leaves().map(|step| step.map(str::to_owned)).collect())
}

/// The step of a path at a depth.
fn step_at(path: &[Option<String>], depth: usize) -> Result<Option<&str>, ValueError> {
    match path.get(depth) {
        None => Ok(None),
        Some(Some(step)) => Ok(Some(step)),
        Some(None) => fail(
            SqlState::NULL_VALUE_NOT_ALLOWED,
            format!("path element at position {} is null", depth + 1),
        ),
    }
}

fn changed(
    document: Json,
    path: &[Option<String>],
    depth: usize,
    change: &Change,
) -> Result<Json, ValueError> {
    let Some(step) = step_at(path, depth)? else {
        return Ok(document);
    };
    let last = depth + 1 == path.len();
    match document {
        Json::Object(members) => in_object(members, path, depth, change),
        Json::Array(mut elements) => {
            let Ok(number) = step.trim_start().parse::<i32>() else {
                return fail(
                    SqlState::INVALID_TEXT_REPRESENTATION,
                    format!(
                        "path element at position {} is not an integer: \"{step}\"",
                        depth + 1
                    ),
                );
            };
            let found = place(number.into(), elements.len());
            match found.filter(|at| *at < elements.len()) {
                Some(at) if !last => {
                    if let Some(element) = elements.get_mut(at) {
                        let inner = std::mem::replace(element, Json::Null);
                        *element = changed(inner, path, depth + 1, change)?;
                    }
                }
                Some(at) => match change {
                    Change::Delete => drop(elements.remove(at)),
                    Change::Set { value, .. } => {
                        if let Some(element) = elements.get_mut(at) {
                            *element = value.clone();
                        }
                    }
                    Change::Insert { value, behind } => {
                        elements.insert(at + usize::from(*behind), value.clone());
                    }
                },
                None if last => match change {
                    Change::Set {
                        value,
                        create: true,
                    }
                    | Change::Insert { value, .. } => {
                        let at = if number < 0 { 0 } else { elements.len() };
                        elements.insert(at, value.clone());
                    }
                    _ => {}
                },
                None => {}
            }
            Ok(Json::Array(elements))
        }
        scalar => Ok(scalar),
    }
}

fn in_object(
    mut members: Vec<(String, Json)>,
    path: &[Option<String>],
    depth: usize,
    change: &Change,
) -> Result<Json, ValueError> {
    let step = step_at(path, depth)?.unwrap_or_default();
    let last = depth + 1 == path.len();
    let found = members.binary_search_by(|(key, _)| key_order(key, step));
    match (found, change) {
        (Ok(at), _) if !last => {
            if let Some((_, value)) = members.get_mut(at) {
                let inner = std::mem::replace(value, Json::Null);
                *value = changed(inner, path, depth + 1, change)?;
            }
        }
        (Ok(at), Change::Delete) => drop(members.remove(at)),
        (Ok(at), Change::Set { value, .. }) => {
            if let Some((_, old)) = members.get_mut(at) {
                *old = value.clone();
            }
        }
        (Ok(_), Change::Insert { .. }) => {
            return Err(ValueError::new(
                SqlState::INVALID_PARAMETER_VALUE,
                "cannot replace existing key",
            )
            .with_detail("Try using the function jsonb_set to replace key value."));
        }
        (
            Err(at),
            Change::Set {
                value,
                create: true,
            }
            | Change::Insert { value, .. },
        ) if last => members.insert(at, (step.to_owned(), value.clone())),
        (Err(_), _) => {}
    }
    Ok(Json::Object(members))
}

fn set(arguments: &[SqlValueRef<'_>]) -> Answer {
    let document = Json::parse(text(arguments, 0)?)?;
    let change = Change::Set {
        value: Json::parse(text(arguments, 2)?)?,
        create: truth(arguments, 3)?,
    };
    let path = path(arguments)?;
    if document.is_scalar() {
        return invalid("cannot set path in scalar");
    }
    if is_empty(&document) && matches!(change, Change::Set { create: false, .. }) {
        return written(document);
    }
    written(changed(document, &path, 0, &change)?)
}

/// `jsonb_set_lax`: what a NULL in place of the new value means is said by the last argument.
fn set_or_delete(arguments: &[SqlValueRef<'_>]) -> Answer {
    if [0, 1, 3].iter().any(|at| value(arguments, *at).is_null()) {
        return Ok(SqlValue::Null);
    }
    if value(arguments, 4).is_null() {
        return invalid(
            "null_value_treatment must be \"delete_key\", \"return_target\", \"use_json_null\", or \"raise_exception\"",
        );
    }
    if !value(arguments, 2).is_null() {
        return set(arguments);
    }
    match text(arguments, 4)? {
        "raise_exception" => fail(
            SqlState::NULL_VALUE_NOT_ALLOWED,
            "JSON value must not be null",
        ),
        "use_json_null" => {
            let mut arguments = arguments.to_vec();
            if let Some(place) = arguments.get_mut(2) {
                *place = SqlValueRef::Text("null");
            }
            set(&arguments)
        }
        "delete_key" => {
            let document = Json::parse(text(arguments, 0)?)?;
            let path = path(arguments)?;
            if document.is_scalar() {
                return invalid("cannot delete path in scalar");
            }
            written(changed(document, &path, 0, &Change::Delete)?)
        }
        "return_target" => written(text(arguments, 0)?),
        _ => invalid(
            "null_value_treatment must be \"delete_key\", \"return_target\", \"use_json_null\", or \"raise_exception\"",
        ),
    }
}

fn insert(arguments: &[SqlValueRef<'_>]) -> Answer {
    let document = Json::parse(text(arguments, 0)?)?;
    let change = Change::Insert {
        value: Json::parse(text(arguments, 2)?)?,
        behind: truth(arguments, 3)?,
    };
    let path = path(arguments)?;
    if document.is_scalar() {
        return invalid("cannot set path in scalar");
    }
    written(changed(document, &path, 0, &change)?)
}
