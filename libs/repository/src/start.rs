//! Where the archive of a log goes on: nothing is remembered but what is in the archive.

use fwlog::{DurableEnd, HistoryLine, LogDirectory, LogLocation, LogPoint, Position, SegmentId};

use crate::archiver::ArchiverError;
use crate::assembly::Diverged;
use crate::catalog::{Catalog, HistoryObjects};
use crate::name::HistoryId;
use crate::part::Border;
use crate::part_head::PartHead;
use crate::repository::LogArchive;

/// Where an archiver begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// The history that it goes on with; `None`: it begins one.
    pub history: Option<HistoryId>,
    /// The point of the log from which on it reads.
    pub border: Border,
    /// Whether the archive has the segment's seal there.
    pub sealed: bool,
    /// The part that has this point in its middle, where another archiver is ahead of this log.
    pub within: Option<PartHead>,
}

/// Finds the place in the log where its archive goes on. `branch`: the generations of the log, the oldest first.
pub fn find_start(
    archive: &LogArchive,
    catalog: &Catalog,
    location: &LogLocation,
    end: &DurableEnd,
    branch: &[HistoryLine],
) -> Result<Start, ArchiverError> {
    let mut next: Option<&HistoryLine> = None;
    for line in branch.iter().rev() {
        let history = HistoryId::new(line.number, line.id);
        let objects = catalog.histories.get(&history);
        if let Some(objects) = objects.filter(|it| it.part_count() > 0) {
            let known = archive.generation(history)?.line;
            if known.id != line.id {
                return Err(ArchiverError::OtherGeneration(history));
            }
            let place = Place {
                archive,
                history,
                objects,
            };
            return place.start(next, end);
        }
        next = Some(line);
    }
    first(location)
}

/// The archive has nothing of this log: it begins where the log does.
fn first(location: &LogLocation) -> Result<Start, ArchiverError> {
    let directory = LogDirectory::scan(location)?;
    let first = directory.segments().first().ok_or(ArchiverError::NoLog)?;
    let border = Border {
        point: first.header.before(),
        commit: first.header.last_commit,
        time: first.header.created,
    };
    Ok(Start {
        history: None,
        border,
        sealed: false,
        within: None,
    })
}

/// The newest generation of the log that is in the archive.
struct Place<'a> {
    archive: &'a LogArchive,
    history: HistoryId,
    objects: &'a HistoryObjects,
}

impl Place<'_> {
    /// `next`: the generation of the log that goes on from this one, which is not in the archive.
    fn start(&self, next: Option<&HistoryLine>, log: &DurableEnd) -> Result<Start, ArchiverError> {
        let Some(last) = self.objects.last_part(self.history.generation) else {
            return Err(ArchiverError::NoLog);
        };
        let head = self.archive.head(self.history, last)?;
        let end = head.to.point;
        if let Some(next) = next.filter(|next| next.parent.position <= end.position) {
            let parent = self.need(next.parent, end)?;
            let first = SegmentId::new(next.number.get(), 1);
            let point = LogPoint::new(Position::new(first, 0), parent.point.hash);
            return Ok(Start {
                history: None,
                border: Border { point, ..parent },
                sealed: false,
                within: None,
            });
        }
        let durable = log.durable.point;
        if end.position <= durable.position {
            return Ok(Start {
                history: Some(self.history),
                border: head.to,
                sealed: head.sealed,
                within: None,
            });
        }
        let border = self.need(durable, end)?;
        let at = self.objects.part_around(durable.position).unwrap_or(last);
        let around = self.archive.head(self.history, at)?;
        let is_end = around.to == border;
        Ok(Start {
            history: Some(self.history),
            border,
            sealed: is_end && around.sealed,
            within: (!is_end).then_some(around),
        })
    }

    /// The point of the log must be in the archive, which goes further.
    fn need(&self, point: LogPoint, end: LogPoint) -> Result<Border, ArchiverError> {
        let found = self.archive.find(self.history, self.objects, point)?;
        found.ok_or(ArchiverError::Diverged(Diverged::NotThere {
            ours: point,
            theirs: end.position,
        }))
    }
}
