//! A cut is taken: by a master inside a checkpoint, by a slave between two runs of its applier.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use dbproto::Progress;
use fwlog::{EnvironmentId, LogPoint};
use pagestore::Snapshot;

use crate::databases::Database;
use crate::databases::control::{DatabaseEntry, LogPlace, RedoPoint};
use crate::databases::host::Drive;
use crate::environment::checkpoint::ON_DISK_SOON;
use crate::environment::core::Core;
use crate::environment::cut::log_head::LogHead;
use crate::environment::cut::open::{CutUse, Snapshots};
use crate::environment::cut::{Cut, CutDatabase};
use crate::environment::log::redo_point;
use crate::environment::master::Master;
use crate::environment::side::Side;
use crate::environment::slave::Slave;
use crate::environment::state::Environment;
use crate::error::EngineError;
use crate::slave::Work;

/// How long a cut waits for the applier, which may have a large run at hand or wait for a reader.
const APPLIER_ANSWERS: Duration = Duration::from_mins(1);

/// A database with its pages at one commit.
type Taken = (Arc<Database>, Snapshot);

impl Environment {
    /// Takes a cut for `who`, which is shown to people. It stays open while somebody has it at hand, and a minute
    /// longer; see [`crate::environment::cut::Cuts`].
    ///
    /// Errors: the log has failed, between the cut and its commits being on the disk, too; the role changes; a
    /// slave has nothing yet, or holds back a database for a session.
    pub fn open_cut(&self, who: &str) -> Result<CutUse, EngineError> {
        let _no_other_role = self.hold_role()?;
        match self.side() {
            Side::Master(master) => master.open_cut(who),
            Side::Slave(slave) => slave.open_cut(who),
            Side::None => Err(EngineError::ChangingRole),
        }
    }
}

impl Master {
    /// The checkpoint that it is taken in goes on afterwards; where that fails, the cut is as good.
    fn open_cut(&self, who: &str) -> Result<CutUse, EngineError> {
        let core = self.core();
        let environment = core.known_id()?;
        let _one_author = core.one_author();
        let has_log = core.log_place() == LogPlace::ForwardLog;
        if has_log {
            // The log head is short then.
            let switched = self.writer().switch().map_err(EngineError::LogFailed);
            switched.inspect_err(|error| self.note_failure(error))?;
        }
        let (begun, taken) = self.begin_checkpoint(|| {
            let databases = core.databases().all();
            databases
                .into_iter()
                .map(|database| {
                    let snapshot = database.store().snapshot_latest();
                    (database, snapshot)
                })
                .collect::<Vec<Taken>>()
        })?;
        let newest = begun.borders.newest;
        let redo = if has_log {
            begun.borders.earliest
        } else {
            newest
        };
        let contents = Contents {
            environment,
            redo: redo_point(&redo),
            at: (&newest).into(),
            databases: begun.entries.clone(),
        };
        let cut = contents.open(core, taken, has_log, who);
        if core.backup_mode().is_on() {
            // The data files stand still: the checkpoint is made when they do not any more.
            return complete(core, cut, has_log);
        }
        let made = self.finish_checkpoint(begun);
        core.counters().note_checkpoint(&made);
        if let Err(error) = made {
            tracing::warn!(%error, "a cut was taken, and its checkpoint has failed; the next one is made when it is due");
        }
        complete(core, cut, has_log)
    }
}

impl Slave {
    fn open_cut(self: &Arc<Self>, who: &str) -> Result<CutUse, EngineError> {
        let cut = match self.core().host().drive {
            Drive::Owner => self.cut_here(who)?,
            Drive::Threads => self.cut_between_runs(who)?,
        };
        // What it shows may not be on its own disk yet, and only what is durable leaves the machine.
        let on_disk = match self.core().host().drive {
            Drive::Threads => self.log().wait_until_durable(ON_DISK_SOON),
            Drive::Owner if self.log().is_durable() => Ok(()),
            Drive::Owner => Err(not_on_disk()),
        };
        match on_disk {
            Ok(()) => complete(self.core(), cut, true),
            Err(error) => {
                self.core().cuts().close(cut.cut().id);
                Err(error)
            }
        }
    }

    /// The applier takes it between two runs; where applying is suspended, it is taken where that stands.
    fn cut_between_runs(self: &Arc<Self>, who: &str) -> Result<CutUse, EngineError> {
        let (done, result) = mpsc::channel();
        let (me, name) = (Arc::clone(self), who.to_owned());
        let errand = Box::new(move || {
            // Whoever has asked may have given up.
            if let Err(unwanted) = done.send(me.cut_here(&name))
                && let Ok(cut) = unwanted.0
            {
                me.core().cuts().close(cut.cut().id);
            }
        });
        if !self.log().queue().put(Work::Between(errand)) {
            return self.cut_here(who);
        }
        match result.recv_timeout(APPLIER_ANSWERS) {
            Ok(taken) => taken,
            Err(RecvTimeoutError::Disconnected) => self.cut_here(who),
            Err(RecvTimeoutError::Timeout) => Err(EngineError::state(
                "the applier of this slave does not come to take a cut",
                "'dbctl replication status' says what it waits for.",
            )),
        }
    }

    /// All stores show the same commit just now.
    fn cut_here(&self, who: &str) -> Result<CutUse, EngineError> {
        let core = self.core();
        let Some(at) = self.progress().applied else {
            return Err(EngineError::state(
                "this slave has nothing yet that could be copied",
                "Take the copy from its master.",
            ));
        };
        let mut taken = Vec::new();
        for database in core.databases().all() {
            let snapshot = database.store().snapshot_durable();
            if snapshot.commit().get() != at.commit.get() {
                return Err(EngineError::state(
                    format!(
                        "sessions hold back database \"{}\" of this slave, so that not all its databases are at one commit",
                        database.name()
                    ),
                    "Try again: 'dbctl replication status' says who holds it back.",
                ));
            }
            taken.push((database, snapshot));
        }
        // The segments of the redo point stay from here on: whoever moves that removes some only afterwards.
        let control = core.control();
        let identity = control.identity.clone();
        let identity = identity.ok_or_else(|| core.layout().no_environment())?;
        let contents = Contents {
            environment: identity.environment,
            redo: identity.redo,
            at,
            databases: identity.databases,
        };
        assert!(
            contents.redo.commit <= at.commit && contents.redo.point.position <= at.point.position,
            "redo never starts behind what is applied (invariant 6)"
        );
        Ok(contents.open(core, taken, true, who))
    }
}

/// What a cut is made of.
struct Contents {
    environment: EnvironmentId,
    redo: RedoPoint,
    at: Progress,
    databases: Vec<DatabaseEntry>,
}

impl Contents {
    fn open(self, core: &Core, taken: Vec<Taken>, has_log: bool, who: &str) -> CutUse {
        let databases = self.databases.into_iter().map(|entry| {
            let found = taken.iter().find(|(database, _)| database.id() == entry.id);
            CutDatabase {
                pages: found.map(|(_, snapshot)| snapshot.page_count()),
                entry,
            }
        });
        let databases: Vec<_> = databases.collect();
        let listed = |id| databases.iter().any(|it| it.entry.id == id);
        // What was made behind the redo point comes from the log, pages and all.
        let snapshots: Snapshots = taken
            .into_iter()
            .filter(|(database, _)| listed(database.id()))
            .map(|(database, snapshot)| (database.id(), RwLock::new(snapshot)))
            .collect();
        let needs = has_log.then_some(self.redo.point.position.segment);
        let describe = |id| Cut {
            id,
            environment: self.environment,
            redo: self.redo,
            at: self.at,
            databases,
            next_database: core.databases().next_id(),
        };
        let now = core.host().clock.now();
        core.cuts().open(describe, snapshots, needs, (who, now))
    }
}

/// Finds the log that belongs to the cut; where that can't be had, neither can the cut.
fn complete(core: &Core, cut: CutUse, has_log: bool) -> Result<CutUse, EngineError> {
    let Cut { id, redo, at, .. } = cut.cut();
    let head = if has_log {
        let from = redo.for_recovery().unwrap_or(LogPoint::ORIGIN);
        LogHead::find(core.log_locations(), from, at.point)
    } else {
        Ok(LogHead::none())
    };
    match head {
        Ok(head) => {
            core.cuts().set_needs(*id, head.first());
            cut.set_log_head(head);
            Ok(cut)
        }
        Err(error) => {
            core.cuts().close(*id);
            Err(error)
        }
    }
}

fn not_on_disk() -> EngineError {
    EngineError::state(
        "the slave's log is not on its disk as far as it is shown",
        "Try again in a moment.",
    )
}

impl Core {
    /// Done each second, at this time: ends cuts that nobody uses, and those that take room in `TmpDir` where
    /// there is little.
    pub(crate) fn look_after_cuts(&self, now: Instant, scratch_is_low: bool) {
        self.cuts().look(now);
        if scratch_is_low {
            self.cuts().give_room();
        }
    }
}
