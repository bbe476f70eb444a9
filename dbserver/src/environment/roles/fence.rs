//! A root that was left behind stops writing, and follows where nothing of it is lost.

use std::collections::HashSet;
use std::sync::Arc;
use std::thread::ThreadId;

use fwlog::{RecoverOptions, Recovered, SealNewest};
use pgtypes::SqlState;

use super::follow::follow_on;
use super::{FEED_ENDS, demote, go_back};
use crate::databases::fence::{Fence, Tail};
use crate::environment::core::Core;
use crate::environment::left_behind::{self, behind, name_of, prove_data_files};
use crate::environment::log::recovery_error;
use crate::environment::master::Master;
use crate::environment::redo;
use crate::environment::side::{CurrentSide, Side};
use crate::environment::slave::Slave;
use crate::error::EngineError;
use crate::failure::Failure;

/// The root writes no more from now on, whatever is restarted: that is durable before anything else is done. Then it
/// becomes a slave. An error leaves it as one that does not write; the same again goes on.
pub(in crate::environment) fn depose(
    core: &Arc<Core>,
    current: &CurrentSide,
    master: &Arc<Master>,
    fence: &Fence,
) -> Result<(), EngineError> {
    current.fence(true);
    let own = &core.config().server.instance;
    tracing::error!(
        "{}: this server writes no more",
        Fence {
            tail: Tail::Unknown,
            ..fence.clone()
        }
        .in_words(own)
    );
    {
        let _one_author = core.one_author();
        core.update_control(|control| control.fence = Some(fence.clone()))?;
    }
    end_writers(core, fence);
    demote(core, current, master, None)?;
    match current.get() {
        Side::Slave(slave) => rejoin(core, current, &slave),
        Side::Master(_) | Side::None => Err(EngineError::ChangingRole),
    }
}

/// Whoever has the right to write, or waits for it, or has begun what may write, hears why it is over.
fn end_writers(core: &Core, fence: &Fence) {
    let own = &core.config().server.instance;
    let last_word = Failure::fatal(
        SqlState::ADMIN_SHUTDOWN,
        "terminating connection due to administrator command",
    )
    .detail(format!(
        "{} is the root now, and {own} was left behind.",
        fence.by
    ))
    .hint(format!(
        "Connect to {}; what was not acknowledged is not done.",
        fence.by
    ));
    let databases = core.databases().all();
    let writers: HashSet<ThreadId> = databases.iter().flat_map(|it| it.writers()).collect();
    // Databases of this server alone are written on, whoever is the root.
    let is_replicated = |name: &str| core.databases().has_name(name);
    core.sessions()
        .end_writers(&last_word, is_replicated, |thread| {
            writers.contains(&thread)
        });
}

/// A slave that was left behind as a root looks at what it has behind the point where it was, once: where that is nothing
/// that anybody would miss, it is cut off, and the log goes on there. Most calls have nothing to do.
pub(in crate::environment) fn rejoin(
    core: &Arc<Core>,
    current: &CurrentSide,
    slave: &Arc<Slave>,
) -> Result<(), EngineError> {
    let fence = core.control().fence.clone();
    let Some(fence) = fence.filter(|fence| fence.tail == Tail::Unknown) else {
        return Ok(());
    };
    slave.release(FEED_ENDS)?;
    let handover = core.control().handover.clone();
    current.swap(Side::None);
    let judged = slave
        .close()
        .and_then(|()| look_behind(core, slave, fence))
        .and_then(|end| follow_on(core, &end, handover.clone()));
    match judged {
        Ok(slave) => {
            current.swap(Side::Slave(slave));
            Ok(())
        }
        Err(error) => {
            tracing::error!(%error, "what this server has written behind the point where it was left is not known");
            go_back(current, || {
                let end = redo::end_of_log(core, slave.log(), SealNewest::No)?;
                follow_on(core, &end, handover).map(Side::Slave)
            });
            Err(error)
        }
    }
}

/// Notes what there is, and cuts it off where it is nothing; gives where the log ends then.
fn look_behind(core: &Arc<Core>, slave: &Slave, fence: Fence) -> Result<Recovered, EngineError> {
    let _one_author = core.one_author();
    let end = redo::end_of_log(core, slave.log(), SealNewest::No)?;
    let store = core.log_store(core.log_place())?;
    let tail = behind(&store, fence.at.point)?.tail(|| name_of(core.host().clock.now()));
    let fence = Fence { tail, ..fence };
    let own = &core.config().server.instance;
    if fence.tail.is_lost() {
        tracing::error!(
            "{}; {}",
            fence.in_words(own),
            fence.hint().unwrap_or_default()
        );
        core.update_control(|control| control.fence = Some(fence))?;
        return Ok(end);
    }
    let redo = redo::redo_point_at(&core.log_locations(), fence.at.point.position)?;
    // Redo starts there from now on.
    core.write_data_files(None)?;
    prove_data_files(core, redo.commit)?;
    let entries = core.databases().entries();
    let at = fence.at.point;
    // From here on the log ends there, whatever happens.
    core.update_control(|control| {
        control.set_redo(redo, entries);
        control.detached = true;
        control.fence = Some(fence);
    })?;
    left_behind::go_on(core)?;
    let options = RecoverOptions {
        from: Some(at),
        seal: SealNewest::No,
        discard_behind: None,
    };
    fwlog::recover(&store, options, &mut |_| Ok(()))
        .map_err(|error| recovery_error(error, store.location()))
}
