//! Elements between their stored forms and the texts by which an array keeps them: those that PostgreSQL's default
//! settings show in UTC, whatever those of the session are.

use pgtypes::json::quoted;
use pgtypes::{Format, Oid, PgType, SqlValue, SqlValueRef, ValueError, decode, to_text};

use crate::arguments::{Answer, integer, text, value, written};
use crate::array::Array;
use crate::registry::Scalar;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_element_text", 2, |a| {
        written(to_text(value(a, 0), &of(a, 1)?))
    }),
    Scalar::pure("pg_element_value", 2, |a| stored(text(a, 0)?, of(a, 1)?)),
    Scalar::pure("pg_elements", 2, elements),
];

/// The type of the elements.
fn of(arguments: &[SqlValueRef<'_>], at: usize) -> Result<PgType, ValueError> {
    let number = u32::try_from(integer(arguments, at)?).unwrap_or_default();
    Ok(PgType::from_oid(Oid::new(number), -1).unwrap_or(PgType::Text))
}

/// The stored form of an element; what names an object stays its name.
fn stored(element: &str, ty: PgType) -> Answer {
    match ty {
        PgType::Opaque(_) => written(element),
        _ => decode(element.as_bytes(), &ty, Format::Text),
    }
}

/// `pg_elements(array, type of the elements)`: a JSON array of the elements' stored forms; bytes as their hexadecimal
/// digits.
fn elements(arguments: &[SqlValueRef<'_>]) -> Answer {
    let ty = of(arguments, 1)?;
    let array = Array::parse(text(arguments, 0)?)?;
    let mut out = String::from("[");
    for (index, element) in array.leaves().enumerate() {
        if index > 0 {
            out.push(',');
        }
        let Some(element) = element else {
            out.push_str("null");
            continue;
        };
        match stored(element, ty)? {
            SqlValue::Null => out.push_str("null"),
            SqlValue::Integer(number) => out.push_str(&number.to_string()),
            // JSON has no infinity; SQLite reads a number that is too large as one.
            SqlValue::Real(number) if number.is_infinite() => {
                out.push_str(if number > 0.0 { "9e999" } else { "-9e999" });
            }
            SqlValue::Real(number) => out.push_str(&format!("{number:?}")),
            SqlValue::Text(text) => out.push_str(&quoted(&text)),
            SqlValue::Blob(_) => {
                out.push_str(&quoted(element.strip_prefix("\\x").unwrap_or(element)));
            }
        }
    }
    out.push(']');
    written(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(name: &str, arguments: &[SqlValueRef<'_>]) -> SqlValue {
        let function = FUNCTIONS.iter().find(|function| function.name == name);
        match function.unwrap().body {
            crate::registry::Body::Pure(body) => body(arguments).unwrap(),
            crate::registry::Body::Session(_) => panic!("{name} needs a session"),
        }
    }

    #[test]
    fn an_element_comes_back_from_its_text() {
        for (element, ty, value) in [
            ("2024-01-31", 1082, SqlValue::Integer(8796)),
            ("2000-01-01 00:00:01+00", 1184, SqlValue::Integer(1_000_000)),
            ("t", 16, SqlValue::Integer(1)),
            ("\\x61", 17, SqlValue::Blob(b"a".to_vec())),
            ("a b", 25, SqlValue::Text("a b".to_owned())),
            ("pg_class", 2205, SqlValue::Text("pg_class".to_owned())),
        ] {
            let number = SqlValueRef::Integer(ty);
            let stored = run("pg_element_value", &[SqlValueRef::Text(element), number]);
            assert_eq!(stored, value, "{element}");
            let text = run("pg_element_text", &[value.as_ref(), number]);
            assert_eq!(text, SqlValue::Text(element.to_owned()));
        }
    }

    #[test]
    fn elements_are_a_json_array_of_what_is_stored() {
        for (array, ty, json) in [
            ("{1,NULL,3}", 23, "[1,null,3]"),
            ("{{t},{f}}", 16, "[1,0]"),
            ("{Infinity,0.5}", 701, "[9e999,0.5]"),
            ("{\"\\\\x6100\"}", 17, "[\"6100\"]"),
            ("{\"a\\\"b\"}", 25, "[\"a\\\"b\"]"),
        ] {
            let arguments = [SqlValueRef::Text(array), SqlValueRef::Integer(ty)];
            assert_eq!(
                run("pg_elements", &arguments),
                SqlValue::Text(json.to_owned())
            );
        }
    }
}
