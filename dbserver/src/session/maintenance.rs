//! VACUUM, ANALYZE, REINDEX. SQLite uses free pages again by itself, so a plain VACUUM has nothing to
//! do; VACUUM FULL rebuilds the database without them, as one transaction.

use dialect::Reindex;
use pgtypes::SqlState;
use rusqlite::OptionalExtension as _;

use crate::failure::Failure;
use crate::session::Session;
use crate::session::copy::quoted;
use crate::session::sqlite::Sqlite;

/// VACUUM [FULL] [ANALYZE] [table, …].
pub(super) fn vacuum(
    session: &mut Session,
    full: bool,
    analyze: bool,
    tables: &[String],
) -> Result<(), Failure> {
    session.transaction().check_outside_block("VACUUM")?;
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
    session.before_write("REINDEX")?;
    let sqlite = session.backend().sqlite();
    let (name, wanted) = match what {
        Reindex::All => return sqlite.run("REINDEX"),
        Reindex::Database(name) if *name == session.backend().database().name() => {
            return sqlite.run("REINDEX");
        }
        Reindex::Database(_) => {
            let message = "can only reindex the currently open database";
            return Err(Failure::new(SqlState::FEATURE_NOT_SUPPORTED, message));
        }
        Reindex::Schema(name) if name == "public" => return sqlite.run("REINDEX"),
        Reindex::Schema(name) => {
            let message = format!("schema \"{name}\" does not exist");
            return Err(Failure::new(SqlState::INVALID_SCHEMA_NAME, message));
        }
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
