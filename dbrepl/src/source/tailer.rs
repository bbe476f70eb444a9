//! Reads the log up to the goal, and waits where it ends.

use std::path::PathBuf;

use bytes::Bytes;
use fwlog::{Durable, Follow, FollowItem, Generation, LogLocation, Position, SegmentId, Timestamp};

use super::not_followed;
use super::pace::Pace;
use super::watch::{LogWatch, News};
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

/// Reads the log, and waits where it ends.
#[derive(Debug)]
pub struct Tailer {
    location: LogLocation,
    follow: Follow,
    goal: Goal,
    /// The generation that the slave stands in, once something of it was read.
    generation: Option<Generation>,
    /// The end of the log that was given last.
    told: Option<Durable>,
    watch: LogWatch,
    /// There was nothing more: there is not before there is news.
    waits: bool,
    pace: Pace,
    /// Nothing more comes.
    ended: bool,
}

impl Tailer {
    /// Reads from a location on. `piece` is about the number of bytes to take at a time.
    pub fn new(mut follow: Follow, location: &LogLocation, goal: Goal, piece: u64) -> Self {
        follow.set_batch(usize::try_from(piece).unwrap_or(usize::MAX));
        if let Goal::Until(time) = goal {
            follow.set_until(Some(time));
        }
        let watch = LogWatch::of(&location.directory);
        if watch.is_told() {
            follow.names_are_watched();
        }
        // Changes are told of from here on; what was before is seen with the first look.
        follow.names_changed();
        Self {
            location: location.clone(),
            follow,
            goal,
            generation: None,
            told: None,
            watch,
            waits: false,
            pace: Pace::default(),
            ended: false,
        }
    }

    /// The next item; `None` after the last one. Reads the file where it is called: a piece from the
    /// cache of the system, as a rule. Cancelling loses nothing.
    pub async fn next(&mut self) -> Option<TailItem> {
        if self.ended {
            return None;
        }
        loop {
            if self.waits {
                if self.watch.news().await == News::Names {
                    self.follow.names_changed();
                }
                self.waits = false;
                self.pace.keep();
            }
            let item = match self.follow.next() {
                Ok(item) => self.item(item),
                Err(error) => Some(TailItem::Failed(not_followed(&self.location, error))),
            };
            if let Some(item) = item {
                self.ended = matches!(
                    item,
                    TailItem::Reached | TailItem::SwitchedOff | TailItem::Failed(_)
                );
                return Some(item);
            }
        }
    }

    /// `None`: there is nothing to give before there is news.
    fn item(&mut self, item: FollowItem) -> Option<TailItem> {
        Some(match item {
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
            FollowItem::UpToDate(durable) => return self.up_to_date(durable),
            FollowItem::Until(_) => TailItem::Reached,
        })
    }

    fn up_to_date(&mut self, durable: Durable) -> Option<TailItem> {
        let is_news = self.told.replace(durable) != Some(durable);
        let reached = match self.goal {
            Goal::Follow => false,
            Goal::Synchronize | Goal::Generation => true,
            Goal::Until(time) => Timestamp::now() > time,
        };
        let goes_on = !self.follow.switched_off() && !reached;
        self.waits = goes_on;
        if is_news {
            Some(TailItem::UpToDate(durable))
        } else if goes_on {
            None
        } else if self.follow.switched_off() {
            Some(TailItem::SwitchedOff)
        } else {
            Some(TailItem::Reached)
        }
    }
}
