//! What a slave does and a master does not: receive a master's log, mirror it, apply it.
//!
//! ```text
//! dbrepl ─▶ serve (one connection) ─▶ Mirror: same bytes ─▶ queue ─▶ applier thread
//!                                           └▶ fdatasync             │
//!                ◀─ Status: received, durable, applied ◀─────────────┘
//! ```

mod copying;
mod errand;
mod feed_state;
mod given;
mod hold;
mod mend;
mod queue;
pub(crate) mod refusal;
mod retry;
mod waits;

use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use dbproto::{Progress, Refuse};
use fwlog::{
    Block, Clock, EnvironmentId, IoFailure, Mirror, MirrorError, Recovered, SegmentStore, Timestamp,
};
use pgtypes::SqlState;
use tokio::sync::Notify;

use crate::apply::applier::Applier;
use crate::apply::readers::HeldBack;
use crate::commit::tell_restored;
use crate::databases::control::{Identity as ControlIdentity, RedoPoint};
use crate::databases::host::Host;
use crate::error::EngineError;
use crate::slave::errand::Errands;
use crate::slave::feed_state::Hearing;
use crate::slave::given::Given;
use crate::slave::queue::WorkQueue;
use crate::slave::waits::Waits;

pub use copying::Copying;
pub use feed_state::FeedState;
pub(crate) use hold::HELD;
pub(crate) use queue::{NotTaken, Work, WorkReceiver};

/// How often a checkpoint looks whether the log is on the disk: a sync begins within 5 ms.
const DISK_POLL: Duration = Duration::from_millis(2);

/// How often it looks whether readers have left, or more of the log is on its disk.
const MOMENT: Duration = Duration::from_millis(20);

/// How far the slave is, and what it knows of its source.
#[derive(Debug, Clone, Default)]
pub struct SlaveProgress {
    /// Taken from the connection.
    pub received: Option<Progress>,
    /// In the mirror, on disk.
    pub durable: Option<Progress>,
    /// The mirror's newest segment is sealed.
    pub sealed: bool,
    /// Visible to readers.
    pub applied: Option<Progress>,
    /// Applied, or held back by readers.
    pub taken: Option<Progress>,
    /// Why nothing is applied, if so.
    pub suspended: Option<String>,
    /// Since when.
    pub suspended_since: Timestamp,
    /// Applying goes on by itself as soon as this is over: the SQLSTATE of a disk that is full or fails.
    pub waits_for: Option<SqlState>,
    /// The reader that it waits for, if it is one.
    pub held_back: Option<HeldBack>,
    /// The connection that feeds it.
    pub feed: FeedState,
    /// A copy that it takes, in place of the log.
    pub copying: Option<Copying>,
}

impl SlaveProgress {
    /// Nothing is applied any more, for this reason, until the server starts again.
    pub(crate) fn end_applying(&mut self, why: String) {
        self.suspended = Some(why);
        self.waits_for = None;
        self.held_back = None;
    }

    /// Nothing more is applied, whatever is mended.
    pub(crate) fn has_ended_applying(&self) -> bool {
        self.suspended.is_some() && self.waits_for.is_none()
    }

    /// Why nothing is applied, if so, and what to do about it.
    pub(crate) fn why_suspended(&self) -> Option<String> {
        let next = match self.waits_for {
            Some(SqlState::OBJECT_IN_USE) => {
                "it goes on by itself as soon as that session ends ('dbctl session kill', MaxApplyDelay)"
            }
            Some(HELD) => "'dbctl receiver start --updateonly' goes on with it",
            Some(_) => "mend that, and the slave goes on by itself",
            None => {
                "look at the slave's log; mend that and restart the slave, or re-synchronize it"
            }
        };
        let why = self.suspended.as_ref()?;
        Some(format!("{why}; {next}"))
    }
}

/// Where the mirror is.
pub(crate) enum MirrorPlace {
    /// Here; `None` on an empty slave.
    Free(Option<Box<Mirror>>),
    /// With the one connection that receives.
    Taken,
}

/// Says whether the rest of the environment is in order.
type Ready = Box<dyn Fn() -> Result<(), EngineError> + Send + Sync>;

/// The slave's log: the mirror, the queue to the applier, and how far all is.
pub struct SlaveLog {
    /// Where the mirror is at present.
    store: RwLock<Arc<SegmentStore>>,
    /// Whether the directory of FwLog is wanted for it.
    forward_logging: AtomicBool,
    /// See [`SlaveLog::set_ready`].
    ready: OnceLock<Ready>,
    /// What somebody waits for.
    errands: Errands,
    /// What nobody waits for.
    chores: Errands,
    mirror: Mutex<MirrorPlace>,
    /// Rung when the mirror is free again.
    freed: Condvar,
    /// Whoever feeds it has to leave, and nobody comes in.
    feed_ended: AtomicBool,
    progress: Mutex<SlaveProgress>,
    given: Given,
    hearing: Hearing,
    clock: Clock,
    /// Rung when `progress` has changed, for the connection's status messages.
    changed: Notify,
    /// Zeros written ahead of the end of the mirror's open segment.
    preallocate: u64,
    queue: Arc<WorkQueue>,
    waits: Waits,
    /// Taken by the applier's thread, if there is one.
    work: Mutex<Option<(WorkReceiver, Applier)>>,
}

impl SlaveLog {
    /// A slave that goes on behind what it has recovered.
    pub(crate) fn resume(
        store: Arc<SegmentStore>,
        host: &Host,
        recovered: &Recovered,
        applier: Applier,
    ) -> Result<Self, EngineError> {
        let mirror = Mirror::open(
            Arc::clone(&store),
            recovered.environment,
            host.preallocate,
            Some(recovered),
        )
        .map_err(|error| EngineError::Corrupt(error.to_string()))?;
        let at = Progress {
            point: recovered.end,
            commit: recovered.last_commit,
            time: recovered.time,
        };
        let progress = SlaveProgress {
            received: Some(at),
            durable: Some(at),
            sealed: recovered.sealed,
            applied: Some(at),
            ..SlaveProgress::default()
        };
        Ok(Self::new(store, host, Some(mirror), progress, applier))
    }

    /// A slave with the data of a cleanly stopped master and none of its log: the master's next
    /// segment is the first one here.
    pub(crate) fn copied(
        store: Arc<SegmentStore>,
        host: &Host,
        identity: &ControlIdentity,
        applier: Applier,
    ) -> Result<Self, EngineError> {
        let (id, preallocate) = (identity.environment, host.preallocate);
        let mirror = Mirror::open(Arc::clone(&store), id, preallocate, None)
            .map_err(|error| EngineError::Corrupt(error.to_string()))?;
        let RedoPoint { point, commit, .. } = identity.redo;
        let at = Progress {
            point,
            commit,
            time: host.clock.now(),
        };
        let progress = SlaveProgress {
            received: Some(at),
            durable: Some(at),
            sealed: true,
            applied: Some(at),
            ..SlaveProgress::default()
        };
        Ok(Self::new(store, host, Some(mirror), progress, applier))
    }

    /// An empty slave: the first master that connects gives it its environment, unless one has before.
    pub(crate) fn empty(
        store: Arc<SegmentStore>,
        host: &Host,
        environment: Option<EnvironmentId>,
        applier: Applier,
    ) -> Result<Self, EngineError> {
        let mirror = environment.map(|environment| {
            Mirror::open(Arc::clone(&store), environment, host.preallocate, None)
        });
        let mirror = mirror
            .transpose()
            .map_err(|error| EngineError::Corrupt(error.to_string()))?;
        let progress = SlaveProgress::default();
        Ok(Self::new(store, host, mirror, progress, applier))
    }

    fn new(
        store: Arc<SegmentStore>,
        host: &Host,
        mirror: Option<Mirror>,
        mut progress: SlaveProgress,
        applier: Applier,
    ) -> Self {
        progress.feed.since = host.clock.now();
        let (queue, work) = WorkQueue::new();
        Self {
            store: RwLock::new(store),
            forward_logging: AtomicBool::new(true),
            ready: OnceLock::new(),
            errands: Errands::default(),
            chores: Errands::default(),
            mirror: Mutex::new(MirrorPlace::Free(mirror.map(Box::new))),
            freed: Condvar::new(),
            feed_ended: AtomicBool::new(false),
            progress: Mutex::new(progress),
            given: Given::default(),
            hearing: Hearing::new(),
            clock: host.clock.clone(),
            changed: Notify::new(),
            preallocate: host.preallocate,
            queue,
            waits: Waits::default(),
            work: Mutex::new(Some((work, applier))),
        }
    }

    /// How far the slave is.
    pub fn progress(&self) -> SlaveProgress {
        self.state().clone()
    }

    fn progress_is(&self, look: impl FnOnce(&SlaveProgress) -> bool) -> bool {
        look(&self.state())
    }

    /// When the side that feeds it was last heard.
    pub(crate) fn hearing(&self) -> &Hearing {
        &self.hearing
    }

    /// What the clock says.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Ends the applier's thread after what it has.
    pub(crate) fn stop(&self) {
        self.waits.end();
        self.queue.stop();
    }

    /// Ends the connection that feeds it, and lets nobody in; waits until it has given back the mirror, so
    /// long at most.
    pub(crate) fn end_feed(&self, at_most: Duration) -> Result<(), EngineError> {
        self.feed_ended.store(true, Ordering::Release);
        self.changed.notify_one();
        let (place, _timed_out) = self
            .freed
            .wait_timeout_while(self.mirror_place(), at_most, |place| {
                matches!(place, MirrorPlace::Taken)
            })
            .unwrap_or_else(PoisonError::into_inner);
        if let MirrorPlace::Free(_) = &*place {
            return Ok(());
        }
        self.accept_feed();
        Err(EngineError::state(
            "the connection of a dbrepl to this slave does not end",
            "Stop that dbrepl, and try again.",
        ))
    }

    /// A dbrepl may come again.
    pub(crate) fn accept_feed(&self) {
        self.feed_ended.store(false, Ordering::Release);
    }

    /// Whether the feed has to end.
    pub(crate) fn feed_has_ended(&self) -> bool {
        self.feed_ended.load(Ordering::Acquire)
    }

    /// Comes back when there is something new to report.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// The way to the applier.
    pub(crate) fn queue(&self) -> &WorkQueue {
        &self.queue
    }

    /// Waits a moment, unless the server stops.
    pub(crate) fn wait_a_moment(&self) -> bool {
        self.waits.wait_for(MOMENT)
    }

    /// The mirror of an empty slave that adopts an environment.
    pub(crate) fn first_mirror(&self, environment: EnvironmentId) -> Result<Mirror, MirrorError> {
        Mirror::open(self.store(), environment, self.preallocate, None)
    }

    /// Syncs the mirror for the last time.
    pub(crate) fn close(&self) -> Result<(), EngineError> {
        let durable = match &mut *self.mirror_place() {
            // It was told of when it failed, and what it has not synced is not acknowledged.
            MirrorPlace::Free(Some(mirror)) if mirror.failure().is_some() => None,
            MirrorPlace::Free(Some(mirror)) => mirror
                .sync()
                .map_err(|error| EngineError::Corrupt(error.to_string()))?,
            // What a connection has not synced, it has not acknowledged either.
            MirrorPlace::Free(None) | MirrorPlace::Taken => None,
        };
        if let Some(durable) = &durable {
            self.update(|progress| progress.durable = Some(durable.into()));
        }
        Ok(())
    }

    /// Takes the mirror for one connection.
    pub(crate) fn take_mirror(&self) -> MirrorPlace {
        mem::replace(&mut *self.mirror_place(), MirrorPlace::Taken)
    }

    pub(crate) fn give_back(&self, mirror: Option<Box<Mirror>>) {
        *self.mirror_place() = MirrorPlace::Free(mirror);
        self.freed.notify_all();
    }

    fn mirror_place(&self) -> MutexGuard<'_, MirrorPlace> {
        self.mirror.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the mirror has failed in a way that only a restart mends.
    pub fn has_failed(&self) -> bool {
        match &*self.mirror_place() {
            MirrorPlace::Free(Some(mirror)) => mirror
                .failure()
                .is_some_and(|failure| !failure.is_disk_full()),
            MirrorPlace::Free(None) | MirrorPlace::Taken => false,
        }
    }

    /// Where the mirror is.
    pub(crate) fn store(&self) -> Arc<SegmentStore> {
        let store = self.store.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&store)
    }

    /// The mirror is in another directory from now on.
    pub(crate) fn set_store(&self, store: Arc<SegmentStore>) {
        *self.store.write().unwrap_or_else(PoisonError::into_inner) = store;
    }

    /// Whether the directory of FwLog is wanted, now or from the master's next segment on.
    pub(crate) fn wants_forward_log(&self) -> bool {
        self.forward_logging.load(Ordering::Acquire)
    }

    /// It is, or is not.
    pub(crate) fn want_forward_log(&self, wanted: bool) {
        self.forward_logging.store(wanted, Ordering::Release);
    }

    /// What has to be in order before the mirror may be mended, and written again.
    pub(crate) fn set_ready(&self, ready: Ready) {
        assert!(self.ready.set(ready).is_ok(), "a slave is made ready once");
    }

    fn get_ready(&self) -> Result<(), EngineError> {
        self.ready.get().map_or(Ok(()), |ready| ready())
    }

    /// Sees whether the files of the mirror still have their names, unless a connection does. Gives the
    /// mirror's failure, if it has one that lasts.
    pub(crate) fn look_after_files(&self) -> Option<IoFailure> {
        let mut place = self.mirror_place();
        let MirrorPlace::Free(mirror) = &mut *place else {
            return None;
        };
        if mirror.as_ref()?.failure().is_some() {
            // Its success is seen from the failure that is gone.
            let mended = self.mend(mirror);
            tracing::debug!(mended = mended.is_ok(), "an attempt to mend the mirror");
        }
        let mirror = mirror.as_mut()?;
        let looked = mirror.look_after_files();
        tell_restored(mirror.take_restored());
        looked.err().and_then(|_| mirror.failure().cloned())
    }

    pub(crate) fn update(&self, change: impl FnOnce(&mut SlaveProgress)) {
        let mut state = self.state();
        let suspended = state.suspended.clone();
        change(&mut state);
        if state.suspended.is_some() && state.suspended != suspended {
            state.suspended_since = self.clock.now();
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Rings for the connection that feeds it.
    pub(crate) fn ring(&self) {
        self.changed.notify_one();
    }

    /// Those of the blocks that the applier was not given yet.
    pub(crate) fn not_given_before(&self, blocks: Vec<Block>) -> Result<Vec<Block>, Refuse> {
        self.given.new_ones(blocks)
    }

    /// The applier was given all up to there.
    pub(crate) fn note_given(&self, end: Progress) {
        self.given.note(end);
    }

    /// Whether the applier was given more than all up to there.
    pub(crate) fn has_given_beyond(&self, end: Progress) -> bool {
        let given = self.given.end();
        given.is_some_and(|given| given.point.position > end.point.position)
    }

    /// Whether all that the applier was given is on the disk.
    pub(crate) fn is_durable(&self) -> bool {
        self.has_on_disk(self.given.end())
    }

    /// Waits, so long at most, until all is on the disk that the applier was given up to now.
    pub(crate) fn wait_until_durable(&self, at_most: Duration) -> Result<(), EngineError> {
        let given = self.given.end();
        let deadline = Instant::now() + at_most;
        while !self.has_on_disk(given) {
            if Instant::now() >= deadline {
                return Err(EngineError::state(
                    "the slave's log is not on its disk as far as it is shown",
                    "Look at the slave's disk and at its connection to dbrepl.",
                ));
            }
            thread::park_timeout(DISK_POLL);
        }
        Ok(())
    }

    fn has_on_disk(&self, end: Option<Progress>) -> bool {
        let Some(end) = end else { return true };
        let durable = self.state().durable;
        durable.is_some_and(|durable| end.point.position <= durable.point.position)
    }

    /// Changes what the connection that feeds it asks for by itself: that is not woken for each piece.
    pub(crate) fn note(&self, change: impl FnOnce(&mut SlaveProgress)) {
        change(&mut self.state());
    }

    pub(crate) fn work(&self) -> MutexGuard<'_, Option<(WorkReceiver, Applier)>> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, SlaveProgress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
