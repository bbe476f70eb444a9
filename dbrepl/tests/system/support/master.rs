//! A master: a log directory, a writer, and a configuration file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use fwlog::{
    Begin, CommitHead, CommitNumber, Compression, DatabaseId, Durable, EnvironmentId,
    GenerationReason, LogIdentity, LogLocation, PAGE_SIZE, PageNumber, RecordBuffer,
    RecoverOptions, SealNewest, SegmentId, SegmentStore, Timestamp, Writer, WriterOptions, recover,
};
use walkdir::WalkDir;

pub(crate) struct Master {
    folder: tempfile::TempDir,
    options: WriterOptions,
    environment: EnvironmentId,
    writer: Writer,
    commits: u64,
}

impl Master {
    /// A fresh environment with small segments.
    pub(crate) fn create() -> Self {
        Self::with(16 << 10, Compression::Zstd)
    }

    pub(crate) fn with(max_segment_size: u64, compression: Compression) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("log")).unwrap();
        let config = "[Server]\nDataDir = data\n[ForwardLog]\nFwLog = log/fw-%N\n[Replication]\nRole = Master\n";
        disk::Disk::real()
            .write_atomic(&folder.path().join("eloqdb.cfg"), config.as_bytes(), 0o600)
            .unwrap();
        let options = WriterOptions {
            max_segment_size,
            compression,
            ..WriterOptions::default()
        };
        let environment = EnvironmentId::from_bytes(
            Timestamp::now()
                .micros()
                .to_le_bytes()
                .repeat(2)
                .try_into()
                .unwrap(),
        );
        let writer = start(&log_of(folder.path()), environment, &options, Begin::Create);
        Self {
            folder,
            options,
            environment,
            writer,
            commits: 0,
        }
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.folder.path().join("eloqdb.cfg")
    }

    pub(crate) fn location(&self) -> LogLocation {
        log_of(self.folder.path())
    }

    pub(crate) fn environment(&self) -> EnvironmentId {
        self.environment
    }

    /// So many commits of one page each; durable on return.
    pub(crate) fn commit(&mut self, count: u64) -> Durable {
        for _ in 0..count {
            self.commits += 1;
            let mut records = RecordBuffer::new();
            put_commit(&mut records, self.commits);
            let number = CommitNumber::new(self.commits);
            self.writer.append(records, Some((number, number))).unwrap();
            // Segments change between groups only, so there must be some.
            if self.commits.is_multiple_of(5) {
                self.durable();
            }
        }
        self.durable()
    }

    /// The same in groups as large as the writer makes them.
    pub(crate) fn commit_much(&mut self, count: u64) -> Durable {
        for _ in 0..count {
            self.commits += 1;
            let mut records = RecordBuffer::new();
            put_commit(&mut records, self.commits);
            let number = CommitNumber::new(self.commits);
            self.writer.append(records, Some((number, number))).unwrap();
        }
        self.durable()
    }

    pub(crate) fn durable(&self) -> Durable {
        self.writer.mark().unwrap().wait().unwrap()
    }

    pub(crate) fn new_generation(&self) -> SegmentId {
        self.writer
            .new_generation(GenerationReason::Enable)
            .unwrap()
    }

    /// A clean stop: the newest segment is sealed.
    pub(crate) fn close(&self) -> Durable {
        self.writer.close().unwrap()
    }

    /// A start after a clean stop.
    pub(crate) fn reopen(&mut self) {
        let store = SegmentStore::at(self.location(), 0o600);
        let options = RecoverOptions {
            from: None,
            seal: SealNewest::Yes,
            discard_behind: None,
        };
        let end = recover(&store, options, &mut |_| Ok(())).unwrap();
        let begin = Begin::NextSegment {
            after: end.durable(),
        };
        self.commits = end.last_commit.get();
        self.writer = start(&self.location(), self.environment, &self.options, begin);
    }

    /// Another master with the same log so far: what a copy of its folder is.
    pub(crate) fn twin(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for entry in WalkDir::new(self.folder.path()).min_depth(1) {
            let entry = entry.unwrap();
            let below = entry.path().strip_prefix(self.folder.path()).unwrap();
            let target = folder.path().join(below);
            if entry.file_type().is_dir() {
                std::fs::create_dir(target).unwrap();
            } else {
                std::fs::copy(entry.path(), target).unwrap();
            }
        }
        let location = log_of(folder.path());
        let store = SegmentStore::at(location.clone(), 0o600);
        let options = RecoverOptions {
            from: None,
            seal: SealNewest::Yes,
            discard_behind: None,
        };
        let end = recover(&store, options, &mut |_| Ok(())).unwrap();
        let begin = Begin::NextSegment {
            after: end.durable(),
        };
        let commits = end.last_commit.get();
        let writer = start(&location, self.environment, &self.options, begin);
        Self {
            folder,
            options: self.options.clone(),
            environment: self.environment,
            writer,
            commits,
        }
    }
}

fn log_of(folder: &Path) -> LogLocation {
    LogLocation::parse(folder.join("log/fw-%N")).unwrap()
}

fn start(
    location: &LogLocation,
    environment: EnvironmentId,
    options: &WriterOptions,
    begin: Begin,
) -> Writer {
    let store: Arc<SegmentStore> = Arc::new(SegmentStore::at(location.clone(), 0o600));
    let instance = "alpha".to_owned();
    let identity = LogIdentity {
        environment,
        instance,
        page_size: 4096,
    };
    Writer::start(store, identity, options.clone(), begin, Box::new(|_| ())).unwrap()
}

/// One page whose content depends on the commit; a quarter of it does not compress.
fn put_commit(records: &mut RecordBuffer, number: u64) {
    let mut page = [0; PAGE_SIZE];
    let mut state = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    for chunk in page[..PAGE_SIZE / 4].chunks_exact_mut(8) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        chunk.copy_from_slice(&state.to_le_bytes());
    }
    let mut commit = records.begin_commit(CommitHead {
        number: CommitNumber::new(number),
        database: DatabaseId::new(1),
        time: Timestamp::now(),
        exclusive: false,
        page_count: 1,
        transaction: None,
    });
    commit.page_full(PageNumber::new(1), &page);
    commit.finish();
}
