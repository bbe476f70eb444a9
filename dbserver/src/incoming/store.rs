//! A slave's room for what comes in.

use std::collections::BTreeMap;

use dbproto::base::{CutOffer, PageSet, Pages};
use fwlog::{DatabaseId, Position};
use pagehash::{GroupNumber, GroupValue, PageHash, Root};
use pagestore::CommitNumber;

use super::arriving::Arriving;
use super::arriving_log::ArrivingLog;
use super::plan::{Plan, Stage};
use super::{altered, clear, directory};
use crate::databases::layout::Layout;
use crate::databases::list::Databases;
use crate::error::EngineError;

/// What comes in. Only one at a time.
pub(crate) struct Incoming {
    layout: Layout,
    plan: Plan,
    databases: BTreeMap<u32, Arriving>,
    log: ArrivingLog,
}

impl Incoming {
    /// Makes room for a cut. `here` are the databases whose data files have all that they have got; `lost` is the name of
    /// the directory for what will be discarded.
    pub(crate) fn begin(
        layout: &Layout,
        cut: &CutOffer,
        here: &Databases,
        lost: String,
    ) -> Result<Self, EngineError> {
        let (disk, directory) = (layout.disk(), directory(layout));
        disk.make_directory(&directory, 0o700)
            .map_err(|error| EngineError::file("make the directory", &directory, &error))?;
        let plan = Plan::of(cut, here, lost);
        plan.write(layout)?;
        let is_of_use = |name: &str| {
            let number = name.strip_suffix(".new").and_then(|it| it.parse().ok());
            number.is_some_and(|number| plan.pages.contains_key(&DatabaseId::new(number)))
        };
        // What was proved, and the log, were those of another cut.
        clear(layout, is_of_use)?;
        let mut databases = BTreeMap::new();
        for entry in &plan.identity.databases {
            let number = entry.id.get();
            let pages = plan.pages.get(&entry.id).copied().unwrap_or(0);
            let base = here.by_id(entry.id).map(|_| layout.data_file(&entry.file));
            let arriving = Arriving::open(disk, &directory, (number, pages), base.as_deref())?;
            databases.insert(number, arriving);
        }
        Ok(Self {
            log: ArrivingLog::new(disk, &directory),
            layout: layout.clone(),
            plan,
            databases,
        })
    }

    /// How many pages there are of each database, of whatever state.
    pub(crate) fn here(&self) -> BTreeMap<u32, u32> {
        let here = self.databases.iter();
        here.map(|(number, database)| (*number, database.here()))
            .collect()
    }

    fn database(&self, number: u32) -> Result<&Arriving, EngineError> {
        let known = self.databases.get(&number);
        known.ok_or_else(|| altered(format!("database {number} is not in the cut")))
    }

    /// The values of groups as they are here.
    pub(crate) fn values(
        &self,
        database: u32,
        first: GroupNumber,
        count: u32,
    ) -> Result<Vec<GroupValue>, EngineError> {
        let database = self.database(database)?;
        let groups = (first.get()..).take(count as usize);
        groups
            .filter_map(GroupNumber::new)
            .map(|group| database.value(group))
            .collect()
    }

    /// The pages of a group that have another hash here.
    pub(crate) fn differ(
        &self,
        database: u32,
        group: GroupNumber,
        hashes: &[PageHash],
    ) -> Result<PageSet, EngineError> {
        self.database(database)?.differ(group, hashes)
    }

    /// Keeps pages; an error, too, where they are not what was sent.
    pub(crate) fn keep(&mut self, pages: &Pages) -> Result<(), EngineError> {
        match self.databases.get_mut(&pages.database) {
            Some(database) => database.keep(pages),
            None => Err(altered(
                "pages of a database that is not in the cut".to_owned(),
            )),
        }
    }

    /// Keeps a piece of the log.
    pub(crate) fn keep_log(&mut self, start: Position, bytes: &[u8]) -> Result<(), EngineError> {
        self.log.keep(start, bytes)
    }

    /// All has come: reads it back and compares. Nothing is lost then when the power fails.
    pub(crate) fn prove(&self, roots: &[(u32, Root)]) -> Result<(), EngineError> {
        let commit = CommitNumber::new(self.plan.commit.get());
        for (number, root) in roots {
            self.database(*number)?.prove(*root, commit)?;
        }
        self.log.sync()
    }

    /// Has the next start make it the state. Without an error that is durable.
    pub(crate) fn complete(&mut self) -> Result<(), EngineError> {
        self.plan.stage = Stage::Complete;
        self.plan.write(&self.layout)
    }

    /// Whether a start may find it complete: what a write that failed has left is not known for sure.
    pub(crate) fn may_be_complete(&self) -> bool {
        let found = Plan::read(&self.layout);
        !matches!(found, Ok(Some(plan)) if plan.stage == Stage::Receiving)
    }
}
