//! What somebody else has to do with the mirror: at once where it is free, and between two messages where a
//! connection has it.

use std::sync::mpsc::{self, TryRecvError};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use dbproto::state;
use fwlog::Mirror;

use crate::error::EngineError;
use crate::slave::{MirrorPlace, SlaveLog};

/// Done once, by whoever has the mirror. All that the mirror has taken is durable then.
pub(crate) type Errand = Box<dyn FnOnce(&mut Option<Box<Mirror>>) + Send>;

/// An errand that waits for a connection, if one does.
#[derive(Default)]
pub(super) struct Errands(Mutex<Option<Errand>>);

impl Errands {
    fn put(&self, errand: Errand) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(errand);
    }

    fn take(&self) -> Option<Errand> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.take()
    }
}

impl SlaveLog {
    /// Has `work` done with the mirror in order, and waits for it, so long at most.
    pub(crate) fn with_mirror<T: Send + 'static>(
        &self,
        at_most: Duration,
        work: impl FnOnce(&mut Option<Box<Mirror>>) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, EngineError> {
        let (done, result) = mpsc::channel();
        let errand: Errand = Box::new(move |mirror| {
            // Whoever has asked may have given up.
            drop(done.send(work(mirror)));
        });
        self.errands.put(errand);
        self.ring();
        let deadline = Instant::now() + at_most;
        let mut place = self.mirror_place();
        loop {
            if let MirrorPlace::Free(mirror) = &mut *place {
                match self.mend(mirror) {
                    Ok(()) => {
                        if let Some(errand) = self.errands.take() {
                            errand(mirror);
                        }
                    }
                    // What a broken connection has left waits for room at the applier.
                    Err(refuse) if refuse.sqlstate == state::IN_USE.as_str() => {}
                    Err(refuse) => {
                        drop(self.errands.take());
                        return Err(EngineError::state(
                            format!("the mirror of the log is not in order: {refuse}"),
                            "Mend that, and try again.",
                        ));
                    }
                }
            }
            match result.try_recv() {
                Ok(result) => return result,
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => {
                    return Err(EngineError::state(
                        "the connection that feeds the slave has failed meanwhile",
                        "'dbctl replication status' says why; try again.",
                    ));
                }
            }
            let left = deadline.saturating_duration_since(Instant::now());
            // What is under way is waited for: nobody may be told that it is not done.
            if left.is_zero() && self.errands.take().is_some() {
                return Err(EngineError::state(
                    "the connection of a dbrepl to this slave does not answer, or the slave is still applying what it has",
                    "'dbctl replication status' says what it waits for; stop that dbrepl, and try again.",
                ));
            }
            let wait = left.clamp(Duration::from_millis(1), Duration::from_millis(50));
            let (again, _timed_out) = self
                .freed
                .wait_timeout(place, wait)
                .unwrap_or_else(PoisonError::into_inner);
            place = again;
        }
    }

    /// Has `work` done without waiting for it: at once where the mirror is free, else by the connection that has
    /// it. A connection that ends forgets it, so it is asked for again until it is done.
    pub(crate) fn ask_for(&self, work: Errand) {
        let mut place = self.mirror_place();
        if let MirrorPlace::Free(mirror) = &mut *place {
            return work(mirror);
        }
        drop(place);
        self.chores.put(work);
        self.ring();
    }

    /// What waits for the connection that has the mirror. It makes all durable first.
    pub(crate) fn take_errand(&self) -> Option<Errand> {
        self.errands.take().or_else(|| self.chores.take())
    }

    /// An errand is done: whoever waits looks.
    pub(crate) fn errand_done(&self) {
        self.freed.notify_all();
    }
}
