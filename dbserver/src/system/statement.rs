//! The server's own transactions on a database, outside any session.

use rusqlite::Connection;

use crate::commit::permit::Interrupt;
use crate::environment::{Database, Environment};
use crate::error::EngineError;

/// Runs `work` as one durable transaction of the server itself.
pub fn write<T>(
    environment: &Environment,
    database: &Database,
    work: impl FnOnce(&Connection) -> Result<T, EngineError>,
) -> Result<T, EngineError> {
    let interrupt = Interrupt::for_this_thread();
    let permit = database.acquire_permit(&interrupt, None)?;
    // A connection of its own: whatever fails, nothing of it stays in a cache.
    let (connection, handle) = database.open_connection()?;
    handle.allow_write(true);
    connection
        .execute_batch("BEGIN IMMEDIATE")
        .map_err(internal)?;
    let value = work(&connection)?;
    connection.execute_batch("COMMIT").map_err(internal)?;
    if let Some(write_set) = handle.take_write_set() {
        let queued = environment.commit(database, permit, write_set)?;
        environment.wait_durable(&queued)?;
    }
    Ok(value)
}

/// Runs `work` on the newest durable state.
pub fn read<T>(
    database: &Database,
    work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> Result<T, EngineError> {
    let (connection, _handle) = database.open_connection()?;
    work(&connection).map_err(internal)
}

/// A failure of a statement that the server itself wrote.
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub fn internal(error: rusqlite::Error) -> EngineError {
    EngineError::Internal(error.to_string())
}
