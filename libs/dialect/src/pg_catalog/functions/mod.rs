//! The functions that look objects up. The server registers each under its name and calls it with the objects that the
//! catalog tables show at this time.

#![expect(
    clippy::unnecessary_wraps,
    reason = "all have the signature of Lookup, and end by one of these"
)]

mod definitions;
mod keywords;
mod names;
mod privileges;
mod signatures;
mod types;

use std::sync::LazyLock;

use pgtypes::SqlValue;

use crate::error::DialectError;
use crate::pg_catalog::objects::Objects;

/// What computes a function from the objects and its arguments.
pub type Lookup = fn(&Objects, &[SqlValue]) -> Result<SqlValue, DialectError>;

type Answer = Result<SqlValue, DialectError>;

/// A function about the catalog.
#[derive(Debug, Clone, Copy)]
pub struct CatalogFunction {
    /// The name in SQLite.
    pub name: &'static str,
    /// The number of arguments; -1 for any.
    pub arguments: i32,
    /// Any NULL argument gives NULL without a call.
    pub strict: bool,
    /// It reads the objects, which must be known before it is called.
    pub reads: bool,
    /// What computes it.
    pub run: Lookup,
}

/// A function of objects.
const fn of_objects(name: &'static str, arguments: i32, run: Lookup) -> CatalogFunction {
    CatalogFunction {
        name,
        arguments,
        strict: true,
        reads: true,
        run,
    }
}

/// A function of what every database has.
const fn of_all(name: &'static str, arguments: i32, run: Lookup) -> CatalogFunction {
    CatalogFunction {
        reads: false,
        ..of_objects(name, arguments, run)
    }
}

/// All of them.
pub fn functions() -> &'static [CatalogFunction] {
    static ALL: LazyLock<Vec<CatalogFunction>> = LazyLock::new(|| {
        [
            definitions::FUNCTIONS,
            keywords::FUNCTIONS,
            names::FUNCTIONS,
            privileges::FUNCTIONS,
            signatures::FUNCTIONS,
            types::FUNCTIONS,
        ]
        .concat()
    });
    &ALL
}

/// The function of that name.
pub(crate) fn find(name: &str) -> Option<&'static CatalogFunction> {
    functions().iter().find(|function| function.name == name)
}

fn text(value: impl Into<String>) -> Answer {
    Ok(SqlValue::Text(value.into()))
}

fn truth(value: bool) -> Answer {
    Ok(SqlValue::Integer(i64::from(value)))
}

fn number(value: u32) -> Answer {
    Ok(SqlValue::Integer(i64::from(value)))
}

fn optional(value: Option<impl Into<String>>) -> Answer {
    Ok(value.map_or(SqlValue::Null, |value| SqlValue::Text(value.into())))
}

/// The number of an object; 0, which none has, for what is no such number.
fn oid(arguments: &[SqlValue], at: usize) -> u32 {
    match arguments.get(at) {
        Some(SqlValue::Integer(number)) => u32::try_from(*number).unwrap_or(0),
        Some(SqlValue::Text(digits)) => digits.parse().unwrap_or(0),
        _ => 0,
    }
}

fn written(arguments: &[SqlValue], at: usize) -> &str {
    match arguments.get(at) {
        Some(SqlValue::Text(text)) => text,
        _ => "",
    }
}

/// NULL for any argument: there is no object of the kind that the function is about.
fn nothing(_: &Objects, _: &[SqlValue]) -> Answer {
    Ok(SqlValue::Null)
}

/// No rows, for the same reason.
fn no_rows(_: &Objects, _: &[SqlValue]) -> Answer {
    text("[]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_function_has_a_name_of_its_own() {
        let mut seen = std::collections::HashSet::new();
        for function in functions() {
            assert!(
                seen.insert((function.name, function.arguments)),
                "{}",
                function.name
            );
        }
    }
}
