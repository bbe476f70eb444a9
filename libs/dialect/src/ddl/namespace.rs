//! CREATE, ALTER and DROP SCHEMA. A schema is a row of a table of the database; what is in it has its name before its
//! own (`stored_name`).

use acl::Kind;
use pgtypes::SqlState;

use crate::access::Access;
use crate::ddl::role::Who;
use crate::ddl::{comment, owner, stored_rights};
use crate::error::DialectError;
use crate::literal::quote;
use crate::pg_catalog::identifier;
use crate::qualify;
use crate::schema::SchemaView;
use crate::session::end_at;
use crate::source::Source;
use crate::statement::{Notice, Statement};
use crate::stored_name::{self, PUBLIC, qualified};

/// The table of schemas.
#[derive(Debug, Clone, Copy)]
pub struct StoredSchema;

impl StoredSchema {
    /// The table.
    pub const TABLE: &'static str = "eloqdb_schema";
    /// What reads the names.
    pub const READ: &'static str = "SELECT name FROM main.eloqdb_schema ORDER BY name";
    const CREATE: &'static str = "CREATE TABLE IF NOT EXISTS main.eloqdb_schema (name TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID";
}

/// The schemas that are there without a row.
const BUILT_IN: &[&str] = &[PUBLIC, "pg_catalog", "information_schema"];

/// Whether there is such a schema.
pub(crate) fn exists(schema: &dyn SchemaView, name: &str) -> bool {
    BUILT_IN.contains(&name) || schema.schemas().iter().any(|known| known == name)
}

/// 3F000.
pub(crate) fn missing(name: &str) -> DialectError {
    let message = format!("schema \"{name}\" does not exist");
    DialectError::new(SqlState::INVALID_SCHEMA_NAME, message)
}

/// CREATE SCHEMA [IF NOT EXISTS] name [AUTHORIZATION role], CREATE SCHEMA AUTHORIZATION role; SCHEMA at `at`.
pub(crate) fn create(
    src: &Source<'_>,
    schema: &dyn SchemaView,
    at: usize,
) -> Result<Statement, DialectError> {
    const TAG: &str = "CREATE SCHEMA";
    let forgiven = src.are(at + 1, &["IF", "NOT", "EXISTS"]);
    let mut at = at + if forgiven { 4 } else { 1 };
    let mut name = None;
    if !src.is(at, "AUTHORIZATION") {
        name = Some(src.name(at).ok_or_else(|| src.syntax(at))?);
        at += 1;
    }
    let mut owner = None;
    if src.is(at, "AUTHORIZATION") {
        owner = Some(Who::role(src, at + 1)?);
        at += 2;
    }
    let head = at;
    let elements = elements(src, at)?;
    if elements.is_empty() {
        end_at(src, at)?;
    }
    let name = match (name, &owner) {
        (Some(name), _) => name,
        (None, Some(Who::Named(role))) => role.clone(),
        (None, _) => {
            return Err(src.unsupported(
                at - 1,
                "CREATE SCHEMA AUTHORIZATION of a role without its name",
            ));
        }
    };
    check_name(&name)?;
    if exists(schema, &name) {
        let message = format!("schema \"{name}\" already exists");
        if !forgiven {
            return Err(DialectError::new(SqlState::DUPLICATE_SCHEMA, message));
        }
        return Ok(Statement {
            notices: vec![Notice::coded(
                SqlState::DUPLICATE_SCHEMA,
                format!("{message}, skipping"),
            )],
            ..Statement::accepted(TAG)
        });
    }
    // SQLite has names in one case only.
    if schema
        .schemas()
        .iter()
        .any(|known| known.eq_ignore_ascii_case(&name))
    {
        let what = format!("a schema \"{name}\" beside one whose name differs in case only");
        return Err(DialectError::unsupported(what));
    }
    if !elements.is_empty() {
        let mut parts = vec![src.slice(0, head).to_owned()];
        parts.extend(qualify::made_in(&name, &elements)?);
        return Ok(Statement::of_parts(TAG, parts));
    }
    let insert = format!("INSERT INTO main.eloqdb_schema VALUES ({})", quote(&name));
    let roles = owner.iter().filter_map(Who::named).collect();
    Ok(Statement {
        roles,
        access: vec![Access::CreateSchema { name, owner }],
        ..Statement::ddl(TAG, vec![StoredSchema::CREATE.to_owned(), insert])
    })
}

/// What is to be made in a new schema, in PostgreSQL's order: sequences, tables, indexes.
fn elements(src: &Source<'_>, at: usize) -> Result<Vec<String>, DialectError> {
    let mut found: Vec<(u8, String)> = Vec::new();
    let mut at = at;
    while src.is_any(at, &["CREATE", "GRANT"]) {
        let mut end = at + 1;
        while end < src.len() && !src.is_any(end, &["CREATE", "GRANT"]) {
            end = if src.sign(end, "(") {
                src.partner(end)
            } else {
                end
            } + 1;
        }
        let kind = (at + 1..end).find(|at| !src.is_any(*at, &["UNIQUE", "TEMP", "TEMPORARY"]));
        let rank = match src.text(kind.unwrap_or(end)).to_ascii_lowercase().as_str() {
            "sequence" => 0,
            "table" => 1,
            "index" => 2,
            _ => {
                let what =
                    "CREATE SCHEMA with other things in it than sequences, tables and indexes";
                return Err(src.unsupported(at, what));
            }
        };
        found.push((rank, src.slice(at, end).to_owned()));
        at = end;
    }
    if !found.is_empty() {
        end_at(src, at)?;
    }
    found.sort_by_key(|(rank, _)| *rank);
    Ok(found.into_iter().map(|(_, text)| text).collect())
}

fn check_name(name: &str) -> Result<(), DialectError> {
    if name.starts_with("pg_") {
        let message = format!("unacceptable schema name \"{name}\"");
        return Err(DialectError::new(SqlState::RESERVED_NAME, message)
            .detail("The prefix \"pg_\" is reserved for system schemas."));
    }
    if name.contains('.') || name.is_empty() {
        return Err(DialectError::unsupported("a schema whose name has a dot"));
    }
    if ["main", "temp", "eloqdb"].contains(&name) {
        return Err(DialectError::unsupported(format!(
            "a schema of the name \"{name}\""
        )));
    }
    Ok(())
}

/// ALTER SCHEMA name OWNER TO role
pub(crate) fn alter(src: &Source<'_>, schema: &dyn SchemaView) -> Result<Statement, DialectError> {
    let name = src.name(2).ok_or_else(|| src.syntax(2))?;
    if !exists(schema, &name) {
        return Err(missing(&name));
    }
    if src.are(3, &["OWNER", "TO"])
        && !["pg_catalog", "information_schema"].contains(&name.as_str())
    {
        return owner::change_of_schema(src, 3, &name);
    }
    let action = src.slice(3, 5.min(src.len())).to_ascii_uppercase();
    Err(src.unsupported(1, &format!("ALTER SCHEMA … {action}")))
}

/// What is in a schema: how messages name its kind, and its stored name.
fn contents(schema: &dyn SchemaView, name: &str) -> Vec<(&'static str, String)> {
    let within = |stored: &str| stored_name::schema(stored) == name;
    let mut found = Vec::new();
    for stored in schema
        .relations()
        .into_iter()
        .filter(|stored| within(stored))
    {
        let kind = match schema.sequence(&stored) {
            // It goes with the table of its column.
            Some(sequence) if sequence.owner.is_some() => continue,
            Some(_) => "sequence",
            None if schema
                .table_info(&stored)
                .is_some_and(|info| info.view.is_some()) =>
            {
                "view"
            }
            None => "table",
        };
        found.push((kind, stored));
    }
    let types = schema.user_types().into_iter().map(|ty| ty.name);
    found.extend(types.filter(|name| within(name)).map(|name| ("type", name)));
    let domains = schema.domains().into_iter().map(|domain| domain.name);
    found.extend(
        domains
            .filter(|name| within(name))
            .map(|name| ("domain", name)),
    );
    found
}

/// DROP SCHEMA [IF EXISTS] name [, …] [CASCADE | RESTRICT]; the names begin at `at`.
pub(crate) fn drop(
    src: &Source<'_>,
    schema: &dyn SchemaView,
    at: usize,
) -> Result<Statement, DialectError> {
    const TAG: &str = "DROP SCHEMA";
    let forgiven = src.are(at, &["IF", "EXISTS"]);
    let mut at = at + if forgiven { 2 } else { 0 };
    let (mut names, mut notices) = (Vec::new(), Vec::new());
    loop {
        let name = src.name(at).ok_or_else(|| src.syntax(at))?;
        if BUILT_IN.contains(&name.as_str()) {
            return Err(src.unsupported(1, &format!("DROP SCHEMA {name}")));
        }
        if exists(schema, &name) {
            names.push(name);
        } else if forgiven {
            let message = format!("schema \"{name}\" does not exist, skipping");
            notices.push(Notice::plain(message));
        } else {
            return Err(missing(&name));
        }
        at += 1;
        if !src.sign(at, ",") {
            break;
        }
        at += 1;
    }
    let cascade = src.is(at, "CASCADE");
    at += usize::from(src.is_any(at, &["CASCADE", "RESTRICT"]));
    end_at(src, at)?;
    let mut inside = Vec::new();
    for name in &names {
        let found = contents(schema, name).into_iter();
        inside.extend(found.map(|(kind, stored)| (kind, stored, name.clone())));
    }
    if !inside.is_empty() && !cascade {
        return Err(refusal(&names, &inside));
    }
    let access = names
        .iter()
        .map(|name| Access::OwnSchema { name: name.clone() });
    let access = access.collect();
    let statement = if inside.is_empty() {
        let sqlite = names.iter().flat_map(|name| drop_row(schema, name));
        Statement::ddl(TAG, sqlite.collect())
    } else {
        notices.push(cascades(&inside));
        let mut parts = drops(&inside);
        let names: Vec<String> = names
            .iter()
            .map(|name| crate::literal::quote_name(name))
            .collect();
        parts.push(format!("DROP SCHEMA {}", names.join(", ")));
        Statement::of_parts(TAG, parts)
    };
    if names.is_empty() {
        return Ok(Statement {
            notices,
            ..Statement::accepted(TAG)
        });
    }
    Ok(Statement {
        notices,
        access,
        ..statement
    })
}

fn drop_row(schema: &dyn SchemaView, name: &str) -> Vec<String> {
    let mut sqlite = vec![format!(
        "DELETE FROM main.eloqdb_schema WHERE name = {}",
        quote(name)
    )];
    sqlite.extend(stored_rights::drop_of(schema, Kind::Schema, name));
    sqlite.extend(comment::drop_schema(schema, name));
    sqlite
}

fn refusal(names: &[String], inside: &[(&str, String, String)]) -> DialectError {
    let message = match names {
        [only] => format!(
            "cannot drop schema {} because other objects depend on it",
            identifier(only)
        ),
        _ => "cannot drop desired object(s) because other objects depend on them".to_owned(),
    };
    let lines: Vec<String> = inside
        .iter()
        .map(|(kind, stored, of)| {
            let kind = if *kind == "domain" { "type" } else { kind };
            format!(
                "{kind} {} depends on schema {}",
                stored_name::shown(stored),
                identifier(of)
            )
        })
        .collect();
    DialectError::new(SqlState::DEPENDENT_OBJECTS_STILL_EXIST, message)
        .detail(lines.join("\n"))
        .hint("Use DROP ... CASCADE to drop the dependent objects too.")
}

fn cascades(inside: &[(&str, String, String)]) -> Notice {
    let line = |(kind, stored, _): &(&str, String, String)| {
        let kind = if *kind == "domain" { "type" } else { kind };
        format!("drop cascades to {kind} {}", stored_name::shown(stored))
    };
    if let [only] = inside {
        return Notice::plain(line(only));
    }
    let lines: Vec<String> = inside.iter().map(line).collect();
    Notice {
        detail: Some(lines.join("\n")),
        ..Notice::plain(format!("drop cascades to {} other objects", inside.len()))
    }
}

/// The statements that empty schemas: what reads others goes first.
fn drops(inside: &[(&str, String, String)]) -> Vec<String> {
    let kinds = ["view", "table", "sequence", "domain", "type"];
    let each = kinds.iter().filter_map(|kind| {
        let of_kind = inside.iter().filter(|(is, ..)| is == kind);
        let names: Vec<String> = of_kind.map(|(_, stored, _)| qualified(stored)).collect();
        let kind = kind.to_ascii_uppercase();
        (!names.is_empty()).then(|| format!("DROP {kind} {} CASCADE", names.join(", ")))
    });
    each.collect()
}
