//! What a dbrepl is told when the mirror cannot take what it sends.

use std::fmt::Display;

use dbproto::{Refuse, state};
use fwlog::MirrorError;
use pgtypes::SqlState;

use crate::slave::{HELD, SlaveProgress};

/// The file or directory, and what to do.
pub(crate) fn cannot_read(error: &impl Display) -> Refuse {
    Refuse::new(state::IO_ERROR, "the slave cannot read its log")
        .detail(error.to_string())
        .hint("Bring the slave's log directory back, or mend its disk; dbrepl goes on by itself.")
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub(crate) fn refuse_mirror(error: MirrorError) -> Refuse {
    match &error {
        MirrorError::Refused { .. } => Refuse::new(
            state::DAMAGED,
            "what was sent does not continue the slave's log",
        )
        .detail(error.to_string())
        .hint("'dbctl fwlog verify' on both sides shows which log is wrong."),
        MirrorError::Io(failure) if failure.is_disk_full() => {
            Refuse::new(state::DISK_FULL, "the disk of the slave's log is full")
                .detail(error.to_string())
                .hint("Free space on the slave; dbrepl goes on by itself.")
        }
        MirrorError::Io(_) | MirrorError::Read(_) => {
            Refuse::new(state::IO_ERROR, "the slave cannot write its log")
                .detail(error.to_string())
                .hint("Mend the slave's log directory; dbrepl goes on by itself.")
        }
    }
}

/// What dbrepl is told while nothing is applied and the log is not taken either: it is while a reader or an operator
/// is waited for.
pub(crate) fn refuse_suspended(progress: &SlaveProgress) -> Option<Refuse> {
    let why = progress.suspended.clone()?;
    Some(match progress.waits_for {
        Some(SqlState::OBJECT_IN_USE | HELD) => return None,
        Some(state::DISK_FULL) => {
            Refuse::new(state::DISK_FULL, "the slave has no room to apply its log")
                .detail(why)
                .hint("Free space on the slave; dbrepl goes on by itself.")
        }
        Some(state) => Refuse::new(state, "the slave cannot apply its log yet")
            .detail(why)
            .hint("Mend the disk of the slave; dbrepl goes on by itself."),
        None => Refuse::new(state::DAMAGED, "the slave cannot apply its log")
            .detail(why)
            .hint("Its log and 'dbctl fwlog verify' there say more; re-synchronize it."),
    })
}
