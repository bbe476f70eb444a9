//! The fields of an error about a constraint: schema, table, column, constraint, as far as SQLite does not tell them.

use dialect::{ConstraintKind, Domain, SchemaView};
use pgtypes::SqlState;

use crate::failure::{Failure, Fields};
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
        SqlState::CHECK_VIOLATION if fields.table.is_none() => {
            let known = view.domains();
            let domain = domain_in(&fields.message);
            if let Some((domain, check)) = domain {
                let of_name = |known: &&Domain| {
                    known.name == domain || dialect::base_name(&known.name) == domain
                };
                let found = known.iter().find(of_name);
                let schema = found.map(|found| dialect::schema_name(&found.name).to_owned());
                fields.schema = fields.schema.take().or(schema);
                fields.constraint = Some(check);
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
    told(fields, &view.schemas());
    failure
}

/// PostgreSQL names the relation in its messages without its schema, which has a field of its own.
fn told(fields: &mut Fields, schemas: &[String]) {
    if schemas.is_empty() {
        return;
    }
    fields.message = dialect::told_message(&fields.message, schemas);
    if let Some(detail) = &mut fields.detail {
        *detail = dialect::told_message(detail, schemas);
    }
    if fields.schema.as_deref() != Some("pg_temp")
        && let Some(table) = &mut fields.table
        && table.contains('.')
    {
        let (schema, name) = dialect::split_name(table);
        fields.schema = Some(schema.to_owned());
        *table = name.to_owned();
    }
    if let Some(constraint) = &mut fields.constraint {
        *constraint = dialect::base_name(constraint).to_owned();
    }
}

/// How a message about a domain begins: it tells of no table.
pub(super) const OF_DOMAIN: &str = "value for domain ";

/// The table that has a CHECK of this name.
fn checked_table(sqlite: &Sqlite, name: &str) -> Option<String> {
    let tables = sqlite.schema().noted(relations::all(sqlite))?;
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

/// Domain and check of `value for domain … violates check constraint "…"`.
fn domain_in(message: &str) -> Option<(String, String)> {
    let rest = message.strip_prefix(OF_DOMAIN)?;
    let (domain, rest) = rest.split_once(" violates check constraint \"")?;
    Some((domain.to_owned(), rest.strip_suffix('"')?.to_owned()))
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
