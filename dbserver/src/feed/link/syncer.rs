//! Syncs the mirror while more is received: a thread that does nothing but wait for the disk.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender, TryRecvError};
use std::thread;

use fwlog::{IoFailure, PendingSync};

use crate::slave::SlaveLog;

/// What is known of the sync that was begun last.
pub(super) enum Outcome {
    /// None is on its way.
    Idle,
    /// It is on its way.
    Busy,
    /// It is over.
    Ended(PendingSync, Result<(), IoFailure>),
    /// Nobody knows how it ended: the thread is gone.
    Unknown,
}

/// The thread, and the one sync that may be on its way. The thread ends with this.
pub(super) struct Syncer {
    begin: Sender<PendingSync>,
    ended: Receiver<(PendingSync, Result<(), IoFailure>)>,
    is_busy: bool,
}

impl Syncer {
    /// A thread that has nothing to do yet. It rings the slave's bell at the end of each sync.
    pub(super) fn start(log: Arc<SlaveLog>) -> io::Result<Self> {
        let (begin, begun) = mpsc::channel::<PendingSync>();
        let (end, ended) = mpsc::channel();
        thread::Builder::new()
            .name("syncer".into())
            .spawn(move || {
                for sync in begun {
                    let result = sync.run();
                    if end.send((sync, result)).is_err() {
                        return;
                    }
                    log.ring();
                }
            })?;
        Ok(Self {
            begin,
            ended,
            is_busy: false,
        })
    }

    /// Whether one is on its way.
    pub(super) fn is_busy(&self) -> bool {
        self.is_busy
    }

    /// Begins a sync.
    pub(super) fn begin(&mut self, sync: PendingSync) {
        assert!(!self.is_busy, "one sync at a time");
        // A thread that is gone is seen where its answer is waited for.
        self.is_busy = true;
        drop(self.begin.send(sync));
    }

    /// Looks whether it is over.
    pub(super) fn look(&mut self) -> Outcome {
        if !self.is_busy {
            return Outcome::Idle;
        }
        let outcome = match self.ended.try_recv() {
            Ok((sync, result)) => Outcome::Ended(sync, result),
            Err(TryRecvError::Empty) => return Outcome::Busy,
            Err(TryRecvError::Disconnected) => Outcome::Unknown,
        };
        self.is_busy = false;
        outcome
    }

    /// Waits until it is over.
    pub(super) fn wait(&mut self) -> Outcome {
        if !std::mem::take(&mut self.is_busy) {
            return Outcome::Idle;
        }
        match self.ended.recv() {
            Ok((sync, result)) => Outcome::Ended(sync, result),
            Err(mpsc::RecvError) => Outcome::Unknown,
        }
    }
}
