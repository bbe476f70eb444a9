//! What recovery cuts off the end of a log, and what it keeps of that.
//!
//! A torn tail was never acknowledged, as a rule: a group is written only after the one before it is on
//! the disk. Where a whole block stands behind the one that can't be read, the first may have been
//! acknowledged: damage of the disk can look so after a power cut, where `fw.position` is old. Nobody can
//! apply what is there, but it is not thrown away.

use std::path::PathBuf;

use crate::block::{BLOCK_HEAD_SIZE, BlockHead};
use crate::damage::{Damage, During, IoFailure};
use crate::layout;
use crate::position::Position;
use crate::reader::SegmentReader;
use crate::store::SegmentStore;

/// A tail that was cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Torn {
    /// Where it began: now the end of the log.
    pub at: Position,
    /// What was wrong with it.
    pub why: Damage,
    /// How long it was, without the unused space behind it.
    pub bytes: u64,
    /// Something in it may have been acknowledged.
    pub may_be_acknowledged: bool,
    /// The file that has it from now on; `None` where it did not have to be kept, or could not.
    pub kept: Option<PathBuf>,
}

impl Torn {
    /// Looks at what is about to be cut off a segment, and keeps a copy where it may matter.
    pub(crate) fn before_cut(
        store: &SegmentStore,
        reader: &SegmentReader,
        why: Damage,
        length: u64,
    ) -> Result<Self, IoFailure> {
        let at = reader.point().position;
        let mut torn = Self {
            at,
            why,
            bytes: 0,
            may_be_acknowledged: false,
            kept: None,
        };
        let path = store.path(at.segment);
        let file = store.open_to_read(at.segment).during("open", &path)?;
        let mut tail = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
        let read = file.read_at(at.offset, &mut tail).during("read", &path)?;
        tail.truncate(read);
        let used = tail.iter().rposition(|byte| *byte != 0);
        torn.bytes = used.map_or(0, |last| last as u64 + 1);
        if torn.why == Damage::NotAcknowledged || !has_block_behind(&tail) {
            return Ok(torn);
        }
        torn.may_be_acknowledged = true;
        tail.truncate(used.map_or(0, |last| last + 1));
        let mut name = path.into_os_string();
        name.push(format!(".cut-{}", at.offset));
        let kept = PathBuf::from(name);
        let disk = &store.location().disk;
        // A start needs no room: where there is none, the server's log has to do.
        if disk.write_atomic(&kept, &tail, store.mode()).is_ok() {
            torn.kept = Some(kept);
        }
        Ok(torn)
    }
}

/// Whether there is a head of a block behind the first byte.
fn has_block_behind(tail: &[u8]) -> bool {
    let mark = layout::block::MARK_BYTES;
    let places = tail.windows(BLOCK_HEAD_SIZE).enumerate().skip(1);
    places
        .filter(|(_, bytes)| bytes.starts_with(&mark))
        .any(|(_, bytes)| BlockHead::decode(bytes).is_ok())
}
