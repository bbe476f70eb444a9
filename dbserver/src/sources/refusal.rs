//! What a command about a source is refused with: `docs/messages.md` has all of them.

use pgtypes::SqlState;

use crate::error::EngineError;

fn refusal(state: SqlState, message: String, hint: impl Into<String>) -> EngineError {
    EngineError::Source {
        state,
        message,
        hint: hint.into(),
    }
}

/// The source runs already; `how` is its process, or that it is passive.
pub(super) fn runs(name: &str, how: &str) -> EngineError {
    let message = format!("the source for {name} is running already ({how})");
    let hint = format!(
        "'dbctl source list' shows it; 'dbctl source activate {name}' makes a passive one send, 'dbctl source shutdown {name}' ends it."
    );
    refusal(SqlState::SOURCE_RUNS, message, hint)
}

/// Nobody has said anything of such a source.
pub(crate) fn unknown(name: &str) -> EngineError {
    let message = format!("no source for {name} is known");
    let hint = format!(
        "'dbctl source list' shows those that are; 'dbctl source start {name} HOST:SERVICE' begins one."
    );
    refusal(SqlState::SOURCE_UNKNOWN, message, hint)
}

/// It is known, and does not run.
pub(super) fn does_not_run(name: &str, why: Option<&str>) -> EngineError {
    let why = why.map_or_else(String::new, |why| format!("It was given up: {why}. "));
    let message = format!("no source for {name} is running");
    let hint = format!("{why}'dbctl source start {name}' begins it.");
    refusal(SqlState::SOURCE_DOES_NOT_RUN, message, hint)
}

/// A dbrepl that somebody has started by hand feeds that slave, and takes no commands.
pub(crate) fn by_hand(name: &str, address: &str) -> EngineError {
    let message = format!("no source for {name} is running");
    let hint = format!(
        "A dbrepl that was started by hand feeds {name} at {address}: it takes no commands. End it on its machine, then 'dbctl source start {name} {address}' begins a source in its place."
    );
    refusal(SqlState::SOURCE_DOES_NOT_RUN, message, hint)
}

/// There are as many as there may be.
pub(super) fn too_many(limit: usize) -> EngineError {
    let message = format!("there are {limit} sources already (MaxSources)");
    refusal(
        SqlState::TOO_MANY_SOURCES,
        message,
        "'dbctl source drop NAME' takes one away; raise MaxSources in section [Replication], then 'dbctl reload'; or feed some slaves from a slave.",
    )
}

/// With those that were begun by command the configuration has more than there may be.
pub(super) fn too_many_configured(number: usize, limit: usize) -> EngineError {
    refusal(
        SqlState::TOO_MANY_SOURCES,
        format!("there would be {number} sources, and may be {limit} (MaxSources)"),
        "'dbctl source drop NAME' takes one away that was begun by command; or raise MaxSources in section [Replication]; then 'dbctl reload'.",
    )
}

/// `--propagate` on the root.
pub(crate) fn is_root(own: &str) -> EngineError {
    refusal(
        SqlState::REPLICATION_TO_ROOT,
        format!("{own} is the root: it takes no log from another server"),
        "Say --root, or leave --propagate out.",
    )
}

/// A command of the receiver on the root.
pub(crate) fn receives_nothing(own: &str) -> EngineError {
    refusal(
        SqlState::REPLICATION_TO_ROOT,
        format!("{own} is the root: it takes no log from another server"),
        "Give the command to a slave.",
    )
}

/// `--root` on a slave.
pub(crate) fn is_not_root(own: &str) -> EngineError {
    refusal(
        SqlState::REPLICATION_NOT_ROOT,
        format!("{own} is not the root"),
        "Say --propagate, or leave --root out. 'dbctl source activate NAME --root' makes it the root first.",
    )
}

/// Source and slave have one name.
pub(crate) fn same_name(own: &str) -> EngineError {
    refusal(
        SqlState::INSTANCE_SAME_NAME,
        format!("source and slave are both called {own}"),
        "Give the name of the slave's instance.",
    )
}
