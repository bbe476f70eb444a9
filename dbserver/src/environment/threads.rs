//! Threads of a side.

use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use crate::error::EngineError;

/// Background threads that end with the side that they work for.
#[derive(Default)]
pub(super) struct Threads(Mutex<Vec<JoinHandle<()>>>);

impl Threads {
    /// Starts one more.
    pub(super) fn spawn(
        &self,
        name: &str,
        body: impl FnOnce() + Send + 'static,
    ) -> Result<(), EngineError> {
        let thread = thread::Builder::new().name(name.to_owned()).spawn(body);
        let thread = thread.map_err(|error| {
            EngineError::Storage(format!("cannot start the {name} thread: {error}"))
        })?;
        self.list().push(thread);
        Ok(())
    }

    /// Waits for their end; they have been told.
    pub(super) fn join(&self) -> Result<(), EngineError> {
        let threads = std::mem::take(&mut *self.list());
        for thread in threads {
            if thread.join().is_err() {
                return Err(EngineError::Internal(
                    "a background thread has panicked".into(),
                ));
            }
        }
        Ok(())
    }

    fn list(&self) -> std::sync::MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
