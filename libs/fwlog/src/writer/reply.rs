//! An answer from the writer's thread.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::writer::error::WriterError;
use crate::writer::executor::Stepper;
use crate::writer::shared::Shared;

/// Where an answer is waited for.
pub(crate) struct Reply<T> {
    slot: Arc<Slot<T>>,
    shared: Arc<Shared>,
    /// Where nobody else does the work that is waited for.
    stepper: Option<Stepper>,
}

/// Where it is given. Dropped without an answer, the reply is the writer's failure.
pub(crate) struct Sender<T> {
    slot: Arc<Slot<T>>,
}

struct Slot<T> {
    answer: Mutex<Answer<T>>,
    changed: Condvar,
}

enum Answer<T> {
    Pending,
    Given(T),
    Never,
}

impl<T> Slot<T> {
    fn answer(&self) -> MutexGuard<'_, Answer<T>> {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_pending(&self) -> bool {
        matches!(*self.answer(), Answer::Pending)
    }
}

impl<T> Reply<T> {
    pub(crate) fn new(shared: &Arc<Shared>, stepper: Option<Stepper>) -> (Self, Sender<T>) {
        let slot = Arc::new(Slot {
            answer: Mutex::new(Answer::Pending),
            changed: Condvar::new(),
        });
        (
            Self {
                slot: Arc::clone(&slot),
                shared: Arc::clone(shared),
                stepper,
            },
            Sender { slot },
        )
    }

    /// Waits for the answer; it may be asked for again.
    pub(crate) fn wait(&self) -> Result<T, WriterError>
    where
        T: Clone,
    {
        if let Some(stepper) = &self.stepper {
            while self.slot.is_pending() && stepper.step() {}
        }
        let mut answer = self.slot.answer();
        loop {
            match &*answer {
                Answer::Given(value) => return Ok(value.clone()),
                Answer::Never => return Err(self.shared.failure().unwrap_or(WriterError::Closed)),
                Answer::Pending => {
                    answer = self
                        .slot
                        .changed
                        .wait(answer)
                        .unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }
}

impl<T> std::fmt::Debug for Reply<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reply").finish_non_exhaustive()
    }
}

impl<T> Sender<T> {
    pub(crate) fn send(self, value: T) {
        self.put(Answer::Given(value));
    }

    fn put(&self, new: Answer<T>) {
        let mut answer = self.slot.answer();
        if matches!(*answer, Answer::Pending) {
            *answer = new;
            self.slot.changed.notify_all();
        }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        // After `send` the answer stays.
        self.put(Answer::Never);
    }
}
