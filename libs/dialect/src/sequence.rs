//! Sequences, kept as rows of the table `eloqdb_sequence`.
//!
//! The number behind a `serial` or identity column is the rowid that SQLite gives; sequences of their own exist for
//! scripts and programs that call `nextval` by itself. A sequence is changed by ordinary statements, so unlike
//! PostgreSQL's it takes part in transactions.

use pgtypes::{PgType, SqlState};

use crate::error::DialectError;
use crate::lexer::Kind;
use crate::literal::{quote, quote_name};
use crate::schema::SchemaView;
use crate::source::Source;
use crate::statement::{CommandTag, Statement, StatementKind};
use crate::table_info::parse_create_table;

/// The table, made by the first CREATE SEQUENCE.
pub(crate) const CREATE_TABLE: &str = "CREATE TABLE IF NOT EXISTS eloqdb_sequence (name TEXT PRIMARY KEY, \
    last_value BIGINT NOT NULL, is_called BOOLEAN NOT NULL, increment BIGINT NOT NULL, start BIGINT NOT NULL) WITHOUT ROWID";

/// `SELECT nextval('s')`, `SELECT setval('s', n [, called])`, `SELECT currval('s')` as whole statements.
pub(crate) fn call(
    src: &Source<'_>,
    schema: &dyn SchemaView,
) -> Result<Option<Statement>, DialectError> {
    let mut at = 1;
    if !src.is(0, "SELECT") {
        return Ok(None);
    }
    if src.is(at, "pg_catalog") && src.sign(at + 1, ".") {
        at += 2;
    }
    if !src.is_any(at, &["nextval", "setval", "currval"]) || !src.sign(at + 1, "(") {
        return Ok(None);
    }
    let close = src.partner(at + 1);
    if src.sign(close + 1, ",") || src.is(close + 1, "FROM") {
        return Ok(None);
    }
    let Some(sequence) = sequence_name(src, at + 2)? else {
        return Ok(None);
    };
    let (name, mut next) = sequence;
    while next < close && !src.sign(next, ",") {
        next += 1;
    }
    let function = src.text(at).to_ascii_lowercase();
    let owned = owner(schema, &name);
    if owned.is_none() && schema.columns("eloqdb_sequence").is_none() {
        return Err(src.error(
            at + 2,
            SqlState::UNDEFINED_OBJECT,
            format!("relation \"{name}\" does not exist"),
        ));
    }
    let key = quote(&name);
    let text = match (function.as_str(), owned) {
        ("nextval", Some((table, column))) => format!(
            "SELECT coalesce(max({c}), 0) + 1 AS nextval FROM {t}",
            c = quote_name(&column),
            t = quote_name(&table)
        ),
        ("nextval", None) => format!("{} RETURNING last_value AS nextval", step(&key)),
        ("currval", Some(_)) => "SELECT last_insert_rowid() AS currval".to_owned(),
        ("currval", None) => {
            format!("SELECT last_value AS currval FROM eloqdb_sequence WHERE name = {key}")
        }
        (_, owned) => return setval(src, next, close, &key, owned.is_some()),
    };
    let writes = text.starts_with("UPDATE");
    Ok(Some(statement(vec![text], writes)))
}

/// The statement that moves a sequence on; `key` is its name as a literal.
pub(crate) fn step(key: &str) -> String {
    format!(
        "UPDATE eloqdb_sequence SET last_value = CASE WHEN is_called THEN last_value + increment ELSE last_value END, \
         is_called = 1 WHERE name = {key}"
    )
}

/// setval: the value, and whether it was given out. A serial column's next value is its table's greatest plus one,
/// whatever setval says.
fn setval(
    src: &Source<'_>,
    comma: usize,
    close: usize,
    key: &str,
    owned: bool,
) -> Result<Option<Statement>, DialectError> {
    if !src.sign(comma, ",") {
        return Err(src.syntax(comma));
    }
    let mut to = comma + 1;
    while to < close && !src.sign(to, ",") {
        to = if src.sign(to, "(") {
            src.partner(to) + 1
        } else {
            to + 1
        };
    }
    let called = if src.sign(to, ",") {
        src.slice(to + 1, close)
    } else {
        "true"
    };
    let inner = crate::analyze::translate(
        &format!("SELECT {}", src.slice(comma + 1, to)),
        &crate::NoSchema,
    )?;
    let value = inner.sqlite.last().map_or("", String::as_str);
    let text = if owned {
        format!("SELECT ({value}) AS setval")
    } else {
        format!(
            "UPDATE eloqdb_sequence SET last_value = ({value}), is_called = ({called}) WHERE name = {key} RETURNING last_value AS setval"
        )
    };
    Ok(Some(Statement {
        parameters: inner.parameters,
        ..statement(vec![text], !owned)
    }))
}

fn statement(sqlite: Vec<String>, writes: bool) -> Statement {
    Statement {
        sqlite,
        writes,
        returning: writes,
        repeatable: !writes,
        columns: vec![Some(PgType::Int8)],
        tag: CommandTag::Select,
        ..Statement::session(StatementKind::Query, "")
    }
}

/// The name in `'public.s'`, `'"S"'::regclass`, or the sequence of `pg_get_serial_sequence('t', 'c')`; and the token
/// after it.
fn sequence_name(src: &Source<'_>, at: usize) -> Result<Option<(String, usize)>, DialectError> {
    let at = if src.is(at, "pg_catalog") { at + 2 } else { at };
    if src.is(at, "pg_get_serial_sequence") {
        let (Some(table), Some(column)) = (src.string(at + 2)?, src.string(at + 4)?) else {
            return Ok(None);
        };
        return Ok(Some((
            format!("{}_{column}_seq", bare(&table)),
            src.partner(at + 1) + 1,
        )));
    }
    if src.kind(at) == Some(Kind::Parameter) {
        return Ok(None);
    }
    Ok(src.string(at)?.map(|text| (bare(&text), at + 1)))
}

/// A name without its schema and quotes.
pub(crate) fn bare(text: &str) -> String {
    let last = if text.ends_with('"') {
        let inner = text.trim_end_matches('"');
        return inner.rsplit('"').next().unwrap_or(inner).to_owned();
    } else {
        text.rsplit('.').next().unwrap_or(text)
    };
    last.trim().to_ascii_lowercase()
}

/// The table and serial column that a sequence named `table_column_seq` belongs to.
pub(crate) fn owner(schema: &dyn SchemaView, sequence: &str) -> Option<(String, String)> {
    let stem = sequence.strip_suffix("_seq")?;
    stem.match_indices('_').find_map(|(at, _)| {
        let (table, column) = (stem.get(..at)?, stem.get(at + 1..)?);
        let info = parse_create_table(&schema.create_sql(table)?)?;
        let found = info
            .columns
            .iter()
            .any(|known| known.name == column && (known.generated || known.rowid_alias));
        found.then(|| (table.to_owned(), column.to_owned()))
    })
}

/// CREATE SEQUENCE [IF NOT EXISTS] name [options]
pub(crate) fn create(src: &Source<'_>, at: usize) -> Result<Statement, DialectError> {
    let exists = src.are(at, &["IF", "NOT", "EXISTS"]);
    let mut at = at + if exists { 3 } else { 0 };
    while src.sign(at + 1, ".") {
        at += 2;
    }
    let name = src.name(at).ok_or_else(|| src.syntax(at))?;
    let number = |keyword: &str| {
        let token = (at..src.len()).find(|token| src.is(*token, keyword))?;
        let value = token + 1 + usize::from(src.is_any(token + 1, &["WITH", "BY"]));
        let negative = src.sign(value, "-");
        let digits = src
            .text(value + usize::from(negative))
            .parse::<i64>()
            .ok()?;
        Some(if negative { -digits } else { digits })
    };
    let increment = number("INCREMENT").unwrap_or(1);
    let start = number("START").or_else(|| number("MINVALUE")).unwrap_or(1);
    let insert = if exists {
        "INSERT OR IGNORE INTO"
    } else {
        "INSERT INTO"
    };
    Ok(Statement::ddl(
        "CREATE SEQUENCE",
        vec![
            CREATE_TABLE.to_owned(),
            format!(
                "{insert} eloqdb_sequence VALUES ({}, {start}, 0, {increment}, {start})",
                quote(&name)
            ),
        ],
    ))
}

/// DROP SEQUENCE [IF EXISTS] name: a missing one is not an error, since serial columns have none to drop.
pub(crate) fn drop(name: &str) -> Statement {
    let delete = format!("DELETE FROM eloqdb_sequence WHERE name = {}", quote(name));
    Statement::ddl("DROP SEQUENCE", vec![CREATE_TABLE.to_owned(), delete])
}
