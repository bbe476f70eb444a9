//! What of a log may be removed: one pure function decides, for the server and for who asks.

use std::fmt;
use std::time::Duration;

use crate::directory::SegmentInfo;
use crate::position::{Position, SegmentId};
use crate::timestamp::Timestamp;

/// How much of the log is kept whether somebody is known to need it or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// All of it.
    All,
    /// At least the newest segments of this many bytes together.
    Bytes(u64),
    /// The segments that hold anything younger.
    Age(Duration),
}

/// From where on somebody known needs the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot<'a> {
    /// Who.
    pub name: &'a str,
    /// From here on.
    pub needs: Position,
}

/// What decides, beside the segments themselves.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// Bytes of log up to its durable end.
    pub end_log_bytes: u64,
    /// A restart begins in this segment.
    pub redo: SegmentId,
    /// Copies that are being made may ask for segments from this one on.
    pub held_from: Option<SegmentId>,
    /// See [`Keep`].
    pub keep: Keep,
    /// A slot that is more bytes than this before the end of the log keeps nothing.
    pub keep_for_slots: u64,
    /// Where the disk of the log has little room, this limit holds in the place of a larger one, and for the
    /// oldest segment alone: whether more has to go shows when that one is gone.
    pub keep_for_slots_without_room: Option<u64>,
    /// All slots that are not lost.
    pub slots: &'a [Slot<'a>],
}

/// Why a segment stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why<'a> {
    /// The log goes on in it, or behind it.
    Newest,
    /// It has no seal.
    NotSealed,
    /// A restart needs it.
    Redo,
    /// A copy that is being made needs it.
    Copied,
    /// It is part of what is kept in any case.
    Asked,
    /// The slave with this name needs it.
    Needed(&'a str),
    /// An older one stays, and no gap is made.
    OlderStays,
}

impl fmt::Display for Why<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Newest => f.write_str("the newest segment"),
            Self::NotSealed => f.write_str("not sealed"),
            Self::Redo => f.write_str("a restart needs it"),
            Self::Copied => f.write_str("a copy that is being made needs it"),
            Self::Asked => f.write_str("within FwKeep"),
            Self::Needed(slave) => write!(f, "slave {slave} needs it"),
            Self::OlderStays => f.write_str("an older segment stays"),
        }
    }
}

/// What happens to a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// It stays.
    Keep(Why<'a>),
    /// It may go. These slots need it, and are lost with it.
    Remove {
        /// Their names.
        loses: Vec<&'a str>,
    },
}

/// What happens to each of the segments, which are all that the log has, in order. Those that may go are the
/// oldest: no gap is made.
pub fn removable<'a>(
    segments: &[SegmentInfo],
    now: Timestamp,
    rules: &Rules<'a>,
) -> Vec<(SegmentId, Verdict<'a>)> {
    let sizes = Sizes::of(segments, rules.end_log_bytes);
    let slots = rules.slots.iter();
    let slots: Vec<_> = slots
        .map(|slot| (slot, sizes.behind(segments, slot.needs)))
        .collect();
    let mut older_stays = false;
    let verdicts = segments.iter().enumerate().map(|(index, segment)| {
        let newer = (segments.get(index.saturating_add(1)))
            .map(|next| (next, sizes.from(index.saturating_add(1))));
        let why = why(segment, newer, now, rules);
        let why = why.or_else(|| older_stays.then_some(Why::OlderStays));
        let without_room = rules.keep_for_slots_without_room.filter(|_| index == 0);
        let limit = without_room.map_or(rules.keep_for_slots, |it| it.min(rules.keep_for_slots));
        let needing = slots
            .iter()
            .filter(|(slot, _)| slot.needs.segment <= segment.id);
        let holder = needing.clone().find(|(_, behind)| *behind <= limit);
        let verdict = match why.or(holder.map(|(slot, _)| Why::Needed(slot.name))) {
            Some(why) => Verdict::Keep(why),
            None => Verdict::Remove {
                loses: needing.map(|(slot, _)| slot.name).collect(),
            },
        };
        older_stays |= matches!(verdict, Verdict::Keep(_));
        (segment.id, verdict)
    });
    verdicts.collect()
}

/// Bytes of log that are there between a position and the end.
pub fn behind(segments: &[SegmentInfo], end_log_bytes: u64, position: Position) -> u64 {
    Sizes::of(segments, end_log_bytes).behind(segments, position)
}

/// Bytes of each segment and of those behind it together.
struct Sizes(Vec<u64>);

impl Sizes {
    fn of(segments: &[SegmentInfo], end_log_bytes: u64) -> Self {
        let mut sum = 0_u64;
        let newest_first = segments.iter().rev().map(|segment| {
            let open = end_log_bytes.saturating_sub(segment.header.log_bytes);
            // What is reserved on the disk behind an open one is no log.
            let size = segment.sealed.map_or(open, |seal| seal.length);
            sum = sum.saturating_add(size);
            sum
        });
        let mut sizes: Vec<u64> = newest_first.collect();
        sizes.reverse();
        Self(sizes)
    }

    fn from(&self, index: usize) -> u64 {
        self.0.get(index).copied().unwrap_or_default()
    }

    fn behind(&self, segments: &[SegmentInfo], position: Position) -> u64 {
        let index = segments.partition_point(|it| it.id < position.segment);
        let is_there = segments
            .get(index)
            .is_some_and(|it| it.id == position.segment);
        let read = if is_there { position.offset } else { 0 };
        let newer = self.from(index.saturating_add(1));
        self.from(index)
            .saturating_sub(read)
            .max(if is_there { newer } else { 0 })
    }
}

/// What keeps a segment whoever needs it. `newer`: the next one, and the bytes from there on.
fn why<'a>(
    segment: &SegmentInfo,
    newer: Option<(&SegmentInfo, u64)>,
    now: Timestamp,
    rules: &Rules<'_>,
) -> Option<Why<'a>> {
    let Some((next, newer_bytes)) = newer else {
        return Some(Why::Newest);
    };
    if segment.sealed.is_none() {
        return Some(Why::NotSealed);
    }
    if segment.id >= rules.redo {
        return Some(Why::Redo);
    }
    if rules.held_from.is_some_and(|first| segment.id >= first) {
        return Some(Why::Copied);
    }
    let asked = match rules.keep {
        Keep::All => true,
        // What is newer is not enough.
        Keep::Bytes(bytes) => newer_bytes < bytes,
        // Nothing in it is younger than the segment behind it, and times of a log never go back.
        Keep::Age(age) => {
            let age = u64::try_from(age.as_micros()).unwrap_or(u64::MAX);
            now.micros().saturating_sub(next.header.created.micros()) < age
        }
    };
    asked.then_some(Why::Asked)
}
