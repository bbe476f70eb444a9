//! The taker's side of the base conversation, without any I/O.
//!
//! ```text
//!          Cut           all groups are as in the cut       up to the end         Roots, proved
//! Opening ─────▶ Pages ───────────────────────────────▶ Log ────────────▶ Proof ───────────────▶ Complete
//! ```
//!
//! Groups are worked on in order, a bounded number at a time, whatever the giver sends.

use std::collections::BTreeMap;

use bytes::Bytes;
use fwlog::Position;
use fwlog::layout::header;
use pagehash::{GROUP_PAGES, GroupNumber, GroupValue, PageHash, Root};

use super::{Asked, CutOffer, Given, MAX_LOG, PageSet, Pages, Stage, StageStatus};
use crate::{ProtocolError, Refuse, state};

/// Groups whose pages are on their way: 16 MiB.
const WANTED: usize = 8;

/// Groups that are being compared.
const COMPARED: usize = 256;

/// Groups whose values are made and sent together.
const BATCH: usize = 32;

/// What the driver does for the [`Taker`], in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TakerAction {
    /// Send the message.
    Send(Asked),
    /// The cut: make room for it, or refuse it; then call [`Taker::begin`] with what is here.
    Meet(CutOffer),
    /// Make the values of these groups, of what is here; then call [`Taker::valued`].
    Value {
        /// The database.
        database: u32,
        /// The first of the groups.
        first: GroupNumber,
        /// How many.
        count: u32,
    },
    /// Compare with what is here; then call [`Taker::differ`].
    Compare {
        /// The database.
        database: u32,
        /// The group.
        group: GroupNumber,
        /// Of each of its pages in the cut.
        hashes: Vec<PageHash>,
    },
    /// Keep these pages, and check that the group has its value with them; then call [`Taker::staged`].
    Keep(Pages),
    /// Keep a piece of the log.
    KeepLog {
        /// Of the first byte.
        start: Position,
        /// As it is in its file.
        bytes: Bytes,
    },
    /// Read all back and compare with these; then call [`Taker::proved`].
    Prove(Vec<(u32, Root)>),
    /// All is here. The conversation is over.
    Complete,
    /// The giver won't go on. The conversation is over.
    Refused(Refuse),
}

/// What a group waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waits {
    /// The driver's own value.
    Value,
    /// The giver's word whether it is equal.
    Compared,
    /// The hashes of its pages.
    Hashes,
    /// The driver's comparison.
    Compare,
    /// These pages.
    Pages(PageSet),
    /// The driver, who keeps so many pages.
    Kept(u32),
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
            of: self.cut.as_ref().map_or(0, CutOffer::pages),
        }
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
                Given::PageHashes {
                    database,
                    group,
                    hashes,
                },
                TakerState::Pages,
            ) => self.hashes(database, group, hashes),
            (Given::Pages(pages), TakerState::Pages) => self.pages(pages),
            (Given::Log { start, bytes }, TakerState::Log(at)) => self.log(at, start, bytes),
            (Given::Roots(roots), TakerState::AskedForRoots) => self.roots(roots),
            (message, state) => Err(unexpected(&message, state)),
        }
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
                Some(waits @ Waits::Compared) if *equal => {
                    *waits = Waits::Kept(0);
                    self.close(database, group);
                }
                Some(waits @ Waits::Compared) => *waits = Waits::Hashes,
                _ => return Err(not_asked("Compared", database, group)),
            }
        }
        Ok(self.go_on())
    }

    fn hashes(
        &mut self,
        database: u32,
        group: GroupNumber,
        hashes: Vec<PageHash>,
    ) -> Result<Vec<TakerAction>, Refuse> {
        let pages = self.pages_of(database, group) as usize;
        match self.open.get_mut(&(database, group)) {
            Some(waits @ Waits::Hashes) if hashes.len() == pages => {
                *waits = Waits::Compare;
                Ok(vec![TakerAction::Compare {
                    database,
                    group,
                    hashes,
                }])
            }
            _ => Err(not_asked("PageHashes", database, group)),
        }
    }

    /// Which pages of a group are not as [`TakerAction::Compare`] said.
    pub fn differ(&mut self, database: u32, group: GroupNumber, pages: PageSet) -> TakerAction {
        let all = PageSet::first(self.pages_of(database, group));
        // The values of the group differ, so a page does, whatever half of its hash says.
        let pages = if pages.is_empty() { all } else { pages };
        let waits = self.open.insert((database, group), Waits::Pages(pages));
        assert_eq!(waits, Some(Waits::Compare), "this comparison was asked for");
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
                *waits = Waits::Kept(pages.pages.len());
                Ok(vec![TakerAction::Keep(pages)])
            }
            _ => Err(not_asked("Pages", database, group)),
        }
    }

    /// The pages of [`TakerAction::Keep`] are kept, and the group has its value.
    ///
    /// # Panics
    /// Where they were not to be kept.
    pub fn staged(&mut self, database: u32, group: GroupNumber) -> Vec<TakerAction> {
        self.close(database, group);
        self.go_on()
    }

    fn close(&mut self, database: u32, group: GroupNumber) {
        let pages = self.pages_of(database, group);
        let taken = match self.open.remove(&(database, group)) {
            Some(Waits::Kept(taken)) => taken,
            other => unreachable!("group {group} of {database} is at its end, not {other:?}"),
        };
        self.taken += u64::from(taken);
        self.equal += u64::from(pages - taken);
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
                self.open.insert((database, group), Waits::Pages(pages));
                actions.push(TakerAction::Send(Asked::Want {
                    database,
                    group,
                    pages,
                }));
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
            if group < database.groups() {
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
        Ok(vec![TakerAction::Prove(roots)])
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
