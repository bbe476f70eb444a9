//! The taker's side of the base conversation, without any I/O.
//!
//! ```text
//!          Cut           all groups are as in the cut       up to the end         Roots, proved
//! Opening ─────▶ Pages ───────────────────────────────▶ Log ────────────▶ Proof ───────────────▶ Complete
//! ```
//!
//! Groups are worked on in order, a bounded number at a time, whatever the giver sends. One that differs:
//!
//! ```text
//! Value ─▶ Compared ─▶ Sums ─▶ Compare ─▶ Pages ─▶ Kept ─▶ has its value
//!                                           ▲        │
//!                                           └────────┘ once: all pages, where two had the same sum by chance
//! ```

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use fwlog::Position;
use fwlog::layout::header;
use pagehash::{GROUP_PAGES, GroupNumber, GroupValue, Root};

use super::{
    Asked, CutDatabase, CutOffer, Given, Kept, MAX_LOG, PageSet, PageSum, Pages, Stage,
    StageStatus, TakerAction,
};
use crate::{ProtocolError, Refuse, state};

/// Groups whose pages are on their way: 16 MiB.
const WANTED: usize = 8;

/// Groups that are being compared.
const COMPARED: usize = 256;

/// Groups whose values are made and sent together.
const BATCH: usize = 32;

/// What a group waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waits {
    /// The driver's own value.
    Value,
    /// The giver's word whether it is equal.
    Compared,
    /// The sums of its pages.
    Sums,
    /// The driver's comparison.
    Compare,
    /// These pages.
    Pages(PageSet),
    /// The driver, who looks at these pages and keeps them.
    Kept(PageSet),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TakerState {
    Opening,
    Meeting,
    Pages,
    /// The next byte of the log that is expected.
    Log(Position),
    AskedForRoots,
    Proving,
    Complete,
    Stopped,
}

impl TakerState {
    fn name(self) -> &'static str {
        match self {
            Self::Opening => "waiting for the cut",
            Self::Meeting => "making room for the cut",
            Self::Pages => "taking pages",
            Self::Log(_) => "taking the log",
            Self::AskedForRoots => "waiting for the checksums",
            Self::Proving => "comparing the checksums",
            Self::Complete => "complete",
            Self::Stopped => "stopped",
        }
    }
}

/// The taker's side.
#[derive(Debug)]
pub struct Taker {
    cut: Option<CutOffer>,
    state: TakerState,
    /// How many pages of each database were here.
    here: BTreeMap<u32, u32>,
    /// Databases of the cut whose pages are not wanted.
    left_out: BTreeSet<u32>,
    /// The next group to be worked on: the place of its database in the cut, its number.
    next: (usize, u32),
    /// Groups that are worked on.
    open: BTreeMap<(u32, GroupNumber), Waits>,
    equal: u64,
    taken: u64,
}

impl Default for Taker {
    fn default() -> Self {
        Self::new()
    }
}

impl Taker {
    /// It has heard nothing yet.
    pub fn new() -> Self {
        Self {
            cut: None,
            state: TakerState::Opening,
            here: BTreeMap::new(),
            left_out: BTreeSet::new(),
            next: (0, 0),
            open: BTreeMap::new(),
            equal: 0,
            taken: 0,
        }
    }

    /// The cut, once it has come.
    pub fn cut(&self) -> Option<&CutOffer> {
        self.cut.as_ref()
    }

    /// How far it is.
    pub fn status(&self) -> StageStatus {
        StageStatus {
            stage: match self.state {
                TakerState::Opening
                | TakerState::Meeting
                | TakerState::Pages
                | TakerState::Stopped => Stage::Pages,
                TakerState::Log(_) => Stage::Log,
                TakerState::AskedForRoots | TakerState::Proving | TakerState::Complete => {
                    Stage::Proof
                }
            },
            equal: self.equal,
            taken: self.taken,
            of: self.wanted().map(CutDatabase::moving).sum(),
        }
    }

    /// The databases of the cut whose pages are wanted.
    fn wanted(&self) -> impl Iterator<Item = &CutDatabase> {
        let databases = self.cut.iter().flat_map(|cut| &cut.databases);
        databases.filter(|database| !self.left_out.contains(&database.number))
    }

    /// Takes a message of the giver. After an error the conversation is over: the error goes to the giver.
    pub fn handle(&mut self, message: Given) -> Result<Vec<TakerAction>, Refuse> {
        let result = self.accept(message);
        if result.is_err() {
            self.state = TakerState::Stopped;
        }
        result
    }

    fn accept(&mut self, message: Given) -> Result<Vec<TakerAction>, Refuse> {
        match (message, self.state) {
            (Given::Refuse(refuse), _) => {
                self.state = TakerState::Stopped;
                Ok(vec![TakerAction::Refused(refuse)])
            }
            (Given::Busy, state) if state != TakerState::Stopped => Ok(Vec::new()),
            (Given::Cut(cut), TakerState::Opening) => {
                self.cut = Some(cut.clone());
                self.state = TakerState::Meeting;
                Ok(vec![TakerAction::Meet(cut)])
            }
            (
                Given::Compared {
                    database,
                    first,
                    equal,
                },
                TakerState::Pages,
            ) => self.compared(database, first, &equal),
            (
                Given::PageSums {
                    database,
                    group,
                    sums,
                },
                TakerState::Pages,
            ) => self.sums(database, group, sums),
            (Given::Pages(pages), TakerState::Pages) => self.pages(pages),
            (Given::Log { start, bytes }, TakerState::Log(at)) => self.log(at, start, bytes),
            (Given::Roots(roots), TakerState::AskedForRoots) => self.roots(roots),
            (message, state) => Err(unexpected(&message, state)),
        }
    }

    /// The pages of these databases are not wanted: they are neither compared nor proved. Before [`Taker::begin`].
    ///
    /// # Panics
    /// Where no [`TakerAction::Meet`] came before.
    pub fn leave_out(&mut self, databases: BTreeSet<u32>) {
        assert_eq!(self.state, TakerState::Meeting, "a cut has come");
        self.left_out = databases;
    }

    /// The driver has room for the cut. `here`: how many pages of each database there are already, of any state.
    ///
    /// # Panics
    /// Where no [`TakerAction::Meet`] came before.
    pub fn begin(&mut self, here: BTreeMap<u32, u32>) -> Vec<TakerAction> {
        assert_eq!(self.state, TakerState::Meeting, "a cut has come");
        self.here = here;
        self.state = TakerState::Pages;
        self.go_on()
    }

    /// The values of groups that [`TakerAction::Value`] asked for.
    pub fn valued(
        &mut self,
        database: u32,
        first: GroupNumber,
        values: Vec<GroupValue>,
    ) -> Vec<TakerAction> {
        for group in following(first, values.len()) {
            let waits = self.open.insert((database, group), Waits::Compared);
            assert_eq!(waits, Some(Waits::Value), "this value was asked for");
        }
        vec![TakerAction::Send(Asked::Have {
            database,
            first,
            values,
        })]
    }

    fn compared(
        &mut self,
        database: u32,
        first: GroupNumber,
        equal: &[bool],
    ) -> Result<Vec<TakerAction>, Refuse> {
        for (group, equal) in following(first, equal.len()).zip(equal) {
            match self.open.get_mut(&(database, group)) {
                Some(Waits::Compared) if *equal => {
                    self.close(database, group, PageSet::EMPTY);
                }
                Some(waits @ Waits::Compared) => *waits = Waits::Sums,
                _ => return Err(not_asked("Compared", database, group)),
            }
        }
        Ok(self.go_on())
    }

    fn sums(
        &mut self,
        database: u32,
        group: GroupNumber,
        sums: Vec<PageSum>,
    ) -> Result<Vec<TakerAction>, Refuse> {
        let pages = self.pages_of(database, group) as usize;
        match self.open.get_mut(&(database, group)) {
            Some(waits @ Waits::Sums) if sums.len() == pages => {
                *waits = Waits::Compare;
                Ok(vec![TakerAction::Compare {
                    database,
                    group,
                    sums,
                }])
            }
            _ => Err(not_asked("PageSums", database, group)),
        }
    }

    /// Which pages of a group are not as [`TakerAction::Compare`] said.
    pub fn differ(&mut self, database: u32, group: GroupNumber, pages: PageSet) -> TakerAction {
        let all = PageSet::first(self.pages_of(database, group));
        // The values of the group differ, so a page does, whatever its sum says.
        let pages = if pages.is_empty() { all } else { pages };
        assert_eq!(
            self.open.get(&(database, group)),
            Some(&Waits::Compare),
            "this comparison was asked for"
        );
        self.want(database, group, pages)
    }

    fn want(&mut self, database: u32, group: GroupNumber, pages: PageSet) -> TakerAction {
        self.open.insert((database, group), Waits::Pages(pages));
        TakerAction::Send(Asked::Want {
            database,
            group,
            pages,
        })
    }

    fn pages(&mut self, pages: Pages) -> Result<Vec<TakerAction>, Refuse> {
        let (database, group) = (pages.database, pages.group);
        match self.open.get_mut(&(database, group)) {
            Some(waits) if *waits == Waits::Pages(pages.pages) => {
                *waits = Waits::Kept(pages.pages);
                Ok(vec![TakerAction::Keep(pages)])
            }
            _ => Err(not_asked("Pages", database, group)),
        }
    }

    /// What has become of the pages of [`TakerAction::Keep`]. Where the group has not its value with them, pages of it were taken
    /// for equal that are not: all are wanted then. After an error the conversation is over: the error goes to the giver.
    ///
    /// # Panics
    /// Where they were not to be kept.
    pub fn kept(
        &mut self,
        database: u32,
        group: GroupNumber,
        kept: Kept,
    ) -> Result<Vec<TakerAction>, Refuse> {
        let Some(Waits::Kept(pages)) = self.open.get(&(database, group)).copied() else {
            unreachable!("pages of group {group} of {database} were to be kept")
        };
        let all = PageSet::first(self.pages_of(database, group));
        match kept {
            Kept::Proved => {
                self.close(database, group, pages);
                Ok(self.go_on())
            }
            Kept::Differs if pages != all => Ok(vec![self.want(database, group, all)]),
            Kept::Differs => {
                self.state = TakerState::Stopped;
                let why = format!("group {group} of database {database} is not what was sent");
                Err(Refuse::new(state::DAMAGED, why))
            }
        }
    }

    /// A group is as in the cut, after these pages have come.
    fn close(&mut self, database: u32, group: GroupNumber, taken: PageSet) {
        let pages = self.pages_of(database, group);
        self.open.remove(&(database, group));
        self.taken += u64::from(taken.len());
        self.equal += u64::from(pages - taken.len());
    }

    /// Opens as many groups as there is room for. Behind the last one comes the log.
    fn go_on(&mut self) -> Vec<TakerAction> {
        let mut actions = Vec::new();
        while let Some((database, group)) = self.next_group() {
            if group.get() >= self.groups_here(database) {
                let coming = |waits: &&Waits| matches!(waits, Waits::Pages(_) | Waits::Kept(_));
                if self.open.values().filter(coming).count() >= WANTED {
                    return actions;
                }
                self.next.1 += 1;
                let pages = PageSet::first(self.pages_of(database, group));
                actions.push(self.want(database, group, pages));
                continue;
            }
            if self.open.len() + BATCH > COMPARED {
                return actions;
            }
            let count = self.groups_here(database) - group.get();
            let count = count.min(u32::try_from(BATCH).unwrap_or(u32::MAX));
            for group in following(group, count as usize) {
                self.open.insert((database, group), Waits::Value);
            }
            self.next.1 += count;
            actions.push(TakerAction::Value {
                database,
                first: group,
                count,
            });
        }
        if self.open.is_empty() && self.state == TakerState::Pages {
            actions.push(self.ask_log());
        }
        actions
    }

    /// The next group of the cut that nobody works on.
    fn next_group(&mut self) -> Option<(u32, GroupNumber)> {
        let databases = &self.cut.as_ref()?.databases;
        while let Some(database) = databases.get(self.next.0) {
            let (at, group) = self.next;
            if group < database.groups() && !self.left_out.contains(&database.number) {
                return Some((database.number, GroupNumber::new(group)?));
            }
            self.next = (at + 1, 0);
        }
        None
    }

    /// How many groups of the cut's database have a page here.
    fn groups_here(&self, database: u32) -> u32 {
        let here = self.here.get(&database).copied().unwrap_or(0);
        let cut = self.cut.as_ref().and_then(|cut| cut.database(database));
        GroupNumber::count(here.min(cut.map_or(0, |database| database.pages)))
    }

    fn pages_of(&self, database: u32, group: GroupNumber) -> u32 {
        let cut = self.cut.as_ref().and_then(|cut| cut.database(database));
        cut.map_or(0, |database| database.pages_of(group))
    }

    fn ask_log(&mut self) -> TakerAction {
        let Some(log) = self.cut.as_ref().and_then(|cut| cut.log) else {
            self.state = TakerState::AskedForRoots;
            return TakerAction::Send(Asked::AskRoots);
        };
        let from = Position {
            segment: log.from,
            offset: 0,
        };
        self.state = TakerState::Log(from);
        TakerAction::Send(Asked::AskLog { from })
    }

    fn log(
        &mut self,
        expected: Position,
        start: Position,
        bytes: Bytes,
    ) -> Result<Vec<TakerAction>, Refuse> {
        let log = self.cut.as_ref().and_then(|cut| cut.log);
        let to = log.map_or(expected, |log| log.to);
        let follows = start == expected
            || start.offset == 0
                && start.segment.may_follow(expected.segment)
                && expected.offset > header::SIZE as u64;
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let end = Position {
            segment: start.segment,
            offset: start.offset.saturating_add(length),
        };
        if !follows || bytes.is_empty() || bytes.len() > MAX_LOG || end > to {
            return Err(
                Refuse::new(state::PROTOCOL_VIOLATION, "log that was not asked for").detail(
                    format!("{length} bytes at {start}; expected {expected}, up to {to}"),
                ),
            );
        }
        let mut actions = vec![TakerAction::KeepLog { start, bytes }];
        self.state = if end == to {
            actions.push(TakerAction::Send(Asked::AskRoots));
            TakerState::AskedForRoots
        } else {
            TakerState::Log(end)
        };
        Ok(actions)
    }

    fn roots(&mut self, roots: Vec<(u32, Root)>) -> Result<Vec<TakerAction>, Refuse> {
        let databases = self.cut.iter().flat_map(|cut| &cut.databases);
        let numbers = databases.map(|database| database.number);
        if !numbers.eq(roots.iter().map(|(database, _)| *database)) {
            return Err(Refuse::new(
                state::PROTOCOL_VIOLATION,
                "checksums of other databases than those of the cut",
            ));
        }
        self.state = TakerState::Proving;
        let is_wanted = |root: &(u32, Root)| !self.left_out.contains(&root.0);
        let wanted = roots.into_iter().filter(is_wanted).collect();
        Ok(vec![TakerAction::Prove(wanted)])
    }

    /// What is on the disk is what [`TakerAction::Prove`] says.
    ///
    /// # Panics
    /// Where nothing was to be proved.
    pub fn proved(&mut self) -> Vec<TakerAction> {
        assert_eq!(self.state, TakerState::Proving, "the roots have come");
        let of = self.status().of;
        assert_eq!(self.equal + self.taken, of, "every page is accounted for");
        self.state = TakerState::Complete;
        vec![TakerAction::Send(Asked::Complete), TakerAction::Complete]
    }
}

/// Groups that follow one another.
fn following(first: GroupNumber, count: usize) -> impl Iterator<Item = GroupNumber> {
    (first.get()..u32::MAX / GROUP_PAGES)
        .take(count)
        .filter_map(GroupNumber::new)
}

fn not_asked(what: &str, database: u32, group: GroupNumber) -> Refuse {
    Refuse::new(
        state::PROTOCOL_VIOLATION,
        format!("{what} that was not asked for"),
    )
    .detail(format!("group {group} of database {database}"))
}

fn unexpected(message: &Given, state: TakerState) -> Refuse {
    Refuse::from(&ProtocolError::Unexpected {
        message: message.name(),
        state: state.name(),
    })
}
