//! Redo: from the log back to pages, at a start.

use std::sync::Arc;

use dbconfig::VerifyData;
use dbproto::Progress;
use fwlog::{
    Block, CommitNumber, LogLocation, LogPoint, Position, RecoverError, RecoverOptions, Recovered,
    SealNewest, SegmentId, SegmentReader, SegmentStore, Timestamp, Torn,
};

use crate::apply::applier::Applier;
use crate::databases::Role;
use crate::databases::control::{Identity, RedoPoint};
use crate::environment::core::Core;
use crate::environment::verify::{self, Suspects};
use crate::environment::{copied, log};
use crate::error::EngineError;
use crate::slave::SlaveLog;
use crate::sources::Receiver;

/// An applier of the environment's log that goes on after commit `last`.
pub(super) fn applier(core: &Core, last: CommitNumber) -> Applier {
    Applier::new(
        (
            Arc::clone(core.databases()),
            core.config().replication.apply.clone(),
        ),
        core.files().clone(),
        Arc::clone(core.horizon()),
        core.config().replication.tmp_dir.clone(),
        last,
    )
}

/// Redoes the log from the redo point, and proves the data files afterwards.
pub(super) fn recover(
    core: &Core,
    identity: &Identity,
    seal: SealNewest,
    suspects: &Suspects,
) -> Result<Redone, EngineError> {
    let store = log::whole_log(core.config(), core.layout(), core.log_place())?;
    let is_new = tell_of_last_stop(core, identity);
    let mut applier = applier(core, identity.redo.commit);
    applier.begin_redo();
    let mut blocks = 0_u64;
    let mut held = Held::of(core, identity, seal)?;
    let options = RecoverOptions {
        from: identity.redo.for_recovery(),
        seal,
        discard_behind: ends_at_redo(core, identity),
    };
    let result = fwlog::recover(&store, options, &mut |block| {
        if held.leaves(block) {
            return Ok(());
        }
        blocks += 1;
        applier.apply(block)?;
        if applier.is_due() {
            applier.publish()?;
        }
        Ok(())
    });
    let control = core.control().clone();
    let recovered = match result {
        // Only who writes the log can begin it.
        Err(RecoverError::NoLog | RecoverError::NoStart(_))
            if control.detached
                && seal == SealNewest::Yes
                && !has_segment_after(&store, identity)? =>
        {
            tracing::warn!(
                behind = %identity.redo.point.position,
                "the log begins anew in {}, and what was before is not there: slaves that lack some of it must be re-synchronized, and --rebuild and dbrepl -T need it",
                store.location().directory.display()
            );
            not_begun(identity, core.host().clock.now())
        }
        Err(RecoverError::NoLog | RecoverError::NoStart(_))
            if copied::is_copy(&control, core.config()) =>
        {
            return Err(copied::refusal(
                &control,
                core.layout(),
                store.location(),
                identity,
            ));
        }
        other => other.map_err(|error| log::recovery_error(error, store.location()))?,
    };
    applier.publish()?;
    applier.end_redo()?;
    if blocks > 0 && !is_new {
        tracing::info!(
            from = %identity.redo.point.position,
            to = %recovered.end.position,
            blocks,
            commit = applier.last().get(),
            "recovered from the log"
        );
    }
    if let Some(torn) = &recovered.cut {
        tell_of_cut(torn);
    }
    let held = held.end();
    let last = held.map_or(recovered.last_commit, |at| at.commit);
    check_data_files(core, suspects, last)?;
    Ok(Redone {
        applier,
        recovered,
        held,
    })
}

/// What redo has come to.
pub(super) struct Redone {
    /// It goes on behind what was applied.
    pub(super) applier: Applier,
    /// The log.
    pub(super) recovered: Recovered,
    /// Up to there it was applied, where an operator holds applying, and the log has more.
    pub(super) held: Option<Progress>,
}

/// How far redo goes on a slave that an operator holds.
struct Held {
    at: Option<Position>,
    applied: Progress,
    has_left: bool,
}

impl Held {
    fn of(core: &Core, identity: &Identity, seal: SealNewest) -> Result<Self, EngineError> {
        let RedoPoint { point, commit, .. } = identity.redo;
        let receiver = core.sources().receiver();
        let known = receiver.held_at();
        // Who writes the log has all of it; a copy is not one commit before it has, and knows nothing of what was here.
        let is_slave = seal == SealNewest::No;
        let is_right = is_slave && !core.begins_with_copy();
        let at = known.filter(|at| is_right && *at >= point.position);
        if !is_slave && receiver.held.is_some() {
            core.sources().set_receiver(Receiver::forget_held)?;
        } else if at != known {
            core.sources()
                .set_receiver(|receiver| receiver.stand_at(None))?;
        }
        Ok(Self {
            at,
            applied: Progress {
                point,
                commit,
                time: core.host().clock.now(),
            },
            has_left: false,
        })
    }

    /// Whether this block, and all behind it, is not applied.
    fn leaves(&mut self, block: &Block) -> bool {
        self.has_left |= self.at.is_some_and(|at| block.end.position > at);
        if !self.has_left {
            self.applied = Progress::from(block);
        }
        self.has_left
    }

    fn end(self) -> Option<Progress> {
        self.has_left.then_some(self.applied)
    }
}

/// A crash is told before recovery, which may take a while or fail. `true`: the environment was made just now.
fn tell_of_last_stop(core: &Core, identity: &Identity) -> bool {
    let (clean, role) = {
        let control = core.control();
        (control.clean, control.role)
    };
    match (clean, identity.databases.is_empty()) {
        (true, true) => return true,
        (true, false) => tracing::info!("the last stop was clean"),
        // The data files are made anew, which has been told.
        (false, true) if role != Role::Slave => {}
        (false, _) if core.begins_with_copy() => tracing::info!(
            from = %identity.redo.point.position,
            "the server begins with the copy: redo of the log that came with it brings its pages to one commit"
        ),
        (false, _) => tracing::warn!(
            from = %identity.redo.point.position,
            "the server was not stopped cleanly: it recovers from the log"
        ),
    }
    false
}

/// By weight: what nobody was told of is no loss.
fn tell_of_cut(torn: &Torn) {
    let (at, bytes, why) = (torn.at, torn.bytes, &torn.why);
    if !torn.may_be_acknowledged {
        tracing::info!(%at, bytes, %why, "cut off a torn tail, which was not acknowledged");
        return;
    }
    let kept = torn.kept.as_ref().map_or_else(
        || "there is no room to keep them".to_owned(),
        |kept| format!("they are kept in {}", kept.display()),
    );
    tracing::warn!(
        %at, bytes, %why,
        "cut off bytes behind a damaged block that may have been acknowledged; {kept}. A slave may have these transactions: see docs/recovery.md"
    );
}

/// The end of a slave's log, everything before which is applied.
pub(super) fn end_of_log(
    core: &Core,
    mirror: &SlaveLog,
    seal: SealNewest,
) -> Result<Recovered, EngineError> {
    let store = mirror.store();
    let from = mirror.progress().durable.map(|at| at.point);
    let options = RecoverOptions {
        from,
        seal,
        discard_behind: from.map(|point| point.position),
    };
    match (
        fwlog::recover(&store, options, &mut |_| Ok(())),
        core.identity(),
    ) {
        // A copy that has received nothing yet.
        (Err(RecoverError::NoLog), Some(identity)) if core.control().detached => {
            Ok(not_begun(&identity, core.host().clock.now()))
        }
        (result, _) => result.map_err(|error| log::recovery_error(error, store.location())),
    }
}

/// The data files, now that redo has replaced what it has.
pub(super) fn check_data_files(
    core: &Core,
    suspects: &Suspects,
    last: CommitNumber,
) -> Result<(), EngineError> {
    let how = match core.config().server.verify_data {
        // All of it was proved by its hash, synced, and what came was read back, a moment ago.
        VerifyData::Start if core.begins_with_copy() => VerifyData::Read,
        how => how,
    };
    verify::check(core.databases(), suspects, how, last)
}

/// Where the log of a master ends that was stopped while it could not be written: what lies behind
/// was never acknowledged. It consists of deltas, and redo must not start before those.
fn ends_at_redo(core: &Core, identity: &Identity) -> Option<Position> {
    let control = core.control();
    let stopped = control.clean && control.detached;
    (stopped && control.role != Role::Slave).then_some(identity.redo.point.position)
}

/// The segments that are there.
pub(super) fn segments_of(store: &SegmentStore) -> Result<Vec<SegmentId>, EngineError> {
    let path = store.position_path();
    store
        .list()
        .map_err(|error| EngineError::file("list beside", path, &error))
}

fn has_segment_after(store: &SegmentStore, identity: &Identity) -> Result<bool, EngineError> {
    Ok(segments_of(store)?
        .iter()
        .any(|id| *id > identity.redo.point.position.segment))
}

/// A log that has not begun in its new place: all there is stands in the data files.
fn not_begun(identity: &Identity, time: Timestamp) -> Recovered {
    let RedoPoint {
        point,
        log_bytes,
        commit,
    } = identity.redo;
    Recovered {
        environment: identity.environment,
        end: point,
        log_bytes,
        last_commit: commit,
        time,
        sealed: true,
        cut: None,
    }
}

/// The point that a position means in the slave's own log, wherever its segment is: reads that by block heads
/// up to the position.
pub(crate) fn redo_point_at(
    locations: &[LogLocation],
    position: Position,
) -> Result<RedoPoint, EngineError> {
    let mut failure = None;
    for location in locations {
        match redo_point_in(location, position) {
            Ok(Some(redo)) => return Ok(redo),
            Ok(None) => {}
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    Err(failure.map_or_else(
        || {
            EngineError::Corrupt(format!(
                "the master's checkpoint names {position}, which is no block border of this log"
            ))
        },
        log::read_error,
    ))
}

fn redo_point_in(
    location: &LogLocation,
    position: Position,
) -> Result<Option<RedoPoint>, fwlog::ReadError> {
    let mut reader = SegmentReader::open(&location.disk, &location.path(position.segment))?;
    let hash = reader.skip_to(position.offset)?;
    Ok(hash.map(|hash| RedoPoint {
        point: LogPoint::new(position, hash),
        log_bytes: reader.header().log_bytes + position.offset,
        commit: reader.last_commit(),
    }))
}
