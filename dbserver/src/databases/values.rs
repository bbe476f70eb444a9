//! The one stored form of a value: what is in it, what is not, and how it comes there.

use bytes::BytesMut;
use dialect::{TableColumn, TableInfo, parse_create_table};
use pgtypes::{Format, PgType, SqlState, SqlValue, SqlValueRef, ValueError, decode, encode};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Result, Row};

/// A value that is not in the stored form of its column's type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stray {
    pub(crate) table: String,
    pub(crate) column: String,
    /// SQLite's rowid; `None` of a table without it.
    pub(crate) row: Option<i64>,
    pub(crate) ty: String,
    /// SQLite's class and the value, cut where it is long.
    pub(crate) found: String,
}

/// Longest part of a value that is shown.
const SHOWN_CHARS: usize = 60;

/// The type whose stored form a column has; `None` for one of no type.
pub(crate) fn column_type(column: &TableColumn) -> Option<PgType> {
    column.type_name.map(PgType::sent_as)
}

/// The stored form that the value itself gives when it is written out and read again.
pub(crate) fn stored_form(
    value: SqlValueRef<'_>,
    ty: &PgType,
) -> std::result::Result<SqlValue, ValueError> {
    if matches!(value, SqlValueRef::Null) {
        return Ok(SqlValue::Null);
    }
    let mut out = BytesMut::new();
    encode(value, ty, Format::Text, &mut out)?;
    decode(&out, ty, Format::Text)
}

/// The stored form of a value from outside: one that is in it stays, what another program has written in another
/// form is read by its text.
pub(crate) fn brought_in(
    value: SqlValueRef<'_>,
    ty: &PgType,
) -> std::result::Result<SqlValue, ValueError> {
    if let Ok(stored) = stored_form(value, ty)
        && stored.as_ref() == value
    {
        return Ok(stored);
    }
    let text = match value {
        SqlValueRef::Null => return Ok(SqlValue::Null),
        SqlValueRef::Integer(number) => number.to_string(),
        SqlValueRef::Real(number) => number.to_string(),
        SqlValueRef::Text(text) => text.to_owned(),
        SqlValueRef::Blob(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => {
                return Err(ValueError::new(
                    SqlState::CHARACTER_NOT_IN_REPERTOIRE,
                    "bytes that are no text",
                ));
            }
        },
    };
    decode(text.as_bytes(), ty, Format::Text)
}

/// SQLite's class of a value, and its beginning.
pub(crate) fn shown(value: SqlValueRef<'_>) -> String {
    match value {
        SqlValueRef::Null => "null".to_owned(),
        SqlValueRef::Integer(number) => format!("integer {number}"),
        SqlValueRef::Real(number) => format!("real {number}"),
        SqlValueRef::Text(text) => {
            let cut: String = text.chars().take(SHOWN_CHARS).collect();
            let more = if cut.len() < text.len() { "…" } else { "" };
            format!("text '{cut}'{more}")
        }
        SqlValueRef::Blob(bytes) => format!("blob of {} bytes", bytes.len()),
    }
}

/// A value of a row; text that is not UTF-8 comes as its bytes.
fn value<'a>(row: &'a Row<'_>, index: usize) -> Result<SqlValueRef<'a>> {
    Ok(match row.get_ref(index)? {
        ValueRef::Null => SqlValueRef::Null,
        ValueRef::Integer(number) => SqlValueRef::Integer(number),
        ValueRef::Real(number) => SqlValueRef::Real(number),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => SqlValueRef::Text(text),
            Err(_) => SqlValueRef::Blob(bytes),
        },
        ValueRef::Blob(bytes) => SqlValueRef::Blob(bytes),
    })
}

/// The tables of users, as their texts say.
pub(crate) fn tables(connection: &Connection) -> Result<Vec<(String, String)>> {
    let mut statement = connection.prepare(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND sql IS NOT NULL
         AND substr(name, 1, 7) <> 'sqlite_' AND substr(name, 1, 7) <> 'eloqdb_' ORDER BY name",
    )?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

/// Looks at every value of every table; gives the first `limit` that are not in their stored form.
pub(crate) fn strays(connection: &Connection, limit: usize) -> Result<Vec<Stray>> {
    let mut strays = Vec::new();
    for (_, sql) in tables(connection)? {
        if let Some(table) = parse_create_table(&sql) {
            look_through(connection, (&table, &sql), limit, &mut strays)?;
        }
    }
    Ok(strays)
}

fn look_through(
    connection: &Connection,
    (table, sql): (&TableInfo, &str),
    limit: usize,
    strays: &mut Vec<Stray>,
) -> Result<()> {
    let columns: Vec<(&TableColumn, PgType)> = table
        .columns
        .iter()
        .filter_map(|column| Some((column, column_type(column)?)))
        .collect();
    let names: Vec<String> = columns
        .iter()
        .map(|(column, _)| quoted(&column.name))
        .collect();
    if names.is_empty() {
        return Ok(());
    }
    let query = format!(
        "SELECT {}, {} FROM {}",
        row_number(sql),
        names.join(", "),
        quoted(&table.name)
    );
    let mut statement = connection.prepare(&query)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        for (place, (column, ty)) in columns.iter().enumerate() {
            let value = value(row, place + 1)?;
            let stored = stored_form(value, ty);
            if stored.is_ok_and(|stored| stored.as_ref() == value) {
                continue;
            }
            if strays.len() >= limit {
                return Ok(());
            }
            strays.push(Stray {
                table: table.name.clone(),
                column: column.name.clone(),
                row: row.get(0)?,
                ty: ty.to_string(),
                found: shown(value),
            });
        }
    }
    Ok(())
}

/// What tells a row of a table: its rowid, where it has one.
pub(crate) fn row_number(sql: &str) -> &'static str {
    if dialect::has_rowid(sql) {
        "rowid"
    } else {
        "NULL"
    }
}

/// A name as SQLite's statements have it.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_in_another_form_is_found_with_its_row() {
        let connection = Connection::open_in_memory().unwrap();
        super::super::functions::register_collations(&connection).unwrap();
        connection
            .execute_batch(
                "CREATE TABLE t (a INTEGER PRIMARY KEY, d date, n NUMERIC_TEXT, b bool);
                 INSERT INTO t VALUES (1, 10, '1.50', 1), (2, '2020-01-01', '1.5', 0), (3, NULL, 'x', 7);",
            )
            .unwrap();
        let found: Vec<(i64, String, String)> = strays(&connection, 10)
            .unwrap()
            .into_iter()
            .map(|stray| (stray.row.unwrap(), stray.column, stray.found))
            .collect();
        assert!(
            found.contains(&(2, "d".to_owned(), "text '2020-01-01'".to_owned())),
            "{found:?}"
        );
        assert!(found.iter().all(|(row, ..)| *row != 1), "{found:?}");
        assert!(
            found
                .iter()
                .any(|(row, column, _)| *row == 3 && column == "b"),
            "{found:?}"
        );
    }

    #[test]
    fn what_another_program_has_written_is_read_by_its_text() {
        let date = brought_in(SqlValueRef::Text("2000-01-03"), &PgType::Date).unwrap();
        assert_eq!(date, SqlValue::Integer(2));
        let number = brought_in(SqlValueRef::Real(1.5), &PgType::NUMERIC).unwrap();
        assert_eq!(number, SqlValue::Text("1.5".to_owned()));
        let truth = brought_in(SqlValueRef::Text("true"), &PgType::Bool).unwrap();
        assert_eq!(truth, SqlValue::Integer(1));
        assert!(brought_in(SqlValueRef::Text("never"), &PgType::Date).is_err());
    }
}
