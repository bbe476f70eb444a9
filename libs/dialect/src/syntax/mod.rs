//! PostgreSQL's grammar: a statement's text becomes a tree of our own.

pub mod ast;
mod fault;
mod lower;
mod tree;

use pgtypes::SqlState;
use squawk_parser::SyntaxKind;

use crate::DialectError;

/// The tree of one statement, as [`crate::split`] gives it; none of a text of blanks and comments.
///
/// What PostgreSQL 15's grammar refuses is refused in its words and at its place.
pub fn parse(sql: &str) -> Result<Option<ast::Statement>, DialectError> {
    let survey = fault::survey(sql);
    if survey.empty && survey.fault.is_none() {
        return Ok(None);
    }
    if survey.depth > lower::MAX_DEPTH as usize {
        return Err(survey.fault.unwrap_or_else(lower::too_deep));
    }
    let tree = tree::Tree::parse(sql);
    let lowered = lower_only(sql, &tree);
    let mut first = survey.fault;
    if let Err(error) = &lowered {
        first = Some(earlier(first, error.clone()));
    }
    if let Some(offset) = tree.faults.iter().min() {
        first = Some(earlier(first, fault::syntax(sql, *offset)));
    }
    match (first, lowered) {
        (Some(error), _) => Err(error),
        (None, lowered) => {
            if let Ok(Some(ast::Statement::Other(_))) = lowered {
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

/// The one statement of a tree.
fn lower_only(sql: &str, tree: &tree::Tree<'_>) -> Result<Option<ast::Statement>, DialectError> {
    let Some(root) = tree.root() else {
        return Ok(None);
    };
    let mut statements = root
        .nodes()
        .filter(|node| node.kind() != SyntaxKind::EMPTY_STMT);
    let Some(statement) = statements.next() else {
        return Ok(None);
    };
    let lowered = lower::Lowering::new(sql).lower_statement(statement)?;
    if let Some(second) = statements.next() {
        return Err(DialectError::new(
            SqlState::SYNTAX_ERROR,
            "cannot insert multiple commands into a prepared statement",
        )
        .at(sql, second.start()));
    }
    Ok(Some(lowered))
}

/// The checks that the parser leaves to a second pass, for what is not lowered.
fn check_other(sql: &str) -> Result<(), DialectError> {
    let errors = squawk_syntax::SourceFile::parse(sql).errors();
    match errors.first() {
        Some(error) => Err(fault::syntax(sql, usize::from(error.range().start()))),
        None => Ok(()),
    }
}
