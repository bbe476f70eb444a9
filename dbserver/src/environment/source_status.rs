//! How the sources of a server stand, and how far their slaves are.

use std::path::PathBuf;

use dbproto::managed::{Reached, TaskState};
use dbproto::{SILENT, SlaveReport};
use fwlog::{LogDirectory, Timestamp};
use pgtypes::SqlState;
use serde::Serialize;

use crate::environment::replication_status::{bytes_up_to, forward_log, micros};
use crate::environment::report_standing::apart;
use crate::environment::slave_notes::reports;
use crate::environment::state::Environment;
use crate::environment::status::{Micros, Shown, Time};
use crate::error::EngineError;
use crate::sources::{Standing, State, Wish, refusal};

/// A source, as `source list` shows it.
#[derive(Debug, Clone, Serialize)]
pub struct SourceStatus {
    /// Name of the slave's instance.
    pub source: String,
    /// Where it is.
    pub address: String,
    /// stopped, passive, connecting, meeting, shipping, standby, refused, waiting; or by hand.
    pub state: &'static str,
    /// Since when.
    pub since: Time,
    /// Why.
    pub reason: Option<String>,
    /// The dbrepl that it runs in.
    pub process: Option<u32>,
    /// It stands in the configuration.
    pub configured: bool,
    /// Where lines about it go; none = the log of the server.
    pub log_file: Option<PathBuf>,
    /// Statistics are on.
    pub statistics: bool,
    /// How the slave is reached; none = as `SourcesConfig` says.
    pub connect_params: Option<String>,
    /// What a monitor makes of it.
    #[serde(skip)]
    pub health: Health,
}

/// What a monitor makes of a source: the exit codes of `source checkhealth`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// The slave is fed; or the source is passive, or stands by, as it is to be.
    Good = 0,
    /// It does not run.
    NotRunning = 1,
    /// It runs, and has no connection.
    NotConnected = 3,
    /// It was given up.
    Refused = 5,
}

impl Health {
    /// The exit code.
    pub fn code(self) -> u8 {
        self as u8
    }

    fn of(state: State) -> Self {
        match state {
            State::Passive | State::Task(TaskState::Shipping | TaskState::Standby) => Self::Good,
            State::Stopped | State::NoProcess | State::Task(TaskState::Ended) => Self::NotRunning,
            State::Task(TaskState::Connecting | TaskState::Meeting | TaskState::Waiting) => {
                Self::NotConnected
            }
            State::Refused | State::Task(TaskState::Refused) => Self::Refused,
        }
    }
}

impl SourceStatus {
    /// The sources that this server runs, and those that somebody has started by hand, by name.
    pub fn all(environment: &Environment) -> Result<Vec<Self>, EngineError> {
        let standings = environment.core().sources().standings();
        let is_root = environment.slave().is_none();
        let seen = standings.into_iter().map(|it| as_seen(it, is_root));
        let mut all: Vec<Self> = seen.map(Self::of).collect();
        for report in started_by_hand(environment)? {
            let of_that = |it: &&mut Self| it.source == report.instance;
            if let Some(known) = all.iter_mut().find(of_that) {
                // A source that rests has its place taken.
                if known.state == "stopped" {
                    known.reason = Some(format!(
                        "a dbrepl that was started by hand feeds it at {}",
                        report.address
                    ));
                }
            } else {
                all.push(Self::by_hand(report));
            }
        }
        all.sort_by(|a, b| a.source.cmp(&b.source));
        Ok(all)
    }

    fn of(standing: Standing) -> Self {
        let definition = standing.definition;
        Self {
            health: Health::of(standing.state),
            source: definition.name,
            address: definition.address,
            state: standing.state.as_str(),
            since: Time(standing.since),
            reason: standing.reason,
            process: standing.process,
            configured: definition.configured,
            log_file: definition.log_file,
            statistics: definition.stats.is_some(),
            connect_params: definition.connect,
        }
    }

    fn by_hand(report: SlaveReport) -> Self {
        Self {
            source: report.instance,
            address: report.address,
            state: "by hand",
            since: Time(report.since),
            reason: Some("its dbrepl was started by hand, and takes no commands".to_owned()),
            process: None,
            configured: false,
            log_file: None,
            statistics: false,
            connect_params: None,
            health: Health::Good,
        }
    }
}

/// A slave waits for the role of the root that it feeds once the two have changed places; a root has nobody to wait for.
fn as_seen(standing: Standing, is_root: bool) -> Standing {
    if !is_root || standing.state != State::Task(TaskState::Standby) {
        return standing;
    }
    let name = &standing.definition.name;
    let why = format!(
        "{name} is a root, and so is this server; give it Role = Slave, or the source the address of a slave"
    );
    Standing {
        state: State::Task(TaskState::Waiting),
        reason: Some(why),
        ..standing
    }
}

/// The slaves that a dbrepl feeds at this moment which this server does not run.
fn started_by_hand(environment: &Environment) -> Result<Vec<SlaveReport>, EngineError> {
    let Some(location) = forward_log(environment)? else {
        return Ok(Vec::new());
    };
    let core = environment.core();
    let now = core.host().clock.now();
    let standings = core.sources().standings();
    let is_ours = |report: &SlaveReport| {
        let mut runs = standings
            .iter()
            .filter(|it| it.definition.wish == Wish::Ship);
        runs.any(|it| {
            it.definition.name == report.instance
                || SlaveReport::address_of(&it.definition.address) == report.address
        })
    };
    let notes = reports(&location)?.into_iter().map(|(_, report)| report);
    let fed = notes.filter(|report| {
        report.standing.is_connected() && apart(now, report.written) <= micros(SILENT)
    });
    Ok(fed.filter(|report| !is_ours(report)).collect())
}

/// Why a command about this source is refused, where a dbrepl that was started by hand is the reason.
pub(crate) fn with_reason(
    environment: &Environment,
    name: &str,
    error: EngineError,
) -> EngineError {
    let EngineError::Source { state, .. } = &error else {
        return error;
    };
    if !matches!(
        *state,
        SqlState::SOURCE_UNKNOWN | SqlState::SOURCE_DOES_NOT_RUN
    ) {
        return error;
    }
    // Where the notes can't be read, the refusal is true all the same.
    let fed = started_by_hand(environment).unwrap_or_default();
    match fed.into_iter().find(|report| report.instance == name) {
        Some(report) => refusal::by_hand(name, &report.address),
        None => error,
    }
}

/// How far a slave is, at one of the three places.
#[derive(Debug, Clone, Serialize)]
pub struct BacklogStatus {
    /// Name of the slave's instance.
    pub source: String,
    /// sent, durable or applied.
    pub place: &'static str,
    /// Up to there.
    pub position: Option<Shown<fwlog::Position>>,
    /// The newest commit up to there.
    pub commit: Option<u64>,
    /// Bytes of the durable log behind it.
    pub bytes: Option<u64>,
    /// Commits behind it.
    pub commits: Option<u64>,
    /// How old what is there is, where it is not all.
    pub seconds: Option<Micros>,
    /// When the slave was last heard of.
    pub last_heard_of: Option<Time>,
}

/// What a slave is known to have, and since when.
struct Known {
    source: String,
    places: [(&'static str, Option<Reached>); 3],
    heard: Option<Timestamp>,
}

impl BacklogStatus {
    /// Of one source, or of all: as its dbrepl has told last, else as the note beside the log has it.
    pub fn of(environment: &Environment, name: Option<&str>) -> Result<Vec<Self>, EngineError> {
        let standings = environment.core().sources().standings();
        let is_meant = |known: &str| name.is_none_or(|name| name == known);
        let location = forward_log(environment)?;
        let notes = match &location {
            Some(location) => reports(location)?,
            None => Vec::new(),
        };
        let notes: Vec<SlaveReport> = notes.into_iter().map(|(_, report)| report).collect();
        let mut known: Vec<Known> = standings
            .iter()
            .filter(|it| is_meant(&it.definition.name))
            .map(|it| Known::of(it, &notes))
            .collect();
        let by_hand = started_by_hand(environment)?.into_iter();
        let others = by_hand.filter(|it| {
            is_meant(&it.instance) && !known.iter().any(|known| known.source == it.instance)
        });
        let others: Vec<Known> = others.map(|report| Known::of_note(&report)).collect();
        known.extend(others);
        if let (Some(name), true) = (name, known.is_empty()) {
            return Err(refusal::unknown(name));
        }
        let end = End::of(environment, location.as_ref())?;
        let rows = known.iter().flat_map(|known| end.rows(known));
        Ok(rows.collect())
    }
}

impl Known {
    fn of(standing: &Standing, notes: &[SlaveReport]) -> Self {
        let name = &standing.definition.name;
        if let Some((backlog, heard)) = standing.backlog {
            return Self {
                source: name.clone(),
                places: [
                    ("sent", backlog.sent),
                    ("durable", backlog.durable),
                    ("applied", backlog.applied),
                ],
                heard: Some(heard),
            };
        }
        match notes.iter().find(|note| note.instance == *name) {
            Some(note) => Self::of_note(note),
            None => Self {
                source: name.clone(),
                places: [("sent", None), ("durable", None), ("applied", None)],
                heard: None,
            },
        }
    }

    fn of_note(note: &SlaveReport) -> Self {
        Self {
            source: note.instance.clone(),
            places: [
                ("sent", None),
                ("durable", note.durable.map(Reached::from)),
                ("applied", note.applied.map(Reached::from)),
            ],
            heard: (note.heard != Timestamp::ZERO).then_some(note.heard),
        }
    }
}

/// Where the log of this server ends.
struct End {
    now: Timestamp,
    directory: Option<LogDirectory>,
    bytes: Option<u64>,
    commit: Option<u64>,
}

impl End {
    fn of(
        environment: &Environment,
        location: Option<&fwlog::LogLocation>,
    ) -> Result<Self, EngineError> {
        let directory = location.map(LogDirectory::scan).transpose();
        let directory = directory.map_err(|error| EngineError::Corrupt(error.to_string()))?;
        let written = environment
            .durable()
            .map(|it| (it.commit, it.point.position));
        let mirrored = || {
            let durable = environment.slave()?.progress().durable?;
            Some((durable.commit, durable.point.position))
        };
        let end = written.or_else(mirrored);
        let bytes = end.and_then(|(_, at)| bytes_up_to(directory.as_ref()?, at));
        Ok(Self {
            now: environment.core().host().clock.now(),
            directory,
            bytes,
            commit: end.map(|(commit, _)| commit.get()),
        })
    }

    fn rows(&self, known: &Known) -> Vec<BacklogStatus> {
        let rows = known.places.iter().map(|(place, reached)| {
            let has = reached.map(|it| it.commit.get());
            let commits = self.commit.zip(has);
            let commits = commits.map(|(end, has)| end.saturating_sub(has));
            let up_to = reached.and_then(|it| bytes_up_to(self.directory.as_ref()?, it.position));
            let age = reached.map(|it| match commits {
                Some(0) => 0,
                _ => self.now.micros().saturating_sub(it.time.micros()),
            });
            BacklogStatus {
                source: known.source.clone(),
                place,
                position: reached.map(|it| Shown(it.position)),
                commit: has,
                bytes: self
                    .bytes
                    .zip(up_to)
                    .map(|(end, has)| end.saturating_sub(has)),
                commits,
                seconds: age.map(Micros),
                last_heard_of: known.heard.map(Time),
            }
        });
        rows.collect()
    }
}
