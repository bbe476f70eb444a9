//! `database restore NAME FILE --replace`: what a file has takes the place of what a database has, as one commit.
//!
//! The database stays the one that it is: its number, owner and grants, and what `Apply` of a slave says of it. Slaves get
//! the commit like any other. Nobody has it open here meanwhile.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

use pagestore::{PAGE_SIZE, PageData, PageNumber};
use sqlitepage::database_header::{CHANGE_COUNTER, SCHEMA_COOKIE, SIZE, VERSION_VALID_FOR};
use sqlitepage::{put_u32, u32_at};

use crate::control_plane::Call;
use crate::control_plane::transfer::{put, read_pages};
use crate::databases::Database;
use crate::databases::list::SYSTEM_DATABASE;
use crate::databases::permit::Interrupt;
use crate::environment::Environment;
use crate::error::EngineError;
use crate::system::moving::open_alone;

/// Puts the content of a file, which is checked and is ours to change, in the place of that of the database. Gives its pages.
///
/// Errors: there is no such database, it belongs to the server, or somebody has it open.
pub(super) fn replace(call: &Call<'_>, name: &str, copy: &Path) -> Result<u32, EngineError> {
    let database = call.environment.database(name)?;
    if database.id() == SYSTEM_DATABASE {
        return Err(EngineError::Denied(format!(
            "database \"{name}\" belongs to the server"
        )));
    }
    let home: &Arc<Environment> = call.environment.home(&database);
    let alone = open_alone(&database, name, call.user)?;
    let permit = database.acquire_permit(&Interrupt::for_this_thread(), None)?;
    make_newer(&database, copy)?;
    let (page_count, pages) = read_pages(home, copy)?;
    put(home, &database, permit, (page_count, pages))?;
    // What counted by the definitions of before counts by those that are there now.
    database.sequences().counters(home.epoch()).forget();
    drop(alone);
    Ok(page_count)
}

/// Whoever has pages or definitions of the database in a cache, here or on a slave, goes by these two numbers: they must be
/// none that the database has had.
fn make_newer(database: &Database, copy: &Path) -> Result<(), EngineError> {
    let failed = |error: &std::io::Error| EngineError::file("change", copy, error);
    let file = OpenOptions::new().read(true).write(true).open(copy);
    let file: File = file.map_err(|error| failed(&error))?;
    let mut header = [0; SIZE];
    file.read_exact_at(&mut header, 0)
        .map_err(|error| failed(&error))?;
    let mut here: PageData = [0; PAGE_SIZE];
    let snapshot = database.store().snapshot_latest();
    // A database that was never written has no page.
    if let Some(first) = PageNumber::new(1).filter(|_| snapshot.page_count() > 0) {
        snapshot.read(first, &mut here)?;
    }
    for at in [CHANGE_COUNTER, SCHEMA_COOKIE] {
        let number = |page: &[u8]| u32_at(page, at).unwrap_or_default();
        let newer = number(&header).max(number(&here)).wrapping_add(1);
        put_u32(&mut header, at, newer);
    }
    let counter = u32_at(&header, CHANGE_COUNTER).unwrap_or_default();
    put_u32(&mut header, VERSION_VALID_FOR, counter);
    file.write_all_at(&header, 0)
        .map_err(|error| failed(&error))
}
