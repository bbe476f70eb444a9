//! Damaged pages of data files are made again from the environment's own log: from the last full
//! image before the file's commit, and the deltas behind it.
//!
//! Where that image is is not known, so reading begins in the segment of the commit, then earlier and earlier, twice
//! as many segments each time: in all at most four times the bytes of the needed ones.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use disk::Disk;
use fwlog::{
    BlockDecoder, CommitNumber, DatabaseId, LogDirectory, LogKind, LogLocation, Position, ReadItem,
    SegmentInfo, SegmentReader, Timestamp,
};
use pagestore::{Fault, Lost, LostPage, PageNumber, Remade, sum_of};

use crate::apply::remake::{Page, Remake};
use crate::databases::host::Host;
use crate::environment::log::read_error;
use crate::environment::verify::describe_pages;
use crate::error::EngineError;
use crate::process::Counter;

/// Whom a repair names.
const THE_LOG: &str = "the log";

/// What was repaired since the start.
#[derive(Debug, Default)]
pub(crate) struct Repairs {
    /// Pages, or their checksums.
    pub(crate) mended: Counter,
    /// Pages that could not be mended when that was tried; one that is tried again counts again.
    pub(crate) not_mended: Counter,
    last: Mutex<Option<Timestamp>>,
}

impl Repairs {
    /// When something was repaired last.
    pub(crate) fn last(&self) -> Option<Timestamp> {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// These pages are mended, from there.
    pub(crate) fn note(
        &self,
        path: &Path,
        pages: &[(PageNumber, Fault)],
        from: &str,
        now: Timestamp,
    ) {
        self.mended.add(pages.len() as u64);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
        tracing::warn!("repaired from {from}: {}", describe_pages(path, pages));
    }

    /// These pages are not, all for this reason.
    pub(crate) fn note_failure(&self, path: &Path, pages: &[(PageNumber, Fault)], why: &str) {
        self.not_mended.add(pages.len() as u64);
        tracing::warn!("cannot be repaired: {}: {why}", describe_pages(path, pages));
    }
}

/// The environment's own log as a source of pages.
#[derive(Debug)]
pub(crate) struct OwnLog {
    /// Where segments are: where the log is written first.
    locations: Vec<LogLocation>,
    disk: Disk,
}

impl OwnLog {
    /// The log in these places of the host's disk.
    pub(crate) fn new(host: &Host, locations: Vec<LogLocation>) -> Self {
        Self {
            locations,
            disk: host.disk.clone(),
        }
    }

    /// What the log has for each of the pages.
    pub(crate) fn remake(&self, lost: &Lost<'_>) -> Vec<Remade> {
        let mut search = Search::new(lost);
        if let Err(error) = self.search(&mut search) {
            search.refuse(&error.to_string());
        }
        assert!(!search.is_open(), "each page has an answer");
        search.found.into_iter().flatten().collect()
    }

    /// Looks for the pages, and notes what was found; an error leaves the rest open.
    fn search(&self, search: &mut Search<'_>) -> Result<(), EngineError> {
        let segments = self.segments_up_to(search.commit())?;
        let mut count = 1;
        loop {
            let begin = segments.len().saturating_sub(count);
            let begin = segments.get(begin..).unwrap_or_default();
            let Some(first) = begin.first() else {
                search.refuse("the log does not have the commit of the data file any more");
                return Ok(());
            };
            let from = first.header.start().position;
            let open = search.open().map(|lost| lost.page);
            let remake = Remake::new(search.database(), search.commit(), from, open);
            let remake = read(&self.disk, begin, remake)?;
            search.judge(&remake);
            if begin.len() == segments.len() {
                search.refuse(&format!(
                    "the log, which goes back to segment {}, does not tell what it was",
                    first.id
                ));
            }
            if !search.is_open() {
                return Ok(());
            }
            count *= 2;
        }
    }

    /// These pages of a database, and how many it had, as of a commit: what the log tells of them, read from as far back as it
    /// takes. `None`: it begins behind that commit.
    ///
    /// Errors: the log can't be read, or does not reach the commit.
    pub(super) fn as_of(
        &self,
        database: DatabaseId,
        commit: CommitNumber,
        pages: &[PageNumber],
    ) -> Result<Option<Remake>, EngineError> {
        let segments = self.segments_up_to(commit)?;
        if segments.is_empty() {
            return Ok(None);
        }
        let is_known = |remake: &Remake, page: PageNumber| {
            matches!(remake.page(page), Page::Known(_) | Page::Absent)
        };
        let mut count = 1;
        loop {
            let begin = segments.len().saturating_sub(count);
            let begin = segments.get(begin..).unwrap_or_default();
            let first = begin.first().map(|first| first.header.start().position);
            let from = first.unwrap_or(Position::ORIGIN);
            let remake = Remake::new(database, commit, from, pages.iter().copied());
            let remake = read(&self.disk, begin, remake)?;
            if !remake.is_complete() {
                return Err(EngineError::Corrupt(format!(
                    "the log does not have commit {commit}"
                )));
            }
            let is_told =
                remake.page_count().is_some() && pages.iter().all(|page| is_known(&remake, *page));
            if is_told || begin.len() == segments.len() {
                return Ok(Some(remake));
            }
            count *= 2;
        }
    }

    /// What the pages of a replica become with what the log has behind its commit, up to commit `up_to`. The replica's
    /// redo would start at `redo`.
    ///
    /// Errors: the log does not go back that far, or can't be read.
    pub(crate) fn forward(
        &self,
        database: DatabaseId,
        (redo, after, up_to): (Position, CommitNumber, CommitNumber),
        page_count: u32,
        pages: BTreeMap<PageNumber, Page>,
    ) -> Result<Remake, EngineError> {
        let mut segments = self.segments_up_to(up_to)?;
        segments.retain(|info| info.id >= redo.segment);
        let whole = segments
            .first()
            .is_some_and(|first| first.id == redo.segment || first.header.last_commit <= after);
        if !whole && after < up_to {
            return Err(EngineError::state(
                format!(
                    "the log of this server does not go back to {redo}, where redo of the other one would start"
                ),
                "Wait for a checkpoint of the slave, and try again.",
            ));
        }
        let remake = Remake::new(database, up_to, redo, []).on_top(after, page_count, pages);
        if after >= up_to {
            return Ok(remake);
        }
        let remake = read(&self.disk, &segments, remake)?;
        if remake.is_complete() {
            Ok(remake)
        } else {
            Err(EngineError::state(
                format!("the log of this server ends before commit {}", up_to.get()),
                "Try again.",
            ))
        }
    }

    /// The segments up to that in which the commit is, as far back as each goes on where the one before it ends.
    fn segments_up_to(&self, commit: CommitNumber) -> Result<Vec<SegmentInfo>, EngineError> {
        let mut segments: Vec<SegmentInfo> = Vec::new();
        let mut failure = None;
        for location in &self.locations {
            match LogDirectory::scan(location) {
                Ok(found) => segments.extend(found.segments().iter().cloned()),
                // The other directory may have all that it takes.
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        if let (true, Some(error)) = (segments.is_empty(), failure) {
            return Err(read_error(error));
        }
        segments.retain(|info| {
            info.header.kind == LogKind::Forward && info.header.last_commit < commit
        });
        // Where both directories have it, the first one is where the log is.
        segments.sort_by_key(|info| info.id);
        segments.dedup_by_key(|info| info.id);
        let pairs = segments.iter().zip(segments.iter().skip(1)).rev();
        let whole = pairs.take_while(|(earlier, later)| later.follows(earlier));
        let gap = segments.len().saturating_sub(whole.count() + 1);
        segments.drain(..gap);
        Ok(segments)
    }
}

/// Reads the segments up to the commit that is looked for.
fn read(disk: &Disk, segments: &[SegmentInfo], mut remake: Remake) -> Result<Remake, EngineError> {
    let mut decoder = BlockDecoder::new();
    for info in segments {
        let mut reader = SegmentReader::open(disk, &info.path).map_err(read_error)?;
        while !remake.is_complete() {
            let ReadItem::Block(block) = reader.next(None).map_err(read_error)? else {
                break;
            };
            let corrupt = |why| EngineError::Corrupt(format!("block at {}: {why}", block.start));
            for record in decoder.records(&block).map_err(corrupt)? {
                remake.record(&record.map_err(corrupt)?, block.start)?;
            }
            remake.note_last(block.head.last_commit);
        }
    }
    Ok(remake)
}

/// The pages that are looked for, and what was found.
struct Search<'a> {
    lost: &'a Lost<'a>,
    found: Vec<Option<Remade>>,
}

impl<'a> Search<'a> {
    fn new(lost: &'a Lost<'a>) -> Self {
        Self {
            lost,
            found: vec![None; lost.pages.len()],
        }
    }

    fn commit(&self) -> CommitNumber {
        CommitNumber::new(self.lost.commit.get())
    }

    fn database(&self) -> DatabaseId {
        DatabaseId::new(self.lost.database)
    }

    fn open(&self) -> impl Iterator<Item = &LostPage> {
        let pages = self.lost.pages.iter().zip(&self.found);
        pages
            .filter(|(_, found)| found.is_none())
            .map(|(lost, _)| lost)
    }

    fn is_open(&self) -> bool {
        self.found.contains(&None)
    }

    /// No open page can be had.
    fn refuse(&mut self, why: &str) {
        for found in &mut self.found {
            found.get_or_insert_with(|| Remade::No(why.to_owned()));
        }
    }

    fn judge(&mut self, remake: &Remake) {
        if !remake.is_complete() {
            return self.refuse("the log ends before the commit of the data file");
        }
        for (lost, found) in self.lost.pages.iter().zip(&mut self.found) {
            if found.is_none() {
                *found = verdict(lost, remake.page(lost.page));
            }
        }
    }
}

/// `None`: the log has to be read from earlier on.
fn verdict(lost: &LostPage, page: &Page) -> Option<Remade> {
    let (data, is_known) = match page {
        Page::Known(data) => (data, true),
        Page::Doubtful(data) => (data, false),
        Page::Unknown | Page::Absent => return None,
    };
    let made = sum_of(data.as_slice());
    if made == lost.sum {
        return Some(Remade::Page(data.clone(), THE_LOG.into()));
    }
    if !is_known {
        return None;
    }
    if lost.found == Some(made) {
        return Some(Remade::Sum(THE_LOG.into()));
    }
    Some(Remade::No(
        "the log has another page than its checksum, and than the data file has".into(),
    ))
}
