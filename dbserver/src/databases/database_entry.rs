//! A database as files beside the data files tell of it.

use fwlog::DatabaseId;

const DATABASE: &str = "database";
const LEFT_OUT: &str = "left_out";

/// One database as of the redo point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseEntry {
    /// Its number in the log.
    pub id: DatabaseId,
    /// Its name for clients.
    pub name: String,
    /// Its file below `db/`.
    pub file: String,
    /// Whether it has pages here: a slave may leave databases out (`Apply`, `ApplyNot`).
    pub applied: bool,
}

impl DatabaseEntry {
    /// The key of its line, in this file and in others.
    pub(crate) fn key(&self) -> &'static str {
        // An older server knows no databases without pages: it refuses them.
        if self.applied { DATABASE } else { LEFT_OUT }
    }

    /// The database of a line, if it is the line of one.
    pub(crate) fn of_line(key: &str, value: &str) -> Option<Result<Self, String>> {
        match key {
            DATABASE => Some(parse_database(value, true)),
            LEFT_OUT => Some(parse_database(value, false)),
            _ => None,
        }
    }
}

fn parse_database(value: &str, applied: bool) -> Result<DatabaseEntry, String> {
    let mut parts = value.splitn(3, ' ');
    let (Some(id), Some(file), Some(name)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(format!("database = '{value}'"));
    };
    let id = id.parse().map_err(|_| format!("database number '{id}'"))?;
    Ok(DatabaseEntry {
        id: DatabaseId::new(id),
        name: name.into(),
        file: file.into(),
        applied,
    })
}
