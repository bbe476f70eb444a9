//! Translation of one statement.

use crate::error::DialectError;
use crate::lexer;
use crate::schema::SchemaView;
use crate::statement::{Statement, StatementKind};

/// Translates one statement (as [`crate::split`] gives it).
pub fn analyze(sql: &str, _schema: &dyn SchemaView) -> Result<Statement, DialectError> {
    let tokens = lexer::tokens(sql)?;
    if tokens.is_empty() {
        return Ok(Statement::session(StatementKind::Empty, ""));
    }
    Ok(Statement {
        sqlite: vec![sql.to_owned()],
        ..Statement::session(StatementKind::Query, "SELECT")
    })
}
