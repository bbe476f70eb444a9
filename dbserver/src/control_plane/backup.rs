//! `backup start | stop | status`: the data files stand still for whoever copies them.

use crate::control_plane::{Call, Table};
use crate::environment::backup_mode_status::BackupModeStatus;
use crate::error::EngineError;
use crate::process::bytes;

/// From now on they do.
pub(crate) fn start(call: &Call<'_>) -> Result<Table, EngineError> {
    call.none("backup start")?;
    call.environment.begin_backup_mode(call.user)?;
    let status = BackupModeStatus::of(call.environment);
    let mut table = Table::done("the backup mode is on: copy now");
    if let Some(status) = &status {
        describe(status, &mut table);
    }
    table.typed(&status)
}

/// They need not any more.
pub(crate) fn stop(call: &Call<'_>) -> Result<Table, EngineError> {
    call.none("backup stop")?;
    call.environment.end_backup_mode()?;
    let status = BackupModeStatus::of(call.environment);
    let since = status.as_ref().and_then(|it| it.since);
    let since = since.map_or_else(String::new, |since| format!(" since {since}"));
    let table = Table::done(format!(
        "the backup mode is off: what was copied{since} is a copy"
    ));
    table.typed(&status)
}

/// Whether they do.
pub(crate) fn status(call: &Call<'_>) -> Result<Table, EngineError> {
    call.none("backup status")?;
    let status = BackupModeStatus::of(call.environment);
    let mut table = Table::list();
    table.entry("backup mode", in_words(status.as_ref()));
    if let Some(status) = status.as_ref().filter(|it| it.on) {
        describe(status, &mut table);
    }
    table.typed(&status)
}

/// For the one screen of `dbctl status`, too.
pub(super) fn in_words(status: Option<&BackupModeStatus>) -> String {
    let Some(status) = status else {
        return "off".to_owned();
    };
    let shown = |time: Option<_>| time.map_or_else(String::new, |time| format!("{time}"));
    if status.on {
        let by = status.by.as_deref().unwrap_or_default();
        return format!(
            "on since {} (by {by}): the data files stand still",
            shown(status.since)
        );
    }
    let (at, why) = (shown(status.ended_at), status.ended_because.as_deref());
    format!(
        "off; the last one ended at {at}: {}",
        why.unwrap_or_default()
    )
}

/// What is to be copied, and until when.
fn describe(status: &BackupModeStatus, table: &mut Table) {
    if let Some(directory) = &status.data_directory {
        table.entry("copy first", directory.display());
    }
    if let (Some(directory), Some(from)) = (&status.log_directory, &status.log_from) {
        table.entry(
            "copy then",
            format!("{}, {from} and later", directory.display()),
        );
    }
    table.maybe("ends at the latest", status.ends_at);
    if let Some((gathered, most)) = status.gathered_bytes.zip(status.at_most_bytes) {
        table.entry(
            "gathered",
            format!("{} of {} at most", bytes(gathered), bytes(most)),
        );
    }
}
