//! A source whose log has left the own one, or below which this server has no place.

use dbproto::{Refuse, Standing};

use crate::environment::fence::OtherLog;
use crate::feed::link::Link;
use crate::feed::{former_root, root};

impl Link {
    /// A source asks for hashes where the two logs differ. What this server has written as the root is worth more words.
    pub(super) fn refuse_left_behind(&self) -> Result<(), Refuse> {
        match (self.receiver.source(), self.environment.fence()) {
            (Some(source), Some(fence)) if fence.tail.is_lost() => {
                root::refuse_left_behind(&self.environment, source, &fence)
            }
            _ => Ok(()),
        }
    }

    /// With `Rejoin = auto` a slave that is ahead goes back, before the next one that feeds it is let in.
    pub(super) fn goes_back(&self) -> Result<(), Refuse> {
        let Some(other) = self.receiver.source().and_then(OtherLog::of) else {
            return Ok(());
        };
        if !self.environment.goes_back_for(&other) {
            return Ok(());
        }
        self.slave.core().forks().parted.note(Some(other));
        Err(root::goes_back(&self.environment.config().server.instance))
    }

    /// The source does not go on. Where its log has left the own one, a copy that comes next discards what only this server
    /// has: then it is known where they part.
    pub(super) fn note_parted(&self, standing: Standing) {
        if standing == Standing::Diverged {
            let other = self.receiver.source().and_then(OtherLog::of);
            self.slave.core().forks().parted.note(other);
        }
    }

    /// A former root that has something unsettled follows the root itself.
    pub(super) fn refuse_former_root(&mut self) -> Result<(), Refuse> {
        let Some(source) = self.receiver.source() else {
            return Ok(());
        };
        let Err(refuse) = former_root::refuse(self.slave.core(), source) else {
            return Ok(());
        };
        // The logs have not left one another: it has no place there.
        self.ends(Standing::Refused, refuse.in_full());
        Err(refuse)
    }
}
