//! CREATE VIEW.

use pgtypes::SqlState;

use crate::ddl::view_note;
use crate::error::DialectError;
use crate::literal::quote_name;
use crate::schema::SchemaView;
use crate::source::Source;
use crate::statement::{Statement, StatementKind};
use crate::translator::Translator;

/// CREATE [OR REPLACE] [TEMP] VIEW name [(columns)] [WITH (…)] AS query [WITH … CHECK OPTION]; VIEW at `at`.
pub(crate) fn create(
    src: &Source<'_>,
    schema: &dyn SchemaView,
    replace: bool,
    start: usize,
    at: usize,
) -> Result<Statement, DialectError> {
    if src.is(at, "RECURSIVE") {
        return Err(src.unsupported(at, "CREATE RECURSIVE VIEW"));
    }
    let mut translator = Translator::new(src, schema);
    let temporary = (start..at).any(|token| src.is_any(token, &["TEMP", "TEMPORARY"]));
    let mut next = at + 1;
    let exists = src.are(next, &["IF", "NOT", "EXISTS"]);
    if exists {
        next += 3;
    }
    let (name, to) = translator.table_name(next, src.len())?;
    next = to;
    let mut names = String::new();
    if src.sign(next, "(") {
        names = format!(" {}", src.slice(next, src.partner(next) + 1));
        next = src.partner(next) + 1;
    }
    if src.is(next, "WITH") && src.sign(next + 1, "(") {
        next = src.partner(next + 1) + 1;
    }
    if !src.is(next, "AS") {
        return Err(src.syntax(next));
    }
    let query = translator.typed_query(next + 1, src.len())?;
    if query.parameters > 0 {
        let message = "there is no parameter $1";
        return Err(DialectError::new(SqlState::UNDEFINED_PARAMETER, message));
    }
    if query.catalog {
        return Err(src.unsupported(next + 1, "a view of the catalog"));
    }
    let select = format!(
        "{} {}",
        view_note::write(&query.columns, src.slice(next + 1, src.len())),
        query.text
    );
    let view = quote_name(&name);
    let mut sqlite = Vec::new();
    if replace {
        sqlite.push(format!("DROP VIEW IF EXISTS {view}"));
    }
    let temporary = if temporary { "TEMP " } else { "" };
    let guard = if exists { "IF NOT EXISTS " } else { "" };
    sqlite.push(format!(
        "CREATE {temporary}VIEW {guard}{view}{names} AS {select}"
    ));
    let statement = Statement {
        writes: true,
        ..Statement::session(StatementKind::Ddl, "CREATE VIEW")
    };
    Ok(translator.finish_with(sqlite, statement))
}
