//! Opening a connection on a store.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pagestore::{PAGE_SIZE, PageNumber, PageStore};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::error::Error;
use crate::handle::{ConnectionFile, FileHandle};
use crate::state::FileState;
use crate::vfs;

/// How a connection is set up.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// Where scratch files for large transactions are made. SQLite's own temporary files go where the
    /// first connection of the process has its scratch files.
    pub scratch_dir: PathBuf,
    /// Bytes of written pages that stay in memory; more of them go to a scratch file.
    pub write_set_limit: usize,
    /// SQLite's page cache, in KiB.
    pub cache_kib: u32,
}

/// Opens a connection on `store`.
///
/// It is configured (page size 4096, no syncs, the shim's journal, foreign keys on, defensive, schema
/// not trusted, no waiting for locks); authorizer, functions and limits are the caller's. ATTACH of a
/// file name finds nothing; refusing ATTACH altogether is the authorizer's part, because a URI can
/// read a file through another VFS.
pub fn open(
    store: &Arc<PageStore>,
    options: OpenOptions,
) -> Result<(Connection, FileHandle), Error> {
    check_page_size(store)?;
    vfs::use_temporary_directory(&options.scratch_dir);
    let state = FileState::new(
        Arc::clone(store),
        options.scratch_dir,
        options.write_set_limit,
    );
    let file = ConnectionFile::new(state);
    let slot = vfs::Slot::claim(Arc::clone(&file))?;
    // Sessions use a connection from one thread at a time: SQLite needs no mutex of its own.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let name = slot.name();
    let path = OsStr::from_bytes(name.to_bytes());
    let connection = Connection::open_with_flags_and_vfs(path, flags, name);
    slot.release_unopened(&file);
    let handle = FileHandle::new(file);
    let configured = connection.map_err(Error::from).and_then(|connection| {
        configure(&connection, options.cache_kib)?;
        Ok(connection)
    });
    match configured {
        Ok(connection) => Ok((connection, handle)),
        // SQLite only knows that something failed.
        Err(error) => Err(handle.take_error().unwrap_or(error)),
    }
}

fn configure(connection: &Connection, cache_kib: u32) -> Result<(), Error> {
    // A lock is refused for good or not at all: waiting changes nothing.
    connection.busy_timeout(Duration::ZERO)?;
    connection.execute_batch(&format!(
        "PRAGMA page_size = {PAGE_SIZE};
         PRAGMA cache_size = -{cache_kib};
         PRAGMA synchronous = OFF;
         PRAGMA foreign_keys = ON;
         PRAGMA trusted_schema = OFF;",
    ))?;
    // The shim's journal, cut at the end of each transaction. Measured against SQLite's MEMORY, CPU
    // time of a transaction of three pages: 5.2 to 5.7 us against 6.3 to 6.6 us (MEMORY allocates
    // each KiB anew), and a large transaction's before-images need not stay in memory.
    connection.query_row("PRAGMA journal_mode = TRUNCATE", (), |_| Ok(()))?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    // A URI in ATTACH can name the system's VFS: at least nothing is made or written that way.
    // (VACUUM attaches its own temporary database all the same.)
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_ATTACH_CREATE, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_ATTACH_WRITE, false)?;
    Ok(())
}

/// Looks at the header of a database that exists.
#[expect(
    clippy::big_endian_bytes,
    reason = "the header of a SQLite file is big-endian"
)]
fn check_page_size(store: &Arc<PageStore>) -> Result<(), Error> {
    let snapshot = store.snapshot_durable();
    let Some(page) = PageNumber::new(1).filter(|_| snapshot.page_count() > 0) else {
        return Ok(());
    };
    let mut field = [0; 2];
    snapshot.read_at(page, 16, &mut field)?;
    match u16::from_be_bytes(field) {
        // A page that was never written: the database is being recovered or received.
        0 => Ok(()),
        size if usize::from(size) == PAGE_SIZE => Ok(()),
        size => {
            // 1 stands for 65536.
            let page_size = if size == 1 { 65_536 } else { u32::from(size) };
            Err(Error::PageSize {
                path: store.path().display().to_string(),
                page_size,
            })
        }
    }
}
