//! Documents built of values: `to_json`, `json_build_object` and its relatives, `jsonb_pretty`.
//!
//! The functions that take values of any type take them as JSON: `pg_to_json(value, oid)` makes one
//! of a stored value.

use pgtypes::json::{Json, Node, Value, document, quoted};
use pgtypes::{
    Format, Oid, PgType, SqlState, SqlValue, SqlValueRef, ValueError, decode, to_json_in,
};

use crate::arguments::{Answer, integer, text, value, written};
use crate::array::{Array, Element};
use crate::error::{fail, invalid};
use crate::io::output;
use crate::registry::Scalar;
use crate::session::Session;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::session("pg_to_json", 2, |s, a| {
        written(of_value(s, value(a, 0), integer(a, 1)?)?)
    }),
    Scalar::session("pg_to_jsonb", 2, |s, a| {
        written(Json::parse(&of_value(s, value(a, 0), integer(a, 1)?)?)?)
    }),
    Scalar::pure("pg_json_build_array", -1, |a| {
        written(format!("[{}]", values(a)?.join(", ")))
    })
    .loose(),
    Scalar::pure("pg_jsonb_build_array", -1, |a| {
        written(Json::parse(&format!("[{}]", values(a)?.join(",")))?)
    })
    .loose(),
    Scalar::pure("pg_json_build_array_noargs", 0, |_| written("[]")),
    Scalar::pure("pg_jsonb_build_array_noargs", 0, |_| written("[]")),
    Scalar::pure("pg_json_build_object", -1, |a| {
        let members = members(a, false)?.into_iter();
        let members = members.map(|(key, value)| format!("{} : {value}", quoted(&key)));
        written(format!("{{{}}}", members.collect::<Vec<_>>().join(", ")))
    })
    .loose(),
    // A row: its members' names are given as keys.
    Scalar::pure("pg_json_row", -1, |a| {
        let members = members(a, false)?.into_iter();
        let members = members.map(|(key, value)| format!("{}:{value}", quoted(&key)));
        written(format!("{{{}}}", members.collect::<Vec<_>>().join(",")))
    })
    .loose(),
    Scalar::pure("pg_jsonb_build_object", -1, |a| {
        let members = members(a, true)?
            .into_iter()
            .map(|(key, value)| Ok((key, Json::parse(&value)?)));
        written(Json::object(members.collect::<Result<_, ValueError>>()?))
    })
    .loose(),
    Scalar::pure("pg_json_build_object_noargs", 0, |_| written("{}")),
    Scalar::pure("pg_jsonb_build_object_noargs", 0, |_| written("{}")),
    Scalar::pure("pg_json_object", 1, |a| object(&pairs(text(a, 0)?)?, false)),
    Scalar::pure("pg_jsonb_object", 1, |a| object(&pairs(text(a, 0)?)?, true)),
    Scalar::pure("pg_json_object_two_arg", 2, |a| {
        object(&zipped(text(a, 0)?, text(a, 1)?)?, false)
    }),
    Scalar::pure("pg_jsonb_object_two_arg", 2, |a| {
        object(&zipped(text(a, 0)?, text(a, 1)?)?, true)
    }),
    Scalar::pure("pg_jsonb_pretty", 1, |a| {
        let mut out = String::new();
        put_pretty(&Json::parse(text(a, 0)?)?, 0, &mut out);
        written(out)
    }),
    Scalar::pure("pg_json_strip_nulls", 1, |a| {
        let mut out = String::new();
        put_stripped(&document(text(a, 0)?)?, &mut out)?;
        written(out)
    }),
];

/// A stored value as JSON: numbers and booleans bare, documents as they are, the rest as strings.
fn of_value(session: &dyn Session, value: SqlValueRef<'_>, ty: i64) -> Result<String, ValueError> {
    if value.is_null() {
        return Ok("null".to_owned());
    }
    let array = u32::try_from(ty).map(|ty| PgType::Composed(Oid::new(ty), -1));
    if let (Ok(Some(element)), SqlValueRef::Text(text)) = (array.map(PgType::element), value) {
        return of_array(session, &Array::parse(text)?.elements, &element);
    }
    let known = u32::try_from(ty).map(|ty| PgType::from_oid(Oid::new(ty), -1));
    match known {
        Ok(Some(known)) if !matches!(known, PgType::Opaque(_)) => {
            Ok(to_json_in(value, &known, session.context()))
        }
        _ => Ok(quoted(&output(session, value, ty, -1)?)),
    }
}

/// An array of JSON's, with arrays in it where there are more dimensions.
fn of_array(
    session: &dyn Session,
    elements: &[Element],
    ty: &PgType,
) -> Result<String, ValueError> {
    let mut parts = Vec::with_capacity(elements.len());
    for element in elements {
        parts.push(match element {
            Element::Null => "null".to_owned(),
            Element::Array(inner) => of_array(session, inner, ty)?,
            Element::Value(text) => {
                let stored = decode(text.as_bytes(), ty, Format::Text)?;
                to_json_in(stored.as_ref(), ty, session.context())
            }
        });
    }
    Ok(format!("[{}]", parts.join(",")))
}

/// The arguments, which are JSON; NULL is `null`.
fn values<'a>(arguments: &[SqlValueRef<'a>]) -> Result<Vec<&'a str>, ValueError> {
    (0..arguments.len())
        .map(|at| match value(arguments, at) {
            SqlValueRef::Null => Ok("null"),
            _ => text(arguments, at),
        })
        .collect()
}

/// Keys, which are texts, and values, which are JSON.
fn members(
    arguments: &[SqlValueRef<'_>],
    binary: bool,
) -> Result<Vec<(String, String)>, ValueError> {
    if !arguments.len().is_multiple_of(2) {
        return Err(ValueError::new(
            SqlState::INVALID_PARAMETER_VALUE,
            "argument list must have even number of elements",
        )
        .with_detail(
            "The arguments of json_build_object() must consist of alternating keys and values.",
        ));
    }
    let mut members = Vec::new();
    for at in (0..arguments.len()).step_by(2) {
        if value(arguments, at).is_null() {
            if binary {
                return invalid(format!("argument {}: key must not be null", at + 1));
            }
            return Err(ValueError::new(
                SqlState::INVALID_PARAMETER_VALUE,
                format!("argument {} cannot be null", at + 1),
            )
            .with_hint("Object keys should be text."));
        }
        let member = match value(arguments, at + 1) {
            SqlValueRef::Null => "null",
            _ => text(arguments, at + 1)?,
        };
        members.push((text(arguments, at)?.to_owned(), member.to_owned()));
    }
    Ok(members)
}

type Pairs = Vec<(String, Option<String>)>;

fn key(text: Option<&str>) -> Result<String, ValueError> {
    match text {
        Some(text) => Ok(text.to_owned()),
        None => fail(
            SqlState::NULL_VALUE_NOT_ALLOWED,
            "null value not allowed for object key",
        ),
    }
}

/// Keys and values one behind the other, or in rows of two.
fn pairs(text: &str) -> Result<Pairs, ValueError> {
    let array = Array::parse(text)?;
    match array.lengths().as_slice() {
        [] => return Ok(Vec::new()),
        [count] if count % 2 != 0 => {
            return fail(
                SqlState::ARRAY_SUBSCRIPT_ERROR,
                "array must have even number of elements",
            );
        }
        [_] | [_, 2] => {}
        [_, _] => {
            return fail(
                SqlState::ARRAY_SUBSCRIPT_ERROR,
                "array must have two columns",
            );
        }
        _ => {
            return fail(
                SqlState::ARRAY_SUBSCRIPT_ERROR,
                "wrong number of array subscripts",
            );
        }
    }
    let leaves: Vec<Option<&str>> = array.leaves().collect();
    let owned = |pair: &[Option<&str>]| {
        let value = pair.get(1).copied().flatten();
        Ok((
            key(pair.first().copied().flatten())?,
            value.map(str::to_owned),
        ))
    };
    leaves.chunks(2).map(owned).collect()
}

fn zipped(keys: &str, values: &str) -> Result<Pairs, ValueError> {
    let (keys, values) = (Array::parse(keys)?, Array::parse(values)?);
    if keys.lengths().len() > 1 || keys.lengths().len() != values.lengths().len() {
        return fail(
            SqlState::ARRAY_SUBSCRIPT_ERROR,
            "wrong number of array subscripts",
        );
    }
    if keys.lengths() != values.lengths() {
        return fail(
            SqlState::ARRAY_SUBSCRIPT_ERROR,
            "mismatched array dimensions",
        );
    }
    keys.leaves()
        .zip(values.leaves())
        .map(|(name, value)| Ok((key(name)?, value.map(str::to_owned))))
        .collect()
}

fn object(pairs: &Pairs, binary: bool) -> Answer {
    if binary {
        let members = pairs.iter().map(|(key, value)| {
            let value = value.clone().map_or(Json::Null, Json::String);
            (key.clone(), value)
        });
        return written(Json::object(members.collect()));
    }
    let members = pairs.iter().map(|(key, value)| {
        let value = value.as_deref().map_or_else(|| "null".to_owned(), quoted);
        format!("{} : {value}", quoted(key))
    });
    Ok(SqlValue::Text(format!(
        "{{{}}}",
        members.collect::<Vec<_>>().join(", ")
    )))
}

/// Each element and member on a line of its own.
fn put_pretty(document: &Json, depth: usize, out: &mut String) {
    let indent = |depth: usize, out: &mut String| {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', depth * 4));
    };
    match document {
        Json::Array(elements) => {
            out.push('[');
            for (at, element) in elements.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                indent(depth + 1, out);
                put_pretty(element, depth + 1, out);
            }
            indent(depth, out);
            out.push(']');
        }
        Json::Object(members) => {
            out.push('{');
            for (at, (key, value)) in members.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                indent(depth + 1, out);
                out.push_str(&quoted(key));
                out.push_str(": ");
                put_pretty(value, depth + 1, out);
            }
            indent(depth, out);
            out.push('}');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

/// The document without blanks and without members that are null.
fn put_stripped(node: &Node<'_>, out: &mut String) -> Result<(), ValueError> {
    match &node.value {
        Value::Array(elements) => {
            out.push('[');
            for (at, element) in elements.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                put_stripped(element, out)?;
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            let mut first = true;
            for (key, value) in members {
                if matches!(value.value, Value::Null) {
                    continue;
                }
                if !std::mem::take(&mut first) {
                    out.push(',');
                }
                out.push_str(&quoted(&key.into_text()?));
                out.push(':');
                put_stripped(value, out)?;
            }
            out.push('}');
        }
        Value::String(text) => out.push_str(&quoted(&text.into_text()?)),
        _ => out.push_str(node.text),
    }
    Ok(())
}
