//! The fork point: the last border at which two logs have the same chain hash.
//!
//! Equal hashes at one border prove equal logs before it, so along the borders of the source's log
//! the answers are "equal" up to the fork and "different" after it:
//!
//! ```text
//! border   0  1  2  3  4  5  6
//! slave    =  =  =  ≠  ≠  ≠  ≠        common = 3, the fork is after border 2
//! ```

use fwlog::{ChainHash, CommitNumber, LogPoint, Position, Timestamp};

/// A border of the source's log that the slave may have too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Border {
    /// Position and hash.
    pub point: LogPoint,
    /// Newest commit before it, where the source knows.
    pub commit: Option<CommitNumber>,
    /// When that commit was made, or the segment.
    pub time: Option<Timestamp>,
}

/// Looks for the last common border.
#[derive(Debug)]
pub(crate) struct Bisection {
    borders: Vec<Border>,
    /// Borders below this index are common.
    common: usize,
    /// Borders from this index on are different.
    different: usize,
}

impl Bisection {
    pub(crate) fn new(borders: Vec<Border>) -> Self {
        let different = borders.len();
        Self {
            borders,
            common: 0,
            different,
        }
    }

    fn middle(&self) -> usize {
        usize::midpoint(self.common, self.different)
    }

    /// What to ask next; `None` = found.
    pub(crate) fn question(&self) -> Option<Position> {
        if self.common == self.different {
            return None;
        }
        self.borders
            .get(self.middle())
            .map(|border| border.point.position)
    }

    /// Takes the slave's hash at the position asked for.
    pub(crate) fn answer(&mut self, hash: Option<ChainHash>) {
        let middle = self.middle();
        assert!(
            self.common < self.different,
            "an answer is to a question that was open"
        );
        if self
            .borders
            .get(middle)
            .is_some_and(|border| Some(border.point.hash) == hash)
        {
            self.common = middle + 1;
        } else {
            self.different = middle;
        }
    }

    /// The last common border, once there is no question left.
    pub(crate) fn last_common(&self) -> Option<&Border> {
        self.common
            .checked_sub(1)
            .and_then(|index| self.borders.get(index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn border(offset: u64) -> Border {
        let position = format!("1-1:{offset}").parse().unwrap();
        let hash = ChainHash::from_bytes([u8::try_from(offset).unwrap(); 32]);
        Border {
            point: LogPoint { position, hash },
            commit: None,
            time: None,
        }
    }

    #[test]
    fn the_fork_is_found_wherever_it_is() {
        let borders: Vec<_> = (0..20).map(border).collect();
        for fork in 0..=20 {
            let mut search = Bisection::new(borders.clone());
            let mut questions = 0;
            while let Some(position) = search.question() {
                questions += 1;
                let hash = (position.offset < fork).then(|| border(position.offset).point.hash);
                search.answer(hash);
            }
            let expected = fork.checked_sub(1).map(border);
            assert_eq!(search.last_common(), expected.as_ref());
            assert!(questions <= 5, "{questions} questions for 20 borders");
        }
    }

    #[test]
    fn without_borders_there_is_nothing_to_ask() {
        let search = Bisection::new(Vec::new());
        assert_eq!((search.question(), search.last_common()), (None, None));
    }
}
