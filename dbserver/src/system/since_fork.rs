//! Whether a row may have changed behind a fork: as the pages tell that lead to it.
//!
//! ```text
//!  root ─► page ─► page ─► leaf ─► overflow          any of them written behind the fork: perhaps
//! ```
//! A row can't change, come or go without a write to its leaf, or to a page above it where its leaf was split, merged or
//! freed; so where none of them was written it is as it was. Pages hold many rows, so *perhaps* may be wrong.

use pagestore::{PageNumber, Snapshot};
use pgtypes::{Format, PgType, SqlValue};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params_from_iter};
use sqlitepage::{NodeKind, PAGE_SIZE, database_header, node_header, u16_at, u32_at, varint};

use crate::databases::Database;
use crate::environment::Environment;
use crate::error::EngineError;
use crate::system::lost_forks::LostForks;
use crate::system::statement::read;

/// Deeper is no tree of SQLite's.
const MAX_DEPTH: usize = 64;

/// Where a key is.
enum Place {
    /// The tree of its table, and its rowid.
    Row { root: u32, rowid: i64 },
    /// There is no such row, or its table has none: only the whole database can tell.
    Nowhere,
}

/// Whether the row with this key may have been changed, made or removed since the oldest fork that is not settled. `true`
/// also where nothing is known: no fork is open, or the log does not reach back to it.
///
/// Errors: there is no such table, it has no primary key, or one of other columns.
pub fn may_have_changed(
    environment: &Environment,
    database: &Database,
    (table, key): (&str, &[String]),
) -> Result<bool, EngineError> {
    let place = read(database, |connection| Ok(find(connection, table, key)))??;
    let floor = LostForks::of(environment).floor()?;
    let point = floor.and_then(|floor| {
        let position: fwlog::Position = floor.position.parse().ok()?;
        Some((position, floor.hash.parse::<fwlog::ChainHash>().ok()?))
    });
    let Some((position, hash)) = point else {
        return Ok(true);
    };
    let snapshot = database.store().snapshot_durable();
    let pages = match place {
        Place::Row { root, rowid } => path(&snapshot, root, rowid),
        Place::Nowhere => Some((1..=snapshot.page_count()).collect()),
    };
    let Some(pages) = pages else {
        return Ok(true);
    };
    let floor = fwlog::LogPoint::new(position, hash);
    let told = environment
        .core()
        .written_since(floor, database.id(), (&pages, snapshot.commit()));
    Ok(told.unwrap_or(true))
}

/// Errors within: what is wrong with the question.
fn find(connection: &Connection, table: &str, key: &[String]) -> Result<Place, EngineError> {
    let internal = crate::system::statement::internal;
    let sql = "SELECT name, rootpage FROM sqlite_schema WHERE type = 'table' AND name = ?1 COLLATE NOCASE AND name NOT LIKE 'eloqdb^_%' ESCAPE '^'";
    let found = connection
        .query_row(sql, [table], |row| {
            Ok((row.get::<_, String>(0)?, row.get(1)?))
        })
        .optional()
        .map_err(internal)?;
    let Some((name, root)) = found else {
        return Err(EngineError::Usage(format!(
            "relation \"{table}\" does not exist"
        )));
    };
    let sql = "SELECT name, type FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk";
    let mut statement = connection.prepare(sql).map_err(internal)?;
    let columns = statement.query_map([&name], |row| Ok((row.get(0)?, row.get(1)?)));
    let columns: rusqlite::Result<Vec<(String, String)>> = columns.map_err(internal)?.collect();
    let columns = columns.map_err(internal)?;
    if columns.is_empty() || columns.len() != key.len() {
        return Err(EngineError::Usage(format!(
            "the primary key of {name} has {} columns, and {} were given",
            columns.len(),
            key.len()
        )));
    }
    let mut values = Vec::new();
    for ((_, declared), text) in columns.iter().zip(key) {
        values.push(stored(declared, text)?);
    }
    let tests: Vec<String> = columns
        .iter()
        .map(|(column, _)| format!("{} = ?", dialect::identifier(column)))
        .collect();
    let sql = format!(
        "SELECT rowid FROM main.{} WHERE {}",
        dialect::identifier(&name),
        tests.join(" AND ")
    );
    // A table WITHOUT ROWID has none to ask for.
    let rowid = connection.prepare(&sql).and_then(|mut statement| {
        statement
            .query_row(params_from_iter(&values), |row| row.get(0))
            .optional()
    });
    Ok(match (rowid, values.as_slice()) {
        (Ok(Some(rowid)), _) => Place::Row { root, rowid },
        // The rowid itself is where it would be.
        (Ok(None), [Value::Integer(rowid)]) if is_rowid(connection, &name) => Place::Row {
            root,
            rowid: *rowid,
        },
        _ => Place::Nowhere,
    })
}

/// Whether the primary key of a table is its rowid: then no index stands for it.
fn is_rowid(connection: &Connection, table: &str) -> bool {
    let sql = "SELECT 1 FROM pragma_index_list(?1) WHERE origin = 'pk'";
    let indexed = connection
        .prepare(sql)
        .and_then(|mut statement| statement.exists([table]));
    matches!(indexed, Ok(false))
}

/// The value of a key as it is stored.
fn stored(declared: &str, text: &str) -> Result<Value, EngineError> {
    // A key that is a rowid is INTEGER, whatever its type was.
    let is_integer = declared.eq_ignore_ascii_case("integer");
    let ty = match PgType::from_declared(declared) {
        _ if is_integer => PgType::Int8,
        Some(ty) => ty,
        None => PgType::Text,
    };
    let value = pgtypes::decode(text.as_bytes(), &ty, Format::Text);
    let value = value.map_err(|error| EngineError::Usage(error.message))?;
    Ok(match value {
        SqlValue::Null => Value::Null,
        SqlValue::Integer(value) => Value::Integer(value),
        SqlValue::Real(value) => Value::Real(value),
        SqlValue::Text(value) => Value::Text(value),
        SqlValue::Blob(value) => Value::Blob(value),
    })
}

/// The pages from the root of a table to where a row is, or would be, and its overflow pages. `None`: a page can't be read,
/// or makes no sense.
fn path(snapshot: &Snapshot, root: u32, rowid: i64) -> Option<Vec<u32>> {
    let usable = PAGE_SIZE - usize::from(*page(snapshot, 1)?.get(database_header::RESERVED)?);
    let mut pages = Vec::new();
    let mut number = root;
    while pages.len() < MAX_DEPTH {
        pages.push(number);
        let content = page(snapshot, number)?;
        let start = if number == 1 {
            database_header::SIZE
        } else {
            0
        };
        let kind = NodeKind::of(*content.get(start + node_header::KIND)?)?;
        let count = usize::from(u16_at(&content, start + node_header::CELL_COUNT)?);
        let cell = |index: usize| {
            let at = u16_at(&content, start + kind.header_size() + 2 * index)?;
            Some(usize::from(at))
        };
        match kind {
            NodeKind::TableInterior => {
                let mut below = u32_at(&content, start + node_header::RIGHT_MOST)?;
                for index in 0..count {
                    let at = cell(index)?;
                    let (key, _) = varint(content.get(at + 4..)?)?;
                    if rowid <= key.cast_signed() {
                        below = u32_at(&content, at)?;
                        break;
                    }
                }
                number = below;
            }
            NodeKind::TableLeaf => {
                for index in 0..count {
                    let at = cell(index)?;
                    let (payload, first) = varint(content.get(at..)?)?;
                    let (key, second) = varint(content.get(at + first..)?)?;
                    if key.cast_signed() == rowid {
                        let payload = usize::try_from(payload).ok()?;
                        let at = at + first + second;
                        overflow(snapshot, &content, (at, payload, usable), &mut pages)?;
                    }
                }
                return Some(pages);
            }
            NodeKind::IndexInterior | NodeKind::IndexLeaf => return None,
        }
    }
    None
}

/// The overflow pages of a row (section 1.6 of SQLite's "Database File Format": what of a payload is in the leaf).
fn overflow(
    snapshot: &Snapshot,
    leaf: &[u8],
    (at, payload, usable): (usize, usize, usize),
    pages: &mut Vec<u32>,
) -> Option<()> {
    let most = sqlitepage::largest_row(usable);
    if payload <= most {
        return Some(());
    }
    let least = (usable - 12) * 32 / 255 - 23;
    let fitting = least + (payload - least) % (usable - 4);
    let local = if fitting <= most { fitting } else { least };
    let mut next = u32_at(leaf, at + local)?;
    let longest = payload / (usable - 4) + 1;
    for _ in 0..longest {
        if next == 0 {
            return Some(());
        }
        pages.push(next);
        next = u32_at(&page(snapshot, next)?, 0)?;
    }
    (next == 0).then_some(())
}

fn page(snapshot: &Snapshot, number: u32) -> Option<Vec<u8>> {
    let mut data = [0; PAGE_SIZE];
    snapshot.read(PageNumber::new(number)?, &mut data).ok()?;
    Some(data.to_vec())
}
