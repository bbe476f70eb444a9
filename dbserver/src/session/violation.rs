//! The fields of an error about a constraint: schema, table, column, constraint, as far as SQLite does not tell them.

use dialect::{ConstraintKind, SchemaView};
use pgtypes::SqlState;

use crate::failure::Failure;
use crate::session::relations;
use crate::session::schema::View;
use crate::session::sqlite::Sqlite;

/// Fills in what is known of a violated constraint. Asked before the failed statement is undone.
pub(super) fn explained(sqlite: &Sqlite, mut failure: Failure) -> Failure {
    let state = failure.sqlstate();
    let view = View::new(sqlite);
    let fields = failure.fields_mut();
    match state {
        SqlState::CHECK_VIOLATION
            if fields.table.is_none() && !fields.message.starts_with(OF_DOMAIN) =>
        {
            let name = fields.constraint.clone().unwrap_or_default();
            if let Some(table) = checked_table(sqlite, &name) {
                fields.message = format!(
                    "new row for relation \"{table}\" violates check constraint \"{name}\""
                );
                fields.table = Some(table);
            }
        }
        SqlState::NOT_NULL_VIOLATION if fields.table.is_none() => {
            if let Some((column, table)) = named_in(&fields.message) {
                fields.column = Some(column);
                fields.table = Some(table);
            }
        }
        SqlState::UNIQUE_VIOLATION if fields.table.is_none() => {
            let index = fields.constraint.as_deref().unwrap_or_default();
            fields.table = view.index_table(index);
        }
        _ => {}
    }
    if let Some(table) = &fields.table
        && fields.schema.is_none()
    {
        let temporary = view.table(table).is_some_and(|info| info.temporary);
        let schema = if temporary { "pg_temp" } else { "public" };
        fields.schema = Some(schema.to_owned());
    }
    failure
}

/// How a message about a domain begins: it tells of no table.
pub(super) const OF_DOMAIN: &str = "value for domain ";

/// The table that has a CHECK of this name.
fn checked_table(sqlite: &Sqlite, name: &str) -> Option<String> {
    let tables = relations::all(sqlite)
        .inspect_err(|error| tracing::debug!(%error, "the schema could not be read"))
        .ok()?;
    let has = |table: &&dialect::TableInfo| {
        table.constraints.iter().any(|constraint| {
            constraint.name == name && matches!(constraint.kind, ConstraintKind::Check { .. })
        })
    };
    tables.iter().find(has).map(|table| table.name.clone())
}

/// Column and table of `null value in column "…" of relation "…" violates …`.
pub(super) fn named_in(message: &str) -> Option<(String, String)> {
    let rest = message.strip_prefix("null value in column \"")?;
    let (column, rest) = rest.split_once("\" of relation \"")?;
    let (table, _) = rest.split_once("\" violates")?;
    Some((column.to_owned(), table.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_about_null_names_column_and_table() {
        let message = "null value in column \"a\" of relation \"t\" violates not-null constraint";
        let named = named_in(message);
        assert_eq!(named, Some(("a".to_owned(), "t".to_owned())));
        assert_eq!(named_in("another message"), None);
    }
}
