//! A database as far as the log has been read.

use std::fs::File;
use std::rc::Rc;
use std::sync::Arc;

use fwlog::{Commit, PageBody};
use rowdiff::{Error, Image, PAGE_SIZE, Pages, RowDiff, Sink, Step};
use rustc_hash::FxHashMap;

use crate::commands::fwlog::rows::base::Base;
use crate::commands::fwlog::rows::scratch::{self, Held, Scratch};
use crate::error::{CommandError, Result};

/// Pages in memory before they go to the scratch file: 128 MiB.
const MOST_IN_MEMORY: usize = 32 << 10;

/// The pages of a commit, or of parts of one.
pub(crate) type Written = FxHashMap<u32, Held>;

/// The pages at one commit.
#[derive(Debug)]
struct State {
    /// What the database was before the log.
    base: Option<File>,
    /// So many pages of the base are still as they were.
    base_count: u32,
    newer: FxHashMap<u32, Held>,
    /// How many of those are in memory.
    in_memory: usize,
    count: u32,
    scratch: Rc<Scratch>,
}

/// A database, and what was learnt of its pages.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) name: String,
    /// The newest commit that was in it at the beginning.
    pub(crate) after: u64,
    state: State,
    diff: RowDiff,
}

/// The state with the pages of a commit over it.
struct After<'a> {
    before: &'a State,
    written: &'a Written,
    count: u32,
}

impl Pages for State {
    fn count(&self) -> u32 {
        self.count
    }

    fn page(&self, number: u32) -> std::result::Result<Image, Error> {
        if let Some(held) = self.newer.get(&number) {
            return self.scratch.load(number, held);
        }
        match &self.base {
            Some(file) if number <= self.base_count => {
                scratch::read(file, u64::from(number) - 1, number)
            }
            // A page that the database has and nobody has written is zeros.
            _ if number <= self.count => Ok(Arc::new([0; PAGE_SIZE])),
            _ => Err(Error::Missing { page: number }),
        }
    }
}

impl Pages for After<'_> {
    fn count(&self) -> u32 {
        self.count
    }

    fn page(&self, number: u32) -> std::result::Result<Image, Error> {
        match self.written.get(&number) {
            Some(held) => self.before.scratch.load(number, held),
            None if number > self.before.count && number <= self.count => {
                Ok(Arc::new([0; PAGE_SIZE]))
            }
            None => self.before.page(number),
        }
    }
}

impl Database {
    /// One that begins with the log.
    pub(crate) fn empty(name: &str, scratch: &Rc<Scratch>) -> Self {
        Self {
            name: name.to_owned(),
            after: 0,
            state: State {
                base: None,
                base_count: 0,
                newer: FxHashMap::default(),
                in_memory: 0,
                count: 0,
                scratch: Rc::clone(scratch),
            },
            diff: RowDiff::empty(),
        }
    }

    /// One that was there before the log.
    pub(crate) fn of(base: Base, after: u64, scratch: &Rc<Scratch>) -> Result<Self> {
        let mut database = Self::empty(&base.name, scratch);
        database.after = after;
        database.state.base_count = base.pages;
        database.state.count = base.pages;
        database.state.base = Some(base.file);
        database.diff = RowDiff::of(&database.state)
            .map_err(|error| CommandError::error(format!("{}: {error}", base.path.display())))?;
        Ok(database)
    }

    /// Takes a commit: its pages, with those of the parts before it.
    pub(crate) fn commit(
        &mut self,
        commit: &Commit<'_>,
        mut written: Written,
        sink: &mut Sink<'_>,
    ) -> Result<()> {
        let failed = |error: &dyn std::fmt::Display| {
            CommandError::error(format!(
                "commit {} in database \"{}\": {error}",
                commit.number, self.name
            ))
        };
        for change in commit.pages {
            let change = change.map_err(|error| failed(&error))?;
            let number = change.page.get();
            let mut image = match (&change.body, written.get(&number)) {
                (PageBody::Full(_), _) => Arc::new([0; PAGE_SIZE]),
                (_, Some(held)) => self
                    .state
                    .scratch
                    .load(number, held)
                    .map_err(|error| failed(&error))?,
                (_, None) => self.state.page(number).map_err(|error| failed(&error))?,
            };
            change.apply(Arc::make_mut(&mut image)).map_err(|error| {
                failed(&error).with_hint(
                    "the log is damaged, or the base is of another commit than was said: see dbctl fwlog rows --help",
                )
            })?;
            written.insert(number, Held::Memory(image));
        }
        let changed: Vec<u32> = written.keys().copied().collect();
        let after = After {
            before: &self.state,
            written: &written,
            count: commit.page_count,
        };
        let step = Step {
            before: &self.state,
            after: &after,
            changed: &changed,
        };
        let told = self.diff.commit(step, sink);
        told.map_err(|error| match error {
            Error::Sink(error) => CommandError::error(error.to_string()),
            error => failed(&error),
        })?;
        self.state.take(written, commit.page_count)
    }
}

impl State {
    fn take(&mut self, written: Written, count: u32) -> Result<()> {
        for (number, held) in written {
            self.in_memory += usize::from(matches!(held, Held::Memory(_)));
            if let Some(old) = self.newer.insert(number, held) {
                self.forget(&old);
            }
        }
        if count < self.count {
            self.base_count = self.base_count.min(count);
            let cut: Vec<u32> = self.newer.keys().copied().filter(|n| *n > count).collect();
            for number in cut {
                if let Some(old) = self.newer.remove(&number) {
                    self.forget(&old);
                }
            }
        }
        self.count = count;
        if self.in_memory > MOST_IN_MEMORY {
            for held in self.newer.values_mut() {
                scratch::store(&self.scratch, held)?;
            }
            self.in_memory = 0;
        }
        Ok(())
    }

    fn forget(&mut self, held: &Held) {
        self.in_memory -= usize::from(matches!(held, Held::Memory(_)));
        self.scratch.let_go(held);
    }
}

/// Makes a failure of the output one that goes through the library.
pub(crate) fn through(result: Result<()>) -> std::result::Result<(), Error> {
    result.map_err(|error| Error::Sink(error.message.into()))
}
