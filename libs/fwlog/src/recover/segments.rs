//! Which segments recovery reads, one after another.

use std::collections::VecDeque;

use crate::damage::ReadError;
use crate::older::Older;
use crate::position::{LogPoint, SegmentId};
use crate::reader::SegmentReader;
use crate::recover::{RecoverError, Scan};
use crate::store::SegmentStore;

/// The segments from the point to redo from up to the newest one. Those that are not here may be in the
/// directory of older ones.
pub(super) struct Segments<'a> {
    store: &'a SegmentStore,
    here: VecDeque<SegmentId>,
    newest: Option<SegmentId>,
    /// Older ones that come before those here.
    leading: VecDeque<SegmentId>,
    older: Option<Older<'a>>,
}

impl<'a> Segments<'a> {
    /// Finds the first one: the one that the point is in, or, where that one was written to another place,
    /// the one that follows it.
    pub(super) fn find(
        store: &'a SegmentStore,
        all: Vec<SegmentId>,
        from: Option<LogPoint>,
    ) -> Result<Self, RecoverError> {
        let newest = all.last().copied();
        let before = |id: &SegmentId| from.is_some_and(|from| *id < from.position.segment);
        let first = all.partition_point(before);
        let mut segments = Self {
            store,
            here: all.into_iter().skip(first).collect(),
            newest,
            leading: VecDeque::new(),
            older: None,
        };
        segments.look_for_older(from)?;
        Ok(segments)
    }

    /// The newest segment, which is here.
    pub(super) fn newest(&self) -> Option<SegmentId> {
        self.newest
    }

    fn look_for_older(&mut self, from: Option<LogPoint>) -> Result<(), RecoverError> {
        let Some(id) = self.here.front().copied() else {
            return from.map_or(Ok(()), |from| Err(RecoverError::NoStart(from)));
        };
        if let Some(from) = from
            && from.position.segment == id
        {
            return self.pass_over_what_ends_at(from);
        }
        if from.is_none() && self.store.elsewhere().is_none() {
            return Ok(());
        }
        let header = SegmentReader::open_in(self.store, id)?.header().clone();
        let is_first = match from {
            Some(from) => {
                id.may_follow(from.position.segment)
                    && header.previous == from.hash
                    && header.log_bytes >= from.position.offset
            }
            None => header.log_bytes == 0,
        };
        if is_first {
            return Ok(());
        }
        self.older = Older::of(self.store)?;
        let leading = match &self.older {
            Some(older) => older.leading_to(&header, from)?,
            None => None,
        };
        match (leading, from) {
            (Some(leading), _) => self.leading = leading.into(),
            (None, Some(from)) => return Err(RecoverError::NoStart(from)),
            (None, None) => {}
        }
        Ok(())
    }

    /// Where the following segment begins at the point, the first one has nothing to redo. It may not even have
    /// the point: its end was lost, and what it said is in the data files.
    fn pass_over_what_ends_at(&mut self, from: LogPoint) -> Result<(), RecoverError> {
        if let Some(next) = self.here.get(1).copied() {
            let header = SegmentReader::open_in(self.store, next)?.header().clone();
            let begins_there = header.previous == from.hash
                && next.may_follow(from.position.segment)
                && header.log_bytes >= from.position.offset;
            if begins_there {
                self.here.pop_front();
            }
        }
        Ok(())
    }

    /// Opens the one that goes on where `previous` ends, or the first one.
    pub(super) fn open_next(
        &mut self,
        scan: &Scan<'_>,
        previous: Option<&SegmentReader>,
    ) -> Result<Option<SegmentReader>, RecoverError> {
        if let (Some(id), Some(older)) = (self.leading.pop_front(), &self.older) {
            return scan.begin(older.open(id)?, previous).map(Some);
        }
        let Some(id) = self.here.front().copied() else {
            return Ok(None);
        };
        let opened = SegmentReader::open_in(self.store, id)
            .map_err(RecoverError::from)
            .and_then(|reader| scan.begin(reader, previous));
        if opened.is_err()
            && let Some(previous) = previous
            && let Some(older) = self.open_between(previous, id)?
        {
            return scan.begin(older, Some(previous)).map(Some);
        }
        self.here.pop_front();
        opened.map(Some)
    }

    fn open_between(
        &mut self,
        previous: &SegmentReader,
        before: SegmentId,
    ) -> Result<Option<SegmentReader>, RecoverError> {
        if self.older.is_none() {
            self.older = Older::of(self.store)?;
        }
        let Some(older) = &self.older else {
            return Ok(None);
        };
        let found = older.following(previous, before)?;
        let opened: Option<Result<_, ReadError>> = found.map(|id| older.open(id));
        Ok(opened.transpose()?)
    }
}
