//! `archive status`

use std::time::Duration;

use dbconfig::{Archive, value};
use fwlog::Timestamp;
use repository::{ArchiveEnd, Heartbeat};

use super::named::Named;
use super::open::Opened;
use crate::archive_args::RepositoryArguments;
use crate::error::{CommandError, Exit, Result};
use crate::invocation::Invocation;
use crate::output::{self, Table};

pub(super) fn run(
    invocation: &Invocation,
    mut arguments: RepositoryArguments,
    warn_behind: Option<&str>,
) -> Result<()> {
    let named = Named::of(invocation, &arguments.url)?;
    let limit = warn_behind.map(value::duration).transpose();
    let limit = limit.map_err(|why| CommandError::usage(format!("--warn-behind: {why}")))?;
    let configured = named.archive.map(|archive| archive.warn_behind);
    let limit = limit.or(configured).unwrap_or(Archive::WARN_BEHIND);
    arguments.url = named.place;
    let opened = Opened::open(&arguments)?;
    let history = opened.newest()?;
    let objects = opened.catalog.histories.get(&history).ok_or_else(|| {
        CommandError::error(format!("there is no history {history} in the archive"))
    })?;
    let end = opened.archive.end(history, objects)?;
    let heartbeat = opened.archive.heartbeat(history)?;
    let whole = nothing_missing(end, &heartbeat);
    let behind = Timestamp::now().micros().saturating_sub(whole.micros());
    let behind = Duration::from_micros(behind);
    let mut table = Table::new(&["name", "value"]);
    let mut line = |name: &str, value: Option<String>| {
        table.rows.push(vec![Some(name.to_owned()), value]);
    };
    line("repository", Some(opened.repository.place()));
    line("name", Some(opened.repository.name().to_owned()));
    line(
        "environment",
        Some(opened.archive.environment().to_string()),
    );
    line("history", Some(history.to_string()));
    line(
        "archived",
        end.map(|it| it.border.point.position.to_string()),
    );
    line("commit", end.map(|it| it.border.commit.to_string()));
    line("time", end.map(|it| it.border.time.to_string()));
    line("nothing missing until", Some(whole.to_string()));
    line("behind in seconds", Some(behind.as_secs().to_string()));
    line("parts", Some(objects.part_count().to_string()));
    line("bytes", Some(objects.bytes().to_string()));
    invocation.output.result(&table)?;
    // Where the configuration says 0, nobody wants to be told.
    if behind <= limit || (warn_behind.is_none() && limit.is_zero()) {
        return Ok(());
    }
    output::note(format_args!(
        "the archive has nothing that is newer than {} s: does its dbrepl run, and the server?",
        limit.as_secs()
    ));
    Err(CommandError::told(Exit::Error))
}

/// Up to this time nothing is missing: the heartbeat says so where the log stood still, and what is archived of itself.
fn nothing_missing(end: Option<ArchiveEnd>, heartbeat: &Heartbeat) -> Timestamp {
    let end = end.map_or(Timestamp::ZERO, |end| end.border.time);
    end.max(heartbeat.at)
}
