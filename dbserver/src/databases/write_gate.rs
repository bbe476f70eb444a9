//! Whether whoever wants to write is let in: shut by an operator for a while, or while the role goes to another instance.
//! Who waits before it is let in when it opens, and loses nothing but time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crate::databases::permit::Interrupt;
use crate::error::EngineError;

/// One for all databases of an environment.
#[derive(Debug, Default)]
pub struct WriteGate {
    /// It may be shut: looked at by everyone who writes.
    shut: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// An operator has shut it, until then.
    operator: Option<Until>,
    /// So many hold it shut.
    held: usize,
    waiting: Vec<Thread>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Until {
    Opened,
    Time(Instant),
}

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GateStatus {
    /// An operator has shut it; the time until it opens by itself, if it does.
    pub operator: Option<Option<Duration>>,
    /// So many wait.
    pub waiting: usize,
}

impl WriteGate {
    /// Shuts it until it is opened, or for a time. Shut again, the new time holds.
    pub fn shut(&self, at_most: Option<Duration>) {
        let until = at_most.map_or(Until::Opened, |time| Until::Time(Instant::now() + time));
        let mut state = self.state();
        state.operator = Some(until);
        self.shut.store(true, Ordering::Release);
        // Whoever waits has to know for how long.
        state.wake();
    }

    /// Takes back what an operator has shut; tells whether anything was.
    pub fn open(&self) -> bool {
        let mut state = self.state();
        let was_shut = state.is_shut_by_operator();
        state.operator = None;
        self.settle(&mut state);
        was_shut
    }

    /// Shut as long as the guard lives.
    pub fn hold(self: &Arc<Self>) -> Held {
        let mut state = self.state();
        state.held += 1;
        self.shut.store(true, Ordering::Release);
        Held(Arc::clone(self))
    }

    /// Whether it is shut now.
    pub fn is_shut(&self) -> bool {
        self.shut.load(Ordering::Acquire) && self.state().is_shut()
    }

    /// How it stands now.
    pub fn status(&self) -> GateStatus {
        let state = self.state();
        let operator = state.operator.filter(|_| state.is_shut_by_operator());
        GateStatus {
            operator: operator.map(|until| match until {
                Until::Opened => None,
                Until::Time(at) => Some(at.saturating_duration_since(Instant::now())),
            }),
            waiting: state.waiting.len(),
        }
    }

    /// Waits until it is open.
    ///
    /// Errors: 57014 or 57P01 when `interrupt` is raised, 57014 (statement timeout) when `deadline` passes.
    pub fn pass(
        &self,
        interrupt: &Interrupt,
        deadline: Option<Instant>,
    ) -> Result<(), EngineError> {
        if !self.shut.load(Ordering::Acquire) {
            return Ok(());
        }
        let passed = self.wait(interrupt, deadline);
        let own = thread::current().id();
        self.state().waiting.retain(|waiter| waiter.id() != own);
        passed
    }

    fn wait(&self, interrupt: &Interrupt, deadline: Option<Instant>) -> Result<(), EngineError> {
        let own = thread::current();
        loop {
            let opens = {
                let mut state = self.state();
                if !state.is_shut() {
                    self.settle(&mut state);
                    return Ok(());
                }
                if !state.waiting.iter().any(|waiter| waiter.id() == own.id()) {
                    state.waiting.push(own.clone());
                }
                match state.operator {
                    Some(Until::Time(at)) => Some(at),
                    Some(Until::Opened) | None => None,
                }
            };
            interrupt.check()?;
            if deadline.is_some_and(|at| Instant::now() >= at) {
                return Err(EngineError::Interrupted("statement timeout"));
            }
            match opens.into_iter().chain(deadline).min() {
                None => thread::park(),
                Some(at) => thread::park_timeout(at.saturating_duration_since(Instant::now())),
            }
        }
    }

    /// Where it is open, all who wait hear that.
    fn settle(&self, state: &mut State) {
        if !state.is_shut() {
            state.operator = None;
            self.shut.store(false, Ordering::Release);
            state.wake();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_shut_by_operator(&self) -> bool {
        match self.operator {
            Some(Until::Opened) => true,
            Some(Until::Time(at)) => Instant::now() < at,
            None => false,
        }
    }

    fn is_shut(&self) -> bool {
        self.held > 0 || self.is_shut_by_operator()
    }

    fn wake(&self) {
        for waiter in &self.waiting {
            waiter.unpark();
        }
    }
}

/// Holds the gate shut.
#[derive(Debug)]
pub struct Held(Arc<WriteGate>);

impl Drop for Held {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.held = state.held.saturating_sub(1);
        self.0.settle(&mut state);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use pgtypes::SqlState;

    use super::*;
    use crate::databases::permit::InterruptReason;

    fn waiter(
        gate: &Arc<WriteGate>,
    ) -> (thread::JoinHandle<Result<(), EngineError>>, Arc<Interrupt>) {
        let (hand, handed) = mpsc::channel();
        let at = Arc::clone(gate);
        let thread = thread::spawn(move || {
            let interrupt = Arc::new(Interrupt::for_this_thread());
            hand.send(Arc::clone(&interrupt)).unwrap();
            at.pass(&interrupt, None)
        });
        let interrupt = handed.recv().unwrap();
        while gate.status().waiting == 0 {
            thread::yield_now();
        }
        (thread, interrupt)
    }

    #[test]
    fn who_comes_while_it_is_shut_is_let_in_when_it_opens() {
        let gate = Arc::new(WriteGate::default());
        let me = Interrupt::for_this_thread();
        gate.pass(&me, None).unwrap();
        gate.shut(None);
        let held = gate.hold();
        let (waiting, _) = waiter(&gate);
        assert!(gate.open());
        assert!(gate.is_shut(), "somebody else holds it");
        drop(held);
        waiting.join().unwrap().unwrap();
        assert!(!gate.is_shut() && !gate.open());
        assert_eq!(gate.status().waiting, 0);
    }

    #[test]
    fn it_opens_by_itself_when_its_time_is_over() {
        let gate = Arc::new(WriteGate::default());
        gate.shut(None);
        let (waiting, _) = waiter(&gate);
        gate.shut(Some(Duration::from_millis(1)));
        waiting.join().unwrap().unwrap();
        assert!(!gate.is_shut());
        assert_eq!(gate.status().operator, None);
    }

    #[test]
    fn who_waits_may_be_cancelled_and_gives_up_at_its_own_time() {
        let gate = Arc::new(WriteGate::default());
        gate.shut(None);
        let (waiting, interrupt) = waiter(&gate);
        interrupt.raise(InterruptReason::UserRequest);
        let error = waiting.join().unwrap().unwrap_err();
        assert_eq!(error.sqlstate(), SqlState::QUERY_CANCELED);
        let me = Interrupt::for_this_thread();
        let late = gate.pass(&me, Some(Instant::now())).unwrap_err();
        assert_eq!(late.sqlstate(), SqlState::QUERY_CANCELED);
        assert_eq!(gate.status().waiting, 0);
    }
}
