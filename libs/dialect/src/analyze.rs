//! Translation of one statement: what it is by its first words, and who translates it.

use pgtypes::PgType;

use crate::error::DialectError;
use crate::schema::SchemaView;
use crate::sequence::{self, Sequences};
use crate::source::Source;
use crate::statement::{CommandTag, Statement, StatementKind};
use crate::translator::Translator;
use crate::{copy, ddl, front, names, session};

/// Translates one statement (as [`crate::split`] gives it).
pub fn analyze(sql: &str, schema: &dyn SchemaView) -> Result<Statement, DialectError> {
    analyze_with(sql, schema, &[])
}

/// The same with the numbers of the types that the client gave to parameters; 0 where it leaves one open.
pub fn analyze_with(
    sql: &str,
    schema: &dyn SchemaView,
    parameters: &[u32],
) -> Result<Statement, DialectError> {
    analyze_parts(sql, schema, parameters).map(with_sequences)
}

/// What the printed texts do with sequences.
fn with_sequences(statement: Statement) -> Statement {
    let Some(text) = statement.sqlite.last() else {
        return statement;
    };
    let runs = matches!(
        statement.kind,
        StatementKind::Query
            | StatementKind::Dml
            | StatementKind::DeclareCursor { .. }
            | StatementKind::CopyOut { .. }
    );
    let uses = sequence::uses_of(text);
    if !runs || uses.sequences == Sequences::None {
        return statement;
    }
    Statement {
        writes: statement.writes || uses.moves,
        sequences: uses.sequences,
        ..statement
    }
}

fn analyze_parts(
    sql: &str,
    schema: &dyn SchemaView,
    parameters: &[u32],
) -> Result<Statement, DialectError> {
    // What asks about the catalog is translated still.
    if is_own_command(sql) || crate::pg_catalog::is_catalog_query(sql) {
        return translate(sql, schema);
    }
    match front::statement(sql, schema, parameters)? {
        Some(statement) => Ok(statement),
        None => translate(sql, schema),
    }
}

/// DBCTL is no statement of PostgreSQL's, nor is PRAGMA, by which administrators look at SQLite.
fn is_own_command(sql: &str) -> bool {
    let text = sql.trim_start();
    ["DBCTL", "PRAGMA"].iter().any(|own| {
        text.get(..own.len())
            .is_some_and(|word| word.eq_ignore_ascii_case(own))
    })
}

/// The translation alone, of a statement that was checked as a part of another.
pub(crate) fn translate(sql: &str, schema: &dyn SchemaView) -> Result<Statement, DialectError> {
    let src = Source::new(sql)?;
    if src.len() == 0 {
        return Ok(Statement::session(StatementKind::Empty, ""));
    }
    let Some(quoted) = names::quote(&src) else {
        return dispatch(&src, schema);
    };
    Source::new(&quoted.sql)
        .and_then(|src| dispatch(&src, schema))
        .map_err(|error| quoted.undo(error))
}

fn dispatch(src: &Source<'_>, schema: &dyn SchemaView) -> Result<Statement, DialectError> {
    let word = src.text(0).to_ascii_lowercase();
    match word.as_str() {
        "select" | "values" | "table" | "(" => query(src, schema),
        "with" => with(src, schema),
        "insert" | "update" | "delete" | "replace" => {
            let mut translator = Translator::new(src, schema);
            let statement = translator.dml(0)?;
            Ok(translator.finish(statement))
        }
        "truncate" => Translator::new(src, schema).truncate(),
        "explain" => explain(src, schema),
        "copy" => copy::copy(src, schema),
        "declare" => declare(src, schema),
        "create" | "alter" | "drop" | "comment" | "grant" | "revoke" | "security" | "import"
        | "refresh" => ddl::ddl(src, schema, &word),
        "merge" | "call" | "do" => Err(src.unsupported(0, &word.to_ascii_uppercase())),
        _ => session::session(src, &word),
    }
}

/// SELECT and its kin.
fn query(src: &Source<'_>, schema: &dyn SchemaView) -> Result<Statement, DialectError> {
    if let Some(statement) = nothing(src) {
        return Ok(statement);
    }
    let translator = Translator::new(src, schema);
    query_at(translator, 0, StatementKind::Query, CommandTag::Select)
}

/// The answer to a question about catalog tables that are always empty: no rows, with the columns asked for.
fn nothing(src: &Source<'_>) -> Option<Statement> {
    let asked = (0..src.len()).any(|at| {
        src.name(at)
            .is_some_and(|name| crate::pg_catalog::is_empty_table(&name))
    });
    if !asked || !src.is(0, "SELECT") {
        return None;
    }
    let mut names = Vec::new();
    let mut at = 1 + usize::from(src.is(1, "DISTINCT"));
    while at < src.len() {
        let mut end = at;
        while end < src.len() && !src.sign(end, ",") && !src.is(end, "FROM") {
            end = if src.sign(end, "(") {
                src.partner(end) + 1
            } else {
                end + 1
            };
        }
        let name = src.name(end - 1).unwrap_or_else(|| "?column?".to_owned());
        names.push(format!("NULL AS {}", crate::literal::quote_name(&name)));
        if !src.sign(end, ",") {
            break;
        }
        at = end + 1;
    }
    let types = names.iter().map(|_| Some(PgType::Text)).collect();
    Some(Statement {
        sqlite: vec![format!("SELECT {} WHERE 0", names.join(", "))],
        columns: types,
        tag: CommandTag::Select,
        ..Statement::session(StatementKind::Query, "")
    })
}

fn query_at(
    mut translator: Translator<'_>,
    at: usize,
    kind: StatementKind,
    tag: CommandTag,
) -> Result<Statement, DialectError> {
    let end = translator.src.len();
    let query = translator.query(at, end)?;
    if query.to < end {
        return Err(translator.src.syntax(query.to));
    }
    let columns = if query.incomplete {
        Vec::new()
    } else {
        query.columns
    };
    translator.remove(0, at);
    Ok(translator.finish(Statement {
        tag,
        columns: columns.into_iter().map(|column| column.ty).collect(),
        ..Statement::session(kind, "")
    }))
}

/// WITH before a query or before INSERT, UPDATE, DELETE.
fn with(src: &Source<'_>, schema: &dyn SchemaView) -> Result<Statement, DialectError> {
    let mut translator = Translator::new(src, schema);
    let next = translator.with(0, src.len())?;
    if src.is_any(next, &["INSERT", "UPDATE", "DELETE"]) {
        let statement = translator.dml(next)?;
        return Ok(translator.finish(statement));
    }
    query(src, schema)
}

/// EXPLAIN [ANALYZE] [VERBOSE] | (options) statement
fn explain(src: &Source<'_>, schema: &dyn SchemaView) -> Result<Statement, DialectError> {
    let mut at = 1;
    let mut analyze = false;
    if src.sign(at, "(") && !src.is_any(at + 1, &["SELECT", "WITH", "VALUES"]) {
        let close = src.partner(at);
        analyze =
            (at..close).any(|at| src.is(at, "ANALYZE") && !src.is_any(at + 1, &["FALSE", "OFF"]));
        at = close + 1;
    }
    while src.is_any(at, &["ANALYZE", "VERBOSE", "QUERY", "PLAN"]) {
        analyze |= src.is(at, "ANALYZE");
        at += 1;
    }
    let inner = src.slice(at, src.len());
    if inner.is_empty() {
        return Err(src.syntax(at));
    }
    let inner = crate::analyze(inner, schema)?;
    let explainable = matches!(inner.kind, StatementKind::Query | StatementKind::Dml);
    let Some(text) = inner.sqlite.last().filter(|_| explainable) else {
        return Err(src.syntax(at));
    };
    Ok(Statement {
        sqlite: vec![format!("EXPLAIN QUERY PLAN {text}")],
        parameters: inner.parameters,
        catalog: inner.catalog,
        ..Statement::session(StatementKind::Explain { analyze }, "EXPLAIN")
    })
}

/// DECLARE name [BINARY] [INSENSITIVE] [[NO] SCROLL] CURSOR [WITH | WITHOUT HOLD] FOR query
fn declare(src: &Source<'_>, schema: &dyn SchemaView) -> Result<Statement, DialectError> {
    let name = src.name(1).ok_or_else(|| src.syntax(1))?;
    let mut at = 2;
    while src.is_any(at, &["BINARY", "INSENSITIVE", "ASENSITIVE", "NO", "SCROLL"]) {
        if src.is(at, "BINARY") {
            return Err(src.unsupported(at, "a binary cursor"));
        }
        at += 1;
    }
    if !src.is(at, "CURSOR") {
        return Err(src.syntax(at));
    }
    at += 1;
    let hold = src.are(at, &["WITH", "HOLD"]);
    if hold || src.are(at, &["WITHOUT", "HOLD"]) {
        at += 2;
    }
    if !src.is(at, "FOR") {
        return Err(src.syntax(at));
    }
    let kind = StatementKind::DeclareCursor { name, hold };
    let query = analyze(src.slice(at + 1, src.len()), schema)?;
    if query.kind != StatementKind::Query {
        return Err(src.syntax(at + 1));
    }
    Ok(Statement {
        kind,
        tag: CommandTag::Fixed("DECLARE CURSOR"),
        ..query
    })
}
