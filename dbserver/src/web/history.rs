//! How far slaves have been behind in the last hour.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fwlog::Timestamp;
use serde::{Serialize, Serializer};

use crate::environment::replication_status::ReplicationStatus;
use crate::environment::status::{Micros, Time};
use crate::web::Shared;

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(10);

/// What is kept, and shown: an hour.
pub(super) const SPAN: Duration = Duration::from_hours(1);

/// Slaves that are remembered; a master has a few.
const MAX_SLAVES: usize = 64;

/// How far one was behind at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sample {
    /// When.
    pub(super) time: Timestamp,
    /// `None`: nobody could know.
    pub(super) lag: Option<Micros>,
}

impl Serialize for Sample {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (Time(self.time), self.lag).serialize(serializer)
    }
}

/// The samples of a slave, the oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct LagHistory {
    /// Its instance.
    pub(super) slave: String,
    /// Pairs of time and seconds.
    pub(super) samples: Vec<Sample>,
}

/// The samples of all slaves.
#[derive(Debug, Default)]
pub(super) struct History(Mutex<BTreeMap<String, VecDeque<Sample>>>);

impl History {
    /// How they stand now. What is older than [`SPAN`] is forgotten, and slaves of which nothing is younger.
    fn note(&self, now: Timestamp, slaves: &[ReplicationStatus]) {
        let oldest = now.micros().saturating_sub(micros(SPAN));
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for slave in slaves {
            if !all.contains_key(&slave.slave) && all.len() >= MAX_SLAVES {
                continue;
            }
            let samples = all.entry(slave.slave.clone()).or_default();
            // Of a clock that was set back only what is behind the present is shown.
            while samples.back().is_some_and(|last| last.time > now) {
                samples.pop_back();
            }
            samples.push_back(Sample {
                time: now,
                lag: slave.lag_in_seconds,
            });
        }
        for samples in all.values_mut() {
            while samples
                .front()
                .is_some_and(|first| first.time.micros() < oldest)
            {
                samples.pop_front();
            }
        }
        all.retain(|_, samples| !samples.is_empty());
    }

    /// All of them.
    pub(super) fn all(&self) -> Vec<LagHistory> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter()
            .map(|(slave, samples)| LagHistory {
                slave: slave.clone(),
                samples: samples.iter().copied().collect(),
            })
            .collect()
    }
}

/// Takes samples until the future is dropped.
pub(super) async fn sample(shared: Arc<Shared>) {
    shared.opened.notified().await;
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let work = Arc::clone(&shared);
        let taken = tokio::task::spawn_blocking(move || {
            let Some(served) = work.served.get() else {
                return;
            };
            match ReplicationStatus::all(&served.environment) {
                Ok(slaves) => work.history.note(Timestamp::now(), &slaves),
                // The page says so to whoever looks.
                Err(error) => tracing::debug!(%error, "how far slaves are behind is not known"),
            }
        });
        if let Err(error) = taken.await {
            tracing::error!(%error, "how far slaves are behind could not be looked at");
        }
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use dbproto::Standing;

    use super::*;

    fn slave(name: &str, lag: u64) -> ReplicationStatus {
        ReplicationStatus {
            lag_in_seconds: Some(Micros(lag)),
            ..ReplicationStatus::sample(name, Standing::Following)
        }
    }

    fn at(second: u64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000)
    }

    #[test]
    fn an_hour_is_kept_of_each_slave_and_nothing_of_one_that_is_gone() {
        let history = History::default();
        for second in (0..10_000).step_by(10) {
            let mut slaves = vec![slave("a", second)];
            if second < 3_000 {
                slaves.push(slave("b", 1));
            }
            history.note(at(second), &slaves);
        }
        let all = history.all();
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].slave, "a");
        assert_eq!(all[0].samples.len(), 361);
        assert_eq!(all[0].samples[0].time, at(6_390));
    }

    #[test]
    fn a_clock_that_was_set_back_shows_no_future() {
        let history = History::default();
        for second in [100, 110, 120, 105] {
            history.note(at(second), &[slave("a", 1)]);
        }
        let times: Vec<_> = history.all()[0].samples.iter().map(|it| it.time).collect();
        assert_eq!(times, [at(100), at(105)]);
    }

    #[test]
    fn slaves_without_end_are_not_remembered() {
        let history = History::default();
        let many: Vec<_> = (0..1000)
            .map(|number| slave(&format!("s{number:04}"), 1))
            .collect();
        history.note(at(1), &many);
        assert_eq!(history.all().len(), MAX_SLAVES);
    }
}
