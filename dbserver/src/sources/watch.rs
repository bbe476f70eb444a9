//! Which archives lack something for longer than `WarnBehind`: told once, and once when that is over.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use dbconfig::Config;
use dbproto::managed::Backlog;
use fwlog::Timestamp;

use crate::sources::source::Standing;
use crate::sources::supervisor::Now;

/// What is known of an archive.
#[derive(Debug, Clone, Copy)]
struct Seen {
    /// When it had all.
    complete: Instant,
    told: bool,
}

/// Watches the archives of the configuration.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// By the name of the source; zero: not watched.
    limits: BTreeMap<String, Duration>,
    seen: BTreeMap<String, Seen>,
}

/// What is worth a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum News {
    /// It lacks something for so long, and why, where that is known.
    Behind(String, Duration, Option<String>),
    /// It has all again.
    Complete(String),
}

impl News {
    pub(super) fn tell(&self) {
        match self {
            Self::Behind(name, time, why) => {
                let why = why
                    .as_ref()
                    .map_or_else(String::new, |why| format!(": {why}"));
                tracing::warn!(
                    "{name} lacks something since {} s (WarnBehind){why}; 'dbctl source list' shows how it stands",
                    time.as_secs()
                );
            }
            Self::Complete(name) => tracing::info!("{name} has all of the log again"),
        }
    }
}

impl Watch {
    pub(super) fn new(config: &Config) -> Self {
        let mut watch = Self::default();
        watch.adopt(config);
        watch
    }

    /// The configuration was read again.
    pub(super) fn adopt(&mut self, config: &Config) {
        let limits = config.archives.iter();
        self.limits = limits
            .map(|it| (it.among_slaves(), it.warn_behind))
            .collect();
        self.seen.retain(|name, _| self.limits.contains_key(name));
    }

    /// So all sources stand now.
    pub(super) fn look(&mut self, standings: &[Standing], at: Now) -> Vec<News> {
        let now = at.instant;
        let mut news = Vec::new();
        for standing in standings {
            let name = &standing.definition.name;
            let Some(limit) = self.limits.get(name).filter(|limit| !limit.is_zero()) else {
                continue;
            };
            let first = Seen {
                complete: now,
                told: false,
            };
            let seen = self.seen.entry(name.clone()).or_insert(first);
            // What is told of a process that is gone says nothing of now.
            let backlog = standing.backlog.filter(|_| standing.process.is_some());
            let age = backlog.and_then(|(backlog, _)| age(&backlog, at.time));
            let complete = age.and_then(|age| now.checked_sub(age));
            seen.complete = complete.map_or(seen.complete, |it| it.max(seen.complete));
            if now.duration_since(seen.complete) <= *limit {
                if std::mem::take(&mut seen.told) {
                    news.push(News::Complete(name.clone()));
                }
            } else if !seen.told {
                seen.told = true;
                let behind = now.duration_since(seen.complete);
                news.push(News::Behind(name.clone(), behind, standing.reason.clone()));
            }
        }
        news
    }
}

/// How long ago it had all; a log that grows all the time is never archived to its very end.
fn age(backlog: &Backlog, now: Timestamp) -> Option<Duration> {
    if backlog.up_to_date {
        return Some(Duration::ZERO);
    }
    let archived = backlog.durable?.time;
    let age = now.micros().saturating_sub(archived.micros());
    Some(Duration::from_micros(age))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use dbproto::managed::{Reached, TaskState};
    use fwlog::CommitNumber;

    use super::*;
    use crate::sources::definition::Definition;
    use crate::sources::source::State;

    /// Archived up to so many seconds.
    fn standing(up_to_date: bool, archived: u64) -> [Standing; 1] {
        let backlog = Backlog {
            sent: None,
            durable: Some(Reached {
                position: "1-1:0".parse().unwrap(),
                commit: CommitNumber::new(1),
                time: Timestamp::from_micros(archived * 1_000_000),
            }),
            applied: None,
            up_to_date,
        };
        [Standing {
            definition: Definition::new("archive.far", "s3://b/x"),
            state: State::Task(TaskState::Shipping),
            since: Timestamp::ZERO,
            reason: None,
            process: Some(7),
            backlog: Some((backlog, Timestamp::ZERO)),
        }]
    }

    #[test]
    fn an_archive_that_lacks_something_is_told_of_once_and_once_when_that_is_over() {
        let text = "[Server]\nDataDir = /d\n[ForwardLog]\nFwLog = l/fw-%N\n[Archive far]\nUrl = s3://b/x\nWarnBehind = 1m\n";
        let config = Config::parse(Path::new("/x.cfg"), text).unwrap();
        let mut watch = Watch::new(&config);
        let begin = Instant::now();
        let at = |seconds| Now {
            instant: begin + Duration::from_secs(seconds),
            time: Timestamp::from_micros((1000 + seconds) * 1_000_000),
        };
        assert_eq!(watch.look(&standing(true, 0), at(0)), []);
        assert_eq!(watch.look(&standing(false, 0), at(60)), []);
        let name = "archive.far".to_owned();
        let late = News::Behind(name.clone(), Duration::from_secs(61), None);
        assert_eq!(watch.look(&standing(false, 0), at(61)), [late]);
        assert_eq!(watch.look(&standing(false, 0), at(600)), []);
        let complete = News::Complete(name);
        assert_eq!(watch.look(&standing(false, 1599), at(601)), [complete]);
        assert_eq!(watch.look(&standing(false, 2000), at(1010)), []);
    }
}
