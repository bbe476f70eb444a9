//! What a way back would do, before anything is done.

use std::sync::Arc;

use fwlog::{CommitNumber, DatabaseId, History, LogPoint, Position, SegmentId, SegmentStore};

use super::begin::begin;
use super::choose::{Facts, Obstacles, Plan, obstacles};
use super::fork::{Fork, apart};
use super::pages::{NotGiven, count_pages, count_pages_of_files, give_pages};
use super::tail::{Tail, Written};
use crate::databases::Database;
use crate::databases::control::{DatabaseEntry, LogPlace, RedoPoint};
use crate::environment::core::Core;
use crate::environment::log;
use crate::environment::redo::segments_of;
use crate::environment::state::Environment;
use crate::error::EngineError;

/// A way back.
pub struct Planned {
    /// Where the logs part.
    pub fork: Fork,
    /// How.
    pub plan: Plan,
    /// Why a cheaper plan is not exact: the plan, and the reason.
    pub not_cheaper: Vec<(Plan, String)>,
    pub(super) tail: Tail,
    /// Where redo begins afterwards, with the databases there.
    pub(super) redo: RedoPoint,
    pub(super) at_redo: Vec<DatabaseEntry>,
    /// The databases at the fork.
    pub(super) at_fork: Vec<DatabaseEntry>,
    /// Pages that are made again.
    pub pages: u64,
}

impl Planned {
    /// Transactions that the root does not have.
    pub fn transactions(&self) -> u64 {
        self.tail.transactions
    }

    /// Of those the commits; the others have made, removed or renamed a database.
    pub fn commits(&self) -> u64 {
        self.tail.commits
    }

    /// The newest commit that is taken back.
    pub fn last(&self) -> Option<CommitNumber> {
        self.tail.last
    }

    /// Where the log ends now.
    pub fn end(&self) -> LogPoint {
        self.tail.end
    }

    /// Where the first of them begins.
    pub fn first(&self) -> Option<Position> {
        self.tail.first
    }

    /// Bytes of pages that are made again.
    pub fn bytes(&self) -> u64 {
        self.pages.saturating_mul(pagestore::PAGE_SIZE as u64)
    }

    /// Whether the database is there where redo begins.
    pub(super) fn is_at_redo(&self, id: DatabaseId) -> bool {
        self.at_redo.iter().any(|entry| entry.id == id)
    }

    /// The databases at the fork, by their numbers.
    pub(super) fn names(&self) -> impl Iterator<Item = (DatabaseId, String)> {
        let entries = self.at_fork.iter();
        entries.map(|entry| (entry.id, entry.name.clone()))
    }

    /// The name of a database at the fork.
    pub(super) fn name_of(&self, id: DatabaseId) -> Option<String> {
        let named = self.at_fork.iter().find(|entry| entry.id == id);
        named.map(|entry| entry.name.clone())
    }

    /// Each database at the fork whose pages are here, with what was written behind it.
    pub(super) fn written<'a>(
        &'a self,
        core: &'a Core,
    ) -> impl Iterator<Item = (Arc<Database>, Option<&'a Written>)> {
        let applied = self.at_fork.iter().filter(|entry| entry.applied);
        applied.filter_map(|entry| {
            let database = core.databases().by_id(entry.id)?;
            Some((database, self.tail.written.get(&entry.id)))
        })
    }
}

impl Environment {
    /// The way back to this fork: `wanted`, or the cheapest one that is exact.
    ///
    /// Errors: what is wanted is not exact; the log can't be read.
    pub fn plan_rejoin(&self, fork: Fork, wanted: Option<Plan>) -> Result<Planned, EngineError> {
        let core = self.core();
        refuse_in_parts(core, fork.at.point.position.segment)?;
        let store = core.log_store(core.log_place())?;
        let mut tail = Tail::read(&store, fork.at.point)?;
        let parts = tail.note_parts_before(&store, fork.at.point)?;
        let at_fork = tail.before(core.databases().entries());
        let begin = begin(core, &store, &fork, &at_fork)?;
        let (redo, at_redo) = (begin.redo, begin.databases);
        let facts = facts(core, (&fork, &tail), (begin.obstacle, parts));
        let Obstacles { cut, log } = obstacles(&facts);
        let mut planned = Planned {
            fork,
            plan: wanted.unwrap_or(Plan::Cut),
            not_cheaper: Vec::new(),
            tail,
            redo,
            at_redo,
            at_fork,
            pages: 0,
        };
        for (plan, obstacle) in [(Plan::Cut, cut), (Plan::Log, log)] {
            if wanted.is_some_and(|wanted| wanted != plan) {
                continue;
            }
            let obstacle = match obstacle {
                Some(obstacle) => Some(obstacle),
                None => planned.count_pages(core, plan)?,
            };
            match obstacle {
                None => {
                    planned.plan = plan;
                    return Ok(planned);
                }
                Some(why) if wanted == Some(plan) => {
                    return Err(EngineError::state(
                        format!("plan {plan} is not exact here: {why}"),
                        "Without --plan the cheapest exact one is taken.",
                    ));
                }
                Some(why) => planned.not_cheaper.push((plan, why)),
            }
        }
        planned.plan = Plan::Compare;
        Ok(planned)
    }
}

impl Planned {
    /// Looks for all the pages that it takes. `Some`: the log does not have one.
    fn count_pages(&mut self, core: &Core, plan: Plan) -> Result<Option<String>, EngineError> {
        let mut pages = 0;
        let commit = self.fork.at.commit;
        for (database, written) in self.written(core) {
            let Some(written) = written else { continue };
            let mut count = |_, _: &_| {
                pages += 1;
                Ok(())
            };
            let behind = (commit, written);
            let of_files = plan == Plan::Cut;
            let here = if of_files {
                count_pages_of_files(core, &database, behind)
            } else {
                count_pages(core, &database, behind)
            };
            let given = here
                .and_then(|here| give_pages(core, &database, behind, (here, of_files), &mut count));
            match given {
                Ok(()) => {}
                Err(NotGiven::NotInLog(why)) => return Ok(Some(why)),
                Err(NotGiven::Failed(error)) => return Err(error),
            }
        }
        self.pages = pages;
        Ok(None)
    }
}

fn facts(
    core: &Core,
    (fork, tail): (&Fork, &Tail),
    (no_redo, parts): (Option<String>, Option<String>),
) -> Facts {
    let redo = core.redo().unwrap_or(RedoPoint::BEGINNING);
    let mark = *core.data_mark();
    // A mark of a branch that was left says nothing of this one.
    let is_of_branch = |generation| {
        let has = |history: &History| history.branch().iter().any(|line| line.id == generation);
        core.instance().with_history(has)
    };
    let databases = core.databases().all();
    let heads = databases.iter().map(|it| it.store().newest_commit().get());
    Facts {
        fork: fork.at.commit,
        redo: redo.commit,
        data_up_to: mark
            .filter(|mark| is_of_branch(mark.generation))
            .map(|mark| mark.commit),
        newest_head: CommitNumber::new(heads.max().unwrap_or(0)),
        removed: tail.removed().map(str::to_owned),
        no_redo,
        parts,
    }
}

/// The log is read and cut in one directory.
fn refuse_in_parts(core: &Core, segment: SegmentId) -> Result<(), EngineError> {
    let refuse = |why: &str| {
        Err(apart(format!(
            "this server cannot go back by its own log: {why}"
        )))
    };
    if core.log_place() == LogPlace::Journal {
        return refuse("forward logging is off, so it is in the journal");
    }
    let journal = log::location(core.config(), core.layout(), LogPlace::Journal)?;
    let there = core.layout().disk().exists(&journal.directory);
    if !there.map_err(|error| EngineError::file("look for", &journal.directory, &error))? {
        return Ok(());
    }
    let segments = segments_of(&SegmentStore::at(journal, 0o600))?;
    if segments.into_iter().any(|id| id >= segment) {
        return refuse("a part of it is in the journal");
    }
    Ok(())
}
