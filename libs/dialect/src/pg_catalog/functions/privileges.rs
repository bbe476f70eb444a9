//! Who may do what.

use acl::{Kind, Privileges};
use pgtypes::{SqlState, SqlValue};

use super::names::class;
use super::{Answer, CatalogFunction, of_objects, oid, text, truth, written};
use crate::error::DialectError;
use crate::pg_catalog::objects::{Objects, TEMPORARY};
use crate::stored_name;

pub(super) const FUNCTIONS: &[CatalogFunction] = &[
    of_objects("pg_has_table_privilege", -1, on_table),
    of_objects("pg_has_sequence_privilege", -1, on_table),
    of_objects("pg_has_column_privilege", -1, |objects, a| {
        // The column stands between the table and the privilege.
        let Some((privilege, before)) = a.split_last() else {
            return truth(false);
        };
        let table = before.get(..before.len().saturating_sub(1));
        let arguments = [table.unwrap_or_default(), std::slice::from_ref(privilege)];
        on_table(objects, &arguments.concat())
    }),
    of_objects("pg_has_any_column_privilege", -1, on_table),
    of_objects("pg_has_schema_privilege", -1, on_schema),
    of_objects("pg_has_database_privilege", -1, on_database),
    of_objects("pg_has_function_privilege", -1, by_role),
    of_objects("pg_has_language_privilege", -1, by_role),
    of_objects("pg_has_tablespace_privilege", -1, by_role),
    of_objects("pg_has_type_privilege", -1, by_role),
    of_objects("pg_pg_has_role", -1, has_role),
    of_objects("pg_acldefault_sql", 2, acl_default),
];

/// `acldefault(kind, owner)`: the list of an object of a kind for which nothing was ever granted.
///
/// Errors: XX000 for a letter that is no kind, as in PostgreSQL.
fn acl_default(objects: &Objects, arguments: &[SqlValue]) -> Answer {
    let owner = objects.role_name(oid(arguments, 1)).unwrap_or_default();
    let owner = acl::role_text(owner);
    let kind = written(arguments, 0);
    let (everybody, all) = match kind {
        "r" => ("", "arwdDxt"),
        "c" => return text("{}"),
        "s" => ("", "rwU"),
        "d" => ("Tc", "CTc"),
        "f" => ("X", "X"),
        "l" | "T" => ("U", "U"),
        "L" => ("", "rw"),
        "n" => ("", "UC"),
        "t" => ("", "C"),
        "F" | "S" => ("", "U"),
        "p" => ("", "sA"),
        _ => {
            let message = format!("unrecognized objtype abbreviation: {kind}");
            return Err(DialectError::new(SqlState::INTERNAL_ERROR, message));
        }
    };
    let own = format!("{owner}={all}/{owner}");
    let items = match everybody {
        "" => vec![own],
        granted => vec![format!("={granted}/{owner}"), own],
    };
    let items = items.iter().map(|item| Some(item.as_str()));
    text(pgtypes::array::text_of(items))
}

/// What everybody may do: the role may be left out before the object and the privilege.
fn by_role(objects: &Objects, arguments: &[SqlValue]) -> Answer {
    if arguments.len() > 2 {
        role(objects, arguments)?;
    }
    truth(true)
}

/// The role that is asked about: the first of three arguments, or the session's own. `None`: everybody.
///
/// Errors: 42704.
fn role(objects: &Objects, arguments: &[SqlValue]) -> Result<Option<String>, DialectError> {
    if arguments.len() < 3 {
        return Ok(Some(objects.user().to_owned()));
    }
    named(objects, arguments.first())
}

fn named(objects: &Objects, role: Option<&SqlValue>) -> Result<Option<String>, DialectError> {
    match role {
        Some(SqlValue::Text(name)) if name == "public" => Ok(None),
        Some(SqlValue::Text(name)) if objects.role(name).is_some() => Ok(Some(name.clone())),
        Some(SqlValue::Text(name)) => Err(DialectError::new(
            SqlState::UNDEFINED_OBJECT,
            format!("role \"{name}\" does not exist"),
        )),
        Some(SqlValue::Integer(number)) => {
            let number = u32::try_from(*number).unwrap_or(0);
            Ok(Some(
                objects.role_name(number).unwrap_or_default().to_owned(),
            ))
        }
        _ => Ok(Some(String::new())),
    }
}

/// The privileges that are asked about, each with whether it is about the right to grant it: one is enough.
///
/// Errors: 22023.
fn privileges(text: &str) -> Result<Vec<(Privileges, bool)>, DialectError> {
    let each = text.split(',').map(|word| {
        let word = word.trim();
        let lower = word.to_ascii_lowercase();
        let bare = lower.strip_suffix(" with grant option");
        let known = Privileges::named(bare.unwrap_or(&lower).trim());
        match known {
            Some(privilege) => Ok((privilege, bare.is_some())),
            None => Err(DialectError::new(
                SqlState::INVALID_PARAMETER_VALUE,
                format!("unrecognized privilege type: \"{word}\""),
            )),
        }
    });
    each.collect()
}

fn may(
    objects: &Objects,
    role: Option<&str>,
    (kind, name): (Kind, &str),
    wanted: &[(Privileges, bool)],
) -> Answer {
    let authority = objects.authority();
    // Nobody is called so, and he has what everybody has.
    let role = role.unwrap_or("");
    let held = authority.held(role, kind, name);
    truth(wanted.iter().any(|(privilege, option)| {
        held.has(*privilege) && (!option || authority.options(role, kind, name).has(*privilege))
    }))
}

fn on_table(objects: &Objects, arguments: &[SqlValue]) -> Answer {
    let at = arguments.len().saturating_sub(2);
    let role = role(objects, arguments)?;
    let found = match arguments.get(at) {
        Some(SqlValue::Text(name)) => class(objects, name)?,
        _ => oid(arguments, at),
    };
    let wanted = privileges(written(arguments, at + 1))?;
    let Some(class) = objects.class(found) else {
        return Ok(SqlValue::Null);
    };
    match class.schema.as_str() {
        // The catalog can be read by all, and the session's own tables are its own.
        "pg_catalog" | "information_schema" => truth(wanted.contains(&(Privileges::SELECT, false))),
        TEMPORARY => truth(true),
        schema => {
            let kind = if class.kind == 'S' {
                Kind::Sequence
            } else {
                Kind::Table
            };
            let stored = stored_name::join(schema, &class.name);
            may(objects, role.as_deref(), (kind, &stored), &wanted)
        }
    }
}

fn on_schema(objects: &Objects, arguments: &[SqlValue]) -> Answer {
    let at = arguments.len().saturating_sub(2);
    let role = role(objects, arguments)?;
    let name = match arguments.get(at) {
        Some(SqlValue::Text(name)) if objects.namespace(name).is_none() => {
            return Err(DialectError::new(
                SqlState::INVALID_SCHEMA_NAME,
                format!("schema \"{name}\" does not exist"),
            ));
        }
        Some(SqlValue::Text(name)) => name.clone(),
        _ => match objects.namespace_name(oid(arguments, at)) {
            Some(name) => name.to_owned(),
            None => return Ok(SqlValue::Null),
        },
    };
    let wanted = privileges(written(arguments, at + 1))?;
    match name.as_str() {
        "pg_catalog" | "information_schema" | TEMPORARY => {
            truth(wanted.contains(&(Privileges::USAGE, false)))
        }
        name => may(objects, role.as_deref(), (Kind::Schema, name), &wanted),
    }
}

/// Of the session's own database, and of others by what is known of them.
fn on_database(objects: &Objects, arguments: &[SqlValue]) -> Answer {
    let at = arguments.len().saturating_sub(2);
    let role = role(objects, arguments)?;
    let name = match arguments.get(at) {
        Some(SqlValue::Text(name)) if objects.database_number(name).is_none() => {
            return Err(DialectError::new(
                SqlState::INVALID_CATALOG_NAME,
                format!("database \"{name}\" does not exist"),
            ));
        }
        Some(SqlValue::Text(name)) => name.clone(),
        _ => match objects.database(oid(arguments, at).into()) {
            Some(name) => name.to_owned(),
            None => return Ok(SqlValue::Null),
        },
    };
    let wanted = privileges(written(arguments, at + 1))?;
    let authority = objects.authority_of(&name);
    let held = authority.held(role.as_deref().unwrap_or(""), Kind::Database, &name);
    truth(wanted.iter().any(|(privilege, option)| {
        let options = || authority.options(role.as_deref().unwrap_or(""), Kind::Database, &name);
        held.has(*privilege) && (!option || options().has(*privilege))
    }))
}

/// `pg_has_role([user,] role, 'MEMBER' | 'USAGE' [WITH ADMIN OPTION])`
fn has_role(objects: &Objects, arguments: &[SqlValue]) -> Answer {
    let at = arguments.len().saturating_sub(2);
    let user = role(objects, arguments)?.unwrap_or_default();
    let group = named(objects, arguments.get(at))?.unwrap_or_default();
    let roles = &objects.authority().roles;
    let asked = written(arguments, at + 1).to_ascii_lowercase();
    let any = |word: &str| -> Option<bool> {
        let (kind, admin) = match word.trim().split_once(" with ") {
            Some((kind, "admin option" | "grant option")) => (kind, true),
            Some(_) => return None,
            None => (word.trim(), false),
        };
        match (kind, admin) {
            ("member" | "usage", true) => Some(roles.may_admit(&user, &group)),
            ("member", _) => Some(roles.may_become(&user, &group)),
            ("usage", _) => {
                Some(roles.is_superuser(&user) || roles.rights_of(&user).contains(&&*group))
            }
            _ => None,
        }
    };
    let mut found = false;
    for word in asked.split(',') {
        found |= any(word).ok_or_else(|| {
            DialectError::new(
                SqlState::INVALID_PARAMETER_VALUE,
                format!("unrecognized privilege type: \"{}\"", word.trim()),
            )
        })?;
    }
    truth(found)
}
