//! VACUUM, ANALYZE, REINDEX. SQLite uses free pages again by itself, so a plain VACUUM has nothing to
//! do; VACUUM FULL rebuilds the database without them, as one transaction.

use dialect::{Reindex, SchemaView};
use pgtypes::SqlState;
use rusqlite::OptionalExtension as _;

use crate::failure::Failure;
use crate::session::Session;
use crate::session::copy::quoted;
use crate::session::schema::View;
use crate::session::sqlite::Sqlite;

/// VACUUM [FULL] [ANALYZE] [table, …].
pub(super) fn vacuum(
    session: &mut Session,
    full: bool,
    analyze: bool,
    tables: &[String],
) -> Result<(), Failure> {
    session.transaction().check_outside_block("VACUUM")?;
    if is_done(session, !full) || are_of_catalog(session, tables) {
        return Ok(());
    }
    session.check_write("VACUUM")?;
    tables_exist(session.backend().sqlite(), tables)?;
    if full {
        session.write_alone(Sqlite::vacuum)?;
    }
    if analyze {
        session.before_write("VACUUM")?;
        session.backend().sqlite().run("ANALYZE")?;
        session.commit()?;
    }
    Ok(())
}

/// ANALYZE [table, …].
pub(super) fn analyze(session: &mut Session, tables: &[String]) -> Result<(), Failure> {
    if is_done(session, true) || are_of_catalog(session, tables) {
        return Ok(());
    }
    session.before_write("ANALYZE")?;
    let sqlite = session.backend().sqlite();
    tables_exist(sqlite, tables)?;
    if tables.is_empty() {
        return sqlite.run("ANALYZE");
    }
    for table in tables {
        sqlite.run(&format!("ANALYZE main.{}", quoted(table)))?;
    }
    Ok(())
}

/// REINDEX of one index, of the indexes of a table, or of all.
pub(super) fn reindex(session: &mut Session, what: &Reindex) -> Result<(), Failure> {
    let own = session.backend().database().name();
    let whole = match what {
        Reindex::All => true,
        Reindex::Database(name) => *name == own,
        _ => false,
    };
    if is_done(session, whole) {
        return Ok(());
    }
    session.before_write("REINDEX")?;
    let sqlite = session.backend().sqlite();
    let (name, wanted) = match what {
        Reindex::All => return sqlite.run("REINDEX"),
        Reindex::Database(name) if *name == own => return sqlite.run("REINDEX"),
        Reindex::Database(_) => {
            let message = "can only reindex the currently open database";
            return Err(Failure::new(SqlState::FEATURE_NOT_SUPPORTED, message));
        }
        Reindex::Schema(name) => return reindex_schema(sqlite, name),
        Reindex::Index(name) => (name, Some("index")),
        Reindex::Table(name) => (name, Some("table")),
        Reindex::Any(name) => (name, None),
    };
    let Some(found) = type_of(sqlite, name)? else {
        return Err(does_not_exist(name));
    };
    if let Some(wanted) = wanted.filter(|wanted| *wanted != found) {
        let message = format!("\"{name}\" is of type {found}, not {wanted}");
        return Err(Failure::new(SqlState::WRONG_OBJECT_TYPE, message));
    }
    // With its schema it is never taken for a collation.
    sqlite.run(&format!("REINDEX main.{}", quoted(name)))
}

/// The database `system` has nothing to be done for it, as programs ask that go through all databases.
fn is_done(session: &Session, asked: bool) -> bool {
    asked && session.backend().is_system()
}

/// Tables of the catalog alone, which no statement changes: programs name them one by one.
fn are_of_catalog(session: &Session, tables: &[String]) -> bool {
    let view = View::new(session.backend().sqlite());
    let of_catalog = |table: &String| {
        dialect::pg_catalog::is_catalog_table(table) && view.stored(table).is_none()
    };
    !tables.is_empty() && tables.iter().all(of_catalog)
}

/// REINDEX SCHEMA
fn reindex_schema(sqlite: &Sqlite, name: &str) -> Result<(), Failure> {
    let view = View::new(sqlite);
    if name != "public" && !view.schemas().iter().any(|known| known == name) {
        let message = format!("schema \"{name}\" does not exist");
        return Err(Failure::new(SqlState::INVALID_SCHEMA_NAME, message));
    }
    for table in view.relations() {
        let own = dialect::schema_name(&table) == name;
        if own && type_of(sqlite, &table)?.as_deref() == Some("table") {
            sqlite.run(&format!("REINDEX main.{}", quoted(&table)))?;
        }
    }
    Ok(())
}

fn tables_exist(sqlite: &Sqlite, tables: &[String]) -> Result<(), Failure> {
    for table in tables {
        if type_of(sqlite, table)?.as_deref() != Some("table") {
            return Err(does_not_exist(table));
        }
    }
    Ok(())
}

/// `table`, `index`, `view` …; `None` when there is nothing of that name.
fn type_of(sqlite: &Sqlite, name: &str) -> Result<Option<String>, Failure> {
    let sql = "SELECT type FROM sqlite_schema WHERE name = ?1 COLLATE NOCASE AND type <> 'trigger'";
    sqlite.trusted(|connection| {
        connection
            .query_row(sql, [name], |row| row.get(0))
            .optional()
    })
}

fn does_not_exist(name: &str) -> Failure {
    Failure::new(
        SqlState::UNDEFINED_TABLE,
        format!("relation \"{name}\" does not exist"),
    )
}
