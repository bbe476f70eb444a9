//! A database from the fork on, as far as the log has been read.

use std::io;
use std::rc::Rc;
use std::sync::Arc;

use fwlog::{Commit, PageBody, Part};
use rowdiff::{Error, Image, PAGE_SIZE, Pages, RowDiff, Sink, Step};
use rustc_hash::FxHashMap;

use crate::scratch::{Held, Scratch};

/// Pages in memory before they go to the scratch file: 128 MiB.
const MOST_IN_MEMORY: usize = 32 << 10;

/// The pages of a commit, or of parts of one.
pub(crate) type Written = FxHashMap<u32, Held>;

/// The pages at one commit.
pub(crate) struct State<'a> {
    /// What the database was at the fork; none where it was made behind it.
    base: Option<&'a dyn Pages>,
    /// So many pages of that are still as they were.
    base_count: u32,
    newer: FxHashMap<u32, Held>,
    in_memory: usize,
    count: u32,
    scratch: Rc<Scratch>,
}

/// A database, and what was learnt of its pages.
pub(crate) struct Database<'a> {
    state: State<'a>,
    /// Made with the first commit: it takes a look at every page.
    diff: Option<RowDiff>,
}

/// The state with the pages of a commit over it.
struct After<'a, 'b> {
    before: &'a State<'b>,
    written: &'a Written,
    count: u32,
}

impl Pages for State<'_> {
    fn count(&self) -> u32 {
        self.count
    }

    fn page(&self, number: u32) -> Result<Image, Error> {
        match (self.newer.get(&number), self.base) {
            (Some(held), _) => self.scratch.load(number, held),
            (None, Some(base)) if number <= self.base_count => base.page(number),
            // A page that the database has and nobody has written is zeros.
            _ if number <= self.count => Ok(Arc::new([0; PAGE_SIZE])),
            _ => Err(Error::Missing { page: number }),
        }
    }
}

impl Pages for After<'_, '_> {
    fn count(&self) -> u32 {
        self.count
    }

    fn page(&self, number: u32) -> Result<Image, Error> {
        match self.written.get(&number) {
            Some(held) => self.before.scratch.load(number, held),
            None if number > self.before.count && number <= self.count => {
                Ok(Arc::new([0; PAGE_SIZE]))
            }
            None => self.before.page(number),
        }
    }
}

impl<'a> Database<'a> {
    /// One that has no content yet.
    pub(crate) fn empty(scratch: &Rc<Scratch>) -> Self {
        Self {
            state: State::on(None, scratch),
            diff: None,
        }
    }

    /// One that there was at the fork.
    pub(crate) fn of(base: &'a dyn Pages, scratch: &Rc<Scratch>) -> Self {
        Self {
            state: State::on(Some(base), scratch),
            diff: None,
        }
    }

    /// Takes a commit: its pages, with those of the parts before it.
    pub(crate) fn commit(
        &mut self,
        commit: &Commit<'_>,
        mut written: Written,
        sink: &mut Sink<'_>,
    ) -> Result<(), String> {
        let failed = |error: &dyn std::fmt::Display| error.to_string();
        let diff = match &mut self.diff {
            Some(known) => known,
            unknown => {
                let diff = RowDiff::of(&self.state).map_err(|error| failed(&error))?;
                unknown.insert(diff)
            }
        };
        self.state.write(commit, &mut written)?;
        let changed: Vec<u32> = written.keys().copied().collect();
        let step = Step {
            before: &self.state,
            after: &After {
                before: &self.state,
                written: &written,
                count: commit.page_count,
            },
            changed: &changed,
        };
        diff.commit(step, sink).map_err(|error| failed(&error))?;
        let taken = self.state.take(written, commit.page_count);
        taken.map_err(|error| format!("scratch file: {error}"))
    }
}

impl<'a> State<'a> {
    /// A database that has no content yet, or what it was.
    pub(crate) fn on(base: Option<&'a dyn Pages>, scratch: &Rc<Scratch>) -> Self {
        let count = base.map_or(0, Pages::count);
        Self {
            base,
            base_count: count,
            newer: FxHashMap::default(),
            in_memory: 0,
            count,
            scratch: Rc::clone(scratch),
        }
    }

    /// The pages of a commit, made from this state and the parts that came before.
    fn write(&self, commit: &Commit<'_>, written: &mut Written) -> Result<(), String> {
        for change in commit.pages {
            let change = change.map_err(|error| error.to_string())?;
            let number = change.page.get();
            let mut image = match (&change.body, written.get(&number)) {
                (PageBody::Full(_), _) => Ok(Arc::new([0; PAGE_SIZE])),
                (_, Some(held)) => self.scratch.load(number, held),
                (_, None) => self.page(number),
            }
            .map_err(|error| error.to_string())?;
            change
                .apply(Arc::make_mut(&mut image))
                .map_err(|error| format!("page {number}: {error}"))?;
            if let Some(old) = written.insert(number, Held::Memory(image)) {
                self.scratch.let_go(&old);
            }
        }
        Ok(())
    }

    /// Takes a commit without a look at its rows.
    pub(crate) fn advance(
        &mut self,
        commit: &Commit<'_>,
        mut written: Written,
    ) -> Result<(), String> {
        self.write(commit, &mut written)?;
        let taken = self.take(written, commit.page_count);
        taken.map_err(|error| format!("scratch file: {error}"))
    }

    fn take(&mut self, written: Written, count: u32) -> io::Result<()> {
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
                self.scratch.store(held)?;
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

/// Keeps the pages of a part until its commit comes.
pub(crate) fn keep_part(
    part: &Part<'_>,
    written: &mut Written,
    scratch: &Scratch,
) -> Result<(), String> {
    for change in part.pages {
        let change = change.map_err(|error| error.to_string())?;
        let mut image = Arc::new([0; PAGE_SIZE]);
        let number = change.page.get();
        change
            .apply(Arc::make_mut(&mut image))
            .map_err(|error| format!("page {number}: {error}"))?;
        let mut held = Held::Memory(image);
        scratch
            .store(&mut held)
            .map_err(|error| format!("scratch file: {error}"))?;
        if let Some(old) = written.insert(number, held) {
            scratch.let_go(&old);
        }
    }
    Ok(())
}
