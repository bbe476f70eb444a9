//! The way back is begun: all that it takes is made ready, and then there is no return.

use std::sync::Arc;

use fwlog::Mirror;
use lost::MadeBy;

use super::choose::Plan;
use super::fork::Fork;
use super::keep::Kept;
use super::pages::NotGiven;
use super::stage::stage;
use super::survey::Planned;
use crate::databases::control::Identity;
use crate::databases::fence::{Fence, Tail};
use crate::environment::core::Core;
use crate::environment::roles::FEED_ENDS;
use crate::environment::slave::Slave;
use crate::environment::state::Environment;
use crate::error::EngineError;
use crate::incoming::{BackTo, Rewinding};
use crate::slave::MirrorPlace;

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The server begins anew, at the fork.
    Armed(Kept),
    /// The next one that feeds this server brings a copy.
    Awaits(Kept),
}

impl Environment {
    /// Carries out the plan. Without an error that is durable: a restart goes on with it.
    pub fn begin_rejoin(&self, planned: &Planned) -> Result<Outcome, EngineError> {
        let _one_at_a_time = self.hold_role()?;
        match planned.plan {
            Plan::Nothing => Err(EngineError::Internal("there is nothing to be done".into())),
            Plan::Compare => self.await_copy(planned).map(Outcome::Awaits),
            Plan::Cut | Plan::Log => self.rewind(planned).map(Outcome::Armed),
        }
    }

    /// A person has given up what this server has behind the fork.
    fn await_copy(&self, planned: &Planned) -> Result<Kept, EngineError> {
        let kept = self.keep_before_copy(planned)?;
        let (fork, end) = (&planned.fork, planned.end().position);
        let newest = self
            .core()
            .instance()
            .with_history(|history| history.newest().map(|line| line.number));
        let known = self.core().control().fence.clone();
        let fence = known.unwrap_or(Fence {
            generation: newest.unwrap_or(end.segment.generation),
            generation_id: None,
            at: fork.at,
            tail: Tail::Unknown,
            by: fork.by.clone(),
        });
        let _one_author = self.core().one_author();
        self.core().update_control(|control| {
            control.fence = Some(Fence {
                tail: Tail::GivenUp {
                    count: planned.transactions(),
                    first: planned.first().unwrap_or(end),
                },
                ..fence
            });
        })?;
        Ok(kept)
    }

    /// Rows are told where the log has what the databases were at the fork; it is kept as it is in any case.
    fn keep_before_copy(&self, planned: &Planned) -> Result<Kept, EngineError> {
        let slave = self.slave().ok_or(EngineError::ChangingRole)?;
        let _alone = Alone::with(&slave, planned.fork.made_by)?;
        self.keep_staged(planned)
    }

    /// The same where nobody feeds this server.
    fn keep_staged(&self, planned: &Planned) -> Result<Kept, EngineError> {
        let (core, plan) = (self.core(), Plan::Compare);
        if let Some(name) = planned.tail.removed() {
            let why = format!("database \"{name}\" was removed behind the fork");
            return self.keep_lost(planned, plan, Err(why));
        }
        let mut rewinding = Rewinding::begin(core.layout(), back_to(core, planned)?)?;
        let kept = match stage(core, planned, &mut rewinding) {
            Ok(databases) => self.keep_lost(planned, plan, Ok(&databases)),
            Err(NotGiven::NotInLog(why)) => self.keep_lost(planned, plan, Err(why)),
            Err(NotGiven::Failed(error)) => Err(error),
        };
        Rewinding::give_up(core.layout())?;
        kept
    }

    /// A copy that somebody has begun without more ado (`dbrepl --resync`) is about to discard what this server has behind
    /// the point where its log and that of the source part. The caller has all of the log applied, and nobody feeds it.
    /// `None`: nothing is discarded, or it is kept already.
    ///
    /// Errors: it can't be kept but as the log itself, or something has failed.
    pub(crate) fn keep_before_resync(&self) -> Result<Option<Kept>, EngineError> {
        let core = self.core();
        let fence = core.control().fence.clone();
        if fence.is_some_and(|fence| matches!(fence.tail, Tail::GivenUp { .. })) {
            return Ok(None);
        }
        let fork = match (self.fork_of_fence(), core.forks().parted.log()) {
            (Some(fork), _) => Some(fork),
            (None, Some(other)) => self.fork_from(&other, false)?,
            (None, None) => None,
        };
        let Some(fork) = fork else {
            return Ok(None);
        };
        let fork = Fork {
            made_by: MadeBy::Resync,
            ..fork
        };
        let planned = self.plan_rejoin(fork, None)?;
        if planned.transactions() == 0 {
            return Ok(None);
        }
        core.set_rewinds(true);
        let kept = self.keep_staged(&planned);
        core.set_rewinds(false);
        kept.map(Some)
    }

    /// Takes back that a copy is awaited, or what an attempt has staged. `false`: there was nothing.
    pub fn give_up_rejoin(&self) -> Result<bool, EngineError> {
        let _one_at_a_time = self.hold_role()?;
        let _one_author = self.core().one_author();
        let staged = Rewinding::give_up(self.core().layout())?;
        let fence = self.core().control().fence.clone();
        let Some(fence) = fence else {
            return Ok(staged);
        };
        let Tail::GivenUp { count, first } = fence.tail else {
            return Ok(staged);
        };
        self.core().update_control(|control| {
            control.fence = Some(Fence {
                tail: Tail::Transactions { count, first },
                ..fence
            });
        })?;
        Ok(true)
    }

    fn rewind(&self, planned: &Planned) -> Result<Kept, EngineError> {
        let core = self.core();
        let slave = self.slave().ok_or(EngineError::ChangingRole)?;
        let mut alone = Alone::with(&slave, planned.fork.made_by)?;
        let _one_author = core.one_author();
        let mut rewinding = Rewinding::begin(core.layout(), back_to(core, planned)?)?;
        let ready = stage(core, planned, &mut rewinding)
            .map_err(gone)
            .and_then(|databases| self.keep_lost(planned, planned.plan, Ok(&databases)));
        let kept = match ready {
            Ok(kept) => kept,
            Err(error) => {
                Rewinding::give_up(core.layout())?;
                return Err(error);
            }
        };
        let completed = rewinding.complete(&kept.name);
        if rewinding.may_be_complete() {
            // Whatever the disk has: it is found out by a start, and nothing is written before.
            alone.is_over = true;
            tracing::warn!(
                plan = %planned.plan,
                at = %planned.fork.at.point.position,
                transactions = planned.transactions(),
                lost = kept.name,
                "this server goes back to where it has left the log of {}, and begins anew",
                planned.fork.by
            );
            self.begin_anew();
        }
        completed.map(|()| kept)
    }
}

fn back_to(core: &Core, planned: &Planned) -> Result<BackTo, EngineError> {
    let made = core.databases().entries();
    let made = planned.tail.made(&made).map(|entry| entry.file.clone());
    Ok(BackTo {
        identity: Identity {
            environment: core.known_id()?,
            redo: planned.redo,
            databases: planned.at_redo.clone(),
        },
        end: planned.fork.at.point,
        commit: planned.fork.at.commit,
        next_database: core.databases().next_id().get(),
        aside: made.collect(),
    })
}

/// All of them were there a moment ago.
fn gone(why: NotGiven) -> EngineError {
    match why {
        NotGiven::NotInLog(why) => EngineError::state(why, "Try again: another plan is taken."),
        NotGiven::Failed(error) => error,
    }
}

/// Nobody feeds this server, and its data files stay as they are; for good, once it is over.
struct Alone<'a> {
    slave: &'a Arc<Slave>,
    mirror: Option<Box<Mirror>>,
    is_over: bool,
}

impl<'a> Alone<'a> {
    /// Who feeds it is the root that it goes back for: its dbrepl comes as soon as it can, leaves when it is told to, and
    /// comes again. Where a person wants it back to a point that its source has, that source would bring it on at once.
    fn with(slave: &'a Arc<Slave>, made_by: MadeBy) -> Result<Self, EngineError> {
        let ends_feed = made_by != MadeBy::To;
        if ends_feed {
            slave.log().end_feed(FEED_ENDS)?;
        }
        let taken = slave.log().take_mirror();
        if ends_feed {
            slave.log().accept_feed();
        }
        let MirrorPlace::Free(mirror) = taken else {
            return Err(EngineError::state(
                "a dbrepl feeds this server just now",
                "Stop that one, and try again.",
            ));
        };
        slave.core().set_rewinds(true);
        Ok(Self {
            slave,
            mirror,
            is_over: false,
        })
    }
}

impl Drop for Alone<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.slave.core().set_rewinds(false);
            self.slave.log().give_back(self.mirror.take());
        }
    }
}
