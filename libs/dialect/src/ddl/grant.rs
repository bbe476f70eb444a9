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

/// Looks at the objects behind ON, and whether there are such privileges on them; gives the place of the word behind
/// them.
fn check(
    src: &Source<'_>,
    schema: &dyn SchemaView,
    on: usize,
    word: &str,
) -> Result<usize, DialectError> {
    let end = (on..src.len())
        .find(|at| src.is(*at, word))
        .ok_or_else(|| src.syntax(src.len()))?;
    let kind = Kind::of(src, on + 1)?;
    let mut tables = Vec::new();
    if src.is(on + 1, "ALL") {
        // ALL TABLES IN SCHEMA: what is not there yet is granted to everybody, too.
        each(src, on + 5, end, schema_exists)?;
    } else {
        match kind {
            Kind::Schema => each(src, on + 2, end, schema_exists)?,
            Kind::Database => each(src, on + 2, end, |name| database_exists(schema, name))?,
            Kind::Table | Kind::Sequence => {
                let word = usize::from(src.is_any(on + 1, &["TABLE", "SEQUENCE"]));
                tables = relations(src, schema, on + 1 + word)?;
            }
            Kind::Routine => return Err(src.unsupported(on + 1, "GRANT on a function")),
        }
    }
    let revokes_option = src.are(1, &["GRANT", "OPTION", "FOR"]);
    let first = if revokes_option { 4 } else { 1 };
    privileges(src, schema, kind, (first, on), &tables)?;
    Ok(end)
}

/// What privileges are on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Table,
    Sequence,
    Schema,
    Database,
    Routine,
}

impl Kind {
    /// By the words behind ON.
    fn of(src: &Source<'_>, at: usize) -> Result<Self, DialectError> {
        let all = src.is(at, "ALL") && src.is_any(at + 2, &["IN"]);
        let at = at + usize::from(all);
        let word = src.text(at).to_ascii_uppercase();
        Ok(match word.as_str() {
            "SCHEMA" => Self::Schema,
            "DATABASE" => Self::Database,
            "SEQUENCE" | "SEQUENCES" => Self::Sequence,
            "FUNCTION" | "FUNCTIONS" | "PROCEDURE" | "PROCEDURES" | "ROUTINE" | "ROUTINES" => {
                Self::Routine
            }
            "LANGUAGE" | "TYPE" | "DOMAIN" | "TABLESPACE" | "LARGE" | "FOREIGN" | "PARAMETER"
                if src.name(at + 1).is_some() =>
            {
                return Err(src.unsupported(at, &format!("GRANT on a {word}")));
            }
            _ => Self::Table,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Sequence => "sequence",
            Self::Schema => "schema",
            Self::Database => "database",
            Self::Routine => "function",
        }
    }

    fn has(self, privilege: &str) -> bool {
        let own: &[&str] = match self {
            // A sequence may be called a table.
            Self::Table => &[
                "SELECT",
                "INSERT",
                "UPDATE",
                "DELETE",
                "TRUNCATE",
                "REFERENCES",
                "TRIGGER",
            ],
            Self::Sequence => &["USAGE", "SELECT", "UPDATE"],
            Self::Schema => &["CREATE", "USAGE"],
            Self::Database => &["CREATE", "CONNECT", "TEMPORARY", "TEMP"],
            Self::Routine => &["EXECUTE"],
        };
        own.contains(&privilege)
    }
}

/// All privileges that PostgreSQL knows.
const PRIVILEGES: &[&str] = &[
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "TRUNCATE",
    "REFERENCES",
    "TRIGGER",
    "EXECUTE",
    "USAGE",
    "CREATE",
    "TEMPORARY",
    "TEMP",
    "CONNECT",
    "SET",
    "ALTER",
];

/// The privileges between two tokens, with the columns behind each.
///
/// Errors: 42601 for a word that is none, 0LP01 for one that there is not on such objects, 42703.
fn privileges(
    src: &Source<'_>,
    schema: &dyn SchemaView,
    kind: Kind,
    (mut at, on): (usize, usize),
    tables: &[String],
) -> Result<(), DialectError> {
    while at < on {
        let written = src.text(at);
        let privilege = written.to_ascii_uppercase();
        if privilege == "ALL" {
            at += usize::from(src.is(at + 1, "PRIVILEGES"));
        } else if !PRIVILEGES.contains(&privilege.as_str()) {
            let message = format!(
                "unrecognized privilege type \"{}\"",
                written.to_ascii_lowercase()
            );
            return Err(DialectError::new(SqlState::SYNTAX_ERROR, message));
        } else if !kind.has(&privilege) && !of_sequences(schema, tables, &privilege) {
            let message = format!("invalid privilege type {privilege} for {}", kind.name());
            return Err(DialectError::new(
                SqlState::INVALID_GRANT_OPERATION,
                message,
            ));
        }
        at += 1;
        if src.sign(at, "(") {
            let columns: Vec<String> = (at + 1..src.partner(at))
                .filter_map(|token| src.name(token))
                .collect();
            check_columns(schema, tables, &columns)?;
            at = src.partner(at) + 1;
        }
        at += usize::from(src.sign(at, ","));
    }
    Ok(())
}

/// Whether it is a privilege on sequences, and all of the relations are such.
fn of_sequences(schema: &dyn SchemaView, tables: &[String], privilege: &str) -> bool {
    Kind::Sequence.has(privilege)
        && !tables.is_empty()
        && tables.iter().all(|name| schema.sequence(name).is_some())
}

fn check_columns(
    schema: &dyn SchemaView,
    tables: &[String],
    columns: &[String],
) -> Result<(), DialectError> {
    for table in tables {
        let known = schema.columns(table).unwrap_or_default();
        let missing = columns
            .iter()
            .find(|column| !known.iter().any(|own| own.name == **column));
        if let Some(column) = missing {
            let message = format!("column \"{column}\" of relation \"{table}\" does not exist");
            return Err(DialectError::new(SqlState::UNDEFINED_COLUMN, message));
        }
    }
    Ok(())
}

/// Looks at each name of a list.
fn each(
    src: &Source<'_>,
    mut at: usize,
    end: usize,
    look: impl Fn(&str) -> Result<(), DialectError>,
) -> Result<(), DialectError> {
    while at < end {
        let name = src.name(at).ok_or_else(|| src.syntax(at))?;
        look(&name)?;
        at += 2;
    }
    Ok(())
}

fn schema_exists(name: &str) -> Result<(), DialectError> {
    if ["public", "pg_catalog", "information_schema"].contains(&name) {
        return Ok(());
    }
    let message = format!("schema \"{name}\" does not exist");
    Err(DialectError::new(SqlState::INVALID_SCHEMA_NAME, message))
}

fn database_exists(schema: &dyn SchemaView, name: &str) -> Result<(), DialectError> {
    if schema.database() == name || schema.databases().iter().any(|known| known == name) {
        return Ok(());
    }
    let message = format!("database \"{name}\" does not exist");
    Err(DialectError::new(SqlState::INVALID_CATALOG_NAME, message))
}

/// The relations of a list, which are there.
fn relations(
    src: &Source<'_>,
    schema: &dyn SchemaView,
    mut at: usize,
) -> Result<Vec<String>, DialectError> {
    let mut found = Vec::new();
    loop {
        let object = Object::read(src, schema, at)?;
        if object.is_elsewhere() {
            return Err(object.no_schema());
        }
        if schema.columns(&object.name).is_none() {
            let message = format!("relation \"{}\" does not exist", object.dotted());
            return Err(DialectError::new(SqlState::UNDEFINED_TABLE, message));
        }
        at = object.to;
        found.push(object.name);
        if !src.sign(at, ",") {
            return Ok(found);
        }
        at += 1;
    }
}
