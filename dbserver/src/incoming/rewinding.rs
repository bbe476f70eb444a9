//! What a server makes of its own log to go back to an earlier point of it: pages as they were there. Until
//! [`Rewinding::complete`] nothing of its state is changed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use disk::{Access, DiskFile};
use fwlog::{CommitNumber, DatabaseId, LogPoint};
use pagestore::{LOCK_PAGE, PAGE_SIZE, PageData, PageNumber, sum_of, write_sum_file};

use super::arriving::offset;
use super::plan::{Plan, PlannedLog, Stage};
use super::{altered, clear, directory};
use crate::databases::control::Identity;
use crate::databases::layout::Layout;
use crate::error::EngineError;

/// Where the state goes back to.
#[derive(Debug)]
pub(crate) struct BackTo {
    /// What the environment will be: redo starts at the end of its log or before it, with the databases there.
    pub(crate) identity: Identity,
    /// Where the log will end.
    pub(crate) end: LogPoint,
    /// The newest commit before that.
    pub(crate) commit: CommitNumber,
    /// The number that the next new database gets.
    pub(crate) next_database: u32,
    /// Files of databases that do not exist there.
    pub(crate) aside: Vec<String>,
}

/// What the data file of a database is to begin with: redo brings it further.
///
/// The two belong together. A file that says a later commit than its size is of may be taken as it is by a start whose redo
/// begins between the two, and what was added there would be missing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Whole {
    /// How many pages it has.
    pub(crate) count: u32,
    /// The commit with which it had so many: that of the point, or an earlier one at which redo begins or behind it.
    pub(crate) commit: CommitNumber,
}

/// See the module's page. Only one at a time, and none while a copy comes in.
pub(crate) struct Rewinding {
    layout: Layout,
    plan: Plan,
}

impl Rewinding {
    /// Makes room. What an earlier attempt, or a copy that was broken off, has left goes.
    pub(crate) fn begin(layout: &Layout, to: BackTo) -> Result<Self, EngineError> {
        let (disk, directory) = (layout.disk(), directory(layout));
        disk.make_directory(&directory, 0o700)
            .map_err(|error| EngineError::file("make the directory", &directory, &error))?;
        let plan = Plan {
            stage: Stage::Receiving,
            identity: to.identity,
            commit: to.commit,
            pages: BTreeMap::new(),
            next_database: to.next_database,
            log: PlannedLog::EndsAt(to.end),
            aside: to.aside,
            lost: String::new(),
        };
        plan.write(layout)?;
        clear(layout, |_name| false)?;
        Ok(Self {
            layout: layout.clone(),
            plan,
        })
    }

    /// Room for the pages of a database. `sums` are those of its data file.
    pub(crate) fn database(&self, id: DatabaseId, whole: Whole, sums: Vec<u32>) -> StagedDatabase {
        let path = directory(&self.layout).join(id.get().to_string());
        StagedDatabase::new(&self.layout, path, (id, whole), sums)
    }

    /// Its data file is to get what is staged.
    pub(crate) fn place(&mut self, staged: &StagedDatabase) -> Result<(), EngineError> {
        staged.finish()?;
        self.plan.pages.insert(staged.id, staged.whole.count);
        Ok(())
    }

    /// Has the next start make it the state: the point of no return, which needs no network from there on. What is set aside
    /// goes to directories of this name. Without an error that is durable.
    pub(crate) fn complete(&mut self, lost: &str) -> Result<(), EngineError> {
        lost.clone_into(&mut self.plan.lost);
        let directory = directory(&self.layout);
        let names = self.layout.disk().sync_directory(&directory);
        names.map_err(|error| EngineError::file("sync", &directory, &error))?;
        self.plan.stage = Stage::Complete;
        self.plan.write(&self.layout)
    }

    /// Whether a start may find it complete: what a write that failed has left is not known for sure.
    pub(crate) fn may_be_complete(&self) -> bool {
        let found = Plan::read(&self.layout);
        !matches!(found, Ok(Some(plan)) if plan.stage == Stage::Receiving)
    }

    /// Nothing comes of it: removes all that is staged. `false`: there was nothing.
    ///
    /// Errors: it is past the point of no return.
    pub(crate) fn give_up(layout: &Layout) -> Result<bool, EngineError> {
        match Plan::read(layout)? {
            None => Ok(false),
            Some(plan) if plan.stage == Stage::Receiving => {
                clear(layout, |_name| false)?;
                Plan::remove(layout)?;
                Ok(true)
            }
            Some(_) => Err(EngineError::state(
                "what was begun is past the point of no return: the next start goes on with it",
                "Restart the server; it needs nothing else.",
            )),
        }
    }
}

/// The pages of one database that go to its data file, and the sums of all.
pub(crate) struct StagedDatabase {
    layout: Layout,
    /// Without the ending.
    path: PathBuf,
    id: DatabaseId,
    whole: Whole,
    sums: Vec<u32>,
    /// With the first page.
    staged: Option<Staged>,
}

struct Staged {
    file: Box<dyn DiskFile>,
    /// Which pages: one bit each.
    bits: Vec<u8>,
}

impl Staged {
    fn has(&self, page: u32) -> bool {
        let at = page as usize - 1;
        let byte = self.bits.get(at / 8);
        byte.is_some_and(|byte| byte & (1 << (at % 8)) != 0)
    }
}

impl StagedDatabase {
    fn new(
        layout: &Layout,
        path: PathBuf,
        (id, whole): (DatabaseId, Whole),
        mut sums: Vec<u32>,
    ) -> Self {
        // What the data file does not have is zeros there, unless it is staged or redo has it.
        sums.resize(whole.count as usize, sum_of(&[0; PAGE_SIZE]));
        if let Some(lock) = sums.get_mut(LOCK_PAGE.get() as usize - 1) {
            *lock = 0;
        }
        Self {
            layout: layout.clone(),
            path,
            id,
            whole,
            sums,
            staged: None,
        }
    }

    /// The page has this content there.
    pub(crate) fn put(&mut self, page: PageNumber, content: &PageData) -> Result<(), EngineError> {
        let at = page.get() as usize - 1;
        let Some(sum) = self.sums.get_mut(at).filter(|_| page != LOCK_PAGE) else {
            return Ok(());
        };
        *sum = sum_of(content);
        let path = self.path.with_extension("new");
        if self.staged.is_none() {
            let file = self
                .layout
                .disk()
                .open(&path, Access::CreateBulk(0o600))
                .map_err(|error| EngineError::file("make", &path, &error))?;
            let bits = vec![0; self.whole.count.div_ceil(8) as usize];
            self.staged = Some(Staged { file, bits });
        }
        let Some(staged) = &mut self.staged else {
            return Ok(());
        };
        if let Some(byte) = staged.bits.get_mut(at / 8) {
            *byte |= 1 << (at % 8);
        }
        let written = staged.file.write_at(offset(page.get()), content);
        written.map_err(|error| EngineError::file("write", path, &error))
    }

    /// Reads a page, if it is staged.
    pub(crate) fn read(&self, page: u32, content: &mut PageData) -> Result<bool, EngineError> {
        let Some(staged) = self.staged.as_ref().filter(|staged| staged.has(page)) else {
            return Ok(false);
        };
        let read = staged.file.read_exact_at(offset(page), content);
        read.map_err(|error| EngineError::file("read", self.path.with_extension("new"), &error))?;
        Ok(true)
    }

    /// All are there: brings them to the disk, and reads them back.
    fn finish(&self) -> Result<(), EngineError> {
        let sum = self.path.with_extension("sum");
        let commit = pagestore::CommitNumber::new(self.whole.commit.get());
        write_sum_file(self.layout.disk(), &sum, self.id.get(), commit, &self.sums)?;
        let Some(staged) = &self.staged else {
            return Ok(());
        };
        let path = self.path.with_extension("new");
        let failed = |what, error: std::io::Error| EngineError::file(what, &path, &error);
        staged.file.sync().map_err(|error| failed("sync", error))?;
        let mut page = [0; PAGE_SIZE];
        for (number, sum) in (1..=self.whole.count).zip(&self.sums) {
            if self.read(number, &mut page)? && sum_of(&page) != *sum {
                return Err(altered(format!(
                    "page {number} of database {} is not on the disk as it was written",
                    self.id.get()
                )));
            }
        }
        let pages = self.path.with_extension("pages");
        let written = self.layout.disk().write_atomic(&pages, &staged.bits, 0o600);
        written.map_err(|error| EngineError::file("write", pages, &error))
    }
}
