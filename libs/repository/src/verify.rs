//! Looking at every byte of an archive, for `dbctl archive verify`.

use fwlog::{HistoryLine, LogPoint, Position, SegmentId, Sequence};

use crate::catalog::{Catalog, HistoryObjects};
use crate::error::ArchiveError;
use crate::generation::ArchivedGeneration;
use crate::name::{HistoryId, LogObject};
use crate::part::{Border, Part};
use crate::repository::{ArchiveEnd, LogArchive};
use crate::store::StoreError;

/// Something that is wrong with an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The object.
    pub object: String,
    /// What is wrong with it.
    pub what: String,
}

/// What was seen of one history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryReport {
    /// Which one.
    pub history: HistoryId,
    /// Where it begins in the archive.
    pub begins: Option<Border>,
    /// Where it ends.
    pub end: Option<ArchiveEnd>,
    /// Good parts.
    pub parts: u64,
    /// Bytes of log in them.
    pub bytes: u64,
}

/// What was seen of an archive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// Each history.
    pub histories: Vec<HistoryReport>,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

impl VerifyReport {
    #[expect(clippy::needless_pass_by_value, reason = "it becomes text here")]
    fn find(&mut self, object: impl ToString, what: impl ToString) {
        self.findings.push(Finding {
            object: object.to_string(),
            what: what.to_string(),
        });
    }

    /// `Ok(None)`: the object is not as it should be, which is noted.
    fn note<T>(
        &mut self,
        object: impl ToString,
        read: Result<T, ArchiveError>,
    ) -> Result<Option<T>, ArchiveError> {
        match read {
            Ok(good) => Ok(Some(good)),
            Err(ArchiveError::Store(error @ StoreError::Failed { .. })) => Err(error.into()),
            Err(ArchiveError::Store(StoreError::Missing { .. })) => {
                self.find(object, MISSING);
                Ok(None)
            }
            Err(ArchiveError::Damaged { name, why }) => {
                self.find(name, format!("damaged: {why}"));
                Ok(None)
            }
            Err(other) => {
                self.find(object, other);
                Ok(None)
            }
        }
    }
}

const MISSING: &str = "missing";

/// Reads all objects of the log of an environment: every byte, every chain hash, and whether anything is missing.
/// `progress` is told after each part how many bytes there are in all, and have been read.
pub fn verify(
    archive: &LogArchive,
    catalog: &Catalog,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<VerifyReport, ArchiveError> {
    let mut report = VerifyReport::default();
    for name in &catalog.unknown {
        report.find(name, "not an object that this version reads");
    }
    let all: u64 = catalog.histories.values().map(HistoryObjects::bytes).sum();
    let mut done = 0;
    for (history, objects) in &catalog.histories {
        let mut one = History {
            archive,
            catalog,
            objects,
            id: *history,
        };
        one.look(&mut report, &mut |bytes| {
            done += bytes;
            progress(all, done);
        })?;
    }
    Ok(report)
}

struct History<'a> {
    archive: &'a LogArchive,
    catalog: &'a Catalog,
    objects: &'a HistoryObjects,
    id: HistoryId,
}

impl History<'_> {
    fn look(
        &mut self,
        report: &mut VerifyReport,
        read: &mut dyn FnMut(u64),
    ) -> Result<(), ArchiveError> {
        let generation = self.archive.name(self.id, LogObject::Generation);
        let generation = report.note(generation, self.archive.generation(self.id))?;
        self.look_at_relatives(report, generation.as_ref())?;
        let seen = self.look_at_parts(report, generation.as_ref(), read)?;
        self.look_at_heartbeat(report, &seen)?;
        report.histories.push(seen);
        Ok(())
    }

    /// The histories that go on from this one, and the one that it goes on from.
    fn look_at_relatives(
        &self,
        report: &mut VerifyReport,
        generation: Option<&ArchivedGeneration>,
    ) -> Result<(), ArchiveError> {
        for child in &self.objects.children {
            let name = self.archive.name(self.id, LogObject::Child(*child));
            report.note(name, self.archive.child(self.id, *child))?;
            if !self.catalog.histories.contains_key(child) {
                let name = self.archive.name(*child, LogObject::Generation);
                report.find(name, MISSING);
            }
        }
        let Some(line) = generation.map(|it| &it.line) else {
            return Ok(());
        };
        let Some(parent) = self.parent(report, line)? else {
            return Ok(());
        };
        let objects = self.catalog.histories.get(&parent);
        if objects.is_some_and(|it| !it.children.contains(&self.id)) {
            let name = self.archive.name(parent, LogObject::Child(self.id));
            report.find(name, MISSING);
        }
        Ok(())
    }

    /// The history that has the point where this generation goes on; none where the archive begins later.
    fn parent(
        &self,
        report: &mut VerifyReport,
        line: &HistoryLine,
    ) -> Result<Option<HistoryId>, ArchiveError> {
        if line.parent == LogPoint::ORIGIN {
            return Ok(None);
        }
        let known = self.catalog.parent_of(self.id);
        let before = self.catalog.histories.iter();
        for (history, objects) in before.filter(|(it, _)| it.generation == line.parent_generation())
        {
            let name = self.archive.name(*history, LogObject::Generation);
            let found = self.archive.find(*history, objects, line.parent);
            // What is wrong with a part is found where that is read.
            let found = match found {
                Err(ArchiveError::Store(error @ StoreError::Failed { .. })) => {
                    return Err(error.into());
                }
                Err(_) => None,
                Ok(found) => found,
            };
            if found.is_some() {
                return Ok(Some(*history));
            }
            if known == Some(*history) {
                let what = format!(
                    "its archive has not the point where {} goes on, {}",
                    self.id, line.parent.position
                );
                report.find(name, what);
            }
        }
        Ok(None)
    }

    fn look_at_parts(
        &self,
        report: &mut VerifyReport,
        generation: Option<&ArchivedGeneration>,
        read: &mut dyn FnMut(u64),
    ) -> Result<HistoryReport, ArchiveError> {
        let mut seen = HistoryReport {
            history: self.id,
            begins: None,
            end: None,
            parts: 0,
            bytes: 0,
        };
        // Where the next part has to begin, and what it goes on from, where that is known.
        let mut expected = generation.map(|it| it.begins);
        for at in self.objects.places(self.id.generation) {
            self.look_for_gap(report, expected, at, seen.end);
            let name = self
                .archive
                .name(self.id, LogObject::Part(at.segment.sequence, at.offset));
            let length = (self.objects.parts.get(&at.segment.sequence))
                .and_then(|parts| parts.get(&at.offset));
            read(length.copied().unwrap_or_default());
            let Some(part) = report.note(name, self.archive.part(self.id, at))? else {
                (expected, seen.end) = (None, None);
                continue;
            };
            if let Some(end) = seen.end.filter(|_| expected == Some(at))
                && !goes_on(end.border, &part)
            {
                report.find(name, "it does not go on from what is before it");
            }
            self.look_at_record(report, name, &part, generation);
            seen.parts += 1;
            seen.bytes += part.payload.len() as u64;
            seen.begins = seen.begins.or(Some(part.head.from));
            let end = ArchiveEnd {
                border: part.head.to,
                sealed: part.head.sealed,
            };
            seen.end = Some(end);
            expected = Some(next_place(end));
        }
        Ok(seen)
    }

    /// Names what is missing before the part at a place.
    fn look_for_gap(
        &self,
        report: &mut VerifyReport,
        expected: Option<Position>,
        at: Position,
        end: Option<ArchiveEnd>,
    ) {
        let Some(expected) = expected.filter(|expected| *expected != at) else {
            return;
        };
        if at < expected {
            let name = LogObject::Part(at.segment.sequence, at.offset);
            let name = self.archive.name(self.id, name);
            report.find(
                name,
                format!("it overlaps what is archived up to {expected}"),
            );
            return;
        }
        let name = LogObject::Part(expected.segment.sequence, expected.offset);
        let name = self.archive.name(self.id, name);
        let after = end.map_or(String::new(), |end| {
            format!(", after commit {} ({})", end.border.commit, end.border.time)
        });
        report.find(
            name,
            format!("{MISSING}: the log from {expected} to {at}{after}"),
        );
    }

    /// The first block of a generation says which one it is.
    fn look_at_record(
        &self,
        report: &mut VerifyReport,
        name: crate::name::ObjectName,
        part: &Part,
        generation: Option<&ArchivedGeneration>,
    ) {
        match ArchivedGeneration::record_in(part) {
            Err(why) => report.find(name, why),
            Ok(None) => {}
            Ok(Some(line)) => {
                let fits = self.id == HistoryId::new(line.number, line.id)
                    && generation.is_none_or(|known| known.line == line);
                if !fits {
                    let what = format!("it begins another generation than {}", self.id);
                    report.find(name, what);
                }
            }
        }
    }

    /// All that was archived at its time is there.
    fn look_at_heartbeat(
        &self,
        report: &mut VerifyReport,
        seen: &HistoryReport,
    ) -> Result<(), ArchiveError> {
        let name = self.archive.name(self.id, LogObject::Heartbeat);
        let heartbeat = report.note(name, self.archive.heartbeat(self.id))?;
        let (Some(heartbeat), false) = (heartbeat, self.is_damaged(report)) else {
            return Ok(());
        };
        let promised = (heartbeat.end.point.position, heartbeat.sealed);
        // What it promises before the first part is stored is nothing.
        let Some(end) = seen.end else {
            let begins = self.archive.generation(self.id)?.begins;
            if promised.0 > begins {
                self.find_lost(report, begins, heartbeat.end);
            }
            return Ok(());
        };
        let has = (end.border.point.position, end.sealed);
        if promised > has {
            self.find_lost(report, next_place(end), heartbeat.end);
            return Ok(());
        }
        let point = heartbeat.end.point;
        let is_first = seen.begins.is_some_and(|first| first.point == point);
        if !is_first && self.archive.find(self.id, self.objects, point)?.is_none() {
            report.find(name, "what it says is not what is archived there");
        }
        Ok(())
    }

    fn is_damaged(&self, report: &VerifyReport) -> bool {
        let prefix = self.archive.name(self.id, LogObject::Generation);
        let prefix = prefix.to_string();
        let prefix = prefix.trim_end_matches("generation");
        report
            .findings
            .iter()
            .any(|it| it.object.starts_with(prefix))
    }

    fn find_lost(&self, report: &mut VerifyReport, from: Position, to: Border) {
        let name = LogObject::Part(from.segment.sequence, from.offset);
        let name = self.archive.name(self.id, name);
        report.find(
            name,
            format!(
                "{MISSING}: the log from {from} to {} (commit {}, {}), which was archived",
                to.point.position, to.commit, to.time
            ),
        );
    }
}

/// Where the next part begins.
fn next_place(end: ArchiveEnd) -> Position {
    let at = end.border.point.position;
    if !end.sealed {
        return at;
    }
    let next = SegmentId {
        generation: at.segment.generation,
        sequence: Sequence::new(at.segment.sequence.get().saturating_add(1)),
    };
    Position::new(next, 0)
}

fn goes_on(end: Border, part: &Part) -> bool {
    let from = part.head.from;
    from.point.hash == end.point.hash && from.commit == end.commit
}
