//! One file.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::change::{Chance, Change, put, sectors};
use super::operation::ProcessId;
use super::random::Random;

/// A file: what its users see, and what the platter has.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// Its present name, or its last one.
    pub(crate) path: Arc<Path>,
    /// Whether users find it under that name.
    pub(crate) named: bool,
    /// How often each process has it open.
    pub(crate) open: BTreeMap<ProcessId, u32>,
    /// Who has locked it, and with which of its open files.
    pub(crate) lock: Option<(ProcessId, u64)>,
    live: Vec<u8>,
    durable: Vec<u8>,
    /// What makes `live` from `durable`, unless something was dropped.
    pending: Vec<Change>,
    /// Whether a failed sync has left `live` with what will never be written.
    dropped: bool,
}

impl Node {
    pub(crate) fn new(path: Arc<Path>) -> Self {
        Self {
            path,
            named: true,
            open: BTreeMap::new(),
            lock: None,
            live: Vec::new(),
            durable: Vec::new(),
            pending: Vec::new(),
            dropped: false,
        }
    }

    pub(crate) fn length(&self) -> usize {
        self.live.len()
    }

    pub(crate) fn content(&self) -> &[u8] {
        &self.live
    }

    pub(crate) fn durable_content(&self) -> &[u8] {
        &self.durable
    }

    /// What users see takes room on the disk, also while it has no name.
    pub(crate) fn is_in_use(&self) -> bool {
        self.named || !self.open.is_empty()
    }

    /// Forgets what nobody can see any more; the platter still has its part.
    pub(crate) fn release(&mut self) {
        if !self.is_in_use() {
            self.live = Vec::new();
        }
    }

    pub(crate) fn close(&mut self, process: ProcessId, handle: u64) {
        if let Some(count) = self.open.get_mut(&process) {
            *count -= 1;
            if *count == 0 {
                self.open.remove(&process);
            }
        }
        if self.lock == Some((process, handle)) {
            self.lock = None;
        }
        self.release();
    }

    /// The process is gone, with all that it had open.
    pub(crate) fn abandon(&mut self, process: ProcessId) {
        self.open.remove(&process);
        if self.lock.is_some_and(|(owner, _)| owner == process) {
            self.lock = None;
        }
        self.release();
    }

    pub(crate) fn read(&self, offset: usize, buffer: &mut [u8]) -> usize {
        let rest = self.live.get(offset..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        length
    }

    pub(crate) fn write(&mut self, offset: usize, bytes: &[u8]) {
        let end = offset + bytes.len();
        if end > self.live.len() {
            self.pending.push(Change::Grow(end));
        }
        put(&mut self.live, offset, bytes);
        self.pending.push(Change::Write(offset, bytes.to_vec()));
    }

    /// A write that fails: any of its sectors.
    pub(crate) fn write_some(&mut self, offset: usize, bytes: &[u8], random: &mut Random) {
        let chances = 1 + random.below(16);
        for (from, sector) in sectors(offset, bytes) {
            if random.below(16) < chances {
                self.write(from, sector);
            }
        }
    }

    pub(crate) fn set_length(&mut self, length: usize) {
        if length < self.live.len() {
            self.live.truncate(length);
            self.pending.push(Change::Cut(length));
        } else if length > self.live.len() {
            self.live.resize(length, 0);
            self.pending.push(Change::Grow(length));
        }
    }

    pub(crate) fn sync(&mut self) {
        for change in self.pending.drain(..) {
            change.apply_whole(&mut self.durable);
        }
    }

    /// A sync that fails: some sectors reached the platter. The operating system holds the others
    /// for clean, though they never will; what it knows of the length it keeps.
    pub(crate) fn sync_some(&mut self, random: &mut Random) {
        self.dropped = true;
        if random.below(4) == 0 {
            self.pending
                .retain(|change| !matches!(change, Change::Write(..)));
            return;
        }
        let chances = random.below(17);
        for change in self.pending.drain(..) {
            match change {
                Change::Write(..) => {
                    change.apply(&mut self.durable, &mut || random.below(16) < chances);
                }
                Change::Grow(_) | Change::Cut(_) => change.apply_whole(&mut self.durable),
            }
        }
    }

    /// Reads the file from the platter anew, below what is still to be written.
    pub(crate) fn evict(&mut self) {
        if !std::mem::take(&mut self.dropped) || !self.is_in_use() {
            return;
        }
        self.live.clone_from(&self.durable);
        for change in &self.pending {
            change.apply_whole(&mut self.live);
        }
    }

    /// Flips a bit wherever this byte is kept. `false`: the file is not that long.
    pub(crate) fn flip(&mut self, byte: usize, bit: u8) -> bool {
        let mask = 1 << (bit % 8);
        for content in [&mut self.live, &mut self.durable] {
            if let Some(byte) = content.get_mut(byte) {
                *byte ^= mask;
            }
        }
        for change in &mut self.pending {
            if let Change::Write(at, bytes) = change
                && let Some(place) = byte.checked_sub(*at)
                && let Some(byte) = bytes.get_mut(place)
            {
                *byte ^= mask;
            }
        }
        byte < self.live.len()
    }

    /// The file after a power cut, under this name.
    pub(crate) fn after_power_cut(&self, path: Arc<Path>, chance: &mut Chance) -> Self {
        let mut left = self.durable.clone();
        for change in &self.pending {
            change.apply(&mut left, &mut || chance.survives());
        }
        Self {
            live: left.clone(),
            durable: left,
            ..Self::new(path)
        }
    }
}
