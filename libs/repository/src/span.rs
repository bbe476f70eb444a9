//! From where to where a line goes, and whether anything is missing between, by the heads of its parts.

use fwlog::Position;

use crate::error::ArchiveError;
use crate::line::Line;
use crate::part::Border;
use crate::repository::{ArchiveEnd, LogArchive};

/// What a line has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Where it begins.
    pub from: Border,
    /// Where it ends.
    pub to: ArchiveEnd,
    /// What is missing between: from where to where.
    pub gaps: Vec<(Position, Position)>,
}

impl Span {
    /// Of a line; `None`: it has no part. Reads the head of each part, and no more.
    pub fn of(archive: &LogArchive, line: &Line) -> Result<Option<Self>, ArchiveError> {
        let mut span: Option<Self> = None;
        for segment in &line.segments {
            for at in segment.places() {
                let head = archive.head(segment.history, at)?;
                let to = ArchiveEnd {
                    border: head.to,
                    sealed: head.sealed,
                };
                let Some(span) = &mut span else {
                    span = Some(Self {
                        from: head.from,
                        to,
                        gaps: Vec::new(),
                    });
                    continue;
                };
                let before = span.to.border.point;
                // The generation before may go further than where this one goes on.
                let goes_on = match segment.parent.filter(|_| at.offset == 0) {
                    Some(parent) => parent.position <= before.position,
                    None => head.from.point.hash == before.hash,
                };
                if !goes_on {
                    span.gaps.push((before.position, at));
                }
                span.to = to;
            }
        }
        Ok(span)
    }
}
