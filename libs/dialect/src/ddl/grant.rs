//! GRANT and REVOKE. Every user may use every table of the databases that he may enter: what is granted is there
//! already, and nothing can be taken away.

use pgtypes::SqlState;

use crate::ddl::place::Object;
use crate::ddl::role;
use crate::error::DialectError;
use crate::schema::SchemaView;
use crate::source::Source;
use crate::statement::{Role, Statement};

/// GRANT privileges ON objects TO roles
pub(crate) fn grant(src: &Source<'_>, schema: &dyn SchemaView) -> Result<Statement, DialectError> {
    let Some(on) = (1..src.len()).find(|at| src.is(*at, "ON")) else {
        return membership(src, "GRANT of a role", "TO");
    };
    let to = check(src, schema, on, "TO")?;
    Ok(Statement {
        roles: roles(src, to)?,
        ..Statement::accepted("GRANT")
    })
}

/// REVOKE privileges ON objects FROM roles
pub(crate) fn revoke(src: &Source<'_>, schema: &dyn SchemaView) -> Result<Statement, DialectError> {
    let Some(on) = (1..src.len()).find(|at| src.is(*at, "ON")) else {
        return membership(src, "REVOKE of a role", "FROM");
    };
    let from = check(src, schema, on, "FROM")?;
    refused(src, "REVOKE", roles(src, from)?)
}

/// GRANT role TO role: there are no groups.
fn membership(src: &Source<'_>, what: &'static str, word: &str) -> Result<Statement, DialectError> {
    let to = (1..src.len())
        .find(|at| src.is(*at, word))
        .ok_or_else(|| src.syntax(src.len()))?;
    refused(src, what, roles(src, to)?)
}

/// A role that is not there is told first.
fn refused(
    src: &Source<'_>,
    what: &'static str,
    roles: Vec<Role>,
) -> Result<Statement, DialectError> {
    if roles.is_empty() {
        return Err(src.unsupported(0, what));
    }
    let mut roles: Vec<Role> = roles;
    if let Some(last) = roles.last_mut() {
        last.only_own = Some(what);
    }
    Ok(Statement {
        roles,
        ..Statement::refused(what)
    })
}

/// The roles behind TO or FROM; PUBLIC is everybody.
fn roles(src: &Source<'_>, at: usize) -> Result<Vec<Role>, DialectError> {
    let mut roles = Vec::new();
    let mut at = at + 1;
    loop {
        at += usize::from(src.is(at, "GROUP"));
        if !src.is(at, "PUBLIC") {
            roles.extend(role::read(src, at, None)?);
        }
        if !src.sign(at + 1, ",") {
            return Ok(roles);
        }
        at += 2;
    }
}

/// Looks at the objects behind ON; gives the place of the word behind them.
fn check(
    src: &Source<'_>,
    schema: &dyn SchemaView,
    on: usize,
    word: &str,
) -> Result<usize, DialectError> {
    let end = (on..src.len())
        .find(|at| src.is(*at, word))
        .ok_or_else(|| src.syntax(src.len()))?;
    let mut at = on + 1;
    if src.is_any(at, &["ALL"]) {
        return Ok(end);
    }
    let tables = !src.is_any(
        at,
        &[
            "SCHEMA",
            "DATABASE",
            "FUNCTION",
            "PROCEDURE",
            "ROUTINE",
            "LANGUAGE",
            "TYPE",
            "DOMAIN",
            "TABLESPACE",
            "LARGE",
            "FOREIGN",
            "PARAMETER",
        ],
    );
    if !tables {
        return Ok(end);
    }
    at += usize::from(src.is_any(at, &["TABLE", "SEQUENCE"]));
    loop {
        let object = Object::read(src, schema, at)?;
        if object.is_elsewhere() {
            return Err(object.no_schema());
        }
        if schema.columns(&object.name).is_none() {
            let message = format!("relation \"{}\" does not exist", object.dotted());
            return Err(DialectError::new(SqlState::UNDEFINED_TABLE, message));
        }
        if !src.sign(object.to, ",") {
            return Ok(end);
        }
        at = object.to + 1;
    }
}
