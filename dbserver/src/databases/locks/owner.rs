//! A transaction as the locks know it.

use std::sync::Arc;
use std::thread;
use std::time::Instant;

use pagestore::CommitNumber;

use crate::databases::locks::state::{Blocked, OwnerId, Turn};
use crate::databases::locks::{Granted, Locks, Mode, Thing};
use crate::databases::permit::Interrupt;
use crate::error::EngineError;

/// How long a wait may last.
#[derive(Clone, Copy)]
pub struct Wait<'a> {
    /// Ends it.
    pub interrupt: &'a Interrupt,
    /// `lock_timeout` (55P03).
    pub lock: Option<Instant>,
    /// `statement_timeout` (57014).
    pub statement: Option<Instant>,
}

impl Wait<'_> {
    /// Sleeps until somebody wakes the thread, or something ends the wait.
    fn sleep(&self) -> Result<(), EngineError> {
        self.interrupt.check()?;
        let now = Instant::now();
        if self.lock.is_some_and(|at| now >= at) {
            return Err(EngineError::LockTimeout);
        }
        if self.statement.is_some_and(|at| now >= at) {
            return Err(EngineError::Interrupted("statement timeout"));
        }
        match [self.lock, self.statement].into_iter().flatten().min() {
            None => thread::park(),
            Some(at) => thread::park_timeout(at.saturating_duration_since(now)),
        }
        Ok(())
    }
}

/// A transaction that may hold locks; it gives them back when it is dropped.
#[derive(Debug)]
pub struct Owner {
    locks: Arc<Locks>,
    id: OwnerId,
    /// It has locked, or a snapshot is remembered for it.
    used: bool,
    /// Up to here everything is in every snapshot.
    durable: CommitNumber,
}

impl Owner {
    pub(super) fn new(locks: Arc<Locks>, id: OwnerId) -> Self {
        Self {
            locks,
            id,
            used: false,
            durable: CommitNumber::ZERO,
        }
    }

    /// The transaction is about to take a snapshot, which will not be older than `commit`.
    pub fn remember_since(&mut self, commit: CommitNumber) {
        self.used = true;
        self.locks.state().remember_since(self.id, commit);
    }

    /// Its snapshot is of this commit.
    pub fn reads(&mut self, commit: CommitNumber) {
        self.locks.state().reads(self.id, commit);
    }

    /// Whether it may hold something.
    pub fn is_used(&self) -> bool {
        self.used
    }

    /// Gives the lock if nobody is in the way.
    pub fn try_lock(&mut self, thing: Thing, mode: Mode) -> Result<Granted, Blocked> {
        self.used = true;
        self.locks.state().try_lock(self.id, thing, mode)
    }

    /// Waits for the lock.
    ///
    /// Errors: 40P01 where the wait would never end, 55P03 and 57014 where it took too long, 57014 and 57P01 where the
    /// session was interrupted.
    pub fn lock(
        &mut self,
        thing: Thing,
        mode: Mode,
        wait: Wait<'_>,
    ) -> Result<Granted, EngineError> {
        self.used = true;
        let turn = self.locks.state().lock(self.id, thing, mode);
        let place = match turn.map_err(EngineError::Deadlock)? {
            Turn::Now(granted) => return Ok(granted),
            Turn::Later(place) => place,
        };
        while !place.is_granted() {
            if let Err(error) = wait.sleep()
                && !place.is_granted()
            {
                self.locks.state().leave_line(self.id, thing);
                return Err(error);
            }
        }
        Ok(self.locks.state().take_granted(self.id, thing, mode))
    }

    /// The transaction adds rows to a table that it has locked, and locks none of them: whoever changes the table on an
    /// older snapshot than its commit hears of it ([`Granted::grown`]).
    pub fn adds_to(&mut self, table: Thing) {
        self.locks.state().adds_to(self.id, table);
    }

    /// Gives back all locks; `commit` is what the transaction has committed, `durable` what is on the disk.
    pub fn release(&mut self, commit: Option<CommitNumber>, durable: CommitNumber) {
        self.durable = durable;
        if std::mem::take(&mut self.used) {
            self.locks.state().release(self.id, commit, durable);
        }
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.locks.state().leave(self.id, self.durable);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use pgtypes::SqlState;

    use super::*;
    use crate::databases::locks::{RowMode, TableMode};

    const UPDATE: Mode = Mode::Row(RowMode::Update);
    const SHARE: Mode = Mode::Row(RowMode::Share);

    fn number(commit: u64) -> CommitNumber {
        CommitNumber::new(commit)
    }

    fn row(rowid: i64) -> Thing {
        Thing::row(Thing::table("t"), rowid)
    }

    fn patient(interrupt: &Interrupt) -> Wait<'_> {
        Wait {
            interrupt,
            lock: None,
            statement: None,
        }
    }

    /// Bug: between the look whether the lock is free and taking it, somebody else could take it, too.
    #[test]
    fn of_those_who_lock_at_once_one_has_it() {
        let locks = Arc::new(Locks::default());
        let inside = Arc::new(AtomicUsize::new(0));
        let work = |pid: i32| {
            let (locks, inside) = (Arc::clone(&locks), Arc::clone(&inside));
            thread::spawn(move || {
                let interrupt = Interrupt::for_this_thread();
                let mut owner = locks.owner(pid);
                for _ in 0..5_000 {
                    if owner.try_lock(row(1), UPDATE).is_err() {
                        owner.lock(row(1), UPDATE, patient(&interrupt)).unwrap();
                    }
                    assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "one at a time");
                    thread::yield_now();
                    inside.fetch_sub(1, Ordering::SeqCst);
                    owner.release(None, number(0));
                }
            })
        };
        let workers: Vec<_> = (0..4).map(work).collect();
        for worker in workers {
            worker.join().unwrap();
        }
        assert!(locks.state().is_empty());
    }

    #[test]
    fn a_row_has_one_who_changes_it_or_several_who_share_it() {
        let locks = Arc::new(Locks::default());
        let (mut one, mut two) = (locks.owner(1), locks.owner(2));
        assert!(one.try_lock(row(1), SHARE).is_ok());
        assert!(two.try_lock(row(1), SHARE).is_ok());
        assert_eq!(one.try_lock(row(1), UPDATE), Err(Blocked));
        drop(two);
        assert!(one.try_lock(row(1), UPDATE).is_ok());
        one.release(None, number(0));
        assert!(locks.state().is_empty());
    }

    #[test]
    fn who_waits_is_served_in_order_and_new_ones_stand_behind() {
        let locks = Arc::new(Locks::default());
        let mut holder = locks.owner(1);
        holder.try_lock(row(1), SHARE).unwrap();
        let waiting = Arc::clone(&locks);
        let waiter = thread::spawn(move || {
            let interrupt = Interrupt::for_this_thread();
            let mut owner = waiting.owner(2);
            owner.lock(row(1), UPDATE, patient(&interrupt)).unwrap();
        });
        while locks.blockers_of(2) != [1] {
            thread::yield_now();
        }
        // It could share with the holder, but would keep the waiter waiting for ever.
        assert_eq!(locks.owner(3).try_lock(row(1), SHARE), Err(Blocked));
        holder.release(Some(number(1)), number(1));
        waiter.join().unwrap();
        assert!(locks.state().is_empty());
    }

    #[test]
    fn a_circle_is_seen_before_it_closes() {
        let locks = Arc::new(Locks::default());
        let mut one = locks.owner(1);
        one.try_lock(row(1), UPDATE).unwrap();
        let waiting = Arc::clone(&locks);
        let waiter = thread::spawn(move || {
            let interrupt = Interrupt::for_this_thread();
            let mut two = waiting.owner(2);
            two.try_lock(row(2), UPDATE).unwrap();
            two.lock(row(1), UPDATE, patient(&interrupt)).unwrap();
        });
        while locks.blockers_of(2) != [1] {
            thread::yield_now();
        }
        let interrupt = Interrupt::for_this_thread();
        let error = one.lock(row(2), UPDATE, patient(&interrupt)).unwrap_err();
        assert_eq!(error.sqlstate(), SqlState::DEADLOCK_DETECTED);
        let EngineError::Deadlock(circle) = error else {
            panic!("{error}")
        };
        assert_eq!(
            circle,
            "Process 1 waits for ExclusiveLock; blocked by process 2.\n\
             Process 2 waits for ExclusiveLock; blocked by process 1."
        );
        drop(one);
        waiter.join().unwrap();
    }

    #[test]
    fn a_circle_is_seen_through_all_that_a_session_holds() {
        let locks = Arc::new(Locks::default());
        let mut first = locks.owner(1);
        first.try_lock(row(1), UPDATE).unwrap();
        let waiting = Arc::clone(&locks);
        let waiter = thread::spawn(move || {
            let interrupt = Interrupt::for_this_thread();
            let (mut one, mut other) = (waiting.owner(2), waiting.owner(2));
            one.try_lock(row(2), UPDATE).unwrap();
            other.lock(row(1), UPDATE, patient(&interrupt)).unwrap();
        });
        while locks.blockers_of(2) != [1] {
            thread::yield_now();
        }
        let interrupt = Interrupt::for_this_thread();
        let mut second = locks.owner(1);
        let error = second.lock(row(2), UPDATE, patient(&interrupt));
        assert!(matches!(error, Err(EngineError::Deadlock(_))));
        drop(first);
        waiter.join().unwrap();
    }

    #[test]
    fn a_wait_that_took_too_long_leaves_the_line() {
        let locks = Arc::new(Locks::default());
        let interrupt = Interrupt::for_this_thread();
        let (mut one, mut two) = (locks.owner(1), locks.owner(2));
        one.try_lock(row(1), UPDATE).unwrap();
        let wait = Wait {
            lock: Some(Instant::now() + Duration::from_millis(2)),
            ..patient(&interrupt)
        };
        let error = two.lock(row(1), UPDATE, wait).unwrap_err();
        assert_eq!(error.sqlstate(), SqlState::LOCK_NOT_AVAILABLE);
        one.release(None, number(0));
        assert!(two.try_lock(row(1), UPDATE).is_ok());
    }

    #[test]
    fn an_older_snapshot_hears_of_a_commit_and_a_newer_one_does_not() {
        let locks = Arc::new(Locks::default());
        let (mut old, mut new, mut writer) = (locks.owner(1), locks.owner(2), locks.owner(3));
        old.remember_since(number(4));
        old.reads(number(4));
        writer.try_lock(row(1), UPDATE).unwrap();
        writer.release(Some(number(5)), number(5));
        new.remember_since(number(5));
        new.reads(number(5));
        assert_eq!(
            new.try_lock(row(1), UPDATE),
            Ok(Granted {
                changed: false,
                grown: false
            })
        );
        new.release(None, number(5));
        assert_eq!(
            old.try_lock(row(1), UPDATE),
            Ok(Granted {
                changed: true,
                grown: false
            })
        );
        old.release(None, number(5));
        assert!(locks.state().is_empty(), "nobody needs to know any more");
    }

    #[test]
    fn what_is_not_durable_is_remembered_for_those_who_begin() {
        let locks = Arc::new(Locks::default());
        let mut writer = locks.owner(1);
        writer.try_lock(row(1), UPDATE).unwrap();
        writer.release(Some(number(5)), number(4));
        let mut reader = locks.owner(2);
        reader.remember_since(number(4));
        reader.reads(number(4));
        assert_eq!(
            reader.try_lock(row(1), UPDATE),
            Ok(Granted {
                changed: true,
                grown: false
            })
        );
    }

    #[test]
    fn share_and_row_exclusive_together_are_more_than_each() {
        let locks = Arc::new(Locks::default());
        let mut one = locks.owner(1);
        let table = Thing::table("t");
        one.try_lock(table, Mode::Table(TableMode::Share)).unwrap();
        one.try_lock(table, Mode::Table(TableMode::RowExclusive))
            .unwrap();
        let mut two = locks.owner(2);
        let share = Mode::Table(TableMode::Share);
        assert_eq!(two.try_lock(table, share), Err(Blocked));
        assert!(
            two.try_lock(table, Mode::Table(TableMode::RowShare))
                .is_ok()
        );
    }
}
