//! How far a slave is: what was sent, what is on its disk, what its readers see.

use dbproto::managed::{Backlog, Reached};
use dbproto::{Progress, Shipper};
use fwlog::{BlockHead, CommitNumber, Position, Timestamp};

/// Up to where the log was sent.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sent(Option<Reached>);

impl Sent {
    /// Nothing is sent yet to a slave that has this.
    pub(super) fn begin(durable: Option<Progress>) -> Self {
        Self(durable.map(Reached::from))
    }

    /// A piece of whole blocks is sent that ends there, at this time.
    pub(super) fn ship(&mut self, position: Position, time: Timestamp, blocks: &[u8]) {
        let before = self.0.map_or(CommitNumber::ZERO, |sent| sent.commit);
        self.0 = Some(Reached {
            position,
            commit: last_commit(blocks).unwrap_or(before),
            time,
        });
    }

    /// Beside what the slave has said of itself.
    pub(super) fn backlog(self, shipper: &Shipper, up_to_date: bool) -> Backlog {
        let (durable, applied) = match (shipper.status(), shipper.slave()) {
            (Some(status), _) => (Some(status.durable), Some(status.applied)),
            (None, Some(slave)) => (slave.durable, slave.applied),
            (None, None) => (None, None),
        };
        Backlog {
            sent: self.0,
            durable: durable.map(Reached::from),
            applied: applied.map(Reached::from),
            up_to_date,
        }
    }
}

/// The newest commit in these blocks.
fn last_commit(mut blocks: &[u8]) -> Option<CommitNumber> {
    let mut last = None;
    while let Ok(head) = BlockHead::decode(blocks) {
        if head.first_commit <= head.last_commit {
            last = Some(head.last_commit);
        }
        blocks = blocks.get(head.block_size()..)?;
    }
    last
}
