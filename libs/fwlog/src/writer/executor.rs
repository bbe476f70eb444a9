//! Who does the writer's work: a thread of its own and those who wait for commits, or only those who wait.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::numbers::CommitNumber;
use crate::writer::error::WriterError;
use crate::writer::shared::Shared;
use crate::writer::worker::Worker;

/// Who does the work.
pub(crate) enum Executor {
    /// A thread; with it those who wait for a commit, if the writer is led.
    Thread(Crew),
    /// The owner of the writer, step by step.
    Manual(Stepper),
}

impl Executor {
    /// A thread that works until the writer is closed or fails.
    pub(crate) fn thread(worker: Worker) -> Result<Self, WriterError> {
        let shared = Arc::clone(&worker.shared);
        let worker = Arc::new(Mutex::new(Some(worker)));
        let work = Arc::clone(&worker);
        let thread = std::thread::Builder::new()
            .name("fwlog-writer".to_owned())
            .spawn(move || run(&work, &shared))
            .map_err(|error| WriterError::Thread(error.to_string()))?;
        Ok(Self::Thread(Crew {
            worker,
            thread: Mutex::new(Some(thread)),
        }))
    }

    /// Nobody: all is done.
    pub(crate) fn ended() -> Self {
        Self::Thread(Crew {
            worker: Arc::default(),
            thread: Mutex::default(),
        })
    }

    /// What those who wait for an answer do the work with, where no thread does it.
    pub(crate) fn stepper(&self) -> Option<Stepper> {
        match self {
            Self::Thread(_) => None,
            Self::Manual(stepper) => Some(stepper.clone()),
        }
    }

    /// Waits for the end of the work, which was asked for.
    pub(crate) fn join(&self, shared: &Shared) {
        match self {
            Self::Thread(crew) => {
                let mut held = crew.thread.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(thread) = held.take()
                    && thread.join().is_err()
                {
                    // The thread told everybody who waited when it ended; there is nothing to add.
                    shared.end();
                }
            }
            Self::Manual(stepper) => while stepper.step() {},
        }
    }
}

/// Those who may work, one at a time.
///
/// A thread that waits for a commit and finds nobody at work leads: it writes everything that is queued, its own commit
/// among it, as one group, so that a commit need not wait for another thread to wake up. What was queued meanwhile is
/// written by the writer's thread, group after group, until there is nothing left.
pub(crate) struct Crew {
    worker: Arc<Mutex<Option<Worker>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Crew {
    /// Writes what is queued, `commit` among it, unless somebody is at work.
    pub(crate) fn lead(&self, shared: &Shared, commit: CommitNumber) {
        // Who works looks into the queue when its turn is over: what was queued before that look is seen then, and
        // whoever queues something later finds nobody at work.
        if let Some(mut turn) = Turn::now(&self.worker) {
            // Who was at work a moment ago may have written it.
            if !shared.is_durable(commit) && turn.work(Worker::write_queued).is_break() {
                return;
            }
            drop(turn);
            shared.pass_on();
        }
    }
}

/// The thread.
fn run(worker: &Mutex<Option<Worker>>, shared: &Shared) {
    let mut due = None;
    loop {
        shared.wait_for_work(due);
        let mut turn = Turn::wait(worker);
        if turn.work(Worker::write_queued).is_break() {
            return;
        }
        due = turn.sync_due();
        drop(turn);
        shared.pass_on();
    }
}

/// The worker in somebody's hands. It is gone when its work has ended, also by a panic: that tells everybody who waits.
struct Turn<'a>(MutexGuard<'a, Option<Worker>>);

impl<'a> Turn<'a> {
    fn wait(worker: &'a Mutex<Option<Worker>>) -> Self {
        Self(worker.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// `None`: somebody else has it.
    fn now(worker: &'a Mutex<Option<Worker>>) -> Option<Self> {
        match worker.try_lock() {
            Ok(held) => Some(Self(held)),
            Err(TryLockError::Poisoned(held)) => Some(Self(held.into_inner())),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    fn work(&mut self, work: impl FnOnce(&mut Worker) -> ControlFlow<()>) -> ControlFlow<()> {
        let next = self.0.as_mut().map_or(ControlFlow::Break(()), work);
        if next.is_break() {
            *self.0 = None;
        }
        next
    }

    fn sync_due(&self) -> Option<Duration> {
        self.0.as_ref().and_then(Worker::sync_due)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            *self.0 = None;
        }
    }
}

/// Lets a worker without a thread work, one group at a time.
#[derive(Clone)]
pub(crate) struct Stepper(Arc<Mutex<Option<Worker>>>);

impl Stepper {
    pub(crate) fn new(worker: Worker) -> Self {
        Self(Arc::new(Mutex::new(Some(worker))))
    }

    /// Writes what is queued as one group. `false`: the work has ended.
    ///
    /// # Panics
    /// In the middle of a step, where waiting for the log would be for ever.
    pub(crate) fn step(&self) -> bool {
        let turn = Turn::now(&self.0);
        let mut turn = turn.expect("nobody waits for the log in the middle of writing it");
        turn.work(Worker::step).is_continue()
    }
}
