//! The writer: the one thing that puts records into the log.

mod error;
mod executor;
mod group;
mod linger;
mod queue;
mod reply;
mod segment;
mod shared;
mod start;
mod time;
mod waiters;
mod worker;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::block::Compression;
use crate::clock::Clock;
use crate::durable_end::Durable;
use crate::identity::LogIdentity;
use crate::numbers::{CommitNumber, Generation};
use crate::position::SegmentId;
use crate::record::{GenerationReason, RecordBuffer};
use crate::store::SegmentStore;
use crate::timestamp::Timestamp;
use executor::{Executor, Stepper};
use queue::Request;
use reply::Reply;
use shared::Shared;
use start::WriterContext;
use time::LogTime;
use worker::Worker;

pub use error::WriterError;
pub use linger::Linger;

/// When a commit counts as durable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SyncPolicy {
    /// When the disk has it: one sync for each group.
    #[default]
    Always,
    /// When the operating system has it; the disk gets it within this time. A crash of the server
    /// loses nothing, a power cut loses at most so much. `fw.position` tells what the disk has.
    ///
    /// Whoever writes pages of such commits into data files waits for a [`Writer::mark`] first, taken
    /// after those commits: data files must never be ahead of the log on the disk.
    Interval(Duration),
}

/// How the log is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriterOptions {
    /// A new segment begins when one has reached this size, in bytes.
    pub max_segment_size: u64,
    /// How blocks are stored.
    pub compression: Compression,
    /// When a commit counts as durable.
    pub sync: SyncPolicy,
    /// Bytes of zeros written ahead of the end, so that a sync finds its space allocated.
    pub preallocate: u64,
    /// A block holds no more than so many bytes of records, unless it is one buffer.
    pub max_block: usize,
    /// [`Writer::append`] waits while so many bytes are queued.
    pub max_queued: usize,
    /// Where times come from.
    pub clock: Clock,
}

impl Default for WriterOptions {
    fn default() -> Self {
        Self {
            max_segment_size: 256 << 20,
            compression: Compression::Zstd,
            sync: SyncPolicy::Always,
            preallocate: 1 << 20,
            max_block: 1 << 20,
            max_queued: 64 << 20,
            clock: Clock::system(),
        }
    }
}

/// Where a writer begins. It always begins a segment of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// The first segment of a fresh environment, 1-1.
    Create,
    /// The first segment of a log, 1-1, that begins behind this commit of an environment.
    Behind {
        /// The newest commit that is not in it.
        commit: CommitNumber,
        /// When that was, at the latest.
        time: Timestamp,
    },
    /// The next segment of the same generation, after this end.
    NextSegment {
        /// The end of the log as recovery found it. The segment is sealed there if it is not yet.
        after: Durable,
    },
    /// The first segment of the next generation, after this end.
    NewGeneration {
        /// Why there is a new generation.
        reason: GenerationReason,
        /// The end of the history that it goes on from; sealed there if it is not yet. When its
        /// segment is not in this store, it is taken as given.
        after: Durable,
    },
    /// The first segment of this generation, after an end up to which the log was restored: generations between may have been
    /// given elsewhere, and are passed over. Its reason is that.
    Restored {
        /// Its number, above that of the end.
        generation: Generation,
        /// The end, as for [`Begin::NewGeneration`].
        after: Durable,
    },
}

impl Begin {
    /// The end of the log that is gone on with.
    fn after(&self) -> Durable {
        match self {
            Self::Create => Durable::NOTHING,
            Self::Behind { commit, time } => Durable {
                commit: *commit,
                time: *time,
                ..Durable::NOTHING
            },
            Self::NextSegment { after }
            | Self::NewGeneration { after, .. }
            | Self::Restored { after, .. } => *after,
        }
    }
}

/// Is called with the new durable end after each group, on the writer's thread: make it short.
pub type Observer = Box<dyn Fn(&Durable) + Send>;

/// Writes the log on a thread of its own.
///
/// ```text
///  append ──► queue ──► group: block, block … ──► one write ──► one sync ──► fw.position ──►
///                                                     waiters whose commits it held go on
/// ```
///
/// The first failure is kept: after it every call returns it, and nothing is written any more. Then
/// the owner drops the writer, recovers, and starts a new one.
pub struct Writer {
    shared: Arc<Shared>,
    executor: Executor,
    store: Arc<SegmentStore>,
}

impl Writer {
    /// Makes the segment that `begin` says, and starts the thread.
    ///
    /// A new generation begins with its `Generation` record. All of this is durable on return.
    pub fn start(
        store: Arc<SegmentStore>,
        identity: LogIdentity,
        options: WriterOptions,
        begin: Begin,
        observer: Observer,
    ) -> Result<Self, WriterError> {
        let context = WriterContext::new(store, identity, options, &begin, observer);
        Self::begin(context, begin, Executor::thread)
    }

    /// The same without a thread: [`Writer::drive`] does its work, and so does whoever waits for it.
    /// Nothing is held back for company, and [`Writer::append`] never waits. For simulations, where all
    /// happens in the order of the calls.
    pub fn driven(
        store: Arc<SegmentStore>,
        identity: LogIdentity,
        mut options: WriterOptions,
        begin: Begin,
        observer: Observer,
    ) -> Result<Self, WriterError> {
        options.max_queued = usize::MAX;
        let context = WriterContext::new(store, identity, options, &begin, observer);
        Self::begin(context, begin, |worker| {
            Ok(Executor::Manual(Stepper::new(worker)))
        })
    }

    fn begin(
        context: WriterContext,
        begin: Begin,
        executor: impl FnOnce(Worker) -> Result<Executor, WriterError>,
    ) -> Result<Self, WriterError> {
        let store = Arc::clone(&context.store);
        let (shared, worker) = start::start(context, begin)?;
        let executor = executor(worker)?;
        Ok(Self {
            shared,
            executor,
            store,
        })
    }

    /// Writes what is queued as one group, on a writer without a thread. An interval of
    /// [`SyncPolicy::Interval`] that is over by the clock ends with it, also when nothing is queued.
    /// `false`: it was closed, or it has failed.
    pub fn drive(&self) -> bool {
        self.executor.stepper().is_none_or(|stepper| stepper.step())
    }

    /// The time for what is appended next: what the clock shows, but never earlier than anything in
    /// the log, nor than this has told before.
    pub fn now(&self) -> Timestamp {
        self.shared.time.now()
    }

    /// No time that is told or written from now on is earlier than this one: what is appended has it.
    pub fn not_before(&self, time: Timestamp) {
        self.shared.time.reach(time);
    }

    /// Queues records, which will stand in the log in the order of these calls. `commits` is the
    /// first and last commit among them, `None` when there is none; numbers go on without a gap.
    ///
    /// Returns at once, unless [`WriterOptions::max_queued`] bytes are queued already.
    pub fn append(
        &self,
        records: RecordBuffer,
        commits: Option<(CommitNumber, CommitNumber)>,
    ) -> Result<(), WriterError> {
        self.shared.append(records, commits, None)
    }

    /// Queues records that hold no commit, with a mark behind them: it tells for certain whether they
    /// are in the log. An error here, or of the mark, says that they are not durable; nobody who goes
    /// on from the durable end will find them.
    pub fn append_marked(&self, records: RecordBuffer) -> Result<Mark, WriterError> {
        let (reply, sender) = Reply::new(&self.shared, self.executor.stepper());
        self.shared
            .append(records, None, Some(Request::Mark(sender)))?;
        Ok(Mark { reply })
    }

    /// Ends the block after what was appended before this call, and tells where that is.
    pub fn mark(&self) -> Result<Mark, WriterError> {
        let (reply, sender) = Reply::new(&self.shared, self.executor.stepper());
        self.shared.push(Request::Mark(sender))?;
        Ok(Mark { reply })
    }

    /// Holds small groups back from now on while more transactions are about to commit. The first
    /// call counts.
    pub fn linger(&self, linger: Linger) {
        self.shared.set_linger(linger);
    }

    /// The durable end.
    pub fn durable(&self) -> Durable {
        self.shared.durable()
    }

    /// Waits until a commit is durable.
    pub fn wait_durable(&self, commit: CommitNumber) -> Result<(), WriterError> {
        match &self.executor {
            Executor::Manual(stepper) => while !self.shared.is_durable(commit) && stepper.step() {},
            Executor::Thread(crew) => {
                if self.shared.is_led() && !self.shared.is_durable(commit) {
                    crew.lead(&self.shared, commit);
                }
            }
        }
        self.shared.wait_durable(commit)
    }

    /// Seals the segment behind what was appended so far, and goes on in the next one.
    pub fn switch(&self) -> Result<SegmentId, WriterError> {
        let (reply, sender) = Reply::new(&self.shared, self.executor.stepper());
        self.shared.push(Request::Switch(sender))?;
        reply.wait()
    }

    /// Seals the segment behind what was appended so far, and goes on in a new generation.
    pub fn new_generation(&self, reason: GenerationReason) -> Result<SegmentId, WriterError> {
        let (reply, sender) = Reply::new(&self.shared, self.executor.stepper());
        self.shared.push(Request::NewGeneration(reason, sender))?;
        reply.wait()
    }

    /// A writer that has failed before it wrote anything: it takes nothing, and says why.
    pub fn failed(store: Arc<SegmentStore>, durable: Durable, failure: WriterError) -> Self {
        let time = LogTime::new(Clock::system(), durable.time);
        let shared = Shared::new(durable, 0, false, Arc::new(time));
        shared.fail(failure);
        shared.end();
        Self {
            shared: Arc::new(shared),
            executor: Executor::ended(),
            store,
        }
    }

    /// Where it writes, also when it has ended.
    pub fn store(&self) -> &Arc<SegmentStore> {
        &self.store
    }

    /// Sees whether the open segment and `fw.position` still have their names, and writes them once
    /// more where they have not. The same happens with the segment at every sync.
    ///
    /// An error is the writer's failure: then the directory is not there either.
    pub fn look_after_files(&self) -> Result<(), WriterError> {
        let (reply, sender) = Reply::new(&self.shared, self.executor.stepper());
        self.shared.push(Request::CheckNames(sender))?;
        reply.wait()
    }

    /// The files that were written once more since this was asked last.
    pub fn take_restored(&self) -> Vec<PathBuf> {
        self.shared.take_restored()
    }

    /// The first failure, if there was one.
    pub fn failure(&self) -> Option<WriterError> {
        self.shared.failure()
    }

    /// Writes what is queued, seals the segment and ends the thread. Calls after it fail.
    pub fn close(&self) -> Result<Durable, WriterError> {
        let (reply, sender) = Reply::new(&self.shared, self.executor.stepper());
        self.shared.push(Request::Close(sender))?;
        let durable = reply.wait();
        self.executor.join(&self.shared);
        durable
    }
}

/// Writes what is queued and ends the thread; the segment stays open, as after a crash.
impl Drop for Writer {
    fn drop(&mut self) {
        // Refused when the thread ends already, which is as good.
        self.shared.push(Request::Stop).unwrap_or_default();
        self.executor.join(&self.shared);
    }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer")
            .field("durable", &self.durable())
            .finish_non_exhaustive()
    }
}

/// A block border that is on its way to the disk.
#[derive(Debug)]
pub struct Mark {
    reply: Reply<Durable>,
}

impl Mark {
    /// Waits until everything before the border is on the disk; tells the log's state there. May be
    /// called again.
    pub fn wait(&self) -> Result<Durable, WriterError> {
        self.reply.wait()
    }
}
