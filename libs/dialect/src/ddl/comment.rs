//! COMMENT ON, and the comments that follow what they are about.
//!
//! They are rows of a table of the database, by the names of what they are about; the catalog shows them.

use pgtypes::SqlState;

use crate::ddl::namespace;
use crate::ddl::object::is_extension;
use crate::ddl::place::Object;
use crate::error::DialectError;
use crate::literal::quote;
use crate::schema::SchemaView;
use crate::session::end_at;
use crate::source::Source;
use crate::statement::{Notice, Statement};

/// A comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// `relation`, `constraint`, `database`, `schema` or `extension`.
    pub kind: String,
    /// The name of the object, of a constraint the name of its table.
    pub object: String,
    /// The column's or the constraint's name, else empty.
    pub part: String,
    /// What was said.
    pub text: String,
}

impl Comment {
    /// The table.
    pub const TABLE: &'static str = "eloqdb_comment";
    /// What reads it, in the order of the fields.
    pub const READ: &'static str = "SELECT kind, object, part, description FROM main.eloqdb_comment ORDER BY kind, object, part";
}

const CREATE: &str = "CREATE TABLE IF NOT EXISTS main.eloqdb_comment (kind TEXT NOT NULL, object TEXT NOT NULL, \
    part TEXT NOT NULL, description TEXT NOT NULL, PRIMARY KEY (kind, object, part)) WITHOUT ROWID";

/// COMMENT ON kind name IS 'text' | NULL
pub(crate) fn comment(
    src: &Source<'_>,
    schema: &dyn SchemaView,
) -> Result<Statement, DialectError> {
    if !src.is(1, "ON") {
        return Err(src.syntax(1));
    }
    let kind = src.text(2).to_ascii_lowercase();
    match kind.as_str() {
        "table" | "view" | "index" | "sequence" => {
            let object = Object::read(src, schema, 3)?;
            check_relation(schema, &object, &kind)?;
            stored(src, schema, ("relation", &object.name, ""), object.to)
        }
        "column" => column(src, schema),
        "constraint" => constraint(src, schema),
        "schema" => {
            let name = src.name(3).ok_or_else(|| src.syntax(3))?;
            if !namespace::exists(schema, &name) {
                return Err(namespace::missing(&name));
            }
            stored(src, schema, ("schema", &name, ""), 4)
        }
        "extension" => {
            let name = src.name(3).ok_or_else(|| src.syntax(3))?;
            if !is_extension(&name) {
                let message = format!("extension \"{name}\" does not exist");
                return Err(DialectError::new(SqlState::UNDEFINED_OBJECT, message));
            }
            stored(src, schema, ("extension", &name, ""), 4)
        }
        "database" => {
            let name = src.name(3).ok_or_else(|| src.syntax(3))?;
            let current = schema.database();
            if name == current {
                return stored(src, schema, ("database", &name, ""), 4);
            }
            if schema.databases().contains(&name) {
                return Err(src.unsupported(3, "a comment on another database"));
            }
            text(src, 4)?;
            let message = format!("database \"{name}\" does not exist");
            Ok(Statement {
                notices: vec![Notice::warning(SqlState::INVALID_CATALOG_NAME, message)],
                ..Statement::accepted("COMMENT")
            })
        }
        "" => Err(src.syntax(2)),
        _ => Err(src.unsupported(2, &format!("COMMENT ON {}", kind.to_ascii_uppercase()))),
    }
}

/// The text behind IS; `None` for NULL.
fn text(src: &Source<'_>, at: usize) -> Result<Option<String>, DialectError> {
    if !src.is(at, "IS") {
        return Err(src.syntax(at));
    }
    end_at(src, at + 2)?;
    if src.is(at + 1, "NULL") {
        return Ok(None);
    }
    let said = src.string(at + 1)?.ok_or_else(|| src.syntax(at + 1))?;
    Ok(Some(said).filter(|said| !said.is_empty()))
}

/// The statement that keeps a comment, or takes it away.
fn stored(
    src: &Source<'_>,
    schema: &dyn SchemaView,
    (kind, object, part): (&str, &str, &str),
    at: usize,
) -> Result<Statement, DialectError> {
    const TAG: &str = "COMMENT";
    if kind == "relation" && schema.is_temporary(object) {
        return Err(src.unsupported(2, "a comment on a temporary table"));
    }
    let (kind, object, part) = (quote(kind), quote(object), quote(part));
    let Some(said) = text(src, at)? else {
        let mut statement = Statement::ddl(TAG, Vec::new());
        if has_comments(schema) {
            statement.sqlite.push(format!(
                "DELETE FROM main.eloqdb_comment WHERE kind = {kind} AND object = {object} AND part = {part}"
            ));
        }
        return Ok(statement);
    };
    Ok(Statement::ddl(
        TAG,
        vec![
            CREATE.to_owned(),
            format!(
                "INSERT OR REPLACE INTO main.eloqdb_comment VALUES ({kind}, {object}, {part}, {})",
                quote(&said)
            ),
        ],
    ))
}

fn check_relation(
    schema: &dyn SchemaView,
    object: &Object,
    kind: &str,
) -> Result<(), DialectError> {
    let name = &object.name;
    let is = if schema.sequence(name).is_some() {
        "sequence"
    } else if let Some(info) = schema.table_info(name).filter(|_| !object.is_elsewhere()) {
        if info.view.is_some() { "view" } else { "table" }
    } else if schema.index_table(name).is_some() || schema.is_key(name) {
        "index"
    } else {
        if object.is_elsewhere() {
            return Err(object.no_schema());
        }
        let message = format!("relation \"{}\" does not exist", object.dotted());
        return Err(DialectError::new(SqlState::UNDEFINED_TABLE, message));
    };
    if is == kind {
        return Ok(());
    }
    let article = if kind == "index" { "an" } else { "a" };
    let message = format!("\"{name}\" is not {article} {kind}");
    Err(DialectError::new(SqlState::WRONG_OBJECT_TYPE, message))
}

/// COLUMN [schema.]table.column
fn column(src: &Source<'_>, schema: &dyn SchemaView) -> Result<Statement, DialectError> {
    let mut names = vec![src.name(3).ok_or_else(|| src.syntax(3))?];
    let mut at = 4;
    while src.sign(at, ".") {
        names.push(src.name(at + 1).ok_or_else(|| src.syntax(at + 1))?);
        at += 2;
    }
    let Some((column, path)) = names.split_last() else {
        return Err(src.syntax(3));
    };
    let Some(table) = path.last() else {
        return Err(src.error(3, SqlState::SYNTAX_ERROR, "column name must be qualified"));
    };
    let Some(columns) = schema.columns(table) else {
        let message = format!("relation \"{}\" does not exist", path.join("."));
        return Err(DialectError::new(SqlState::UNDEFINED_TABLE, message));
    };
    if !columns.iter().any(|known| known.name == *column) {
        let message = format!("column \"{column}\" of relation \"{table}\" does not exist");
        return Err(DialectError::new(SqlState::UNDEFINED_COLUMN, message));
    }
    stored(src, schema, ("relation", table, column), at)
}

/// CONSTRAINT name ON table
fn constraint(src: &Source<'_>, schema: &dyn SchemaView) -> Result<Statement, DialectError> {
    let name = src.name(3).ok_or_else(|| src.syntax(3))?;
    if !src.is(4, "ON") {
        return Err(src.syntax(4));
    }
    if src.is(5, "DOMAIN") {
        return Err(src.unsupported(5, "a constraint of a domain"));
    }
    let object = Object::read(src, schema, 5)?;
    let Some(info) = schema.table_info(&object.name) else {
        let message = format!("relation \"{}\" does not exist", object.dotted());
        return Err(DialectError::new(SqlState::UNDEFINED_TABLE, message));
    };
    let known = info.constraints.iter().any(|known| known.name == name)
        || schema.index_table(&name).as_deref() == Some(&info.name);
    if !known {
        let message = format!(
            "constraint \"{name}\" for table \"{}\" does not exist",
            info.name
        );
        return Err(DialectError::new(SqlState::UNDEFINED_OBJECT, message));
    }
    stored(src, schema, ("constraint", &info.name, &name), object.to)
}

fn has_comments(schema: &dyn SchemaView) -> bool {
    schema.columns(Comment::TABLE).is_some()
}

/// The statement, if there are comments at all.
fn followed(schema: &dyn SchemaView, sql: String) -> Option<String> {
    has_comments(schema).then_some(sql)
}

/// A table, view, index or sequence has another name.
pub(crate) fn rename_relation(schema: &dyn SchemaView, from: &str, to: &str) -> Option<String> {
    followed(
        schema,
        format!(
            "UPDATE main.eloqdb_comment SET object = {} WHERE object = {} AND kind IN ('relation', 'constraint')",
            quote(to),
            quote(from)
        ),
    )
}

/// A column has another name.
pub(crate) fn rename_column(
    schema: &dyn SchemaView,
    table: &str,
    from: &str,
    to: &str,
) -> Option<String> {
    rename_part(schema, "relation", (table, from, to))
}

/// A constraint has another name.
pub(crate) fn rename_constraint(
    schema: &dyn SchemaView,
    table: &str,
    from: &str,
    to: &str,
) -> Option<String> {
    rename_part(schema, "constraint", (table, from, to))
}

fn rename_part(
    schema: &dyn SchemaView,
    kind: &str,
    (table, from, to): (&str, &str, &str),
) -> Option<String> {
    followed(
        schema,
        format!(
            "UPDATE main.eloqdb_comment SET part = {} WHERE kind = '{kind}' AND object = {} AND part = {}",
            quote(to),
            quote(table),
            quote(from)
        ),
    )
}

/// A column goes.
pub(crate) fn drop_column(schema: &dyn SchemaView, table: &str, column: &str) -> Option<String> {
    drop_part(schema, "relation", (table, column))
}

/// A constraint goes.
pub(crate) fn drop_constraint(schema: &dyn SchemaView, table: &str, name: &str) -> Option<String> {
    drop_part(schema, "constraint", (table, name))
}

fn drop_part(schema: &dyn SchemaView, kind: &str, (table, part): (&str, &str)) -> Option<String> {
    followed(
        schema,
        format!(
            "DELETE FROM main.eloqdb_comment WHERE kind = '{kind}' AND object = {} AND part = {}",
            quote(table),
            quote(part)
        ),
    )
}

/// The comments on columns of one table are those of another's, too.
pub(crate) fn copy_of_columns(schema: &dyn SchemaView, from: &str, to: &str) -> Option<String> {
    followed(
        schema,
        format!(
            "INSERT OR REPLACE INTO main.eloqdb_comment SELECT kind, {}, part, description FROM main.eloqdb_comment \
             WHERE object = {} AND kind = 'relation' AND part <> ''",
            quote(to),
            quote(from)
        ),
    )
}

/// A schema goes.
pub(crate) fn drop_schema(schema: &dyn SchemaView, name: &str) -> Option<String> {
    followed(
        schema,
        format!(
            "DELETE FROM main.eloqdb_comment WHERE object = {} AND kind = 'schema'",
            quote(name)
        ),
    )
}

/// A table, view, index or sequence goes.
pub(crate) fn drop_relation(schema: &dyn SchemaView, name: &str) -> Option<String> {
    followed(
        schema,
        format!(
            "DELETE FROM main.eloqdb_comment WHERE object = {} AND kind IN ('relation', 'constraint')",
            quote(name)
        ),
    )
}
