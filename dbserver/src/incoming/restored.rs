//! What `dbctl backup restore` has brought becomes a copy that is complete: a backup's pages, and the log up to the point that is
//! wanted.
//!
//! ```text
//!  DataDir/incoming/N.new, G-S, partial, manifest, restore      as dbctl has left them
//!     pages ─► their checksum is the backup's ─► N.sum
//!     log ─► whole, from the redo point to its end ─► a new generation behind it, with the commits of the partial block
//!     control, history ─► plan: complete
//! ```
//! The plan is the switch: before it there is no environment, from then on every start goes on with it as with a copy that came
//! from a server. The new generation is part of what is switched to: a restored master that had no generation of its own, for a moment
//! only, would go on in that of the past which was given up.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use dbconfig::Apply;
use dbproto::base::{CutDatabase, CutOffer, LogRange, RedoPoint};
use disk::Access;
use fwlog::{
    Begin, Block, BlockDecoder, CommitNumber, Durable, Generation, History, LogDirectory,
    LogIdentity, LogLocation, Position, SegmentId, SegmentReader, SegmentStore, Writer,
    WriterOptions,
};
use pagehash::{GROUP_PAGES, GroupNumber, GroupParts, GrowingTree, PAGE_SIZE};
use pagestore::{CommitNumber as PageCommit, sum_of, write_sum_file};
use repository::{BackedUpDatabase, BackupId, Border, Manifest, RestoreNote};

use super::plan::{Plan, Stage};
use super::{altered, directory};
use crate::databases::host::Host;
use crate::databases::layout::Layout;
use crate::databases::list::Databases;
use crate::error::EngineError;

/// The block of which only some commits are wanted.
const PARTIAL: &str = "partial";
const MANIFEST: &str = "manifest";

/// A restore that dbctl has brought.
pub(crate) struct Restored {
    layout: Layout,
    manifest: Manifest,
    note: RestoreNote,
}

impl Restored {
    /// What is there. Errors: nothing is, or it is damaged.
    pub(crate) fn read(layout: &Layout) -> Result<Self, EngineError> {
        let read = |name: &str| {
            let path = directory(layout).join(name);
            match layout.disk().read(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Err(nothing(layout)),
                other => other.map_err(|error| EngineError::file("read", path, &error)),
            }
        };
        let note = RestoreNote::decode(&read(RestoreNote::FILE)?);
        let note = note.map_err(|error| altered(error.to_string()))?;
        let of: (_, BackupId) = (note.environment, note.backup);
        let manifest = Manifest::decode(&MANIFEST, of, &read(MANIFEST)?);
        let manifest = manifest.map_err(|error| altered(error.to_string()))?;
        Ok(Self {
            layout: layout.clone(),
            manifest,
            note,
        })
    }

    /// Proves all of it, and has the next start make it the state. `instance` begins a generation of the log above all up to `taken`;
    /// without one the log stays open where it ends.
    pub(crate) fn complete(
        &self,
        host: &Host,
        apply: &Apply,
        instance: Option<(&str, Generation)>,
    ) -> Result<(), EngineError> {
        let mut log = None;
        if let Some(end) = self.note.end {
            log = Some(self.log(host, end, instance)?);
        }
        for database in &self.manifest.databases {
            if apply.takes(&database.name) {
                self.prove(database)?;
            }
        }
        self.history()?;
        let lost = host.clock.now().to_string();
        let lost = lost.split('.').next().unwrap_or_default().chars();
        let lost = lost.filter(char::is_ascii_alphanumeric).collect();
        let cut = self.cut(log);
        let mut plan = Plan::of(&cut, &Databases::default(), apply, lost);
        plan.stage = Stage::Complete;
        plan.write(&self.layout)
    }

    /// The same as a cut that came from a server.
    fn cut(&self, log: Option<LogRange>) -> CutOffer {
        let manifest = &self.manifest;
        let databases = manifest.databases.iter().map(|database| CutDatabase {
            number: database.number,
            name: database.name.clone(),
            pages: database.pages,
        });
        CutOffer {
            id: 0,
            environment: manifest.environment,
            instance: manifest.instance.clone(),
            format: fwlog::layout::header::FORMAT_VERSION,
            page_size: u32::try_from(PAGE_SIZE).unwrap_or(u32::MAX),
            volume_limit: 0,
            commit: manifest.commit,
            time: manifest.time,
            redo: RedoPoint {
                point: manifest.redo,
                log_bytes: manifest.redo_log_bytes,
                commit: manifest.redo_commit,
            },
            databases: databases.collect(),
            next_database: manifest.next_database,
            log,
        }
    }

    /// What the log was: its new generation is found in it.
    fn history(&self) -> Result<(), EngineError> {
        let mut history = History::default();
        if let Some(end) = self.note.end {
            history.learn(&self.note.branch, end.point.position);
        }
        let written = history.write(self.layout.disk(), &self.layout.history());
        written.map_err(|error| EngineError::Storage(error.to_string()))
    }

    /// The pages of a database are those of the backup: makes its sum file.
    fn prove(&self, database: &BackedUpDatabase) -> Result<(), EngineError> {
        let arrived = directory(&self.layout).join(database.number.to_string());
        let path = arrived.with_extension("new");
        let failed = |error: io::Error| EngineError::file("read", &path, &error);
        let disk = self.layout.disk();
        let file = disk.open(&path, Access::Read).map_err(failed)?;
        let length = file.length().map_err(failed)?;
        if length != u64::from(database.pages) * PAGE_SIZE as u64 {
            return Err(altered(format!(
                "{} has {length} bytes, and database {} has {} pages",
                path.display(),
                database.name,
                database.pages
            )));
        }
        // The lock page has no sum: nobody reads it.
        let mut sums = vec![0; database.pages as usize];
        let mut tree = GrowingTree::new(database.pages);
        let mut room = vec![0; GROUP_PAGES as usize * PAGE_SIZE];
        for group in GroupNumber::all(database.pages) {
            let pages = group.pages(database.pages);
            let first = *pages.start() - 1;
            let bytes = room
                .get_mut(..pages.count() * PAGE_SIZE)
                .unwrap_or_default();
            file.read_exact_at(u64::from(first) * PAGE_SIZE as u64, bytes)
                .map_err(failed)?;
            let places = sums.iter_mut().skip(first as usize);
            places
                .zip(bytes.chunks(PAGE_SIZE))
                .for_each(|(sum, page)| *sum = sum_of(page));
            tree.learn(&GroupParts::of(group, bytes));
        }
        if tree.root() != Some(database.root) {
            let here = tree.root().map(|root| root.to_string());
            return Err(altered(format!(
                "database {} is not that of the backup: checksum {}, not {}",
                database.name,
                here.unwrap_or_default(),
                database.root
            )));
        }
        let commit = PageCommit::new(self.manifest.commit.get());
        let sum = arrived.with_extension("sum");
        write_sum_file(disk, &sum, database.number, commit, &sums)?;
        Ok(())
    }

    /// The log is whole from the redo point to its end; a new generation goes on there.
    fn log(
        &self,
        host: &Host,
        end: Border,
        instance: Option<(&str, Generation)>,
    ) -> Result<LogRange, EngineError> {
        let location = self.location()?;
        let store = Arc::new(SegmentStore::at(location.clone(), 0o600));
        self.remove_attempt(&store, end)?;
        let directory = LogDirectory::scan(&location)
            .and_then(LogDirectory::whole)
            .map_err(EngineError::from)?;
        let report = fwlog::verify(&directory, &mut |_progress| {}).map_err(EngineError::from)?;
        if let Some(finding) = report.findings.first() {
            return Err(altered(finding.to_string()));
        }
        let first = directory.segments().first().map(|segment| &segment.header);
        let Some(first) = first.filter(|_| report.end == Some(end.point)) else {
            return Err(altered(format!(
                "the log that was brought does not end at {}",
                end.point
            )));
        };
        let redo = self.manifest.redo;
        if redo.position.segment == first.id {
            super::reader_at(&store, redo)?;
        } else if first.previous != redo.hash {
            return Err(altered(format!(
                "the log that was brought does not have {redo}, from where it is redone"
            )));
        }
        let from = first.id;
        let to = match instance {
            None if self.note.partial.is_some() => {
                return Err(EngineError::state(
                    format!(
                        "commit {} is inside of a block, and a slave can end only between two",
                        self.note.partial.unwrap_or(CommitNumber::ZERO)
                    ),
                    "Give a position ('dbctl fwlog dump' shows the borders), or restore it as a master or a copy.",
                ));
            }
            None => end.point.position,
            Some(instance) => self.begin(host, &store, end, instance)?,
        };
        Ok(LogRange { from, to })
    }

    fn location(&self) -> Result<LogLocation, EngineError> {
        let pattern = directory(&self.layout).join("%N");
        LogLocation::parse(&pattern)
            .map(|location| location.on(self.layout.disk().clone()))
            .map_err(|error| EngineError::Usage(error.to_string()))
    }

    /// What an attempt before this one has begun behind the end goes.
    fn remove_attempt(&self, store: &SegmentStore, end: Border) -> Result<(), EngineError> {
        let disk = self.layout.disk();
        let position = store.position_path();
        let failed =
            |path: PathBuf| move |error: io::Error| EngineError::file("remove", path, &error);
        disk.remove_if_there(&position)
            .map_err(failed(position.clone()))?;
        let segments = store.list();
        let segments = segments.map_err(failed(directory(&self.layout)))?;
        let newer = segments
            .into_iter()
            .filter(|id| *id > end.point.position.segment);
        for id in newer {
            store.remove(id).map_err(failed(store.path(id)))?;
        }
        Ok(())
    }

    /// Begins the generation that goes on where the log ends. Gives where that one ends.
    fn begin(
        &self,
        host: &Host,
        store: &Arc<SegmentStore>,
        end: Border,
        (instance, taken): (&str, Generation),
    ) -> Result<Position, EngineError> {
        let at = end.point.position;
        let mut reader = SegmentReader::open_in(store, at.segment).map_err(EngineError::from)?;
        reader.skip_to(at.offset).map_err(EngineError::from)?;
        let log_bytes = reader.header().log_bytes.saturating_add(at.offset);
        let after = Durable {
            point: end.point,
            commit: end.commit,
            time: end.time,
            log_bytes,
            sealed: reader.sealed().is_some(),
        };
        drop(reader);
        let newest = self.note.newest.max(taken).max(at.segment.generation);
        let first = SegmentId {
            generation: newest,
            sequence: fwlog::Sequence::FIRST,
        };
        let identity = LogIdentity {
            environment: self.manifest.environment,
            instance: instance.to_owned(),
            page_size: u32::try_from(PAGE_SIZE).unwrap_or(u32::MAX),
        };
        let options = WriterOptions {
            clock: host.clock.clone(),
            preallocate: 0,
            ..WriterOptions::default()
        };
        let begin = Begin::Restored {
            generation: first.next_generation().generation,
            after,
        };
        let observer = Box::new(|_: &Durable| {});
        let writer = match host.drive {
            crate::databases::host::Drive::Threads => Writer::start,
            crate::databases::host::Drive::Owner => Writer::driven,
        };
        let writer = writer(Arc::clone(store), identity, options, begin, observer)
            .map_err(EngineError::LogFailed)?;
        if let Some(commit) = self.note.partial {
            self.repeat(&writer, end, commit)?;
        }
        let end = writer.close().map_err(EngineError::LogFailed)?;
        Ok(end.point.position)
    }

    /// The records of the block behind the end, up to this commit, as they are: what they change is changed from the same pages.
    fn repeat(
        &self,
        writer: &Writer,
        end: Border,
        commit: CommitNumber,
    ) -> Result<(), EngineError> {
        let path = directory(&self.layout).join(PARTIAL);
        let bytes = self.layout.disk().read(&path);
        let bytes = bytes.map_err(|error| EngineError::file("read", &path, &error))?;
        let odd = |why: &dyn std::fmt::Display| altered(format!("{}: {why}", path.display()));
        let block = Block::split_from(&mut bytes.into(), end.point.position);
        let block = block.map_err(|why| odd(&why))?;
        let continues = block.continues(end.point.hash, end.commit);
        continues.map_err(|why| odd(&why))?;
        let records = block.records_up_to(&mut BlockDecoder::new(), commit);
        let records = records.map_err(|why| odd(&why))?;
        let records = records.ok_or_else(|| odd(&format!("it has no commit {commit}")))?;
        writer
            .append(records, Some((block.head.first_commit, commit)))
            .map_err(EngineError::LogFailed)
    }
}

/// There is nothing that dbctl has brought.
fn nothing(layout: &Layout) -> EngineError {
    EngineError::state(
        format!(
            "there is nothing to recover in {}",
            layout.data_dir().display()
        ),
        "'dbctl backup restore' brings what a backup has, and runs this by itself.",
    )
}

/// Whether a restore was brought here, and is not the state.
pub(crate) fn is_restoring(layout: &Layout) -> bool {
    let note = directory(layout).join(RestoreNote::FILE);
    layout.disk().exists(&note).unwrap_or(false)
}

/// Whether a start would go on with what is complete.
pub(crate) fn is_complete(layout: &Layout) -> Result<bool, EngineError> {
    let plan = Plan::read(layout)?;
    Ok(plan.is_some_and(|plan| plan.stage != Stage::Receiving))
}
