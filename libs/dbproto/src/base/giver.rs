//! The giver's side of the base conversation, without any I/O.
//!
//! ```text
//!          OpenCut             opened        Have, Want, AskLog, AskRoots               Complete
//! Waiting ─────────▶ Opening ─────────▶ Giving ──────────────────────────▶ Giving ───────────────▶ Done
//! ```
//!
//! It checks that what is asked for is in the cut, so that its driver may read without looking.

use fwlog::Position;
use pagehash::{GroupNumber, GroupValue, Root};

use super::{Asked, CutOffer, Given, Offer, PageSet, PageSum, StageStatus};
use crate::{ProtocolError, Refuse, state};

/// What the driver does for the [`Giver`], in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GiverAction {
    /// Open a cut, then call [`Giver::opened`].
    Open {
        /// Who takes it.
        taker: String,
        /// Pages are to be compressed for the way.
        pack: bool,
    },
    /// Compare these values with those of the cut, send what [`Giver::compared`] makes of it, and the sums of each
    /// group that differs.
    Compare {
        /// The database.
        database: u32,
        /// The first of the groups, all of which the cut has.
        first: GroupNumber,
        /// The taker's values.
        values: Vec<GroupValue>,
    },
    /// Send these pages, all of which the cut has.
    Give {
        /// The database.
        database: u32,
        /// The group.
        group: GroupNumber,
        /// Which of its pages: at least one.
        pages: PageSet,
    },
    /// Send the log from here to the end of its range.
    GiveLog {
        /// In the cut's log.
        from: Position,
    },
    /// Make the checksums and send them.
    GiveRoots,
    /// How far the taker is.
    Status(StageStatus),
    /// The taker has all: the cut may be closed.
    Complete,
    /// The taker won't go on. The conversation is over.
    Refused(Refuse),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum GiverState {
    Waiting,
    Opening,
    Giving,
    Done,
}

impl GiverState {
    fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting for OpenCut",
            Self::Opening => "opening the cut",
            Self::Giving => "giving",
            Self::Done => "done",
        }
    }
}

/// The giver's side.
#[derive(Debug)]
pub struct Giver {
    state: GiverState,
    cut: Option<CutOffer>,
}

impl Default for Giver {
    fn default() -> Self {
        Self::new()
    }
}

impl Giver {
    /// It has heard nothing yet.
    pub fn new() -> Self {
        Self {
            state: GiverState::Waiting,
            cut: None,
        }
    }

    /// The cut, once it is open.
    pub fn cut(&self) -> Option<&CutOffer> {
        self.cut.as_ref()
    }

    /// Takes a message of the taker. After an error the conversation is over: the error goes to the taker.
    pub fn handle(&mut self, message: Asked) -> Result<GiverAction, Refuse> {
        let result = self.accept(message);
        if result.is_err() {
            self.state = GiverState::Done;
        }
        result
    }

    fn accept(&mut self, message: Asked) -> Result<GiverAction, Refuse> {
        match (message, self.state) {
            (Asked::Refuse(refuse), _) => {
                self.state = GiverState::Done;
                Ok(GiverAction::Refused(refuse))
            }
            (
                Asked::OpenCut {
                    version,
                    taker,
                    pack,
                },
                GiverState::Waiting,
            ) => {
                Offer::base().common(&Offer::new(version, version, &[]), "dbrepl")?;
                self.state = GiverState::Opening;
                Ok(GiverAction::Open { taker, pack })
            }
            (
                Asked::Have {
                    database,
                    first,
                    values,
                },
                GiverState::Giving,
            ) => {
                let count = u32::try_from(values.len()).unwrap_or(u32::MAX);
                self.check_groups(database, first, count)?;
                Ok(GiverAction::Compare {
                    database,
                    first,
                    values,
                })
            }
            (
                Asked::Want {
                    database,
                    group,
                    pages,
                },
                GiverState::Giving,
            ) => {
                self.check_pages(database, group, &pages)?;
                Ok(GiverAction::Give {
                    database,
                    group,
                    pages,
                })
            }
            (Asked::AskLog { from }, GiverState::Giving) => {
                self.check_log(from)?;
                Ok(GiverAction::GiveLog { from })
            }
            (Asked::AskRoots, GiverState::Giving) => Ok(GiverAction::GiveRoots),
            (Asked::Status(status), GiverState::Giving) => Ok(GiverAction::Status(status)),
            (Asked::Complete, GiverState::Giving) => {
                self.state = GiverState::Done;
                Ok(GiverAction::Complete)
            }
            (message, state) => Err(Refuse::from(&ProtocolError::Unexpected {
                message: message.name(),
                state: state.name(),
            })),
        }
    }

    /// The cut is open: gives the first message.
    ///
    /// # Panics
    /// Where no [`GiverAction::Open`] came before.
    pub fn opened(&mut self, cut: CutOffer) -> Given {
        assert_eq!(self.state, GiverState::Opening, "a cut was asked for");
        self.state = GiverState::Giving;
        self.cut = Some(cut.clone());
        Given::Cut(cut)
    }

    /// The answer to [`GiverAction::Compare`].
    pub fn compared(
        database: u32,
        first: GroupNumber,
        theirs: &[GroupValue],
        ours: &[GroupValue],
    ) -> Given {
        assert_eq!(theirs.len(), ours.len(), "each value is compared with one");
        let equal = theirs.iter().zip(ours).map(|(theirs, ours)| theirs == ours);
        Given::Compared {
            database,
            first,
            equal: equal.collect(),
        }
    }

    /// What follows for a group that differs.
    pub fn sums(database: u32, group: GroupNumber, sums: Vec<PageSum>) -> Given {
        Given::PageSums {
            database,
            group,
            sums,
        }
    }

    /// The answer to [`GiverAction::GiveRoots`].
    pub fn roots(roots: Vec<(u32, Root)>) -> Given {
        Given::Roots(roots)
    }

    fn check_groups(&self, database: u32, first: GroupNumber, count: u32) -> Result<(), Refuse> {
        let known = self.cut.as_ref().and_then(|cut| cut.database(database));
        let groups = known.map_or(0, super::CutDatabase::groups);
        let end = first.get().checked_add(count);
        if count == 0 || end.is_none_or(|end| end > groups) {
            return Err(not_in_the_cut(database, first));
        }
        Ok(())
    }

    fn check_pages(
        &self,
        database: u32,
        group: GroupNumber,
        pages: &PageSet,
    ) -> Result<(), Refuse> {
        let known = self.cut.as_ref().and_then(|cut| cut.database(database));
        let has = known.map_or(0, |database| database.pages_of(group));
        if pages.is_empty() || !pages.is_within(has) {
            return Err(not_in_the_cut(database, group));
        }
        Ok(())
    }

    fn check_log(&self, from: Position) -> Result<(), Refuse> {
        let log = self.cut.as_ref().and_then(|cut| cut.log);
        if log.is_none_or(|log| from.segment < log.from || from >= log.to) {
            let why = format!("no log of the cut begins at {from}");
            return Err(Refuse::new(state::PROTOCOL_VIOLATION, why));
        }
        Ok(())
    }
}

fn not_in_the_cut(database: u32, group: GroupNumber) -> Refuse {
    Refuse::new(
        state::PROTOCOL_VIOLATION,
        "what is asked for is not in the cut",
    )
    .detail(format!("group {group} of database {database}"))
}
