//! Each day at `VerifyAt` a slave compares all its databases with its master's, while both run: as `dbctl replication
//! verify` does it, with commands to the master, and to itself.

use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use dbconfig::{TimeOfDay, VerifyAt};
use fwlog::Timestamp;
use peers::compare::{self, Rows, Unequal, Verdict};
use tokio::time::timeout;

use crate::asking::{Access, Session};
use crate::control_plane;
use crate::environment::Environment;
use crate::environment::proof::Outcome;

/// A cut that nobody asks for anything ends in a minute; so long a master may take for an answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(50);
const DAY_MICROS: u64 = 24 * 3600 * 1_000_000;

/// Looks whether it is time.
pub(super) struct Nightly {
    looked: Timestamp,
}

impl Nightly {
    /// What was before `now` is not made up for.
    pub(super) fn new(now: Timestamp) -> Self {
        Self { looked: now }
    }

    /// Begins a comparison on a thread of its own where one is due or was asked for.
    pub(super) fn look(&mut self, environment: &Arc<Environment>) {
        let core = environment.core();
        let now = core.host().clock.now();
        let before = std::mem::replace(&mut self.looked, now);
        let Some(verify_at) = &core.config().replication.verify_at else {
            return;
        };
        if environment.slave().is_none() || core.id().is_none() {
            return;
        }
        if !core.proof().begin(is_due(verify_at.time, before, now), now) {
            return;
        }
        let (verify_at, weak) = (verify_at.clone(), Arc::downgrade(environment));
        let spawned = thread::Builder::new()
            .name("verify".into())
            .spawn(move || run(&weak, &verify_at));
        if let Err(error) = spawned {
            end(environment, Err(format!("cannot start a thread: {error}")));
        }
    }
}

/// Whether that time of a day lies behind `before`, and not behind `now`.
fn is_due(time: TimeOfDay, before: Timestamp, now: Timestamp) -> bool {
    let time = u64::try_from(time.since_midnight().as_micros()).unwrap_or(0);
    // Days that have begun at that time.
    let days = |at: Timestamp| (at.micros() + DAY_MICROS - time) / DAY_MICROS;
    days(now) > days(before)
}

fn run(weak: &Weak<Environment>, verify_at: &VerifyAt) {
    let Some(access) = weak
        .upgrade()
        .map(|environment| Access::of(environment.config()))
    else {
        return;
    };
    // The master's answers are read while this thread reads the own pages.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    let verdict = match runtime {
        Ok(runtime) => runtime.block_on(compare_with(weak, &access, verify_at)),
        Err(error) => Err(error.to_string()),
    };
    if let Some(environment) = weak.upgrade() {
        end(&environment, verdict);
    }
}

/// With the first master that can be asked.
async fn compare_with(
    weak: &Weak<Environment>,
    access: &Access,
    verify_at: &VerifyAt,
) -> Result<Verdict, String> {
    let mut reasons = Vec::new();
    for address in &verify_at.with {
        match Session::open(access, address).await {
            Ok(session) => {
                let (verdict, left_open) = compare::compare(&Master(session), &Own(weak)).await;
                for Reason(why) in left_open {
                    tracing::info!("a cut stays open for a minute: {why}");
                }
                return verdict.map_err(|Reason(why)| format!("{address}: {why}"));
            }
            Err(why) => reasons.push(format!("{address}: {why}")),
        }
    }
    Err(reasons.join("; "))
}

/// Why there is no verdict.
struct Reason(String);

impl From<Unequal> for Reason {
    fn from(unequal: Unequal) -> Self {
        Self(format!("{}; {}", unequal.message, unequal.hint))
    }
}

struct Master(Session);

async fn in_time<T>(answer: impl Future<Output = Result<T, String>>) -> Result<T, Reason> {
    let answer = timeout(ANSWER_LIMIT, answer).await;
    let answer = answer.unwrap_or_else(|_| Err("no answer in time".into()));
    answer.map_err(Reason)
}

impl compare::Server for Master {
    type Error = Reason;

    async fn ask(&self, words: &[String]) -> Result<Rows, Reason> {
        in_time(self.0.ask(words)).await
    }

    async fn ask_json(&self, words: &[String]) -> Result<String, Reason> {
        in_time(self.0.ask_json(words)).await
    }
}

/// This slave: its commands are run here. It may stop meanwhile.
struct Own<'a>(&'a Weak<Environment>);

impl Own<'_> {
    fn answer(&self, words: &[String], json: bool) -> Result<Rows, Reason> {
        let stopping = || Reason("this server stops".into());
        let environment = self.0.upgrade().ok_or_else(stopping)?;
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        control_plane::run_own(&environment, &words, json)
            .map(|table| table.rows)
            .map_err(|error| Reason(error.to_string()))
    }
}

impl compare::Server for Own<'_> {
    type Error = Reason;

    async fn ask(&self, words: &[String]) -> Result<Rows, Reason> {
        self.answer(words, false)
    }

    async fn ask_json(&self, words: &[String]) -> Result<String, Reason> {
        let rows = self.answer(words, true)?;
        let json = rows.into_iter().flatten().flatten().next();
        json.ok_or_else(|| Reason("the own answer can't be read".into()))
    }
}

/// Tells what came of it, and keeps it.
fn end(environment: &Environment, verdict: Result<Verdict, String>) {
    let outcome = verdict.map_or_else(Outcome::Failed, |verdict| outcome_of(&verdict));
    if let Outcome::Failed(why) = &outcome {
        tracing::warn!(
            "this slave could not be compared with its master: {why}; the next try is at VerifyAt, or by 'dbctl replication verify'"
        );
    }
    let core = environment.core();
    core.proof().end(outcome, core.host().clock.now());
}

fn outcome_of(verdict: &Verdict) -> Outcome {
    let (commit, master) = (verdict.commit, &verdict.master);
    if let Some((database, page)) = verdict.difference() {
        tracing::error!(
            "this slave differs from its master \"{master}\": page {page} of database {database} at commit {commit}; 'dbctl database verify' on both says whether a disk is to blame, and 'dbrepl --resync' makes the slave right: docs/replication.md, \"Whether both have the same\""
        );
        return Outcome::Differs {
            commit,
            database: database.to_owned(),
            page,
        };
    }
    let databases = verdict.databases.len();
    let skipped = verdict.databases.iter().filter(|it| it.skipped).count();
    let left_out = verdict.left_out().join(", ");
    let left_out = (!left_out.is_empty()).then_some(left_out);
    tracing::info!(
        databases,
        skipped,
        left_out,
        "verified: equal to \"{master}\" at commit {commit}"
    );
    Outcome::Equal { commit }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn it_is_due_once_a_day_at_its_time() {
        let text = "[Server]\nDataDir = /data\n[Replication]\nPeerPasswordFile = pw\nVerifyAt = 03:15\nVerifyWith = n:1\n";
        let config = dbconfig::Config::parse(Path::new("/etc/eloqdb.cfg"), text).unwrap();
        let time = config.replication.verify_at.unwrap().time;
        let at =
            |day: u64, seconds: u64| Timestamp::from_micros(day * DAY_MICROS + seconds * 1_000_000);
        let own = 3 * 3600 + 15 * 60;
        assert!(!is_due(time, at(20_000, own - 2), at(20_000, own - 1)));
        assert!(is_due(time, at(20_000, own - 1), at(20_000, own)));
        assert!(!is_due(time, at(20_000, own), at(20_000, own + 1)));
        assert!(!is_due(time, at(20_000, own + 1), at(20_001, 0)));
        // A machine that slept, and a clock that was set back.
        assert!(is_due(time, at(20_000, own + 1), at(20_003, own + 1)));
        assert!(!is_due(time, at(20_001, 5), at(20_000, own + 5)));
    }
}
