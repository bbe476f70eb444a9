//! When the oldest commit behind a position was made: how long somebody who is there lags.

use disk::Access;

use crate::block::{BLOCK_HEAD_SIZE, BlockHead};
use crate::damage::{During, ReadError};
use crate::directory::LogDirectory;
use crate::header::HEADER_SIZE;
use crate::position::Position;
use crate::timestamp::Timestamp;

impl LogDirectory {
    /// The time of the first block with a commit between two block borders. `None`: there is none, or the
    /// segment is not here. Only heads are read, and they are not held against the chain.
    pub fn commit_time_behind(
        &self,
        position: Position,
        end: Position,
    ) -> Result<Option<Timestamp>, ReadError> {
        let mut segment = self.get(position.segment);
        let mut offset = position.offset;
        while let Some(info) = segment {
            let file = self
                .disk()
                .open(&info.path, Access::Read)
                .during("open", &info.path)?;
            offset = offset.max(HEADER_SIZE as u64);
            while Position::new(info.id, offset) < end {
                let mut bytes = [0; BLOCK_HEAD_SIZE];
                let read = file
                    .read_at(offset, &mut bytes)
                    .during("read", &info.path)?;
                let Ok(head) = BlockHead::decode(bytes.get(..read).unwrap_or_default()) else {
                    // The seal, or the end of what is written.
                    break;
                };
                if head.first_commit <= head.last_commit {
                    return Ok(Some(head.time));
                }
                offset = offset.saturating_add(head.block_size() as u64);
            }
            segment = self.successor(info.id);
            offset = 0;
        }
        Ok(None)
    }
}
