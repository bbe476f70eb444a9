//! What a dbrepl is told that is not let in, or has to leave.

use dbproto::{Refuse, state};

use crate::error::EngineError;
use crate::slave::SlaveProgress;
use crate::sources::Said;

/// What a second dbrepl is told.
pub(super) fn refuse_second(progress: &SlaveProgress) -> Refuse {
    let refuse = Refuse::new(state::IN_USE, "another dbrepl feeds this slave");
    let refuse = match progress.feed.connected {
        Some((address, since)) => refuse.detail(format!("from {address}, since {since}")),
        None => refuse,
    };
    refuse.hint(
        "Stop that one, or this one; on the slave 'dbctl session list' shows it, and 'dbctl session kill NUMBER' ends its connection.",
    )
}

/// What dbrepl is told while an operator lets nobody in: it tries again.
pub(super) fn shut_down(said: &Said) -> Refuse {
    let (by, since) = (&said.by, said.at());
    Refuse::new(
        state::CANNOT_CONNECT_NOW,
        format!("the receiver of this slave was shut down by {by} at {since}"),
    )
    .hint("'dbctl receiver start' on the slave lets sources in again; dbrepl goes on by itself.")
}

/// What dbrepl is told when the server stops: it tries again.
pub(crate) fn stopping() -> Refuse {
    Refuse::new(state::ADMIN_SHUTDOWN, "the slave was stopped")
        .hint("Start its dbserver; dbrepl goes on by itself.")
}

pub(super) fn refuse_engine(error: &EngineError) -> Refuse {
    Refuse::new(error.sqlstate(), error.to_string()).hint(error.hint().unwrap_or_default())
}
