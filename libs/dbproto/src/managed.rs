//! What a server and the dbrepl that it runs say to each other: one JSON object a line.
//!
//! ```text
//! server                                     dbrepl --managed
//!   Order ── its standard input ───────────▶
//!         ◀─────────── its standard output ── Report
//! ```
//! The end of its input, which comes with the end of the server however that ends, is the end of dbrepl, too. Both are
//! of one release: an unknown word is an error.

use std::fmt;
use std::path::PathBuf;

use fwlog::{CommitNumber, LogPoint, Position, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Progress;

/// One run of a source: what is still said of the run before is told from what is said of this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Run(pub u64);

/// What the server wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Order {
    /// A slave is to be fed.
    Ship(Ship),
    /// It is not any more: at once, or when it has all that is durable here, so long at most.
    Stop {
        /// Which one.
        run: Run,
        /// Why.
        because: StopReason,
        /// Milliseconds.
        at_most_ms: u64,
    },
    /// Where lines about it go; none = to the server.
    Log {
        /// Which one.
        run: Run,
        /// The file.
        file: Option<PathBuf>,
    },
    /// Whether each message and the counters are lines, too.
    Stats {
        /// Which one.
        run: Run,
        /// The wish; none = off.
        stats: Option<Stats>,
    },
    /// Whether commits of the server wait for the slave: then it is fed and heard without a pause, and what it says is told.
    Prompt {
        /// Which one.
        run: Run,
        /// The wish.
        prompt: bool,
    },
    /// The log has ended, or nothing is to be fed any more: dbrepl ends, when each slave that is fed has all, so long
    /// at most.
    Finish {
        /// Milliseconds.
        at_most_ms: u64,
    },
}

/// Why a source is to send nothing any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopReason {
    /// `source shutdown`.
    Shutdown,
    /// `source deactivate`: it is passive.
    Passive,
    /// Its slave is elsewhere by now.
    Moved,
    /// It was taken out of the configuration.
    Removed,
}

/// A slave that is to be fed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ship {
    /// The run.
    pub run: Run,
    /// The name that the slave's instance must have.
    pub name: String,
    /// Where it is, `host:service`.
    pub address: String,
    /// Where lines about it go; none = to the server.
    pub log_file: Option<PathBuf>,
    /// Statistics; none = off.
    pub stats: Option<Stats>,
    /// How it is reached, as the six numbers; none = as the options of dbrepl say.
    pub connect: Option<String>,
}

/// Statistics are on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stats {
    /// Their own file; none = where the other lines go.
    pub file: Option<PathBuf>,
}

/// What dbrepl tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Report {
    /// It takes orders.
    Ready,
    /// A source is in this state now.
    State {
        /// Which one.
        run: Run,
        /// The state.
        state: TaskState,
        /// Why, where there is something to say.
        reason: Option<String>,
    },
    /// How far a slave is.
    Backlog {
        /// Which one.
        run: Run,
        /// The three places.
        backlog: Backlog,
    },
    /// What a slave has that commits wait for.
    Acknowledged {
        /// Which one.
        run: Run,
        /// On its disk.
        durable: Proved,
        /// Visible to its readers.
        applied: Proved,
    },
    /// An order was not carried out.
    Failed {
        /// Which one.
        run: Run,
        /// Why.
        reason: String,
    },
    /// A line for the server's log.
    Line {
        /// Name of the slave that it is about; none = all.
        name: Option<String>,
        /// How grave it is.
        weight: LineWeight,
        /// The line.
        text: String,
    },
}

/// How grave a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LineWeight {
    /// It can't go on.
    Error,
    /// A change to the worse.
    Warning,
    /// A change, or progress.
    Info,
    /// For whoever looks for a mistake.
    Debug,
}

/// The state of a source as its dbrepl knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskState {
    /// It tries to reach the slave.
    Connecting,
    /// Both look for the place where the slave's log ends; or the slave gets a copy.
    Meeting,
    /// The log goes to the slave.
    Shipping,
    /// It tries again after a pause.
    Waiting,
    /// The slave is the root: it is asked again and again, and fed once it is a slave.
    Standby,
    /// It was given up: a person is needed.
    Refused,
    /// It has ended, as it was told to.
    Ended,
}

impl fmt::Display for TaskState {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Connecting => "connecting",
            Self::Meeting => "meeting",
            Self::Shipping => "shipping",
            Self::Waiting => "waiting",
            Self::Standby => "standby",
            Self::Refused => "refused",
            Self::Ended => "stopped",
        })
    }
}

/// How far a slave is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backlog {
    /// Up to there the log was sent; none = nothing was.
    pub sent: Option<Reached>,
    /// On the slave's disk.
    pub durable: Option<Reached>,
    /// Visible to the slave's readers.
    pub applied: Option<Reached>,
    /// It has all that is durable here.
    pub up_to_date: bool,
}

/// A place in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached {
    /// Where.
    pub position: Position,
    /// The newest commit before it.
    pub commit: CommitNumber,
    /// The time of the block before it.
    pub time: Timestamp,
}

/// A point of a log, as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proved(pub LogPoint);

impl Serialize for Proved {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        (self.0.position.to_string(), self.0.hash.to_string()).serialize(to)
    }
}

impl<'de> Deserialize<'de> for Proved {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (position, hash) = <(String, String)>::deserialize(from)?;
        let position = position.parse().map_err(serde::de::Error::custom)?;
        let hash = hash.parse().map_err(serde::de::Error::custom)?;
        Ok(Self(LogPoint::new(position, hash)))
    }
}

impl From<Progress> for Reached {
    fn from(progress: Progress) -> Self {
        Self {
            position: progress.point.position,
            commit: progress.commit,
            time: progress.time,
        }
    }
}

impl Serialize for Reached {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let position = self.position.to_string();
        (position, self.commit.get(), self.time.micros()).serialize(to)
    }
}

impl<'de> Deserialize<'de> for Reached {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (position, commit, time) = <(String, u64, u64)>::deserialize(from)?;
        let position = position.parse();
        Ok(Self {
            position: position.map_err(serde::de::Error::custom)?,
            commit: CommitNumber::new(commit),
            time: Timestamp::from_micros(time),
        })
    }
}

/// A message as a line, its end included.
///
/// Errors: a file name is not text.
pub fn to_line(message: &impl Serialize) -> Result<String, String> {
    let line = serde_json::to_string(message).map_err(|error| error.to_string())?;
    Ok(line + "\n")
}

/// The message of a line.
///
/// Errors: the line is none.
pub fn of_line<'de, T: Deserialize<'de>>(line: &'de str) -> Result<T, String> {
    serde_json::from_str(line).map_err(|error| format!("'{line}': {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_and_reports_read_back_from_one_line_each() {
        let run = Run(7);
        let orders = [
            Order::Ship(Ship {
                run,
                name: "west".to_owned(),
                address: "[::1]:8102".to_owned(),
                log_file: Some("/var/log/a b\n".into()),
                stats: Some(Stats::default()),
                connect: Some("5,500,5".to_owned()),
            }),
            Order::Stop {
                run,
                because: StopReason::Passive,
                at_most_ms: 30_000,
            },
            Order::Log { run, file: None },
            Order::Stats { run, stats: None },
            Order::Finish { at_most_ms: 0 },
        ];
        for order in orders {
            let line = to_line(&order).unwrap();
            assert_eq!(line.matches('\n').count(), 1, "{line}");
            assert_eq!(of_line(line.trim_end()), Ok(order));
        }
        let at = Reached {
            position: "12-3:184320".parse().unwrap(),
            commit: CommitNumber::new(70412),
            time: Timestamp::from_micros(5),
        };
        let backlog = Backlog {
            sent: Some(at),
            durable: Some(at),
            applied: None,
            up_to_date: false,
        };
        let reason = Some("no route".to_owned());
        let reports = [
            Report::Ready,
            Report::State {
                run,
                state: TaskState::Waiting,
                reason,
            },
            Report::Backlog { run, backlog },
            Report::Failed {
                run,
                reason: "x".to_owned(),
            },
            Report::Line {
                name: None,
                weight: LineWeight::Warning,
                text: "a\nb".to_owned(),
            },
        ];
        for report in reports {
            let line = to_line(&report).unwrap();
            assert_eq!(line.matches('\n').count(), 1, "{line}");
            assert_eq!(of_line(line.trim_end()), Ok(report));
        }
    }

    #[test]
    fn an_unknown_word_is_an_error() {
        for line in [
            "",
            "{}",
            "\"ready\" x",
            r#"{"halt":{}}"#,
            r#"{"finish":{"at_most_ms":1,"x":2}}"#,
        ] {
            assert!(of_line::<Order>(line).is_err(), "{line}");
        }
        assert!(of_line::<Report>(r#""Ready""#).is_err());
    }
}
