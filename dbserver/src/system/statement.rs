//! The server's own transactions on a database, outside any session.

use rusqlite::Connection;
use sqlitevfs::FileHandle;

use crate::databases::Database;
use crate::databases::permit::Interrupt;
use crate::environment::Environment;
use crate::error::EngineError;

/// Runs `work` as one durable transaction of the server itself.
pub fn write<T>(
    environment: &Environment,
    database: &Database,
    work: impl FnOnce(&Connection) -> Result<T, EngineError>,
) -> Result<T, EngineError> {
    write_and(environment, database, work, None)
}

/// The same, and then, when it is durable and before anybody else writes there, `then`.
pub fn write_before<T>(
    environment: &Environment,
    database: &Database,
    work: impl FnOnce(&Connection) -> Result<T, EngineError>,
    then: impl FnOnce() -> Result<(), EngineError>,
) -> Result<T, EngineError> {
    write_and(environment, database, work, Some(Box::new(then)))
}

type Then<'a> = Box<dyn FnOnce() -> Result<(), EngineError> + 'a>;

fn write_and<T>(
    environment: &Environment,
    database: &Database,
    work: impl FnOnce(&Connection) -> Result<T, EngineError>,
    then: Option<Then<'_>>,
) -> Result<T, EngineError> {
    let interrupt = Interrupt::for_this_thread();
    let permit = database.acquire_permit(&interrupt, None)?;
    // A connection of its own: whatever fails, nothing of it stays in a cache.
    let (connection, handle) = database.open_connection()?;
    handle.allow_write(true);
    let run = || {
        connection
            .execute_batch("BEGIN IMMEDIATE")
            .map_err(internal)?;
        let value = work(&connection)?;
        connection.execute_batch("COMMIT").map_err(internal)?;
        Ok(value)
    };
    let value = run().map_err(|error| explained(error, &handle))?;
    if let Some(write_set) = handle.take_write_set() {
        let queued = environment.commit(database, &permit, write_set)?;
        // Who comes next need not wait for the disk.
        let kept = then.is_some().then_some(permit);
        environment.wait_durable(&queued)?;
        if let Some(then) = then {
            then()?;
        }
        drop(kept);
    }
    Ok(value)
}

/// Runs `work` on the newest durable state.
pub fn read<T>(
    database: &Database,
    work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> Result<T, EngineError> {
    let (connection, handle) = database.open_connection()?;
    work(&connection).map_err(|error| explained(internal(error), &handle))
}

/// What the page store said where SQLite only knows that something failed.
fn explained(error: EngineError, handle: &FileHandle) -> EngineError {
    let cause = handle.take_error();
    match (&error, cause) {
        (EngineError::Internal(_), Some(cause)) => EngineError::from(&cause),
        _ => error,
    }
}

/// A failure of a statement that the server itself wrote.
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub fn internal(error: rusqlite::Error) -> EngineError {
    EngineError::Internal(error.to_string())
}

#[cfg(test)]
mod tests {
    use pgtypes::SqlState;

    use disk::testing::{Fault, Kind, SimulatedDisk};

    use crate::environment::testing::master_on;
    use crate::system::users::Users;

    /// Bug: where opening the file had succeeded it was an internal error, without a word of why.
    #[test]
    fn a_file_that_cannot_be_read_is_named_whichever_read_fails() {
        let machine = SimulatedDisk::new(1);
        let environment = master_on(&machine);
        environment.checkpoint().unwrap();
        let mut failed = 0;
        loop {
            machine.fail(Fault::after(failed).of(&[Kind::Read]));
            let read = Users::of(&environment).privilege("dba");
            machine.mend();
            let Err(error) = read else { break };
            assert_eq!(error.sqlstate(), SqlState::IO_ERROR, "{error}");
            assert!(error.to_string().contains("/data/system.db"), "{error}");
            failed += 1;
        }
        assert!(failed > 2, "opening, and some pages");
    }
}
