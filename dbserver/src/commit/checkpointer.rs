//! Decides when a checkpoint is made, on a thread of its own.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use dbconfig::Config;
use fwlog::Timestamp;

use crate::databases::control::{DatabaseEntry, RedoPoint};
use crate::error::EngineError;

/// The log is looked at for a due checkpoint each time it has grown by this much.
const LOOK_EVERY_BYTES: u64 = 4 << 20;

/// While the data files stand still it is looked so often whether they still do.
const STILL_POLL: Duration = Duration::from_secs(1);

/// Pause after a failed checkpoint; each further failure doubles it, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// When a checkpoint is due.
#[derive(Debug, Clone)]
pub struct CheckpointPolicy {
    /// Bytes of log or of page versions since the last one (CheckpointSize).
    pub size: u64,
    /// Time since the last one, if anything was written (CheckpointInterval).
    pub interval: Duration,
}

impl CheckpointPolicy {
    /// What the configuration says.
    pub fn of(config: &Config) -> Self {
        Self {
            size: config.server.checkpoint_size,
            interval: config.server.checkpoint_interval,
        }
    }
}

/// The place of a master's `Checkpoint` record, as a slave needs it for its own.
#[derive(Debug, Clone)]
pub struct SlaveRedo {
    /// Where redo starts afterwards.
    pub redo: RedoPoint,
    /// The databases as they were there.
    pub databases: Vec<DatabaseEntry>,
}

/// What makes the checkpoints: a master's or a slave's environment.
pub trait CheckpointTarget: Send + Sync {
    /// Makes one now. `redo`: a slave's, at the place of the master's `Checkpoint` record.
    fn checkpoint(&self, redo: Option<SlaveRedo>) -> Result<(), EngineError>;
    /// Why none is made at present: the data files stand still.
    fn standing_still(&self) -> Option<EngineError>;
    /// Bytes of log since the environment began.
    fn log_bytes(&self) -> u64;
    /// Bytes of page versions that are not in the data files.
    fn dirty_bytes(&self) -> u64;
    /// Whether checkpoints are the server's own idea (a master) or follow the log (a slave).
    fn decides(&self) -> bool;
}

/// Checkpoints fail, and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointTrouble {
    /// When the first of them failed.
    pub since: Timestamp,
    /// What was wrong with the last one.
    pub text: String,
    failures: u32,
}

#[derive(Debug, Default)]
struct Requests {
    look: bool,
    slave: Option<SlaveRedo>,
    asked: u64,
    done: u64,
    last_error: Option<EngineError>,
    trouble: Option<CheckpointTrouble>,
    /// After a failure: not before then, unless somebody asks.
    not_before: Option<Instant>,
    stop: bool,
}

impl Requests {
    /// One line for a failure, however often it comes, and one for the end of it.
    fn note(&mut self, error: Option<&EngineError>) {
        let Some(error) = error else {
            self.not_before = None;
            if let Some(trouble) = self.trouble.take() {
                let (failures, since) = (trouble.failures, trouble.since);
                tracing::info!(failures, %since, "checkpoints succeed again");
            }
            return;
        };
        let text = format!("{error}; {}", way_out(error));
        let known = self.trouble.take();
        if known.as_ref().is_none_or(|known| known.text != text) {
            tracing::error!(%error, "checkpoint failed; redo still starts at the one before, and the log grows: {}", way_out(error));
        }
        let failures = known.as_ref().map_or(0, |known| known.failures);
        let pause = FIRST_PAUSE.saturating_mul(1 << failures.min(10));
        self.not_before = Some(Instant::now() + pause.min(LONGEST_PAUSE));
        self.trouble = Some(CheckpointTrouble {
            since: known.map_or_else(Timestamp::now, |known| known.since),
            text,
            failures: failures.saturating_add(1),
        });
    }
}

/// What a person does about a checkpoint that fails. It is tried again by itself.
fn way_out(error: &EngineError) -> String {
    error.hint().unwrap_or_else(|| {
        let way_out = match error {
            EngineError::StorageFull(_) => "Free space on that disk.",
            _ => "Look at the disks of DataDir and TmpDir, and at the system's log.",
        };
        way_out.to_owned()
    })
}

/// The requests to the checkpoint thread.
#[derive(Debug)]
pub struct Checkpointer {
    requests: Mutex<Requests>,
    changed: Condvar,
    looked_at: AtomicU64,
    policy: CheckpointPolicy,
}

impl Checkpointer {
    /// No request yet.
    pub fn new(policy: CheckpointPolicy) -> Arc<Self> {
        Arc::new(Self {
            requests: Mutex::default(),
            changed: Condvar::new(),
            looked_at: AtomicU64::new(0),
            policy,
        })
    }

    /// The log has grown to `log_bytes`: cheap, called after each group commit.
    pub fn note(&self, log_bytes: u64) {
        let looked_at = self.looked_at.load(Ordering::Relaxed);
        if log_bytes >= looked_at + LOOK_EVERY_BYTES {
            self.looked_at.store(log_bytes, Ordering::Relaxed);
            self.look();
        }
    }

    /// Much was written: a checkpoint may be due.
    pub fn look(&self) {
        self.requests().look = true;
        self.changed.notify_all();
    }

    /// A slave has applied the master's `Checkpoint` record.
    pub fn note_record(&self, redo: SlaveRedo) {
        self.requests().slave = Some(redo);
        self.changed.notify_all();
    }

    /// The place of a slave's checkpoint that was not made any more, once the thread has ended.
    pub fn take_pending(&self) -> Option<SlaveRedo> {
        self.requests().slave.take()
    }

    /// Asks for a checkpoint and waits until one that began afterwards is complete.
    pub fn checkpoint_now(&self) -> Result<(), EngineError> {
        let mut requests = self.requests();
        requests.asked += 1;
        let ticket = requests.asked;
        self.changed.notify_all();
        while requests.done < ticket {
            if requests.stop {
                return Err(EngineError::ChangingRole);
            }
            requests = self
                .changed
                .wait(requests)
                .unwrap_or_else(PoisonError::into_inner);
        }
        requests.last_error.clone().map_or(Ok(()), Err)
    }

    /// Why checkpoints fail at present, if they do.
    pub fn trouble(&self) -> Option<CheckpointTrouble> {
        self.requests().trouble.clone()
    }

    /// Ends the thread after the checkpoint that it is in.
    pub fn stop(&self) {
        self.requests().stop = true;
        self.changed.notify_all();
    }

    /// The thread's body.
    pub fn run(&self, target: &dyn CheckpointTarget) {
        let mut last = Instant::now();
        let mut log_at_last = target.log_bytes();
        while let Some((ticket, redo)) = self.wait_until_due(target, last, log_at_last) {
            let result = target.checkpoint(redo.clone());
            if result.is_err() && target.standing_still().is_some() {
                // Since a moment ago: whoever has asked is told so, and a slave's place waits.
                let mut requests = self.requests();
                requests.slave = requests.slave.take().or(redo);
                continue;
            }
            last = Instant::now();
            log_at_last = target.log_bytes();
            let mut requests = self.requests();
            requests.done = requests.done.max(ticket);
            requests.note(result.as_ref().err());
            requests.last_error = result.err();
            self.changed.notify_all();
        }
    }

    /// `None`: the server stops.
    fn wait_until_due(
        &self,
        target: &dyn CheckpointTarget,
        last: Instant,
        log_at_last: u64,
    ) -> Option<(u64, Option<SlaveRedo>)> {
        let mut requests = self.requests();
        loop {
            if requests.stop {
                return None;
            }
            if let Some(why) = target.standing_still() {
                // A slave's place waits; a person does not.
                if requests.asked > requests.done {
                    requests.done = requests.asked;
                    requests.last_error = Some(why);
                    self.changed.notify_all();
                }
                requests = self.wait_at_most(requests, STILL_POLL);
                continue;
            }
            let redo = requests.slave.take();
            if redo.is_some() || requests.asked > requests.done {
                return Some((requests.asked, redo));
            }
            requests.look = false;
            let paused = requests
                .not_before
                .map(|at| at.saturating_duration_since(Instant::now()))
                .filter(|pause| !pause.is_zero());
            if paused.is_none() && target.decides() && self.is_due(target, last, log_at_last) {
                return Some((requests.asked, None));
            }
            let wait = self.policy.interval.saturating_sub(last.elapsed());
            // Nothing is due before the interval ends; afterwards only growth of the log counts.
            let wait = if wait.is_zero() {
                self.policy.interval
            } else {
                wait
            };
            let wait = paused.unwrap_or(wait);
            requests = self.wait_at_most(requests, wait.max(Duration::from_millis(10)));
        }
    }

    fn wait_at_most<'a>(
        &self,
        requests: MutexGuard<'a, Requests>,
        wait: Duration,
    ) -> MutexGuard<'a, Requests> {
        let waited = self.changed.wait_timeout(requests, wait);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn is_due(&self, target: &dyn CheckpointTarget, last: Instant, log_at_last: u64) -> bool {
        let grown = target.log_bytes().saturating_sub(log_at_last);
        // The checkpoint's own record is no reason for the next one.
        let changed = grown > 4096;
        grown >= self.policy.size
            || target.dirty_bytes() >= self.policy.size
            || (changed && last.elapsed() >= self.policy.interval)
    }

    fn requests(&self) -> MutexGuard<'_, Requests> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
