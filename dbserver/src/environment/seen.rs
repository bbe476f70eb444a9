//! How far into the one history a session has seen on another server, and whether this one shows that much.
//!
//! ```text
//! <generation>-<begun>-<commit>        12-1795903997123456-70412
//! ```
//!
//! The number of a commit alone is not enough: two servers that were both promoted count on by themselves. So the
//! generation goes with it, and when its first segment was made, which tells two of the same number apart.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use fwlog::{CommitNumber, Generation, LogDirectory, SegmentId, Timestamp};

use crate::databases::Database;
use crate::environment::{Environment, Side};

/// A point of history: everything up to this commit of that generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    generation: Generation,
    /// When it began; zero where the log does not reach so far back.
    begun: Timestamp,
    commit: CommitNumber,
}

impl Seen {
    /// The number of the commit.
    pub fn commit(&self) -> u64 {
        self.commit.get()
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (generation, begun) = (self.generation.get(), self.begun.micros());
        write!(out, "{generation}-{begun}-{}", self.commit.get())
    }
}

impl FromStr for Seen {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut numbers = text.split('-');
        let mut next = || numbers.next().ok_or(());
        let seen = Self {
            generation: Generation::new(next()?.parse().map_err(|_| ())?),
            begun: Timestamp::from_micros(next()?.parse().map_err(|_| ())?),
            commit: CommitNumber::new(next()?.parse().map_err(|_| ())?),
        };
        numbers.next().map_or(Ok(seen), |_| Err(()))
    }
}

/// Whether what was seen elsewhere is seen here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// It is.
    Yes,
    /// It is on its way, as far as is known.
    NotYet,
    /// This server's history is another one, and will never have it.
    Never,
}

/// How a generation began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Begin {
    made: Timestamp,
    /// The newest commit before it.
    before: CommitNumber,
}

/// How the generations of the log began, as far as the log reaches back; each is looked up once.
#[derive(Debug, Default)]
pub(crate) struct Generations(Mutex<BTreeMap<Generation, Option<Begin>>>);

impl Generations {
    /// `None`: its first segment is not in this log.
    fn begin(&self, environment: &Environment, generation: Generation) -> Option<Begin> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *known
            .entry(generation)
            .or_insert_with(|| look_up(environment, generation))
    }
}

fn look_up(environment: &Environment, generation: Generation) -> Option<Begin> {
    let location = environment.core().log_location().ok()?;
    // What can't be read is as what is not there: then numbers alone are compared.
    let directory = LogDirectory::scan(&location).ok()?;
    let first = directory.get(SegmentId::new(generation.get(), 1))?;
    Some(Begin {
        made: first.header.created,
        before: first.header.last_commit,
    })
}

impl Environment {
    /// What whoever reads here at this moment sees; `None` on a server that does not write.
    pub fn seen_now(&self) -> Option<Seen> {
        let generation = self.durable()?.point.position.segment.generation;
        let begin = self.core().generations().begin(self, generation);
        Some(Seen {
            generation,
            begun: begin.map_or(Timestamp::ZERO, |begin| begin.made),
            commit: CommitNumber::new(self.core().horizon().durable().get()),
        })
    }

    /// Whether new snapshots of a database have what was seen elsewhere.
    pub fn shows(&self, database: &Database, seen: &Seen) -> Shown {
        let Some(here) = self.generation() else {
            return Shown::NotYet;
        };
        let has_number = database.store().snapshot_durable().commit().get() >= seen.commit.get();
        let begin = |generation| self.core().generations().begin(self, generation);
        compare(seen, here, has_number, begin)
    }

    /// The generation of the log that is shown here.
    fn generation(&self) -> Option<Generation> {
        let position = match self.side() {
            Side::Master(master) => master.durable().point.position,
            Side::Slave(slave) => {
                let progress = slave.progress();
                progress.taken.or(progress.applied)?.point.position
            }
            Side::None => return None,
        };
        Some(position.segment.generation)
    }
}

/// `here`: the generation of this server; `has_number`: it shows a commit of that number, or a later one.
fn compare(
    seen: &Seen,
    here: Generation,
    has_number: bool,
    begin: impl Fn(Generation) -> Option<Begin>,
) -> Shown {
    let by_number = if has_number {
        Shown::Yes
    } else {
        Shown::NotYet
    };
    if here < seen.generation {
        return Shown::NotYet;
    }
    if here > seen.generation {
        // Where this server has left that generation, it had so many commits of it.
        let next = Generation::new(seen.generation.get() + 1);
        return match begin(next) {
            Some(next) if next.before < seen.commit => Shown::Never,
            Some(_) | None => by_number,
        };
    }
    match begin(here) {
        Some(own) if seen.begun != Timestamp::ZERO && own.made != seen.begun => Shown::Never,
        Some(_) | None => by_number,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(text: &str) -> Seen {
        text.parse().unwrap()
    }

    #[test]
    fn a_point_is_written_and_read() {
        for text in ["1-0-0", "12-1795903997123456-70412"] {
            assert_eq!(seen(text).to_string(), text);
        }
        for text in ["", "1", "1-2", "1-2-3-4", "a-2-3", "1-2--3"] {
            assert!(text.parse::<Seen>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_number_of_another_history_is_never_taken_for_the_own() {
        let generation = Generation::new;
        let begins = |made, before| {
            move |_| {
                Some(Begin {
                    made: Timestamp::from_micros(made),
                    before: CommitNumber::new(before),
                })
            }
        };
        let seen = seen("12-500-70");
        // The same generation.
        assert_eq!(
            compare(&seen, generation(12), true, begins(500, 9)),
            Shown::Yes
        );
        assert_eq!(
            compare(&seen, generation(12), false, begins(500, 9)),
            Shown::NotYet
        );
        assert_eq!(compare(&seen, generation(12), true, |_| None), Shown::Yes);
        // Two were promoted, and both have called theirs 12.
        assert_eq!(
            compare(&seen, generation(12), true, begins(501, 9)),
            Shown::Never
        );
        // The slave has still to get there.
        assert_eq!(
            compare(&seen, generation(11), true, begins(1, 1)),
            Shown::NotYet
        );
        // It has gone on to another generation, with the commit or without it.
        assert_eq!(
            compare(&seen, generation(13), true, begins(600, 70)),
            Shown::Yes
        );
        assert_eq!(
            compare(&seen, generation(13), true, begins(600, 69)),
            Shown::Never
        );
        assert_eq!(compare(&seen, generation(13), true, |_| None), Shown::Yes);
    }
}
