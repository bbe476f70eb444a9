//! Who owns and may use what is in a database: rows of a table of that database.

use acl::{Acl, Kind, Object, Objects};
use dialect::StoredRight;
use rusqlite::{Connection, OptionalExtension, params};

use crate::system::ownership::read_acl;

/// What stands before the kind of what a role will make.
const FUTURE: &str = "new ";

/// What a database says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoredRights {
    /// What is there.
    pub objects: Objects,
    /// What is granted on what roles will make.
    pub future: Vec<(String, Kind, Acl)>,
}

/// Reads all of them.
pub fn read(connection: &Connection) -> rusqlite::Result<StoredRights> {
    let mut found = StoredRights::default();
    if !is_there(connection)? {
        return Ok(found);
    }
    let mut statement = connection.prepare_cached(StoredRight::READ)?;
    let rows = statement.query_map([], |row| {
        Ok(StoredRight {
            kind: row.get(0)?,
            object: row.get(1)?,
            owner: row.get(2)?,
            acl: row.get(3)?,
        })
    })?;
    for row in rows {
        let row = row?;
        let acl = row.acl.as_deref().map(read_acl).transpose()?;
        let future = row.kind.strip_prefix(FUTURE);
        let Some(kind) = StoredRight::kind_of(future.unwrap_or(&row.kind)) else {
            continue;
        };
        if future.is_some() {
            found
                .future
                .push((row.object, kind, acl.unwrap_or_default()));
            continue;
        }
        let object = Object {
            owner: row.owner,
            acl,
        };
        found.objects.insert((kind, row.object), object);
    }
    Ok(found)
}

fn is_there(connection: &Connection) -> rusqlite::Result<bool> {
    let there = connection
        .prepare_cached("SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND name = ?1")?
        .query_row([StoredRight::TABLE], |_| Ok(()))
        .optional()?;
    Ok(there.is_some())
}

/// Keeps what is known of an object; nothing where all of it is the usual.
pub fn store(
    connection: &Connection,
    (kind, name): (Kind, &str),
    object: &Object,
) -> rusqlite::Result<()> {
    put(connection, StoredRight::kind_name(kind), name, object)
}

/// Keeps what is granted on what a role will make.
pub fn store_future(
    connection: &Connection,
    (kind, role): (Kind, &str),
    acl: Option<Acl>,
) -> rusqlite::Result<()> {
    let kind = format!("{FUTURE}{}", StoredRight::kind_name(kind));
    put(connection, &kind, role, &Object { owner: None, acl })
}

fn put(connection: &Connection, kind: &str, name: &str, object: &Object) -> rusqlite::Result<()> {
    connection.execute_batch(StoredRight::CREATE)?;
    if *object == Object::default() {
        return connection
            .prepare_cached("DELETE FROM main.eloqdb_right WHERE kind = ?1 AND object = ?2")?
            .execute([kind, name])
            .map(drop);
    }
    connection
        .prepare_cached("INSERT OR REPLACE INTO main.eloqdb_right VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![
            kind,
            name,
            object.owner,
            object.acl.as_ref().map(ToString::to_string)
        ])
        .map(drop)
}

/// Moves the schema's version on: what sessions have derived of rights is old.
pub fn outdate(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "CREATE VIEW main.eloqdb_right_changed AS SELECT 1; DROP VIEW main.eloqdb_right_changed",
    )
}
