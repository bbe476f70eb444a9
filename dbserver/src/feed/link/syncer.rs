//! Syncs the mirror while more is received: a thread that does nothing but wait for the disk.

use std::io;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use fwlog::{Block, IoFailure, PendingSync};

/// How a sync has ended, with the blocks that it was for.
pub(super) struct Ended {
    pub(super) sync: PendingSync,
    pub(super) result: Result<(), IoFailure>,
    pub(super) blocks: Vec<Block>,
}

/// The thread, and the one sync that may be on its way. The thread ends with this.
pub(super) struct Syncer {
    begin: Sender<(PendingSync, Vec<Block>)>,
    ended: Receiver<Ended>,
    is_busy: bool,
}

impl Syncer {
    /// A thread that has nothing to do yet.
    pub(super) fn start() -> io::Result<Self> {
        let (begin, begun) = mpsc::channel::<(PendingSync, Vec<Block>)>();
        let (end, ended) = mpsc::channel();
        thread::Builder::new()
            .name("syncer".into())
            .spawn(move || {
                for (sync, blocks) in begun {
                    let result = sync.run();
                    let ended = Ended {
                        sync,
                        result,
                        blocks,
                    };
                    if end.send(ended).is_err() {
                        return;
                    }
                }
            })?;
        Ok(Self {
            begin,
            ended,
            is_busy: false,
        })
    }

    /// Whether one is on its way: [`Syncer::end`] has to be called before the next one.
    pub(super) fn is_busy(&self) -> bool {
        self.is_busy
    }

    /// Begins a sync.
    pub(super) fn begin(&mut self, sync: PendingSync, blocks: Vec<Block>) {
        assert!(!self.is_busy, "one sync at a time");
        // A thread that is gone is seen where its answer is waited for.
        self.is_busy = true;
        drop(self.begin.send((sync, blocks)));
    }

    /// Waits until the sync that is on its way has ended; `None` where none is, or nobody knows how it
    /// ended.
    pub(super) fn end(&mut self) -> Option<Ended> {
        if !std::mem::take(&mut self.is_busy) {
            return None;
        }
        self.ended.recv().ok()
    }
}
