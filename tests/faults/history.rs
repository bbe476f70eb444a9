//! What clients did and saw: the material of the checker.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::databases::Step;

/// A moment. Later moments have larger numbers, whichever thread they happened in.
pub(crate) type Tick = u64;

/// The number of a transaction that writes, given by its client; never given twice.
pub(crate) type Id = u64;

/// The clock of a history.
#[derive(Debug, Default)]
pub(crate) struct Clock(AtomicU64);

impl Clock {
    /// This moment.
    pub(crate) fn tick(&self) -> Tick {
        self.0.fetch_add(1, Ordering::SeqCst)
    }
}

/// Which server was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum At {
    /// The one that takes writes.
    Master,
    /// A slave, from 0.
    Slave(usize),
}

/// What a client knows of its transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The server said that it is committed.
    Committed,
    /// The server said that it is not, or COMMIT was never sent.
    Failed,
    /// The connection was lost, or the log failed, while COMMIT was under way.
    Unknown,
}

/// One step of a transaction that writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// The transaction's id is appended to this list.
    Append(u64),
    /// Money goes from an account to another.
    Transfer {
        /// Loses it.
        from: usize,
        /// Gets it.
        to: usize,
        /// How much.
        amount: i64,
    },
    /// This table is dropped, and made again with the id in it.
    Remake(u64),
    /// All ballast goes; so many rows of new ballast have the id.
    Ballast(u64),
}

/// What a transaction saw, all of it of one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct View {
    /// Transactions that were committed by then, by the server's own count.
    pub(crate) number: u64,
    /// Those lists that were read.
    pub(crate) lists: BTreeMap<u64, Vec<Id>>,
    /// All accounts.
    pub(crate) balances: Vec<i64>,
    /// Who made each table that was read.
    pub(crate) tables: BTreeMap<u64, Id>,
    /// Rows of ballast, smallest and largest id in them.
    pub(crate) ballast: (u64, Id, Id),
}

/// A transaction that writes.
#[derive(Debug, Clone)]
pub(crate) struct Write {
    /// Its number.
    pub(crate) id: Id,
    /// Before its first message was sent.
    pub(crate) begun: Tick,
    /// After the last answer.
    pub(crate) ended: Tick,
    /// What it was to change, in this order.
    pub(crate) changes: Vec<Change>,
    /// What it read before it changed anything, with its own number in the order of commits.
    pub(crate) saw: Option<View>,
    /// How it ended.
    pub(crate) outcome: Outcome,
}

/// A transaction that only reads, and was answered.
#[derive(Debug, Clone)]
pub(crate) struct Read {
    /// Who was asked.
    pub(crate) at: At,
    /// Before its first message was sent.
    pub(crate) begun: Tick,
    /// After the last answer.
    pub(crate) ended: Tick,
    /// The answer.
    pub(crate) saw: View,
}

/// All that clients did in a round.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    /// Transactions that wrote, or tried.
    pub(crate) writes: Vec<Write>,
    /// Transactions that read.
    pub(crate) reads: Vec<Read>,
    /// Changes of the list of databases, in the order in which their one client asked for them.
    pub(crate) databases: Vec<Step>,
}

impl History {
    /// Adds what another client did.
    pub(crate) fn join(&mut self, other: Self) {
        self.writes.extend(other.writes);
        self.reads.extend(other.reads);
        self.databases.extend(other.databases);
    }

    /// Transactions with this outcome.
    pub(crate) fn count(&self, outcome: Outcome) -> usize {
        let with = |write: &&Write| write.outcome == outcome;
        self.writes.iter().filter(with).count()
    }
}
