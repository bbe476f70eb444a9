//! What statements cost, by their normalised texts: `pg_stat_statements`.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use rustc_hash::FxHashMap;

/// Texts that are kept; where one more comes, the twentieth that was called least goes.
const MOST: usize = 5000;
/// Bytes that are kept of a text.
const MAX_TEXT: usize = 64 * 1024;

/// Whose statement it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StatementKey {
    /// The role that the session acts as.
    pub user: String,
    /// The session's database.
    pub database: String,
    /// The statement with its constants left out.
    pub text: String,
}

/// What one text has cost.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct StatementCosts {
    /// How often it has succeeded.
    pub calls: u64,
    /// Rows that it gave, or has changed.
    pub rows: u64,
    /// Milliseconds in all.
    pub total: f64,
    /// Of the fastest call.
    pub min: f64,
    /// Of the slowest.
    pub max: f64,
    /// Sum of the squares of what calls differ from the mean (Welford).
    squares: f64,
}

impl StatementCosts {
    fn add(&mut self, spent: Duration, rows: u64) {
        let spent = spent.as_secs_f64() * 1000.0;
        let before = self.mean();
        self.min = if self.calls == 0 {
            spent
        } else {
            self.min.min(spent)
        };
        self.max = self.max.max(spent);
        self.calls += 1;
        self.rows += rows;
        self.total += spent;
        self.squares += (spent - before) * (spent - self.mean());
    }

    #[expect(clippy::cast_precision_loss, reason = "a mean")]
    fn count(&self) -> f64 {
        self.calls as f64
    }

    /// Milliseconds of a call.
    pub fn mean(&self) -> f64 {
        if self.calls == 0 {
            return 0.0;
        }
        self.total / self.count()
    }

    /// How much calls differ from that.
    pub fn deviation(&self) -> f64 {
        if self.calls == 0 {
            return 0.0;
        }
        (self.squares / self.count()).max(0.0).sqrt()
    }
}

/// The counts of one text, which sessions hold while they run it again.
#[derive(Debug)]
pub struct Counted {
    costs: Mutex<StatementCosts>,
    given_up: AtomicBool,
}

impl Counted {
    /// Whether it is among the texts yet.
    pub fn is_kept(&self) -> bool {
        !self.given_up.load(Ordering::Relaxed)
    }

    /// It was called once more, and has succeeded.
    pub fn add(&self, spent: Duration, rows: u64) {
        lock(&self.costs).add(spent, rows);
    }
}

#[derive(Debug)]
struct Texts {
    known: FxHashMap<StatementKey, Arc<Counted>>,
    /// How often texts had to go for others.
    given_up: u64,
    since: SystemTime,
}

/// All texts.
#[derive(Debug)]
pub struct StatementCounts(Mutex<Texts>);

impl Default for StatementCounts {
    fn default() -> Self {
        Self(Mutex::new(Texts {
            known: HashMap::default(),
            given_up: 0,
            since: SystemTime::now(),
        }))
    }
}

impl StatementCounts {
    /// The counts of a text.
    pub fn of(&self, mut key: StatementKey) -> Arc<Counted> {
        key.text.truncate(key.text.floor_char_boundary(MAX_TEXT));
        let mut texts = lock(&self.0);
        if let Some(counted) = texts.known.get(&key) {
            return Arc::clone(counted);
        }
        if texts.known.len() >= MOST {
            texts.make_room();
        }
        let counted = Arc::new(Counted {
            costs: Mutex::default(),
            given_up: AtomicBool::new(false),
        });
        texts.known.insert(key, Arc::clone(&counted));
        counted
    }

    /// What has been counted; texts that have not succeeded yet are left out.
    pub fn list(&self) -> Vec<(StatementKey, StatementCosts)> {
        let texts = lock(&self.0);
        let all = texts.known.iter();
        all.map(|(key, counted)| (key.clone(), *lock(&counted.costs)))
            .filter(|(_, costs)| costs.calls > 0)
            .collect()
    }

    /// How often texts were given up, and since when is counted.
    pub fn info(&self) -> (u64, SystemTime) {
        let texts = lock(&self.0);
        (texts.given_up, texts.since)
    }

    /// Forgets those that are meant; all: counting begins anew.
    pub fn forget(&self, meant: impl Fn(&StatementKey) -> bool, all: bool) {
        let mut texts = lock(&self.0);
        for (key, counted) in &texts.known {
            if meant(key) {
                *lock(&counted.costs) = StatementCosts::default();
            }
        }
        if all {
            texts.given_up = 0;
            texts.since = SystemTime::now();
        }
    }
}

impl Texts {
    fn make_room(&mut self) {
        let mut calls: Vec<u64> = self
            .known
            .values()
            .map(|it| lock(&it.costs).calls)
            .collect();
        let place = calls.len() / 20;
        let (_, border, _) = calls.select_nth_unstable(place);
        let border = *border;
        let mut left = place + 1;
        self.known.retain(|_, counted| {
            let goes = left > 0 && lock(&counted.costs).calls <= border;
            left -= usize::from(goes);
            counted.given_up.store(goes, Ordering::Relaxed);
            !goes
        });
        self.given_up += 1;
    }
}

/// Numbers are whole even after a panic elsewhere.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The number of a statement: the same for the same text in a database and of a role.
pub fn query_id(text: &str) -> i64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in text.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash.cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> StatementKey {
        StatementKey {
            user: "u".to_owned(),
            database: "d".to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn calls_add_up() {
        let counts = StatementCounts::default();
        let counted = counts.of(key("SELECT $1"));
        assert!(counts.list().is_empty());
        for millis in [10, 20, 30] {
            counted.add(Duration::from_millis(millis), 2);
        }
        let list = counts.list();
        let costs = list[0].1;
        assert_eq!((costs.calls, costs.rows), (3, 6));
        assert!((costs.mean() - 20.0).abs() < 1e-9);
        assert!((costs.min - 10.0).abs() < 1e-9 && (costs.max - 30.0).abs() < 1e-9);
        assert!((costs.deviation() - (200.0_f64 / 3.0).sqrt()).abs() < 1e-9);
    }

    #[test]
    fn the_texts_that_were_called_least_give_way() {
        let counts = StatementCounts::default();
        for place in 0..MOST {
            let counted = counts.of(key(&place.to_string()));
            counted.add(Duration::ZERO, 0);
            counted.add(Duration::ZERO, 0);
        }
        counts.of(key("new")).add(Duration::ZERO, 0);
        assert_eq!(counts.info().0, 1);
        assert!(counts.list().len() < MOST && counts.list().len() > MOST / 2);
        assert!(counts.list().iter().any(|(key, _)| key.text == "new"));
    }

    #[test]
    fn what_is_forgotten_is_counted_anew() {
        let counts = StatementCounts::default();
        let counted = counts.of(key("a"));
        counted.add(Duration::ZERO, 1);
        counts.of(key("b")).add(Duration::ZERO, 1);
        counts.forget(|key| key.text == "a", false);
        assert_eq!(counts.list().len(), 1);
        counts.forget(|_| true, true);
        assert!(counts.list().is_empty());
    }
}
