//! TRUNCATE.

use acl::Privileges;
use pgtypes::SqlState;

use crate::access::Access;
use crate::ddl::place::Object;
use crate::error::DialectError;
use crate::pg_catalog;
use crate::schema::SchemaView;
use crate::sequence::stored;
use crate::source::Source;
use crate::statement::{Notice, Statement, StatementKind};

/// TRUNCATE [TABLE] [ONLY] name [, …] [RESTART IDENTITY | CONTINUE IDENTITY] [CASCADE | RESTRICT]
pub(crate) fn truncate(
    src: &Source<'_>,
    schema: &dyn SchemaView,
) -> Result<Statement, DialectError> {
    let mut at = 1 + usize::from(src.is(1, "TABLE"));
    let mut objects: Vec<Object> = Vec::new();
    loop {
        at += usize::from(src.is(at, "ONLY"));
        let object = Object::read(src, schema, at)?;
        check(schema, &object)?;
        at = object.to + usize::from(src.sign(object.to, "*"));
        objects.push(object);
        if !src.sign(at, ",") {
            break;
        }
        at += 1;
    }
    let restart = src.are(at, &["RESTART", "IDENTITY"]);
    if restart || src.are(at, &["CONTINUE", "IDENTITY"]) {
        at += 2;
    }
    let cascade = src.is(at, "CASCADE");
    at += usize::from(src.is_any(at, &["CASCADE", "RESTRICT"]));
    crate::session::end_at(src, at)?;
    let notices = with_referrers(schema, &mut objects, cascade)?;
    let mut sqlite = Vec::new();
    for object in &objects {
        if restart && object.place == "main" && !schema.owned_sequences(&object.name).is_empty() {
            sqlite.push(stored::restart_of(&object.name));
        }
    }
    // The tables that refer to others were found after them.
    for object in objects.iter().rev() {
        sqlite.push(format!("DELETE FROM {}", object.quoted()));
    }
    Ok(Statement {
        writes: true,
        clears: objects
            .iter()
            .filter(|object| object.place == "main")
            .map(|object| object.name.clone())
            .collect(),
        access: objects
            .iter()
            .filter(|object| object.place == "main")
            .map(|object| Access::to(Privileges::TRUNCATE, &object.name))
            .collect(),
        sqlite,
        notices,
        ..Statement::session(StatementKind::Dml, "TRUNCATE TABLE")
    })
}

fn check(schema: &dyn SchemaView, object: &Object) -> Result<(), DialectError> {
    if object.is_elsewhere() {
        return Err(object.no_schema());
    }
    let name = &object.name;
    if pg_catalog::find_table(None, name).is_some() {
        let message = format!("permission denied: \"{name}\" is a system catalog");
        return Err(DialectError::new(SqlState::INSUFFICIENT_PRIVILEGE, message));
    }
    if schema.create_sql_in(object.place, name).is_some() {
        return Ok(());
    }
    if schema.columns(name).is_some() && !schema.is_temporary(name) {
        let message = format!("\"{name}\" is not a table");
        return Err(DialectError::new(SqlState::WRONG_OBJECT_TYPE, message));
    }
    let message = format!("relation \"{}\" does not exist", object.dotted());
    Err(DialectError::new(SqlState::UNDEFINED_TABLE, message))
}

/// The tables that refer to those named must be named, too; CASCADE takes them in. What refers stands behind.
fn with_referrers(
    schema: &dyn SchemaView,
    objects: &mut Vec<Object>,
    cascade: bool,
) -> Result<Vec<Notice>, DialectError> {
    let mut notices = Vec::new();
    let mut at = 0;
    while let Some(object) = objects.get(at).cloned() {
        at += 1;
        if object.place != "main" {
            continue;
        }
        for (_, child) in schema.referrers(&object.name) {
            let known = objects
                .iter()
                .position(|known| known.place == "main" && known.name == child.name);
            if let Some(known) = known {
                // Behind what it refers to, unless they refer to each other.
                if known < at - 1 {
                    let child = objects.remove(known);
                    objects.push(child);
                    at -= 1;
                }
                continue;
            }
            if !cascade {
                return Err(DialectError::new(
                    SqlState::FEATURE_NOT_SUPPORTED,
                    "cannot truncate a table referenced in a foreign key constraint",
                )
                .detail(format!(
                    "Table \"{}\" references \"{}\".",
                    child.name, object.name
                ))
                .hint(format!(
                    "Truncate table \"{}\" at the same time, or use TRUNCATE ... CASCADE.",
                    child.name
                )));
            }
            notices.push(Notice::plain(format!(
                "truncate cascades to table \"{}\"",
                child.name
            )));
            objects.push(Object {
                if_exists: false,
                schema: None,
                name: child.name.clone(),
                place: "main",
                to: 0,
            });
        }
        if notices.len() > MAX_TABLES || at > MAX_TABLES {
            return Err(DialectError::unsupported(
                "TRUNCATE of tables that refer to each other",
            ));
        }
    }
    Ok(notices)
}

/// More tables are a circle of references that is followed without end.
const MAX_TABLES: usize = 10_000;
