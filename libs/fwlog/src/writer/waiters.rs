//! Threads that wait for a commit to become durable. Each is woken alone, when its own commit is.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::thread::Thread;

use crate::numbers::CommitNumber;

/// The threads that wait, by commit number.
#[derive(Default)]
pub(crate) struct Waiters {
    heap: BinaryHeap<Waiter>,
}

struct Waiter {
    commit: CommitNumber,
    thread: Thread,
}

impl Waiters {
    pub(crate) fn add(&mut self, commit: CommitNumber, thread: Thread) {
        self.heap.push(Waiter { commit, thread });
    }

    /// Takes out those who wait for `commit` or an earlier one.
    pub(crate) fn take_up_to(&mut self, commit: CommitNumber, taken: &mut Vec<Thread>) {
        while self
            .heap
            .peek()
            .is_some_and(|waiter| waiter.commit <= commit)
        {
            taken.extend(self.heap.pop().map(|waiter| waiter.thread));
        }
    }
}

/// The lowest commit is on top of the heap.
impl Ord for Waiter {
    fn cmp(&self, other: &Self) -> Ordering {
        other.commit.cmp(&self.commit)
    }
}

impl PartialOrd for Waiter {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Waiter {
    fn eq(&self, other: &Self) -> bool {
        self.commit == other.commit
    }
}

impl Eq for Waiter {}
