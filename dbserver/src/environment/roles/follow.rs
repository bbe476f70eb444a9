//! The following side: at a start, and in the running process.

use std::sync::Arc;

use dbproto::Standing;
use fwlog::{CommitNumber, EnvironmentId, Recovered, SealNewest};

use super::{assert_applied, checkpointer, start_threads};
use crate::databases::Role;
use crate::databases::control::{DatabaseEntry, Identity, RedoPoint};
use crate::databases::handover::Handover;
use crate::databases::layout::SYSTEM_FILE;
use crate::databases::list::{SYSTEM_DATABASE, SYSTEM_NAME};
use crate::environment::core::Core;
use crate::environment::side::Side;
use crate::environment::slave::Slave;
use crate::environment::verify::Suspects;
use crate::environment::{interrupted, log, redo};
use crate::error::EngineError;
use crate::slave::SlaveLog;

/// The following side in the running process, behind the end of a log that is applied, with this promise.
pub(super) fn follow_on(
    core: &Arc<Core>,
    end: &Recovered,
    handover: Option<Handover>,
) -> Result<Arc<Slave>, EngineError> {
    assert_applied(core, end.last_commit);
    let applier = redo::applier(core, end.last_commit);
    let store = core.log_store(core.log_place())?;
    let mirror = SlaveLog::resume(store, core.host(), end, applier)?;
    core.update_control(|control| {
        control.role = Role::Slave;
        control.configured_role = *core.said_role();
        control.handover = handover;
    })?;
    mirror.update(|progress| {
        progress.feed.ended = Some(role_has_changed());
        progress.feed.role_has_changed = true;
    });
    let slave = Slave::new(core, mirror, checkpointer(core));
    start_threads(core, &Side::Slave(Arc::clone(&slave)))?;
    Ok(slave)
}

/// Nothing has come yet, and nothing is wrong with that: whoever has the log of the new root asks in a moment.
fn role_has_changed() -> (Standing, String) {
    let why = "this server has become a slave; no dbrepl has connected since: start one beside the new root, if none runs";
    (Standing::NotConnected, why.to_owned())
}

/// The mirror at a start: redo, then it goes on in the newest segment.
pub(super) fn follow(
    core: &Arc<Core>,
    identity: Option<Identity>,
    suspects: &Suspects,
) -> Result<SlaveLog, EngineError> {
    let Some(identity) = identity else {
        return follow_nothing(core, None);
    };
    if let Err(error) = interrupted::clear(core) {
        tracing::warn!(%error, "the directory of FwLog is not in order; it has to be before the log goes on there");
    }
    if let Some(copied) = follow_copy(core, &identity, suspects)? {
        return Ok(copied);
    }
    let store = core.log_store(core.log_place())?;
    if identity.redo == RedoPoint::BEGINNING && redo::segments_of(&store)?.is_empty() {
        // It ended between the adoption and the first segment.
        return follow_nothing(core, Some(identity.environment));
    }
    let redone = redo::recover(core, &identity, SealNewest::No, suspects)?;
    let log = SlaveLog::resume(store, core.host(), &redone.recovered, redone.applier)?;
    if let Some(applied) = redone.held {
        log.lacks_from(applied);
    }
    Ok(log)
}

/// A slave made from a copy of a master's DataDir after a clean stop, without the master's log:
/// the data files are complete up to the redo point, and the log goes on from there.
fn follow_copy(
    core: &Core,
    identity: &Identity,
    suspects: &Suspects,
) -> Result<Option<SlaveLog>, EngineError> {
    if !core.control().is_complete() {
        return Ok(None);
    }
    let place = log::wanted_place(core.config());
    let store = core.log_store(place)?;
    if !redo::segments_of(&store)?.is_empty() {
        return Ok(None);
    }
    tracing::info!(at = %identity.redo.point.position, "this is a copy of a master: the log goes on where its data files end");
    redo::check_data_files(core, suspects, identity.redo.commit)?;
    core.update_control(|control| {
        control.log = place;
        control.detached = true;
    })?;
    let applier = redo::applier(core, identity.redo.commit);
    SlaveLog::copied(store, core.host(), identity, applier).map(Some)
}

/// A slave without a log; with an environment, if it has adopted one.
fn follow_nothing(
    core: &Core,
    environment: Option<EnvironmentId>,
) -> Result<SlaveLog, EngineError> {
    let store = core.log_store(core.log_place())?;
    // Empty as it is, operators log in there; the master's record finds it made.
    let system = DatabaseEntry {
        id: SYSTEM_DATABASE,
        name: SYSTEM_NAME.to_owned(),
        file: SYSTEM_FILE.to_owned(),
        applied: true,
    };
    let system = core.files().create(system, core.horizon())?;
    core.databases().insert(Arc::new(system));
    let applier = redo::applier(core, CommitNumber::new(0));
    SlaveLog::empty(store, core.host(), environment, applier)
}
