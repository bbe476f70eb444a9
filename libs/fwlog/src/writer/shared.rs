//! What the writer's callers and its thread share.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::Thread;
use std::time::{Duration, Instant};

use crate::block::MAX_BLOCK_RAW;
use crate::durable_end::Durable;
use crate::numbers::CommitNumber;
use crate::record::RecordBuffer;
use crate::writer::error::WriterError;
use crate::writer::linger::Linger;
use crate::writer::queue::{Queue, Request, WriterThread};
use crate::writer::time::LogTime;
use crate::writer::waiters::Waiters;

/// What the writer's callers and its thread share.
pub(crate) struct Shared {
    queue: Mutex<Queue>,
    /// The thread waits here for something to do.
    filled: Condvar,
    /// Who holds a group back waits here for company.
    company: Condvar,
    /// Callers wait here while too much is queued.
    emptied: Condvar,
    durable: Mutex<Durable>,
    /// The commit in `durable`, to be read without the lock.
    durable_commit: AtomicU64,
    waiters: Mutex<Waiters>,
    failure: OnceLock<WriterError>,
    ended: OnceLock<()>,
    linger: OnceLock<Linger>,
    /// Files that had lost their names and were written once more.
    restored: Mutex<Vec<PathBuf>>,
    max_queued: usize,
    /// Whoever waits for a commit writes its group; else the thread does.
    is_led: bool,
    pub(crate) time: Arc<LogTime>,
}

impl Shared {
    pub(crate) fn new(
        durable: Durable,
        max_queued: usize,
        is_led: bool,
        time: Arc<LogTime>,
    ) -> Self {
        Self {
            queue: Mutex::new(Queue::new(durable.commit)),
            filled: Condvar::new(),
            company: Condvar::new(),
            emptied: Condvar::new(),
            durable: Mutex::new(durable),
            durable_commit: AtomicU64::new(durable.commit.get()),
            waiters: Mutex::default(),
            failure: OnceLock::new(),
            ended: OnceLock::new(),
            linger: OnceLock::new(),
            restored: Mutex::default(),
            max_queued,
            is_led,
            time,
        }
    }

    /// Queues records, and what follows them without anything in between.
    pub(crate) fn append(
        &self,
        records: RecordBuffer,
        commits: Option<(CommitNumber, CommitNumber)>,
        then: Option<Request>,
    ) -> Result<(), WriterError> {
        let bytes = records.len();
        if bytes > MAX_BLOCK_RAW {
            return Err(WriterError::TooLarge { bytes });
        }
        if bytes == 0 {
            return then.map_or(Ok(()), |request| self.push(request));
        }
        let mut queue = self.queue();
        while queue.bytes > 0 && queue.bytes + bytes > self.max_queued && !self.refuses(&queue) {
            // Perhaps nobody waits for a commit yet.
            if queue.call_thread() {
                self.filled.notify_one();
            }
            queue.waiting += 1;
            queue = self
                .emptied
                .wait(queue)
                .unwrap_or_else(PoisonError::into_inner);
            queue.waiting -= 1;
        }
        if let Some((first, last)) = commits
            && !self.refuses(&queue)
        {
            let expected = queue.last_commit.next();
            if first != expected || last < first {
                return Err(WriterError::CommitOrder {
                    expected,
                    got: first,
                });
            }
        }
        let last = commits.map(|(_, last)| last);
        let records = Request::Records(records.into_bytes(), last);
        self.push_into(queue, records, then)
    }

    pub(crate) fn push(&self, request: Request) -> Result<(), WriterError> {
        self.push_into(self.queue(), request, None)
    }

    fn push_into(
        &self,
        mut queue: MutexGuard<'_, Queue>,
        request: Request,
        then: Option<Request>,
    ) -> Result<(), WriterError> {
        if self.refuses(&queue) {
            drop(queue);
            return Err(self.failure().unwrap_or(WriterError::Closed));
        }
        let mut is_led = self.is_led && then.is_none();
        match &request {
            // Who has queued a commit waits for it, and does the work.
            Request::Records(_, Some(last)) => queue.last_commit = *last,
            _ => is_led = false,
        }
        queue.push(request);
        if let Some(request) = then {
            queue.push(request);
        }
        let held_back = queue.wanted.is_some() && queue.may_go();
        let asleep = !is_led && queue.call_thread();
        drop(queue);
        if held_back {
            self.company.notify_one();
        }
        if asleep {
            self.filled.notify_one();
        }
        Ok(())
    }

    /// Whether nothing more is taken. A failure counts before its thread has told everybody.
    fn refuses(&self, queue: &Queue) -> bool {
        queue.ended || self.failure.get().is_some()
    }

    /// Waits until there is something for the thread to do, but not beyond `deadline`, a time of
    /// [`crate::Clock::elapsed`].
    pub(crate) fn wait_for_work(&self, deadline: Option<Duration>) {
        let mut queue = self.queue();
        while queue.thread != WriterThread::Called && !queue.ended {
            queue.thread = WriterThread::Asleep;
            queue = match deadline.map(|at| at.saturating_sub(self.time.clock().elapsed())) {
                None => self
                    .filled
                    .wait(queue)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(left) if left.is_zero() => break,
                Some(left) => {
                    let woken = self.filled.wait_timeout(queue, left);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        queue.thread = WriterThread::Awake;
    }

    /// Takes what is there into `requests`, which is empty; a small group after a moment in which others may join it.
    pub(crate) fn take(&self, requests: &mut Vec<Request>) {
        let mut queue = self.wait_for_company(self.queue());
        queue.take(requests);
        let someone_waits = queue.waiting > 0;
        drop(queue);
        // A bell that nobody hears is a system call, too.
        if someone_waits {
            self.emptied.notify_all();
        }
    }

    /// Takes what is there.
    pub(crate) fn take_waiting(&self, requests: &mut Vec<Request>) {
        self.queue().take(requests);
    }

    /// Holds a small group back while more transactions are about to commit: one sync for several is
    /// worth more than the short wait costs.
    fn wait_for_company<'q>(&self, mut queue: MutexGuard<'q, Queue>) -> MutexGuard<'q, Queue> {
        let Some(linger) = self.linger.get() else {
            return queue;
        };
        let wanted = linger.group();
        if queue.requests.len() >= wanted || queue.urgent {
            return queue;
        }
        let deadline = Instant::now() + linger.at_most;
        queue.wanted = Some(wanted);
        while !queue.may_go() && !queue.requests.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let woken = self.company.wait_timeout(queue, left);
            queue = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        queue
    }

    /// Lets groups wait for company from now on; the first call counts.
    pub(crate) fn set_linger(&self, linger: Linger) {
        self.linger.get_or_init(|| linger);
    }

    pub(crate) fn wait_durable(&self, commit: CommitNumber) -> Result<(), WriterError> {
        if self.is_durable(commit) {
            return Ok(());
        }
        {
            let mut waiters = self.waiters();
            // `publish` and `end` change their state before they take this lock.
            if !self.is_durable(commit) && !self.has_ended() {
                waiters.add(commit, std::thread::current());
            }
        }
        while !self.is_durable(commit) {
            if self.has_ended() {
                // Whether it became durable is known for good only now.
                return if self.is_durable(commit) {
                    Ok(())
                } else {
                    Err(self.failure().unwrap_or(WriterError::Closed))
                };
            }
            std::thread::park();
        }
        Ok(())
    }

    /// Whether whoever waits for a commit writes its group.
    pub(crate) fn is_led(&self) -> bool {
        self.is_led
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended.get().is_some()
    }

    /// Somebody's turn is over: the thread goes on where more was queued meanwhile.
    pub(crate) fn pass_on(&self) {
        let mut queue = self.queue();
        if queue.requests.is_empty() {
            return;
        }
        if queue.call_thread() {
            drop(queue);
            self.filled.notify_one();
        }
    }

    pub(crate) fn is_durable(&self, commit: CommitNumber) -> bool {
        self.durable_commit.load(Ordering::SeqCst) >= commit.get()
    }

    pub(crate) fn durable(&self) -> Durable {
        *self.durable.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a new durable end known, and wakes those whose commits it holds.
    pub(crate) fn publish(&self, durable: Durable, woken: &mut Vec<Thread>) {
        {
            let mut known = self.durable.lock().unwrap_or_else(PoisonError::into_inner);
            assert!(
                durable.point.position >= known.point.position && durable.commit >= known.commit,
                "what is durable stays durable (invariant 1)"
            );
            *known = durable;
        }
        self.durable_commit
            .store(durable.commit.get(), Ordering::SeqCst);
        self.waiters().take_up_to(durable.commit, woken);
        for thread in woken.drain(..) {
            thread.unpark();
        }
    }

    pub(crate) fn failure(&self) -> Option<WriterError> {
        self.failure.get().cloned()
    }

    /// Keeps the first failure.
    pub(crate) fn fail(&self, error: WriterError) {
        self.failure.get_or_init(|| error);
    }

    /// A file had lost its name and was written once more.
    pub(crate) fn note_restored(&self, path: PathBuf) {
        self.restored().push(path);
    }

    pub(crate) fn take_restored(&self) -> Vec<PathBuf> {
        std::mem::take(&mut self.restored())
    }

    /// No more will be written: all who wait are told, and nothing more is taken.
    pub(crate) fn end(&self) {
        self.ended.get_or_init(|| ());
        let requests = {
            let mut queue = self.queue();
            queue.ended = true;
            queue.bytes = 0;
            std::mem::take(&mut queue.requests)
        };
        // Outside of the lock: this tells those who wait for an answer.
        drop(requests);
        self.emptied.notify_all();
        self.filled.notify_all();
        self.company.notify_all();
        let mut woken = Vec::new();
        self.waiters()
            .take_up_to(CommitNumber::new(u64::MAX), &mut woken);
        for thread in woken {
            thread.unpark();
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn restored(&self) -> MutexGuard<'_, Vec<PathBuf>> {
        self.restored.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waiters(&self) -> MutexGuard<'_, Waiters> {
        self.waiters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
