//! The right to write to one database: one holder at a time, handed on in order of arrival.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread, ThreadId};
use std::time::Instant;

use crate::databases::write_gate::WriteGate;
use crate::error::EngineError;

/// Why a session is told to stop what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum InterruptReason {
    /// A cancel request of the client.
    UserRequest = 1,
    /// The statement took longer than its limit.
    StatementTimeout = 2,
    /// An operator ended the session, or the server stops.
    Terminate = 3,
}

/// A session's ear for cancel requests: raised from any thread, heard by the session's own.
///
/// It belongs to the thread that made it: `raise` wakes that thread from a permit wait.
#[derive(Debug)]
pub struct Interrupt {
    thread: Thread,
    reason: AtomicU8,
}

impl Interrupt {
    /// An interrupt that wakes the calling thread.
    pub fn for_this_thread() -> Self {
        Self {
            thread: thread::current(),
            reason: AtomicU8::new(0),
        }
    }

    /// Asks the session to stop. A termination is never softened by a later cancel.
    pub fn raise(&self, reason: InterruptReason) {
        self.reason.fetch_max(reason as u8, Ordering::SeqCst);
        self.thread.unpark();
    }

    /// The thread that it belongs to.
    pub fn thread(&self) -> ThreadId {
        self.thread.id()
    }

    /// What was asked for, if anything.
    pub fn reason(&self) -> Option<InterruptReason> {
        match self.reason.load(Ordering::SeqCst) {
            1 => Some(InterruptReason::UserRequest),
            2 => Some(InterruptReason::StatementTimeout),
            3 => Some(InterruptReason::Terminate),
            _ => None,
        }
    }

    /// Forgets a cancel before the next statement; a termination stays.
    pub fn clear(&self) {
        for reason in [
            InterruptReason::UserRequest,
            InterruptReason::StatementTimeout,
        ] {
            // A lost exchange means that nothing, or something stronger, was raised: both right.
            let _unchanged =
                self.reason
                    .compare_exchange(reason as u8, 0, Ordering::SeqCst, Ordering::SeqCst);
        }
    }

    /// The interrupt as the error that the client reads.
    pub fn check(&self) -> Result<(), EngineError> {
        match self.reason() {
            None => Ok(()),
            Some(InterruptReason::UserRequest) => Err(EngineError::Interrupted("user request")),
            Some(InterruptReason::StatementTimeout) => {
                Err(EngineError::Interrupted("statement timeout"))
            }
            Some(InterruptReason::Terminate) => Err(EngineError::ShuttingDown),
        }
    }
}

#[derive(Debug)]
struct Waiter {
    thread: Thread,
    granted: AtomicBool,
}

#[derive(Debug, Default)]
struct Line {
    /// The thread that was given it.
    holder: Option<ThreadId>,
    waiting: VecDeque<Arc<Waiter>>,
}

/// The one write permit of a database, first come, first served.
#[derive(Debug, Default)]
pub struct WritePermit {
    line: Mutex<Line>,
    /// Holders and waiters of all permits of the environment: the log writer groups by it.
    under_way: Arc<AtomicUsize>,
    /// Where it is shut nobody gets the permit.
    gate: Arc<WriteGate>,
}

impl WritePermit {
    /// A free permit behind the gate; `under_way` counts all who hold or want one.
    pub fn counted_by(under_way: Arc<AtomicUsize>, gate: Arc<WriteGate>) -> Self {
        Self {
            line: Mutex::default(),
            under_way,
            gate,
        }
    }

    /// Counts a transaction that will want the permit later, as long as the guard lives.
    pub fn announce(&self) -> UnderWay {
        self.under_way.fetch_add(1, Ordering::Relaxed);
        UnderWay(Arc::clone(&self.under_way))
    }

    /// Whether somebody has it just now.
    pub fn is_held(&self) -> bool {
        self.line().holder.is_some()
    }

    /// Who holds it.
    pub fn holder(&self) -> Option<ThreadId> {
        self.line().holder
    }

    /// Who holds it, and who waits for it.
    pub fn threads(&self) -> Vec<ThreadId> {
        let line = self.line();
        let waiting = line.waiting.iter().map(|waiter| waiter.thread.id());
        line.holder.into_iter().chain(waiting).collect()
    }

    /// Whom a thread waits for: the holder and those before it in line. `None`: it does not wait.
    pub fn blockers_of(&self, thread: ThreadId) -> Option<Vec<ThreadId>> {
        let line = self.line();
        let mut waiting = line.waiting.iter().map(|waiter| waiter.thread.id());
        let place = waiting.position(|waiter| waiter == thread)?;
        let before = line.waiting.iter().take(place);
        let before = before.map(|waiter| waiter.thread.id());
        Some(line.holder.into_iter().chain(before).collect())
    }

    /// Waits for the permit.
    ///
    /// Errors: 57014 or 57P01 when `interrupt` is raised, 57014 (statement timeout) when
    /// `deadline` passes. The caller then holds nothing and stands in no line.
    pub fn acquire(
        self: &Arc<Self>,
        interrupt: &Interrupt,
        deadline: Option<Instant>,
    ) -> Result<Permit, EngineError> {
        loop {
            self.gate.pass(interrupt, deadline)?;
            let permit = self.wait_in_line(interrupt, deadline)?;
            // It may have been shut since: then it waits before it again.
            if !self.gate.is_shut() {
                return Ok(permit);
            }
        }
    }

    fn wait_in_line(
        self: &Arc<Self>,
        interrupt: &Interrupt,
        deadline: Option<Instant>,
    ) -> Result<Permit, EngineError> {
        self.under_way.fetch_add(1, Ordering::Relaxed);
        let waiter = {
            let mut line = self.line();
            if line.holder.is_none() {
                line.holder = Some(interrupt.thread.id());
                return Ok(Permit::of(Arc::clone(self)));
            }
            let waiter = Arc::new(Waiter {
                thread: thread::current(),
                granted: AtomicBool::new(false),
            });
            line.waiting.push_back(Arc::clone(&waiter));
            waiter
        };
        loop {
            if waiter.granted.load(Ordering::Acquire) {
                return Ok(Permit::of(Arc::clone(self)));
            }
            let stop = interrupt.check().err().or_else(|| {
                deadline
                    .is_some_and(|at| Instant::now() >= at)
                    .then_some(EngineError::Interrupted("statement timeout"))
            });
            if let Some(error) = stop {
                return self.leave(&waiter, error);
            }
            match deadline {
                None => thread::park(),
                Some(at) => thread::park_timeout(at.saturating_duration_since(Instant::now())),
            }
        }
    }

    /// Steps out of the line; a permit that was granted meanwhile is kept after all.
    fn leave(
        self: &Arc<Self>,
        waiter: &Arc<Waiter>,
        error: EngineError,
    ) -> Result<Permit, EngineError> {
        let mut line = self.line();
        if waiter.granted.load(Ordering::Acquire) {
            drop(line);
            drop(Permit::of(Arc::clone(self)));
            return Err(error);
        }
        line.waiting.retain(|other| !Arc::ptr_eq(other, waiter));
        self.under_way.fetch_sub(1, Ordering::Relaxed);
        Err(error)
    }

    fn hand_on(&self) {
        self.under_way.fetch_sub(1, Ordering::Relaxed);
        let mut line = self.line();
        assert!(
            line.holder.is_some(),
            "a permit is given back only while it is held"
        );
        match line.waiting.pop_front() {
            Some(next) => {
                line.holder = Some(next.thread.id());
                next.granted.store(true, Ordering::Release);
                drop(line);
                next.thread.unpark();
            }
            None => line.holder = None,
        }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        // The line is changed in single steps, so it is whole even after a panic elsewhere.
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A transaction that is counted as under way.
#[derive(Debug)]
pub struct UnderWay(Arc<AtomicUsize>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The held permit; dropping it hands it to the next in line.
pub struct Permit {
    owner: Arc<WritePermit>,
    epoch: u64,
    exclusive: bool,
}

impl Permit {
    fn of(owner: Arc<WritePermit>) -> Self {
        Self {
            owner,
            epoch: 0,
            exclusive: false,
        }
    }

    /// What is written with it takes the whole database anew: who reads on a slave has to be asked as if this session
    /// had the database alone.
    #[must_use]
    pub fn exclusive(mut self) -> Self {
        self.exclusive = true;
        self
    }

    /// Whether that is so.
    pub fn is_exclusive(&self) -> bool {
        self.exclusive
    }

    /// Notes the epoch of the page store at which the permit was taken.
    #[must_use]
    pub fn at_epoch(mut self, epoch: u64) -> Self {
        self.epoch = epoch;
        self
    }

    /// The page store's epoch when the permit was taken: if it has changed, commits that the holder
    /// may have seen are gone.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Permit")
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.owner.hand_on();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use pgtypes::SqlState;

    use super::*;

    #[test]
    fn one_holder_at_a_time_and_in_order() {
        let permit = Arc::new(WritePermit::default());
        let me = Interrupt::for_this_thread();
        let held = permit.acquire(&me, None).unwrap();
        assert!(permit.is_held());
        let (tell, told) = mpsc::channel();
        let mut threads = Vec::new();
        for n in 0..4 {
            let waiting = Arc::clone(&permit);
            let tell = tell.clone();
            threads.push(thread::spawn(move || {
                let interrupt = Interrupt::for_this_thread();
                let held = waiting.acquire(&interrupt, None).unwrap();
                tell.send(n).unwrap();
                drop(held);
            }));
            while permit.line().waiting.len() <= n {
                thread::yield_now();
            }
        }
        drop(held);
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(told.try_iter().collect::<Vec<_>>(), vec![0, 1, 2, 3]);
        assert!(!permit.is_held());
    }

    #[test]
    fn a_cancelled_waiter_leaves_the_line_and_the_next_is_served() {
        let permit = Arc::new(WritePermit::default());
        let me = Interrupt::for_this_thread();
        let held = permit.acquire(&me, None).unwrap();
        let (hand, handed) = mpsc::channel();
        let waiting = Arc::clone(&permit);
        let waiter = thread::spawn(move || {
            let interrupt = Arc::new(Interrupt::for_this_thread());
            hand.send(Arc::clone(&interrupt)).unwrap();
            waiting.acquire(&interrupt, None).map(drop)
        });
        let interrupt = handed.recv().unwrap();
        interrupt.raise(InterruptReason::UserRequest);
        let error = waiter.join().unwrap().unwrap_err();
        assert_eq!(error.sqlstate(), SqlState::QUERY_CANCELED);
        assert!(permit.line().waiting.is_empty());
        drop(held);
        assert!(!permit.is_held());
        assert_eq!(permit.under_way.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn who_waits_is_told_for_whom() {
        let permit = Arc::new(WritePermit::default());
        let me = Interrupt::for_this_thread();
        let held = permit.acquire(&me, None).unwrap();
        assert_eq!(permit.blockers_of(me.thread()), None);
        let waiting = Arc::clone(&permit);
        let waiter = thread::spawn(move || {
            let interrupt = Interrupt::for_this_thread();
            waiting.acquire(&interrupt, None).map(drop)
        });
        let other = waiter.thread().id();
        while permit.blockers_of(other) != Some(vec![me.thread()]) {
            thread::yield_now();
        }
        drop(held);
        waiter.join().unwrap().unwrap();
    }

    #[test]
    fn a_deadline_ends_the_wait() {
        let permit = Arc::new(WritePermit::default());
        let me = Interrupt::for_this_thread();
        let _held = permit.acquire(&me, None).unwrap();
        let error = permit
            .acquire(&me, Some(Instant::now() + Duration::from_millis(5)))
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "canceling statement due to statement timeout"
        );
    }

    #[test]
    fn a_termination_outlives_clear() {
        let interrupt = Interrupt::for_this_thread();
        interrupt.raise(InterruptReason::UserRequest);
        interrupt.clear();
        assert_eq!(interrupt.reason(), None);
        interrupt.raise(InterruptReason::Terminate);
        interrupt.raise(InterruptReason::UserRequest);
        interrupt.clear();
        assert_eq!(
            interrupt.check().unwrap_err().sqlstate(),
            SqlState::ADMIN_SHUTDOWN
        );
    }
}
