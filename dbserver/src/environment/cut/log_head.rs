//! The piece of the log that belongs to a cut: whole segments from that of the redo point on, the last one up
//! to where the cut is. Byte for byte what the server has, so that whoever begins with it has segments that are
//! equal to its segments.

use std::io;

use disk::Access;
use fwlog::{IoFailure, LogDirectory, LogLocation, LogPoint, ReadError, SegmentId, SegmentInfo};

use crate::environment::log::read_error;
use crate::error::EngineError;

/// Bytes of a segment, from its start on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogPiece {
    /// Which segment it is.
    pub segment: SegmentId,
    /// How many bytes: all of a sealed one, the seal included; of the last one up to a block border.
    pub length: u64,
}

/// See the module's page.
#[derive(Clone, Debug)]
pub struct LogHead {
    pieces: Vec<LogPiece>,
    /// Where segments may be: a slave's may move while the cut is open.
    locations: Vec<LogLocation>,
}

impl LogHead {
    /// No log belongs to the cut: it is a state, and nobody goes on from it.
    pub(super) fn none() -> Self {
        Self {
            pieces: Vec::new(),
            locations: Vec::new(),
        }
    }

    /// The log from the segment of `redo` up to `end`, all of which is on the disk.
    ///
    /// Errors: a segment is not there, cannot be read, or does not go on where the one before it ends.
    pub(super) fn find(
        locations: Vec<LogLocation>,
        redo: LogPoint,
        end: LogPoint,
    ) -> Result<Self, EngineError> {
        let needed = redo.position.segment..=end.position.segment;
        let mut segments: Vec<SegmentInfo> = Vec::new();
        for location in &locations {
            // An empty directory is no error: what is needed and not there is missed below. A file that
            // cannot be read is one: without it the log would seem to begin behind the cut.
            let found = LogDirectory::scan(location).map_err(read_error)?;
            let whole = found.undamaged(|id| needed.contains(&id));
            whole.map_err(read_error)?;
            segments.extend(found.segments().iter().cloned());
        }
        segments.retain(|info| needed.contains(&info.id));
        // Where both directories have it, the first one is where the log is.
        segments.sort_by_key(|info| info.id);
        segments.dedup_by_key(|info| info.id);
        let pieces = follow(&segments, redo, end)?;
        Ok(Self { pieces, locations })
    }

    /// In the order of the log; none where the log begins behind the cut.
    pub fn pieces(&self) -> &[LogPiece] {
        &self.pieces
    }

    /// Bytes in all.
    pub fn bytes(&self) -> u64 {
        self.pieces.iter().map(|piece| piece.length).sum()
    }

    /// The first segment that has to stay.
    pub(super) fn first(&self) -> Option<SegmentId> {
        self.pieces.first().map(|piece| piece.segment)
    }

    /// Reads bytes of a piece from `offset` on; gives how many, 0 behind its end.
    pub fn read(&self, piece: LogPiece, offset: u64, into: &mut [u8]) -> Result<usize, ReadError> {
        let rest = piece.length.saturating_sub(offset);
        let count = usize::try_from(rest).map_or(into.len(), |rest| rest.min(into.len()));
        let into = into.get_mut(..count).unwrap_or_default();
        let mut missing = None;
        for location in &self.locations {
            let path = location.path(piece.segment);
            let read = location.disk.open(&path, Access::Read);
            match read.and_then(|file| file.read_exact_at(offset, into)) {
                Ok(()) => return Ok(count),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    missing.get_or_insert(IoFailure::new("open", &path, &error));
                }
                Err(error) => return Err(IoFailure::new("read", &path, &error).into()),
            }
        }
        missing.map_or(Ok(0), |missing| Err(missing.into()))
    }
}

fn follow(
    segments: &[SegmentInfo],
    redo: LogPoint,
    end: LogPoint,
) -> Result<Vec<LogPiece>, EngineError> {
    let missing = |id: SegmentId| {
        EngineError::state(
            format!(
                "the log of this server does not have what a cut needs: segment {id} is not there, or is another one"
            ),
            "Bring it back to where the segments are, or take the copy from another server.",
        )
    };
    let Some(first) = segments.first() else {
        // Where the data files were complete when the log began, it begins behind them.
        let is_behind = redo.position == end.position;
        return if is_behind {
            Ok(Vec::new())
        } else {
            Err(missing(redo.position.segment))
        };
    };
    let begins = first.id == redo.position.segment || first.header.previous == redo.hash;
    if !begins {
        return Err(missing(redo.position.segment));
    }
    for (earlier, later) in segments.iter().zip(segments.iter().skip(1)) {
        if !later.follows(earlier) {
            return Err(missing(later.id));
        }
    }
    let pieces = segments.iter().map(|info| LogPiece {
        segment: info.id,
        length: if info.id == end.position.segment {
            end.position.offset
        } else {
            info.file_length
        },
    });
    let pieces: Vec<_> = pieces.collect();
    match pieces.last() {
        Some(last) if last.segment == end.position.segment => Ok(pieces),
        _ => Err(missing(end.position.segment)),
    }
}
