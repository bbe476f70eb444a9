//! Names of objects to their numbers and back: `regclass`, `regtype` and their kin.

use pgtypes::{SqlState, SqlValue};

use super::{Answer, CatalogFunction, number, of_all, of_objects, oid, text, written};
use crate::catalog::functions_named;
use crate::error::DialectError;
use crate::pg_catalog::describe::identifier;
use crate::pg_catalog::objects::{Objects, names};
use crate::pg_catalog::type_names::{type_number, type_text};

pub(super) const FUNCTIONS: &[CatalogFunction] = &[
    of_objects("pg_regclassin", 1, |objects, a| {
        given(a, |name| class(objects, name))
    }),
    // A text is a name, a number too.
    of_objects("pg_text_regclass", 1, |objects, a| {
        number(class(objects, written(a, 0))?)
    }),
    of_objects("pg_regclassout", 1, |objects, a| {
        shown(a, |oid| objects.relation_name(oid))
    }),
    of_objects("pg_to_regclass", 1, |objects, a| {
        known(objects.relation(written(a, 0))?)
    }),
    of_objects("pg_regrolein", 1, |objects, a| {
        given(a, |name| role(objects, name))
    }),
    of_objects("pg_regroleout", 1, |objects, a| {
        shown(a, |oid| objects.role_name(oid).map(identifier))
    }),
    of_objects("pg_to_regrole", 1, |objects, a| {
        known(objects.role(&one_name(written(a, 0))?))
    }),
    of_objects("pg_regnamespacein", 1, |objects, a| {
        given(a, |name| namespace(objects, name))
    }),
    of_objects("pg_regnamespaceout", 1, |objects, a| {
        shown(a, |oid| objects.namespace_name(oid).map(identifier))
    }),
    of_objects("pg_to_regnamespace", 1, |objects, a| {
        known(objects.namespace(&one_name(written(a, 0))?))
    }),
    of_objects("pg_regtypein", 1, |objects, a| {
        given(a, |name| type_number(name, objects.types()))
    }),
    of_all("pg_regtypeout", 1, |_, a| shown(a, type_text)),
    of_objects("pg_to_regtype", 1, |objects, a| {
        match type_number(written(a, 0), objects.types()) {
            Ok(found) => number(found),
            Err(error) if error.sqlstate == SqlState::UNDEFINED_OBJECT => Ok(SqlValue::Null),
            Err(error) => Err(error),
        }
    }),
    of_all("pg_regprocin", 1, |_, a| given(a, function)),
    of_all("pg_regprocout", 1, |_, a| shown(a, function_name)),
    of_all("pg_to_regproc", 1, |_, a| {
        Ok(function(written(a, 0)).map_or(SqlValue::Null, |oid| SqlValue::Integer(oid.into())))
    }),
    of_objects("pg_pg_get_userbyid", 1, |objects, a| {
        let oid = oid(a, 0);
        match objects.role_name(oid) {
            Some(name) => text(name),
            None => text(format!("unknown (OID={oid})")),
        }
    }),
];

/// A value that may be the number itself, a `-` for none, or a name.
fn given(arguments: &[SqlValue], look_up: impl Fn(&str) -> Result<u32, DialectError>) -> Answer {
    match arguments.first() {
        Some(SqlValue::Text(name)) if name == "-" => number(0),
        Some(SqlValue::Text(name)) => match name.parse() {
            Ok(digits) => number(digits),
            Err(_) => number(look_up(name)?),
        },
        Some(other) => Ok(other.clone()),
        None => Ok(SqlValue::Null),
    }
}

/// The name of a number; one that no object has is shown as it is.
fn shown<T: Into<String>>(arguments: &[SqlValue], name_of: impl Fn(u32) -> Option<T>) -> Answer {
    match oid(arguments, 0) {
        0 => text("-"),
        oid => match name_of(oid) {
            Some(name) => text(name),
            None => text(oid.to_string()),
        },
    }
}

fn known(found: Option<u32>) -> Answer {
    Ok(found.map_or(SqlValue::Null, |oid| SqlValue::Integer(oid.into())))
}

fn missing(kind: &str, name: &str, sqlstate: SqlState) -> DialectError {
    DialectError::new(sqlstate, format!("{kind} \"{name}\" does not exist"))
}

/// A relation; 42P01 if there is none of that name.
pub(super) fn class(objects: &Objects, name: &str) -> Result<u32, DialectError> {
    objects.relation(name)?.ok_or_else(|| {
        let shown = names(name).map_or_else(|_| name.to_owned(), |parts| parts.join("."));
        missing("relation", &shown, SqlState::UNDEFINED_TABLE)
    })
}

fn one_name(written: &str) -> Result<String, DialectError> {
    let mut parts = names(written)?;
    match (parts.pop(), parts.is_empty()) {
        (Some(name), true) => Ok(name),
        _ => Err(DialectError::new(
            SqlState::INVALID_NAME,
            "invalid name syntax",
        )),
    }
}

fn role(objects: &Objects, name: &str) -> Result<u32, DialectError> {
    let name = one_name(name)?;
    let found = objects.role(&name);
    found.ok_or_else(|| missing("role", &name, SqlState::UNDEFINED_OBJECT))
}

fn namespace(objects: &Objects, name: &str) -> Result<u32, DialectError> {
    let name = one_name(name)?;
    let found = objects.namespace(&name);
    found.ok_or_else(|| missing("schema", &name, SqlState::INVALID_SCHEMA_NAME))
}

/// The only function of a name.
fn function(written: &str) -> Result<u32, DialectError> {
    let parts = names(written)?;
    let found = match parts.as_slice() {
        [name] => functions_named(name),
        [schema, name] if schema == "pg_catalog" => functions_named(name),
        _ => &[],
    };
    match found {
        [only] => Ok(only.oid),
        [] => Err(missing("function", written, SqlState::UNDEFINED_FUNCTION)),
        _ => Err(DialectError::new(
            SqlState::AMBIGUOUS_FUNCTION,
            format!("more than one function named \"{written}\""),
        )),
    }
}

fn function_name(oid: u32) -> Option<String> {
    let function = crate::catalog::function_by_oid(oid)?;
    let name = identifier(function.name);
    Some(match functions_named(function.name) {
        [_] => name,
        _ => format!("pg_catalog.{name}"),
    })
}
