//! One line of histories in an archive, from its beginning to the newest one: what a log consists of.

use std::collections::BTreeMap;

use fwlog::{CommitNumber, LogPoint, Position, Seal, SegmentHeader, SegmentId};

use crate::catalog::Catalog;
use crate::error::ArchiveError;
use crate::name::{HistoryId, LogObject};
use crate::repository::LogArchive;

/// A segment of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineSegment {
    /// Its number.
    pub id: SegmentId,
    /// The history that it is of.
    pub history: HistoryId,
    /// Offsets and bytes of its parts.
    parts: BTreeMap<u64, u64>,
    /// Where the next generation goes on, where that is before its end in the archive.
    left_at: Option<LogPoint>,
    /// The point that its generation goes on from, where it is the first one of that.
    pub(crate) parent: Option<LogPoint>,
}

/// The segments of a line, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// All of them that are in the archive.
    pub segments: Vec<LineSegment>,
}

impl Line {
    /// The line that ends with this history.
    pub fn to(
        archive: &LogArchive,
        catalog: &Catalog,
        newest: HistoryId,
    ) -> Result<Self, ArchiveError> {
        let mut segments = Vec::new();
        let (mut at, mut left_at) = (Some(newest), None);
        while let Some(history) = at {
            let objects = catalog.histories.get(&history).ok_or_else(|| {
                ArchiveError::NotThere(format!("there is no history {history} in the archive"))
            })?;
            let own = objects.parts.iter().rev().map(|(sequence, parts)| {
                let id = SegmentId {
                    generation: history.generation,
                    sequence: *sequence,
                };
                (id, parts)
            });
            // A generation that begins where a segment begins has nothing of that.
            let is_within = |id: SegmentId| {
                left_at.is_none_or(|left: LogPoint| Position::new(id, 0) < left.position)
            };
            for (id, parts) in own.filter(|(id, _)| is_within(*id)) {
                segments.push(LineSegment {
                    id,
                    history,
                    parts: parts.clone(),
                    left_at: left_at.filter(|left| left.position.segment == id),
                    parent: None,
                });
            }
            at = catalog
                .parent_of(history)
                .filter(|parent| *parent < history);
            if at.is_some() {
                left_at = Some(archive.generation(history)?.line.parent);
                if let Some(first) = segments.last_mut() {
                    let first: &mut LineSegment = first;
                    first.parent = left_at;
                }
            }
        }
        segments.reverse();
        Ok(Self { segments })
    }
}

/// How a point of a log lies to a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    /// The line has it, with the same chain hash.
    Has,
    /// The line has not come as far.
    Ahead,
    /// The line passes it by: it begins later, has a gap there, or is of another history.
    Not,
}

impl Line {
    /// How a point lies to it.
    pub fn join(
        &self,
        archive: &LogArchive,
        catalog: &Catalog,
        point: LogPoint,
    ) -> Result<Join, ArchiveError> {
        let at = point.position;
        let Some(last) = self.segments.last() else {
            return Ok(Join::Ahead);
        };
        let Some(segment) = self.segments.iter().find(|it| it.id == at.segment) else {
            let is_next = last.id < at.segment && at.segment.generation == last.id.generation;
            return Ok(if is_next { Join::Ahead } else { Join::Not });
        };
        if segment.left_at.is_some_and(|left| left.position < at) {
            return Ok(Join::Not);
        }
        let around = segment.parts.range(..at.offset.max(1)).next_back();
        let Some((part, _)) = around else {
            return Ok(Join::Not);
        };
        let head = archive.head(segment.history, Position::new(segment.id, *part))?;
        if head.to.point.position < at {
            let is_end = segment.id == last.id
                && segment.parts.last_key_value().map(|(at, _)| at) == Some(part);
            return Ok(if is_end { Join::Ahead } else { Join::Not });
        }
        let objects = catalog.histories.get(&segment.history);
        let found = match objects {
            Some(objects) => archive.find(segment.history, objects, point)?,
            None => None,
        };
        Ok(found.map_or(Join::Not, |_| Join::Has))
    }
}

impl LineSegment {
    /// The places where its parts begin.
    pub(crate) fn places(&self) -> impl Iterator<Item = Position> {
        self.parts.keys().map(|at| Position::new(self.id, *at))
    }

    /// Gives the bytes of the segment, piece by piece, each proved. `true`: with its seal, it is whole.
    pub fn read<E: From<ArchiveError>>(
        &self,
        archive: &LogArchive,
        give: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<bool, E> {
        self.read_from(archive, 0, give)
    }

    /// The same from this offset on, which is a border of it. Whether that border is the one that is meant, what follows tells.
    pub fn read_from<E: From<ArchiveError>>(
        &self,
        archive: &LogArchive,
        from: u64,
        mut give: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<bool, E> {
        let first = self.parts.range(..=from).next_back();
        let first = first.map_or(from, |(at, _)| *at);
        let mut end: Option<(LogPoint, bool)> = None;
        let mut header: Option<SegmentHeader> = None;
        for at in self.parts.range(first..).map(|(at, _)| at) {
            let at = Position::new(self.id, *at);
            let expected = end.map_or(Position::new(self.id, from), |(end, _)| end.position);
            let is_sealed = end.is_some_and(|(_, sealed)| sealed);
            let follows = at == expected || (end.is_none() && at < expected);
            if !follows || is_sealed {
                return Err(self.missing(archive, expected).into());
            }
            let part = archive.part(self.history, at)?;
            if end.is_some_and(|(end, _)| end.hash != part.head.from.point.hash) {
                let name = archive.name(self.history, LogObject::Part(self.id.sequence, at.offset));
                let why = "it does not go on from the part before it";
                return Err(ArchiveError::damaged(name, why).into());
            }
            if part.head.to.point.position < expected {
                return Err(self.missing(archive, part.head.to.point.position).into());
            }
            let skipped = expected.offset - at.offset;
            let skipped = usize::try_from(skipped).unwrap_or(usize::MAX);
            header = header.or_else(|| part.header());
            if let Some(left) = self.left_at
                && left.position <= part.head.to.point.position
            {
                let first_commit = match &header {
                    Some(header) => header.last_commit,
                    None => self.last_commit_before(archive)?,
                };
                return self.read_to(left, (&part, skipped), first_commit, give);
            }
            give(part.payload.get(skipped..).unwrap_or_default())?;
            end = Some((part.head.to.point, part.head.sealed));
        }
        match end {
            None => Err(self.missing(archive, Position::new(self.id, from)).into()),
            Some((end, _)) if self.left_at.is_some() => {
                Err(self.missing(archive, end.position).into())
            }
            Some((_, sealed)) => Ok(sealed),
        }
    }

    /// The newest commit before the segment, as its first part says.
    fn last_commit_before(&self, archive: &LogArchive) -> Result<CommitNumber, ArchiveError> {
        let head = archive.head(self.history, Position::new(self.id, 0))?;
        Ok(head.from.commit)
    }

    /// The last piece of a segment that another generation goes on from: its seal follows from what stands before.
    fn read_to<E: From<ArchiveError>>(
        &self,
        left: LogPoint,
        (part, skipped): (&crate::part::Part, usize),
        before: CommitNumber,
        mut give: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<bool, E> {
        let border = part.border_at(left.position);
        let border = border.filter(|border| border.point == left).ok_or_else(|| {
            ArchiveError::NotThere(format!(
                "segment {} of history {} has not the point where the next generation goes on, {}",
                self.id, self.history, left.position
            ))
        })?;
        let length = left.position.offset - part.head.from.point.position.offset;
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        give(part.payload.get(skipped..length).unwrap_or_default())?;
        let seal = Seal {
            length: left.position.offset,
            first_commit: before.next(),
            last_commit: border.commit,
            chain: left.hash,
        };
        give(&seal.encode())?;
        Ok(true)
    }

    fn missing(&self, archive: &LogArchive, at: Position) -> ArchiveError {
        let name = archive.name(self.history, LogObject::Part(self.id.sequence, at.offset));
        ArchiveError::NotThere(format!(
            "the archive has not what is at {at}: {name} is missing"
        ))
    }
}
