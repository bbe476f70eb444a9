//! Segments of a log that are in another directory than its newest one: a slave's forward log can be
//! interrupted, and goes on in another place meanwhile.

use std::io;

use crate::damage::{During, IoFailure, ReadError};
use crate::header::SegmentHeader;
use crate::location::LogLocation;
use crate::position::{LogPoint, SegmentId};
use crate::reader::SegmentReader;
use crate::store::SegmentStore;

/// The segments in the other directory, in order of their numbers. They may be of this history or not: each
/// is proved by its chain hash before it is used.
pub(crate) struct Older<'a> {
    location: &'a LogLocation,
    ids: Vec<SegmentId>,
}

impl<'a> Older<'a> {
    /// Looks which there are, where there is such a directory.
    pub(crate) fn of(store: &'a SegmentStore) -> Result<Option<Self>, IoFailure> {
        let Some(location) = store.elsewhere() else {
            return Ok(None);
        };
        let ids = match location.list() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            listed => listed.during("list", &location.directory)?,
        };
        Ok(Some(Self { location, ids }))
    }

    /// Opens one.
    pub(crate) fn open(&self, id: SegmentId) -> Result<SegmentReader, ReadError> {
        SegmentReader::open(&self.location.disk, &self.location.path(id))
    }

    /// Those that lead to the segment with this header, without a gap: from the one that the point is in, or
    /// the one that follows where the point ends a segment; or from the log's beginning. `None`: they do not
    /// lead there.
    pub(crate) fn leading_to(
        &self,
        header: &SegmentHeader,
        from: Option<LogPoint>,
    ) -> Result<Option<Vec<SegmentId>>, ReadError> {
        let mut found = Vec::new();
        let mut behind = header.clone();
        for id in self.ids.iter().rev().filter(|id| **id < header.id) {
            if from.is_some_and(|from| *id < from.position.segment) {
                break;
            }
            let reader = self.open(*id)?;
            let earlier = reader.header();
            let leads = reader.sealed().is_some_and(|seal| {
                seal.chain == behind.previous
                    && behind.id.may_follow(*id)
                    && earlier.environment == behind.environment
            });
            if !leads {
                continue;
            }
            behind = earlier.clone();
            found.push(*id);
        }
        found.reverse();
        let begins = match from {
            Some(from) => {
                behind.id == from.position.segment
                    || (behind.previous == from.hash && behind.id.may_follow(from.position.segment))
            }
            None => behind.log_bytes == 0,
        };
        Ok((begins && !found.is_empty()).then_some(found))
    }

    /// The one that goes on where `reader` stands, before the segment with number `before`.
    pub(crate) fn following(
        &self,
        reader: &SegmentReader,
        before: SegmentId,
    ) -> Result<Option<SegmentId>, ReadError> {
        let here = reader.header().id;
        for id in self.ids.iter().filter(|id| here < **id && **id < before) {
            if self.open(*id)?.header().previous == reader.point().hash {
                return Ok(Some(*id));
            }
        }
        Ok(None)
    }
}
