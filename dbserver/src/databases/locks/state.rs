//! Who holds what, who waits for it, and what was committed to it last.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Thread};

use pagestore::CommitNumber;
use rustc_hash::FxHashMap;

use crate::databases::locks::{Granted, Held, Mode, Thing};

/// A transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct OwnerId(u64);

/// A lock was not given: somebody else has one that excludes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blocked;

/// A place in a line.
#[derive(Debug)]
pub(super) struct Place {
    thread: Thread,
    granted: AtomicBool,
}

impl Place {
    pub(super) fn is_granted(&self) -> bool {
        self.granted.load(Ordering::Acquire)
    }
}

/// What came of asking for a lock.
#[derive(Debug)]
pub(super) enum Turn {
    Now(Granted),
    /// It is the asker's when [`Place::is_granted`], and is fetched with [`State::take_granted`].
    Later(Arc<Place>),
}

#[derive(Debug)]
struct Waiter {
    owner: OwnerId,
    mode: Mode,
    place: Arc<Place>,
}

#[derive(Debug, Default)]
struct Lock {
    holders: Vec<(OwnerId, Mode)>,
    line: VecDeque<Waiter>,
    /// The last commit of a holder, while somebody may have to know of it.
    committed: CommitNumber,
    /// The same, of one that has added rows without a word of each.
    added: CommitNumber,
}

#[derive(Debug)]
struct Standing {
    pid: i32,
    held: Vec<Thing>,
    /// Tables to which it adds rows without a word of each; they are among those that it holds.
    adds_to: Vec<Thing>,
    waits_for: Option<(Thing, Mode)>,
    /// It began after this commit.
    since: Option<CommitNumber>,
    snapshot: CommitNumber,
}

/// See the module's page.
#[derive(Debug, Default)]
pub(super) struct State {
    locks: FxHashMap<Thing, Lock>,
    owners: FxHashMap<OwnerId, Standing>,
    last_owner: u64,
    /// Which of a session's owners waits: it is one thread.
    waiting: FxHashMap<i32, OwnerId>,
    /// How many transactions began after a commit.
    snapshots: BTreeMap<CommitNumber, usize>,
    /// What was committed to, in the order of commits.
    history: VecDeque<(CommitNumber, Thing)>,
}

impl State {
    pub(super) fn enter(&mut self, pid: i32) -> OwnerId {
        self.last_owner += 1;
        let id = OwnerId(self.last_owner);
        let standing = Standing {
            pid,
            held: Vec::new(),
            adds_to: Vec::new(),
            waits_for: None,
            since: None,
            snapshot: CommitNumber::ZERO,
        };
        self.owners.insert(id, standing);
        id
    }

    /// Commits after this one are kept for the transaction from now on.
    pub(super) fn remember_since(&mut self, id: OwnerId, commit: CommitNumber) {
        *self.snapshots.entry(commit).or_default() += 1;
        let before = self
            .standing(id)
            .and_then(|standing| standing.since.replace(commit));
        if let Some(before) = before {
            self.forget_since(before);
        }
    }

    fn forget_since(&mut self, commit: CommitNumber) {
        if let Some(count) = self.snapshots.get_mut(&commit) {
            *count -= 1;
            if *count == 0 {
                self.snapshots.remove(&commit);
            }
        }
    }

    /// The transaction reads this commit.
    pub(super) fn reads(&mut self, id: OwnerId, commit: CommitNumber) {
        if let Some(standing) = self.standing(id) {
            standing.snapshot = commit;
        }
    }

    /// Gives the lock, unless somebody else has one, or stands in line for one, that excludes it.
    pub(super) fn try_lock(
        &mut self,
        id: OwnerId,
        thing: Thing,
        mode: Mode,
    ) -> Result<Granted, Blocked> {
        if !self.blockers(id, thing, mode).is_empty() {
            return Err(Blocked);
        }
        Ok(self.grant(id, thing, mode))
    }

    fn grant(&mut self, id: OwnerId, thing: Thing, mode: Mode) -> Granted {
        let lock = self.locks.entry(thing).or_default();
        assert!(
            lock.holders
                .iter()
                .all(|(holder, held)| *holder == id || !held.excludes(mode)),
            "nobody gets a lock while somebody has one that excludes it"
        );
        let (committed, added) = (lock.committed, lock.added);
        if let Some(held) = lock.holders.iter_mut().find(|(holder, _)| *holder == id) {
            held.1 = stronger(held.1, mode);
        } else {
            lock.holders.push((id, mode));
            if let Some(standing) = self.owners.get_mut(&id) {
                standing.held.push(thing);
            }
        }
        let snapshot = self.owners.get(&id).map(|standing| standing.snapshot);
        let after = |commit| snapshot.is_some_and(|snapshot| commit > snapshot);
        Granted {
            changed: after(committed),
            grown: after(added),
        }
    }

    /// Who keeps the transaction from the lock: holders, and those who stand in line before it.
    fn blockers(&self, id: OwnerId, thing: Thing, mode: Mode) -> Vec<OwnerId> {
        let Some(lock) = self.locks.get(&thing) else {
            return Vec::new();
        };
        let own = lock.holders.iter().find(|(holder, _)| *holder == id);
        if own.is_some_and(|(_, held)| held.includes(mode)) {
            return Vec::new();
        }
        let holders = lock
            .holders
            .iter()
            .filter(|(holder, held)| *holder != id && held.excludes(mode))
            .map(|(holder, _)| *holder);
        // Who has a weaker lock already would wait for those who wait for it.
        let before = lock
            .line
            .iter()
            .take_while(|waiter| waiter.owner != id)
            .filter(|waiter| own.is_none() && waiter.mode.excludes(mode))
            .map(|waiter| waiter.owner);
        holders.chain(before).collect()
    }

    /// Gives the lock, or a place in line. Both in one step: a lock that was free a moment ago may be somebody else's.
    ///
    /// Errors: the circle that the wait would close, as the lines of its description.
    pub(super) fn lock(&mut self, id: OwnerId, thing: Thing, mode: Mode) -> Result<Turn, String> {
        if let Ok(granted) = self.try_lock(id, thing, mode) {
            return Ok(Turn::Now(granted));
        }
        if let Some(circle) = self.circle(id, thing, mode) {
            return Err(circle);
        }
        let place = Arc::new(Place {
            thread: thread::current(),
            granted: AtomicBool::new(false),
        });
        let lock = self.locks.entry(thing).or_default();
        let waiter = Waiter {
            owner: id,
            mode,
            place: Arc::clone(&place),
        };
        if lock.holders.iter().any(|(holder, _)| *holder == id) {
            lock.line.push_front(waiter);
        } else {
            lock.line.push_back(waiter);
        }
        self.set_waiting(id, Some((thing, mode)));
        Ok(Turn::Later(place))
    }

    /// The description of the circle of those who would wait for each other.
    fn circle(&self, id: OwnerId, thing: Thing, mode: Mode) -> Option<String> {
        let mut seen = HashSet::new();
        let mut path = Vec::new();
        self.leads_back(id, (id, thing, mode), &mut seen, &mut path)
            .then(|| {
                path.reverse();
                path.join("\n")
            })
    }

    fn leads_back(
        &self,
        to: OwnerId,
        (from, thing, mode): (OwnerId, Thing, Mode),
        seen: &mut HashSet<OwnerId>,
        path: &mut Vec<String>,
    ) -> bool {
        for blocker in self.blockers(from, thing, mode) {
            let pid = self.pid(blocker);
            let back = pid == self.pid(to)
                || seen.insert(blocker)
                    && self.wait_of(pid).is_some_and(|(waiter, thing, mode)| {
                        self.leads_back(to, (waiter, thing, mode), seen, path)
                    });
            if back {
                path.push(format!(
                    "Process {} waits for {}; blocked by process {}.",
                    self.pid(from),
                    mode.name(),
                    self.pid(blocker)
                ));
                return true;
            }
        }
        false
    }

    /// What a session waits for, and for which of its owners.
    fn wait_of(&self, pid: i32) -> Option<(OwnerId, Thing, Mode)> {
        let waiter = *self.waiting.get(&pid)?;
        let (thing, mode) = self.owners.get(&waiter)?.waits_for?;
        Some((waiter, thing, mode))
    }

    fn set_waiting(&mut self, id: OwnerId, waits_for: Option<(Thing, Mode)>) {
        let Some(standing) = self.owners.get_mut(&id) else {
            return;
        };
        standing.waits_for = waits_for;
        if waits_for.is_some() {
            self.waiting.insert(standing.pid, id);
        } else {
            self.waiting.remove(&standing.pid);
        }
    }

    fn pid(&self, id: OwnerId) -> i32 {
        self.owners.get(&id).map_or(0, |standing| standing.pid)
    }

    /// The lock that a place in line was given for.
    pub(super) fn take_granted(&mut self, id: OwnerId, thing: Thing, mode: Mode) -> Granted {
        self.set_waiting(id, None);
        self.grant(id, thing, mode)
    }

    /// Steps out of the line. What was granted meanwhile is held, and goes with the transaction.
    pub(super) fn leave_line(&mut self, id: OwnerId, thing: Thing) {
        self.set_waiting(id, None);
        if let Some(lock) = self.locks.get_mut(&thing) {
            lock.line.retain(|waiter| waiter.owner != id);
        }
        self.serve(thing);
    }

    /// The transaction adds rows to a table that it has locked, without a word of each.
    pub(super) fn adds_to(&mut self, id: OwnerId, table: Thing) {
        if let Some(standing) = self.standing(id)
            && !standing.adds_to.contains(&table)
        {
            standing.adds_to.push(table);
        }
    }

    /// Gives back all that the transaction holds. `commit` is what it has committed, `durable` the commit up to which
    /// all snapshots can be.
    pub(super) fn release(
        &mut self,
        id: OwnerId,
        commit: Option<CommitNumber>,
        durable: CommitNumber,
    ) {
        let Some(standing) = self.standing(id) else {
            return;
        };
        let held = std::mem::take(&mut standing.held);
        let adds_to = std::mem::take(&mut standing.adds_to);
        standing.snapshot = CommitNumber::ZERO;
        if let Some(since) = standing.since.take() {
            self.forget_since(since);
        }
        for thing in held {
            if let Some(lock) = self.locks.get_mut(&thing) {
                let changed = lock
                    .holders
                    .iter()
                    .any(|(holder, mode)| *holder == id && mode.tells_of_changes());
                lock.holders.retain(|(holder, _)| *holder != id);
                if let Some(commit) = commit.filter(|_| changed) {
                    lock.committed = lock.committed.max(commit);
                    self.history.push_back((commit, thing));
                } else if let Some(commit) = commit.filter(|_| adds_to.contains(&thing)) {
                    lock.added = lock.added.max(commit);
                    self.history.push_back((commit, thing));
                }
            }
            self.serve(thing);
        }
        self.forget_history(durable);
    }

    /// What every transaction that runs or begins can see need not be remembered.
    fn forget_history(&mut self, durable: CommitNumber) {
        let oldest = self.snapshots.keys().next().copied();
        let seen_by_all = oldest.map_or(durable, |oldest| oldest.min(durable));
        while let Some((commit, thing)) = self.history.front().copied()
            && commit <= seen_by_all
        {
            self.history.pop_front();
            if let Some(lock) = self.locks.get_mut(&thing) {
                for known in [&mut lock.committed, &mut lock.added] {
                    if *known <= seen_by_all {
                        *known = CommitNumber::ZERO;
                    }
                }
                self.drop_if_unused(thing);
            }
        }
    }

    /// Gives the lock to those in line who can have it now.
    fn serve(&mut self, thing: Thing) {
        while let Some(lock) = self.locks.get_mut(&thing)
            && let Some(first) = lock.line.front()
        {
            let excluded = lock
                .holders
                .iter()
                .any(|(holder, held)| *holder != first.owner && held.excludes(first.mode));
            if excluded {
                break;
            }
            let Some(first) = lock.line.pop_front() else {
                break;
            };
            self.grant(first.owner, thing, first.mode);
            first.place.granted.store(true, Ordering::Release);
            first.place.thread.unpark();
        }
        self.drop_if_unused(thing);
    }

    fn drop_if_unused(&mut self, thing: Thing) {
        let unused = |lock: &Lock| {
            lock.holders.is_empty()
                && lock.line.is_empty()
                && [lock.committed, lock.added] == [CommitNumber::ZERO; 2]
        };
        if self.locks.get(&thing).is_some_and(unused) {
            self.locks.remove(&thing);
        }
    }

    pub(super) fn leave(&mut self, id: OwnerId, durable: CommitNumber) {
        self.release(id, None, durable);
        self.owners.remove(&id);
    }

    /// The sessions that a session waits for.
    pub(super) fn blockers_of(&self, pid: i32) -> Vec<i32> {
        let mut found: Vec<i32> = self
            .owners
            .iter()
            .filter(|(_, standing)| standing.pid == pid)
            .filter_map(|(id, standing)| standing.waits_for.map(|(thing, mode)| (*id, thing, mode)))
            .flat_map(|(id, thing, mode)| self.blockers(id, thing, mode))
            .map(|blocker| self.pid(blocker))
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The lock that a session waits for.
    pub(super) fn awaited_by(&self, pid: i32) -> Option<Mode> {
        let mut own = self.owners.values().filter(|owner| owner.pid == pid);
        own.find_map(|owner| owner.waits_for.map(|(_, mode)| mode))
    }

    /// All that are held, and those that are waited for.
    pub(super) fn list(&self) -> Vec<Held> {
        let held = self.locks.iter().flat_map(|(thing, lock)| {
            let holders = lock.holders.iter();
            holders.map(|(id, mode)| (*id, *thing, *mode, true))
        });
        let owners = self.owners.iter();
        let awaited = owners.filter_map(|(id, standing)| {
            let (thing, mode) = standing.waits_for?;
            Some((*id, thing, mode, false))
        });
        held.chain(awaited)
            .map(|(id, thing, mode, granted)| Held {
                pid: self.pid(id),
                thing,
                mode,
                granted,
            })
            .collect()
    }

    fn standing(&mut self, id: OwnerId) -> Option<&mut Standing> {
        self.owners.get_mut(&id)
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.locks.is_empty() && self.history.is_empty() && self.snapshots.is_empty()
    }
}

/// What both locks together exclude. Two that do not include each other (SHARE and ROW EXCLUSIVE) make one that does.
fn stronger(one: Mode, other: Mode) -> Mode {
    use crate::databases::locks::TableMode;
    if one.includes(other) {
        one
    } else if other.includes(one) {
        other
    } else {
        Mode::Table(TableMode::ShareRowExclusive)
    }
}
