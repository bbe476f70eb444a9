//! How far into the one history a session has seen on another server, and whether this one shows that much.
//!
//! ```text
//! <generation>-<its id>-<commit>        12-5c1f…-70412
//! ```
//!
//! The number of a commit alone is not enough: two servers that were both promoted count on by themselves. So the
//! generation goes with it, and its id, which tells two of the same number apart.

use std::fmt;
use std::str::FromStr;

use fwlog::{CommitNumber, Generation, GenerationCommit, GenerationId, History};

use crate::databases::Database;
use crate::environment::{Environment, Side};

/// A point of history: everything up to this commit of that generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    number: Generation,
    /// Unknown where its history does not reach so far back, or an older server has told.
    generation: Option<GenerationId>,
    commit: CommitNumber,
}

impl Seen {
    /// The number of the commit.
    pub fn commit(&self) -> u64 {
        self.commit.get()
    }

    /// The same generation, and at least this commit, which belongs to it.
    #[must_use]
    pub fn with(self, commit: u64) -> Self {
        Self {
            commit: self.commit.max(CommitNumber::new(commit)),
            ..self
        }
    }

    /// As instances may compare it.
    fn placed(&self) -> Option<GenerationCommit> {
        let (generation, commit) = (self.generation?, self.commit);
        Some(GenerationCommit { generation, commit })
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}-", self.number)?;
        match self.generation {
            Some(id) => write!(out, "{id}")?,
            None => out.write_str("0")?,
        }
        write!(out, "-{}", self.commit)
    }
}

impl FromStr for Seen {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut words = text.split('-');
        let mut next = || words.next().ok_or(());
        let number = next()?.parse().map_err(|_| ())?;
        let id = next()?;
        // An older server has the time at which it began there, which says nothing here.
        let is_number = id.parse::<u64>().is_ok();
        let seen = Self {
            number,
            generation: if is_number {
                None
            } else {
                Some(id.parse().map_err(|_| ())?)
            },
            commit: next()?.parse().map_err(|_| ())?,
        };
        words.next().map_or(Ok(seen), |_| Err(()))
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

impl Environment {
    /// What whoever reads a database at this moment sees here; `None` where no log says so.
    pub fn seen_in(&self, database: &Database) -> Option<Seen> {
        // The commit first: a generation that comes meanwhile has it in its history.
        let commit = CommitNumber::new(database.store().snapshot_durable().commit().get());
        let number = self.generation()?;
        let instance = self.core().instance();
        let id = || {
            instance.with_history(|history| {
                let newest = history.newest().filter(|line| line.number == number);
                newest.map(|line| line.id)
            })
        };
        let generation = id().or_else(|| {
            // A generation that has come just now.
            instance.follow(self.core(), self.durable_position());
            id()
        });
        Some(Seen {
            number,
            generation,
            commit,
        })
    }

    /// Whether new snapshots of a database have what was seen elsewhere.
    pub fn shows(&self, database: &Database, seen: &Seen) -> Shown {
        let Some(here) = self.generation() else {
            return Shown::NotYet;
        };
        let has_number = database.store().snapshot_durable().commit().get() >= seen.commit.get();
        let instance = self.core().instance();
        let knows =
            || instance.with_history(|it| it.newest().map(|line| line.number) >= Some(here));
        if here > seen.number && !knows() {
            // It shows a generation that has come just now; its beginning may not be on the disk yet.
            let durable = self.durable_position();
            instance.follow(self.core(), durable);
            if !knows() && durable.is_none_or(|at| at.segment.generation < here) {
                return Shown::NotYet;
            }
        }
        instance.with_history(|history| compare(seen, here, has_number, history))
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
fn compare(seen: &Seen, here: Generation, has_number: bool, history: &History) -> Shown {
    let by_number = if has_number {
        Shown::Yes
    } else {
        Shown::NotYet
    };
    if here < seen.number {
        return Shown::NotYet;
    }
    let own = history
        .branch()
        .iter()
        .find(|line| line.number == seen.number);
    if let (Some(own), Some(id)) = (own, seen.generation)
        && own.id != id
    {
        return Shown::Never;
    }
    // Where this server has left that generation, it had so many commits of it.
    let has = match seen.placed().and_then(|placed| history.has(placed)) {
        None => history
            .next_after(seen.number)
            .map(|next| seen.commit <= next.commit),
        has => has,
    };
    match has {
        Some(false) if here > seen.number => Shown::Never,
        _ => by_number,
    }
}

#[cfg(test)]
mod tests {
    use fwlog::{ChainHash, GenerationReason, HistoryLine, LogPoint, Position, Timestamp};

    use super::*;

    fn id(mark: u8) -> GenerationId {
        GenerationId::new(ChainHash::from_bytes([mark; 32]))
    }

    /// Generations 12 and, perhaps, 13, which goes on behind this commit.
    fn history(twelve: u8, thirteen: Option<u64>) -> History {
        let line = |number: u32, mark: u8, parent: &str, commit: u64| HistoryLine {
            number: Generation::new(number),
            id: id(mark),
            reason: GenerationReason::Promote,
            time: Timestamp::ZERO,
            parent: LogPoint::new(parent.parse().unwrap(), ChainHash::ZERO),
            commit: CommitNumber::new(commit),
            instance: "north".into(),
        };
        let mut lines = vec![line(12, twelve, "11-1:500", 9)];
        lines.extend(thirteen.map(|commit| line(13, 0xee, "12-1:500", commit)));
        let newest = lines.last().unwrap().number.get();
        let mut history = History::default();
        let end: Position = format!("{newest}-9:0").parse().unwrap();
        history.take_in(&lines, end).unwrap();
        history
    }

    #[test]
    fn a_point_is_written_and_read() {
        let hash = "5c".repeat(32);
        for text in ["1-0-0", &format!("12-{hash}-70412")] {
            assert_eq!(text.parse::<Seen>().unwrap().to_string(), *text);
        }
        let older: Seen = "12-1795903997123456-70412".parse().unwrap();
        assert_eq!(older.to_string(), "12-0-70412");
        for text in ["", "1", "1-2", "1-2-3-4", "a-2-3", "1-2--3", "1-5c-3"] {
            assert!(text.parse::<Seen>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_number_of_another_history_is_never_taken_for_the_own() {
        let seen = Seen {
            number: Generation::new(12),
            generation: Some(id(1)),
            commit: CommitNumber::new(70),
        };
        let shown = |here, has_number, history: &History| {
            compare(&seen, Generation::new(here), has_number, history)
        };
        // The same generation.
        assert_eq!(shown(12, true, &history(1, None)), Shown::Yes);
        assert_eq!(shown(12, false, &history(1, None)), Shown::NotYet);
        assert_eq!(shown(12, true, &History::default()), Shown::Yes);
        // Two were promoted, and both have called theirs 12; one of them has gone on since.
        assert_eq!(shown(12, true, &history(2, None)), Shown::Never);
        assert_eq!(shown(13, true, &history(2, Some(90))), Shown::Never);
        // The slave has still to get there.
        assert_eq!(shown(11, true, &History::default()), Shown::NotYet);
        // It has gone on to another generation, with the commit or without it.
        assert_eq!(shown(13, true, &history(1, Some(70))), Shown::Yes);
        assert_eq!(shown(13, true, &history(1, Some(69))), Shown::Never);
        assert_eq!(shown(13, true, &History::default()), Shown::Yes);
    }
}
