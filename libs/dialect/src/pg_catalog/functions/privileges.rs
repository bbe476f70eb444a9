//! Who may do what. Every user of a database may use all that is in it; what is asked about must be there.

use pgtypes::{SqlState, SqlValue};

use super::names::class;
use super::{Answer, CatalogFunction, of_objects, oid, truth};
use crate::error::DialectError;
use crate::pg_catalog::objects::Objects;

pub(super) const FUNCTIONS: &[CatalogFunction] = &[
    of_objects("pg_has_table_privilege", -1, on_table),
    of_objects("pg_has_sequence_privilege", -1, on_table),
    of_objects("pg_has_column_privilege", -1, |objects, a| {
        // The column and the privilege stand behind the table.
        on_table(
            objects,
            a.get(..a.len().saturating_sub(1)).unwrap_or_default(),
        )
    }),
    of_objects("pg_has_any_column_privilege", -1, on_table),
    of_objects("pg_has_schema_privilege", -1, on_schema),
    of_objects("pg_has_database_privilege", -1, by_role),
    of_objects("pg_has_function_privilege", -1, by_role),
    of_objects("pg_has_language_privilege", -1, by_role),
    of_objects("pg_has_tablespace_privilege", -1, by_role),
    of_objects("pg_has_type_privilege", -1, by_role),
    of_objects("pg_pg_has_role", -1, |objects, a| {
        for at in 0..a.len().saturating_sub(1) {
            check_role(objects, a.get(at))?;
        }
        truth(true)
    }),
];

/// The role may be left out before the object and the privilege.
fn by_role(objects: &Objects, arguments: &[SqlValue]) -> Answer {
    if arguments.len() > 2 {
        check_role(objects, arguments.first())?;
    }
    truth(true)
}

fn on_table(objects: &Objects, arguments: &[SqlValue]) -> Answer {
    let at = arguments.len().saturating_sub(2);
    if at > 0 {
        check_role(objects, arguments.first())?;
    }
    match arguments.get(at) {
        Some(SqlValue::Text(name)) => {
            class(objects, name)?;
            truth(true)
        }
        _ => match objects.class(oid(arguments, at)) {
            Some(_) => truth(true),
            None => Ok(SqlValue::Null),
        },
    }
}

fn on_schema(objects: &Objects, arguments: &[SqlValue]) -> Answer {
    let at = arguments.len().saturating_sub(2);
    if at > 0 {
        check_role(objects, arguments.first())?;
    }
    match arguments.get(at) {
        Some(SqlValue::Text(name)) if objects.namespace(name).is_none() => Err(DialectError::new(
            SqlState::INVALID_SCHEMA_NAME,
            format!("schema \"{name}\" does not exist"),
        )),
        _ => truth(true),
    }
}

fn check_role(objects: &Objects, role: Option<&SqlValue>) -> Result<(), DialectError> {
    match role {
        Some(SqlValue::Text(name)) if name != "public" && objects.role(name).is_none() => {
            Err(DialectError::new(
                SqlState::UNDEFINED_OBJECT,
                format!("role \"{name}\" does not exist"),
            ))
        }
        _ => Ok(()),
    }
}
