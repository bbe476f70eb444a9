//! The values that a row has in the unique indexes of its table, as things that can be locked.

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use crate::databases::locks::Thing;
use crate::session::copy::quoted;

/// A unique index.
#[derive(Debug)]
pub(super) struct UniqueKey {
    index: String,
    /// Gives the values of one row; `None`: equal values may look different, or only SQLite knows them.
    select: Option<String>,
}

/// The unique indexes of a table, but for the number of the row itself.
pub(super) fn of(
    connection: &Connection,
    schema: &str,
    table: &str,
    name: &str,
    rowid: &str,
) -> rusqlite::Result<Vec<UniqueKey>> {
    let mut keys = Vec::new();
    let sql = format!("PRAGMA {schema}.index_list({})", quoted(table));
    let mut list = connection.prepare(&sql)?;
    let mut indexes = list.query([])?;
    while let Some(row) = indexes.next()? {
        let (index, unique): (String, bool) = (row.get(1)?, row.get(2)?);
        if !unique {
            continue;
        }
        let columns = columns(connection, schema, &index)?;
        keys.push(UniqueKey {
            select: columns.map(|columns| {
                format!(
                    "SELECT {} FROM {name} WHERE {rowid} = ?1",
                    columns.join(", ")
                )
            }),
            index,
        });
    }
    Ok(keys)
}

/// The columns of an index whose values are equal where their bytes are.
fn columns(
    connection: &Connection,
    schema: &str,
    index: &str,
) -> rusqlite::Result<Option<Vec<String>>> {
    let sql = format!("PRAGMA {schema}.index_xinfo({})", quoted(index));
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    let mut columns = Vec::new();
    while let Some(row) = rows.next()? {
        let (name, collation, key): (Option<String>, String, bool) =
            (row.get(2)?, row.get(4)?, row.get(5)?);
        if !key {
            continue;
        }
        match name.filter(|_| collation == "BINARY") {
            Some(name) => columns.push(quoted(&name)),
            None => return Ok(None),
        }
    }
    Ok(Some(columns))
}

impl UniqueKey {
    /// What stands for the row's values; `None` where one of them is NULL, which is equal to nothing.
    pub(super) fn thing(
        &self,
        connection: &Connection,
        rowid: i64,
    ) -> rusqlite::Result<Option<Thing>> {
        let Some(select) = &self.select else {
            return Ok(Some(Thing::key(&self.index, &[])));
        };
        let mut statement = connection.prepare_cached(select)?;
        let mut rows = statement.query([rowid])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        let mut place = 0;
        while let Ok(value) = row.get_ref(place) {
            let (kind, value) = match value {
                ValueRef::Null => return Ok(None),
                ValueRef::Integer(number) => (b'n', number.to_string().into_bytes()),
                // A double that is a whole number is equal to the integer.
                ValueRef::Real(number) => (b'n', format!("{number}").into_bytes()),
                ValueRef::Text(text) => (b't', text.to_vec()),
                ValueRef::Blob(blob) => (b'b', blob.to_vec()),
            };
            bytes.push(kind);
            bytes.extend_from_slice(&value.len().to_le_bytes());
            bytes.extend_from_slice(&value);
            place += 1;
        }
        Ok(Some(Thing::key(&self.index, &bytes)))
    }
}
