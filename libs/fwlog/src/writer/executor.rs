//! Who does the writer's work: a thread of its own, or whoever waits for it.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::thread::JoinHandle;

use crate::writer::error::WriterError;
use crate::writer::shared::Shared;
use crate::writer::worker::Worker;

/// Who does the work.
pub(crate) enum Executor {
    /// A thread.
    Thread(Mutex<Option<JoinHandle<()>>>),
    /// The owner of the writer, step by step.
    Manual(Stepper),
}

impl Executor {
    /// A thread that works until the writer is closed or fails.
    pub(crate) fn thread(worker: Worker) -> Result<Self, WriterError> {
        let thread = std::thread::Builder::new()
            .name("fwlog-writer".to_owned())
            .spawn(move || worker.run())
            .map_err(|error| WriterError::Thread(error.to_string()))?;
        Ok(Self::Thread(Mutex::new(Some(thread))))
    }

    /// Nobody: all is done.
    pub(crate) fn ended() -> Self {
        Self::Thread(Mutex::new(None))
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
            Self::Thread(thread) => {
                let mut held = thread.lock().unwrap_or_else(PoisonError::into_inner);
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
        let mut worker = match self.0.try_lock() {
            // After a panic nobody knows how far it came.
            Err(TryLockError::Poisoned(poisoned)) => {
                *poisoned.into_inner() = None;
                return false;
            }
            other => other.expect("nobody waits for the log in the middle of writing it"),
        };
        let next = worker.as_mut().map_or(ControlFlow::Break(()), Worker::step);
        if next.is_break() {
            *worker = None;
        }
        next.is_continue()
    }
}
