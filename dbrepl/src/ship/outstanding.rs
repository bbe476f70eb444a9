//! Commits that are on their way: how old the oldest is.

use std::collections::VecDeque;

use fwlog::{BlockHead, Position, Timestamp};

/// The pieces of log that were shipped and that the slave has not applied.
#[derive(Debug, Default)]
pub(super) struct Outstanding(VecDeque<(Position, Timestamp)>);

impl Outstanding {
    /// A piece of whole blocks is shipped that ends there.
    pub(super) fn ship(&mut self, end: Position, blocks: &[u8]) {
        if let Some(time) = first_commit(blocks) {
            self.0.push_back((end, time));
        }
    }

    /// The slave has applied all up to there.
    pub(super) fn applied(&mut self, to: Position) {
        while self.0.front().is_some_and(|(end, _)| *end <= to) {
            self.0.pop_front();
        }
    }

    /// Time of the oldest commit on its way.
    pub(super) fn oldest(&self) -> Option<Timestamp> {
        self.0.front().map(|(_, time)| *time)
    }
}

/// The time of the first block that has a commit.
fn first_commit(mut blocks: &[u8]) -> Option<Timestamp> {
    loop {
        let head = BlockHead::decode(blocks).ok()?;
        if head.first_commit <= head.last_commit {
            return Some(head.time);
        }
        blocks = blocks.get(head.block_size()..)?;
    }
}
