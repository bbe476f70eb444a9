//! The cuts that are open, and what ends them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fwlog::{SegmentId, Timestamp};
use pagestore::PageStore;
use serde::Serialize;

use crate::environment::cut::end::CutEnd;
use crate::environment::cut::open::{CutUse, OpenCut, Snapshots};
use crate::environment::cut::{Cut, CutId};
use crate::environment::status::Time;

/// A cut that nobody has at hand ends after this time.
const UNUSED: Duration = Duration::from_mins(1);

/// Whoever has copied a cut goes on from the log behind it: so long after the end of the cut that log is kept, until it
/// is known where the new slave is.
const AFTER: Duration = Duration::from_mins(10);

/// A cut, for who asks how things are.
#[derive(Clone, Debug, Serialize)]
pub struct CutStatus {
    /// Which one.
    pub id: u64,
    /// Who has taken it.
    pub who: String,
    /// When.
    pub since: Time,
    /// Its commit.
    pub commit: u64,
    /// Pages of all its databases.
    pub pages: u64,
    /// Those that were read and given back.
    pub given_pages: u64,
    /// Old images that are kept for it.
    pub kept_pages: u64,
    /// Bytes of them in memory.
    pub kept_memory_bytes: u64,
    /// Bytes of them in TmpDir.
    pub kept_scratch_bytes: u64,
}

impl CutStatus {
    fn of(cut: &OpenCut) -> Self {
        let pinned = cut.pinned();
        let pages = cut.cut().databases.iter().filter_map(|it| it.pages);
        Self {
            id: cut.cut().id.get(),
            who: cut.who().to_owned(),
            since: Time(cut.since()),
            commit: cut.cut().at.commit.get(),
            pages: pages.map(u64::from).sum(),
            given_pages: cut.given_pages(),
            kept_pages: pinned.pages,
            kept_memory_bytes: pinned.memory_bytes,
            kept_scratch_bytes: pinned.scratch_bytes,
        }
    }
}

/// All open cuts of an environment.
#[derive(Debug)]
pub struct Cuts(Mutex<State>);

#[derive(Debug)]
struct State {
    next: u64,
    open: BTreeMap<CutId, Entry>,
    /// What those need that have ended, and when that was.
    ended: Vec<(SegmentId, Instant)>,
}

#[derive(Debug)]
struct Entry {
    cut: Arc<OpenCut>,
    /// The first segment that a reader of it may ask for.
    needs: Option<SegmentId>,
    /// When nobody was seen to have it at hand; told by [`Cuts::look`].
    unused_since: Option<Instant>,
}

impl Cuts {
    /// None yet. Numbers begin with the time of the start: one that was given before means no other cut now.
    pub(crate) fn new(now: Timestamp) -> Self {
        Self(Mutex::new(State {
            next: now.micros(),
            open: BTreeMap::new(),
            ended: Vec::new(),
        }))
    }

    /// Takes in a cut that `describe` gives a description for its number. From `needs` on no segment is removed.
    pub(super) fn open(
        &self,
        describe: impl FnOnce(CutId) -> Cut,
        snapshots: Snapshots,
        needs: Option<SegmentId>,
        (who, since): (&str, Timestamp),
    ) -> CutUse {
        let mut state = self.state();
        let id = CutId::new(state.next);
        state.next += 1;
        let cut = OpenCut::new(describe(id), snapshots, who.to_owned(), since);
        let cut = Arc::new(cut);
        let used = CutUse::of(&cut);
        let entry = Entry {
            cut,
            needs,
            unused_since: None,
        };
        state.open.insert(id, entry);
        used
    }

    /// One more reader of an open cut.
    pub fn attach(&self, id: CutId) -> Option<CutUse> {
        self.state()
            .open
            .get(&id)
            .map(|entry| CutUse::of(&entry.cut))
    }

    /// Who has taken it needs it no more.
    pub fn close(&self, id: CutId) {
        self.end_those(CutEnd::Closed, |entry| entry.cut.cut().id == id);
    }

    /// All of them end.
    pub(crate) fn end_all(&self, why: CutEnd) {
        self.end_those(why, |_| true);
    }

    /// A checkpoint of this store can't keep what they need, or could not: they end. Gives how many.
    pub(crate) fn make_way(&self, store: &PageStore) -> usize {
        self.end_those(CutEnd::NoRoom, |entry| entry.cut.holds(store))
    }

    /// `TmpDir` has little room: those end that take some of it. Gives how many.
    pub(crate) fn give_room(&self) -> usize {
        self.end_those(CutEnd::NoRoom, |entry| entry.cut.pinned().scratch_bytes > 0)
    }

    /// Looked at now and then, at this time: those end that nobody uses. Gives how many.
    pub(crate) fn look(&self, now: Instant) -> usize {
        self.end_those(CutEnd::Unused, |entry| {
            if entry.cut.is_used() {
                entry.unused_since = None;
                return false;
            }
            let since = *entry.unused_since.get_or_insert(now);
            now.saturating_duration_since(since) >= UNUSED
        })
    }

    /// Segments from this one on may be asked for by readers of cuts: nobody removes them.
    pub fn needs_from(&self) -> Option<SegmentId> {
        self.state()
            .open
            .values()
            .filter_map(|entry| entry.needs)
            .min()
    }

    /// Segments from this one on are kept for readers of cuts, and for those who have read one not long ago.
    pub fn holds_from(&self, now: Instant) -> Option<SegmentId> {
        let needs = self.needs_from();
        let mut state = self.state();
        state
            .ended
            .retain(|(_, ended)| now.saturating_duration_since(*ended) < AFTER);
        let ended = state.ended.iter().map(|(needs, _)| *needs);
        ended.chain(needs).min()
    }

    /// What is known now of what it needs.
    pub(super) fn set_needs(&self, id: CutId, needs: Option<SegmentId>) {
        if let Some(entry) = self.state().open.get_mut(&id) {
            entry.needs = needs;
        }
    }

    /// All of them, the oldest first.
    pub fn list(&self) -> Vec<CutStatus> {
        let open: Vec<_> = self
            .state()
            .open
            .values()
            .map(|e| Arc::clone(&e.cut))
            .collect();
        open.iter().map(|cut| CutStatus::of(cut)).collect()
    }

    fn end_those(&self, why: CutEnd, mut which: impl FnMut(&mut Entry) -> bool) -> usize {
        let (mut ended, mut needed) = (Vec::new(), Vec::new());
        let mut state = self.state();
        state.open.retain(|_, entry| {
            let ends = which(entry);
            if ends {
                ended.push(Arc::clone(&entry.cut));
                needed.extend(entry.needs.map(|needs| (needs, Instant::now())));
            }
            !ends
        });
        state.ended.extend(needed);
        drop(state);
        // No lock while pages go.
        ended.iter().filter(|cut| end(cut, why)).count()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn end(cut: &OpenCut, why: CutEnd) -> bool {
    let (who, pages) = (cut.who(), cut.given_pages());
    let ended = cut.end(why);
    match why {
        CutEnd::NoRoom if ended => {
            tracing::warn!(
                who,
                given_pages = pages,
                "{why}; whoever copies goes on with a new one"
            );
        }
        CutEnd::Unused | CutEnd::Closed | CutEnd::Stopping | CutEnd::NoRoom => {
            tracing::debug!(who, given_pages = pages, "{why}");
        }
    }
    ended
}
