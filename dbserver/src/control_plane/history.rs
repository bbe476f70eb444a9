//! `replication history`: which instance wrote the log from which point on.

use fwlog::{Abandoned, HistoryLine};
use serde::Serialize;

use crate::control_plane::{Call, Table};
use crate::error::EngineError;

const USAGE: &str = "usage: replication history [--abandoned]";

/// Characters of an id that a person reads; `--json` gives all.
const SHOWN: usize = 12;

/// A generation, with all that is known of it.
#[derive(Serialize)]
struct Shown {
    generation: u32,
    id: String,
    reason: String,
    instance: String,
    time: String,
    parent: String,
    parent_hash: String,
    commit: u64,
    /// All of it as the file of the history has it, for programs that keep it.
    line: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_hash: Option<String>,
}

impl Shown {
    fn of(line: &HistoryLine) -> Self {
        Self {
            generation: line.number.get(),
            id: line.id.to_string(),
            reason: line.reason.to_string(),
            instance: line.instance.clone(),
            time: line.time.to_string(),
            parent: line.parent.position.to_string(),
            parent_hash: line.parent.hash.to_string(),
            commit: line.commit.get(),
            line: line.to_string(),
            end: None,
            end_hash: None,
        }
    }

    fn left(left: &Abandoned) -> Self {
        Self {
            end: Some(left.end.position.to_string()),
            end_hash: Some(left.end.hash.to_string()),
            ..Self::of(&left.line)
        }
    }
}

/// The generations of the log, the oldest first; with `--abandoned` those parts that the log once had.
pub(crate) fn history(call: &Call<'_>) -> Result<Table, EngineError> {
    let abandoned = match call.arguments.as_slice() {
        [] => false,
        ["--abandoned"] => true,
        _ => return Err(EngineError::Usage(USAGE.into())),
    };
    let history = call.environment.core().instance().history();
    let shown: Vec<Shown> = if abandoned {
        history.abandoned().iter().map(Shown::left).collect()
    } else {
        history.branch().iter().map(Shown::of).collect()
    };
    let mut columns = vec![
        "generation",
        "id",
        "reason",
        "instance",
        "time",
        "goes on from",
        "commit",
    ];
    columns.extend(abandoned.then_some("left at"));
    let mut table = Table::new(&columns);
    for line in &shown {
        let mut row = vec![
            line.generation.to_string(),
            line.id.chars().take(SHOWN).collect(),
            line.reason.clone(),
            line.instance.clone(),
            line.time.clone(),
            line.parent.clone(),
            line.commit.to_string(),
        ];
        row.extend(line.end.clone());
        table.row(row);
    }
    table.typed(&shown)
}
