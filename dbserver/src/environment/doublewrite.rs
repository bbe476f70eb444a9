//! Pages that the data files are about to get and the log may not have: first written to a file of their own.
//!
//! With `SyncMode = 0` the disk has what commits have written to the log only when the next sync is through. Where the
//! log fails before that, and the data files are to take what is in memory, a crash among them would leave pages of
//! commits that no log has: neither the state before nor the one behind.
//!
//! ```text
//!  write: all unwritten pages, what control gets ─► `doublewrite`, durable, as a whole
//!         ─► data files ─► control: redo behind them ─► no `doublewrite`
//!  go_on: (before any data file is served) the same pages ─► data files ─► control ─► no `doublewrite`
//! ```
//! Before the file is there, nothing has changed; from then on every start goes on. It counts as long as redo is where it
//! was when it was written, and the log has not gone on.
//!
//! The file, numbers little-endian:
//!
//! ```text
//!  magic 8 │ length of the text u32 │ text, sealed │ { database u32 │ page u32 │ content 4096 }… │ BLAKE3 of all before 32
//! ```

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use disk::{Access, Disk, DiskFile};
use fwlog::{DatabaseId, Position};
use pagestore::{CommitNumber, Horizon, PAGE_SIZE, PageImage, PageNumber, Snapshot, StoreError};

use crate::databases::control::{
    Control, DatabaseEntry, Identity, LogPlace, RedoPoint, parse_value,
};
use crate::databases::database::ConnectionLimits;
use crate::databases::files::DatabaseFiles;
use crate::databases::layout::Layout;
use crate::environment::core::Core;
use crate::error::EngineError;
use fwlog::sealed_text::{self, Body};

const MAGIC: [u8; 8] = *b"EQDW0001";
const HASH: usize = 32;
/// Bytes of one page with its numbers.
const ENTRY: usize = 8 + PAGE_SIZE;
/// Bytes that are written with one call.
const PIECE: usize = 256 * ENTRY;
/// Largest text: as for other files that are read as a whole.
const MAX_TEXT: usize = 64 << 20;

/// What the next start makes of the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Plan {
    /// Where redo starts as long as this counts.
    before: Position,
    /// What control gets: the end of the log, and the databases there.
    identity: Identity,
    /// Where the log goes on.
    log: LogPlace,
    /// The number that the next new database gets.
    next_database: u32,
    /// Pages of each database, and how many of them follow here.
    pages: BTreeMap<DatabaseId, (u32, u32)>,
}

/// Pages of one database, to be published.
type Pages = Vec<(PageNumber, PageImage)>;

/// What the file says.
struct Found {
    plan: Plan,
    pages: BTreeMap<DatabaseId, Pages>,
}

/// Writes down all that the data files do not have, up to the end of the log. The control file is the caller's
/// ([`Core::one_author`]).
pub(super) fn write(core: &Core, end: &RedoPoint, log: LogPlace) -> Result<(), EngineError> {
    let layout = core.layout();
    let Some(identity) = core.identity().filter(|it| it.redo.commit < end.commit) else {
        // No commit is missing in the data files.
        return remove(layout);
    };
    // The names of new databases are durable with their content.
    let databases = layout.databases();
    let synced = layout.disk().sync_directory(&databases);
    synced.map_err(|error| EngineError::file("sync", databases, &error))?;
    let of_databases: Vec<(DatabaseId, Snapshot, Vec<PageNumber>)> = core
        .databases()
        .all()
        .iter()
        .map(|database| {
            let snapshot = database.store().snapshot_durable();
            let unwritten = snapshot.unwritten();
            (database.id(), snapshot, unwritten)
        })
        .collect();
    let count = |pages: &[PageNumber]| u32::try_from(pages.len()).unwrap_or(u32::MAX);
    let plan = Plan {
        before: identity.redo.point.position,
        identity: Identity {
            redo: *end,
            databases: core.databases().entries(),
            ..identity
        },
        log,
        next_database: core.databases().next_id().get(),
        pages: of_databases
            .iter()
            .map(|(id, snapshot, pages)| (*id, (snapshot.page_count(), count(pages))))
            .collect(),
    };
    let mut output = Output::begin(layout)?;
    output.text(&plan.to_text())?;
    let mut content = [0; PAGE_SIZE];
    for (id, snapshot, pages) in &of_databases {
        for page in pages {
            snapshot.read(*page, &mut content)?;
            output.page(*id, *page, &content)?;
        }
    }
    output.finish()
}

/// Whoever reads the file finds that it does not count any more; it only takes room.
pub(super) fn discard(core: &Core) {
    if let Err(error) = remove(core.layout()) {
        tracing::warn!(%error, "pages that the data files have stay beside them; the next start removes them");
    }
}

/// Nothing is on its way any more; durable when it returns.
pub(super) fn remove(layout: &Layout) -> Result<(), EngineError> {
    let path = layout.doublewrite();
    match layout.disk().remove(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(EngineError::file("remove", path, &error))
        }
        _ => Ok(()),
    }
}

/// Goes on with what a server before this one has written down; most starts find nothing.
pub(super) fn go_on(
    layout: &Layout,
    limits: &ConnectionLimits,
    mut control: Control,
) -> Result<Control, EngineError> {
    let Some(Found { plan, mut pages }) = read(layout)? else {
        return Ok(control);
    };
    let Some(identity) = control.identity.clone().filter(|it| plan.counts(it)) else {
        remove(layout)?;
        return Ok(control);
    };
    tracing::warn!(
        commit = plan.identity.redo.commit.get(),
        "the log could not be written when the server ended: the data files get what was not in them yet"
    );
    let files = DatabaseFiles::new(layout.clone(), limits.clone(), None);
    for entry in plan.identity.databases.iter().filter(|it| it.applied) {
        let pages = pages.remove(&entry.id).unwrap_or_default();
        place(&files, entry, &plan, &identity, pages)?;
    }
    let databases = layout.databases();
    let synced = layout.disk().sync_directory(&databases);
    synced.map_err(|error| EngineError::file("sync", databases, &error))?;
    control.set_redo(plan.identity.redo, plan.identity.databases);
    control.log = plan.log;
    control.detached = true;
    control.clean = false;
    control.next_database = control.next_database.max(plan.next_database);
    control.write(layout.disk(), &layout.control())?;
    remove(layout)?;
    Ok(control)
}

/// Brings a data file to the end of the log.
fn place(
    files: &DatabaseFiles,
    entry: &DatabaseEntry,
    plan: &Plan,
    was: &Identity,
    pages: Pages,
) -> Result<(), EngineError> {
    let horizon = Horizon::new(CommitNumber::new(was.redo.commit.get()));
    let is_new = was.databases.iter().all(|known| known.id != entry.id);
    let database = match files.open(entry, &horizon) {
        // Nothing of it was written before: all its pages are here.
        Err(StoreError::Damaged { .. }) if is_new => files.create(entry.clone(), &horizon)?,
        opened => opened?,
    };
    let commit = CommitNumber::new(plan.identity.redo.commit.get());
    let (page_count, _) = plan.pages.get(&entry.id).copied().unwrap_or_default();
    let store = database.store();
    store.publish(commit, page_count, pages);
    horizon.advance(commit);
    store.checkpoint(&|_progress| {})?;
    Ok(())
}

impl Plan {
    /// Whether the environment is where it was: else it has gone another way since.
    fn counts(&self, identity: &Identity) -> bool {
        identity.environment == self.identity.environment
            && identity.redo.point.position == self.before
    }

    fn to_text(&self) -> String {
        let mut body = Body::default();
        body.line("before", self.before);
        self.identity.write(&mut body);
        body.line("log", self.log.word());
        body.line("next_database", self.next_database);
        for (id, (count, here)) in &self.pages {
            body.line("pages", format!("{} {count} {here}", id.get()));
        }
        body.seal()
    }

    fn parse(text: &str) -> Result<Self, String> {
        let body = sealed_text::open(text)?;
        let mut values = BTreeMap::new();
        let (mut databases, mut pages) = (Vec::new(), BTreeMap::new());
        for entry in sealed_text::entries(body) {
            let (key, value) = entry?;
            if let Some(database) = DatabaseEntry::of_line(key, value) {
                databases.push(database?);
                continue;
            }
            match key {
                "pages" => {
                    let odd = || format!("pages = '{value}'");
                    let numbers: Result<Vec<u32>, _> = value.split(' ').map(str::parse).collect();
                    let [id, count, here] = numbers.map_err(|_| odd())?[..] else {
                        return Err(odd());
                    };
                    pages.insert(DatabaseId::new(id), (count, here));
                }
                _ => drop(values.insert(key, value)),
            }
        }
        Ok(Self {
            before: parse_value(&values, "before")?,
            identity: Identity::parse(&values, databases)?,
            log: LogPlace::parse(&parse_value::<String>(&values, "log")?)?,
            next_database: parse_value(&values, "next_database")?,
            pages,
        })
    }

    /// Pages that follow the text.
    fn page_count(&self) -> u64 {
        self.pages.values().map(|(_, here)| u64::from(*here)).sum()
    }
}

/// The file while it is written: beside its place, until it is whole.
struct Output {
    disk: Disk,
    path: PathBuf,
    file: Box<dyn DiskFile>,
    written: u64,
    buffer: Vec<u8>,
    hasher: blake3::Hasher,
}

impl Output {
    fn begin(layout: &Layout) -> Result<Self, EngineError> {
        let (disk, path) = (layout.disk().clone(), layout.doublewrite());
        let new = path.with_extension("new");
        let made = disk
            .remove_if_there(&new)
            .and_then(|()| disk.open(&new, Access::CreateNew(0o600)));
        Ok(Self {
            file: made.map_err(|error| EngineError::file("make", new, &error))?,
            disk,
            path,
            written: 0,
            buffer: MAGIC.to_vec(),
            hasher: blake3::Hasher::new(),
        })
    }

    fn text(&mut self, text: &str) -> Result<(), EngineError> {
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        self.buffer.extend_from_slice(&length.to_le_bytes());
        self.buffer.extend_from_slice(text.as_bytes());
        self.flush()
    }

    fn page(
        &mut self,
        database: DatabaseId,
        page: PageNumber,
        content: &[u8],
    ) -> Result<(), EngineError> {
        self.buffer.extend_from_slice(&database.get().to_le_bytes());
        self.buffer.extend_from_slice(&page.get().to_le_bytes());
        self.buffer.extend_from_slice(content);
        if self.buffer.len() < PIECE {
            return Ok(());
        }
        self.flush()
    }

    fn flush(&mut self) -> Result<(), EngineError> {
        self.hasher.update(&self.buffer);
        self.write_out()
    }

    fn write_out(&mut self) -> Result<(), EngineError> {
        let written = self.file.write_at(self.written, &self.buffer);
        written
            .map_err(|error| EngineError::file("write", self.path.with_extension("new"), &error))?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    fn finish(mut self) -> Result<(), EngineError> {
        self.flush()?;
        self.buffer
            .extend_from_slice(self.hasher.finalize().as_bytes());
        self.write_out()?;
        let new = self.path.with_extension("new");
        let renamed = self.disk.rename(&new, &self.path);
        renamed.map_err(|error| EngineError::file("rename", new, &error))
    }
}

/// The file, proved; `None`: there is none.
fn read(layout: &Layout) -> Result<Option<Found>, EngineError> {
    let path = layout.doublewrite();
    let file = match layout.disk().open(&path, Access::Read) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(EngineError::file("open", path, &error)),
    };
    let mut input = Input {
        length: file
            .length()
            .map_err(|error| EngineError::file("read the size of", &path, &error))?,
        path: &path,
        file: Arc::from(file),
        read: 0,
        hasher: blake3::Hasher::new(),
    };
    input.all().map(Some)
}

struct Input<'a> {
    path: &'a Path,
    file: Arc<dyn DiskFile>,
    length: u64,
    read: u64,
    hasher: blake3::Hasher,
}

impl Input<'_> {
    fn all(&mut self) -> Result<Found, EngineError> {
        let mut head = [0; MAGIC.len() + 4];
        self.next(&mut head)?;
        let (magic, length) = head.split_at(MAGIC.len());
        let length: [u8; 4] = length.try_into().unwrap_or_default();
        let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
        if magic != MAGIC || length > MAX_TEXT {
            return Err(self.damaged("it does not begin as it must"));
        }
        let mut text = vec![0; length];
        self.next(&mut text)?;
        let text = String::from_utf8_lossy(&text);
        let plan = Plan::parse(&text).map_err(|why| self.damaged(&why))?;
        let mut pages: BTreeMap<DatabaseId, Pages> = BTreeMap::new();
        let mut entry = vec![0; ENTRY];
        for _ in 0..plan.page_count() {
            self.next(&mut entry)?;
            let number = |at: usize| {
                let bytes = entry.get(at..at + 4).and_then(|it| it.try_into().ok());
                u32::from_le_bytes(bytes.unwrap_or_default())
            };
            let page = PageNumber::new(number(4));
            let page = page.ok_or_else(|| self.damaged("it has a page 0"))?;
            let image = PageImage::filled(|content| {
                content.copy_from_slice(&entry[8..]);
                Ok::<(), EngineError>(())
            })?;
            let of_database = pages.entry(DatabaseId::new(number(0))).or_default();
            of_database.push((page, image));
        }
        let wanted = self.hasher.finalize();
        let mut hash = [0; HASH];
        self.next(&mut hash)?;
        if wanted != hash || self.read != self.length {
            return Err(self.damaged("its hash does not fit its content"));
        }
        Ok(Found { plan, pages })
    }

    fn next(&mut self, bytes: &mut [u8]) -> Result<(), EngineError> {
        if self.length - self.read < bytes.len() as u64 {
            return Err(self.damaged("it is cut off"));
        }
        let read = self.file.read_exact_at(self.read, bytes);
        read.map_err(|error| EngineError::file("read", self.path, &error))?;
        self.hasher.update(bytes);
        self.read += bytes.len() as u64;
        Ok(())
    }

    fn damaged(&self, why: &str) -> EngineError {
        EngineError::state(
            format!("{} is damaged: {why}", self.path.display()),
            "It was written as a whole, so the disk has altered it, and the data files are half way between two states without it. Make them anew: 'dbserver --rebuild' from the whole log, which sets this file aside, or DataDir from a copy or a slave (docs/recovery.md). Nothing was changed.",
        )
    }
}

#[cfg(test)]
#[path = "doublewrite/tests.rs"]
mod tests;
