//! The disk, as the simulation around it handles it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Fault;
use super::operation::Operation;
use super::process::Process;
use super::state::{DiskState, normal};

/// Is called before each operation, with no lock held.
pub(crate) type Hook = dyn Fn(&SimulatedDisk, &Operation) + Send + Sync;

/// The disk of one simulated machine. Clones are the same disk. What is said here is done at once:
/// it is no operation, no hook sees it, and it never fails.
///
/// It has a root directory, and is as large as it has to be until [`SimulatedDisk::set_room`].
#[derive(Clone)]
pub struct SimulatedDisk {
    state: Arc<Mutex<DiskState>>,
}

impl fmt::Debug for SimulatedDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimulatedDisk").finish_non_exhaustive()
    }
}

impl SimulatedDisk {
    /// An empty disk. The seed decides what faults leave half done.
    pub fn new(seed: u64) -> Self {
        Self::of(DiskState::new(seed))
    }

    fn of(state: DiskState) -> Self {
        Self {
            state: Arc::new(Mutex::new(state)),
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, DiskState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a process.
    pub fn process(&self) -> Process {
        let id = self.state().start_process();
        Process::new(self.clone(), id)
    }

    /// The disk after a power cut now; this one goes on. Every sector that was not synced is there
    /// or not, as the seed has it; of the changes of names in a directory the first ones are there.
    /// Seed 0 loses all of this, seed 1 nothing. Rooms, hook and trace are those of this disk, the
    /// operations are counted from 0, and no fault is set.
    #[must_use]
    pub fn after_power_cut(&self, seed: u64) -> Self {
        Self::of(self.state().after_power_cut(seed))
    }

    /// Cuts the power: whatever is done on this disk from now on fails. Returns the disk as it is
    /// when the machine starts again, as [`SimulatedDisk::after_power_cut`] has it.
    #[must_use]
    pub fn power_cut(&self, seed: u64) -> Self {
        self.power_off();
        self.after_power_cut(seed)
    }

    /// Lets whatever is done from now on fail.
    pub fn power_off(&self) {
        self.state().power_off();
    }

    /// The disk as it is now, with what is not synced still not synced, for another machine: no
    /// process, no lock, no fault; operations are counted from 0.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self::of(self.state().copy())
    }

    /// Sets a fault. All that are set are counted side by side.
    pub fn fail(&self, fault: Fault) {
        self.state().plan.add(fault);
    }

    /// Takes all faults back.
    pub fn mend(&self) {
        self.state().plan = super::fault::Plan::default();
    }

    /// Memory gets short: what a failed sync has left in memory alone, and for clean, is forgotten.
    pub fn evict(&self) {
        for node in self.state().nodes_mut() {
            node.evict();
        }
    }

    /// How many bytes the files below a directory may have together; `None` for any number. Files
    /// that have more keep it. What lies between the end of a file and a write behind it counts.
    pub fn set_room(&self, directory: impl AsRef<Path>, bytes: Option<u64>) {
        self.state().set_room(normal(directory.as_ref()), bytes);
    }

    /// Bytes of all files below a directory, with those that are open and have no name any more.
    pub fn used(&self, directory: impl AsRef<Path>) -> u64 {
        self.state().used(&normal(directory.as_ref()))
    }

    /// Flips a bit of a file, in memory and on the platter. `false` where there is no such byte.
    pub fn flip(&self, path: impl AsRef<Path>, byte: u64, bit: u8) -> bool {
        let mut state = self.state();
        let number = state.find(&normal(path.as_ref())).ok().flatten();
        match (number, usize::try_from(byte)) {
            (Some(number), Ok(byte)) => state.node_mut(number).flip(byte, bit),
            _ => false,
        }
    }

    /// Calls `hook` before each operation from now on, with no lock held: it may use the disk.
    ///
    /// What it holds lives as long as this disk and those made from it; to hold a disk of them is a
    /// leak, so it is given the disk.
    pub fn set_hook(&self, hook: impl Fn(&Self, &Operation) + Send + Sync + 'static) {
        self.state().hook = Some(Arc::new(hook));
    }

    /// Calls no hook from now on.
    pub fn clear_hook(&self) {
        let old = self.state().hook.take();
        // What the hook holds may use the disk when it is dropped.
        drop(old);
    }

    /// How many operations were begun so far.
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Keeps the last `at_most` operations from now on.
    pub fn trace(&self, at_most: usize) {
        self.state().trace.at_most = at_most;
    }

    /// Adds a line of the caller's to the trace.
    pub fn note(&self, line: impl Into<String>) {
        let mut state = self.state();
        if state.trace.at_most > 0 {
            state.trace.add(line.into());
        }
    }

    /// The operations that were kept, a line each.
    pub fn traced(&self) -> Vec<String> {
        self.state().trace.lines.iter().cloned().collect()
    }

    /// The names of all files, in order.
    pub fn files(&self) -> Vec<PathBuf> {
        let state = self.state();
        let files = state.names.files();
        files.map(|(path, _)| path.to_owned()).collect()
    }

    /// The content of a file as users see it.
    pub fn content(&self, path: impl AsRef<Path>) -> Option<Vec<u8>> {
        let state = self.state();
        let number = state.find(&normal(path.as_ref())).ok().flatten()?;
        Some(state.node(number).content().to_vec())
    }

    /// What the platter has of the file that has this name now, whether it has the name or not.
    pub fn durable_content(&self, path: impl AsRef<Path>) -> Option<Vec<u8>> {
        let state = self.state();
        let number = state.find(&normal(path.as_ref())).ok().flatten()?;
        Some(state.node(number).durable_content().to_vec())
    }
}
