//! Parts of documents: `->`, `->>`, `#>`, `#>>`, lengths and kinds.

use pgtypes::json::{Json, Node, Value, document, key_order, quoted};
use pgtypes::{SqlState, SqlValue, SqlValueRef, ValueError};

use crate::arguments::{Answer, count, integer, text, written};
use crate::array::Array;
use crate::error::{fail, invalid};
use crate::json::checked;
use crate::registry::Scalar;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_json_object_field", 2, |a| {
        raw(member(checked(text(a, 0)?)?, text(a, 1)?)?)
    }),
    Scalar::pure("pg_json_object_field_text", 2, |a| {
        raw_text(member(checked(text(a, 0)?)?, text(a, 1)?)?)
    }),
    Scalar::pure("pg_json_array_element", 2, |a| {
        raw(element(checked(text(a, 0)?)?, integer(a, 1)?))
    }),
    Scalar::pure("pg_json_array_element_text", 2, |a| {
        raw_text(element(checked(text(a, 0)?)?, integer(a, 1)?))
    }),
    Scalar::pure("pg_json_extract_path", 2, |a| raw(followed(a, checked)?)),
    Scalar::pure("pg_json_extract_path_text", 2, |a| {
        raw_text(followed(a, checked)?)
    }),
    Scalar::pure("pg_jsonb_object_field", 2, |a| {
        binary(member(document(text(a, 0)?)?, text(a, 1)?)?)
    }),
    Scalar::pure("pg_jsonb_object_field_text", 2, |a| {
        binary_text(member(document(text(a, 0)?)?, text(a, 1)?)?)
    }),
    Scalar::pure("pg_jsonb_array_element", 2, |a| {
        binary(element_or_scalar(document(text(a, 0)?)?, integer(a, 1)?))
    }),
    Scalar::pure("pg_jsonb_array_element_text", 2, |a| {
        binary_text(element_or_scalar(document(text(a, 0)?)?, integer(a, 1)?))
    }),
    Scalar::pure("pg_jsonb_extract_path", 2, |a| {
        binary(followed(a, document)?)
    }),
    Scalar::pure("pg_jsonb_extract_path_text", 2, |a| {
        binary_text(followed(a, document)?)
    }),
    Scalar::pure("pg_json_array_length", 1, length),
    Scalar::pure("pg_jsonb_array_length", 1, length),
    Scalar::pure("pg_json_typeof", 1, kind),
    Scalar::pure("pg_jsonb_typeof", 1, kind),
    Scalar::pure("pg_set_json_array_elements", 1, |a| {
        rows(a, "json_array_elements", false)
    }),
    Scalar::pure("pg_set_json_array_elements_text", 1, |a| {
        rows(a, "json_array_elements_text", true)
    }),
    Scalar::pure("pg_set_jsonb_array_elements", 1, |a| {
        rows(a, "jsonb_array_elements", false)
    }),
    Scalar::pure("pg_set_jsonb_array_elements_text", 1, |a| {
        rows(a, "jsonb_array_elements_text", true)
    }),
    Scalar::pure("pg_set_json_object_keys", 1, |a| {
        keys(a, "json_object_keys")
    }),
    Scalar::pure("pg_set_jsonb_object_keys", 1, |a| {
        keys(a, "jsonb_object_keys")
    }),
    Scalar::pure("pg_set_json_each", 1, |a| pairs(a, "json_each", false)),
    Scalar::pure("pg_set_json_each_text", 1, |a| {
        pairs(a, "json_each_text", true)
    }),
    Scalar::pure("pg_set_jsonb_each", 1, |a| pairs(a, "jsonb_each", false)),
    Scalar::pure("pg_set_jsonb_each_text", 1, |a| {
        pairs(a, "jsonb_each_text", true)
    }),
    Scalar::pure("pg_jsonb_bool", 1, cast_bool),
    Scalar::pure("pg_jsonb_numeric", 1, |a| number(a, "numeric")),
    Scalar::pure("pg_jsonb_int2", 1, |a| {
        cast(a, "smallint", "pg_numeric_int2")
    }),
    Scalar::pure("pg_jsonb_int4", 1, |a| {
        cast(a, "integer", "pg_numeric_int4")
    }),
    Scalar::pure("pg_jsonb_int8", 1, |a| cast(a, "bigint", "pg_numeric_int8")),
    Scalar::pure("pg_jsonb_float4", 1, |a| {
        cast(a, "real", "pg_numeric_float4")
    }),
    Scalar::pure("pg_jsonb_float8", 1, |a| {
        cast(a, "double precision", "pg_numeric_float8")
    }),
];

/// The value of a key, the last of several.
fn member<'a>(node: Node<'a>, key: &str) -> Result<Option<Node<'a>>, ValueError> {
    let Value::Object(members) = node.value else {
        return Ok(None);
    };
    let mut found = None;
    for (name, value) in members {
        if name.into_text()? == key {
            found = Some(value);
        }
    }
    Ok(found)
}

/// The element of a number, negative ones from the end.
fn element(node: Node<'_>, at: i64) -> Option<Node<'_>> {
    let Value::Array(mut elements) = node.value else {
        return None;
    };
    let at = place(at, elements.len())?;
    (at < elements.len()).then(|| elements.swap_remove(at))
}

/// Where an element of a number stands, counted from the end where it is negative.
pub(super) fn place(at: i64, length: usize) -> Option<usize> {
    if at >= 0 {
        return usize::try_from(at).ok();
    }
    let back = usize::try_from(at.unsigned_abs()).ok()?;
    length.checked_sub(back)
}

/// In jsonb, a scalar by itself is an array of one element.
fn element_or_scalar(node: Node<'_>, at: i64) -> Option<Node<'_>> {
    match node.value {
        Value::Array(_) | Value::Object(_) => element(node, at),
        _ => (at == 0 || at == -1).then_some(node),
    }
}

/// What a path leads to. Of a key that is there more than once, the last member counts from which the path goes on.
fn along<'a>(node: Node<'a>, steps: &[&str]) -> Result<Option<Node<'a>>, ValueError> {
    let Some((step, rest)) = steps.split_first() else {
        return Ok(Some(node));
    };
    match node.value {
        Value::Object(members) => {
            for (name, value) in members.into_iter().rev() {
                if name.into_text()? == *step
                    && let Some(found) = along(value, rest)?
                {
                    return Ok(Some(found));
                }
            }
            Ok(None)
        }
        Value::Array(_) => match step.trim_start().parse::<i32>() {
            Ok(at) => match element(node, at.into()) {
                Some(next) => along(next, rest),
                None => Ok(None),
            },
            Err(_) => Ok(None),
        },
        _ => Ok(None),
    }
}

fn followed<'a>(
    arguments: &[SqlValueRef<'a>],
    read: fn(&'a str) -> Result<Node<'a>, ValueError>,
) -> Result<Option<Node<'a>>, ValueError> {
    let path = Array::parse(text(arguments, 1)?)?;
    if path.leaves().any(|step| step.is_none()) {
        return Ok(None);
    }
    let steps: Vec<&str> = path.leaves().flatten().collect();
    along(read(text(arguments, 0)?)?, &steps)
}

#[expect(clippy::unnecessary_wraps, reason = "it ends a function")]
fn raw(node: Option<Node<'_>>) -> Answer {
    Ok(node.map_or(SqlValue::Null, |node| SqlValue::Text(node.text.to_owned())))
}

/// A string without its quotes; JSON's null is NULL.
fn unquoted(node: &Node<'_>, binary: bool) -> Result<Option<String>, ValueError> {
    Ok(match &node.value {
        Value::Null => None,
        Value::String(text) => Some(text.into_text()?),
        _ if binary => Some(Json::of(node)?.to_string()),
        _ => Some(node.text.to_owned()),
    })
}

fn raw_text(node: Option<Node<'_>>) -> Answer {
    let text = node.map(|node| unquoted(&node, false)).transpose()?;
    Ok(text.flatten().map_or(SqlValue::Null, SqlValue::Text))
}

fn binary(node: Option<Node<'_>>) -> Answer {
    match node {
        Some(node) => written(Json::of(&node)?),
        None => Ok(SqlValue::Null),
    }
}

fn binary_text(node: Option<Node<'_>>) -> Answer {
    let text = node.map(|node| unquoted(&node, true)).transpose()?;
    Ok(text.flatten().map_or(SqlValue::Null, SqlValue::Text))
}

fn length(arguments: &[SqlValueRef<'_>]) -> Answer {
    match document(text(arguments, 0)?)?.value {
        Value::Array(elements) => count(elements.len()),
        Value::Object(_) => invalid("cannot get array length of a non-array"),
        _ => invalid("cannot get array length of a scalar"),
    }
}

fn kind(arguments: &[SqlValueRef<'_>]) -> Answer {
    written(match document(text(arguments, 0)?)?.value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    })
}

/// The rows of a set as a JSON array of texts.
fn row(text: Option<String>) -> String {
    text.map_or_else(|| "null".to_owned(), |text| quoted(&text))
}

fn rows(arguments: &[SqlValueRef<'_>], function: &str, as_text: bool) -> Answer {
    let is_binary = function.starts_with("jsonb");
    let elements = match checked(text(arguments, 0)?)?.value {
        Value::Array(elements) => elements,
        Value::Object(_) if is_binary => return invalid("cannot extract elements from an object"),
        Value::Object(_) => return invalid(format!("cannot call {function} on a non-array")),
        _ if is_binary => return invalid("cannot extract elements from a scalar"),
        _ => return invalid(format!("cannot call {function} on a scalar")),
    };
    let rows = elements.iter().map(|node| shown(node, as_text, is_binary));
    let rows = rows.collect::<Result<Vec<_>, _>>()?;
    written(format!("[{}]", rows.join(",")))
}

fn shown(node: &Node<'_>, as_text: bool, is_binary: bool) -> Result<String, ValueError> {
    Ok(if as_text {
        row(unquoted(node, is_binary)?)
    } else if is_binary {
        row(Some(Json::of(node)?.to_string()))
    } else {
        row(Some(node.text.to_owned()))
    })
}

/// The members of an object; of jsonb, in its order and each key once.
fn members<'a>(
    arguments: &[SqlValueRef<'a>],
    function: &str,
) -> Result<Vec<(String, Node<'a>)>, ValueError> {
    let members = match checked(text(arguments, 0)?)?.value {
        Value::Object(members) => members,
        Value::Array(_) if function.ends_with("keys") => {
            return invalid(format!("cannot call {function} on an array"));
        }
        _ if function.ends_with("keys") => {
            return invalid(format!("cannot call {function} on a scalar"));
        }
        _ if function.starts_with("jsonb") => {
            return invalid(format!("cannot call {function} on a non-object"));
        }
        Value::Array(_) => return invalid("cannot deconstruct an array as an object"),
        _ => return invalid("cannot deconstruct a scalar"),
    };
    let mut named = Vec::with_capacity(members.len());
    for (key, value) in members {
        named.push((key.into_text()?, value));
    }
    if function.starts_with("jsonb") {
        named.sort_by(|(a, _), (b, _)| key_order(a, b));
        named.dedup_by(|(later_key, later), (key, value)| {
            let same = later_key == key;
            if same {
                std::mem::swap(value, later);
            }
            same
        });
    }
    Ok(named)
}

fn keys(arguments: &[SqlValueRef<'_>], function: &str) -> Answer {
    let keys = members(arguments, function)?;
    let rows: Vec<String> = keys.iter().map(|(key, _)| quoted(key)).collect();
    written(format!("[{}]", rows.join(",")))
}

/// Each row is an array of key and value.
fn pairs(arguments: &[SqlValueRef<'_>], function: &str, as_text: bool) -> Answer {
    let is_binary = function.starts_with("jsonb");
    let mut rows = Vec::new();
    for (key, value) in members(arguments, function)? {
        rows.push(format!(
            "[{},{}]",
            quoted(&key),
            shown(&value, as_text, is_binary)?
        ));
    }
    written(format!("[{}]", rows.join(",")))
}

fn cast_bool(arguments: &[SqlValueRef<'_>]) -> Answer {
    match Json::parse(text(arguments, 0)?)? {
        Json::Bool(value) => crate::arguments::boolean(value),
        other => fail(
            SqlState::INVALID_PARAMETER_VALUE,
            format!("cannot cast jsonb {} to type boolean", name(&other)),
        ),
    }
}

/// What a value is called in messages.
fn name(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(_) => "numeric",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    }
}

/// A number in a document for a cast to a type of numbers.
fn number(arguments: &[SqlValueRef<'_>], type_name: &str) -> Result<SqlValue, ValueError> {
    match Json::parse(text(arguments, 0)?)? {
        Json::Number(number) => Ok(SqlValue::Text(number)),
        other => fail(
            SqlState::INVALID_PARAMETER_VALUE,
            format!("cannot cast jsonb {} to type {type_name}", name(&other)),
        ),
    }
}

/// The number by the cast of numeric.
fn cast(arguments: &[SqlValueRef<'_>], type_name: &str, by: &str) -> Answer {
    let number = number(arguments, type_name)?;
    let function = crate::registry::scalars()
        .iter()
        .find(|scalar| scalar.name == by);
    match function.map(|scalar| scalar.body) {
        Some(crate::registry::Body::Pure(body)) => body(&[number.as_ref()]),
        _ => Ok(number),
    }
}
