//! Roles: the one place where a side of the log is begun, ended and swapped.
//!
//! ```text
//!              ┌──────── promote: end the feed, apply all, seal, new generation ───────┐
//!   start ─▶ Slave                                                                   Master ◀─ start
//!              └◀─ demote: take no commit, seal, data files take all, mirror goes on ──┘
//! ```
//!
//! The role is what the control file says; the configuration is a wish, which is carried out at the start
//! after it was edited. The same two constructors, [`lead`] and [`follow`], serve a start and a change
//! in the running process.

mod fence;
mod follow;
mod pause;

use std::sync::Arc;
use std::time::Duration;

use dbconfig::Config;
use dbproto::Progress;
use fwlog::{CommitNumber, Durable, DurableEnd, Recovered, SealNewest, Writer, WriterError};

pub(super) use self::fence::{depose, rejoin};
use self::follow::{follow, follow_on};
pub(super) use self::pause::resume;
use self::pause::{is_paused, is_taken, role_before};
use crate::commit::checkpointer::{CheckpointPolicy, Checkpointer};
use crate::commit::committer::Committer;
use crate::databases::Role;
use crate::databases::control::{Control, LogPlace, role_word};
use crate::databases::handover::{Handover, HandoverId, HandoverPoint};
use crate::databases::host::{Drive, Host};
use crate::databases::layout::Layout;
use crate::databases::list::SYSTEM_DATABASE;
use crate::environment::core::Core;
use crate::environment::log::{self, redo_point, settle};
use crate::environment::master::Master;
use crate::environment::recover::no_state_yet;
use crate::environment::side::{CurrentSide, Side};
use crate::environment::slave::Slave;
use crate::environment::verify::Suspects;
use crate::environment::{begin_log, interrupted, left_behind, redo};
use crate::error::EngineError;
use crate::incoming::is_complete;
use crate::slave::SlaveLog;

/// How long a change of role, or a way back, waits for the connection of a dbrepl to end.
pub(super) const FEED_ENDS: Duration = Duration::from_secs(10);

/// The side at a start. Its threads do not run yet.
pub(super) fn at_start(core: &Arc<Core>, suspects: &Suspects) -> Result<Side, EngineError> {
    left_behind::go_on(core)?;
    let was = role_before(&core.control());
    let wanted = role_at_start(core);
    let paused = pause::at_start(core, was, wanted);
    let role = if paused.is_some() {
        Role::Slave
    } else {
        wanted
    };
    core.check_audit_only(role)?;
    let side = match (core.identity(), role) {
        (identity, Role::Slave) => Side::Slave(Slave::new(
            core,
            follow(core, identity, suspects)?,
            checkpointer(core),
        )),
        (Some(identity), Role::Master | Role::Standalone) => {
            let redone = redo::recover(core, &identity, SealNewest::Yes, suspects)?;
            let master = lead(core, &redone.recovered.durable(), was, role)?;
            core.begin_audit(master.durable(), master.guard())?;
            Side::Master(master)
        }
        (None, Role::Master | Role::Standalone) => {
            return Err(no_state_yet(core.layout()));
        }
    };
    let log_has_begun = match &side {
        Side::Master(master) => master.log_failure().is_none(),
        Side::Slave(_) | Side::None => false,
    };
    core.update_control(|control| {
        control.clean = false;
        if role != Role::Slave {
            is_taken(control);
            control.fence = None;
        } else if is_paused(control) || paused.is_some() {
            control.handover = paused;
        }
        // The log has begun here: from now on it must be found.
        control.detached &= !log_has_begun;
        control.role = role;
        control.configured_role = core.config().replication.role;
        control.instance.clone_from(&core.config().server.instance);
    })?;
    if wanted == Role::Slave && was != Role::Slave && core.id().is_some() {
        tracing::info!("this {} is a slave now", role_word(was));
    }
    core.instance().begin(core, side.durable_position())?;
    Ok(side)
}

/// The role that was, unless the configuration was edited since. A copy, which has another name, has had
/// none yet.
fn role_at_start(core: &Core) -> Role {
    let control = core.control();
    let (role, configured) = (
        role_of(&control, core.config()),
        core.config().replication.role,
    );
    if role != configured {
        tracing::warn!(
            "this server is a {}, since its role was changed while it ran; Role = {} in the configuration is from before",
            role_word(role),
            role_word(configured)
        );
    }
    role
}

pub(super) fn role_of(control: &Control, config: &Config) -> Role {
    let configured = config.replication.role;
    let is_copy = control.instance != config.server.instance;
    match &control.handover {
        // Another instance may write by now, whatever the configuration says.
        Some(Handover::Given { .. }) => return Role::Slave,
        // What was begun is ended: nobody else writes.
        Some(Handover::Taking { .. }) if !is_copy => return Role::Master,
        // It is the root, unless an operator says otherwise.
        Some(Handover::Paused { .. }) if !is_copy && configured == control.configured_role => {
            return Role::Master;
        }
        // Another instance writes, whatever the configuration says.
        _ if control.fence.is_some() => return Role::Slave,
        _ => {}
    }
    if is_copy || configured != control.configured_role {
        configured
    } else {
        control.role
    }
}

/// Starts the threads of a side, where the environment has any.
pub(super) fn start_threads(core: &Core, side: &Side) -> Result<(), EngineError> {
    match (core.host().drive, side) {
        (Drive::Threads, Side::Master(master)) => master.start_threads(),
        (Drive::Threads, Side::Slave(slave)) => slave.start_threads(),
        (Drive::Threads, Side::None) | (Drive::Owner, _) => Ok(()),
    }
}

/// Changes the role of a running environment; a change that fails leaves the role as it was.
pub(super) fn change(
    core: &Arc<Core>,
    current: &CurrentSide,
    role: Role,
) -> Result<(), EngineError> {
    match (current.get(), role) {
        (Side::Slave(_), Role::Slave) => Ok(()),
        (Side::Master(_), Role::Master | Role::Standalone) => {
            let _one_author = core.one_author();
            core.update_control(|control| control.role = role)
        }
        (Side::Slave(slave), Role::Master | Role::Standalone) => {
            promote(core, current, &slave, role, None)
        }
        (Side::Master(master), Role::Slave) => demote(core, current, &master, None),
        (Side::None, _) => Err(EngineError::ChangingRole),
    }
}

/// A slave becomes a master: where its log ends, a new generation begins. Where another instance gives it the role, its
/// log has to end where that one's does. From the moment on in which the control file has it, it is the master, also
/// where it crashes before the generation begins.
pub(super) fn promote(
    core: &Arc<Core>,
    current: &CurrentSide,
    slave: &Arc<Slave>,
    role: Role,
    given: Option<(HandoverId, HandoverPoint)>,
) -> Result<(), EngineError> {
    if core.id().is_none() {
        return Err(no_state_yet(core.layout()));
    }
    core.refuse_partial()?;
    lead_instead(core, current, slave, "the slave is not promoted", || {
        if let Some((_, at)) = given {
            ends_at(slave, &at)?;
        }
        let end = redo::end_of_log(core, slave.log(), SealNewest::Yes)?.durable();
        let id = given.map_or_else(|| HandoverId::alone_at(&end.point), |(id, _)| id);
        core.update_control(|control| control.handover = Some(Handover::Taking { id }))?;
        let master = begin_to_lead(core, &end, Role::Slave, role)
            .inspect_err(|_| forget_generation(core, slave.log(), &end))?;
        tracing::info!("this slave is a {} now", role_word(role));
        Ok(master)
    })
}

/// Ends a slave, and has `lead` begin the side that writes. Where that fails, of which the log says `failed`, it follows on,
/// with what it has promised before.
fn lead_instead(
    core: &Arc<Core>,
    current: &CurrentSide,
    slave: &Arc<Slave>,
    failed: &str,
    lead: impl FnOnce() -> Result<Arc<Master>, EngineError>,
) -> Result<(), EngineError> {
    slave.release(FEED_ENDS)?;
    let before = core.control().handover.clone();
    current.swap(Side::None);
    match slave.close().and_then(|()| lead()) {
        Ok(master) => {
            core.leads_from_now();
            current.fence(false);
            current.swap(Side::Master(master));
            Ok(())
        }
        Err(error) => {
            tracing::error!(%error, "{failed}");
            go_back(current, || {
                core.settle_control()?;
                let recovered = redo::end_of_log(core, slave.log(), SealNewest::No)?;
                follow_on(core, &recovered, before).map(Side::Slave)
            });
            Err(error)
        }
    }
}

/// What a slave has on its disk, and shows, is all that there was before the handover.
fn ends_at(slave: &Slave, at: &HandoverPoint) -> Result<(), EngineError> {
    let progress = slave.progress();
    let is_there = |here: Option<Progress>| {
        here.is_some_and(|here| here.point == at.point && here.commit == at.commit)
    };
    if is_there(progress.durable) && is_there(progress.applied) {
        return Ok(());
    }
    Err(at.not_reached(progress.applied.map(|here| here.point.position), ""))
}

/// A master becomes a read-only slave: its log is sealed, and goes on with what another master sends. `given`: the
/// instance that may write from here on, which is durable with the role.
pub(super) fn demote(
    core: &Arc<Core>,
    current: &CurrentSide,
    master: &Arc<Master>,
    given: Option<(HandoverId, &str)>,
) -> Result<(), EngineError> {
    let was = core.control().role;
    if let Some(failure) = master.log_failure() {
        return Err(EngineError::LogFailed(failure));
    }
    if given.is_some() {
        core.wait_for_last_acknowledgements(master.durable().commit);
    }
    current.swap(Side::None);
    let end = match master.close()? {
        Ok(end) => end,
        Err(failure) => {
            let error = EngineError::LogFailed(failure.clone());
            // What was visible to the next writer alone is lost with the log's end: none follows it.
            core.take_back_lost_commits();
            go_back(current, || {
                let master = lead_without_log(core, &master.durable(), failure)?;
                begun(core, master, was, was).map(Side::Master)
            });
            return Err(error);
        }
    };
    core.release().end();
    core.release().show_all();
    // Whoever has written and not committed yet does not follow what comes next.
    core.void_open_write_sets();
    let given = given.map(|(id, to)| Handover::Given {
        id,
        to: to.to_owned(),
        end: HandoverPoint {
            point: end.point,
            commit: end.commit,
        },
    });
    let demoted =
        save_at(core, master, &end).and_then(|recovered| follow_on(core, &recovered, given));
    match demoted {
        Ok(slave) => {
            tracing::info!("this {} is a slave now", role_word(was));
            current.swap(Side::Slave(slave));
            Ok(())
        }
        Err(error) => {
            tracing::error!(%error, "the {} does not become a slave", role_word(was));
            go_back(current, || {
                // Not before the disk knows that nothing was given away: its log ends where it was offered.
                core.settle_control()?;
                begin_to_lead(core, &end, was, was).map(Side::Master)
            });
            Err(error)
        }
    }
}

/// Everything up to the end of a closed log goes to the data files, and redo starts there, as after a
/// clean stop; unless it may have to be taken back.
fn save_at(core: &Core, master: &Master, end: &Durable) -> Result<Recovered, EngineError> {
    let _one_author = core.one_author();
    settle(master.writer().store())?;
    if !core.keeps_data_files() {
        core.write_data_files(None)?;
        let entries = core.databases().entries();
        core.update_control(|control| {
            control.detached = true;
            control.set_redo(redo_point(end), entries);
        })?;
    }
    Ok(Recovered {
        environment: core.known_id()?,
        end: end.point,
        log_bytes: end.log_bytes,
        last_commit: end.commit,
        time: end.time,
        sealed: end.sealed,
        cut: None,
    })
}

/// The side that was, after a change that has failed.
fn go_back(current: &CurrentSide, build: impl FnOnce() -> Result<Side, EngineError>) {
    match build() {
        Ok(side) => current.swap(side),
        Err(error) => {
            tracing::error!(%error, "the server has no role until it is restarted; readers are served");
        }
    }
}

/// Invariant 3: a side goes on behind what is visible, no commit earlier or later.
fn assert_applied(core: &Core, end: CommitNumber) {
    let visible = core.horizon().durable().get();
    assert_eq!(
        visible,
        end.get(),
        "a side begins at the commit that is visible (invariant 3)"
    );
}

/// The writing side behind the end of a log that is sealed and applied, as `role`; `from` is the role that was.
fn lead(
    core: &Arc<Core>,
    end: &Durable,
    from: Role,
    role: Role,
) -> Result<Arc<Master>, EngineError> {
    assert_applied(core, end.commit);
    core.refuse_partial()?;
    let promoted = from == Role::Slave;
    let system = core.databases().by_id(SYSTEM_DATABASE);
    // A slave that has received nothing yet has an empty one.
    if system.is_none_or(|system| promoted && system.store().latest().1 == 0) {
        return Err(EngineError::state(
            "this slave has not received the master's users yet: it cannot be promoted",
            "Set Role = Slave, and let dbrepl bring it further; or promote another slave.",
        ));
    }
    let place = log::wanted_place(core.config());
    let moves = place != core.log_place();
    if promoted {
        tracing::info!("this slave is promoted: a new generation of the log begins");
    }
    let begin = begin_log::way_on(core, place, end, promoted)?;
    core.begin_release(end, !promoted);
    let checkpointer = checkpointer(core);
    let begun = begin_log::start_writer(core, &checkpointer, place, begin).and_then(|writer| {
        let committer = Committer::new(writer, end.commit, core.host().part_pages);
        let master = Master::new(core, committer, Arc::clone(&checkpointer));
        if moves {
            // All at once: a start finds what was, or the master where its log has begun.
            let databases = core.databases().entries();
            core.update_control(|control| {
                control.role = role;
                control.log = place;
                control.detached = false;
                control.set_redo(redo_point(end), databases);
            })?;
        }
        if moves && core.config().forward_log.audit_only {
            // Slaves of before are told that nothing follows.
            let before = log::location(core.config(), core.layout(), LogPlace::ForwardLog)?;
            master.mark_switched_off(&before, end);
        }
        master.end_accesses()?;
        Ok(master)
    });
    match begun {
        Ok(master) => Ok(master),
        // Readers are served, and the guard brings the log back when it is mended.
        Err(EngineError::LogFailed(failure)) if failure.may_pass() && !moves && !promoted => {
            tracing::error!(%failure, "the log has no next segment yet");
            lead_without_log(core, end, failure)
        }
        Err(error) => Err(error),
    }
}

/// The writing side while nothing can be written.
fn lead_without_log(
    core: &Arc<Core>,
    end: &Durable,
    failure: WriterError,
) -> Result<Arc<Master>, EngineError> {
    let store = core.log_store(core.log_place())?;
    core.begin_release(end, false);
    let writer = Arc::new(Writer::failed(store, *end, failure));
    let committer = Committer::new(writer, end.commit, core.host().part_pages);
    Ok(Master::new(core, committer, checkpointer(core)))
}

/// The writing side in the running process.
fn begin_to_lead(
    core: &Arc<Core>,
    end: &Durable,
    from: Role,
    role: Role,
) -> Result<Arc<Master>, EngineError> {
    let master = lead(core, end, from, role)?;
    begun(core, master, from, role)
}

/// Notes the role, now that its log has begun, and starts its threads.
fn begun(
    core: &Core,
    master: Arc<Master>,
    from: Role,
    role: Role,
) -> Result<Arc<Master>, EngineError> {
    let begun = master.log_failure().is_none();
    core.update_control(|control| {
        control.role = role;
        control.configured_role = *core.said_role();
        if from == Role::Slave {
            // A person has said so: a generation of its own has begun.
            control.fence = None;
        }
        is_taken(control);
        control.detached &= !begun;
    })?;
    let side = Side::Master(Arc::clone(&master));
    core.instance().follow(core, side.durable_position());
    start_threads(core, &side)?;
    Ok(master)
}

/// The generation of a promotion that has failed, of which nobody has heard, goes again: the mirror
/// goes on where it was. Where the disk may have the new role, the generation stays for it.
fn forget_generation(core: &Core, mirror: &SlaveLog, end: &Durable) {
    if let Err(error) = core.settle_control() {
        return tracing::error!(%error, "the role that the next start finds is not known");
    }
    if let Err(error) = interrupted::clear(core) {
        tracing::error!(%error, "the generation that was to begin is still in the directory of FwLog");
    }
    core.instance().forget_behind(core, end.point.position);
    let store = mirror.store();
    let forgotten = log::end_there(&store, store.location(), end).and_then(|end| {
        let position = DurableEnd {
            environment: core.known_id()?,
            durable: end,
            switched_off: false,
            stopped: false,
        };
        store
            .write_position(&position.encode())
            .map_err(|error| EngineError::file("write", store.position_path(), &error))?;
        // Its number may be given again: no crash may bring back what stood there.
        settle(&store)
    });
    if let Err(error) = forgotten {
        tracing::error!(%error, "the generation that was to begin cannot be taken back");
    }
}

fn checkpointer(core: &Core) -> Arc<Checkpointer> {
    Checkpointer::new(CheckpointPolicy::of(core.config()))
}

/// What a start would refuse by the control file alone; nothing is changed.
pub fn may_start(host: &Host, config: &Config) -> Result<(), EngineError> {
    let layout = Layout::new(host.disk.clone(), &config.server.data_dir);
    let control =
        Control::read(&host.disk, &layout.control())?.ok_or_else(|| layout.no_environment())?;
    let none = control.identity.is_none() && role_of(&control, config) != Role::Slave;
    if none && !is_complete(&layout)? {
        return Err(no_state_yet(&layout));
    }
    Ok(())
}
