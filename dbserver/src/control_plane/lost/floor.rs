//! `lost floor`: from where on `eloqdb_changed_since_fork` takes a row for changed.

use fwlog::Position;
use serde::Serialize;

use crate::control_plane::{Call, Table};
use crate::error::EngineError;
use crate::system::lost_forks::{Floor, LostForks};

const USAGE: &str = "usage: lost floor [POSITION | none]";

/// As JSON has it.
#[derive(Serialize)]
struct Shown {
    position: Option<String>,
    commit: Option<u64>,
    /// When a person has set it, in UTC; none where the forks say it.
    set: Option<String>,
    /// The instance whose fork it is.
    instance: Option<String>,
}

/// Shows it, sets it, or leaves it to the forks again.
pub(crate) fn floor(call: &Call<'_>) -> Result<Table, EngineError> {
    let forks = LostForks::of(call.environment);
    match call.arguments.as_slice() {
        [] => {}
        ["none"] => forks.set_floor(None)?,
        [position] => {
            let position: Position = position.parse().map_err(|_| {
                EngineError::Usage(format!("{position} is no position (12-3:184320)"))
            })?;
            let core = call.environment.core();
            let at = core.border_at(position).ok_or_else(|| {
                EngineError::state(
                    format!("the log of this server has no border of blocks at {position}"),
                    "'dbctl lost status' shows where logs have left this one, 'dbctl replication history' where generations begin.",
                )
            })?;
            forks.set_floor(Some((at.point, at.commit)))?;
        }
        _ => return Err(EngineError::Usage(USAGE.into())),
    }
    table(forks.floor()?)
}

fn table(floor: Option<Floor>) -> Result<Table, EngineError> {
    let mut table = Table::list();
    let shown = match floor {
        None => {
            table.entry("floor", "none: every row may have changed");
            Shown {
                position: None,
                commit: None,
                set: None,
                instance: None,
            }
        }
        Some(floor) => {
            table.entry("floor", &floor.position);
            table.entry("commit", floor.commit);
            table.maybe("set", floor.set.as_ref());
            table.maybe("fork of", floor.instance.as_ref());
            Shown {
                position: Some(floor.position),
                commit: Some(floor.commit),
                set: floor.set,
                instance: floor.instance,
            }
        }
    };
    table.typed(&shown)
}
