//! The data files are looked through in the background, slowly (`ScrubRate`): damage that nobody reads is found, and
//! mended, as long as the log still has what it takes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dbconfig::{Server, VerifyData};
use fwlog::{DatabaseId, Timestamp};
use pagestore::{PAGE_SIZE, PageNumber};
use serde::Serialize;

use crate::environment::core::Core;
use crate::environment::guard::LogGuard;
use crate::environment::status::Time;
use crate::environment::verify::describe_pages;

/// From the begin of a round to that of the next.
const EVERY: Duration = Duration::from_hours(24);
/// No more than this is owed to the rate: what was not read in time is not read at once later.
const MOST_CREDIT: u64 = 1 << 20;

/// What a round has found so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Found {
    pages: u64,
    mended: u64,
    damaged: u64,
}

/// A round on its way.
#[derive(Clone, Copy, Debug)]
struct Round {
    begun: Timestamp,
    database: DatabaseId,
    next: PageNumber,
    found: Found,
}

#[derive(Debug)]
struct Standing {
    /// When the last round began: the start of the server is one where it verifies all.
    last_begun: Option<Timestamp>,
    round: Option<Round>,
    last: Option<(Timestamp, Found)>,
    credit: u64,
}

/// How far the data files are looked through.
#[derive(Debug)]
pub(crate) struct Scrub {
    /// Bytes a second; 0: nothing is looked through.
    rate: AtomicU64,
    standing: Mutex<Standing>,
}

/// The same for people and scripts.
#[derive(Debug, Clone, Serialize)]
pub struct ScrubStatus {
    /// When the round began that is on its way.
    pub running_since: Option<Time>,
    /// Pages that it has read.
    pub running_pages: u64,
    /// When the last round ended.
    pub ended: Option<Time>,
    /// Pages that it has read.
    pub pages: u64,
    /// Damaged ones among them, which were repaired.
    pub repaired: u64,
    /// Damaged ones that could not be.
    pub damaged: u64,
}

impl Scrub {
    /// Nothing is looked through yet.
    pub(crate) fn new(server: &Server, now: Timestamp) -> Self {
        let standing = Standing {
            last_begun: (server.verify_data == VerifyData::Start).then_some(now),
            round: None,
            last: None,
            credit: 0,
        };
        Self {
            rate: AtomicU64::new(server.scrub_rate),
            standing: Mutex::new(standing),
        }
    }

    fn rate(&self) -> u64 {
        self.rate.load(Ordering::Relaxed)
    }

    /// Another rate from now on.
    pub(crate) fn set_rate(&self, rate: u64) {
        self.rate.store(rate, Ordering::Relaxed);
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How it stands; `None` where nothing is looked through.
    pub(crate) fn status(&self) -> Option<ScrubStatus> {
        if self.rate() == 0 {
            return None;
        }
        let standing = self.standing();
        let (ended, found) = standing.last.unzip();
        let found = found.unwrap_or_default();
        Some(ScrubStatus {
            running_since: standing.round.map(|round| Time(round.begun)),
            running_pages: standing.round.map_or(0, |round| round.found.pages),
            ended: ended.map(Time),
            pages: found.pages,
            repaired: found.mended,
            damaged: found.damaged,
        })
    }

    /// Another second has gone by.
    fn tick(&self, now: Timestamp) {
        let rate = self.rate();
        let mut standing = self.standing();
        if rate == 0 {
            standing.credit = 0;
            return;
        }
        let most = rate.max(MOST_CREDIT);
        standing.credit = standing.credit.saturating_add(rate).min(most);
        let every = u64::try_from(EVERY.as_micros()).unwrap_or(u64::MAX);
        let is_due = standing
            .last_begun
            .is_none_or(|begun| now.micros() >= begun.micros().saturating_add(every));
        if standing.round.is_none() && is_due {
            standing.last_begun = Some(now);
            standing.round = Some(Round {
                begun: now,
                database: DatabaseId::new(0),
                next: FIRST,
                found: Found::default(),
            });
        }
    }

    /// Where to go on reading, as far as the rate allows that now.
    fn next(&self) -> Option<Round> {
        let standing = self.standing();
        standing.round.filter(|_| standing.credit > 0)
    }

    fn put(&self, round: Round, read: u64) {
        let mut standing = self.standing();
        standing.credit = standing.credit.saturating_sub(read);
        standing.round = Some(round);
    }

    fn end(&self, round: Round, now: Timestamp) {
        let mut standing = self.standing();
        standing.round = None;
        standing.last = Some((now, round.found));
    }
}

const FIRST: PageNumber = match PageNumber::new(1) {
    Some(first) => first,
    None => panic!("pages are counted from 1"),
};

impl Core {
    /// The thread that looks through the data files until the side ends; the next one goes on there.
    pub(super) fn scrub_data_files(&self, guard: &LogGuard) {
        while guard.wait_tick() {
            self.scrub().tick(self.host().clock.now());
            while let Some(round) = self.scrub().next() {
                self.scrub_on(round);
                if guard.is_stopping() {
                    return;
                }
            }
        }
    }

    /// Reads one run of pages.
    fn scrub_on(&self, mut round: Round) {
        let databases = self.databases().all();
        let rest = databases.iter().filter(|it| it.id() >= round.database);
        let Some(database) = rest.min_by_key(|it| it.id()) else {
            return self.end_round(round);
        };
        if database.id() > round.database {
            (round.database, round.next) = (database.id(), FIRST);
        }
        let store = database.store();
        let Some((report, next)) = store.verify_from(round.next) else {
            (round.database, round.next) = (DatabaseId::new(database.id().get() + 1), FIRST);
            return self.scrub().put(round, 0);
        };
        round.next = next;
        round.found.pages += report.pages;
        round.found.mended += report.mended.len() as u64;
        round.found.damaged += report.damaged.len() as u64;
        if !report.damaged.is_empty() && !database.is_dropped() {
            tracing::error!(
                "damaged: {}; see 'dbctl database repair' and docs/recovery.md",
                describe_pages(store.path(), &report.damaged)
            );
        }
        // Whatever of it had to be read.
        self.scrub()
            .put(round, report.pages.max(1) * PAGE_SIZE as u64);
    }

    fn end_round(&self, round: Round) {
        let Found {
            pages,
            mended,
            damaged,
        } = round.found;
        tracing::info!(pages, repaired = mended, damaged, since = %round.begun, "the data files were looked through");
        self.scrub().end(round, self.host().clock.now());
    }
}
