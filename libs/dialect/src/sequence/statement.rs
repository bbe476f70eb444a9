//! CREATE, ALTER and DROP SEQUENCE.

use pgtypes::SqlState;

use crate::access::Access;
use crate::ddl::dependents::{Dependent, Dependents};
use crate::ddl::{comment, object_name, owner, stored_rights};
use crate::error::DialectError;
use crate::schema::SchemaView;
use crate::sequence::{Options, SequenceInfo, altered, created, stored};
use crate::source::Source;
use crate::statement::{Notice, Statement};

fn notice(sqlstate: SqlState, message: String) -> Notice {
    Notice::coded(sqlstate, message)
}

/// CREATE [TEMP] SEQUENCE [IF NOT EXISTS] name [options]; the token behind SEQUENCE at `at`.
pub(crate) fn create(
    src: &Source<'_>,
    schema: &dyn SchemaView,
    at: usize,
) -> Result<Statement, DialectError> {
    const TAG: &str = "CREATE SEQUENCE";
    if src.is_any(at - 2, &["TEMP", "TEMPORARY"]) {
        return Err(src.unsupported(at - 2, "a temporary sequence"));
    }
    let if_not_exists = src.are(at, &["IF", "NOT", "EXISTS"]);
    let (_, name, next) = object_name(src, at + if if_not_exists { 3 } else { 0 })?;
    let options = Options::read(src, next, src.len())?;
    if options.restart.is_some() || options.name.is_some() {
        return Err(src.syntax(next));
    }
    if schema.columns(&name).is_some() || schema.index_table(&name).is_some() {
        let message = format!("relation \"{name}\" already exists");
        if if_not_exists {
            let message = format!("{message}, skipping");
            return Ok(Statement {
                notices: vec![notice(SqlState::DUPLICATE_TABLE, message)],
                ..Statement::accepted(TAG)
            });
        }
        return Err(DialectError::new(SqlState::DUPLICATE_TABLE, message));
    }
    let info = created(&name, &options, false)?;
    check_owner(&info, schema)?;
    Ok(Statement {
        access: own_table(&info),
        ..Statement::ddl(TAG, stored::create(&info))
    })
}

/// Who links a sequence to a table owns that, too: the sequence follows it from then on.
fn own_table(info: &SequenceInfo) -> Vec<Access> {
    let owned = info.owner.iter().map(|(table, _)| Access::Own {
        what: "table",
        name: table.clone(),
        relation: table.clone(),
        drops: false,
    });
    owned.collect()
}

/// OWNED BY names a column that there is.
fn check_owner(info: &SequenceInfo, schema: &dyn SchemaView) -> Result<(), DialectError> {
    let Some((table, column)) = &info.owner else {
        return Ok(());
    };
    let Some(columns) = schema.columns(table) else {
        let message = format!("relation \"{table}\" does not exist");
        return Err(DialectError::new(SqlState::UNDEFINED_TABLE, message));
    };
    if columns.iter().any(|known| known.name == *column) {
        return Ok(());
    }
    let message = format!("column \"{column}\" of relation \"{table}\" does not exist");
    Err(DialectError::new(SqlState::UNDEFINED_COLUMN, message))
}

/// The sequence of that name.
///
/// Errors: 42P01, 42809 where the name is another relation's.
fn find(name: &str, schema: &dyn SchemaView, what: &str) -> Result<SequenceInfo, DialectError> {
    if let Some(info) = schema.sequence(name) {
        return Ok(info);
    }
    if schema.columns(name).is_some() {
        let message = format!("\"{name}\" is not a sequence");
        return Err(DialectError::new(SqlState::WRONG_OBJECT_TYPE, message));
    }
    let message = format!("{what} \"{name}\" does not exist");
    Err(DialectError::new(SqlState::UNDEFINED_TABLE, message))
}

/// ALTER SEQUENCE [IF EXISTS] name options | RENAME TO name | OWNER TO role | SET SCHEMA public
pub(crate) fn alter(src: &Source<'_>, schema: &dyn SchemaView) -> Result<Statement, DialectError> {
    const TAG: &str = "ALTER SEQUENCE";
    let (if_exists, name, at) = object_name(src, 2)?;
    let present = match find(&name, schema, "relation") {
        Ok(present) => present,
        Err(error) if if_exists && error.sqlstate == SqlState::UNDEFINED_TABLE => {
            let message = format!("relation \"{name}\" does not exist, skipping");
            return Ok(Statement {
                notices: vec![notice(SqlState::SUCCESSFUL_COMPLETION, message)],
                ..Statement::accepted(TAG)
            });
        }
        Err(error) => return Err(error),
    };
    if src.are(at, &["OWNER", "TO"]) {
        return owner::change(src, at, &name, TAG);
    }
    if src.are(at, &["SET", "SCHEMA", "public"]) {
        return Ok(Statement::accepted(TAG));
    }
    if src.are(at, &["RENAME", "TO"]) {
        return rename(src, schema, &present, at + 2);
    }
    if at >= src.len() {
        return Err(src.syntax(at));
    }
    let options = Options::read(src, at, src.len())?;
    let restart = options.restart.is_some();
    let identity = present.identity;
    let mut info = altered(present, &options)?;
    let mut access = Vec::new();
    if let Some(owner) = options.owner {
        if identity {
            return Err(DialectError::new(
                SqlState::FEATURE_NOT_SUPPORTED,
                "cannot change ownership of identity sequence",
            ));
        }
        info.owner = owner;
        check_owner(&info, schema)?;
        access = own_table(&info);
    }
    Ok(Statement {
        access,
        ..Statement::ddl(TAG, vec![stored::alter(&info, restart)])
    })
}

fn rename(
    src: &Source<'_>,
    schema: &dyn SchemaView,
    present: &SequenceInfo,
    at: usize,
) -> Result<Statement, DialectError> {
    let name = src.name(at).ok_or_else(|| src.syntax(at))?;
    crate::session::end_at(src, at + 1)?;
    crate::own_tables::refuse_reserved(&name)?;
    if schema.columns(&name).is_some() {
        let message = format!("relation \"{name}\" already exists");
        return Err(DialectError::new(SqlState::DUPLICATE_TABLE, message));
    }
    if !schema.sequence_users(&present.name).is_empty() {
        return Err(src
            .unsupported(1, "renaming a sequence that the default of a column uses")
            .hint("Drop the default first, and set it again afterwards."));
    }
    let mut sqlite = stored::rename(&present.name, &name);
    sqlite.extend(stored_rights::rename(schema, &present.name, &name));
    Ok(Statement::ddl("ALTER SEQUENCE", sqlite))
}

/// DROP SEQUENCE [IF EXISTS] name [, …] [CASCADE | RESTRICT]
pub(crate) fn drop(
    src: &Source<'_>,
    schema: &dyn SchemaView,
    at: usize,
) -> Result<Statement, DialectError> {
    let if_exists = src.are(at, &["IF", "EXISTS"]);
    let mut at = at + if if_exists { 2 } else { 0 };
    let mut dropped = Vec::new();
    let mut notices = Vec::new();
    loop {
        let (_, name, next) = object_name(src, at)?;
        match find(&name, schema, "sequence") {
            Ok(info) => dropped.push(info),
            Err(error) if if_exists && error.sqlstate == SqlState::UNDEFINED_TABLE => {
                let message = format!("sequence \"{name}\" does not exist, skipping");
                notices.push(notice(SqlState::SUCCESSFUL_COMPLETION, message));
            }
            Err(error) => return Err(error),
        }
        at = next;
        if !src.sign(at, ",") {
            break;
        }
        at += 1;
    }
    let cascade = src.is(at, "CASCADE");
    at += usize::from(src.is_any(at, &["CASCADE", "RESTRICT"]));
    crate::session::end_at(src, at)?;
    let mut dependents = Dependents::new(schema, &[]);
    for info in &dropped {
        find_users(info, schema, &mut dependents)?;
    }
    let statement = if dependents.is_empty() {
        let mut sqlite = Vec::new();
        for info in &dropped {
            sqlite.extend(stored::drop(&info.name));
            sqlite.extend(comment::drop_relation(schema, &info.name));
            sqlite.extend(stored_rights::drop(schema, &info.name));
        }
        if sqlite.is_empty() {
            Statement::accepted("DROP SEQUENCE")
        } else {
            Statement::ddl("DROP SEQUENCE", sqlite)
        }
    } else {
        if !cascade {
            let only = match dropped.as_slice() {
                [only] => Some(format!("sequence {}", only.name)),
                _ => None,
            };
            return Err(dependents.refusal(only.as_deref()));
        }
        notices.push(dependents.notice());
        let mut parts = dependents.drops();
        let names: Vec<String> = dropped
            .iter()
            .map(|info| crate::literal::quote_name(&info.name))
            .collect();
        parts.push(format!("DROP SEQUENCE {}", names.join(", ")));
        Statement::of_parts("DROP SEQUENCE", parts)
    };
    Ok(Statement {
        notices,
        ..statement
    })
}

/// The columns that take their values from a sequence.
fn find_users(
    info: &SequenceInfo,
    schema: &dyn SchemaView,
    dependents: &mut Dependents<'_>,
) -> Result<(), DialectError> {
    let name = &info.name;
    if let (true, Some((table, column))) = (info.identity, &info.owner) {
        let message = format!(
            "cannot drop sequence {name} because column {column} of table {table} requires it"
        );
        return Err(
            DialectError::new(SqlState::DEPENDENT_OBJECTS_STILL_EXIST, message).hint(format!(
                "You can drop column {column} of table {table} instead."
            )),
        );
    }
    for (table, column) in schema.sequence_users(name) {
        let dependent = Dependent::Default { table, column };
        dependents.add(dependent, &format!("sequence {name}"));
    }
    Ok(())
}
