//! A slave that has left databases out and is to have them now.

use dbproto::{Refuse, state};

use crate::environment::Core;

/// Such databases can't get their pages from the log: whoever sends it makes a copy first. Asked once the source has
/// proved that the slave's log is the beginning of its own: else a copy would throw away what only the slave has.
pub(super) fn refuse(core: &Core) -> Result<(), Refuse> {
    let partial = core.partial();
    let Some(partial) = partial.filter(|partial| !partial.lacking.is_empty()) else {
        return Ok(());
    };
    let why = format!(
        "the slave has left out {}, and is to have all of it now",
        partial.lacking.join(", ")
    );
    Err(Refuse::new(state::LOG_MISSING, why).hint(state::COPY))
}
