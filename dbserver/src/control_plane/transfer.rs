//! `database dump | restore`: a database as one SQLite file, at one commit.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use pagestore::{CommitNumber, PAGE_SIZE, PageData, PageImage, PageNumber, ScratchFile, Snapshot};
use pgtypes::SqlState;
use rusqlite::{Connection, OpenFlags};
use sqlitevfs::WriteSet;

use crate::control_plane::normalise::{normalise, reason};
use crate::control_plane::replace::replace;
use crate::control_plane::{Call, Table};
use crate::databases::Database;
use crate::databases::functions::{self, NoSession};
use crate::databases::permit::{Interrupt, Permit};
use crate::environment::Environment;
use crate::error::EngineError;
use crate::process::bytes;
use crate::system::ownership::Ownerships;

/// Offsets in a SQLite file's header (its file format, section 1.3).
mod header {
    pub(super) const MAGIC: &[u8; 16] = b"SQLite format 3\0";
    pub(super) const PAGE_SIZE_AT: usize = 16;
    pub(super) const WRITE_VERSION_AT: usize = 18;
    pub(super) const ENCODING_AT: usize = 56;
    pub(super) const ROLLBACK_JOURNAL: u8 = 1;
    pub(super) const UTF_8: [u8; 4] = [0, 0, 0, 1];
}

/// Writes the newest durable state of a database into a new file on the server.
pub(crate) fn dump(call: &Call<'_>) -> Result<Table, EngineError> {
    let [name, path] = call.arguments.as_slice() else {
        return Err(EngineError::Usage("usage: database dump NAME FILE".into()));
    };
    absolute(path)?;
    let snapshot = call.environment.database(name)?.store().snapshot_durable();
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    let file = file.map_err(|error| EngineError::file("make the file", path, &error))?;
    if let Err(error) = write_pages(&snapshot, file, Path::new(path)) {
        // Half a copy is none: it was made here, and goes.
        drop(Copied(PathBuf::from(path)));
        if error.sqlstate() == SqlState::DATA_CORRUPTED {
            tracing::error!("{error}");
        }
        return Err(error);
    }
    let mut table = Table::list();
    table.entry("database", name);
    table.entry("file", path);
    table.entry("commit", snapshot.commit().get());
    table.entry(
        "size",
        bytes(u64::from(snapshot.page_count()) * PAGE_SIZE as u64),
    );
    Ok(table)
}

/// A relative name would be one in whatever directory the server was started in.
pub(super) fn absolute(path: &str) -> Result<(), EngineError> {
    if Path::new(path).is_absolute() {
        return Ok(());
    }
    Err(EngineError::Usage(format!(
        "'{path}' is not an absolute path: files of this command are the server's"
    )))
}

fn write_pages(snapshot: &Snapshot, file: File, path: &Path) -> Result<(), EngineError> {
    let failed = |error: &std::io::Error| EngineError::file("write", path, error);
    let mut out = BufWriter::with_capacity(1 << 20, file);
    let mut page: PageData = [0; PAGE_SIZE];
    for number in (1..=snapshot.page_count()).filter_map(PageNumber::new) {
        snapshot.read(number, &mut page)?;
        out.write_all(&page).map_err(|error| failed(&error))?;
    }
    let file = out.into_inner().map_err(|error| failed(error.error()))?;
    file.sync_all().map_err(|error| failed(&error))
}

/// Makes a new database from a SQLite file on the server, or puts it in the place of one, as one transaction.
pub(crate) fn restore(call: &Call<'_>) -> Result<Table, EngineError> {
    let (name, path, replaces) = match call.arguments.as_slice() {
        [name, path] => (*name, *path, false),
        [name, path, "--replace"] | ["--replace", name, path] => (*name, *path, true),
        _ => {
            return Err(EngineError::Usage(
                "usage: database restore NAME FILE [--replace]".into(),
            ));
        }
    };
    let environment = call.environment;
    if !replaces || environment.local_home(name).is_none() {
        environment.master("database restore")?;
    }
    absolute(path)?;
    let path = Path::new(path);
    check_file(path)?;
    let copy = normalised(environment, path)?;
    let page_count = if replaces {
        replace(call, name, copy.path())?
    } else {
        make(call, name, copy.path())?
    };
    let mut table = Table::list();
    table.entry("database", name);
    table.entry("size", bytes(u64::from(page_count) * PAGE_SIZE as u64));
    Ok(table)
}

/// A new database with the content of this file. Gives its pages.
fn make(call: &Call<'_>, name: &str, copy: &Path) -> Result<u32, EngineError> {
    let environment = call.environment;
    let (page_count, pages) = read_pages(environment, copy)?;
    Ownerships::of(environment).create_database(name, call.user, -1)?;
    let restored = environment.database(name).and_then(|database| {
        let permit = database.acquire_permit(&Interrupt::for_this_thread(), None)?;
        put(environment, &database, permit, (page_count, pages))
    });
    if restored.is_err() {
        // A database without content is worse than none.
        environment.drop_database(name)?;
    }
    restored.map(|()| page_count)
}

/// These pages are all that the database has, durably.
pub(super) fn put(
    environment: &Environment,
    database: &Database,
    permit: Permit,
    (page_count, pages): Pages,
) -> Result<(), EngineError> {
    let base: CommitNumber = database.store().latest().0;
    let queued = environment.commit(
        database,
        &permit,
        WriteSet {
            page_count,
            pages,
            base,
        },
    )?;
    drop(permit);
    environment.wait_durable(&queued)
}

/// A copy of the file in the form in which this server stores tables. It is gone when the guard goes.
fn normalised(environment: &Environment, path: &Path) -> Result<Copied, EngineError> {
    let directory = &environment.config().replication.tmp_dir;
    let name = format!(".restore-{}-{}", std::process::id(), unique());
    let copy = Copied(directory.join(name));
    std::fs::copy(path, copy.path())
        .map_err(|error| EngineError::file("copy the file into", directory, &error))?;
    normalise(copy.path()).map_err(|error| {
        EngineError::state(
            format!("{} can't be restored: {}", path.display(), reason(&error)),
            "Every value must be one that its column's type can read.",
        )
    })?;
    Ok(copy)
}

/// A number that no other copy of this process has.
fn unique() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A file that is removed in the end.
struct Copied(PathBuf);

impl Copied {
    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Copied {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.0)
            && error.kind() != ErrorKind::NotFound
        {
            tracing::warn!(file = %self.0.display(), %error, "a copy could not be removed");
        }
    }
}

/// SQLite itself says whether the file is whole.
fn check_file(path: &Path) -> Result<(), EngineError> {
    let refused = |why: &str, hint: &str| {
        EngineError::state(format!("{} can't be restored: {why}", path.display()), hint)
    };
    let unusable = |why: String| refused(&why, "It must be a whole, closed SQLite file.");
    // The system says better than SQLite why a file can't be opened.
    let mut file = File::open(path).map_err(|error| EngineError::file("open", path, &error))?;
    // A shorter one is none of SQLite's.
    let mut head = [0; 100];
    let read = file.read(&mut head);
    read.map_err(|error| EngineError::file("read", path, &error))?;
    if let Some((why, hint)) = of_another_kind(&head) {
        return Err(refused(&why, hint));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let plain = Connection::open_with_flags(path, flags).map_err(|e| unusable(e.to_string()))?;
    functions::register(&plain, || NoSession).map_err(|e| unusable(e.to_string()))?;
    let verdict: String = plain
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .map_err(|error| unusable(error.to_string()))?;
    if verdict != "ok" {
        return Err(unusable(verdict));
    }
    Ok(())
}

/// Why a SQLite file with this head is none of those that are restored, and how it becomes one.
fn of_another_kind(head: &[u8; 100]) -> Option<(String, &'static str)> {
    if !head.starts_with(header::MAGIC) {
        return Some((
            "it is no SQLite file".into(),
            "'database dump' and SQLite make such files.",
        ));
    }
    let size = [head[header::PAGE_SIZE_AT], head[header::PAGE_SIZE_AT + 1]];
    // 65536 does not fit, and is 1 there.
    let page_size = match u32::from(size[0]) << 8 | u32::from(size[1]) {
        1 => 1 << 16,
        size => size,
    };
    if usize::try_from(page_size) != Ok(PAGE_SIZE) {
        return Some((
            format!("its pages have {page_size} bytes, not {PAGE_SIZE}"),
            "sqlite3 FILE 'PRAGMA journal_mode = DELETE; PRAGMA page_size = 4096; VACUUM'",
        ));
    }
    if head[header::WRITE_VERSION_AT] != header::ROLLBACK_JOURNAL {
        return Some((
            "it has a write-ahead log (WAL), no rollback journal".into(),
            "sqlite3 FILE 'PRAGMA journal_mode = DELETE'",
        ));
    }
    if !head[header::ENCODING_AT..].starts_with(&header::UTF_8) {
        return Some((
            "its texts are in UTF-16, not UTF-8".into(),
            "(echo \"PRAGMA encoding = 'UTF-8';\"; sqlite3 FILE .dump) | sqlite3 NEW_FILE",
        ));
    }
    None
}

pub(super) type Pages = (u32, Vec<(PageNumber, PageImage)>);

/// The file's pages, in a scratch file of our own: nothing can change them while they are logged.
pub(super) fn read_pages(environment: &Environment, path: &Path) -> Result<Pages, EngineError> {
    let failed = |error: &std::io::Error| EngineError::file("read", path, error);
    let scratch_dir = &environment.config().replication.tmp_dir;
    let scratch = ScratchFile::create(environment.core().layout().disk(), scratch_dir)
        .map_err(|error| EngineError::file("make a scratch file in", scratch_dir, &error))?;
    let mut file = File::open(path).map_err(|error| failed(&error))?;
    let length = file.metadata().map_err(|error| failed(&error))?.len();
    let page_count = u32::try_from(length / PAGE_SIZE as u64)
        .map_err(|_| EngineError::Usage(format!("{} is too large", path.display())))?;
    let mut pages = Vec::new();
    let mut page: PageData = [0; PAGE_SIZE];
    for number in (1..=page_count).filter_map(PageNumber::new) {
        file.read_exact(&mut page).map_err(|error| failed(&error))?;
        let image = scratch
            .store(&page)
            .map_err(|error| EngineError::file("write a scratch file in", scratch_dir, &error))?;
        pages.push((number, PageImage::Scratch(image)));
    }
    Ok((page_count, pages))
}
