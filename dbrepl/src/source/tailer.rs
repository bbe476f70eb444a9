//! Reads the log up to the goal for one slave, and waits where it ends.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use fwlog::{Durable, Follow, FollowItem, Generation, Position, SegmentId, Timestamp};
use tokio::task::{JoinHandle, spawn_blocking};

use super::piece::{Mark, Piece, Read, read};
use super::shared::{Behind, Member, SharedLog};
use crate::error::ShipError;
use crate::options::Goal;

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

/// Reads the log for one slave, and waits where it ends.
#[derive(Debug)]
pub struct Tailer {
    log: Arc<SharedLog>,
    way: Way,
    goal: Goal,
    /// About the number of bytes to take at a time.
    piece: usize,
    /// Where what was given ends.
    given: Mark,
    /// The generation that the slave stands in, once something of it was read.
    generation: Option<Generation>,
    /// The end of the log that was given last.
    told: Option<Durable>,
    /// What comes after the end of the log was told.
    last: Option<TailItem>,
    /// Nothing more comes.
    ended: bool,
}

/// Where the pieces come from.
#[derive(Debug)]
enum Way {
    /// A reader of its own: until the end of the log, and again where the slave has become too slow.
    Own(Own, Behind),
    /// The reader of all that are at the end of the log.
    Shared(Member),
    /// None: in between, and after a failure.
    None,
}

/// A reader of its own. Beside other slaves a thread of its own waits for the disk.
#[derive(Debug)]
enum Own {
    Ready(Box<Follow>),
    Reading(JoinHandle<(Box<Follow>, Read)>),
    Opening(JoinHandle<Result<Box<Follow>, ShipError>>),
    /// None: in between, and after a failure.
    Gone,
}

impl Tailer {
    /// Reads from a place on. `piece` is about the number of bytes to take at a time.
    pub fn new(log: &Arc<SharedLog>, mut follow: Box<Follow>, goal: Goal, piece: u64) -> Self {
        let piece = usize::try_from(piece).unwrap_or(usize::MAX);
        prepare(&mut follow, goal, piece);
        Self {
            log: Arc::clone(log),
            given: Mark::of(&follow),
            way: Way::Own(Own::Ready(follow), log.reads_alone()),
            goal,
            piece,
            generation: None,
            told: None,
            last: None,
            ended: false,
        }
    }

    /// The next item; `None` after the last one. Cancelling loses nothing.
    pub async fn next(&mut self) -> Option<TailItem> {
        if self.ended {
            return None;
        }
        loop {
            if let Some(last) = self.last.take() {
                self.ended = true;
                return Some(last);
            }
            let piece = match self.next_piece().await {
                Ok(piece) => piece,
                Err(failure) => {
                    self.way = Way::None;
                    self.ended = true;
                    return Some(TailItem::Failed(failure));
                }
            };
            let Some(piece) = piece.behind(self.given) else {
                continue;
            };
            self.given = piece.end;
            let at_end = matches!(piece.item, FollowItem::UpToDate(_));
            let item = self.item(piece);
            if at_end && self.last.is_none() {
                self.join();
            }
            if item.is_some() {
                self.ended = matches!(item, Some(TailItem::Reached | TailItem::SwitchedOff));
                return item;
            }
        }
    }

    async fn next_piece(&mut self) -> Read {
        loop {
            match &mut self.way {
                Way::Own(own, _) => return own.next(&self.log).await,
                Way::Shared(member) => match member.next(&self.log).await {
                    Some(piece) => return piece,
                    None => self.read_alone(),
                },
                Way::None => return Err(gone()),
            }
        }
    }

    /// All that the log has was given: from here on this slave gets what others get.
    fn join(&mut self) {
        let way = std::mem::replace(&mut self.way, Way::None);
        self.way = match way {
            Way::Own(Own::Ready(follow), behind) => match self.log.join(follow) {
                Ok(member) => {
                    tracing::debug!(at = %self.given.point.position, "at the end of the log");
                    Way::Shared(member)
                }
                Err(follow) => Way::Own(Own::Ready(follow), behind),
            },
            other => other,
        };
    }

    /// What this slave needs next is no longer in memory.
    fn read_alone(&mut self) {
        let (location, goal, piece) = (self.log.location().clone(), self.goal, self.piece);
        let point = self.given.point;
        tracing::debug!(at = %point.position, "too slow for the others: reads for itself");
        let open = spawn_blocking(move || {
            let follow = Follow::start(location, point);
            // The start of a connection knows what it means that the slave's place is not there.
            let mut follow = follow.map_err(|error| ShipError::passing(error.to_string()))?;
            prepare(&mut follow, goal, piece);
            Ok(Box::new(follow))
        });
        self.way = Way::Own(Own::Opening(open), self.log.reads_alone());
    }

    /// `None`: there is nothing to give before there is news.
    fn item(&mut self, piece: Piece) -> Option<TailItem> {
        Some(match piece.item {
            FollowItem::Segment {
                id,
                path,
                header_bytes,
            } => {
                let generation = *self.generation.get_or_insert(id.generation);
                if self.goal == Goal::Generation && id.generation != generation {
                    return Some(TailItem::Reached);
                }
                TailItem::Segment {
                    id,
                    path,
                    header: header_bytes,
                }
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
                TailItem::Blocks {
                    start,
                    end,
                    bytes,
                    time,
                    log_bytes,
                }
            }
            FollowItem::Seal { bytes } => TailItem::Seal { bytes },
            FollowItem::UpToDate(durable) => return self.up_to_date(durable, piece.switched_off),
            FollowItem::Until(_) => TailItem::Reached,
        })
    }

    fn up_to_date(&mut self, durable: Durable, switched_off: bool) -> Option<TailItem> {
        let is_news = self.told.replace(durable) != Some(durable);
        let reached = match self.goal {
            Goal::Follow => false,
            Goal::Synchronize | Goal::Generation => true,
            Goal::Until(time) => Timestamp::now() > time,
        };
        let last = if switched_off {
            Some(TailItem::SwitchedOff)
        } else {
            reached.then_some(TailItem::Reached)
        };
        if is_news {
            self.last = last;
            return Some(TailItem::UpToDate(durable));
        }
        last
    }
}

impl Own {
    /// Cancelling loses nothing.
    async fn next(&mut self, log: &Arc<SharedLog>) -> Read {
        loop {
            match self {
                Self::Ready(follow) if !log.is_shared() => return read(follow, log.location()),
                Self::Ready(_) => self.begin_read(log),
                Self::Reading(reading) => {
                    let (follow, piece) = reading.await.map_err(|error| broken(&error))?;
                    *self = Self::Ready(follow);
                    return piece;
                }
                Self::Opening(opening) => {
                    *self = Self::Ready(opening.await.map_err(|error| broken(&error))??);
                }
                Self::Gone => return Err(gone()),
            }
        }
    }

    /// Reads where a slow disk holds nobody else up.
    fn begin_read(&mut self, log: &Arc<SharedLog>) {
        if let Self::Ready(mut follow) = std::mem::replace(self, Self::Gone) {
            let log = Arc::clone(log);
            *self = Self::Reading(spawn_blocking(move || {
                let piece = read(&mut follow, log.location());
                (follow, piece)
            }));
        }
    }
}

fn prepare(follow: &mut Follow, goal: Goal, piece: usize) {
    follow.set_batch(piece);
    if let Goal::Until(time) = goal {
        follow.set_until(Some(time));
    }
}

fn broken(error: &tokio::task::JoinError) -> ShipError {
    ShipError::passing(format!("reading the log failed: {error}"))
}

fn gone() -> ShipError {
    ShipError::passing("reading the log ended without a reason")
}
