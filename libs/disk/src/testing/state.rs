//! All that a simulated disk has, behind its lock.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::change::Chance;
use super::fault::{Effect, Plan};
use super::names::{Entry, Names};
use super::node::Node;
use super::operation::{Operation, ProcessId};
use super::random::Random;
use super::simulated::Hook;

/// All that a simulated disk has.
#[derive(Clone)]
pub(crate) struct DiskState {
    pub(crate) names: Names,
    /// Every file there ever was: who has one open may use it after its name is gone.
    nodes: BTreeMap<u64, Node>,
    /// Room for what is below a directory, in bytes.
    rooms: BTreeMap<PathBuf, u64>,
    processes: BTreeSet<ProcessId>,
    next_process: u32,
    next_handle: u64,
    off: bool,
    pub(crate) operations: u64,
    pub(crate) plan: Plan,
    pub(crate) random: Random,
    pub(crate) hook: Option<Arc<Hook>>,
    pub(crate) trace: Trace,
}

/// The last operations, as text.
#[derive(Clone, Default)]
pub(crate) struct Trace {
    pub(crate) at_most: usize,
    pub(crate) lines: VecDeque<String>,
}

impl DiskState {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            names: Names::new(),
            nodes: BTreeMap::new(),
            rooms: BTreeMap::new(),
            processes: BTreeSet::new(),
            next_process: 1,
            next_handle: 0,
            off: false,
            operations: 0,
            plan: Plan::default(),
            random: Random::new(seed),
            hook: None,
            trace: Trace::default(),
        }
    }

    /// The same disk with nobody using it.
    pub(crate) fn copy(&self) -> Self {
        let mut copy = self.clone();
        copy.off = false;
        copy.operations = 0;
        copy.plan = Plan::default();
        for process in std::mem::take(&mut copy.processes) {
            copy.abandon(process);
        }
        copy
    }

    pub(crate) fn after_power_cut(&self, seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let names = self.names.after_power_cut(&mut chance);
        let mut nodes = BTreeMap::new();
        for (path, number) in names.files() {
            let node = &self.nodes[&number];
            let after = node.after_power_cut(Arc::from(path), &mut chance);
            nodes.insert(number, after);
        }
        Self {
            names,
            nodes,
            rooms: self.rooms.clone(),
            next_process: self.next_process,
            next_handle: self.next_handle,
            random: chance.random,
            hook: self.hook.clone(),
            trace: self.trace.clone(),
            ..Self::new(seed)
        }
    }

    pub(crate) fn power_off(&mut self) {
        self.off = true;
    }

    pub(crate) fn start_process(&mut self) -> ProcessId {
        let process = ProcessId(self.next_process);
        self.next_process += 1;
        self.processes.insert(process);
        process
    }

    pub(crate) fn kill(&mut self, process: ProcessId) {
        if self.processes.remove(&process) {
            self.abandon(process);
        }
    }

    fn abandon(&mut self, process: ProcessId) {
        for node in self.nodes.values_mut() {
            node.abandon(process);
        }
    }

    /// Whether the process can do anything at all.
    pub(crate) fn check(&self, process: ProcessId) -> io::Result<()> {
        if self.off {
            Err(io::Error::other("the machine has no power"))
        } else if self.processes.contains(&process) {
            Ok(())
        } else {
            Err(io::Error::other("the process was killed"))
        }
    }

    /// Gives the operation its number, and notes it.
    pub(crate) fn count(&mut self, operation: &mut Operation) {
        operation.number = self.operations;
        self.operations += 1;
        if self.trace.at_most > 0 {
            self.trace.add(operation.to_string());
        }
    }

    /// The error that the operation is to end with, if it is to fail.
    pub(crate) fn failure(&mut self, operation: &Operation) -> Option<io::Error> {
        let effect = self.plan.effect(operation, &mut self.random)?;
        if self.trace.at_most > 0 {
            self.trace
                .add(format!("{} fails: {effect:?}", operation.number));
        }
        Some(match effect {
            Effect::Error(kind) => kind.into(),
            Effect::PowerOff => {
                self.off = true;
                io::Error::other("the power was cut")
            }
        })
    }

    pub(crate) fn node(&self, number: u64) -> &Node {
        &self.nodes[&number]
    }

    pub(crate) fn node_mut(&mut self, number: u64) -> &mut Node {
        self.nodes
            .get_mut(&number)
            .expect("a file is never forgotten while its disk is used")
    }

    pub(crate) fn nodes_mut(&mut self) -> impl Iterator<Item = &mut Node> {
        self.nodes.values_mut()
    }

    /// The file of that name, if there is one. A directory is none.
    pub(crate) fn find(&self, path: &Path) -> io::Result<Option<u64>> {
        match self.names.get(path) {
            None => Ok(None),
            Some(Entry::File(number)) => Ok(Some(number)),
            Some(Entry::Directory) => Err(io::ErrorKind::IsADirectory.into()),
        }
    }

    pub(crate) fn check_directory(&self, path: &Path) -> io::Result<()> {
        match self.names.get(path) {
            None => Err(io::ErrorKind::NotFound.into()),
            Some(Entry::Directory) => Ok(()),
            Some(Entry::File(_)) => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    /// Makes an empty file that was not there.
    pub(crate) fn create(&mut self, path: &Arc<Path>) -> u64 {
        let last = self.nodes.last_key_value();
        let number = last.map_or(0, |(last, _)| last + 1);
        self.nodes.insert(number, Node::new(Arc::clone(path)));
        self.names.put(path, Entry::File(number));
        number
    }

    pub(crate) fn open(&mut self, number: u64, process: ProcessId) -> u64 {
        self.next_handle += 1;
        *self.node_mut(number).open.entry(process).or_default() += 1;
        self.next_handle
    }

    pub(crate) fn close(&mut self, number: u64, process: ProcessId, handle: u64) {
        // After a kill nothing of the process is open any more.
        if self.processes.contains(&process) {
            self.node_mut(number).close(process, handle);
        }
    }

    pub(crate) fn remove(&mut self, path: &Path, number: u64) {
        self.names.remove(path);
        self.forget_name(number);
    }

    pub(crate) fn rename(&mut self, from: &Path, to: &Arc<Path>, number: u64) {
        if let Some(Entry::File(replaced)) = self.names.get(to)
            && replaced != number
        {
            self.forget_name(replaced);
        }
        self.names.rename(from, to);
        self.node_mut(number).path = Arc::clone(to);
    }

    fn forget_name(&mut self, number: u64) {
        let node = self.node_mut(number);
        node.named = false;
        node.release();
    }

    pub(crate) fn make_directory(&mut self, path: &Path) -> io::Result<()> {
        match self.check_directory(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if let Some(parent) = path.parent() {
                    self.make_directory(parent)?;
                }
                self.names.put(path, Entry::Directory);
                Ok(())
            }
            other => other,
        }
    }

    /// Writes; without room only a part.
    pub(crate) fn write(
        &mut self,
        number: u64,
        offset: usize,
        bytes: &[u8],
        failure: Option<io::Error>,
    ) -> io::Result<()> {
        let node = self.node(number);
        let end = offset.saturating_add(bytes.len());
        let missing = end
            .saturating_sub(node.length())
            .saturating_sub(self.room_at(&node.path));
        let fitting = &bytes[..bytes.len().saturating_sub(missing)];
        let Self { nodes, random, .. } = self;
        let Some(node) = nodes.get_mut(&number).filter(|_| !fitting.is_empty()) else {
            return failure.map_or_else(|| full_unless(bytes.is_empty()), Err);
        };
        if let Some(error) = failure {
            node.write_some(offset, fitting, random);
            return Err(error);
        }
        node.write(offset, fitting);
        full_unless(missing == 0)
    }

    pub(crate) fn sync(&mut self, number: u64, failure: Option<io::Error>) -> io::Result<()> {
        let Self { nodes, random, .. } = self;
        match (nodes.get_mut(&number), failure) {
            (Some(node), Some(error)) => {
                node.sync_some(random);
                Err(error)
            }
            (Some(node), None) => {
                node.sync();
                Ok(())
            }
            (None, _) => Ok(()),
        }
    }

    pub(crate) fn set_room(&mut self, directory: PathBuf, bytes: Option<u64>) {
        match bytes {
            Some(bytes) => self.rooms.insert(directory, bytes),
            None => self.rooms.remove(&directory),
        };
    }

    /// Bytes of all files below a directory.
    pub(crate) fn used(&self, directory: &Path) -> u64 {
        let below = self.nodes.values();
        below
            .filter(|node| node.is_in_use() && node.path.starts_with(directory))
            .map(|node| node.length() as u64)
            .sum()
    }

    /// How many bytes files at this path may grow.
    pub(crate) fn room_at(&self, path: &Path) -> usize {
        let rooms = self.rooms.iter();
        let left = rooms
            .filter(|(directory, _)| path.starts_with(directory))
            .map(|(directory, room)| room.saturating_sub(self.used(directory)))
            .min();
        left.map_or(usize::MAX, |left| {
            usize::try_from(left).unwrap_or(usize::MAX)
        })
    }
}

impl Trace {
    pub(crate) fn add(&mut self, line: String) {
        if self.lines.len() >= self.at_most {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }
}

fn full_unless(fits: bool) -> io::Result<()> {
    if fits {
        Ok(())
    } else {
        Err(io::ErrorKind::StorageFull.into())
    }
}

/// The path from the root on, without `.` and `..`: processes work in the root.
pub(crate) fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::from("/");
    for component in path.components() {
        match component {
            Component::Normal(name) => normal.push(name),
            Component::ParentDir => {
                normal.pop();
            }
            _ => {}
        }
    }
    normal
}
