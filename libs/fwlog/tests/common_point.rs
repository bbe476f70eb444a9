//! The newest common point of two histories, against a model: logs that branch, block by block.

use fwlog::{
    BranchEnd, ChainHash, CommitNumber, Generation, GenerationId, GenerationReason, HistoryLine,
    LogPoint, Position, SegmentId, Timestamp, newest_common,
};
use proptest::prelude::*;

/// Bytes of a block; which do not matter.
const BLOCK: u64 = 100;

/// One instance's log: all its borders, and what its history says of them.
#[derive(Clone)]
struct Log {
    name: String,
    borders: Vec<(LogPoint, CommitNumber)>,
    lines: Vec<HistoryLine>,
}

impl Log {
    fn new() -> Self {
        let mut log = Self {
            name: "first".into(),
            borders: vec![(LogPoint::ORIGIN, CommitNumber::ZERO)],
            lines: Vec::new(),
        };
        log.begin(GenerationReason::Create, 0);
        log
    }

    fn end(&self) -> BranchEnd {
        let &(point, commit) = self.borders.last().expect("a beginning");
        BranchEnd { point, commit }
    }

    fn block(&mut self, segment: SegmentId, commits: u64, content: &str) {
        let BranchEnd { point, commit } = self.end();
        let offset = if point.position.segment == segment {
            point.position.offset
        } else {
            128
        };
        let text = format!("{}{segment}{content}", point.hash);
        let hash = ChainHash::from_bytes(*blake3::hash(text.as_bytes()).as_bytes());
        let point = LogPoint::new(Position::new(segment, offset + BLOCK), hash);
        self.borders
            .push((point, CommitNumber::new(commit.get() + commits)));
    }

    /// Some commits; what they are depends on who makes them, and when.
    fn commit(&mut self, now: u64) {
        let segment = self.end().point.position.segment;
        let segment = if now.is_multiple_of(3) {
            segment.next_sequence()
        } else {
            segment
        };
        self.block(segment, 1 + now % 4, &format!("{} {now}", self.name));
    }

    fn begin(&mut self, reason: GenerationReason, now: u64) {
        let BranchEnd { point, commit } = self.end();
        let generation = self
            .lines
            .last()
            .map_or(Generation::FIRST, |line| line.number.next());
        let segment = SegmentId {
            generation,
            ..SegmentId::FIRST
        };
        self.block(segment, 0, &format!("{reason} {} {now}", self.name));
        self.lines.push(HistoryLine {
            number: generation,
            id: GenerationId::new(self.end().point.hash),
            reason,
            time: Timestamp::from_micros(now),
            parent: point,
            commit,
            instance: self.name.clone(),
        });
    }

    /// A copy that has as much of the log as this, as a slave that is behind; at least its first generation record.
    fn behind(&self, name: String, blocks: usize) -> Self {
        let mut other = self.clone();
        other
            .borders
            .truncate((self.borders.len().saturating_sub(blocks)).max(2));
        let end = other.end().point.position;
        // A slave knows a generation once it has its first block.
        other.lines.retain(|line| {
            line.number < end.segment.generation
                || other
                    .borders
                    .iter()
                    .any(|(point, _)| point.hash == line.id.hash())
        });
        other.name = name;
        other
    }

    fn hash_at(&self, position: Position) -> Option<ChainHash> {
        let mut borders = self.borders.iter();
        borders
            .find(|(point, _)| point.position == position)
            .map(|(point, _)| point.hash)
    }
}

#[derive(Clone, Debug)]
enum Step {
    Commit,
    /// A slave of this log stands so many blocks behind, and goes on as a log of its own from now on.
    Branch {
        behind: usize,
    },
    Promote,
    /// It is fed by another log, as far as it is a prefix of that.
    Follow {
        of: usize,
    },
}

fn steps() -> impl Strategy<Value = Vec<(usize, Step)>> {
    let step = prop_oneof![
        4 => Just(Step::Commit),
        2 => (0..5_usize).prop_map(|behind| Step::Branch { behind }),
        2 => Just(Step::Promote),
        1 => any::<usize>().prop_map(|of| Step::Follow { of }),
    ];
    prop::collection::vec((any::<usize>(), step), 1..60)
}

/// All logs after these steps.
fn run(steps: Vec<(usize, Step)>) -> Vec<Log> {
    let mut logs = vec![Log::new()];
    for (now, (which, step)) in steps.into_iter().enumerate() {
        let now = now as u64 + 1;
        let at = which % logs.len();
        match step {
            Step::Commit => logs[at].commit(now),
            Step::Branch { behind } if logs.len() < 8 => {
                let mut slave = logs[at].behind(format!("log {now}"), behind);
                // Whoever writes behind another's log begins a generation.
                slave.begin(GenerationReason::Promote, now);
                logs.push(slave);
            }
            Step::Branch { .. } => {}
            Step::Promote => logs[at].begin(GenerationReason::Enable, now),
            Step::Follow { of } => {
                let of = of % logs.len();
                let is_prefix = logs[of].borders.starts_with(&logs[at].borders);
                if is_prefix && of != at {
                    logs[at] = logs[of].behind(logs[at].name.clone(), 1);
                    logs[at].begin(GenerationReason::Promote, now);
                }
            }
        }
    }
    logs
}

/// The last border that two logs have in common.
fn truth(one: &Log, other: &Log) -> Option<(LogPoint, CommitNumber)> {
    let pairs = one.borders.iter().zip(&other.borders);
    pairs
        .take_while(|(a, b)| a == b)
        .last()
        .map(|(border, _)| *border)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_point_is_the_last_common_border_and_its_hash_proves_it(steps in steps()) {
        let mut logs = run(steps);
        // Slaves that are behind, and have nothing of their own.
        let slaves: Vec<Log> = logs.iter().map(|log| log.behind("slave".into(), 1)).collect();
        logs.extend(slaves);
        for one in &logs {
            for other in &logs {
                let found = newest_common((&one.lines, one.end()), (&other.lines, other.end()));
                let (point, commit) = truth(one, other).expect("one environment");
                let found = found.expect("the first generation is in both");
                prop_assert_eq!(found.position, point.position);
                prop_assert_eq!(found.commit, commit);
                // What a history tells is so, and what it does not tell the log does.
                for (log, told) in [(one, found.ours), (other, found.theirs)] {
                    prop_assert_eq!(log.hash_at(found.position), Some(point.hash));
                    prop_assert!(told.is_none_or(|told| told == point.hash));
                }
                prop_assert!(found.ours.is_some() || found.theirs.is_some());
            }
        }
    }

    #[test]
    fn a_history_that_is_not_known_as_a_whole_says_nothing_wrong(
        steps in steps(),
        missing in any::<(prop::sample::Index, prop::sample::Index)>(),
    ) {
        let logs = run(steps);
        for one in &logs {
            for other in &logs {
                let mut lines = one.lines.clone();
                lines.remove(missing.0.index(lines.len()));
                let mut others = other.lines.clone();
                others.remove(missing.1.index(others.len()));
                let Some(found) = newest_common((&lines, one.end()), (&others, other.end())) else {
                    continue;
                };
                // Perhaps an earlier one than is true, where the newest common generation is missing; but a common one.
                let (point, _) = truth(one, other).expect("one environment");
                prop_assert!(found.position <= point.position);
                prop_assert_eq!(one.hash_at(found.position), other.hash_at(found.position));
            }
        }
    }
}

/// Two that ran on copies of one DataDir have written the same generation, each for itself: the hash tells.
#[test]
fn twins_are_told_by_the_hash() {
    let mut one = Log::new();
    let mut twin = one.clone();
    one.commit(1);
    twin.name = "twin".into();
    twin.commit(1);
    let found = newest_common((&one.lines, one.end()), (&twin.lines, twin.end())).expect("a place");
    assert_ne!(found.ours, found.theirs);
    assert!(found.ours.is_some() && found.theirs.is_some());
}

#[test]
fn logs_without_a_common_generation_have_no_point() {
    let (one, mut other) = (Log::new(), Log::new());
    for line in &mut other.lines {
        line.id = GenerationId::new(ChainHash::ZERO);
    }
    assert_eq!(
        newest_common((&one.lines, one.end()), (&other.lines, other.end())),
        None
    );
    assert_eq!(
        newest_common((&[], one.end()), (&other.lines, other.end())),
        None
    );
}
