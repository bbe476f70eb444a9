//! The writer's thread.

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
use crate::writer::queue::Entry;
use crate::writer::reply::Sender;
use crate::writer::segment::{self, NewGeneration};
use crate::writer::shared::Shared;
use crate::writer::start::Setting;

/// Finished blocks are handed to the operating system when there are so many bytes of them.
const WRITE_SIZE: usize = 4 << 20;

/// Whether the thread goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    GoOn,
    End,
}

/// The writer's thread.
pub(crate) struct Worker {
    pub(crate) setting: Setting,
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
}

impl Worker {
    pub(crate) fn new(setting: Setting, tail: Tail, group: Group, shared: Arc<Shared>) -> Self {
        Self {
            setting,
            tail,
            group,
            shared,
            marks: Vec::new(),
            unsynced: false,
            sync_due: None,
            woken: Vec::new(),
        }
    }

    /// Works until there is nothing more to do, or something failed.
    pub(crate) fn run(mut self) {
        let mut entries = Vec::new();
        loop {
            self.shared.take(&mut entries, self.sync_due);
            if self.group(&mut entries) == Next::End {
                return;
            }
        }
    }

    /// The same, one turn at a time, without waiting for anything.
    pub(crate) fn turn(&mut self) -> Next {
        let mut entries = Vec::new();
        self.shared.take_waiting(&mut entries);
        self.group(&mut entries)
    }

    fn group(&mut self, entries: &mut Vec<Entry>) -> Next {
        let mut rest = entries.drain(..);
        match self.work(&mut rest) {
            Ok(next) => next,
            Err(error) => {
                // Before the entries are dropped, which tells those who wait for an answer.
                self.shared.fail(error);
                Next::End
            }
        }
    }

    /// One group: all that was queued.
    fn work(&mut self, entries: &mut impl Iterator<Item = Entry>) -> Result<Next, WriterError> {
        for entry in entries {
            if self.handle(entry)? == Next::End {
                return Ok(Next::End);
            }
        }
        self.end_block()?;
        self.flush()?;
        if self.tail.end.position.offset >= self.setting.options.max_segment_size {
            self.next_segment()?;
        }
        Ok(Next::GoOn)
    }

    fn handle(&mut self, entry: Entry) -> Result<Next, WriterError> {
        match entry {
            Entry::Records(records, last) => {
                let filled = self.group.open_bytes();
                if filled > 0 && filled + records.len() > self.setting.options.max_block {
                    self.end_block()?;
                }
                self.group.push(&records, last);
            }
            Entry::Mark(sender) => {
                self.close_block()?;
                // Before the next segment is begun: if that fails, what is durable is still told.
                self.marks.push((sender, self.border()));
                self.make_room()?;
            }
            Entry::Switch(sender) => {
                sender.send(self.next_segment()?);
            }
            Entry::NewGeneration(reason, sender) => {
                self.end_block()?;
                let parent = self.group.end;
                let id = self.tail.header().id.next_generation();
                let generation = NewGeneration { reason, parent };
                sender.send(self.begin_segment(id, Some(generation))?);
            }
            Entry::Look(sender) => {
                self.keep_name()?;
                self.keep_position()?;
                sender.send(());
            }
            Entry::Close(sender) => {
                self.seal()?;
                self.publish_synced()?;
                sender.send(self.tail.durable());
                return Ok(Next::End);
            }
            Entry::Stop => {
                self.end_block()?;
                self.write()?;
                self.sync()?;
                return Ok(Next::End);
            }
        }
        Ok(Next::GoOn)
    }

    /// The end of the group so far, as it will be when it is durable.
    fn border(&self) -> Durable {
        Durable {
            point: self.group.end,
            commit: self.group.last_commit,
            time: self.group.time,
            log_bytes: self.tail.log_bytes_at(self.group.end.position.offset),
            sealed: false,
        }
    }

    fn end_block(&mut self) -> Result<(), WriterError> {
        self.close_block()?;
        self.make_room()
    }

    fn close_block(&mut self) -> Result<(), WriterError> {
        let path = self.setting.store.path(self.tail.header().id);
        Ok(self
            .group
            .end_block()
            .during("compress a block of", &path)?)
    }

    /// Writes when there is much to write, and begins a segment when this one is full.
    fn make_room(&mut self) -> Result<(), WriterError> {
        if self.group.end.position.offset >= self.setting.options.max_segment_size {
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
        self.tail.last_commit = self.group.last_commit;
        self.tail.time = self.group.time;
        self.group.blocks.clear();
        self.unsynced = true;
        if let SyncPolicy::Interval(interval) = self.setting.options.sync {
            let due = self.elapsed() + interval;
            self.sync_due.get_or_insert(due);
        }
        Ok(())
    }

    fn elapsed(&self) -> Duration {
        self.setting.time.clock().elapsed()
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
        self.keep_name()?;
        self.publish_synced()
    }

    /// Nothing is acknowledged that a crash would not find under the segment's name.
    fn keep_name(&mut self) -> Result<(), WriterError> {
        let store = self.setting.store.as_ref();
        if self.tail.keep_name(store)? {
            self.shared.note_restored(store.path(self.tail.header().id));
        }
        Ok(())
    }

    fn keep_position(&mut self) -> Result<(), WriterError> {
        let store = self.setting.store.as_ref();
        let path = store.position_path();
        if store.keep_position().during("write", &path)? {
            self.shared.note_restored(path);
        }
        Ok(())
    }

    /// The disk has everything that was written: tells the readers of the files, then the rest.
    pub(crate) fn publish_synced(&mut self) -> Result<(), WriterError> {
        self.unsynced = false;
        self.sync_due = None;
        let end = DurableEnd {
            environment: self.setting.identity.environment,
            durable: self.tail.durable(),
            switched_off: false,
        };
        let written = self.setting.store.write_position(&end.encode());
        self.publish();
        self.answer_marks();
        Ok(written.during("write", &self.setting.store.position_path())?)
    }

    fn publish(&mut self) {
        let durable = self.tail.durable();
        if durable != self.shared.durable() {
            // The observer first: who is woken must find visible what it waited for.
            (self.setting.observer)(&durable);
            self.shared.publish(durable, &mut self.woken);
        }
    }

    fn answer_marks(&mut self) {
        for (sender, border) in self.marks.drain(..) {
            sender.send(border);
        }
    }

    /// Writes everything, and seals the segment.
    fn seal(&mut self) -> Result<(), WriterError> {
        self.close_block()?;
        self.write()?;
        self.tail.seal()?;
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
        let follows = self.tail.follows();
        self.tail = segment::begin(&self.setting, &mut self.group, id, &follows, generation)?;
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
