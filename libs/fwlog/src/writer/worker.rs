//! What is done with the queue: blocks, segments, syncs.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::thread::Thread;
use std::time::Duration;

use crate::damage::During;
use crate::durable_end::{Durable, DurableEnd};
use crate::position::SegmentId;
use crate::tail::Tail;
use crate::writer::SyncPolicy;
use crate::writer::error::WriterError;
use crate::writer::group::Group;
use crate::writer::queue::Request;
use crate::writer::reply::Sender;
use crate::writer::segment::{self, NewGeneration};
use crate::writer::shared::Shared;
use crate::writer::start::WriterContext;

/// Finished blocks are handed to the operating system when there are so many bytes of them.
const WRITE_SIZE: usize = 4 << 20;

/// Writes the log. Whoever has it works.
pub(crate) struct Worker {
    pub(crate) context: WriterContext,
    pub(crate) tail: Tail,
    pub(crate) group: Group,
    pub(crate) shared: Arc<Shared>,
    /// Marks of this group, to be answered when it is durable.
    marks: Vec<(Sender<Durable>, Durable)>,
    /// Whether something was written and not synced.
    unsynced: bool,
    /// When it has to be synced, if that is not at the end of the group: a time of
    /// [`crate::Clock::elapsed`].
    sync_due: Option<Duration>,
    woken: Vec<Thread>,
    /// Empty, between two groups: its memory is the queue's next one.
    requests: Vec<Request>,
}

impl Worker {
    pub(crate) fn new(
        context: WriterContext,
        tail: Tail,
        group: Group,
        shared: Arc<Shared>,
    ) -> Self {
        Self {
            context,
            tail,
            group,
            shared,
            marks: Vec::new(),
            unsynced: false,
            sync_due: None,
            woken: Vec::new(),
            requests: Vec::new(),
        }
    }

    /// Writes what is queued as one group, which may be held back a moment for company.
    pub(crate) fn write_queued(&mut self) -> ControlFlow<()> {
        let mut requests = std::mem::take(&mut self.requests);
        self.shared.take(&mut requests);
        let next = self.group(&mut requests);
        self.requests = requests;
        next
    }

    /// The same without waiting for anything.
    pub(crate) fn step(&mut self) -> ControlFlow<()> {
        let mut requests = Vec::new();
        self.shared.take_waiting(&mut requests);
        self.group(&mut requests)
    }

    /// When it has to be synced, if that is not at the end of a group.
    pub(crate) fn sync_due(&self) -> Option<Duration> {
        self.sync_due
    }

    fn group(&mut self, requests: &mut Vec<Request>) -> ControlFlow<()> {
        let mut rest = requests.drain(..);
        match self.work(&mut rest) {
            Ok(next) => next,
            Err(error) => {
                // Before the requests are dropped, which tells those who wait for an answer.
                self.shared.fail(error);
                ControlFlow::Break(())
            }
        }
    }

    /// One group: all that was queued.
    fn work(
        &mut self,
        requests: &mut impl Iterator<Item = Request>,
    ) -> Result<ControlFlow<()>, WriterError> {
        for request in requests {
            if self.handle(request)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        self.end_block()?;
        self.flush()?;
        if self.tail.end().point.position.offset >= self.context.options.max_segment_size {
            self.next_segment()?;
        }
        Ok(ControlFlow::Continue(()))
    }

    fn handle(&mut self, request: Request) -> Result<ControlFlow<()>, WriterError> {
        match request {
            Request::Records(records, last) => {
                let filled = self.group.open_bytes();
                if filled > 0 && filled + records.len() > self.context.options.max_block {
                    self.end_block()?;
                }
                self.group.push(&records, last);
            }
            Request::Mark(sender) => {
                self.close_block()?;
                // Before the next segment is begun: if that fails, what is durable is still told.
                self.marks.push((sender, self.border()));
                self.make_room()?;
            }
            Request::Switch(sender) => {
                sender.send(self.next_segment()?);
            }
            Request::NewGeneration(reason, sender) => {
                self.end_block()?;
                let parent = self.group.end.point;
                let id = self.tail.header().id.next_generation();
                let generation = NewGeneration { reason, parent };
                sender.send(self.begin_segment(id, Some(generation))?);
            }
            Request::CheckNames(sender) => {
                self.keep_name()?;
                self.keep_position()?;
                sender.send(());
            }
            Request::Close(sender) => {
                self.seal()?;
                self.publish_synced()?;
                sender.send(self.tail.durable());
                return Ok(ControlFlow::Break(()));
            }
            Request::Stop => {
                self.end_block()?;
                self.write()?;
                self.sync()?;
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// The end of the group so far, as it will be when it is durable.
    fn border(&self) -> Durable {
        self.group.end.durable(self.tail.header(), false)
    }

    fn end_block(&mut self) -> Result<(), WriterError> {
        self.close_block()?;
        self.make_room()
    }

    fn close_block(&mut self) -> Result<(), WriterError> {
        let ended = self.group.end_block();
        Ok(ended.during("compress a block of", self.tail.path())?)
    }

    /// Writes when there is much to write, and begins a segment when this one is full.
    fn make_room(&mut self) -> Result<(), WriterError> {
        if self.group.end.point.position.offset >= self.context.options.max_segment_size {
            self.next_segment()?;
        } else if self.group.blocks.len() >= WRITE_SIZE {
            self.write()?;
        }
        Ok(())
    }

    fn write(&mut self) -> Result<(), WriterError> {
        if self.group.blocks.is_empty() {
            return Ok(());
        }
        self.tail.write(&self.group.blocks, self.group.end)?;
        self.group.blocks.clear();
        self.unsynced = true;
        if let SyncPolicy::Interval(interval) = self.context.options.sync {
            let due = self.elapsed() + interval;
            self.sync_due.get_or_insert(due);
        }
        Ok(())
    }

    fn elapsed(&self) -> Duration {
        self.context.time.clock().elapsed()
    }

    /// Completes the group: written, and synced where that is due.
    fn flush(&mut self) -> Result<(), WriterError> {
        self.write()?;
        let due = self.sync_due.is_none_or(|at| at <= self.elapsed()) || !self.marks.is_empty();
        if self.unsynced && due {
            self.sync()
        } else {
            self.publish();
            self.answer_marks();
            Ok(())
        }
    }

    fn sync(&mut self) -> Result<(), WriterError> {
        self.tail.sync()?;
        self.note_synced();
        self.keep_name()?;
        self.publish_synced()
    }

    fn note_synced(&mut self) {
        self.unsynced = false;
        self.sync_due = None;
    }

    /// Nothing is acknowledged that a crash would not find under the segment's name.
    fn keep_name(&mut self) -> Result<(), WriterError> {
        let store = self.context.store.as_ref();
        if self.tail.keep_name(store)? {
            self.shared.note_restored(store.path(self.tail.header().id));
        }
        Ok(())
    }

    fn keep_position(&mut self) -> Result<(), WriterError> {
        let store = self.context.store.as_ref();
        let path = store.position_path();
        if store.keep_position().during("write", &path)? {
            self.shared.note_restored(path);
        }
        Ok(())
    }

    /// The disk has everything that was written: tells the readers of the files, then the rest.
    pub(crate) fn publish_synced(&mut self) -> Result<(), WriterError> {
        assert!(
            !self.unsynced,
            "fw.position names only what the disk has (invariants 1 and 4)"
        );
        let end = DurableEnd {
            environment: self.context.identity.environment,
            durable: self.tail.durable(),
            switched_off: false,
            stopped: false,
        };
        let written = self.context.store.write_position(&end.encode());
        self.publish();
        self.answer_marks();
        Ok(written.during("write", &self.context.store.position_path())?)
    }

    fn publish(&mut self) {
        let durable = self.tail.durable();
        if durable != self.shared.durable() {
            // The observer first: who is woken must find visible what it waited for.
            (self.context.observer)(&durable);
            self.shared.publish(durable, &mut self.woken);
        }
    }

    fn answer_marks(&mut self) {
        let written = self.tail.end().point.position;
        for (sender, border) in self.marks.drain(..) {
            assert!(
                !self.unsynced && border.point.position <= written,
                "a mark is answered when everything before it is on the disk (invariant 1)"
            );
            sender.send(border);
        }
    }

    /// Writes everything, and seals the segment.
    fn seal(&mut self) -> Result<(), WriterError> {
        self.close_block()?;
        self.write()?;
        self.tail.seal()?;
        self.note_synced();
        self.keep_name()
    }

    fn next_segment(&mut self) -> Result<SegmentId, WriterError> {
        self.begin_segment(self.tail.header().id.next_sequence(), None)
    }

    fn begin_segment(
        &mut self,
        id: SegmentId,
        generation: Option<NewGeneration>,
    ) -> Result<SegmentId, WriterError> {
        self.seal()?;
        // The group is durable already: nobody waits for the new file.
        self.publish_synced()?;
        let previous = self.tail.durable();
        self.tail = segment::begin(&self.context, &mut self.group, id, &previous, generation)?;
        self.publish_synced()?;
        Ok(id)
    }
}

/// Tells all who wait that nothing more will be written, also when the thread panics.
impl Drop for Worker {
    fn drop(&mut self) {
        self.shared.end();
    }
}
