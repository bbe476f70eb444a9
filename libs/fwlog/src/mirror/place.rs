//! A mirror goes on in another directory: its newest segment is copied there, or the next one begins there.

use std::sync::Arc;

use crate::damage::{During, IoFailure};
use crate::durable_end::Durable;
use crate::header::SegmentHeader;
use crate::mirror::{Mirror, MirrorError};
use crate::seal::SEAL_SIZE;
use crate::store::SegmentStore;
use crate::tail::Tail;

/// The newest segment of a mirror, durable in another directory too.
pub struct MirrorCopy {
    store: Arc<SegmentStore>,
    tail: Option<Tail>,
}

impl Mirror {
    /// Copies the newest segment to another directory. The mirror goes on where it is, until
    /// [`Mirror::go_on_in`]; a failure changes nothing of it.
    ///
    /// All that was written must be durable.
    pub fn copy_newest(&self, store: Arc<SegmentStore>) -> Result<MirrorCopy, MirrorError> {
        self.check_failure()?;
        assert_eq!(
            self.received(),
            self.durable,
            "what is copied is durable (invariant 1)"
        );
        let tail = match &self.tail {
            Some(tail) => Some(self.copy_tail(tail, &store)?),
            None => None,
        };
        if let Some(durable) = self.durable {
            let content = self.durable_end(durable).encode();
            let written = store.write_position(&content);
            written.during("write", &store.position_path())?;
        }
        Ok(MirrorCopy { store, tail })
    }

    fn copy_tail(&self, tail: &Tail, store: &SegmentStore) -> Result<Tail, IoFailure> {
        let (header, end, sealed) = (tail.header().clone(), tail.end(), tail.is_sealed());
        let (id, path) = (header.id, self.store.path(header.id));
        let seal = if sealed { SEAL_SIZE as u64 } else { 0 };
        let length = end.point.position.offset + seal;
        let file = self.store.open_to_read(id).during("open", &path)?;
        let copied = store.create_copy(id, file.as_ref(), length);
        copied.during("copy the segment to", &store.path(id))?;
        Tail::resume(store, header, end, sealed, self.preallocate)
    }

    /// Goes on in the directory of the copy, which has all that this mirror has.
    pub fn go_on_in(&mut self, copy: MirrorCopy) {
        let end = copy.tail.as_ref().map(Tail::durable);
        assert_eq!(end, self.durable, "a copy is whole (invariant 5)");
        self.store = copy.store;
        self.tail = copy.tail;
    }

    /// Begins the segment with this header in another directory; durable on return. An open segment before
    /// it is sealed where it is. What an attempt before this one has left of the new segment is made anew.
    pub fn segment_in(
        &mut self,
        store: Arc<SegmentStore>,
        header: &[u8],
    ) -> Result<Durable, MirrorError> {
        self.check_failure()?;
        let new = self.check_header(header)?;
        self.keep(|mirror| {
            mirror.seal_open()?;
            if mirror.tail.is_some() {
                mirror.publish_all()?;
            }
            remove_left(&store, &new)?;
            mirror.store = store;
            mirror.create(new)
        })
    }
}

/// Only what begins as the segment that is to be made is that segment: another file is in the way.
fn remove_left(store: &SegmentStore, header: &SegmentHeader) -> Result<(), IoFailure> {
    let path = store.path(header.id);
    let segments = store.list().during("list the directory of", &path)?;
    if !segments.contains(&header.id) {
        return Ok(());
    }
    let expected = header.encode();
    let mut found = vec![0; expected.len()];
    let file = store.open_to_read(header.id).during("open", &path)?;
    let read = file.read_at(0, &mut found).during("read", &path)?;
    if found.get(..read) == Some(&expected[..]) {
        store.remove(header.id).during("remove", &path)?;
    }
    Ok(())
}
