//! Directories: which names there are, and which of them the platter has.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::change::Chance;

/// What has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    Directory,
    /// The file with this number.
    File(u64),
}

/// A change of names that is in memory alone. A rename is one change, as in a journal.
#[derive(Clone, Debug)]
enum Change {
    Put(PathBuf, Entry),
    Remove(PathBuf),
    Rename(PathBuf, PathBuf),
}

type Map = BTreeMap<PathBuf, Entry>;

/// All names of the disk.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    live: Map,
    durable: Map,
    /// In the order in which they were made.
    pending: Vec<Change>,
}

impl Change {
    fn apply(&self, names: &mut Map) {
        match self {
            Self::Put(path, entry) => {
                names.insert(path.clone(), *entry);
            }
            Self::Remove(path) => {
                names.remove(path);
            }
            Self::Rename(from, to) => {
                if let Some(entry) = names.remove(from) {
                    names.insert(to.clone(), entry);
                }
            }
        }
    }

    /// The directories whose sync makes it durable.
    fn directories(&self) -> impl Iterator<Item = &Path> {
        let (one, other) = match self {
            Self::Put(path, _) | Self::Remove(path) => (path.parent(), None),
            Self::Rename(from, to) => (from.parent(), to.parent()),
        };
        one.into_iter().chain(other.filter(|_| one != other))
    }
}

impl Names {
    /// A disk that has nothing but its root.
    pub(crate) fn new() -> Self {
        let root = Map::from([(PathBuf::from("/"), Entry::Directory)]);
        Self {
            live: root.clone(),
            durable: root,
            pending: Vec::new(),
        }
    }

    pub(crate) fn get(&self, path: &Path) -> Option<Entry> {
        self.live.get(path).copied()
    }

    /// All names of files, in order.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&Path, u64)> {
        self.live.iter().filter_map(|(path, entry)| match entry {
            Entry::File(node) => Some((path.as_path(), *node)),
            Entry::Directory => None,
        })
    }

    pub(crate) fn list(&self, directory: &Path) -> Vec<OsString> {
        let below = self.live.range(directory.to_path_buf()..).skip(1);
        below
            .take_while(|(path, _)| path.starts_with(directory))
            .filter(|(path, _)| path.parent() == Some(directory))
            .filter_map(|(path, _)| path.file_name().map(OsString::from))
            .collect()
    }

    pub(crate) fn put(&mut self, path: &Path, entry: Entry) {
        self.make(Change::Put(path.to_owned(), entry));
    }

    pub(crate) fn remove(&mut self, path: &Path) {
        self.make(Change::Remove(path.to_owned()));
    }

    pub(crate) fn rename(&mut self, from: &Path, to: &Path) {
        self.make(Change::Rename(from.to_owned(), to.to_owned()));
    }

    fn make(&mut self, change: Change) {
        change.apply(&mut self.live);
        self.pending.push(change);
    }

    /// Makes the first `at_most` changes of this directory durable, and what they build upon.
    pub(crate) fn sync(&mut self, directory: &Path, at_most: usize) {
        let here = |change: &Change| change.directories().any(|parent| parent == directory);
        let own = (0..self.pending.len()).filter(|at| here(&self.pending[*at]));
        let Some(last) = own.take(at_most).last() else {
            return;
        };
        // Backwards: a rename from another directory needs what was done there before.
        let mut directories = BTreeSet::from([directory.to_owned()]);
        let mut durable = BTreeSet::new();
        for at in (0..=last).rev() {
            let change = &self.pending[at];
            if change
                .directories()
                .any(|parent| directories.contains(parent))
            {
                directories.extend(change.directories().map(Path::to_owned));
                durable.insert(at);
            }
        }
        for at in &durable {
            self.pending[*at].apply(&mut self.durable);
        }
        let mut at = 0;
        self.pending.retain(|_| {
            at += 1;
            !durable.contains(&(at - 1))
        });
    }

    /// How many changes of this directory are not durable.
    pub(crate) fn pending_in(&self, directory: &Path) -> usize {
        let pending = self.pending.iter();
        pending
            .filter(|change| change.directories().any(|parent| parent == directory))
            .count()
    }

    /// The names after a power cut: of each directory's changes the first ones survive.
    pub(crate) fn after_power_cut(&self, chance: &mut Chance) -> Self {
        let mut left: BTreeMap<&Path, usize> = BTreeMap::new();
        for directory in self.pending.iter().flat_map(Change::directories) {
            *left.entry(directory).or_default() += 1;
        }
        for count in left.values_mut() {
            *count = chance.prefix(*count);
        }
        let mut names = self.durable.clone();
        for change in &self.pending {
            let survives = change.directories().all(|directory| left[directory] > 0);
            for directory in change.directories() {
                let left = left.entry(directory).or_default();
                *left = if survives { *left - 1 } else { 0 };
            }
            if survives {
                change.apply(&mut names);
            }
        }
        drop_orphans(&mut names);
        Self {
            live: names.clone(),
            durable: names,
            pending: Vec::new(),
        }
    }
}

/// What is in a directory that did not survive is gone too. Parents stand before their children.
fn drop_orphans(names: &mut Map) {
    let mut directories = BTreeSet::new();
    names.retain(|path, entry| {
        let stays = path
            .parent()
            .is_none_or(|parent| directories.contains(parent));
        if stays && *entry == Entry::Directory {
            directories.insert(path.clone());
        }
        stays
    });
}
