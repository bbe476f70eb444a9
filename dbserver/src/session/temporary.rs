//! The session's own tables and views.

use crate::failure::Failure;
use crate::session::Session;

/// Drops all of them; the tables of the catalog stay.
pub(super) fn drop_all(session: &mut Session) -> Result<(), Failure> {
    let own: Vec<(String, String)> = session.backend().sqlite().trusted(|connection| {
        let mut statement = connection.prepare(
            "SELECT type, name FROM temp.sqlite_schema WHERE type IN ('table', 'view')
             AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid DESC",
        )?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect()
    })?;
    let of_catalog = |name: &str| dialect::pg_catalog::tables().any(|table| table.name == name);
    let own = own.into_iter().filter(|(_, name)| !of_catalog(name));
    let mut dropped = false;
    for (kind, name) in own {
        session.before_write("DISCARD TEMP")?;
        let name = name.replace('"', "\"\"");
        let sqlite = session.backend().sqlite();
        sqlite.run(&format!("DROP {kind} temp.\"{name}\""))?;
        dropped = true;
    }
    if dropped {
        session.backend().sqlite().schema().clear();
    }
    Ok(())
}
