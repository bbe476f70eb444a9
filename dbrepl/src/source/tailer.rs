//! Reads the log on a thread of its own, up to the goal, and waits where it ends.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use fwlog::{Durable, Follow, FollowItem, Generation, LogLocation, Position, SegmentId, Timestamp};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;

use super::not_followed;
use crate::error::ShipError;
use crate::options::Goal;

/// Pieces that are read ahead of the connection.
const READ_AHEAD: usize = 3;

/// How often to look when the system tells of changes: a message may be lost, never the log.
const SLOW_POLL: Duration = Duration::from_secs(1);

/// How often to look when the system doesn't tell.
const FAST_POLL: Duration = Duration::from_millis(100);

/// What the log has next.
#[derive(Debug)]
pub enum TailItem {
    /// A segment begins.
    Segment {
        /// Its number.
        id: SegmentId,
        /// Its file.
        path: PathBuf,
        /// Its header as on disk.
        header: Bytes,
    },
    /// Whole blocks.
    Blocks {
        /// Where they begin.
        start: Position,
        /// Where they end.
        end: Position,
        /// As on disk.
        bytes: Bytes,
        /// Time of the last one.
        time: Timestamp,
        /// Bytes of log up to their end.
        log_bytes: u64,
    },
    /// The segment ends.
    Seal {
        /// The seal as on disk.
        bytes: Bytes,
    },
    /// For now there is nothing more.
    UpToDate(Durable),
    /// The goal is reached: nothing more comes.
    Reached,
    /// Forward logging was switched off: nothing more comes.
    SwitchedOff,
    /// The log can't be read any further.
    Failed(ShipError),
}

/// The thread that reads. Dropping this ends it.
#[derive(Debug)]
pub struct Tailer {
    items: mpsc::Receiver<TailItem>,
    /// The thread waits on the other end; it ends when all senders are gone.
    _watcher: Option<RecommendedWatcher>,
    _wake: SyncSender<()>,
}

impl Tailer {
    /// Starts to read at a location. `piece` is about the number of bytes to take at a time.
    pub fn start(
        mut follow: Follow,
        location: &LogLocation,
        goal: Goal,
        piece: u64,
    ) -> Result<Self, ShipError> {
        follow.set_batch(usize::try_from(piece).unwrap_or(usize::MAX));
        if let Goal::Until(time) = goal {
            follow.set_until(Some(time));
        }
        let (wake, woken) = sync_channel(1);
        let watcher = watch(&location.directory, wake.clone());
        let poll = if watcher.is_some() {
            SLOW_POLL
        } else {
            FAST_POLL
        };
        let (out, items) = mpsc::channel(READ_AHEAD);
        let generation = None;
        let reading = Reading {
            location: location.clone(),
            follow,
            goal,
            generation,
            out,
            woken,
            poll,
            told: None,
        };
        thread::Builder::new()
            .name("tailer".to_owned())
            .spawn(move || reading.run())
            .map_err(|error| ShipError::passing(format!("can't start a thread: {error}")))?;
        Ok(Self {
            items,
            _watcher: watcher,
            _wake: wake,
        })
    }

    /// The next item; `None` after the last one. Cancelling loses nothing.
    pub async fn next(&mut self) -> Option<TailItem> {
        self.items.recv().await
    }
}

/// `None`: changes can't be watched here, only looked for.
fn watch(directory: &Path, wake: SyncSender<()>) -> Option<RecommendedWatcher> {
    let notice = move |event: notify::Result<notify::Event>| {
        let changed = event.is_ok_and(|event| !matches!(event.kind, EventKind::Access(_)));
        if changed {
            // A full channel already holds what would be said.
            let (Ok(()) | Err(_)) = wake.try_send(());
        }
    };
    let watcher = notify::recommended_watcher(notice).and_then(|mut watcher| {
        watcher.watch(directory, RecursiveMode::NonRecursive)?;
        Ok(watcher)
    });
    watcher
        .inspect_err(|error| tracing::debug!("can't watch {}: {error}", directory.display()))
        .ok()
}

struct Reading {
    location: LogLocation,
    follow: Follow,
    goal: Goal,
    /// The generation that the slave stands in, once something of it was read.
    generation: Option<Generation>,
    out: mpsc::Sender<TailItem>,
    woken: Receiver<()>,
    poll: Duration,
    /// The end of the log that was given last.
    told: Option<Durable>,
}

/// What to do after an item.
enum Next {
    Read,
    Wait,
    Stop,
}

impl Reading {
    fn run(mut self) {
        loop {
            let next = match self.follow.next() {
                Ok(item) => self.give(item),
                Err(error) => {
                    self.send(TailItem::Failed(not_followed(&self.location, error)));
                    Next::Stop
                }
            };
            match next {
                Next::Read => {}
                Next::Wait => match self.woken.recv_timeout(self.poll) {
                    Ok(()) | Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => return,
                },
                Next::Stop => return,
            }
        }
    }

    fn send(&self, item: TailItem) -> Next {
        if self.out.blocking_send(item).is_ok() {
            Next::Read
        } else {
            Next::Stop
        }
    }

    fn reached(&self) -> Next {
        self.send(TailItem::Reached);
        Next::Stop
    }

    fn give(&mut self, item: FollowItem) -> Next {
        match item {
            FollowItem::Segment {
                id,
                path,
                header_bytes,
            } => {
                let generation = *self.generation.get_or_insert(id.generation);
                if self.goal == Goal::Generation && id.generation != generation {
                    return self.reached();
                }
                self.send(TailItem::Segment {
                    id,
                    path,
                    header: header_bytes,
                })
            }
            FollowItem::Blocks {
                bytes,
                last,
                time,
                log_bytes,
                ..
            } => {
                let end = last.position;
                self.generation.get_or_insert(end.segment.generation);
                let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                let start = Position::new(end.segment, end.offset.saturating_sub(length));
                self.send(TailItem::Blocks {
                    start,
                    end,
                    bytes,
                    time,
                    log_bytes,
                })
            }
            FollowItem::Seal { bytes } => self.send(TailItem::Seal { bytes }),
            FollowItem::UpToDate(durable) => self.up_to_date(durable),
            FollowItem::Until(_) => self.reached(),
        }
    }

    fn up_to_date(&mut self, durable: Durable) -> Next {
        if self.told != Some(durable) {
            self.told = Some(durable);
            if let Next::Stop = self.send(TailItem::UpToDate(durable)) {
                return Next::Stop;
            }
        }
        if self.follow.switched_off() {
            self.send(TailItem::SwitchedOff);
            return Next::Stop;
        }
        let done = match self.goal {
            Goal::Follow => false,
            Goal::Synchronize | Goal::Generation => true,
            Goal::Until(time) => Timestamp::now() > time,
        };
        if done { self.reached() } else { Next::Wait }
    }
}
