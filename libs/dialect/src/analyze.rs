//! One statement: queries and changes of rows go to the typed front end, the rest is read by its tokens.

use crate::error::DialectError;
use crate::schema::SchemaView;
use crate::sequence::{self, Sequences};
use crate::source::Source;
use crate::statement::{Statement, StatementKind};
use crate::{copy, cursor, ddl, explain, front, names, qualify, session};

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
    let made = analyze_parts(sql, schema, parameters);
    let made = made.map_err(|error| qualify::told(error, schema))?;
    Ok(with_sequences(qualify::told_by(made, schema)))
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
        return with_stored_names(&src, schema);
    };
    Source::new(&quoted.sql)
        .and_then(|src| with_stored_names(&src, schema))
        .map_err(|error| quoted.undo(error))
}

/// The statement with its relations under the names by which they are stored.
fn with_stored_names(src: &Source<'_>, schema: &dyn SchemaView) -> Result<Statement, DialectError> {
    let Some(stored) = qualify::stored_names(src, schema)? else {
        return dispatch(src, schema);
    };
    Source::new(&stored.sql)
        .and_then(|src| dispatch(&src, schema))
        .map_err(|error| stored.undo(error))
}

fn dispatch(src: &Source<'_>, schema: &dyn SchemaView) -> Result<Statement, DialectError> {
    let word = src.text(0).to_ascii_lowercase();
    match word.as_str() {
        "truncate" => ddl::truncate(src, schema),
        "explain" => explain::explain(src, schema),
        "copy" => copy::copy(src, schema),
        "declare" => cursor::declare(src, schema),
        "create" | "alter" | "drop" | "comment" | "grant" | "revoke" | "security" | "import"
        | "refresh" => ddl::ddl(src, schema, &word),
        "merge" | "call" | "do" => Err(src.unsupported(0, &word.to_ascii_uppercase())),
        _ => session::session(src, schema, &word),
    }
}
