//! What the owner of a log does to it.

use std::time::Duration;

use disk::testing::{Random, SimulatedDisk};
use fwlog::{
    Begin, CommitNumber, DatabaseId, DurableEnd, GenerationReason, SyncPolicy, Timestamp, Writer,
    WriterError, WriterOptions,
};

use crate::common::{commit, driven};
use crate::model::Shared;

/// Small segments, so that there are many.
pub(crate) fn options() -> WriterOptions {
    WriterOptions {
        max_segment_size: 4000,
        preallocate: 2048,
        max_block: 2000,
        ..WriterOptions::default()
    }
}

/// Options that are different from seed to seed.
pub(crate) fn options_of(random: &mut Random) -> WriterOptions {
    WriterOptions {
        max_segment_size: [600, 4000, 1 << 20][pick(random, 3)],
        preallocate: [0, 700, 5000][pick(random, 3)],
        max_block: [500, 4000][pick(random, 2)],
        compression: [fwlog::Compression::None, fwlog::Compression::Zstd][pick(random, 2)],
        ..WriterOptions::default()
    }
}

/// One of so many.
pub(crate) fn pick(random: &mut Random, count: u64) -> usize {
    usize::try_from(random.below(count)).unwrap()
}

/// How many bytes a commit changes.
pub(crate) fn size_of(number: u64) -> usize {
    [5, 300, 900, 40][usize::try_from(number % 4).unwrap()]
}

/// An owner that does something, and keeps the model.
pub(crate) struct Owner {
    pub(crate) writer: Writer,
    pub(crate) model: Shared,
    /// Whether every group is synced.
    always: bool,
}

impl Owner {
    pub(crate) fn start(
        machine: &SimulatedDisk,
        options: WriterOptions,
        begin: Begin,
        model: Shared,
    ) -> Result<Self, WriterError> {
        let always = options.sync == SyncPolicy::Always;
        let writer = driven(machine, options, begin)?;
        Ok(Self {
            writer,
            model,
            always,
        })
    }

    /// Queues the next commit.
    pub(crate) fn append(&self) -> Result<(), WriterError> {
        let (life, number) = {
            let model = self.model.get();
            (model.life, model.appended.len() as u64 + 1)
        };
        let time = Timestamp::from_micros(number);
        let records = commit(DatabaseId::new(life), number, time, size_of(number));
        // In a group that is written at once the disk may have it before the call returns.
        self.model.get().appended.push(life);
        let number = CommitNumber::new(number);
        let appended = self.writer.append(records, Some((number, number)));
        if appended.is_err() {
            self.model.get().appended.pop();
        }
        appended
    }

    /// Waits for all commits.
    pub(crate) fn wait(&self) -> Result<(), WriterError> {
        let last = CommitNumber::new(self.model.get().appended.len() as u64);
        let waited = self.writer.wait_durable(last);
        self.note(self.writer.durable().commit, self.always);
        waited
    }

    /// Waits until the disk has all commits.
    pub(crate) fn mark(&self) -> Result<(), WriterError> {
        let durable = self.writer.mark()?.wait()?;
        self.note(durable.commit, true);
        Ok(())
    }

    fn note(&self, commit: CommitNumber, on_disk: bool) {
        let mut model = self.model.get();
        model.acknowledged = model.acknowledged.max(commit.get());
        if on_disk {
            model.durable = model.durable.max(commit.get());
        }
    }

    /// One thing that an owner does.
    pub(crate) fn step(&self, random: &mut Random) -> Result<(), WriterError> {
        match random.below(16) {
            0 => self.writer.switch().map(drop),
            1 => {
                let reason = GenerationReason::Restore;
                self.writer.new_generation(reason).map(drop)
            }
            2 => self.mark(),
            3 => self.writer.look_after_files(),
            _ => {
                for _ in 0..=random.below(3) {
                    self.append()?;
                }
                self.wait()
            }
        }
    }

    /// Some time of work, ended in good order.
    pub(crate) fn work(&self, random: &mut Random, steps: u64) -> Result<(), WriterError> {
        for _ in 0..steps {
            self.step(random)?;
        }
        let durable = self.writer.close()?;
        self.note(durable.commit, true);
        Ok(())
    }
}

/// The newest commit that `fw.position` says is on the disk.
pub(crate) fn told_to_readers(machine: &SimulatedDisk) -> u64 {
    let content = machine.content("/fw.position").unwrap_or_default();
    DurableEnd::decode(&content).map_or(0, |end| end.durable.commit.get())
}

/// An interval that is over now and then.
pub(crate) const INTERVAL: SyncPolicy = SyncPolicy::Interval(Duration::from_millis(10));
