//! What a slave says of itself when it is to be fed.

use dbproto::Identity;
use fwlog::Position;

use crate::databases::control::LogPlace;
use crate::environment::Core;
use crate::slave::SlaveProgress;

/// As it is at this moment.
pub(super) fn of(core: &Core, progress: &SlaveProgress) -> Identity {
    let config = core.config();
    let begins = core
        .log_location()
        .ok()
        .and_then(|location| fwlog::LogDirectory::scan(&location).ok())
        .and_then(|directory| {
            // A log that was interrupted goes back to where it goes on.
            let gaps = directory.gaps();
            let first = directory.segments().first().map(|segment| segment.id);
            let begins = gaps.last().map_or(first, |gap| Some(gap.behind));
            begins.map(|id| Position::new(id, 0))
        });
    Identity {
        protocol: dbproto::PROTOCOL_VERSION,
        format: fwlog::layout::header::FORMAT_VERSION,
        environment: core.id(),
        instance: config.server.instance.clone(),
        role: dbproto::Role::Slave,
        page_size: u32::try_from(fwlog::PAGE_SIZE).unwrap_or(u32::MAX),
        received: progress.received,
        durable: progress.durable,
        sealed: progress.sealed,
        applied: progress.applied,
        log_begins: begins,
        forward_log: core.log_place() == LogPlace::ForwardLog,
        volume_limit: config.volumes.max_size,
        pack: true,
        greeting: Some(Box::new(core.instance().greeting())),
    }
}
