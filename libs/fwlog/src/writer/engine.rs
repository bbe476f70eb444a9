//! Who does the writer's work: a thread of its own, or whoever waits for it.

use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::thread::JoinHandle;

use crate::writer::error::WriterError;
use crate::writer::shared::Shared;
use crate::writer::worker::{Next, Worker};

/// Who does the work.
pub(crate) enum Engine {
    /// A thread.
    Thread(Mutex<Option<JoinHandle<()>>>),
    /// The owner of the writer, turn by turn.
    Owner(Hand),
}

impl Engine {
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

    /// What those who wait for an answer do it with, where they do the work.
    pub(crate) fn hand(&self) -> Option<Hand> {
        match self {
            Self::Thread(_) => None,
            Self::Owner(hand) => Some(hand.clone()),
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
            Self::Owner(hand) => while hand.turn() {},
        }
    }
}

/// The hand that turns a worker without a thread.
#[derive(Clone)]
pub(crate) struct Hand(Arc<Mutex<Option<Worker>>>);

impl Hand {
    pub(crate) fn new(worker: Worker) -> Self {
        Self(Arc::new(Mutex::new(Some(worker))))
    }

    /// Writes what is queued as one group. `false`: the work has ended.
    ///
    /// # Panics
    /// In the middle of a turn, where waiting for the log would be for ever.
    pub(crate) fn turn(&self) -> bool {
        let mut worker = match self.0.try_lock() {
            // After a panic nobody knows how far it came.
            Err(TryLockError::Poisoned(poisoned)) => {
                *poisoned.into_inner() = None;
                return false;
            }
            other => other.expect("nobody waits for the log in the middle of writing it"),
        };
        let next = worker.as_mut().map_or(Next::End, Worker::turn);
        if next == Next::End {
            *worker = None;
        }
        next == Next::GoOn
    }
}
