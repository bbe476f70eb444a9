//! The way from the mirror to the applier.
//!
//! A few runs of blocks wait in memory, and whoever brings more waits for room. As long as the applier waits for a
//! reader of the slave, nobody waits with it: what comes lies in the log, and the applier reads it there afterwards.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dbproto::Progress;
use fwlog::{Block, Position};

/// Runs of blocks that wait in memory.
const QUEUED_RUNS: usize = 4;

/// Done once by the applier, between two runs.
pub(crate) type Errand = Box<dyn FnOnce() + Send>;

/// What the applier gets.
pub(crate) enum Work {
    /// Blocks, and the state of the log behind them.
    Blocks(Vec<Block>, Progress),
    /// Nothing to apply up to here: a segment began or was sealed.
    Reached(Progress),
    /// From where it is up to here, or further, it reads the log; then it says so by [`WorkQueue::has_read`].
    Log(Progress),
    /// All before it is shown, and nothing behind it: then this is done.
    Between(Errand),
    /// No more will come.
    Stop,
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blocks(blocks, end) => write!(f, "{} blocks up to {end:?}", blocks.len()),
            Self::Reached(end) => write!(f, "reached {end:?}"),
            Self::Log(end) => write!(f, "the log up to {end:?}"),
            Self::Between(_) => f.write_str("an errand"),
            Self::Stop => f.write_str("the end"),
        }
    }
}

impl Work {
    /// Where it ends in the log.
    fn end(&self) -> Option<Progress> {
        match self {
            Self::Blocks(_, end) | Self::Reached(end) | Self::Log(end) => Some(*end),
            Self::Between(_) | Self::Stop => None,
        }
    }
}

/// The applier has ended, or the queue is full.
#[derive(Debug)]
pub(crate) enum NotTaken {
    Full(Work),
    Ended,
}

#[derive(Debug, Default)]
struct State {
    runs: VecDeque<Work>,
    /// Behind the runs the applier has to read the log, up to here.
    rest: Option<Progress>,
    /// The applier waits for a reader.
    waits_for_reader: bool,
    stop: bool,
    /// Nobody takes anything any more.
    ended: bool,
    /// So many wait for `changed`.
    waiters: usize,
}

impl State {
    /// Takes a piece, if there is a place for it.
    fn put(&mut self, piece: Work) -> Result<(), NotTaken> {
        if self.ended {
            return Err(NotTaken::Ended);
        }
        let is_full = self.runs.len() >= QUEUED_RUNS;
        match piece.end() {
            Some(end) if self.rest.is_some() || (is_full && self.waits_for_reader) => {
                self.rest = Some(end);
                Ok(())
            }
            _ if is_full => Err(NotTaken::Full(piece)),
            _ => {
                self.runs.push_back(piece);
                Ok(())
            }
        }
    }

    fn next(&mut self) -> Option<Work> {
        let piece = self.runs.pop_front();
        piece
            .or_else(|| self.stop.then_some(Work::Stop))
            .or_else(|| self.rest.map(Work::Log))
    }
}

/// The queue, as the mirror's side has it.
#[derive(Debug, Default)]
pub(crate) struct WorkQueue {
    state: Mutex<State>,
    changed: Condvar,
}

/// The applier's end of it. Once it is gone nothing is taken any more.
pub(crate) struct WorkReceiver(Arc<WorkQueue>);

impl WorkQueue {
    /// Both ends of a new one.
    pub(super) fn new() -> (Arc<Self>, WorkReceiver) {
        let queue = Arc::new(Self::default());
        (Arc::clone(&queue), WorkReceiver(queue))
    }

    /// Queues a piece; waits while much is queued. `false`: applying has ended.
    pub(crate) fn put(&self, mut piece: Work) -> bool {
        let mut state = self.state();
        loop {
            match state.put(piece) {
                Ok(()) => {
                    self.ring(state);
                    return true;
                }
                Err(NotTaken::Ended) => return false,
                Err(NotTaken::Full(again)) => piece = again,
            }
            state = self.wait(state, None);
        }
    }

    /// The same without a wait.
    pub(crate) fn try_put(&self, piece: Work) -> Result<(), NotTaken> {
        let mut state = self.state();
        state.put(piece)?;
        self.ring(state);
        Ok(())
    }

    /// Nothing comes behind what is queued.
    pub(super) fn stop(&self) {
        let mut state = self.state();
        state.stop = true;
        self.ring(state);
    }

    /// The applier waits for a reader, or does not any more.
    pub(super) fn waits_for_reader(&self, waits: bool) {
        let mut state = self.state();
        if state.waits_for_reader != waits {
            state.waits_for_reader = waits;
            self.ring(state);
        }
    }

    /// The applier reads the log up to there before anything else.
    pub(super) fn is_left_to_the_log(&self, end: Progress) {
        let mut state = self.state();
        state.rest = Some(end);
        self.ring(state);
    }

    /// The applier has read the log up to there. `true`: that is all, and what comes from now on is queued again.
    pub(crate) fn has_read(&self, up_to: Position) -> bool {
        let mut state = self.state();
        let is_all = state.rest.is_none_or(|rest| rest.point.position <= up_to);
        if is_all {
            state.rest = None;
        }
        is_all
    }

    fn ring(&self, state: MutexGuard<'_, State>) {
        let waiters = state.waiters;
        drop(state);
        if waiters > 0 {
            self.changed.notify_all();
        }
    }

    fn wait<'s>(
        &self,
        mut state: MutexGuard<'s, State>,
        at_most: Option<Duration>,
    ) -> MutexGuard<'s, State> {
        state.waiters += 1;
        let mut state = if let Some(time) = at_most {
            let waited = self.changed.wait_timeout(state, time);
            waited.unwrap_or_else(PoisonError::into_inner).0
        } else {
            let waited = self.changed.wait(state);
            waited.unwrap_or_else(PoisonError::into_inner)
        };
        state.waiters -= 1;
        state
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl WorkReceiver {
    /// What comes next; waits for it, so long at most if there is a limit.
    pub(crate) fn next(&self, at_most: Option<Duration>) -> Option<Work> {
        let queue = &self.0;
        let mut state = queue.state();
        loop {
            let piece = state.next();
            if piece.is_some() {
                queue.ring(state);
                return piece;
            }
            state = queue.wait(state, at_most);
            if at_most.is_some() {
                let piece = state.next();
                queue.ring(state);
                return piece;
            }
        }
    }

    /// What comes next, if something is there.
    pub(crate) fn try_next(&self) -> Option<Work> {
        let mut state = self.0.state();
        let piece = state.next()?;
        self.0.ring(state);
        Some(piece)
    }
}

impl Drop for WorkReceiver {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.ended = true;
        state.runs.clear();
        self.0.ring(state);
    }
}

impl fmt::Debug for WorkReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WorkReceiver")
    }
}

#[cfg(test)]
mod tests {
    use fwlog::{ChainHash, CommitNumber, LogPoint, Timestamp};

    use super::*;

    fn at(offset: u64) -> Progress {
        let position = format!("1-1:{offset}").parse().unwrap();
        Progress {
            point: LogPoint::new(position, ChainHash::from_bytes([0; 32])),
            commit: CommitNumber::new(offset),
            time: Timestamp::ZERO,
        }
    }

    fn offsets(work: &WorkReceiver) -> Vec<u64> {
        let taken = std::iter::from_fn(|| work.try_next());
        let ends = taken.map_while(|piece| match piece {
            Work::Reached(end) => Some(end.point.position.offset),
            Work::Blocks(..) | Work::Log(_) | Work::Between(_) | Work::Stop => None,
        });
        ends.collect()
    }

    fn fill(queue: &WorkQueue) {
        for piece in 1..=4 {
            assert!(queue.try_put(Work::Reached(at(piece))).is_ok());
        }
    }

    #[test]
    fn while_the_applier_waits_for_a_reader_what_has_no_room_is_left_to_the_log() {
        let (queue, work) = WorkQueue::new();
        fill(&queue);
        let full = queue.try_put(Work::Reached(at(5)));
        assert!(matches!(full, Err(NotTaken::Full(_))));
        queue.waits_for_reader(true);
        assert!(queue.put(Work::Reached(at(5))));
        assert!(queue.put(Work::Reached(at(6))));
        queue.waits_for_reader(false);
        assert_eq!(offsets(&work), [1, 2, 3, 4]);
        // It stays so until the log is read to its end: in order, and nothing twice.
        assert!(queue.put(Work::Reached(at(7))));
        let rest = |work: &WorkReceiver| match work.try_next() {
            Some(Work::Log(end)) => Some(end.point.position.offset),
            _ => None,
        };
        assert_eq!(rest(&work), Some(7));
        assert!(!queue.has_read(at(6).point.position));
        assert_eq!(rest(&work), Some(7));
        assert!(queue.has_read(at(7).point.position));
        assert_eq!(rest(&work), None);
        assert!(queue.put(Work::Reached(at(8))));
        assert_eq!(offsets(&work), [8]);
    }

    #[test]
    fn who_waits_for_room_goes_on_when_the_applier_begins_to_wait_for_a_reader_or_ends() {
        let (queue, work) = WorkQueue::new();
        fill(&queue);
        let put = |offset| {
            let queue = Arc::clone(&queue);
            std::thread::spawn(move || queue.put(Work::Reached(at(offset))))
        };
        let waits = put(5);
        queue.waits_for_reader(true);
        assert!(waits.join().unwrap());
        queue.waits_for_reader(false);
        assert_eq!(offsets(&work), [1, 2, 3, 4]);
        assert!(queue.has_read(at(5).point.position));
        fill(&queue);
        let waits = put(6);
        drop(work);
        assert!(!waits.join().unwrap());
        assert!(!queue.put(Work::Reached(at(7))));
    }

    #[test]
    fn what_is_queued_comes_before_the_end() {
        let (queue, work) = WorkQueue::new();
        assert!(queue.put(Work::Reached(at(1))));
        queue.stop();
        assert_eq!(offsets(&work), [1]);
        assert!(matches!(work.next(None), Some(Work::Stop)));
    }
}
