//! What a server is and how it does, as values: tables for people and JSON are rendered from these.

use std::fmt::{self, Display};
use std::path::PathBuf;

use dbproto::Progress;
use fwlog::{Durable, LogDirectory, Position, SegmentInfo, Timestamp};
use serde::{Serialize, Serializer};

use crate::databases::control::{LogPlace, role_word};
use crate::environment::backup_mode_status::BackupModeStatus;
use crate::environment::cut::CutStatus;
use crate::environment::partial::Partial;
use crate::environment::replication_status::{ReplicationStatus, bytes_up_to};
use crate::environment::scrub::ScrubStatus;
use crate::environment::slave_notes::damage_met;
use crate::environment::space::Space;
use crate::environment::state::Environment;
use crate::environment::tree::TreeSummary;
use crate::error::EngineError;

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

/// A point in time, shown as `YYYY-MM-DD HH:MM:SS.mmmZ`; RFC 3339 in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time(pub Timestamp);

impl Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.to_string().replace(' ', "T"))
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
    /// By whom it was left behind as the root, where, and what is lost; `None` where it was not, or follows that one.
    pub fenced: Option<String>,
    /// Why it does not write though it is the root, or what was wrong when its peers were asked.
    pub start_guard: Option<String>,
    /// Which other instance is the root, too, and what to do about it.
    pub two_roots: Option<String>,
    /// That an operator keeps out whoever wants to write.
    pub read_only: Option<String>,
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
    /// The databases that are not replicated; `None` where there are none.
    pub local: Option<LocalStatus>,
    /// Which ones a slave leaves out; `None` where it leaves out none.
    pub partial: Option<Partial>,
    /// How many sessions there are.
    pub sessions: usize,
    /// Bytes of pages that are not in the data files.
    pub dirty_bytes: u64,
    /// Where redo would start.
    pub redo_position: Option<Shown<Position>>,
    /// The forward log.
    pub forward_log: LogStatus,
    /// Why the last checkpoint failed, if it did.
    pub checkpoint_trouble: Option<String>,
    /// Since when none has succeeded.
    pub checkpoint_trouble_since: Option<Time>,
    /// Which data files are gone, and what that means.
    pub data_trouble: Option<String>,
    /// Since when.
    pub data_trouble_since: Option<Time>,
    /// Pages of data files that were repaired since the start.
    pub repaired_pages: u64,
    /// When the last one was.
    pub repaired_at: Option<Time>,
    /// How far the data files are looked through for damage.
    pub scrub: Option<ScrubStatus>,
    /// When the server stops, as an operator has asked for.
    pub stop_scheduled: Option<Time>,
    /// Room on the disks.
    pub space: Vec<SpaceStatus>,
    /// The cuts that somebody copies from.
    pub cuts: Vec<CutStatus>,
    /// The backup mode; `None`: there was none since the start.
    pub backup_mode: Option<BackupModeStatus>,
    /// Replication: on a slave its own, else that of each slave.
    pub replication: Vec<ReplicationStatus>,
    /// Where this instance is in the tree of instances.
    pub tree: TreeSummary,
}

/// The databases of this server alone.
#[derive(Debug, Clone, Serialize)]
pub struct LocalStatus {
    /// How many there are.
    pub databases: usize,
    /// Bytes of pages that are not in their data files.
    pub dirty_bytes: u64,
    /// What is wrong with their log, their checkpoints or their data files.
    pub trouble: Option<String>,
}

impl LocalStatus {
    fn of(environment: &Environment, local: &Environment) -> Self {
        let log = local.log_trouble().map(|trouble| trouble.text);
        let checkpoint = local.checkpoint_trouble().map(|trouble| trouble.text);
        let data = local.core().data_trouble().map(|trouble| trouble.text);
        Self {
            databases: environment.local_databases().len(),
            dirty_bytes: local.core().dirty_bytes(),
            trouble: log.or(data).or(checkpoint),
        }
    }
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
    /// A slave's are from the master's next one on.
    pub begins_with_next_segment: bool,
    /// Where the segments are.
    pub directory: PathBuf,
    /// File name of the newest one.
    pub segment: Option<String>,
    /// The durable end.
    pub position: Option<Shown<Position>>,
    /// Time of the last block there.
    pub durable_at: Option<Time>,
    /// Bytes of log up to there, since the environment was made.
    pub log_bytes: Option<u64>,
    /// What is wrong with the log, and what it means.
    pub trouble: Option<String>,
    /// Since when.
    pub trouble_since: Option<Time>,
    /// What is kept, where that can be told.
    pub kept: Option<KeptSegments>,
    /// Why it can't be told.
    pub kept_error: Option<String>,
    /// The segments have audit records alone; commits are in the journal.
    pub audit_only: bool,
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

impl Status {
    /// Of this environment, now.
    pub fn of(environment: &Environment) -> Result<Self, EngineError> {
        let core = environment.core();
        let checkpoints = environment.checkpoint_trouble();
        let data = core.data_trouble();
        Ok(Self {
            role: role_word(environment.role()),
            fenced: environment.fenced_in_words(),
            start_guard: environment.paused_in_words(),
            two_roots: environment.two_roots_in_words(),
            read_only: environment.kept_out_in_words(),
            instance: core.config().server.instance.clone(),
            version: env!("CARGO_PKG_VERSION"),
            environment: core.id().map(Shown),
            data_directory: core.config().server.data_dir.clone(),
            databases: core.databases().count(),
            partial: core.partial(),
            local: environment
                .local()
                .map(|local| LocalStatus::of(environment, local)),
            sessions: core.sessions().count(),
            dirty_bytes: core.dirty_bytes(),
            redo_position: core.redo().map(|redo| Shown(redo.point.position)),
            forward_log: LogStatus::of(environment)?,
            checkpoint_trouble_since: checkpoints.as_ref().map(|trouble| Time(trouble.since)),
            checkpoint_trouble: checkpoints.map(|trouble| trouble.text),
            data_trouble_since: data.as_ref().map(|trouble| Time(trouble.since)),
            data_trouble: data.map(|trouble| trouble.text),
            repaired_pages: core.repairs().mended.get(),
            repaired_at: core.repairs().last().map(Time),
            scrub: core.scrub().status(),
            stop_scheduled: environment.shutdown_request().due_in().map(|wait| {
                let wait = u64::try_from(wait.as_micros()).unwrap_or(u64::MAX);
                let now = core.host().clock.now().micros();
                Time(Timestamp::from_micros(now.saturating_add(wait)))
            }),
            cuts: core.cuts().list(),
            backup_mode: BackupModeStatus::of(environment),
            space: core.space().into_iter().map(SpaceStatus::from).collect(),
            replication: ReplicationStatus::all(environment)?,
            tree: TreeSummary::of(environment),
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
        let audit = core.audit_log().map(|audit| audit.standing());
        let location = match audit {
            None => core.log_location()?,
            Some(_) => core.audit_location()?,
        };
        let point = |d: Durable| (d.point.position, d.time);
        let durable = match environment.slave() {
            None if audit.is_some() => audit.and_then(|audit| audit.durable).map(point),
            None => environment.durable().map(point),
            Some(slave) => slave.progress().durable.map(|d| (d.point.position, d.time)),
        };
        let trouble = environment.log_trouble();
        let trouble = trouble.map(|trouble| (trouble.since, trouble.text));
        let trouble = trouble.or_else(|| match environment.slave() {
            None => damage_met(&location).unwrap_or_default(),
            Some(_) => None,
        });
        // The rest is worth showing where this can't be told, and then most of all.
        let (kept, kept_error, log_bytes) = match LogDirectory::scan(&location) {
            Ok(directory) => {
                let end = durable.and_then(|(position, _)| bytes_up_to(&directory, position));
                (Some(KeptSegments::of(&directory)), None, end)
            }
            Err(error) => (None, Some(error.to_string()), None),
        };
        let is_written = match audit {
            None => core.log_place() == LogPlace::ForwardLog,
            Some(audit) => !audit.given_up,
        };
        let slave = environment.slave();
        let is_awaited = !is_written && slave.is_some_and(|slave| slave.log().wants_forward_log());
        Ok(Self {
            enabled: is_written || is_awaited,
            audit_only: audit.is_some(),
            begins_with_next_segment: is_awaited,
            segment: durable.map(|(position, _)| location.naming.file_name(position.segment)),
            position: durable.map(|(position, _)| Shown(position)),
            durable_at: durable.map(|(_, time)| Time(time)),
            log_bytes,
            trouble_since: trouble.as_ref().map(|(since, _)| Time(*since)),
            trouble: trouble.map(|(_, text)| text),
            kept,
            kept_error,
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
