//! What was given to the writer and not taken by its thread yet.

use crate::durable_end::Durable;
use crate::numbers::CommitNumber;
use crate::position::SegmentId;
use crate::record::GenerationReason;
use crate::writer::reply::Sender;

/// One thing to do.
pub(crate) enum Request {
    /// Put these records into the log; the newest commit among them.
    Records(Vec<u8>, Option<CommitNumber>),
    /// End the block here.
    Mark(Sender<Durable>),
    /// Go on in the next segment.
    Switch(Sender<SegmentId>),
    /// Go on in a new generation.
    NewGeneration(GenerationReason, Sender<SegmentId>),
    /// Write the files once more that have lost their names.
    CheckNames(Sender<()>),
    /// Seal, and end.
    Close(Sender<Durable>),
    /// End.
    Stop,
}

/// What the writer's thread is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WriterThread {
    /// It works, or is about to look for work.
    Awake,
    /// It waits.
    Asleep,
    /// There is something for it that nobody who waits for a commit need come by for.
    Called,
}

/// The queue. Whoever holds its lock decides the order of the log.
pub(crate) struct Queue {
    pub(crate) requests: Vec<Request>,
    /// Bytes of records in `requests`.
    pub(crate) bytes: usize,
    /// Newest commit that was queued.
    pub(crate) last_commit: CommitNumber,
    pub(crate) thread: WriterThread,
    /// Whether somebody waits for one of the requests, which then are not held back.
    pub(crate) urgent: bool,
    /// How many callers wait for room.
    pub(crate) waiting: usize,
    /// How many requests are waited for, while somebody holds a group back.
    pub(crate) wanted: Option<usize>,
    /// Whether nobody will take anything out of here any more.
    pub(crate) ended: bool,
}

impl Queue {
    pub(crate) fn new(last_commit: CommitNumber) -> Self {
        Self {
            requests: Vec::new(),
            bytes: 0,
            last_commit,
            thread: WriterThread::Awake,
            urgent: false,
            waiting: 0,
            wanted: None,
            ended: false,
        }
    }

    /// Whether a group that is held back may go: enough, or something that a caller waits for.
    pub(crate) fn may_go(&self) -> bool {
        self.urgent
            || self
                .wanted
                .is_none_or(|wanted| self.requests.len() >= wanted)
    }

    /// What is queued is the thread's to do. `true`: the caller has to wake it.
    #[must_use]
    pub(crate) fn call_thread(&mut self) -> bool {
        std::mem::replace(&mut self.thread, WriterThread::Called) == WriterThread::Asleep
    }

    /// Takes everything out into `requests`, which is empty.
    pub(crate) fn take(&mut self, requests: &mut Vec<Request>) {
        self.thread = match self.thread {
            WriterThread::Called => WriterThread::Awake,
            state => state,
        };
        self.wanted = None;
        self.urgent = false;
        self.bytes = 0;
        std::mem::swap(&mut self.requests, requests);
    }

    pub(crate) fn push(&mut self, request: Request) {
        match &request {
            Request::Records(bytes, _) => self.bytes += bytes.len(),
            _ => self.urgent = true,
        }
        // After an end in the queue nothing more is taken.
        self.ended |= matches!(request, Request::Close(_) | Request::Stop);
        self.requests.push(request);
    }
}
