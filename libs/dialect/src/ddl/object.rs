//! CREATE, ALTER and DROP of what is no table: done, or refused by name.

use pgtypes::SqlState;

use crate::ddl::alter_drop::check_storage;
use crate::ddl::drop::drop_relations;
use crate::ddl::place::Object;
use crate::ddl::{alter_rename, domain_type, enum_type, index, namespace, object_name, owner};
use crate::error::DialectError;
use crate::literal::quote_name;
use crate::pg_catalog::EXTENSIONS;
use crate::schema::SchemaView;
use crate::source::Source;
use crate::statement::{Notice, Statement, StatementKind};

/// CREATE of anything that has no translation of its own; its kind at `at`.
pub(crate) fn create(src: &Source<'_>, at: usize) -> Result<Statement, DialectError> {
    let kind = src.text(at).to_ascii_lowercase();
    match kind.as_str() {
        "extension" => create_extension(src, at),
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
            Err(src.unsupported(at, &format!("CREATE {}", words(src, at))))
        }
        _ => Err(src.syntax(at)),
    }
}

/// CREATE EXTENSION [IF NOT EXISTS] name: what some of them bring is there.
fn create_extension(src: &Source<'_>, at: usize) -> Result<Statement, DialectError> {
    let if_not_exists = src.are(at + 1, &["IF", "NOT", "EXISTS"]);
    let at = at + if if_not_exists { 4 } else { 1 };
    let name = src.name(at).ok_or_else(|| src.syntax(at))?;
    if is_extension(&name) {
        return exists(
            (
                SqlState::DUPLICATE_OBJECT,
                &format!("extension \"{name}\" already exists"),
            ),
            if_not_exists,
            "CREATE EXTENSION",
        );
    }
    let message = format!("extension \"{name}\" is not available");
    Err(DialectError::new(SqlState::FEATURE_NOT_SUPPORTED, message))
}

/// Whether an extension of that name is part of the server.
pub(super) fn is_extension(name: &str) -> bool {
    EXTENSIONS.iter().any(|(_, known, _)| *known == name)
}

/// What is there already.
fn exists(
    (sqlstate, message): (SqlState, &str),
    forgiven: bool,
    tag: &'static str,
) -> Result<Statement, DialectError> {
    if !forgiven {
        return Err(DialectError::new(sqlstate, message));
    }
    Ok(Statement {
        notices: vec![Notice::coded(sqlstate, format!("{message}, skipping"))],
        ..Statement::accepted(tag)
    })
}

/// ALTER of anything but tables, databases, users.
pub(crate) fn alter(src: &Source<'_>, schema: &dyn SchemaView) -> Result<Statement, DialectError> {
    let kind = src.text(1).to_ascii_lowercase();
    match kind.as_str() {
        "" => Err(src.syntax(1)),
        "view" | "index" => alter_relation(src, schema, &kind),
        _ => Err(src.unsupported(1, &format!("ALTER {}", words(src, 1)))),
    }
}

/// The kind of an object, of one word or two.
fn words(src: &Source<'_>, at: usize) -> String {
    let two = src.is_any(
        at,
        &[
            "DEFAULT",
            "EVENT",
            "FOREIGN",
            "LARGE",
            "MATERIALIZED",
            "OPERATOR",
            "TEXT",
            "USER",
            "ACCESS",
        ],
    );
    let to = at + 1 + usize::from(two && src.name(at + 1).is_some());
    src.slice(at, to).to_ascii_uppercase()
}

/// ALTER VIEW | INDEX [IF EXISTS] name action
fn alter_relation(
    src: &Source<'_>,
    schema: &dyn SchemaView,
    kind: &str,
) -> Result<Statement, DialectError> {
    let (tag, upper) = match kind {
        "view" => ("ALTER VIEW", "VIEW"),
        _ => ("ALTER INDEX", "INDEX"),
    };
    let object = Object::read(src, schema, 2)?;
    let at = object.to;
    let is_index = schema.index_table(&object.name).is_some();
    let known = is_index || schema.columns(&object.name).is_some();
    if object.is_elsewhere() || !known {
        let message = format!("relation \"{}\" does not exist", object.dotted());
        if object.if_exists {
            let message = format!("relation \"{}\" does not exist, skipping", object.name);
            return Ok(Statement {
                notices: vec![Notice::plain(message)],
                ..Statement::accepted(tag)
            });
        }
        return Err(DialectError::new(SqlState::UNDEFINED_TABLE, message));
    }
    let is_view = schema
        .table_info(&object.name)
        .is_some_and(|info| info.view.is_some())
        && schema.sequence(&object.name).is_none();
    if (kind == "index") != is_index || (kind == "view" && !is_view) {
        let article = if kind == "index" { "an" } else { "a" };
        let message = format!("\"{}\" is not {article} {kind}", object.name);
        return Err(DialectError::new(SqlState::WRONG_OBJECT_TYPE, message));
    }
    if src.are(at, &["OWNER", "TO"]) && kind == "view" {
        return owner::change(src, at, &object.name, tag);
    }
    if src.are(at, &["RENAME", "TO"]) && kind == "index" {
        return index::rename(src, schema, &object);
    }
    if src.is(at, "RENAME") && kind == "view" {
        return alter_rename::rename(src, schema, &object, (at, tag));
    }
    if src.is_any(at, &["SET", "RESET"]) && src.sign(at + 1, "(") {
        check_storage(src, at + 1)?;
        return Ok(Statement::accepted(tag));
    }
    if src.are(at, &["SET", "SCHEMA"]) && kind == "view" {
        return alter_rename::set_schema(src, schema, &object, (at, tag));
    }
    let action = src.slice(at, (at + 2).min(src.len())).to_ascii_uppercase();
    Err(src.unsupported(1, &format!("ALTER {upper} … {action}")))
}

/// DROP kind [IF EXISTS] name [, …] [CASCADE | RESTRICT]
pub(crate) fn drop(src: &Source<'_>, schema: &dyn SchemaView) -> Result<Statement, DialectError> {
    let kind = src.text(1).to_ascii_lowercase();
    let at = 2 + usize::from(src.is(2, "CONCURRENTLY"));
    match kind.as_str() {
        "table" | "view" | "index" => {
            let mut statement = drop_relations(src, schema, at, &kind)?;
            statement.outside_block = (at > 2).then_some("DROP INDEX CONCURRENTLY");
            Ok(statement)
        }
        "database" => {
            let (if_exists, name, _) = object_name(src, at)?;
            Ok(Statement::session(
                StatementKind::DropDatabase { name, if_exists },
                "DROP DATABASE",
            ))
        }
        "user" | "role" | "group" if !src.is(2, "MAPPING") => {
            let (if_exists, name, to) = object_name(src, at)?;
            if src.sign(to, ",") {
                return Err(src.unsupported(to, "DROP ROLE of several roles"));
            }
            crate::session::end_at(src, to)?;
            Ok(Statement::session(
                StatementKind::DropUser { name, if_exists },
                "DROP ROLE",
            ))
        }
        "sequence" => crate::sequence::drop(src, schema, at),
        "type" => enum_type::drop(src, schema),
        "domain" => domain_type::drop(src, schema),
        "schema" => namespace::drop(src, schema, at),
        "trigger" => drop_trigger(src, schema, at),
        "" => Err(src.syntax(1)),
        _ => drop_missing(src, at),
    }
}

/// DROP TRIGGER [IF EXISTS] name [ON table]
fn drop_trigger(
    src: &Source<'_>,
    schema: &dyn SchemaView,
    at: usize,
) -> Result<Statement, DialectError> {
    let (if_exists, name, to) = object_name(src, at)?;
    let known = schema.trigger_table(&name);
    if known.is_some() {
        return Ok(Statement::ddl(
            "DROP TRIGGER",
            vec![format!("DROP TRIGGER {}", quote_name(&name))],
        ));
    }
    let mut message = format!("trigger \"{name}\" does not exist");
    let mut state = SqlState::UNDEFINED_OBJECT;
    if src.is(to, "ON") {
        let object = Object::read(src, schema, to + 1)?;
        if schema.columns(&object.name).is_some() {
            message = format!(
                "trigger \"{name}\" for table \"{}\" does not exist",
                object.name
            );
        } else {
            state = SqlState::UNDEFINED_TABLE;
            message = format!("relation \"{}\" does not exist", object.dotted());
        }
    }
    if !if_exists {
        return Err(DialectError::new(state, message));
    }
    Ok(Statement {
        notices: vec![Notice::plain(format!("{message}, skipping"))],
        ..Statement::accepted("DROP TRIGGER")
    })
}

/// The kinds of objects of which there are none: their tags, and how messages name them.
const NONE_OF: &[(&str, &str, &str)] = &[
    ("extension", "DROP EXTENSION", "extension"),
    ("publication", "DROP PUBLICATION", "publication"),
    (
        "materialized",
        "DROP MATERIALIZED VIEW",
        "materialized view",
    ),
    ("server", "DROP SERVER", "server"),
    ("collation", "DROP COLLATION", "collation"),
    ("statistics", "DROP STATISTICS", "statistics object"),
    ("function", "DROP FUNCTION", "function"),
    ("procedure", "DROP PROCEDURE", "procedure"),
    ("routine", "DROP ROUTINE", "routine"),
    ("aggregate", "DROP AGGREGATE", "aggregate"),
];

/// DROP of an object that can't be there: IF EXISTS says so in a notice.
fn drop_missing(src: &Source<'_>, at: usize) -> Result<Statement, DialectError> {
    let kind = src.text(1).to_ascii_lowercase();
    let found = NONE_OF.iter().find(|(word, ..)| *word == kind);
    let refused = || src.unsupported(1, &format!("DROP {}", words(src, 1)));
    let Some((_, tag, what)) = found else {
        return Err(refused());
    };
    let at = at + usize::from(kind == "materialized");
    let if_exists = src.are(at, &["IF", "EXISTS"]);
    let mut at = at + if if_exists { 2 } else { 0 };
    let mut notices = Vec::new();
    loop {
        let (_, name, to) = object_name(src, at)?;
        let there = kind == "extension" && is_extension(&name);
        let built_in = match kind.as_str() {
            "function" | "routine" | "aggregate" => {
                !crate::catalog::functions_named(&name).is_empty()
            }
            _ => false,
        };
        if there || built_in {
            return Err(refused());
        }
        let arguments = if src.sign(to, "(") {
            src.slice(to, src.partner(to) + 1).to_owned()
        } else if matches!(
            kind.as_str(),
            "function" | "procedure" | "routine" | "aggregate"
        ) {
            "()".to_owned()
        } else {
            String::new()
        };
        let message = if arguments.is_empty() {
            format!("{what} \"{name}\" does not exist")
        } else {
            format!("{what} {name}{arguments} does not exist")
        };
        if !if_exists {
            let state = match kind.as_str() {
                "materialized" => SqlState::UNDEFINED_TABLE,
                _ if !arguments.is_empty() => SqlState::UNDEFINED_FUNCTION,
                _ => SqlState::UNDEFINED_OBJECT,
            };
            return Err(DialectError::new(state, message));
        }
        notices.push(Notice::plain(format!("{message}, skipping")));
        at = if src.sign(to, "(") {
            src.partner(to) + 1
        } else {
            to
        };
        if !src.sign(at, ",") {
            break;
        }
        at += 1;
    }
    at += usize::from(src.is_any(at, &["CASCADE", "RESTRICT"]));
    crate::session::end_at(src, at)?;
    Ok(Statement {
        notices,
        ..Statement::accepted(tag)
    })
}
