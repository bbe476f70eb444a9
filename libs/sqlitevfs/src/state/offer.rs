//! What a private transaction would commit: looked at, then published or withdrawn.

use super::{FileState, Level, WriteMode};
use crate::rebase::Offer;

impl FileState {
    /// The committed pages, on the snapshot that they were made on; they stay. `None` when nothing changed, or when
    /// the snapshot is void.
    pub(crate) fn offer(&self) -> Option<Offer> {
        assert!(
            self.mode == WriteMode::Offer && !self.taken,
            "only a transaction that was to be looked at is offered"
        );
        let base = self.snapshot.as_ref()?;
        if self.committed.is_empty() || self.epoch.is_some_and(|epoch| epoch != self.store.epoch())
        {
            return None;
        }
        Some(Offer {
            set: self.write_set(base),
            base: base.clone(),
        })
    }

    /// What was offered is published: SQLite goes on from its commit. It has cached pages as it made them; where others
    /// have changed them too, the change counter of what it reads next is another.
    pub(crate) fn settle(&mut self) {
        assert!(
            self.mode == WriteMode::Offer && self.level == Level::None,
            "no statement is open when an offer is settled"
        );
        self.committed.clear();
        self.snapshot = None;
    }

    /// What was offered is not committed.
    pub(crate) fn withdraw(&mut self) {
        self.settle();
        self.outdated = true;
    }
}
