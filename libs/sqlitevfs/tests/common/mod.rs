//! A store with a log that is always durable at once.
#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "each test binary uses a part of it"
)]

use std::path::Path;
use std::sync::Arc;

use disk::Disk;
use pagestore::{CommitNumber, Horizon, PAGE_SIZE, PageImage, PageNumber, PageStore, StoreOptions};
use rusqlite::Connection;
use sqlitevfs::{FileHandle, OpenOptions, WriteSet};
use tempfile::TempDir;

pub(crate) type Session = (Connection, FileHandle);

pub(crate) struct Database {
    pub(crate) directory: TempDir,
    pub(crate) horizon: Arc<Horizon>,
    pub(crate) store: Arc<PageStore>,
}

impl Database {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let horizon = Horizon::new(CommitNumber::ZERO);
        let options = StoreOptions {
            disk: Disk::real(),
            scratch_dir: directory.path().to_owned(),
            database: 1,
            pinned_limit: 40 << 10,
        };
        let path = directory.path().join("main.db");
        let store = PageStore::create(&path, Arc::clone(&horizon), options).unwrap();
        Self {
            directory,
            horizon,
            store,
        }
    }

    /// A store with the pages of a plain file.
    pub(crate) fn load(&self, plain: &Path) -> Arc<PageStore> {
        let options = StoreOptions {
            disk: Disk::real(),
            scratch_dir: self.directory.path().to_owned(),
            database: 2,
            pinned_limit: 0,
        };
        let path = self.directory.path().join("loaded.db");
        let store = PageStore::create(&path, Horizon::new(CommitNumber::ZERO), options).unwrap();
        let bytes = std::fs::read(plain).unwrap();
        let pages = (1..)
            .zip(bytes.chunks_exact(PAGE_SIZE))
            .map(|(page, data)| {
                let image = PageImage::copy_of(data.try_into().unwrap());
                (PageNumber::new(page).unwrap(), image)
            });
        let pages: Vec<_> = pages.collect();
        let count = u32::try_from(pages.len()).unwrap();
        store.publish(CommitNumber::new(1), count, pages);
        store.horizon().advance(CommitNumber::new(1));
        store
    }

    pub(crate) fn options(&self, write_set_limit: usize, cache_kib: u32) -> OpenOptions {
        let scratch_dir = self.directory.path().to_owned();
        OpenOptions {
            scratch_dir,
            write_set_limit,
            cache_kib,
        }
    }

    pub(crate) fn connect(&self) -> Session {
        self.connect_with(16 << 20, 2000)
    }

    pub(crate) fn connect_with(&self, write_set_limit: usize, cache_kib: u32) -> Session {
        sqlitevfs::open(&self.store, self.options(write_set_limit, cache_kib)).unwrap()
    }

    /// Runs statements with the permit; all that they commit is one durable commit.
    pub(crate) fn run(&self, session: &Session, sql: &str) -> CommitNumber {
        let commit = self.run_not_durable(session, sql);
        self.horizon.advance(commit);
        commit
    }

    pub(crate) fn run_not_durable(
        &self,
        (connection, handle): &Session,
        sql: &str,
    ) -> CommitNumber {
        handle.allow_write(true);
        connection.execute_batch(sql).unwrap();
        let set = handle.take_write_set();
        handle.allow_write(false);
        set.map_or(self.store.latest().0, |set| self.publish_not_durable(set))
    }

    pub(crate) fn publish(&self, set: WriteSet) -> CommitNumber {
        let commit = self.publish_not_durable(set);
        self.horizon.advance(commit);
        commit
    }

    pub(crate) fn publish_not_durable(&self, set: WriteSet) -> CommitNumber {
        let newest = self.store.latest().0.max(self.horizon.durable());
        let commit = CommitNumber::new(newest.get() + 1);
        self.store.publish(commit, set.page_count, set.pages);
        commit
    }

    /// The database is sound through the shim, and the data file is after a checkpoint.
    pub(crate) fn check(&self, connection: &Connection) {
        let check = "PRAGMA integrity_check";
        let through: String = connection.query_row(check, (), |row| row.get(0)).unwrap();
        assert_eq!(through, "ok");
        self.store.checkpoint(&|_| ()).unwrap();
        let len = std::fs::metadata(self.store.path()).unwrap().len();
        assert_eq!(len, u64::from(self.store.latest().1) * 4096);
        let plain = Connection::open(self.store.path()).unwrap();
        let direct: String = plain.query_row(check, (), |row| row.get(0)).unwrap();
        assert_eq!(direct, "ok");
    }
}
