//! A slave's room for what comes in.

use std::collections::{BTreeMap, BTreeSet};

use dbconfig::Apply;
use dbproto::base::{CutOffer, Kept, PageSet, PageSum, Pages};
use fwlog::{DatabaseId, Position};
use pagehash::{GroupNumber, GroupValue, Root};
use pagestore::CommitNumber;

use super::arriving::{Arriving, Room};
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
    room: Room,
}

impl Incoming {
    /// Makes room for a cut. `here` are the databases whose data files have all that they have got; `apply` says which ones
    /// are to have pages; `lost` is the name of the directory for what will be discarded.
    pub(crate) fn begin(
        layout: &Layout,
        cut: &CutOffer,
        here: &Databases,
        (apply, lost): (&Apply, String),
    ) -> Result<Self, EngineError> {
        let (disk, directory) = (layout.disk(), directory(layout));
        disk.make_directory(&directory, 0o700)
            .map_err(|error| EngineError::file("make the directory", &directory, &error))?;
        let plan = Plan::of(cut, here, apply, lost);
        plan.write(layout)?;
        let is_of_use = |name: &str| {
            let number = name.strip_suffix(".new").and_then(|it| it.parse().ok());
            number.is_some_and(|number| plan.pages.contains_key(&DatabaseId::new(number)))
        };
        // What was proved, and the log, were those of another cut.
        clear(layout, is_of_use)?;
        let mut databases = BTreeMap::new();
        for entry in plan.identity.databases.iter().filter(|it| it.applied) {
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
            room: Room::default(),
        })
    }

    /// The databases of the cut that get no pages.
    pub(crate) fn left_out(&self) -> BTreeSet<u32> {
        let entries = self.plan.identity.databases.iter();
        entries
            .filter(|entry| !entry.applied)
            .map(|entry| entry.id.get())
            .collect()
    }

    /// How many pages there are of each database, of whatever state.
    pub(crate) fn here(&self) -> BTreeMap<u32, u32> {
        let here = self.databases.iter();
        here.map(|(number, database)| (*number, database.here()))
            .collect()
    }

    fn database(&mut self, number: u32) -> Result<(&mut Arriving, &mut Room), EngineError> {
        match self.databases.get_mut(&number) {
            Some(known) => Ok((known, &mut self.room)),
            None => Err(altered(format!("database {number} is not in the cut"))),
        }
    }

    /// The values of groups as they are here.
    pub(crate) fn values(
        &mut self,
        database: u32,
        first: GroupNumber,
        count: u32,
    ) -> Result<Vec<GroupValue>, EngineError> {
        let (database, room) = self.database(database)?;
        let groups = (first.get()..).take(count as usize);
        groups
            .filter_map(GroupNumber::new)
            .map(|group| database.look_at(group, room))
            .collect()
    }

    /// The pages of a group that have another sum here, after [`Incoming::values`].
    pub(crate) fn differ(
        &mut self,
        database: u32,
        group: GroupNumber,
        sums: &[PageSum],
    ) -> Result<PageSet, EngineError> {
        self.database(database)?.0.differ(group, sums)
    }

    /// Keeps pages, if their group has its value with them.
    pub(crate) fn keep(&mut self, pages: &Pages) -> Result<Kept, EngineError> {
        let (database, room) = self.database(pages.database)?;
        database.keep(pages, room)
    }

    /// Keeps a piece of the log.
    pub(crate) fn keep_log(&mut self, start: Position, bytes: &[u8]) -> Result<(), EngineError> {
        self.log.keep(start, bytes)
    }

    /// All has come: proves that it is what the giver has, and that the disk has it. Nothing is lost then when the power fails.
    pub(crate) fn prove(&mut self, roots: &[(u32, Root)]) -> Result<(), EngineError> {
        let commit = CommitNumber::new(self.plan.commit.get());
        for (number, root) in roots {
            let (database, room) = self.database(*number)?;
            database.prove(*root, commit, room)?;
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
