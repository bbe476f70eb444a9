//! A log in a directory, and its archive.

#![allow(dead_code, reason = "each test file uses a part of this")]

use std::path::Path;
use std::sync::Arc;

use disk::Disk;
use disk::testing::Random;
use fwlog::{
    Begin, CommitHead, DatabaseId, Durable, DurableEnd, EnvironmentId, Follow, FollowItem,
    GenerationReason, HistoryLine, LogIdentity, LogLocation, PAGE_SIZE, PageNumber, RecordBuffer,
    SegmentStore, Writer, WriterOptions, generations_in,
};
use repository::{
    Archiver, ArchiverError, Directory, Diverged, LogArchive, Marker, Repository, Start, Store,
    find_start,
};
use tempfile::TempDir;

pub(crate) mod backup;

pub(crate) const ENVIRONMENT: EnvironmentId = EnvironmentId::from_bytes([9; 16]);

/// A log that is written.
pub(crate) struct Log {
    pub(crate) folder: TempDir,
    pub(crate) writer: Writer,
    /// The generations that it had in the beginning: its history outlives its segments.
    branch: Vec<HistoryLine>,
}

impl Log {
    pub(crate) fn new() -> Self {
        Self::begin(tempfile::tempdir().unwrap(), Begin::Create)
    }

    fn begin(folder: TempDir, begin: Begin) -> Self {
        let store = SegmentStore::at(location(folder.path()), 0o600);
        let identity = LogIdentity {
            environment: ENVIRONMENT,
            instance: "alpha".to_owned(),
            page_size: u32::try_from(PAGE_SIZE).unwrap(),
        };
        let observer = Box::new(|_: &Durable| {});
        let options = WriterOptions {
            preallocate: 5000,
            ..WriterOptions::default()
        };
        let writer = Writer::start(Arc::new(store), identity, options, begin, observer).unwrap();
        let end = writer.durable().point.position;
        let branch = generations_in(&location(folder.path()), None, end).unwrap();
        Self {
            folder,
            writer,
            branch,
        }
    }

    pub(crate) fn location(&self) -> LogLocation {
        location(self.folder.path())
    }

    /// One commit of about so many bytes, in a block of its own.
    pub(crate) fn commit(&self, bytes: usize) {
        let number = self.writer.durable().commit.next();
        let mut page = [0; PAGE_SIZE];
        let mut random = Random::new(number.get());
        for byte in &mut page[..bytes] {
            *byte = random.next().to_le_bytes()[0];
        }
        let mut records = RecordBuffer::new();
        let mut encoder = records.begin_commit(CommitHead {
            number,
            database: DatabaseId::new(1),
            time: self.writer.now(),
            exclusive: false,
            page_count: 3,
            transaction: None,
        });
        encoder.page_delta(PageNumber::new(2), &[0; PAGE_SIZE], &page);
        encoder.finish();
        self.writer.append(records, Some((number, number))).unwrap();
        self.writer.wait_durable(number).unwrap();
    }

    /// So many commits in one block, each at a time of its own.
    pub(crate) fn block_of(&self, count: u64) {
        let first = self.writer.durable().commit.next();
        let mut records = RecordBuffer::new();
        let mut last = first;
        for at in 0..count {
            last = fwlog::CommitNumber::new(first.get() + at);
            let mut encoder = records.begin_commit(CommitHead {
                number: last,
                database: DatabaseId::new(1),
                time: self.writer.now(),
                exclusive: false,
                page_count: 3,
                transaction: None,
            });
            let page = [u8::try_from(at).unwrap(); PAGE_SIZE];
            encoder.page_delta(PageNumber::new(2), &[200; PAGE_SIZE], &page);
            encoder.finish();
            std::thread::yield_now();
        }
        records.drop_database(DatabaseId::new(7), "behind the last commit");
        self.writer.append(records, Some((first, last))).unwrap();
        self.writer.wait_durable(last).unwrap();
    }

    pub(crate) fn commits(&self, count: usize) {
        for at in 0..count {
            self.commit(100 + at * 7 % 900);
        }
    }

    pub(crate) fn new_generation(&self) {
        self.writer
            .new_generation(GenerationReason::Promote)
            .unwrap();
    }

    /// A copy of the log as it is, which goes on by itself as another generation.
    pub(crate) fn promoted_copy(&self) -> Self {
        let begin = Begin::NewGeneration {
            reason: GenerationReason::Promote,
            after: self.writer.durable(),
        };
        Self::begin(self.files(), begin)
    }

    /// A copy of the log as it is, which goes on by itself with the next segment.
    pub(crate) fn second_writer(&self) -> Self {
        let after = self.writer.durable();
        Self::begin(self.files(), Begin::NextSegment { after })
    }

    /// A copy of the log as it is.
    pub(crate) fn files(&self) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        for entry in std::fs::read_dir(self.folder.path()).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
        }
        folder
    }
}

pub(crate) fn location(directory: &Path) -> LogLocation {
    LogLocation::parse(directory.join("fw-%N")).unwrap()
}

/// A repository in a directory of its own.
pub(crate) fn repository() -> (TempDir, Arc<dyn Store>, LogArchive) {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> =
        Arc::new(Directory::new(Disk::real(), folder.path().join("backup")));
    let repository = Repository::init(Arc::clone(&store), Marker::new("test").unwrap()).unwrap();
    let archive = repository.log(ENVIRONMENT);
    (folder, store, archive)
}

/// An archiver of a log, which reads it as dbrepl does.
pub(crate) struct Run {
    pub(crate) archiver: Archiver,
    pub(crate) start: Start,
    follow: Follow,
}

impl Run {
    pub(crate) fn begin(log: &Log, archive: &LogArchive) -> Result<Self, ArchiverError> {
        Self::begin_at(log.location(), archive, &log.branch)
    }

    pub(crate) fn begin_at(
        location: LogLocation,
        archive: &LogArchive,
        known: &[HistoryLine],
    ) -> Result<Self, ArchiverError> {
        let end = DurableEnd::read(&location.disk, &location.directory);
        let end = end.unwrap().unwrap();
        let mut branch = known.to_vec();
        let newest = known.last().map(|line| line.number);
        branch.extend(generations_in(
            &location,
            newest,
            end.durable.point.position,
        )?);
        let catalog = archive.catalog()?;
        let start = find_start(archive, &catalog, &location, &end, &branch)?;
        let mut follow = Follow::start(location, start.border.point).map_err(|error| {
            let at = start.border.point.position;
            let why = error.to_string();
            ArchiverError::Diverged(Diverged::Broken { at, why })
        })?;
        follow.set_batch(3000);
        let archiver = Archiver::new(archive.clone(), &catalog, &start, branch)?;
        Ok(Self {
            archiver,
            start,
            follow,
        })
    }

    /// Takes the next piece of the log, and stores what is due; `false`: there is no more.
    pub(crate) fn step(&mut self, part_size: usize) -> Result<bool, ArchiverError> {
        // A log that was at its end may have grown since.
        let mut at_end = false;
        match self.follow.next().unwrap() {
            FollowItem::Segment { header_bytes, .. } => self.archiver.take_header(&header_bytes)?,
            FollowItem::Blocks { bytes, .. } => self.archiver.take_blocks(bytes)?,
            FollowItem::Seal { bytes } => self.archiver.take_seal(bytes)?,
            FollowItem::UpToDate(_) | FollowItem::Until(_) => at_end = true,
        }
        while self.archiver.is_part_due(part_size) || at_end {
            if self.archiver.store(part_size)?.is_none() {
                break;
            }
        }
        Ok(!at_end)
    }
}

/// Archives all that there is, and says so.
pub(crate) fn archive(
    log: &Log,
    archive: &LogArchive,
    part_size: usize,
) -> Result<Start, ArchiverError> {
    let mut run = Run::begin(log, archive)?;
    while run.step(part_size)? {}
    run.archiver.beat(log.writer.now())?;
    Ok(run.start)
}

/// What there is of a segment on the disk and in the archive is the same.
pub(crate) fn compare(log: &Log, archive: &LogArchive) {
    let catalog = archive.catalog().unwrap();
    let line = repository::Line::to(archive, &catalog, catalog.newest().unwrap()).unwrap();
    let mut there = log.location().list().unwrap();
    let archived: Vec<_> = line.segments.iter().map(|it| it.id).collect();
    let newest = there.last().copied().unwrap();
    if archived.last() != Some(&newest) && log.writer.durable().point.position.offset == 128 {
        // A header alone is not archived.
        there.pop();
    }
    assert_eq!(archived, there);
    let span = repository::Span::of(archive, &line).unwrap().unwrap();
    assert_eq!(span.gaps, Vec::new());
    assert!(span.from.point.position < span.to.border.point.position);
    for segment in line.segments {
        let mut bytes = Vec::new();
        let whole = segment
            .read::<repository::ArchiveError>(archive, |piece| {
                bytes.extend_from_slice(piece);
                Ok(())
            })
            .unwrap();
        let file = std::fs::read(log.location().path(segment.id)).unwrap();
        if whole {
            assert!(bytes == file, "segment {}", segment.id);
        } else {
            let (log, unused) = file.split_at(bytes.len());
            assert!(bytes == log, "segment {}", segment.id);
            assert!(unused.iter().all(|byte| *byte == 0));
        }
    }
}

/// Whether nothing is wrong with the archive.
pub(crate) fn findings(archive: &LogArchive) -> Vec<String> {
    let catalog = archive.catalog().unwrap();
    let report = repository::verify(archive, &catalog, &mut |_, _| {}).unwrap();
    let findings = report.findings.into_iter();
    findings
        .map(|it| format!("{} {}", it.object, it.what))
        .collect()
}
