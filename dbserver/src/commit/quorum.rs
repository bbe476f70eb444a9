//! Which commits enough slaves have (`SyncSlaves`): a state machine without I/O.
//!
//! ```text
//!   the log's writer ── wrote ──▶ ┌────────┐
//!   dbrepl ─ acknowledged, fed ─▶ │ Quorum │ ─▶ released: what readers may see, and clients are told of
//!   an operator, time ─ alone ──▶ └────────┘
//! ```
//! A slave's word counts where this log has the same chain hash at the same place: then the slave has this history up to
//! there, and no other one.

use std::collections::{BTreeMap, VecDeque};

use dbconfig::SyncSlaves;
use fwlog::{CommitNumber, Durable, LogPoint};

/// Ends of groups of commits that are remembered. A slave that is further behind is believed once it is near the end.
const BORDERS: usize = 1 << 16;

/// How far a log goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Reach {
    /// Bytes of log: what is no commit has a place, too.
    pub(crate) bytes: u64,
    /// The newest commit.
    pub(crate) commit: CommitNumber,
}

impl Reach {
    /// Where a commit is, whatever lies around it.
    pub(crate) fn of_commit(commit: CommitNumber) -> Self {
        Self { bytes: 0, commit }
    }
}

impl From<&Durable> for Reach {
    fn from(durable: &Durable) -> Self {
        Self {
            bytes: durable.log_bytes,
            commit: durable.commit,
        }
    }
}

/// What is known of a slave.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Acknowledged {
    /// It is fed at the moment.
    pub(crate) is_fed: bool,
    /// On its disk.
    pub(crate) durable: Reach,
    /// Visible to its readers.
    pub(crate) applied: Reach,
}

/// See the module's page.
#[derive(Debug)]
pub(crate) struct Quorum {
    rule: Option<SyncSlaves>,
    /// This instance's name: one file may be for all machines, and then it stands in it.
    own: String,
    local: Reach,
    /// Ascending.
    borders: VecDeque<(LogPoint, Reach)>,
    /// All that this server feeds, or would.
    slaves: BTreeMap<String, Acknowledged>,
    /// Too few slaves have answered for too long: this disk is enough until they have caught up.
    is_alone: bool,
}

impl Quorum {
    /// With a log that ends there.
    pub(crate) fn new(own: &str, rule: Option<SyncSlaves>) -> Self {
        Self {
            rule,
            own: own.to_owned(),
            local: Reach::default(),
            borders: VecDeque::new(),
            slaves: BTreeMap::new(),
            is_alone: false,
        }
    }

    /// For whom commits wait.
    pub(crate) fn rule(&self) -> Option<&SyncSlaves> {
        self.rule.as_ref()
    }

    pub(crate) fn set_rule(&mut self, rule: Option<SyncSlaves>) {
        self.rule = rule;
    }

    /// The log goes on behind this point: of what was before, and of what was acknowledged of it, nothing is said.
    pub(crate) fn begin(&mut self, end: &Durable) {
        self.borders.clear();
        self.local = Reach::default();
        self.wrote(end);
    }

    /// The log is on this server's disk up to there.
    pub(crate) fn wrote(&mut self, durable: &Durable) {
        let reach = Reach::from(durable);
        if reach.bytes < self.local.bytes {
            return;
        }
        self.local = reach;
        let is_known = self
            .borders
            .back()
            .is_some_and(|(at, _)| *at == durable.point);
        if is_known {
            return;
        }
        if self.rule.is_none() {
            // Nobody is asked; whoever is from now on has to have all that is there.
            self.borders.clear();
        }
        self.borders.push_back((durable.point, reach));
        if self.borders.len() > BORDERS {
            self.borders.pop_front();
        }
    }

    /// What is on this server's disk.
    pub(crate) fn local(&self) -> Reach {
        self.local
    }

    /// These are the sources now, and whether each is fed at the moment. What one has acknowledged it has, also when it is
    /// fed no more.
    pub(crate) fn set_sources(&mut self, sources: &[(String, bool)]) {
        self.slaves
            .retain(|name, _| sources.iter().any(|(source, _)| source == name));
        for (name, is_fed) in sources {
            self.slaves.entry(name.clone()).or_default().is_fed = *is_fed;
        }
    }

    /// A slave says how far it is.
    pub(crate) fn acknowledged(&mut self, name: &str, durable: LogPoint, applied: LogPoint) {
        let (durable, applied) = (self.reach_at(durable), self.reach_at(applied));
        let Some(slave) = self.slaves.get_mut(name) else {
            return;
        };
        // It does not go back: where it has lost its disk, it comes as one that is not fed yet.
        slave.durable = slave.durable.max(durable.unwrap_or_default());
        slave.applied = slave.applied.max(applied.unwrap_or_default());
    }

    /// What lies before a point, where this log has it with that hash.
    fn reach_at(&self, point: LogPoint) -> Option<Reach> {
        let at = self
            .borders
            .binary_search_by_key(&point.position, |(border, _)| border.position);
        let (border, reach) = self.borders.get(at.ok()?)?;
        (border.hash == point.hash).then_some(*reach)
    }

    pub(crate) fn is_alone(&self) -> bool {
        self.is_alone
    }

    pub(crate) fn set_alone(&mut self, is_alone: bool) {
        self.is_alone = is_alone;
    }

    /// What this disk and enough slaves have, also where this server goes on alone.
    pub(crate) fn acknowledged_by_enough(&self) -> Reach {
        self.confirmed(|slave| slave.durable)
    }

    /// What readers may see.
    pub(crate) fn released(&self) -> Reach {
        self.unless_alone(|slave| slave.durable)
    }

    /// What the readers of enough slaves see, too.
    pub(crate) fn applied(&self) -> Reach {
        self.unless_alone(|slave| slave.applied)
    }

    fn unless_alone(&self, of: impl Fn(&Acknowledged) -> Reach) -> Reach {
        if self.is_alone {
            self.local
        } else {
            self.confirmed(of)
        }
    }

    /// What this disk and enough slaves have.
    fn confirmed(&self, of: impl Fn(&Acknowledged) -> Reach) -> Reach {
        let Some(rule) = &self.rule else {
            return self.local;
        };
        let there = match rule {
            SyncSlaves::Any { count, of: names } => {
                let is_named = |name: &str| names.is_empty() || names.iter().any(|it| it == name);
                self.best(*count, is_named, of)
            }
            SyncSlaves::First { count, of: names } => self.first(*count, names, of),
            SyncSlaves::Majority => {
                let others = self.slaves.keys().filter(|name| **name != self.own);
                // With this server more than half.
                self.best(others.count().div_ceil(2), |_| true, of)
            }
        };
        there.min(self.local)
    }

    /// What `count` of those have; nothing while there are fewer.
    fn best(
        &self,
        count: usize,
        is_meant: impl Fn(&str) -> bool,
        of: impl Fn(&Acknowledged) -> Reach,
    ) -> Reach {
        let Some(last) = count.checked_sub(1) else {
            return self.local;
        };
        let meant = self
            .slaves
            .iter()
            .filter(|(name, _)| **name != self.own && is_meant(name));
        let mut reaches: Vec<Reach> = meant.map(|(_, slave)| of(slave)).collect();
        reaches.sort_unstable_by(|a, b| b.cmp(a));
        reaches.get(last).copied().unwrap_or_default()
    }

    /// What the first of those have that are fed.
    fn first(&self, count: usize, names: &[String], of: impl Fn(&Acknowledged) -> Reach) -> Reach {
        let fed = names
            .iter()
            .filter(|name| **name != self.own)
            .filter_map(|name| self.slaves.get(name))
            .filter(|slave| slave.is_fed);
        let first: Vec<Reach> = fed.take(count).map(of).collect();
        if first.len() < count {
            return Reach::default();
        }
        first.into_iter().min().unwrap_or_default()
    }

    /// How a slave counts, in the words of `pg_stat_replication`: its priority, and `sync`, `potential`, `quorum` or `async`.
    pub(crate) fn place_of(&self, name: &str) -> (u32, &'static str) {
        let is_named = |names: &[String]| names.iter().any(|it| it == name);
        match &self.rule {
            Some(SyncSlaves::Majority) => (1, "quorum"),
            Some(SyncSlaves::Any { of, .. }) if of.is_empty() || is_named(of) => (1, "quorum"),
            None | Some(SyncSlaves::Any { .. }) => (0, "async"),
            Some(SyncSlaves::First { count, of }) => {
                let others = of.iter().filter(|it| **it != self.own);
                let Some(at) = others.clone().position(|it| it == name) else {
                    return (0, "async");
                };
                let is_fed = |it: &&String| self.slaves.get(*it).is_some_and(|it| it.is_fed);
                let before = others.take(at).filter(is_fed).count();
                let state = if before < *count && is_fed(&&name.to_owned()) {
                    "sync"
                } else {
                    "potential"
                };
                (u32::try_from(at + 1).unwrap_or(u32::MAX), state)
            }
        }
    }

    /// What is known of each.
    pub(crate) fn slaves(&self) -> &BTreeMap<String, Acknowledged> {
        &self.slaves
    }
}

#[cfg(test)]
mod tests;
