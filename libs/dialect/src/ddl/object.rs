//! DROP, and objects that are accepted without effect or refused by name.

use pgtypes::SqlState;

use crate::ddl::object_name;
use crate::error::DialectError;
use crate::literal::quote_name;
use crate::schema::SchemaView;
use crate::sequence::stored;
use crate::source::Source;
use crate::statement::{Notice, Statement, StatementKind};

/// Objects that a script may create without anything happening: what they stand for is there, or means nothing here.
const ACCEPTED: &[(&str, &str, &str)] = &[
    ("extension", "CREATE EXTENSION", "ALTER EXTENSION"),
    ("schema", "CREATE SCHEMA", "ALTER SCHEMA"),
    ("view", "CREATE VIEW", "ALTER VIEW"),
    ("index", "CREATE INDEX", "ALTER INDEX"),
    ("default", "", "ALTER DEFAULT PRIVILEGES"),
    ("publication", "", "ALTER PUBLICATION"),
];

/// CREATE of anything that has no translation of its own; its kind at `at`.
pub(crate) fn create(src: &Source<'_>, at: usize) -> Result<Statement, DialectError> {
    let kind = src.text(at).to_ascii_lowercase();
    match kind.as_str() {
        "schema" => {
            let (_, name, _) = object_name(src, at + if src.is(at + 1, "IF") { 4 } else { 1 })?;
            if matches!(name.as_str(), "public" | "authorization") {
                return Ok(Statement::accepted("CREATE SCHEMA"));
            }
            Err(src
                .unsupported(at, "CREATE SCHEMA")
                .hint("a database has the one schema \"public\"; make a database instead"))
        }
        "extension" => {
            let name = src
                .name(at + if src.is(at + 1, "IF") { 4 } else { 1 })
                .unwrap_or_default();
            if matches!(name.as_str(), "plpgsql" | "uuid-ossp" | "pgcrypto") {
                return Ok(Statement::accepted("CREATE EXTENSION"));
            }
            Err(src.error(
                at,
                SqlState::FEATURE_NOT_SUPPORTED,
                format!("extension \"{name}\" is not available"),
            ))
        }
        "trigger" => {
            // SQLite's triggers hold their statements; PostgreSQL's call a function.
            if (at..src.len()).any(|token| src.is(token, "EXECUTE")) {
                return Err(src
                    .unsupported(at, "a trigger that executes a function")
                    .hint("use CREATE TRIGGER … BEGIN … END"));
            }
            Ok(Statement::ddl(
                "CREATE TRIGGER",
                vec![src.slice(0, src.len()).to_owned()],
            ))
        }
        "" => Err(src.syntax(at)),
        _ if src.name(at).is_some() => {
            Err(src.unsupported(at, &format!("CREATE {}", kind.to_ascii_uppercase())))
        }
        _ => Err(src.syntax(at)),
    }
}

/// ALTER of anything but tables, databases, users.
pub(crate) fn alter(src: &Source<'_>) -> Result<Statement, DialectError> {
    let kind = src.text(1).to_ascii_lowercase();
    let found = ACCEPTED.iter().find(|(word, ..)| *word == kind);
    let Some((.., tag)) = found.filter(|(.., tag)| !tag.is_empty()) else {
        return if kind.is_empty() {
            Err(src.syntax(1))
        } else {
            Err(src.unsupported(1, &format!("ALTER {}", kind.to_ascii_uppercase())))
        };
    };
    if matches!(kind.as_str(), "index" | "view")
        && (2..src.len()).any(|token| src.are(token, &["RENAME", "TO"]))
    {
        return Err(src.unsupported(1, &format!("{tag} … RENAME")));
    }
    Ok(Statement::accepted(tag))
}

/// DROP kind [IF EXISTS] name [, …] [CASCADE | RESTRICT]
pub(crate) fn drop(src: &Source<'_>, schema: &dyn SchemaView) -> Result<Statement, DialectError> {
    let kind = src.text(1).to_ascii_lowercase();
    let at = 2 + usize::from(src.is(2, "CONCURRENTLY"));
    match kind.as_str() {
        "table" | "view" | "index" => return drop_relations(src, schema, at, &kind),
        "database" => {
            let (if_exists, name, _) = object_name(src, at)?;
            return Ok(Statement::session(
                StatementKind::DropDatabase { name, if_exists },
                "DROP DATABASE",
            ));
        }
        "user" | "role" | "group" => {
            let (if_exists, name, _) = object_name(src, at)?;
            return Ok(Statement::session(
                StatementKind::DropUser { name, if_exists },
                "DROP ROLE",
            ));
        }
        "sequence" => return crate::sequence::drop(src, schema, at),
        "trigger" => {
            let (exists, name, _) = object_name(src, at)?;
            let guard = if exists { "IF EXISTS " } else { "" };
            return Ok(Statement::ddl(
                "DROP TRIGGER",
                vec![format!("DROP TRIGGER {guard}{}", quote_name(&name))],
            ));
        }
        "" => return Err(src.syntax(1)),
        _ => {}
    }
    let exists = src.are(at, &["IF", "EXISTS"]);
    let tag = match kind.as_str() {
        "extension" => "DROP EXTENSION",
        "schema" if exists => "DROP SCHEMA",
        "type" if exists => "DROP TYPE",
        "function" if exists => "DROP FUNCTION",
        "domain" if exists => "DROP DOMAIN",
        "publication" if exists => "DROP PUBLICATION",
        "materialized" if src.are(at + 1, &["IF", "EXISTS"]) => "DROP MATERIALIZED VIEW",
        _ => return Err(src.unsupported(1, &format!("DROP {}", kind.to_ascii_uppercase()))),
    };
    Ok(Statement::accepted(tag))
}

fn drop_relations(
    src: &Source<'_>,
    schema: &dyn SchemaView,
    at: usize,
    kind: &str,
) -> Result<Statement, DialectError> {
    let upper = kind.to_ascii_uppercase();
    let article = if kind == "index" { "an" } else { "a" };
    let mut sqlite = Vec::new();
    let mut notices = Vec::new();
    let exists = src.are(at, &["IF", "EXISTS"]);
    let mut at = at + if exists { 2 } else { 0 };
    loop {
        let (_, name, to) = object_name(src, at)?;
        let guard = if exists { "IF EXISTS " } else { "" };
        if schema.sequence(&name).is_some() {
            let message = format!("\"{name}\" is not {article} {kind}");
            return Err(DialectError::new(SqlState::WRONG_OBJECT_TYPE, message)
                .hint("Use DROP SEQUENCE to remove a sequence."));
        }
        sqlite.push(format!("DROP {upper} {guard}{}", quote_name(&name)));
        if kind == "table" {
            for (sequence, _) in schema.owned_sequences(&name) {
                sqlite.extend(stored::drop(&sequence));
            }
        }
        let missing = match kind {
            "index" => schema.index_table(&name).is_none(),
            _ => schema.columns(&name).is_none(),
        };
        if exists && missing {
            let message = format!("{kind} \"{name}\" does not exist, skipping");
            notices.push(Notice {
                severity: "NOTICE",
                sqlstate: SqlState::SUCCESSFUL_COMPLETION,
                message,
            });
        }
        at = to;
        if !src.sign(at, ",") {
            break;
        }
        at += 1;
    }
    if src.is_any(at, &["CASCADE", "RESTRICT"]) {
        at += 1;
    }
    crate::session::end_at(src, at)?;
    let tag = match kind {
        "table" => "DROP TABLE",
        "view" => "DROP VIEW",
        _ => "DROP INDEX",
    };
    Ok(Statement {
        notices,
        ..Statement::ddl(tag, sqlite)
    })
}
