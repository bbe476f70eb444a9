//! One statement: queries and changes of rows go to the typed front end, the rest is read by its tokens.

use pgtypes::SqlState;

use crate::error::DialectError;
use crate::schema::SchemaView;
use crate::sequence::{self, Sequences};
use crate::source::Source;
use crate::statement::{CommandTag, Statement, StatementKind};
use crate::{copy, ddl, front, names, session};

/// Makes one statement (as [`crate::split`] gives it) ready for SQLite.
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
    let texts = statement.before.iter().map(|part| part.text.as_str());
    let texts: Vec<&str> = texts.chain([text.as_str()]).collect();
    let uses = sequence::uses_of(&texts.join("; "));
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
    if is_own_command(sql) {
        return by_tokens(sql, schema);
    }
    if let Some(made) = select_into(sql)? {
        return analyze_parts(&made, schema, parameters);
    }
    match front::statement(sql, schema, parameters)? {
        Some(statement) => Ok(statement),
        None => by_tokens(sql, schema),
    }
}

/// `SELECT … INTO table …` as the CREATE TABLE that it is; `None` for any other statement.
fn select_into(sql: &str) -> Result<Option<String>, DialectError> {
    let begins = sql.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
    let word = begins.split(|c: char| !c.is_ascii_alphabetic()).next();
    let may = word.is_some_and(|word| {
        word.eq_ignore_ascii_case("select") || word.eq_ignore_ascii_case("with") || word.is_empty()
    });
    if !may || !sql.to_ascii_lowercase().contains("into") {
        return Ok(None);
    }
    let src = Source::new(sql)?;
    let (mut depth, mut found) = (0_usize, None);
    for at in 0..src.len() {
        match src.text(at) {
            "(" | "[" => depth += 1,
            ")" | "]" => depth = depth.saturating_sub(1),
            _ if depth == 0 && src.is(at, "INTO") => {
                found = Some(at);
                break;
            }
            _ => {}
        }
    }
    let Some(into) = found else { return Ok(None) };
    // Of a change of rows, or of a name that is written like the word.
    let other = (0..into).any(|at| src.is_any(at, &["INSERT", "MERGE", "UPDATE", "DELETE"]));
    if other || into == 0 || !(0..into).any(|at| src.is(at, "SELECT")) {
        return Ok(None);
    }
    let mut at = into + 1;
    let temporary = src.is_any(at, &["TEMP", "TEMPORARY"]);
    at += usize::from(temporary || src.is(at, "UNLOGGED"));
    at += usize::from(src.is(at, "TABLE"));
    let mut end = at + 1;
    while src.sign(end, ".") {
        end += 2;
    }
    if at >= src.len() || end > src.len() {
        return Ok(None);
    }
    Ok(Some(format!(
        "CREATE {}TABLE {} AS {} {}",
        if temporary { "TEMP " } else { "" },
        src.slice(at, end),
        src.slice(0, into),
        if end < src.len() {
            src.slice(end, src.len())
        } else {
            ""
        }
    )))
}

/// DBCTL is no statement of PostgreSQL's, nor is PRAGMA, by which administrators look at SQLite.
fn is_own_command(sql: &str) -> bool {
    let text = sql.trim_start();
    ["DBCTL", "PRAGMA"].iter().any(|own| {
        text.get(..own.len())
            .is_some_and(|word| word.eq_ignore_ascii_case(own))
    })
}

/// What is read by its tokens.
fn by_tokens(sql: &str, schema: &dyn SchemaView) -> Result<Statement, DialectError> {
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
        "truncate" => ddl::truncate(src, schema),
        "explain" => explain(src, schema),
        "copy" => copy::copy(src, schema),
        "declare" => declare(src, schema),
        "create" | "alter" | "drop" | "comment" | "grant" | "revoke" | "security" | "import"
        | "refresh" => ddl::ddl(src, schema, &word),
        "merge" | "call" | "do" => Err(src.unsupported(0, &word.to_ascii_uppercase())),
        _ => session::session(src, schema, &word),
    }
}

/// EXPLAIN [ANALYZE] [VERBOSE] | (options) statement
fn explain(src: &Source<'_>, schema: &dyn SchemaView) -> Result<Statement, DialectError> {
    let mut at = 1;
    let mut analyze = false;
    if src.sign(at, "(") && !src.is_any(at + 1, &["SELECT", "WITH", "VALUES"]) {
        analyze = explain_options(src, at)?;
        at = src.partner(at) + 1;
    } else {
        analyze |= src.is_any(at, &["ANALYZE", "ANALYSE"]);
        at += usize::from(analyze);
        at += usize::from(src.is(at, "VERBOSE"));
    }
    if analyze {
        return Err(src.unsupported(1, "EXPLAIN ANALYZE"));
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
    if !inner.before.is_empty() {
        return Err(src.unsupported(at, "EXPLAIN of a data-modifying WITH"));
    }
    Ok(Statement {
        sqlite: vec![format!("EXPLAIN QUERY PLAN {text}")],
        parameters: inner.parameters,
        catalog: inner.catalog,
        access: inner.access,
        ..Statement::session(StatementKind::Explain { analyze }, "EXPLAIN")
    })
}

/// `(option [value], …)`; gives whether ANALYZE is on. Costs, times and buffers are not there to be shown.
fn explain_options(src: &Source<'_>, open: usize) -> Result<bool, DialectError> {
    const KNOWN: &[&str] = &[
        "ANALYZE", "ANALYSE", "VERBOSE", "COSTS", "SETTINGS", "BUFFERS", "WAL", "TIMING", "SUMMARY",
    ];
    let close = src.partner(open);
    let mut analyze = false;
    let mut at = open + 1;
    while at < close {
        let name = src.name(at).ok_or_else(|| src.syntax(at))?;
        let mut end = at;
        while end < close && !src.sign(end, ",") {
            end += 1;
        }
        let value =
            (end > at + 1).then(|| src.text(at + 1).trim_matches('\'').to_ascii_lowercase());
        if src.is(at, "FORMAT") {
            match value.as_deref() {
                Some("text") => {}
                Some("json" | "xml" | "yaml") => {
                    return Err(src.unsupported(at, "EXPLAIN in another format than text"));
                }
                _ => {
                    let message = format!(
                        "unrecognized value for EXPLAIN option \"format\": \"{}\"",
                        value.unwrap_or_default()
                    );
                    return Err(src.error(at, SqlState::INVALID_PARAMETER_VALUE, message));
                }
            }
        } else if src.is_any(at, KNOWN) {
            let on = match value.as_deref() {
                None | Some("true" | "on" | "1") => true,
                Some("false" | "off" | "0") => false,
                Some(_) => {
                    let message = format!("{name} requires a Boolean value");
                    return Err(DialectError::new(SqlState::SYNTAX_ERROR, message));
                }
            };
            if src.is_any(at, &["ANALYZE", "ANALYSE"]) {
                analyze = on;
            }
        } else {
            let message = format!("unrecognized EXPLAIN option \"{name}\"");
            return Err(src.error(at, SqlState::SYNTAX_ERROR, message));
        }
        at = end + 1;
    }
    Ok(analyze)
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
    if !query.before.is_empty() {
        let message = "DECLARE CURSOR must not contain data-modifying statements in WITH";
        return Err(DialectError::new(SqlState::FEATURE_NOT_SUPPORTED, message));
    }
    if query.kind != StatementKind::Query {
        return Err(src.syntax(at + 1));
    }
    Ok(Statement {
        kind,
        tag: CommandTag::Fixed("DECLARE CURSOR"),
        ..query
    })
}
