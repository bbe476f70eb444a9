//! Whose dbrepl wait at this root to feed it once it is a slave: without one of them nobody would, after a switchover.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use fwlog::Timestamp;

use crate::environment::state::Environment;

/// A dbrepl that waits asks more often than that.
const ASKS_WITHIN: u64 = 5_000_000;
/// More than that are not remembered.
const MOST: usize = 256;

/// When the dbrepl of an instance was here last, by its name.
#[derive(Debug, Default)]
pub(crate) struct Awaiting(Mutex<BTreeMap<String, Timestamp>>);

impl Awaiting {
    /// The dbrepl of this instance is here now.
    fn note(&self, name: &str, now: Timestamp) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, last| is_near(*last, now));
        if known.len() < MOST {
            known.insert(name.to_owned(), now);
        }
    }

    fn names(&self, now: Timestamp) -> Vec<String> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = known.iter().filter(|(_, last)| is_near(**last, now));
        waits.map(|(name, _)| name.clone()).collect()
    }
}

/// By the clock, which may have been set meanwhile: then they come again soon.
fn is_near(last: Timestamp, now: Timestamp) -> bool {
    last.micros().abs_diff(now.micros()) <= ASKS_WITHIN
}

impl Environment {
    /// A dbrepl has come with the log of this instance, and is to wait until this root is a slave.
    pub(crate) fn is_awaited_by(&self, name: &str) {
        let now = self.core().host().clock.now();
        self.core().awaiting().note(name, now);
    }

    /// The instances whose dbrepl wait here at present.
    pub(crate) fn awaited_by(&self) -> Vec<String> {
        self.core().awaiting().names(self.core().host().clock.now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_come_again_waits_no_more() {
        let awaiting = Awaiting::default();
        let at = |seconds: u64| Timestamp::from_micros(seconds * 1_000_000);
        awaiting.note("south", at(10));
        awaiting.note("west", at(13));
        assert_eq!(awaiting.names(at(14)), ["south", "west"]);
        assert_eq!(awaiting.names(at(16)), ["west"]);
        for number in 0..2 * MOST {
            awaiting.note(&number.to_string(), at(20));
        }
        assert_eq!(awaiting.names(at(20)).len(), MOST);
    }
}
