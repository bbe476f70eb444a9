//! The numbers that a database's sequences give out.
//!
//! Counting happens in memory, shared by all sessions, and never goes back because a transaction does. What is on disk
//! is the border: the last number that may have been given out, as a row of `eloqdb_sequence`. A transaction that took
//! numbers beyond it moves the border on by a block before its COMMIT; so a number that a committed transaction has
//! seen is never given again, and after a restart counting goes on at the border.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use dialect::SequenceInfo;

/// Numbers that the border is ahead.
const BLOCK: i64 = 32;

/// The end of a sequence that does not start again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exhausted {
    /// `maximum` or `minimum`.
    pub side: &'static str,
    /// The last number.
    pub bound: i64,
}

/// The next number of a sequence.
///
/// Errors: [`Exhausted`].
pub fn next(sequence: &mut SequenceInfo) -> Result<i64, Exhausted> {
    if !sequence.is_called {
        sequence.is_called = true;
        return Ok(sequence.last_value);
    }
    let up = sequence.increment > 0;
    let within = |number: &i64| (sequence.min..=sequence.max).contains(number);
    let stepped = sequence.last_value.checked_add(sequence.increment);
    let number = match stepped.filter(within) {
        Some(number) => number,
        None if sequence.cycle && up => sequence.min,
        None if sequence.cycle => sequence.max,
        None if up => {
            return Err(Exhausted {
                side: "maximum",
                bound: sequence.max,
            });
        }
        None => {
            return Err(Exhausted {
                side: "minimum",
                bound: sequence.min,
            });
        }
    };
    sequence.last_value = number;
    Ok(number)
}

/// The state that has to be on disk for a sequence that is where `present` says, when `(last, called)` is there;
/// `None` when that will do.
pub fn border(present: &SequenceInfo, (last, called): (i64, bool)) -> Option<(i64, bool)> {
    if !present.is_called {
        let there = (present.last_value, false);
        return (there != (last, called)).then_some(there);
    }
    let block = present.increment.saturating_mul(BLOCK);
    let target = present.last_value.saturating_add(block);
    let target = target.clamp(present.min, present.max);
    let ahead = if present.increment > 0 {
        (present.last_value..=target).contains(&last)
    } else {
        (target..=present.last_value).contains(&last)
    };
    (!called || !ahead).then_some((target, true))
}

/// The sequences of one database.
#[derive(Debug, Default)]
pub struct Sequences {
    counters: Mutex<Counters>,
}

#[derive(Debug)]
struct Border {
    generation: i64,
    there: (i64, bool),
}

/// See [`Counters::definitions`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Definitions {
    epoch: u64,
    changes: u64,
}

/// Where the sequences are.
#[derive(Debug, Default)]
pub struct Counters {
    /// The epoch of the page store in which they counted.
    epoch: u64,
    /// How often definitions were committed.
    changes: u64,
    stamp: i64,
    by_id: HashMap<i64, SequenceInfo>,
    /// Borders on disk that nobody has moved since they were read under the write permit.
    borders: HashMap<i64, Border>,
}

impl Sequences {
    /// Where the sequences are; what was counted before the page store lost commits, or its server changed roles, is
    /// forgotten.
    pub fn counters(&self, epoch: u64) -> MutexGuard<'_, Counters> {
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        if counters.epoch != epoch {
            counters.epoch = epoch;
            counters.by_id.clear();
            counters.borders.clear();
        }
        counters
    }
}

impl Counters {
    /// A number greater than all that a definition of this database has had.
    pub fn stamp(&mut self) -> i64 {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let now = i64::try_from(since.as_micros()).unwrap_or(0);
        self.stamp = now.max(self.stamp.saturating_add(1));
        self.stamp
    }

    /// The database has another content: nothing of what was counted holds any more.
    pub fn forget(&mut self) {
        self.by_id.clear();
        self.borders.clear();
        self.changes += 1;
    }

    /// Names a state of all definitions: they are what they were while it is the same.
    pub fn definitions(&self) -> Definitions {
        Definitions {
            epoch: self.epoch,
            changes: self.changes,
        }
    }

    /// A transaction that has changed definitions is durable.
    pub fn note_changed(&mut self) {
        self.changes += 1;
    }

    /// The border on disk, if it is known.
    pub fn border(&self, id: i64, generation: i64) -> Option<(i64, bool)> {
        let border = self.borders.get(&id)?;
        (border.generation == generation).then_some(border.there)
    }

    /// Keeps a border that was read; the caller has the write permit.
    pub fn keep_border(&mut self, id: i64, generation: i64, there: (i64, bool)) {
        self.borders.insert(id, Border { generation, there });
    }

    /// The border is about to move; the caller has the write permit.
    pub fn forget_border(&mut self, id: i64) {
        self.borders.remove(&id);
    }

    /// A definition that was read.
    pub fn seen(&mut self, sequence: &SequenceInfo) {
        self.stamp = self.stamp.max(sequence.generation).max(sequence.id);
    }

    /// A sequence, if it has counted by this definition.
    pub fn of(&mut self, id: i64, generation: i64) -> Option<&mut SequenceInfo> {
        self.by_id
            .get_mut(&id)
            .filter(|known| known.generation == generation)
    }

    /// A sequence that counts, whatever its definition is now.
    pub fn any(&self, id: i64) -> Option<&SequenceInfo> {
        self.by_id.get(&id)
    }

    /// The sequence of a committed row: what has counted already, unless the row is of a newer definition.
    pub fn committed(&mut self, row: &SequenceInfo) -> &mut SequenceInfo {
        let counter = self.by_id.entry(row.id).or_insert_with(|| row.clone());
        if counter.generation < row.generation {
            counter.clone_from(row);
        }
        counter
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sequence(increment: i64, min: i64, max: i64) -> SequenceInfo {
        SequenceInfo {
            id: 1,
            generation: 1,
            name: "s".to_owned(),
            data_type: "bigint".to_owned(),
            start: min,
            increment,
            min,
            max,
            cycle: false,
            cache: 1,
            owner: None,
            identity: false,
            last_value: if increment > 0 { min } else { max },
            is_called: false,
        }
    }

    #[test]
    fn a_sequence_ends_at_its_bound_unless_it_cycles() {
        let mut up = sequence(2, 1, 4);
        assert_eq!((next(&mut up), next(&mut up)), (Ok(1), Ok(3)));
        assert_eq!(next(&mut up).unwrap_err().bound, 4);
        up.cycle = true;
        assert_eq!(next(&mut up), Ok(1));
        let mut down = sequence(-1, i64::MIN, -1);
        down.last_value = i64::MIN;
        assert_eq!(next(&mut down), Ok(i64::MIN));
        assert_eq!(next(&mut down).unwrap_err().side, "minimum");
    }

    #[test]
    fn the_border_moves_when_numbers_go_beyond_it() {
        let mut sequence = sequence(1, 1, 1000);
        next(&mut sequence).unwrap();
        assert_eq!(border(&sequence, (1, false)), Some((33, true)));
        assert_eq!(border(&sequence, (33, true)), None);
        sequence.last_value = 33;
        assert_eq!(border(&sequence, (33, true)), None);
        sequence.last_value = 34;
        assert_eq!(border(&sequence, (33, true)), Some((66, true)));
        sequence.last_value = 990;
        assert_eq!(border(&sequence, (33, true)), Some((1000, true)));
    }

    #[test]
    fn a_sequence_that_was_set_back_takes_its_border_along() {
        let mut sequence = sequence(1, 1, 1000);
        (sequence.last_value, sequence.is_called) = (5, true);
        assert_eq!(border(&sequence, (500, true)), Some((37, true)));
        sequence.is_called = false;
        assert_eq!(border(&sequence, (500, true)), Some((5, false)));
    }

    #[test]
    fn a_newer_definition_takes_the_place_of_the_older() {
        let mut counters = Counters::default();
        let row = sequence(1, 1, 10);
        assert_eq!(next(counters.committed(&row)), Ok(1));
        assert_eq!(next(counters.committed(&row)), Ok(2));
        let newer = SequenceInfo {
            generation: 2,
            ..row.clone()
        };
        assert_eq!(next(counters.committed(&newer)), Ok(1));
        assert_eq!(next(counters.committed(&row)), Ok(2));
    }

    #[test]
    fn stamps_never_come_twice() {
        let mut counters = Counters::default();
        let first = counters.stamp();
        assert!(counters.stamp() > first);
    }
}
