//! How the backup mode stands, as values.

use std::path::PathBuf;

use fwlog::Timestamp;
use serde::Serialize;

use crate::databases::backup_mode::{BackupModeEnded, BackupModeOn};
use crate::databases::control::LogPlace;
use crate::environment::core::Core;
use crate::environment::state::Environment;
use crate::environment::status::Time;

/// The mode while it is on, or how the last one since the start has ended.
#[derive(Clone, Debug, Serialize)]
pub struct BackupModeStatus {
    /// Whether the data files stand still.
    pub on: bool,
    /// Who has begun it.
    pub by: Option<String>,
    /// When it has begun, also one that has ended.
    pub since: Option<Time>,
    /// When it ends at the latest.
    pub ends_at: Option<Time>,
    /// Bytes of log and pages that have gathered.
    pub gathered_bytes: Option<u64>,
    /// It ends when so many have.
    pub at_most_bytes: Option<u64>,
    /// The directory to copy first: the data files, and the journal where there is no forward log.
    pub data_directory: Option<PathBuf>,
    /// The directory of the log, to copy behind it.
    pub log_directory: Option<PathBuf>,
    /// The first segment that the copy needs.
    pub log_from: Option<String>,
    /// When it ended.
    pub ended_at: Option<Time>,
    /// Why, as a word.
    pub ended_by: Option<&'static str>,
    /// Why, for people.
    pub ended_because: Option<String>,
}

impl BackupModeStatus {
    /// Of this environment, now. `None`: there was none since the start.
    pub fn of(environment: &Environment) -> Option<Self> {
        environment.settle_backup_mode();
        let core = environment.core();
        match core.backup_mode().on() {
            Some(on) => {
                let mut status = Self::on(core, &on);
                let local = environment.local().map(|local| local.core());
                let beside = local.and_then(|local| {
                    let on = local.backup_mode().on()?;
                    Some(local.gathered_bytes(on.log_bytes))
                });
                status.gathered_bytes = status
                    .gathered_bytes
                    .map(|own| own.max(beside.unwrap_or(0)));
                Some(status)
            }
            None => core.backup_mode().ended().as_ref().map(Self::ended),
        }
    }

    fn on(core: &Core, on: &BackupModeOn) -> Self {
        let bounds = core.config().server.backup_hold;
        let time = u64::try_from(bounds.time.as_micros()).unwrap_or(u64::MAX);
        let ends_at = Timestamp::from_micros(on.since.micros().saturating_add(time));
        let location = core.log_location().ok();
        let location = location.filter(|_| core.log_place() == LogPlace::ForwardLog);
        let first = core.redo().map(|redo| redo.point.position.segment);
        Self {
            on: true,
            by: Some(on.who.clone()),
            since: Some(Time(on.since)),
            ends_at: Some(Time(ends_at)),
            gathered_bytes: Some(core.gathered_bytes(on.log_bytes)),
            at_most_bytes: Some(bounds.bytes),
            data_directory: Some(core.config().server.data_dir.clone()),
            log_from: location
                .as_ref()
                .zip(first)
                .map(|(location, first)| location.naming.file_name(first)),
            log_directory: location.map(|location| location.directory),
            ended_at: None,
            ended_by: None,
            ended_because: None,
        }
    }

    fn ended(ended: &BackupModeEnded) -> Self {
        Self {
            on: false,
            by: None,
            since: Some(Time(ended.since)),
            ends_at: None,
            gathered_bytes: None,
            at_most_bytes: None,
            data_directory: None,
            log_directory: None,
            log_from: None,
            ended_at: Some(Time(ended.at)),
            ended_by: Some(ended.why.word()),
            ended_because: Some(ended.why.to_string()),
        }
    }
}
