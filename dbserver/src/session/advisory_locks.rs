//! The advisory locks of a session: numbers that clients lock by agreement, to the end of the transaction or of the
//! session.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::databases::locks::{Locks, Mode, Owner, RowMode, Thing, Wait};
use crate::error::EngineError;

/// Until when a lock is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// Unlocked as often as locked, or the session's end.
    Unlocked,
    /// The transaction's end.
    TransactionEnd,
}

/// One number that the session has locked. A lock that is exclusive stays so until all of them are given back.
#[derive(Debug)]
struct Held {
    owner: Owner,
    /// How often for the session, shared and exclusive.
    session: [u32; 2],
    /// How often for the transaction.
    transaction: [u32; 2],
}

impl Held {
    fn is_free(&self) -> bool {
        self.session == [0; 2] && self.transaction == [0; 2]
    }
}

/// See the module's page. One thread uses it.
#[derive(Debug)]
pub struct AdvisoryLocks {
    locks: Arc<Locks>,
    pid: i32,
    held: Mutex<HashMap<Thing, Held>>,
    /// There are some that end with the transaction.
    of_transaction: AtomicBool,
}

impl AdvisoryLocks {
    /// Those of a session with this process number.
    pub fn new(locks: &Arc<Locks>, pid: i32) -> Self {
        Self {
            locks: Arc::clone(locks),
            pid,
            held: Mutex::default(),
            of_transaction: AtomicBool::new(false),
        }
    }

    /// Locks a number; `false`: somebody else has it, and there was no `wait`.
    ///
    /// Errors: those of [`Owner::lock`].
    pub fn lock(
        &self,
        thing: Thing,
        shared: bool,
        until: Until,
        wait: Option<Wait<'_>>,
    ) -> Result<bool, EngineError> {
        let mode = Mode::Row(if shared {
            RowMode::Share
        } else {
            RowMode::Update
        });
        let mut all = self.held();
        let held = all.entry(thing).or_insert_with(|| Held {
            owner: self.locks.owner(self.pid),
            session: [0; 2],
            transaction: [0; 2],
        });
        let locked = match (held.owner.try_lock(thing, mode), wait) {
            (Ok(_), _) => Ok(true),
            (Err(_), None) => Ok(false),
            (Err(_), Some(wait)) => held.owner.lock(thing, mode, wait).map(|_| true),
        };
        if matches!(locked, Ok(true)) {
            let counts = match until {
                Until::Unlocked => &mut held.session,
                Until::TransactionEnd => {
                    self.of_transaction.store(true, Ordering::Relaxed);
                    &mut held.transaction
                }
            };
            counts[usize::from(!shared)] += 1;
        } else if held.is_free() {
            all.remove(&thing);
        }
        locked
    }

    /// Gives one of the session's locks back; `false`: it has none such.
    pub fn unlock(&self, thing: Thing, shared: bool) -> bool {
        let mut all = self.held();
        let Some(held) = all.get_mut(&thing) else {
            return false;
        };
        let count = &mut held.session[usize::from(!shared)];
        let Some(less) = count.checked_sub(1) else {
            return false;
        };
        *count = less;
        if held.is_free() {
            all.remove(&thing);
        }
        true
    }

    /// Gives back all of the session's, but not the transaction's.
    pub fn unlock_all(&self) {
        self.held().retain(|_, held| {
            held.session = [0; 2];
            !held.is_free()
        });
    }

    /// The transaction has ended.
    pub fn end_transaction(&self) {
        if self.of_transaction.swap(false, Ordering::Relaxed) {
            self.held().retain(|_, held| {
                held.transaction = [0; 2];
                !held.is_free()
            });
        }
    }

    fn held(&self) -> MutexGuard<'_, HashMap<Thing, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sessions() -> (AdvisoryLocks, AdvisoryLocks) {
        let locks = Arc::new(Locks::default());
        (AdvisoryLocks::new(&locks, 1), AdvisoryLocks::new(&locks, 2))
    }

    fn tries(session: &AdvisoryLocks, key: i64, shared: bool, until: Until) -> bool {
        session
            .lock(Thing::advisory(0, key), shared, until, None)
            .unwrap()
    }

    #[test]
    fn a_number_is_free_when_it_was_unlocked_as_often_as_locked() {
        let (one, two) = sessions();
        let thing = Thing::advisory(0, 7);
        assert!(tries(&one, 7, false, Until::Unlocked));
        assert!(tries(&one, 7, false, Until::Unlocked));
        assert!(one.unlock(thing, false));
        assert!(!tries(&two, 7, true, Until::Unlocked));
        assert!(one.unlock(thing, false));
        assert!(!one.unlock(thing, false));
        assert!(tries(&two, 7, true, Until::Unlocked));
        assert!(tries(&one, 7, true, Until::Unlocked));
    }

    #[test]
    fn a_lock_of_the_transaction_ends_with_it_and_can_not_be_unlocked() {
        let (one, two) = sessions();
        assert!(tries(&one, 7, false, Until::TransactionEnd));
        assert!(!one.unlock(Thing::advisory(0, 7), false));
        one.unlock_all();
        assert!(!tries(&two, 7, false, Until::Unlocked));
        one.end_transaction();
        assert!(tries(&two, 7, false, Until::Unlocked));
        drop(two);
        assert!(tries(&one, 7, false, Until::Unlocked));
    }

    #[test]
    fn one_number_and_a_pair_of_numbers_are_two_things() {
        let (one, two) = sessions();
        assert!(tries(&one, 7, false, Until::Unlocked));
        let pair = Thing::advisory(1, 7);
        assert!(two.lock(pair, false, Until::Unlocked, None).unwrap());
    }
}
