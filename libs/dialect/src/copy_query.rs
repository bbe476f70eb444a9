//! COPY of what a query gives.

use pgtypes::SqlState;

use crate::copy::{Given, complete, read_options, standard_stream};
use crate::error::DialectError;
use crate::source::Source;
use crate::statement::{CommandTag, Statement, StatementKind};
use crate::translator::Translator;
use crate::{front, pg_catalog};

/// COPY (query) TO STDOUT
pub(crate) fn of_query(
    translator: &Translator<'_>,
    open: usize,
    given: Given,
) -> Result<Statement, DialectError> {
    let src = translator.src;
    let close = src.partner(open);
    let text = src.slice(open + 1, close);
    let query = front::statement(text, translator.schema, &[])
        .map_err(|error| translator.moved(error, open + 1, 0))?
        .filter(|query| query.kind == StatementKind::Query && query.before.is_empty());
    let Some(query) = query else {
        return Err(src.unsupported(open + 1, "COPY of a data-modifying statement"));
    };
    copied(src, query, close + 1, given)
}

/// COPY of a catalog table to the client.
pub(crate) fn of_catalog(
    translator: &Translator<'_>,
    start: usize,
    given: &mut Given,
) -> Result<Option<Statement>, DialectError> {
    let src = translator.src;
    let parted = src.sign(start + 1, ".");
    let last = if parted { start + 2 } else { start };
    let schema = if parted { src.name(start) } else { None };
    let mut to = last + 1;
    let mut columns = "*";
    if src.sign(to, "(") {
        columns = src.slice(to + 1, src.partner(to));
        to = src.partner(to) + 1;
    }
    let found = src
        .name(last)
        .and_then(|name| pg_catalog::find_table(schema.as_deref(), &name));
    let of_catalog =
        !parted || matches!(schema.as_deref(), Some("pg_catalog" | "information_schema"));
    if found.is_none() || !of_catalog || !src.is(to, "TO") {
        return Ok(None);
    }
    let text = format!("SELECT {columns} FROM {}", src.slice(start, last + 1));
    match front::statement(&text, translator.schema, &[])? {
        Some(query) => copied(src, query, to, std::mem::take(given)).map(Some),
        None => Ok(None),
    }
}

/// The query's rows to the client, by what follows from TO on.
fn copied(
    src: &Source<'_>,
    query: Statement,
    at: usize,
    mut given: Given,
) -> Result<Statement, DialectError> {
    if !src.is(at, "TO") {
        return Err(src.syntax(at));
    }
    if !query.parameters.is_empty() {
        let message = "there is no parameter $1";
        return Err(DialectError::new(SqlState::UNDEFINED_PARAMETER, message));
    }
    standard_stream(src, at + 1, "STDOUT")?;
    let end = read_options(src, at + 2, &mut given)?;
    crate::session::end_at(src, end)?;
    let options = complete(src, given)?;
    Ok(Statement {
        kind: StatementKind::CopyOut { options },
        tag: CommandTag::Copy,
        ..query
    })
}
