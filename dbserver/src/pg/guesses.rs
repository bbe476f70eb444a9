//! Wrong passwords are answered slowly: by address (over the Unix socket: by user of the machine) and user, so that nobody waits for the mistakes of others.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pgtypes::SqlState;

use crate::failure::Failure;
use crate::peer::PeerHost;

/// Everybody may mistype so often.
const FREE: u32 = 3;
/// What happened so long ago is forgotten.
const MEMORY: Duration = Duration::from_mins(1);
/// Each further one is answered by so much later than the one before,
const STEP: Duration = Duration::from_secs(1);
/// and the last ones so late.
const LONGEST: Duration = Duration::from_secs(5);
/// Addresses with users that are remembered.
const MOST: usize = 1000;
/// Answers that wait for one address. Who does not wait for them and comes again is not looked at.
const MOST_OF_ADDRESS: usize = 8;
/// Answers that wait at a time, of all addresses; each has a thread.
const MOST_WAITING: usize = 48;

/// Who guesses, and whose password.
type Who = (PeerHost, String);

/// The wrong passwords of late.
#[derive(Debug, Default)]
pub(super) struct Guesses(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    wrong: BTreeMap<Who, Wrong>,
    waiting: BTreeMap<PeerHost, usize>,
}

#[derive(Debug)]
struct Wrong {
    count: u32,
    last: Instant,
}

impl Wrong {
    fn is_over(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.last) >= MEMORY
    }
}

/// An answer that waits.
#[derive(Debug)]
pub(super) struct LateAnswer {
    /// How long it waits.
    pub(super) delay: Duration,
    host: PeerHost,
    all: Arc<Guesses>,
}

impl Guesses {
    /// Whether a password is looked at: not where so many answers wait that guesses could go on without them.
    ///
    /// Error: 53300, whatever the password is.
    pub(super) fn check(&self, host: PeerHost, user: &str, now: Instant) -> Result<(), Failure> {
        let table = self.table();
        let wrong = table.wrong.get(&(host, user.to_owned()));
        let is_slowed = wrong.is_some_and(|wrong| wrong.count > FREE && !wrong.is_over(now));
        let waiting = table.waiting.get(&host).copied().unwrap_or_default();
        if !is_slowed || waiting < MOST_OF_ADDRESS {
            return Ok(());
        }
        Err(Failure::fatal(
            SqlState::TOO_MANY_CONNECTIONS,
            format!("too many wrong passwords for user \"{user}\" from {host}"),
        )
        .hint("Wait some seconds, and log in again."))
    }

    /// The password was right.
    pub(super) fn right(&self, host: PeerHost, user: &str) {
        self.table().wrong.remove(&(host, user.to_owned()));
    }

    /// The password was wrong, or there is no such user. The answer waits as long as what is given says, and while that
    /// is kept; at once without.
    pub(super) fn wrong(
        self: &Arc<Self>,
        host: PeerHost,
        user: &str,
        now: Instant,
    ) -> Option<LateAnswer> {
        let mut table = self.table();
        let count = table.count(host, user, now);
        let beyond = count.checked_sub(FREE).filter(|beyond| *beyond > 0)?;
        if table.waiting.values().sum::<usize>() >= MOST_WAITING {
            return None;
        }
        *table.waiting.entry(host).or_default() += 1;
        if beyond == 1 {
            tracing::warn!(host = %host, user, "further wrong passwords are answered slowly");
        }
        Some(LateAnswer {
            delay: STEP.saturating_mul(beyond).min(LONGEST),
            host,
            all: Arc::clone(self),
        })
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// One more; gives how many there are by now.
    fn count(&mut self, host: PeerHost, user: &str, now: Instant) -> u32 {
        let who = (host, user.to_owned());
        if self.wrong.len() >= MOST && !self.wrong.contains_key(&who) {
            self.wrong.retain(|_, wrong| !wrong.is_over(now));
            self.forget_oldest();
        }
        let wrong = self.wrong.entry(who).or_insert(Wrong {
            count: 0,
            last: now,
        });
        if wrong.is_over(now) {
            wrong.count = 0;
        }
        wrong.count = wrong.count.saturating_add(1);
        wrong.last = now;
        wrong.count
    }

    fn forget_oldest(&mut self) {
        while self.wrong.len() >= MOST {
            let oldest = self.wrong.iter().min_by_key(|(_, wrong)| wrong.last);
            let Some(oldest) = oldest.map(|(who, _)| who.clone()) else {
                return;
            };
            self.wrong.remove(&oldest);
        }
    }
}

impl Drop for LateAnswer {
    fn drop(&mut self) {
        let mut table = self.all.table();
        if let Some(count) = table.waiting.get_mut(&self.host) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                table.waiting.remove(&self.host);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    const NEAR: PeerHost = PeerHost::Local { uid: 1000 };
    const FAR: PeerHost = PeerHost::Address(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)));

    /// The seconds that so many wrong passwords wait, one after another at the same moment.
    fn delays(
        guesses: &Arc<Guesses>,
        who: (PeerHost, &str),
        count: usize,
        now: Instant,
    ) -> Vec<u64> {
        let wrong = || guesses.wrong(who.0, who.1, now);
        (0..count)
            .map(|_| wrong().map_or(0, |late| late.delay.as_secs()))
            .collect()
    }

    #[test]
    fn the_fourth_waits_and_later_ones_wait_longer() {
        let (guesses, now) = (Arc::new(Guesses::default()), Instant::now());
        let expected = [0, 0, 0, 1, 2, 3, 4, 5, 5];
        assert_eq!(delays(&guesses, (NEAR, "dba"), 9, now), expected);
        // Neither another user nor another address waits for that.
        assert_eq!(delays(&guesses, (NEAR, "clerk"), 3, now), [0; 3]);
        assert_eq!(delays(&guesses, (FAR, "dba"), 3, now), [0; 3]);
        // A minute without one, or a right one, is a new beginning.
        let later = now + MEMORY;
        assert_eq!(delays(&guesses, (NEAR, "dba"), 4, later), [0, 0, 0, 1]);
        guesses.right(NEAR, "dba");
        assert_eq!(delays(&guesses, (NEAR, "dba"), 4, later), [0, 0, 0, 1]);
        assert_eq!(delays(&guesses, (FAR, "dba"), 1, now), [1]);
    }

    #[test]
    fn who_does_not_wait_for_answers_is_not_looked_at() {
        let (guesses, now) = (Arc::new(Guesses::default()), Instant::now());
        delays(&guesses, (NEAR, "dba"), 3, now);
        let mut waiting = Vec::new();
        for _ in 0..MOST_OF_ADDRESS {
            assert!(guesses.check(NEAR, "dba", now).is_ok());
            waiting.push(guesses.wrong(NEAR, "dba", now).unwrap());
        }
        let refused = guesses.check(NEAR, "dba", now).unwrap_err();
        assert_eq!(refused.sqlstate(), SqlState::TOO_MANY_CONNECTIONS);
        for (address, user) in [(FAR, "dba"), (NEAR, "clerk")] {
            assert!(guesses.check(address, user, now).is_ok());
        }
        waiting.pop();
        assert!(guesses.check(NEAR, "dba", now).is_ok());
        drop(waiting);
        assert!(guesses.table().waiting.is_empty());
    }

    #[test]
    fn memory_and_threads_have_a_bound() {
        let (guesses, now) = (Arc::new(Guesses::default()), Instant::now());
        let address = |number: u32| PeerHost::Address(Ipv4Addr::from(number).into());
        for number in 0..3000 {
            let now = now + Duration::from_millis(number.into());
            guesses.wrong(address(number), "dba", now);
        }
        assert_eq!(guesses.table().wrong.len(), MOST);
        let mut waiting = Vec::new();
        for number in 2500..3000 {
            delays(&guesses, (address(number), "dba"), 2, now);
            waiting.extend(guesses.wrong(address(number), "dba", now));
        }
        assert_eq!(waiting.len(), MOST_WAITING);
    }
}
