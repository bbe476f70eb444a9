//! Two instances that both write one environment: which of them was left behind.
//!
//! ```text
//!  north   … 1 create ──────────┬───────────▶            only goes on: it was left behind
//!  south                        └ 2 promote south ──▶    the root
//! ```
//! A slave that becomes the root begins a generation where its log ends. Who has no such thing behind the point that both
//! have, and meets one who has, is no root any more. Where both have, nobody can say by the logs alone which one is to
//! be: neither yields.

use crate::chain::ChainHash;
use crate::history::{Candidate, HistoryLine};
use crate::record::GenerationReason;

/// What the history of another one says of a root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RootClaim {
    /// Nothing that this log proves: it stays what it is.
    None,
    /// The other one is of the branch that this generation began: the newest one that made an instance the root.
    Deposed(HistoryLine),
    /// An instance became the root on either side: the newest generation of each that made one.
    Both {
        /// On this side.
        ours: HistoryLine,
        /// On the other.
        theirs: HistoryLine,
    },
}

/// Judges the claim of `theirs` on the instance `own`, whose branch is `ours`: `common` is where the two part, and
/// `own_hash` is the chain hash there in the log itself, if it has that border. A history costs nothing to make up; the
/// hash is known to those alone who had the log up to there.
pub fn judge_roots(
    (own, ours): (&str, &[HistoryLine]),
    theirs: &[HistoryLine],
    common: &Candidate,
    own_hash: Option<ChainHash>,
) -> RootClaim {
    let promoted_in = |lines: &[HistoryLine], by_another: bool| {
        let behind = lines
            .iter()
            .rev()
            .take_while(|line| line.id != common.generation);
        let mut promoted = behind.filter(|line| line.reason == GenerationReason::Promote);
        promoted
            .find(|line| !by_another || line.instance != own)
            .cloned()
    };
    let Some(theirs) = promoted_in(theirs, true) else {
        return RootClaim::None;
    };
    let contradicts = common.theirs.is_some() && own_hash != common.theirs;
    let proves = common.theirs.is_some() && own_hash == common.theirs;
    match promoted_in(ours, false) {
        _ if contradicts => RootClaim::None,
        // Nothing comes of it but words: they are worth saying where the other log can't be asked, too.
        Some(ours) => RootClaim::Both { ours, theirs },
        None if proves => RootClaim::Deposed(theirs),
        None => RootClaim::None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::history::{BranchEnd, GenerationId, newest_common};
    use crate::numbers::{CommitNumber, Generation};
    use crate::position::{LogPoint, Position, SegmentId};
    use crate::timestamp::Timestamp;

    /// A log as a model: its generations, and where it has left what the other one has, too.
    #[derive(Clone, Debug)]
    struct Log {
        lines: Vec<HistoryLine>,
        end: LogPoint,
    }

    impl Log {
        fn end(&self) -> BranchEnd {
            BranchEnd {
                point: self.end,
                commit: CommitNumber::new(1),
            }
        }
    }

    /// The chain hash of this writer's bytes up to there.
    fn hash(writer: u8, at: Position) -> ChainHash {
        let mut bytes = [writer; 32];
        bytes[0] = u8::try_from(at.segment.generation.get()).unwrap();
        bytes[1..9].copy_from_slice(&at.offset.to_le_bytes());
        ChainHash::from_bytes(bytes)
    }

    fn point(writer: u8, generation: u32, offset: u64) -> LogPoint {
        let at = Position::new(SegmentId::new(generation, 1), offset);
        LogPoint::new(at, hash(writer, at))
    }

    fn line(
        (writer, instance): (u8, &str),
        number: u32,
        promote: bool,
        parent: LogPoint,
    ) -> HistoryLine {
        HistoryLine {
            number: Generation::new(number),
            id: GenerationId::new(point(writer, number, 200).hash),
            reason: if promote {
                GenerationReason::Promote
            } else {
                GenerationReason::Enable
            },
            time: Timestamp::from_micros(0),
            parent,
            commit: CommitNumber::new(1),
            instance: instance.to_owned(),
        }
    }

    const TRUNK: u8 = 7;
    const GENERATION_ENDS: u64 = 1000;

    /// What all have begun with, up to a point, and what an instance has gone on with.
    fn grow(
        trunk: &[bool],
        (generation, offset): (u32, u64),
        own: &[bool],
        who: (u8, &str),
    ) -> Log {
        let mut lines: Vec<HistoryLine> = Vec::new();
        let mut end = LogPoint::ORIGIN;
        for (number, promote) in (1..=generation).zip(trunk) {
            lines.push(line((TRUNK, "east"), number, *promote, end));
            let last = if number == generation {
                offset
            } else {
                GENERATION_ENDS
            };
            end = point(TRUNK, number, last);
        }
        for (number, promote) in (generation + 1..).zip(own) {
            lines.push(line(who, number, *promote, end));
            end = point(who.0, number, GENERATION_ENDS);
        }
        Log { lines, end }
    }

    fn judge(north: &Log, south: &Log, has: impl Fn(Position) -> Option<ChainHash>) -> RootClaim {
        let common = newest_common((&north.lines, north.end()), (&south.lines, south.end()));
        let common = common.expect("they have the first generation in common");
        let own_hash = has(common.position);
        judge_roots(("north", &north.lines), &south.lines, &common, own_hash)
    }

    fn is_both(claim: &RootClaim) -> bool {
        matches!(claim, RootClaim::Both { .. })
    }

    fn place() -> impl Strategy<Value = (u32, u64)> {
        (1..5_u32, 200..=GENERATION_ENDS)
    }

    proptest! {
        /// Against the model: who has left the other's log, where, and with what.
        #[test]
        fn a_root_is_deposed_by_whoever_left_its_own_log_to_become_one(
            trunk in vec(any::<bool>(), 4),
            (norths, souths) in (place(), place()),
            (north_goes_on, south_goes_on) in (vec(any::<bool>(), 0..3), vec(any::<bool>(), 0..3)),
        ) {
            let north = grow(&trunk, norths, &north_goes_on, (1, "north"));
            let south = grow(&trunk, souths, &south_goes_on, (2, "south"));
            let in_north = |at: Position| {
                let place = (at.segment.generation.get(), at.offset);
                (place <= norths).then(|| hash(TRUNK, at))
            };
            let fork = norths.0.min(souths.0);
            // Nothing of the next one is here, so that is where south has left.
            let ends_a_generation = norths.1 == GENERATION_ENDS && souths.0 > norths.0;
            let behind = |log: &Log, by_another: bool| log.lines.iter().any(|line| {
                line.number.get() > fork
                    && line.reason == GenerationReason::Promote
                    && !(by_another && line.instance == "north")
            });
            let (ours, theirs) = (behind(&north, false), behind(&south, true));
            let claim = judge(&north, &south, in_north);
            match (ours, theirs) {
                (_, false) => prop_assert_eq!(claim, RootClaim::None),
                (true, true) => prop_assert!(is_both(&claim)),
                // Where south has left is here.
                (false, true) if souths <= norths || ends_a_generation => {
                    prop_assert!(matches!(&claim, RootClaim::Deposed(by) if by.instance != "north"));
                    let forged = judge(&north, &south, |at| Some(hash(9, at)));
                    prop_assert_eq!(forged, RootClaim::None);
                    prop_assert_eq!(judge(&north, &south, |_| None), RootClaim::None);
                }
                // North has lost what south has: that is another matter.
                (false, true) => prop_assert_eq!(claim, RootClaim::None),
            }
            // Never do both depose each other.
            let back = judge_roots(
                ("south", &south.lines),
                &north.lines,
                &newest_common((&south.lines, south.end()), (&north.lines, north.end())).unwrap(),
                Some(hash(TRUNK, point(TRUNK, fork, norths.1.min(souths.1)).position)),
            );
            prop_assert!(!(matches!(judge(&north, &south, in_north), RootClaim::Deposed(_))
                && matches!(back, RootClaim::Deposed(_))));
        }
    }

    #[test]
    fn a_root_that_was_promoted_itself_does_not_yield_to_another() {
        let (trunk, fork) = ([false], (1, 500));
        let north = grow(&trunk, fork, &[true], (1, "north"));
        let south = grow(&trunk, fork, &[true, false], (2, "south"));
        let both = judge(&north, &south, |at| Some(hash(TRUNK, at)));
        let RootClaim::Both { ours, theirs } = both else {
            panic!("{both:?}");
        };
        assert_eq!(
            (ours.instance.as_str(), theirs.instance.as_str()),
            ("north", "south")
        );
    }

    #[test]
    fn a_root_that_ends_with_a_generation_is_deposed_by_a_later_one() {
        let trunk = [false, false];
        let north = grow(&trunk, (1, GENERATION_ENDS), &[], (1, "north"));
        let south = grow(&trunk, (2, 200), &[true], (2, "south"));
        let claim = judge(&north, &south, |at| Some(hash(TRUNK, at)));
        assert!(
            matches!(&claim, RootClaim::Deposed(by) if by.instance == "south"),
            "{claim:?}"
        );
    }

    #[test]
    fn a_generation_of_its_own_name_deposes_nobody() {
        let north = grow(&[false], (1, 900), &[], (1, "north"));
        let twin = grow(&[false], (1, 500), &[true], (2, "north"));
        let claim = judge(&north, &twin, |at| Some(hash(TRUNK, at)));
        assert_eq!(claim, RootClaim::None);
    }
}
