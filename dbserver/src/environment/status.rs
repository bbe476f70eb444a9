//! What a server is and how it does, as values: tables for people and JSON are rendered from these.

use std::fmt::{self, Display};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use dbproto::{Progress, SlaveReport};
use fwlog::{Durable, LogDirectory, Position, SegmentInfo, Timestamp};
use serde::{Serialize, Serializer};

use crate::databases::control::{LogPlace, role_word};
use crate::environment::space::Space;
use crate::environment::state::Environment;
use crate::error::EngineError;
use crate::slave::SlaveProgress;

/// A value that is shown, and written into JSON, as its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown<T>(pub T);

impl<T: Display> Display for Shown<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// A point in time; RFC 3339 in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time(pub Timestamp);

impl Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // It is UTC, and shown as `YYYY-MM-DD HH:MM:SS.mmm`.
        serializer.collect_str(&format_args!("{}Z", self.0.to_string().replace(' ', "T")))
    }
}

/// A span in microseconds; seconds with a fraction in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Micros(pub u64);

impl Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.0 / 1_000_000, self.0 / 1000 % 1000)
    }
}

impl Serialize for Micros {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[expect(
            clippy::cast_precision_loss,
            reason = "a lag of 285 years is exact to the microsecond"
        )]
        serializer.serialize_f64(self.0 as f64 / 1e6)
    }
}

/// One screen: the server.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// Standalone, Master or Slave.
    pub role: &'static str,
    /// Name of the instance.
    pub instance: String,
    /// Version of the program.
    pub version: &'static str,
    /// The environment's id; `None` on an empty slave.
    pub environment: Option<Shown<fwlog::EnvironmentId>>,
    /// `DataDir`.
    pub data_directory: PathBuf,
    /// How many databases there are.
    pub databases: usize,
    /// How many sessions there are.
    pub sessions: usize,
    /// Bytes of pages that are not in the data files.
    pub dirty_bytes: u64,
    /// Where redo would start.
    pub redo_position: Option<Shown<Position>>,
    /// The forward log.
    pub forward_log: LogStatus,
    /// Room on the disks.
    pub space: Vec<SpaceStatus>,
    /// A slave's: how far it is.
    pub replication: Option<SlaveStatus>,
}

/// Room in a directory.
#[derive(Debug, Clone, Serialize)]
pub struct SpaceStatus {
    /// What the directory is for.
    pub what: &'static str,
    /// The directory.
    pub directory: PathBuf,
    /// Bytes that may still be written.
    pub free_bytes: u64,
    /// Bytes of the file system.
    pub size_bytes: u64,
    /// Whether somebody should make room.
    pub low: bool,
}

/// The forward log.
#[derive(Debug, Clone, Serialize)]
pub struct LogStatus {
    /// Segments are kept in the directory of FwLog.
    pub enabled: bool,
    /// Where the segments are.
    pub directory: PathBuf,
    /// File name of the newest one.
    pub segment: Option<String>,
    /// The durable end.
    pub position: Option<Shown<Position>>,
    /// Time of the last block there.
    pub durable_at: Option<Time>,
    /// What is wrong with the log, and what it means.
    pub trouble: Option<String>,
    /// Since when.
    pub trouble_since: Option<Time>,
    /// What is kept; the error where that can't be told.
    pub kept: Result<KeptSegments, String>,
}

/// The segments in the directory of the log.
#[derive(Debug, Clone, Default, Serialize)]
pub struct KeptSegments {
    /// When the newest generation began.
    pub generation_since: Option<Time>,
    /// How many there are.
    pub segments: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Those that can't be read, and why.
    pub damaged: Vec<String>,
}

/// How far a slave is, as it knows itself.
#[derive(Debug, Clone, Serialize)]
pub struct SlaveStatus {
    /// A dbrepl is connected.
    pub connected: bool,
    /// The instance that it ships from.
    pub source: Option<String>,
    /// Taken from the connection.
    pub received: Option<PointStatus>,
    /// In the mirror, on the disk.
    pub durable: Option<PointStatus>,
    /// Visible to readers.
    pub applied: Option<PointStatus>,
    /// Commits behind the source.
    pub lag_commits: Option<u64>,
    /// Time behind the source.
    pub lag_seconds: Option<Micros>,
    /// Why nothing is applied, if so.
    pub suspended: Option<String>,
}

/// A point of the log with its commit.
#[derive(Debug, Clone, Serialize)]
pub struct PointStatus {
    /// Where.
    pub position: Shown<Position>,
    /// Newest commit up to there.
    pub commit: u64,
    /// Its time.
    pub time: Time,
}

impl Display for PointStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (position, commit, time) = (&self.position, self.commit, &self.time);
        write!(f, "{position}  commit {commit}  ({time})")
    }
}

impl From<&Progress> for PointStatus {
    fn from(progress: &Progress) -> Self {
        Self {
            position: Shown(progress.point.position),
            commit: progress.commit.get(),
            time: Time(progress.time),
        }
    }
}

/// A slave as its master knows it by the note that dbrepl keeps.
#[derive(Debug, Clone, Serialize)]
pub struct SlaveStanding {
    /// Its instance.
    pub slave: String,
    /// Where it is.
    pub address: String,
    /// When it was last heard of.
    pub last_heard_of: Time,
    /// What it has on its disk.
    pub durable: Shown<Position>,
    /// What its readers see.
    pub applied: Shown<Position>,
    /// Bytes of log behind; unknown where its segment is gone here.
    pub lag_in_bytes: Option<u64>,
    /// Commits behind.
    pub lag_in_commits: Option<u64>,
    /// Time behind.
    pub lag_in_seconds: Option<Micros>,
}

impl Status {
    /// Of this environment, now.
    pub fn of(environment: &Environment) -> Result<Self, EngineError> {
        let core = environment.core();
        Ok(Self {
            role: role_word(environment.role()),
            instance: core.config().server.instance.clone(),
            version: env!("CARGO_PKG_VERSION"),
            environment: core.id().map(Shown),
            data_directory: core.config().server.data_dir.clone(),
            databases: core.databases().count(),
            sessions: core.sessions().count(),
            dirty_bytes: core.dirty_bytes(),
            redo_position: core.redo().map(|redo| Shown(redo.point.position)),
            forward_log: LogStatus::of(environment)?,
            space: core.space().into_iter().map(SpaceStatus::from).collect(),
            replication: SlaveStatus::of(environment),
        })
    }
}

impl From<Space> for SpaceStatus {
    fn from(space: Space) -> Self {
        Self {
            low: space.is_low(),
            what: space.what,
            directory: space.directory,
            free_bytes: space.free,
            size_bytes: space.size,
        }
    }
}

impl LogStatus {
    /// Of this environment, now.
    pub fn of(environment: &Environment) -> Result<Self, EngineError> {
        let core = environment.core();
        let location = core.log_location()?;
        let durable = match environment.slave() {
            None => environment.durable().map(|d| (d.point.position, d.time)),
            Some(slave) => slave.progress().durable.map(|d| (d.point.position, d.time)),
        };
        let trouble = environment.log_trouble();
        Ok(Self {
            enabled: core.log_place() == LogPlace::ForwardLog,
            segment: durable.map(|(position, _)| location.naming.file_name(position.segment)),
            position: durable.map(|(position, _)| Shown(position)),
            durable_at: durable.map(|(_, time)| Time(time)),
            trouble_since: trouble.as_ref().map(|trouble| Time(trouble.since)),
            trouble: trouble.map(|trouble| trouble.text),
            // The rest is worth showing where this can't be told, and then most of all.
            kept: LogDirectory::scan(&location)
                .map(|directory| KeptSegments::of(&directory))
                .map_err(|error| error.to_string()),
            directory: location.directory,
        })
    }
}

impl KeptSegments {
    fn of(directory: &LogDirectory) -> Self {
        let segments = directory.segments();
        let first = segments.last().and_then(|newest| {
            let same = |s: &&SegmentInfo| s.id.generation == newest.id.generation;
            segments.iter().find(same)
        });
        Self {
            generation_since: first.map(|segment| Time(segment.header.created)),
            segments: segments.len(),
            bytes: segments.iter().map(|segment| segment.file_length).sum(),
            damaged: directory
                .damaged()
                .iter()
                .map(|damaged| damaged.error.to_string())
                .collect(),
        }
    }
}

impl SlaveStatus {
    /// Of this environment, if it is a slave.
    pub fn of(environment: &Environment) -> Option<Self> {
        Some(Self::from(environment.slave()?.progress()))
    }
}

impl From<SlaveProgress> for SlaveStatus {
    fn from(progress: SlaveProgress) -> Self {
        let lag = progress
            .source_durable
            .as_ref()
            .zip(progress.applied.as_ref());
        Self {
            connected: progress.source.is_some(),
            lag_commits: lag
                .map(|(source, applied)| source.commit.get().saturating_sub(applied.commit.get())),
            lag_seconds: lag.map(|(source, applied)| {
                Micros(source.time.micros().saturating_sub(applied.time.micros()))
            }),
            source: progress.source.map(|source| source.instance),
            received: progress.received.as_ref().map(PointStatus::from),
            durable: progress.durable.as_ref().map(PointStatus::from),
            applied: progress.applied.as_ref().map(PointStatus::from),
            suspended: progress.suspended,
        }
    }
}

impl SlaveStanding {
    /// Each slave that dbrepl has told a master of, sorted by instance.
    pub fn all(environment: &Environment) -> Result<Vec<Self>, EngineError> {
        let location = environment.core().log_location()?;
        let directory = LogDirectory::scan(&location)
            .map_err(|error| EngineError::Corrupt(error.to_string()))?;
        let durable = environment.durable();
        let reports = reports(&location.directory)?;
        Ok(reports
            .into_iter()
            .map(|report| Self::from_report(report, durable.as_ref(), &directory))
            .collect())
    }

    fn from_report(
        report: SlaveReport,
        durable: Option<&Durable>,
        directory: &LogDirectory,
    ) -> Self {
        let segment = directory.get(report.durable.segment);
        // The slave has said so, and nobody has checked it.
        let at = segment.map(|it| it.header.log_bytes.saturating_add(report.durable.offset));
        let commits = durable.map(|it| it.commit.get().saturating_sub(report.commit.get()));
        let behind = |it: &Durable| it.time.micros().saturating_sub(report.commit_time.micros());
        Self {
            lag_in_bytes: durable
                .zip(at)
                .map(|(it, at)| it.log_bytes.saturating_sub(at)),
            lag_in_seconds: durable
                .zip(commits)
                .map(|(it, commits)| Micros(if commits == 0 { 0 } else { behind(it) })),
            lag_in_commits: commits,
            slave: report.instance,
            address: report.address,
            last_heard_of: Time(report.reported),
            durable: Shown(report.durable),
            applied: Shown(report.applied),
        }
    }
}

fn reports(directory: &Path) -> Result<Vec<SlaveReport>, EngineError> {
    let failed = |error: &io::Error| EngineError::file("read", directory, error);
    let mut reports = Vec::new();
    for entry in fs::read_dir(directory).map_err(|error| failed(&error))? {
        let entry = entry.map_err(|error| failed(&error))?;
        let name = entry.file_name();
        if name.to_str().is_some_and(SlaveReport::is_file_name) {
            let bytes = fs::read(entry.path()).map_err(|error| failed(&error))?;
            reports.extend(SlaveReport::decode(&bytes));
        }
    }
    reports.sort_by(|a, b| a.instance.cmp(&b.instance));
    Ok(reports)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_times_by_rfc_3339_numbers_and_nulls() {
        let progress = Progress {
            point: fwlog::LogPoint {
                position: "1-2:128".parse().unwrap(),
                hash: fwlog::ChainHash::ZERO,
            },
            commit: fwlog::CommitNumber::new(7),
            time: Timestamp::from_micros(1_145_386_457_123_000),
        };
        let ahead = Progress {
            commit: fwlog::CommitNumber::new(9),
            time: Timestamp::from_micros(1_145_386_458_373_000),
            ..progress
        };
        let status = SlaveStatus::from(SlaveProgress {
            applied: Some(progress),
            source_durable: Some(ahead),
            ..SlaveProgress::default()
        });
        let json = serde_json::to_string(&status).unwrap();
        assert_eq!(
            json,
            "{\"connected\":false,\"source\":null,\"received\":null,\"durable\":null,\
             \"applied\":{\"position\":\"1-2:128\",\"commit\":7,\"time\":\"2006-04-18T18:54:17.123Z\"},\
             \"lag_commits\":2,\"lag_seconds\":1.25,\"suspended\":null}"
        );
    }
}
