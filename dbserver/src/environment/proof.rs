//! Whether this slave has what its master has: what the last comparison of all pages has found.

use std::sync::{Mutex, MutexGuard, PoisonError};

use fwlog::Timestamp;
use serde::Serialize;

use crate::environment::status::Time;

/// What a comparison has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All databases were the same at that commit.
    Equal {
        /// The master's commit.
        commit: u64,
    },
    /// A page of a database is another one.
    Differs {
        /// The master's commit.
        commit: u64,
        /// The first database that differs.
        database: String,
        /// Its first page that does.
        page: u32,
    },
    /// It could not be made, and why.
    Failed(String),
}

/// Who compares, and what came of it last.
#[derive(Debug, Default)]
pub(crate) struct Proof(Mutex<Standing>);

#[derive(Debug, Default)]
struct Standing {
    is_asked_for: bool,
    running_since: Option<Timestamp>,
    last: Option<(Timestamp, Outcome)>,
}

/// The same for people and scripts.
#[derive(Debug, Clone, Serialize)]
pub struct ProofStatus {
    /// `equal`, `differs`, `failed`; `None` before the first one has ended.
    pub result: Option<&'static str>,
    /// When it ended.
    pub at: Option<Time>,
    /// The commit at which both were compared.
    pub commit: Option<u64>,
    /// The first database that differs.
    pub database: Option<String>,
    /// Its first page that does.
    pub page: Option<u32>,
    /// Why it has failed.
    pub reason: Option<String>,
    /// When the one began that is on its way.
    pub running_since: Option<Time>,
}

impl Proof {
    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody wants one now.
    pub(crate) fn ask(&self) {
        self.standing().is_asked_for = true;
    }

    /// Begins one if it is due or somebody wants it, and none is on its way.
    pub(crate) fn begin(&self, is_due: bool, now: Timestamp) -> bool {
        let mut standing = self.standing();
        let begins = (is_due || standing.is_asked_for) && standing.running_since.is_none();
        if begins {
            standing.is_asked_for = false;
            standing.running_since = Some(now);
        }
        begins
    }

    /// The one that has begun is over.
    pub(crate) fn end(&self, outcome: Outcome, now: Timestamp) {
        let mut standing = self.standing();
        standing.running_since = None;
        standing.last = Some((now, outcome));
    }

    /// What there is to say; `None` where nothing was compared.
    pub(crate) fn status(&self) -> Option<ProofStatus> {
        let standing = self.standing();
        let running_since = standing.running_since.map(Time);
        let mut status = ProofStatus {
            result: None,
            at: None,
            commit: None,
            database: None,
            page: None,
            reason: None,
            running_since,
        };
        let Some((at, outcome)) = standing.last.clone() else {
            return running_since.map(|_| status);
        };
        status.at = Some(Time(at));
        match outcome {
            Outcome::Equal { commit } => {
                (status.result, status.commit) = (Some("equal"), Some(commit));
            }
            Outcome::Differs {
                commit,
                database,
                page,
            } => {
                (status.result, status.commit) = (Some("differs"), Some(commit));
                (status.database, status.page) = (Some(database), Some(page));
            }
            Outcome::Failed(why) => {
                (status.result, status.reason) = (Some("failed"), Some(why));
            }
        }
        Some(status)
    }
}

impl ProofStatus {
    /// `equal at commit 70412, 2026-…`; where one is on its way and none has ended, since when.
    pub(crate) fn in_words(&self) -> String {
        let Some(at) = self.at else {
            let since = self.running_since.map(|since| format!("since {since}"));
            return format!("under way {}", since.unwrap_or_default());
        };
        if let Some(why) = &self.reason {
            return format!("failed, {at}: {why}");
        }
        let commit = self.commit.unwrap_or_default();
        match (&self.database, self.page) {
            (Some(database), Some(page)) => {
                format!("differs at {database} page {page} at commit {commit}, {at}")
            }
            _ => format!("equal at commit {commit}, {at}"),
        }
    }

    /// Whether the two were found to be different.
    pub(crate) fn differs(&self) -> bool {
        self.page.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_made_at_a_time_and_the_last_one_is_told() {
        let proof = Proof::default();
        let at = Timestamp::from_micros;
        assert!(proof.status().is_none());
        assert!(!proof.begin(false, at(1)) && proof.begin(true, at(1)));
        assert!(!proof.begin(true, at(2)), "one is on its way");
        assert!(
            proof
                .status()
                .unwrap()
                .in_words()
                .starts_with("under way since ")
        );
        proof.end(Outcome::Equal { commit: 7 }, at(3));
        assert!(
            proof
                .status()
                .unwrap()
                .in_words()
                .starts_with("equal at commit 7, ")
        );
        proof.ask();
        assert!(proof.begin(false, at(4)));
        let differs = Outcome::Differs {
            commit: 9,
            database: "shop".into(),
            page: 4,
        };
        proof.end(differs, at(5));
        let status = proof.status().unwrap();
        assert!(status.differs() && status.running_since.is_none());
        let words = status.in_words();
        assert!(
            words.starts_with("differs at shop page 4 at commit 9, "),
            "{words}"
        );
        assert!(!proof.begin(false, at(6)), "it was asked for once");
    }
}
