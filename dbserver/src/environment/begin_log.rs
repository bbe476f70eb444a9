//! The log of an environment begins, or begins again.

use std::sync::Arc;

use fwlog::{Begin, Writer};

use crate::commit::checkpointer::Checkpointer;
use crate::databases::control::LogPlace;
use crate::environment::core::Core;
use crate::environment::log;
use crate::error::EngineError;

/// Gives an end to the log in a place that was left once, before logging begins there again: as far as it is
/// known to be durable.
pub(super) fn end_left_log_at(core: &Core, place: LogPlace) {
    let ended = log::location(core.config(), core.layout(), place)
        .and_then(|location| log::end_left_log(core.config(), &location));
    if let Err(error) = ended {
        tracing::warn!(%error, "the log of before cannot be given an end");
    }
}

/// Starts the writer of an environment.
pub(super) fn start_writer(
    core: &Core,
    checkpointer: &Arc<Checkpointer>,
    place: LogPlace,
    begin: Begin,
) -> Result<Arc<Writer>, EngineError> {
    let start = log::WriterStart {
        config: core.config(),
        host: core.host(),
        layout: core.layout(),
        environment: core.known_id()?,
        under_way: core.files().under_way(),
        horizon: core.horizon(),
        checkpointer,
    };
    start.start(place, begin)
}
