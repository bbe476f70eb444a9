//! The tree of instances, and what was lost in it, as far as one connection tells of it.

use std::sync::Arc;

use dbproto::Message;
use fwlog::Above;

use crate::feed::link::Link;

impl Link {
    /// From now on this instance is below its source, as far as that has told where it is.
    pub(super) fn note_above(&self) {
        let source = self.receiver.source().and_then(|it| it.greeting.as_ref());
        let above = source.map(|source| match &source.above {
            Some(above) => Above::clone(above),
            None => Above::alone(source.speaker.clone()),
        });
        self.slave.is_below(above);
    }

    /// Who is below, where the source wants to know and does not.
    pub fn report_below(&mut self) -> Option<Message> {
        self.begun?;
        self.receiver.source()?.above()?;
        let below = self.slave.core().tree().below();
        let is_told = |told: &Arc<_>| Arc::ptr_eq(told, &below);
        if self.told_below.as_ref().is_some_and(is_told) {
            return None;
        }
        let message = Message::Below(Box::new((*below).clone()));
        self.told_below = Some(below);
        Some(message)
    }

    /// What this instance and those below it have lost, where the source takes that, and was not told.
    pub fn report_lost(&mut self) -> Option<Message> {
        self.begun?;
        let source = self.receiver.source()?.greeting.as_ref()?;
        source.settled.as_ref()?;
        let open = self.slave.core().forks().lost.open();
        let is_told = match &self.told_lost {
            Some(told) => **told == *open,
            // dbrepl has forgotten what it heard on another connection.
            None => open.all().is_empty(),
        };
        if is_told {
            return None;
        }
        let message = Message::Lost((*open).clone());
        self.told_lost = Some(open);
        Some(message)
    }
}
