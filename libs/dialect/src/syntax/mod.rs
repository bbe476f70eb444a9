//! PostgreSQL's grammar: a statement's text becomes a tree of our own.

#![deny(clippy::indexing_slicing)]
#![cfg_attr(
    not(test),
    expect(
        clippy::enum_glob_use,
        reason = "a grammar's code names some hundred kinds of nodes"
    )
)]

pub mod ast;
#[cfg(test)]
mod compact;
mod fault;
mod lower;
#[cfg(test)]
mod tests;
mod tree;

use pgtypes::SqlState;
use squawk_parser::SyntaxKind;

use crate::DialectError;

/// The expression of `SELECT expression`.
pub(crate) fn only_expression(text: &str) -> Result<Option<ast::Expr>, DialectError> {
    let Some(ast::Statement::Query(query)) = parse(text)? else {
        return Ok(None);
    };
    let ast::QueryBody::Select(select) = query.body else {
        return Ok(None);
    };
    let mut targets = select.targets;
    match (targets.pop(), targets.is_empty()) {
        (Some(target), true) if target.alias.is_none() => Ok(Some(target.value)),
        _ => Ok(None),
    }
}

/// The tree of one statement, as [`crate::split`] gives it; none of a text of blanks and comments.
///
/// What PostgreSQL 15's grammar refuses is refused in its words and at its place.
pub fn parse(sql: &str) -> Result<Option<ast::Statement>, DialectError> {
    let survey = fault::survey(sql);
    if survey.empty && survey.fault.is_none() {
        return Ok(None);
    }
    if let Some(offset) = survey.too_deep {
        return Err(lower::too_deep().at(sql, offset));
    }
    if sql.len() <= SHALLOW_BYTES {
        return parse_surveyed(sql, survey);
    }
    // Made for the deepest text that the survey lets through, in a build without optimisation.
    stacker::maybe_grow(STACK_BYTES, STACK_BYTES, || parse_surveyed(sql, survey))
}

/// A text of so many bytes nests less deep than any thread's stack takes.
const SHALLOW_BYTES: usize = 512;
/// What the parser may need for the deepest text.
const STACK_BYTES: usize = 32 * 1024 * 1024;

fn parse_surveyed(
    sql: &str,
    survey: fault::Survey,
) -> Result<Option<ast::Statement>, DialectError> {
    let tree = tree::Tree::parse(sql);
    let lowered = lower_only(sql, &tree);
    let mut first = survey.fault;
    if let Err(error) = &lowered {
        first = Some(earlier(first, error.clone()));
    }
    if let Some(offset) = tree.faults.iter().min() {
        first = Some(earlier(first, fault::syntax(sql, place(sql, *offset))));
    }
    match (first, lowered) {
        (Some(error), _) => Err(error),
        (None, lowered) => {
            if let Ok(Some(ast::Statement::Other(other))) = &lowered
                && !HOLDING_CODE.contains(&other.name.as_str())
                && !OF_WORDS.contains(&other.name.as_str())
            {
                check_other(sql)?;
            }
            lowered
        }
    }
}

/// The one of two errors that stands before the other; of two at one place the second, which knows more.
fn earlier(first: Option<DialectError>, second: DialectError) -> DialectError {
    match first {
        Some(first) if first.position < second.position => first,
        _ => second,
    }
}

/// Where PostgreSQL stumbles over what the parser reports at `offset`: a comma that ends a list is no fault, what
/// follows it is; and of a statement that is not known by its first word, the second is.
fn place(sql: &str, offset: usize) -> usize {
    let at = fault::skip_blanks(sql, offset);
    let Ok(end) = fault::scan(sql, at) else {
        return at;
    };
    let next = fault::skip_blanks(sql, end);
    let text = |from: usize| {
        let end = fault::scan(sql, from).unwrap_or(from);
        sql.get(from..end).unwrap_or_default().to_ascii_uppercase()
    };
    let first = fault::skip_blanks(sql, 0) == at;
    match text(at).as_str() {
        "," if matches!(
            text(next).as_str(),
            "" | ")"
                | "]"
                | ";"
                | ","
                | "FROM"
                | "WHERE"
                | "GROUP"
                | "ORDER"
                | "LIMIT"
                | "SELECT"
                | "VALUES"
                | "RETURNING"
                | "SET"
                | "HAVING"
                | "ON"
        ) =>
        {
            next
        }
        "CREATE" | "ALTER" | "DROP" if first => next,
        _ => at,
    }
}

/// The one statement of a tree.
fn lower_only(sql: &str, tree: &tree::Tree<'_>) -> Result<Option<ast::Statement>, DialectError> {
    let Some(root) = tree.root() else {
        return Ok(None);
    };
    let mut lowered = None;
    let mut ended = true;
    for child in root.children() {
        if matches!(child.kind(), SyntaxKind::EMPTY_STMT | SyntaxKind::SEMICOLON) {
            ended = true;
            continue;
        }
        if !ended {
            return Err(fault::syntax(sql, child.start()));
        }
        if lowered.is_some() {
            return Err(DialectError::new(
                SqlState::SYNTAX_ERROR,
                "cannot insert multiple commands into a prepared statement",
            )
            .at(sql, child.start()));
        }
        lowered = Some(lower::Lowering::new(sql).lower_statement(child)?);
        ended = child.has(SyntaxKind::SEMICOLON);
    }
    Ok(lowered)
}

/// Statements of keywords and a name, in which a second pass finds nothing. Every transaction has two of them.
const OF_WORDS: &[&str] = &["BEGIN", "COMMIT TRANSACTION", "ROLLBACK TRANSACTION"];

/// Statements with a text in another language, which the library would read, too; they are refused by name.
const HOLDING_CODE: &[&str] = &["CREATE FUNCTION", "CREATE PROCEDURE", "DO"];

/// The checks that the parser leaves to a second pass, for what is not lowered.
fn check_other(sql: &str) -> Result<(), DialectError> {
    let errors = squawk_syntax::SourceFile::parse(sql).errors();
    let offset = errors
        .iter()
        .map(|error| usize::from(error.range().start()))
        .find(|offset| !fault::is_inside_token(sql, *offset));
    match offset {
        Some(offset) => Err(fault::syntax(sql, offset)),
        None => Ok(()),
    }
}
