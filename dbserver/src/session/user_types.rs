//! The types that users have made in a session's database, from the tables that keep them.

use dialect::{Domain, UserType};

use crate::failure::Failure;
use crate::session::sqlite::Sqlite;

/// All enums of the database.
pub(super) fn all_types(sqlite: &Sqlite) -> Result<Vec<UserType>, Failure> {
    defined(sqlite, (UserType::TABLE, UserType::READ), UserType::read)
}

/// All domains of the database.
pub(super) fn all_domains(sqlite: &Sqlite) -> Result<Vec<Domain>, Failure> {
    defined(sqlite, (Domain::TABLE, Domain::READ), Domain::read)
}

/// What the rows of a table of names, numbers and definitions say, where there is such a table.
fn defined<T>(
    sqlite: &Sqlite,
    (table, sql): (&str, &str),
    read: impl Fn(&str, u32, &str) -> Option<T>,
) -> Result<Vec<T>, Failure> {
    sqlite.trusted(|connection| {
        let known = connection
            .prepare_cached("SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND name = ?1")?
            .exists([table])?;
        if !known {
            return Ok(Vec::new());
        }
        let mut statement = connection.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            let (name, definition): (String, String) = (row.get(0)?, row.get(2)?);
            Ok(read(&name, row.get(1)?, &definition))
        })?;
        rows.filter_map(Result::transpose).collect()
    })
}
