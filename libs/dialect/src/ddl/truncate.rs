//! TRUNCATE.

use crate::error::DialectError;
use crate::literal::quote_name;
use crate::schema::SchemaView;
use crate::source::Source;
use crate::statement::{Statement, StatementKind};
use crate::translator::Translator;

/// TRUNCATE [TABLE] [ONLY] t [, …] [RESTART | CONTINUE IDENTITY] [RESTRICT]
pub(crate) fn truncate(
    src: &Source<'_>,
    schema: &dyn SchemaView,
) -> Result<Statement, DialectError> {
    let mut translator = Translator::new(src, schema);
    let end = src.len();
    let mut at = 1 + usize::from(src.is(1, "TABLE"));
    let mut sqlite = Vec::new();
    let mut tables = Vec::new();
    loop {
        at += usize::from(src.is(at, "ONLY"));
        let (table, to) = translator.table_name(at, end)?;
        sqlite.push(format!("DELETE FROM {}", quote_name(&table)));
        tables.push(table);
        at = to + usize::from(src.sign(to, "*"));
        if !src.sign(at, ",") {
            break;
        }
        at += 1;
    }
    if src.are(at, &["RESTART", "IDENTITY"]) {
        for table in &tables {
            if !schema.owned_sequences(table).is_empty() {
                sqlite.insert(0, crate::sequence::stored::restart_of(table));
            }
        }
        at += 2;
    } else if src.are(at, &["CONTINUE", "IDENTITY"]) {
        at += 2;
    }
    if src.is(at, "CASCADE") {
        return Err(src.unsupported(at, "TRUNCATE … CASCADE"));
    }
    at += usize::from(src.is(at, "RESTRICT"));
    if at < end {
        return Err(src.syntax(at));
    }
    let statement = Statement {
        writes: true,
        ..Statement::session(StatementKind::Dml, "TRUNCATE TABLE")
    };
    Ok(translator.finish_with(sqlite, statement))
}
