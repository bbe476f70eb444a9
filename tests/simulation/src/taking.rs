//! Somebody who copies from a cut: what has arrived, and what is made of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use dbconfig::Role;
use dbserver::databases::control::{Control, Identity, LogPlace};
use dbserver::databases::layout::Layout;
use dbserver::environment::Environment;
use dbserver::environment::cut::{Cut, CutError, CutUse};
use disk::Disk;
use disk::testing::Random;
use fwlog::{DatabaseId, LogLocation};
use pagehash::{Root, TreeHasher};
use pagestore::{CommitNumber, Horizon, PAGE_SIZE, PageImage, PageNumber, PageStore, StoreOptions};

use crate::databases::names_of;
use crate::draw::Draw as _;

/// A cut, and what was copied from it.
pub(crate) struct Taking {
    /// Whose it is.
    pub(crate) server: usize,
    /// The databases that clients use there at the commit.
    pub(crate) names: BTreeMap<u32, String>,
    cut: CutUse,
    /// Pages as they came, by database.
    pages: BTreeMap<u32, Vec<u8>>,
}

impl Taking {
    /// Nothing has arrived yet. The list of databases is that of this moment.
    pub(crate) fn new(server: usize, cut: CutUse, environment: &Arc<Environment>) -> Self {
        Self {
            server,
            names: names_of(environment),
            cut,
            pages: BTreeMap::new(),
        }
    }

    /// What it is of.
    pub(crate) fn cut(&self) -> &Cut {
        self.cut.cut()
    }

    /// Whether log belongs to it.
    pub(crate) fn has_log(&self) -> bool {
        self.cut.log_head().is_some()
    }

    /// Takes some pages. `true`: all have arrived.
    pub(crate) fn take_some(&mut self, random: &mut Random) -> Result<bool, CutError> {
        for database in &self.cut.cut().databases {
            let (id, Some(pages)) = (database.entry.id, database.pages) else {
                continue;
            };
            let arrived = self.pages.entry(id.get()).or_default();
            let have = arrived.len() / PAGE_SIZE;
            let rest = pages as usize - have;
            let Some(first) = u32::try_from(have)
                .ok()
                .and_then(|it| PageNumber::new(it + 1))
            else {
                continue;
            };
            if rest == 0 {
                continue;
            }
            let mut run = vec![0; rest.min(1 + random.index(30)) * PAGE_SIZE];
            self.cut.read(id, first, &mut run)?;
            arrived.extend(run);
            let next = PageNumber::at_offset(arrived.len() as u64);
            if let Some(next) = next.filter(|_| random.coin()) {
                self.cut.release_below(id, next)?;
            }
            return Ok(false);
        }
        Ok(true)
    }

    /// Pages of a database that came from the cut.
    pub(crate) fn pages(&self, database: u32) -> Option<&[u8]> {
        self.pages.get(&database).map(Vec::as_slice)
    }

    /// The checksum of each database that came from the cut.
    pub(crate) fn roots(&self) -> BTreeMap<u32, Root> {
        let roots = self.pages.iter().map(|(id, pages)| {
            let mut hasher = TreeHasher::new();
            hasher.update(pages);
            (*id, hasher.finish().root)
        });
        roots.collect()
    }

    /// Writes all that has arrived, and the log head, as a server's own files.
    pub(crate) fn write(&self, disk: &Disk) -> Result<(), String> {
        let layout = Layout::new(disk.clone(), "/data");
        for directory in ["/tmp", "/data", "/data/db", "/data/journal", "/fwlog"] {
            let made = disk.make_directory(directory.as_ref(), 0o700);
            made.map_err(|error| error.to_string())?;
        }
        let cut = self.cut();
        for database in &cut.databases {
            if let Some(pages) = self.pages(database.entry.id.get()) {
                let commit = CommitNumber::new(cut.at.commit.get());
                let path = layout.data_file(&database.entry.file);
                write_database(disk, &path, database.entry.id, commit, pages)?;
            }
        }
        self.write_log(disk)?;
        let control = Control {
            instance: String::new(),
            role: Role::Slave,
            configured_role: Role::Slave,
            clean: false,
            log: LogPlace::ForwardLog,
            detached: false,
            next_database: cut.next_database.get(),
            identity: Some(Identity {
                environment: cut.environment,
                redo: cut.redo,
                databases: cut.databases.iter().map(|it| it.entry.clone()).collect(),
            }),
            bootstrap: None,
            audit_open: false,
            handover: None,
            fence: None,
            alone_since: None,
        };
        let written = control.write(disk, &layout.control());
        written.map_err(|error| error.to_string())
    }

    fn write_log(&self, disk: &Disk) -> Result<(), String> {
        let location = LogLocation::parse("/fwlog/fw-%N").map_err(|error| error.to_string())?;
        for piece in self.cut.log_head().map_or(&[][..], |head| head.pieces()) {
            let mut bytes = vec![0; usize::try_from(piece.length).unwrap_or(0)];
            let read = self.cut.read_log(*piece, 0, &mut bytes);
            let read = read.map_err(|error| format!("log head: {error}"))?;
            if read as u64 != piece.length {
                return Err(format!("{read} bytes of {piece:?}"));
            }
            let written = disk.write_atomic(&location.path(piece.segment), &bytes, 0o600);
            written.map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}

fn write_database(
    disk: &Disk,
    path: &std::path::Path,
    id: DatabaseId,
    commit: CommitNumber,
    pages: &[u8],
) -> Result<(), String> {
    let options = StoreOptions {
        disk: disk.clone(),
        scratch_dir: "/tmp".into(),
        database: id.get(),
        pinned_limit: 0,
    };
    let horizon = Horizon::new(CommitNumber::ZERO);
    let store = PageStore::create(path, Arc::clone(&horizon), options);
    let store = store.map_err(|error| error.to_string())?;
    let (pages, _) = pages.as_chunks::<PAGE_SIZE>();
    let numbers = (1..).filter_map(PageNumber::new);
    let images: Vec<_> = numbers.zip(pages.iter().map(PageImage::copy_of)).collect();
    let count = u32::try_from(images.len()).map_err(|error| error.to_string())?;
    store.publish(commit, count, images);
    horizon.advance(commit);
    let written = store.checkpoint(&|_| ());
    written.map(drop).map_err(|error| error.to_string())
}
