//! The role that writes goes from one instance to another, or a slave takes it alone. Each step is durable when it
//! returns, and may be asked for again.
//!
//! ```text
//!   root      offer(id, south)      its log is sealed, it follows from now on        ─▶ the end of its log
//!   south     take(id, that end)    has all of it, begins a generation               ─▶ it is the root
//!             refuse(id, that end)  never takes it, unless it has it already
//!   root      has_given(id)         where it has taken it
//!             withdraw(id)          once south has refused: it is the root again
//! ```
//! Who carries this between the two (`dbctl replication switchover`) may end at any time and begin again.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use dbproto::Progress;

use crate::databases::Role;
use crate::databases::control::role_word;
use crate::databases::handover::{Handover, HandoverId, HandoverPoint};
use crate::environment::core::Core;
use crate::environment::roles;
use crate::environment::side::Side;
use crate::environment::slave::Slave;
use crate::environment::state::Environment;
use crate::error::EngineError;

/// How often is looked whether the log has come.
const LOOK: Duration = Duration::from_millis(1);

impl Environment {
    /// This slave becomes a master: where its log ends a new generation begins, sessions go on.
    ///
    /// Errors: it is none; its source lives, or it has given the role to another instance and does not know what became
    /// of that, unless `anyway`.
    pub fn promote(&self, anyway: bool) -> Result<(), EngineError> {
        self.promote_here(anyway)
            .map_err(EngineError::into_obstacle)
    }

    fn promote_here(&self, anyway: bool) -> Result<(), EngineError> {
        let _one_at_a_time = self.hold_role()?;
        let slave = self.following()?;
        self.refuse_to_lead()?;
        self.refuse_held()?;
        if !anyway {
            self.refuse_in_doubt()?;
            self.refuse_unfed()?;
            self.refuse_left_behind()?;
            refuse_while_fed(&slave)?;
            Self::refuse_while_held(&slave)?;
        }
        self.core().check_audit_only(Role::Master)?;
        roles::promote(self.core(), self.current_side(), &slave, Role::Master, None)
    }

    /// This master writes no more, and gives the role to `to`, which may take it from where the log ends now. `id` is a
    /// new one; the same again changes nothing.
    pub fn offer(&self, id: HandoverId, to: &str) -> Result<(), EngineError> {
        let _one_at_a_time = self.hold_role()?;
        let given = self.core().control().handover.clone();
        match (self.side(), given) {
            (Side::Slave(_), Some(Handover::Given { to: known, .. })) if known == to => Ok(()),
            (Side::None, _) => Err(EngineError::ChangingRole),
            (Side::Master(master), _) if self.role() == Role::Master => {
                // They write here once it is over, or hear that this is a slave.
                let _held = self.hold_writers();
                roles::demote(self.core(), self.current_side(), &master, Some((id, to)))
            }
            (Side::Slave(_) | Side::Master(_), _) => Err(self.not_root()),
        }
    }

    /// This slave becomes the root, as soon as it has all that the root had: `end` is where that one's log ends. Nothing
    /// has changed when that takes longer than `at_most`. The same again changes nothing.
    pub fn take(
        &self,
        id: HandoverId,
        end: HandoverPoint,
        at_most: Duration,
    ) -> Result<(), EngineError> {
        let taken = self.take_here(id, end, at_most);
        taken.map_err(EngineError::into_obstacle)
    }

    fn take_here(
        &self,
        id: HandoverId,
        end: HandoverPoint,
        at_most: Duration,
    ) -> Result<(), EngineError> {
        if self.has_taken(id) {
            return Ok(());
        }
        self.refuse_to_lead()?;
        self.refuse_late(&end)?;
        self.core().refuse_partial()?;
        self.refuse_held()?;
        wait_for(&*self.following()?, &end, at_most)?;
        let _one_at_a_time = self.hold_role()?;
        if self.has_taken(id) {
            return Ok(());
        }
        self.refuse_late(&end)?;
        self.refuse_in_doubt()?;
        self.refuse_left_behind()?;
        let slave = self.following()?;
        self.core().check_audit_only(Role::Master)?;
        let given = Some((id, end));
        roles::promote(
            self.core(),
            self.current_side(),
            &slave,
            Role::Master,
            given,
        )
    }

    /// This slave will not become the root by this handover, nor by one of before: true. False: it is that already.
    ///
    /// Errors: it is the root by something else, or may be: then the other one must not go on.
    pub fn refuse(&self, id: HandoverId, end: HandoverPoint) -> Result<bool, EngineError> {
        let _one_at_a_time = self.hold_role()?;
        if self.has_taken(id) {
            return Ok(false);
        }
        drop(self.following()?);
        self.refuse_in_doubt()?;
        if self.refuse_late(&end).is_err() {
            return Ok(true);
        }
        let _one_author = self.core().one_author();
        let refused = Handover::Refused { id, end };
        self.core()
            .update_control(|control| control.handover = Some(refused))?;
        Ok(true)
    }

    /// The other instance has refused: this one is the root again, in a generation of its own. The same again changes
    /// nothing.
    pub fn withdraw(&self, id: HandoverId) -> Result<(), EngineError> {
        let _one_at_a_time = self.hold_role()?;
        if self.has_taken(id) {
            return Ok(());
        }
        self.look_for_the_new_root();
        let given = self.core().control().handover.clone();
        match given {
            Some(Handover::Given { id: known, end, .. }) if known == id => {
                let slave = self.following()?;
                let (core, side) = (self.core(), self.current_side());
                roles::promote(core, side, &slave, Role::Master, Some((id, end)))
            }
            _ => Err(EngineError::state(
                "this server has not given the role of the root by that handover",
                "'dbctl status' shows what it is.",
            )),
        }
    }

    /// The other instance has taken the role: what is in doubt here is no more. This one follows.
    pub fn has_given(&self, id: HandoverId) -> Result<(), EngineError> {
        let _one_at_a_time = self.hold_role()?;
        let given = self.core().control().handover.clone();
        match given {
            Some(Handover::Given { id: known, to, .. }) if known == id => {
                let _one_author = self.core().one_author();
                self.core().update_control(|control| {
                    control.handover = control.handover.take().map(Handover::was_taken);
                })?;
                tracing::info!(to, "the role of the root is handed over");
                Ok(())
            }
            // Its log has come.
            _ => Ok(()),
        }
    }

    /// What it has promised of the role that writes.
    pub fn handover(&self) -> Option<Handover> {
        self.look_for_the_new_root();
        self.core().control().handover.clone()
    }

    /// Does `work` with the role, which nobody changes meanwhile.
    pub fn while_role_stays<T>(&self, work: impl FnOnce(Role) -> T) -> Result<T, EngineError> {
        let _one_at_a_time = self.hold_role()?;
        Ok(work(self.role()))
    }

    /// What `Role` in the configuration says, as far as this server knows: it may have written that itself.
    pub fn said_role(&self) -> Role {
        *self.core().said_role()
    }

    /// `Role` in the configuration was made to say this, by the server: it is no wish of an operator.
    pub fn configuration_says(&self, role: Role) -> Result<(), EngineError> {
        *self.core().said_role() = role;
        let _one_author = self.core().one_author();
        self.core()
            .update_control(|control| control.configured_role = role)
    }

    /// What has come since the guard has looked counts.
    fn look_for_the_new_root(&self) {
        if let Some(slave) = self.slave() {
            self.core()
                .settle_handover(slave.progress().durable.as_ref());
        }
    }

    fn has_taken(&self, id: HandoverId) -> bool {
        let known = self.core().control().handover.clone();
        known.is_some_and(|known| known.is_root_by(id))
    }

    /// It has refused this one, or a later one: so this was taken back, and the old root writes on.
    fn refuse_late(&self, end: &HandoverPoint) -> Result<(), EngineError> {
        match &self.core().control().handover {
            Some(Handover::Refused { end: refused, .. })
                if end.point.position <= refused.point.position =>
            {
                Err(EngineError::state(
                    "this slave has refused to become the root by this handover",
                    "Begin another one: 'dbctl replication switchover'.",
                ))
            }
            _ => Ok(()),
        }
    }

    /// It has given the role away, and nobody has told it what became of that.
    fn refuse_in_doubt(&self) -> Result<(), EngineError> {
        self.look_for_the_new_root();
        let handover = self.core().control().handover.clone();
        match &handover {
            Some(Handover::Given { to, end, .. }) => Err(EngineError::state(
                format!(
                    "this server gave the role of the root to {to} at {}, and does not know whether that has taken it",
                    end.point.position
                ),
                format!(
                    "'dbctl replication switchover {to}' goes on with it, 'switchover {to} --abort' takes it back where {to} has not taken it. Where {to} is gone for good and was never the root: 'replication promote --force'."
                ),
            )),
            Some(Handover::Paused { .. }) => Err(EngineError::state(
                self.paused_in_words().unwrap_or_default(),
                "It becomes the root by itself then. Where nobody else was the root since: 'dbctl replication promote --force' begins a new generation of the log at once.",
            )),
            _ => Ok(()),
        }
    }

    /// Another instance got the role from this one, and nothing has come of what it has written: it may live.
    fn refuse_unfed(&self) -> Result<(), EngineError> {
        let durable = self.durable().map(|durable| durable.point.position);
        match &self.core().control().handover {
            Some(Handover::Handed { to, end, .. }) if durable <= Some(end.point.position) => {
                Err(EngineError::state(
                    format!(
                        "this server handed the role of the root to {to} at {}, and has nothing of what {to} has written since",
                        end.point.position
                    ),
                    format!(
                        "Where {to} lives: have it feed this server (its dbrepl, or 'dbctl source start' on it), then 'dbctl replication switchover' there. Where it is gone for good: 'replication promote --force' here, without what only {to} has."
                    ),
                ))
            }
            _ => Ok(()),
        }
    }

    fn following(&self) -> Result<Arc<Slave>, EngineError> {
        match self.side() {
            Side::Slave(slave) => Ok(slave),
            Side::None => Err(EngineError::ChangingRole),
            Side::Master(_) => Err(EngineError::state(
                format!("{} is the root already", self.config().server.instance),
                "Nothing has changed. 'dbctl status' shows the role of each server.",
            )),
        }
    }

    fn not_root(&self) -> EngineError {
        EngineError::state(
            format!(
                "{} is not the root: it is {}",
                self.config().server.instance,
                role_word(self.role())
            ),
            "Give this command to the master; 'dbctl status' shows the role of each server.",
        )
    }
}

impl Core {
    /// What the other instance has written has come: that it has taken the role is certain.
    pub(super) fn settle_handover(&self, durable: Option<&Progress>) {
        let settled = match (&self.control().handover, durable) {
            (Some(Handover::Given { to, end, .. }), Some(durable)) => {
                let begun = durable.point.position.segment.generation;
                (begun > end.point.position.segment.generation).then(|| (to.clone(), begun))
            }
            _ => None,
        };
        let Some((to, generation)) = settled else {
            return;
        };
        let _one_author = self.one_author();
        let settled = self.update_control(|control| {
            control.handover = control.handover.take().map(Handover::was_taken);
        });
        match settled {
            Ok(()) => {
                tracing::info!(to, %generation, "the role of the root is handed over: what comes is of the new root");
            }
            Err(error) => {
                tracing::warn!(%error, "that the role of the root is handed over is not noted yet");
            }
        }
    }
}

/// A source that lives has the newest state, and goes on writing.
fn refuse_while_fed(slave: &Slave) -> Result<(), EngineError> {
    let feed = slave.progress().feed;
    let lives = feed.source.is_some()
        && feed
            .source_state
            .is_some_and(|(state, _)| state.silent_since.is_none() && !state.stopped);
    if !lives {
        return Ok(());
    }
    let source = feed.source_name.unwrap_or_else(|| "its source".to_owned());
    Err(EngineError::state(
        format!("{source} is alive and feeds this slave"),
        "To change the root while both run: 'dbctl replication switchover' on the master. --force makes this slave a master all the same; what the other one commits from then on is not here.",
    ))
}

/// Until the slave has all on its disk, and shows it.
fn wait_for(slave: &Slave, end: &HandoverPoint, at_most: Duration) -> Result<(), EngineError> {
    let deadline = Instant::now() + at_most;
    loop {
        let progress = slave.progress();
        let has = |here: Option<Progress>| here.is_some_and(|here| here.point == end.point);
        if has(progress.durable) && has(progress.applied) {
            return Ok(());
        }
        let here = progress.durable.map(|here| here.point);
        let is_past =
            here.is_some_and(|here| here.position >= end.point.position && here != end.point);
        if is_past || Instant::now() >= deadline {
            let why = match progress.why_suspended() {
                Some(why) => format!(": it does not apply its log: {why}"),
                None if is_past => ": its log is another one".to_owned(),
                None => ": it has not got all of it in time".to_owned(),
            };
            return Err(end.not_reached(here.map(|it| it.position), &why));
        }
        thread::park_timeout(LOOK);
    }
}

#[cfg(test)]
mod tests;
