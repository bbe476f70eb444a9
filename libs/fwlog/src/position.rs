//! Where something stands in the log.
//!
//! The order of positions, on every server:
//! `applied ≤ received ≤ shipped ≤ durable ≤ written`.

use std::fmt;
use std::str::FromStr;

use crate::chain::ChainHash;
use crate::numbers::{Generation, Sequence};

/// One segment file: `12-3` is the third segment of generation 12.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentId {
    /// The generation that the segment belongs to.
    pub generation: Generation,
    /// Its number in that generation.
    pub sequence: Sequence,
}

impl SegmentId {
    /// The first segment of a fresh environment: `1-1`.
    pub const FIRST: Self = Self {
        generation: Generation::FIRST,
        sequence: Sequence::FIRST,
    };

    /// The segment with these two numbers.
    pub const fn new(generation: u32, sequence: u32) -> Self {
        Self {
            generation: Generation::new(generation),
            sequence: Sequence::new(sequence),
        }
    }

    /// The next segment of the same generation.
    #[must_use]
    pub const fn next_sequence(self) -> Self {
        Self {
            generation: self.generation,
            sequence: self.sequence.next(),
        }
    }

    /// The first segment of the next generation.
    #[must_use]
    pub const fn next_generation(self) -> Self {
        Self {
            generation: self.generation.next(),
            sequence: Sequence::FIRST,
        }
    }

    /// Whether the numbers allow this to be the segment after `earlier`: the next sequence, or the
    /// first one of a later generation.
    pub fn may_follow(self, earlier: Self) -> bool {
        self == earlier.next_sequence()
            || (self.generation > earlier.generation && self.sequence == Sequence::FIRST)
    }
}

impl fmt::Display for SegmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.generation, self.sequence)
    }
}

/// A text that is not a segment number or a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}")]
pub struct ParsePositionError {
    /// What the text should have looked like.
    pub expected: &'static str,
}

const SEGMENT_FORM: ParsePositionError = ParsePositionError {
    expected: "a segment number such as 12-3",
};
const POSITION_FORM: ParsePositionError = ParsePositionError {
    expected: "a position such as 12-3:184320",
};

impl FromStr for SegmentId {
    type Err = ParsePositionError;

    fn from_str(text: &str) -> Result<Self, ParsePositionError> {
        let (generation, sequence) = text.split_once('-').ok_or(SEGMENT_FORM)?;
        Ok(Self::new(
            number(generation).ok_or(SEGMENT_FORM)?,
            number(sequence).ok_or(SEGMENT_FORM)?,
        ))
    }
}

/// Plain decimal digits only: `parse` alone would also take a sign.
fn number<T: FromStr>(digits: &str) -> Option<T> {
    digits
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| digits.parse().ok())
        .flatten()
}

/// A place in the log: a segment, and an offset in bytes from the start of its file.
///
/// Offset 0 of a segment and the end of the blocks of the segment before it are the same point of
/// history; what compares as larger is never earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The segment.
    pub segment: SegmentId,
    /// Bytes from the start of the segment's file.
    pub offset: u64,
}

impl Position {
    /// Before everything: the start of segment 1-1.
    pub const ORIGIN: Self = Self {
        segment: SegmentId::FIRST,
        offset: 0,
    };

    /// The position at this offset of this segment.
    pub const fn new(segment: SegmentId, offset: u64) -> Self {
        Self { segment, offset }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.segment, self.offset)
    }
}

impl FromStr for Position {
    type Err = ParsePositionError;

    fn from_str(text: &str) -> Result<Self, ParsePositionError> {
        let (segment, offset) = text.split_once(':').ok_or(POSITION_FORM)?;
        let segment = segment.parse().map_err(|_| POSITION_FORM)?;
        Ok(Self {
            segment,
            offset: number(offset).ok_or(POSITION_FORM)?,
        })
    }
}

/// A position together with the hash that proves everything before it.
///
/// Ordered by position: two servers with equal positions and different hashes have diverged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogPoint {
    /// The place.
    pub position: Position,
    /// Chain hash of everything before it.
    pub hash: ChainHash,
}

impl LogPoint {
    /// Before everything: where an empty slave begins.
    pub const ORIGIN: Self = Self {
        position: Position::ORIGIN,
        hash: ChainHash::ZERO,
    };

    /// The point at this position, proven by this hash.
    pub const fn new(position: Position, hash: ChainHash) -> Self {
        Self { position, hash }
    }
}

impl fmt::Display for LogPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.position, self.hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_reads_back_what_it_prints() {
        let position = Position::new(SegmentId::new(12, 3), 184_320);
        assert_eq!(position.to_string(), "12-3:184320");
        assert_eq!("12-3:184320".parse(), Ok(position));
    }

    #[test]
    fn other_texts_are_no_positions() {
        for text in [
            "", "12", "12-3", "12:3", "12-3:", "+12-3:1", "12-3:-1", "12-3:1:1", "a-b:c",
        ] {
            assert!(text.parse::<Position>().is_err(), "{text}");
        }
    }
}
