//! Judges a history: what no order of whole transactions explains is a fault.
//!
//! Each transaction that writes takes the next number from a table, so the final order of commits
//! is known, and with it the state after each of them. A read tells the number that it saw: all else
//! that it saw must be the state after exactly so many commits.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::{At, History, Id, Outcome, Read, View, Write};
use crate::state::States;

/// What is wrong with a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Acknowledged, and not in the final order.
    Lost(Id),
    /// In the final order, though the server said that it failed.
    Undead(Id),
    /// In the final order, and nobody tried it.
    FromNowhere(Id),
    /// In the final order more than once.
    Twice(Id),
    /// Committed before the other one, which had ended before it began.
    OutOfOrder(Id, Id),
    /// A transaction that wrote had another number, or saw something else than what was committed
    /// before it.
    WroteOn(Id, Difference),
    /// A read is no state after any number of commits.
    Torn(At, Difference),
    /// A read saw more commits than there are in the end.
    FromTheFuture(At, u64),
    /// A read saw a commit that nobody had begun yet.
    BeforeItsTime(At, u64),
    /// A read of the master misses a transaction that was acknowledged before it began.
    Stale(u64, u64),
    /// A read saw less than an earlier read of the same server.
    WentBack(At, u64, u64),
    /// The final state of a server is not what the final order makes.
    FinalState(At, Difference),
}

/// Seen, and what should have been seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    seen: Box<View>,
    right: Box<View>,
}

impl Difference {
    fn between(seen: &View, right: View) -> Option<Self> {
        (*seen != right).then(|| Self {
            seen: Box::new(seen.clone()),
            right: Box::new(right),
        })
    }
}

/// The end of a round: nobody writes any more, and all servers have all.
#[derive(Debug, Clone)]
pub(crate) struct Final {
    /// The transactions of this round in the order of their commits.
    pub(crate) order: Vec<Id>,
    /// What each server has.
    pub(crate) views: Vec<(At, View)>,
}

/// Judges what happened since `states`, and brings these up to date.
pub(crate) fn check(states: &mut States, history: &History, end: &Final) -> Vec<Fault> {
    let first = states.number() + 1;
    let writes: BTreeMap<Id, &Write> = history.writes.iter().map(|w| (w.id, w)).collect();
    let mut faults = Vec::new();
    let mut places: BTreeMap<Id, u64> = BTreeMap::new();
    for (number, id) in (first..).zip(&end.order) {
        let Some(write) = writes.get(id) else {
            faults.push(Fault::FromNowhere(*id));
            states.commit(*id, &[]);
            continue;
        };
        if write.outcome == Outcome::Failed {
            faults.push(Fault::Undead(*id));
        }
        if places.insert(*id, number).is_some() {
            faults.push(Fault::Twice(*id));
        }
        states.commit(*id, &write.changes);
    }
    let committed = |write: &&Write| write.outcome == Outcome::Committed;
    for write in history.writes.iter().filter(committed) {
        match places.get(&write.id) {
            None => faults.push(Fault::Lost(write.id)),
            Some(number) => faults.extend(wrote_on(states, write, *number)),
        }
    }
    faults.extend(real_time(history, &places));
    for read in &history.reads {
        if read.saw.number > states.number() {
            faults.push(Fault::FromTheFuture(read.at, read.saw.number));
        } else {
            let right = states.view(read.saw.number, &read.saw);
            let torn = Difference::between(&read.saw, right);
            faults.extend(torn.map(|difference| Fault::Torn(read.at, difference)));
        }
    }
    let begun = |number: u64| {
        let id = number
            .checked_sub(first)
            .and_then(|at| end.order.get(usize::try_from(at).ok()?));
        id.and_then(|id| writes.get(id)).map(|write| write.begun)
    };
    faults.extend(too_early(&history.reads, begun));
    faults.extend(monotonic(&history.reads));
    for (at, view) in &end.views {
        let right = states.view(states.number(), view);
        let wrong = Difference::between(view, right);
        faults.extend(wrong.map(|difference| Fault::FinalState(*at, difference)));
    }
    faults
}

/// What a writer read under its permit is the state of all commits before its own.
fn wrote_on(states: &States, write: &Write, number: u64) -> Option<Fault> {
    let saw = write.saw.as_ref()?;
    let mut right = states.view(number - 1, saw);
    right.number = number;
    Difference::between(saw, right).map(|difference| Fault::WroteOn(write.id, difference))
}

/// Something that happened in a span of time, and the number of commits that goes with it.
struct Span {
    begun: u64,
    ended: u64,
    number: u64,
}

/// The largest number among spans that ended before each of `asked` began.
fn newest_before<'a>(
    done: &mut [Span],
    asked: impl IntoIterator<Item = &'a Span>,
) -> Vec<(&'a Span, u64)> {
    done.sort_by_key(|span| span.ended);
    let mut asked: Vec<&Span> = asked.into_iter().collect();
    asked.sort_by_key(|span| span.begun);
    let (mut at, mut newest) = (0, 0);
    asked
        .into_iter()
        .map(|span| {
            while done
                .get(at)
                .is_some_and(|earlier| earlier.ended < span.begun)
            {
                newest = newest.max(done[at].number);
                at += 1;
            }
            (span, newest)
        })
        .collect()
}

/// Commits are in the order in which they were acknowledged and asked for; the master shows what it
/// has acknowledged.
fn real_time(history: &History, places: &BTreeMap<Id, u64>) -> Vec<Fault> {
    let acknowledged = || {
        let committed = history
            .writes
            .iter()
            .filter(|write| write.outcome == Outcome::Committed);
        committed.filter_map(|write| {
            Some(Span {
                begun: write.begun,
                ended: write.ended,
                number: *places.get(&write.id)?,
            })
        })
    };
    let mut done: Vec<Span> = acknowledged().collect();
    let ids: BTreeMap<u64, Id> = places.iter().map(|(id, number)| (*number, *id)).collect();
    let mut faults = Vec::new();
    for (write, newest) in newest_before(&mut done, &acknowledged().collect::<Vec<_>>()) {
        if newest >= write.number {
            faults.push(Fault::OutOfOrder(ids[&write.number], ids[&newest]));
        }
    }
    let reads = spans(history.reads.iter().filter(|read| read.at == At::Master));
    for (read, newest) in newest_before(&mut done, &reads) {
        if newest > read.number {
            faults.push(Fault::Stale(newest, read.number));
        }
    }
    faults
}

fn spans<'a>(reads: impl Iterator<Item = &'a Read>) -> Vec<Span> {
    reads
        .map(|read| Span {
            begun: read.begun,
            ended: read.ended,
            number: read.saw.number,
        })
        .collect()
}

fn too_early(reads: &[Read], begun: impl Fn(u64) -> Option<u64>) -> Vec<Fault> {
    let early = |read: &&Read| begun(read.saw.number).is_some_and(|begun| read.ended < begun);
    let fault = |read: &Read| Fault::BeforeItsTime(read.at, read.saw.number);
    reads.iter().filter(early).map(fault).collect()
}

/// No server ever shows less than what it has shown, to whomever.
fn monotonic(reads: &[Read]) -> Vec<Fault> {
    let servers: BTreeSet<At> = reads.iter().map(|read| read.at).collect();
    let mut faults = Vec::new();
    for at in servers {
        let on_it = || reads.iter().filter(|read| read.at == at);
        let (mut done, asked) = (spans(on_it()), spans(on_it()));
        for (read, newest) in newest_before(&mut done, &asked) {
            if newest > read.number {
                faults.push(Fault::WentBack(at, newest, read.number));
            }
        }
    }
    faults
}
