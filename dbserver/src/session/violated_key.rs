//! The name of the key that a unique violation is about.

use dialect::ConstraintKind;
use rusqlite::Connection;

use crate::failure::Failure;
use crate::session::schema::read_table;
use crate::session::sqlite::Sqlite;

/// The name of the unique constraint or index that a unique violation is about; `None` when the
/// failure is another, or tells no columns. The schema is read as it is now, in the transaction of
/// the failed statement.
pub(super) fn violated_key(sqlite: &Sqlite, failure: &Failure) -> Option<String> {
    let fields = failure.fields();
    let table = fields.table.as_deref()?;
    if fields.key.is_empty() {
        return None;
    }
    let found = sqlite.trusted(|connection| key_name(connection, table, &fields.key));
    sqlite.schema().noted(found).flatten()
}

fn key_name(
    connection: &Connection,
    table: &str,
    columns: &[String],
) -> rusqlite::Result<Option<String>> {
    let info = read_table(connection, table)?.unwrap_or_default();
    let constraint = info.constraints.into_iter().find(|constraint| {
        matches!(
            constraint.kind,
            ConstraintKind::PrimaryKey | ConstraintKind::Unique
        ) && same_names(&constraint.columns, columns)
    });
    if let Some(constraint) = constraint {
        return Ok(Some(constraint.name));
    }
    let mut indexes = connection.prepare_cached(
        "SELECT name FROM pragma_index_list(?1) WHERE \"unique\" AND origin = 'c' ORDER BY seq",
    )?;
    let mut terms =
        connection.prepare_cached("SELECT name FROM pragma_index_info(?1) ORDER BY seqno")?;
    let names: Vec<String> = indexes
        .query_map([table], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for name in names {
        let of: Vec<String> = terms
            .query_map([&name], |row| {
                Ok(row.get::<_, Option<String>>(0)?.unwrap_or_default())
            })?
            .collect::<rusqlite::Result<_>>()?;
        if same_names(&of, columns) {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

fn same_names(some: &[String], others: &[String]) -> bool {
    some.len() == others.len()
        && some
            .iter()
            .zip(others)
            .all(|(one, other)| one.eq_ignore_ascii_case(other))
}
