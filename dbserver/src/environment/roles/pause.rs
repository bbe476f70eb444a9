//! A root that does not write at present: it follows at a start, until it has heard its peers, and goes on as the root in
//! the running process.

use std::sync::Arc;

use dbconfig::StartGuard;
use fwlog::SealNewest;

use super::{begin_to_lead, lead_instead};
use crate::databases::Role;
use crate::databases::control::{Control, Identity};
use crate::databases::handover::{Handover, HandoverId};
use crate::environment::core::Core;
use crate::environment::redo;
use crate::environment::side::CurrentSide;
use crate::environment::slave::Slave;
use crate::error::EngineError;

/// The role that it had: a root that is paused is one.
pub(super) fn role_before(control: &Control) -> Role {
    if is_paused(control) {
        Role::Master
    } else {
        control.role
    }
}

pub(super) fn is_paused(control: &Control) -> bool {
    matches!(control.handover, Some(Handover::Paused { .. }))
}

/// The role that was begun to be taken, or to be paused, is there.
pub(super) fn is_taken(control: &mut Control) {
    if let Some(Handover::Taking { id } | Handover::Paused { id, .. }) = control.handover {
        control.handover = Some(Handover::Taken { id });
    }
}

/// The environment was made just now: nobody else has any of it.
fn is_new(control: &Control) -> bool {
    let no_database = |it: &Identity| it.databases.is_empty();
    control.clean && control.identity.as_ref().is_some_and(no_database)
}

/// What an instance that was the root, and is to be it again, promises at its start; `None`: it writes at once.
pub(super) fn at_start(core: &Core, was: Role, wanted: Role) -> Option<Handover> {
    if was != Role::Master || wanted != Role::Master {
        return None;
    }
    let control = core.control().clone();
    let redo = control.identity.as_ref()?.redo;
    if is_new(&control) {
        return None;
    }
    let handover = control.handover;
    let back = match &handover {
        Some(Handover::Paused { back, .. }) => back.clone(),
        _ => None,
    };
    if back.is_none() && core.config().replication.start_guard == StartGuard::Off {
        return None;
    }
    let known = match handover {
        Some(Handover::Taken { id } | Handover::Paused { id, .. }) => Some(id),
        // It begins what it has taken, or is the root since it was made.
        Some(Handover::Taking { .. }) => return None,
        _ => None,
    };
    let id = known.unwrap_or_else(|| HandoverId::alone_at(&redo.point));
    match &back {
        None => tracing::info!(
            "this server was the root: it asks its Peers before it writes (StartGuard)"
        ),
        Some(back) => tracing::warn!(
            "this server was the root and has lost the end of its log: it gets that back from {}, up to {}, before it writes",
            back.from,
            back.end.point.position
        ),
    }
    Some(Handover::Paused { id, back })
}

/// A root that was paused writes again: where its log ends the next segment begins. An error leaves it as it was.
pub(in crate::environment) fn resume(
    core: &Arc<Core>,
    current: &CurrentSide,
    slave: &Arc<Slave>,
) -> Result<(), EngineError> {
    lead_instead(core, current, slave, "this root does not write yet", || {
        let end = redo::end_of_log(core, slave.log(), SealNewest::Yes)?.durable();
        begin_to_lead(core, &end, Role::Master, Role::Master)
    })
}
