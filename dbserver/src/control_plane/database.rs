//! `database list | create | drop | rename | checksum`

use crate::control_plane::{Call, Table};
use crate::databases::tree;
use crate::environment::database_status::DatabaseStatus;
use crate::error::EngineError;
use crate::process::bytes;
use crate::system::moving;
use crate::system::ownership::Ownerships;

/// The database is of this server alone.
const LOCAL: &str = "--local";

/// In place of the file of a database that this slave leaves out.
const LEFT_OUT: &str = "(not applied here)";

/// All databases.
pub(crate) fn list(call: &Call<'_>) -> Result<Table, EngineError> {
    call.none("database list")?;
    let mut table = Table::new(&[
        "database",
        "number",
        "pages",
        "size",
        "sessions",
        "replication",
        "file",
    ]);
    for database in DatabaseStatus::all(call.environment) {
        if !database.applied {
            let mut row = vec![Some(database.database), Some(database.number.to_string())];
            row.extend([
                None,
                None,
                None,
                Some("on".to_owned()),
                Some(LEFT_OUT.to_owned()),
            ]);
            table.rows.push(row);
            continue;
        }
        table.row(vec![
            database.database,
            database.number.to_string(),
            database.pages.to_string(),
            bytes(database.size_bytes),
            database.sessions.to_string(),
            if database.replicated { "on" } else { "off" }.to_owned(),
            database.file,
        ]);
    }
    Ok(table)
}

/// Makes a database.
pub(crate) fn create(call: &Call<'_>) -> Result<Table, EngineError> {
    let owners = Ownerships::of(call.environment);
    match call.arguments.as_slice() {
        [name] if *name != LOCAL => {
            owners.create_database(name, call.user, -1)?;
            Ok(Table::done(format!("database {name} is made")))
        }
        [name, LOCAL] | [LOCAL, name] if *name != LOCAL => {
            owners.create_local(name, call.user)?;
            Ok(Table::done(format!("local database {name} is made")))
        }
        _ => Err(EngineError::Usage(
            "usage: database create NAME [--local]".into(),
        )),
    }
}

/// Has a database replicated, or not any more.
pub(crate) fn set(call: &Call<'_>) -> Result<Table, EngineError> {
    let (name, replicated) = match call.arguments.as_slice() {
        [name, "replication", "on"] => (name, true),
        [name, "replication", "off"] => (name, false),
        _ => {
            return Err(EngineError::Usage(
                "usage: database set NAME replication on | off".into(),
            ));
        }
    };
    moving::set(call.environment, name, replicated, call.user)?;
    let now = if replicated { "replicated" } else { "local" };
    Ok(Table::done(format!("database {name} is {now} now")))
}

/// Removes a database.
pub(crate) fn drop(call: &Call<'_>) -> Result<Table, EngineError> {
    let name = call.one("database drop NAME")?;
    call.environment.drop_database(name)?;
    Ok(Table::done(format!("database {name} is removed")))
}

/// Gives a database another name.
pub(crate) fn rename(call: &Call<'_>) -> Result<Table, EngineError> {
    let [name, new_name] = call.arguments.as_slice() else {
        return Err(EngineError::Usage(
            "usage: database rename NAME NEW_NAME".into(),
        ));
    };
    call.environment.rename_database(name, new_name)?;
    Ok(Table::done(format!("database {name} is {new_name} now")))
}

/// A BLAKE3 hash over all pages at the newest durable commit.
pub(crate) fn checksum(call: &Call<'_>) -> Result<Table, EngineError> {
    let name = call.one("database checksum NAME")?;
    let database = call.environment.database(name)?;
    let snapshot = database.store().snapshot_durable();
    let tree = tree::of(&snapshot)?;
    let mut table = Table::list();
    table.entry("database", name);
    table.entry("commit", snapshot.commit());
    table.entry("pages", snapshot.page_count());
    table.entry("checksum", tree.root);
    Ok(table)
}
