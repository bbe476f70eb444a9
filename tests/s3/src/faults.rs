//! What goes wrong on the way to the store, or in it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What happens to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// 503, and nothing is done.
    Unavailable,
    /// 403, and nothing is done.
    Forbidden,
    /// It is done, and the connection ends without an answer.
    LostAnswer,
    /// It is done, and the connection ends in the middle of the answer.
    CutAnswer,
    /// It is done after this time.
    Slow(Duration),
}

/// The faults of a server.
#[derive(Debug, Default)]
pub struct Faults {
    next: Mutex<VecDeque<(&'static str, Fault)>>,
    every: Mutex<Option<(usize, Fault)>>,
    ignores_conditions: Mutex<bool>,
    refuses_conditions: Mutex<bool>,
    refuses_deletes: Mutex<bool>,
    requests: AtomicUsize,
}

impl Faults {
    /// Has this happen to the next request of that method, after the ones that were asked for before.
    pub fn next(&self, method: &'static str, fault: Fault) {
        lock(&self.next).push_back((method, fault));
    }

    /// Has this happen to every so many-th request; 0: to none any more.
    pub fn every(&self, count: usize, fault: Fault) {
        *lock(&self.every) = (count > 0).then_some((count, fault));
    }

    /// An object is replaced although the request says that it must not be there.
    pub fn ignore_conditions(&self) {
        *lock(&self.ignores_conditions) = true;
    }

    /// A request with a condition is answered with 501.
    pub fn refuse_conditions(&self) {
        *lock(&self.refuses_conditions) = true;
    }

    /// Who asks may not remove anything: 403.
    pub fn refuse_deletes(&self) {
        *lock(&self.refuses_deletes) = true;
    }

    /// How many requests there were.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// Whether all that was asked for with [`Faults::next`] has happened.
    pub fn are_over(&self) -> bool {
        lock(&self.next).is_empty()
    }

    pub(crate) fn of(&self, method: &str) -> Option<Fault> {
        let count = self.requests.fetch_add(1, Ordering::SeqCst) + 1;
        let mut next = lock(&self.next);
        if next.front().is_some_and(|(of, _)| *of == method) {
            return next.pop_front().map(|(_, fault)| fault);
        }
        let every = *lock(&self.every);
        every.and_then(|(every, fault)| count.is_multiple_of(every).then_some(fault))
    }

    pub(crate) fn are_conditions_ignored(&self) -> bool {
        *lock(&self.ignores_conditions)
    }

    pub(crate) fn are_deletes_refused(&self) -> bool {
        *lock(&self.refuses_deletes)
    }

    pub(crate) fn are_conditions_refused(&self) -> bool {
        *lock(&self.refuses_conditions)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
