use std::path::Path;

use disk::testing::SimulatedDisk;

use super::*;
use crate::chain::ChainHash;
use crate::numbers::CommitNumber;
use crate::position::SegmentId;
use crate::record::GenerationReason;
use crate::timestamp::Timestamp;

/// A generation that goes on from this place of another one; `mark` tells generations of one number apart.
fn line(number: u32, mark: u8, parent: &str) -> HistoryLine {
    HistoryLine {
        number: Generation::new(number),
        id: GenerationId::new(ChainHash::from_bytes([mark; 32])),
        reason: GenerationReason::Promote,
        time: Timestamp::from_micros(u64::from(number)),
        parent: LogPoint::new(
            parent.parse().unwrap(),
            ChainHash::from_bytes([mark ^ 0x80; 32]),
        ),
        commit: CommitNumber::new(u64::from(number) * 10),
        instance: "north of the river".into(),
    }
}

fn first() -> HistoryLine {
    HistoryLine {
        reason: GenerationReason::Create,
        parent: LogPoint::ORIGIN,
        ..line(1, 1, "1-1:0")
    }
}

fn end(generation: u32) -> Position {
    Position::new(SegmentId::new(generation, 9), 500)
}

fn known(lines: &[HistoryLine]) -> History {
    let mut history = History::default();
    let newest = lines.last().unwrap().number.get();
    assert_eq!(history.take_in(lines, end(newest)), Ok(true));
    history
}

#[test]
fn what_the_log_tells_is_taken_in_and_outlives_its_segments() {
    let lines = [first(), line(2, 2, "1-4:900"), line(3, 3, "2-2:700")];
    let mut history = known(&lines[..2]);
    assert_eq!(history.take_in(&lines[..2], end(2)), Ok(false));
    // The segments of the first two were removed before the third began.
    assert_eq!(history.take_in(&lines[2..], end(3)), Ok(true));
    assert_eq!(history.branch(), lines);
    assert_eq!(history.take_in(&[], end(3)), Ok(false));
    assert_eq!(history.branch(), lines);
}

#[test]
fn an_attempt_that_came_to_nothing_is_no_history() {
    let history = known(&[first(), line(2, 9, "1-4:100"), line(3, 3, "1-4:900")]);
    assert_eq!(history.branch(), [first(), line(3, 3, "1-4:900")]);
}

#[test]
fn a_contradiction_is_named_and_changes_nothing() {
    let mut history = known(&[first(), line(2, 2, "1-4:900")]);
    let before = history.clone();
    for (found, at, says) in [
        (
            vec![first(), line(2, 7, "1-4:100")],
            2,
            "generation 2 (promote by north of the river after 1-4:900) is in the history, and the log has another one (promote by north of the river after 1-4:100)",
        ),
        (
            vec![line(3, 3, "1-5:100")],
            3,
            "generation 2 (promote by north of the river after 1-4:900) is in the history, and the log has generation 3 behind 1-5:100, without it",
        ),
        (
            vec![],
            1,
            "generation 2 (promote by north of the river after 1-4:900) is in the history, and the log has no such generation: it ends before",
        ),
    ] {
        let error = history.take_in(&found, end(at)).unwrap_err();
        assert_eq!(error.to_string(), says);
        assert_eq!(history, before);
    }
}

#[test]
fn what_is_left_is_kept_until_the_branch_has_it() {
    let old = [first(), line(2, 2, "1-4:900"), line(3, 3, "2-2:700")];
    let mut history = known(&old);
    let left_at = LogPoint::new("3-1:4000".parse().unwrap(), ChainHash::from_bytes([8; 32]));
    history.abandon(left_at);
    assert!(history.branch().is_empty());
    assert_eq!(history.abandoned().len(), 3);
    // Another one has gone on from within generation 2, before the third began.
    let new = [first(), line(2, 2, "1-4:900"), line(3, 5, "2-2:300")];
    history.take_in(&new[2..], end(3)).unwrap();
    assert!(history.learn(&new, end(3)));
    assert_eq!(history.branch(), new);
    let left: Vec<_> = history
        .abandoned()
        .iter()
        .map(|left| (left.line.number.get(), left.end))
        .collect();
    assert_eq!(
        left,
        [(2, old[2].parent), (3, left_at)],
        "the first generation is in both as a whole"
    );
    assert!(!history.learn(&new, end(3)), "nothing is new");
}

#[test]
fn nothing_is_learned_of_another_branch_and_nothing_that_is_newer() {
    let mut history = known(&[line(2, 2, "1-4:900")]);
    assert!(!history.learn(&[first(), line(2, 6, "1-4:100")], end(2)));
    assert!(history.learn(
        &[first(), line(2, 2, "1-4:900"), line(3, 3, "2-1:500")],
        end(2)
    ));
    assert_eq!(history.branch(), [first(), line(2, 2, "1-4:900")]);
}

#[test]
fn a_generation_that_was_taken_back_is_forgotten() {
    let mut history = known(&[first(), line(2, 2, "1-4:900")]);
    assert!(!history.forget_behind(end(2)));
    assert!(history.forget_behind(end(1)));
    assert_eq!(history.branch(), [first()]);
}

#[test]
fn a_commit_is_compared_within_its_generation_alone() {
    let history = known(&[first(), line(2, 2, "1-4:900")]);
    let commit = |mark: u8, commit| GenerationCommit {
        generation: GenerationId::new(ChainHash::from_bytes([mark; 32])),
        commit: CommitNumber::new(commit),
    };
    assert_eq!(history.has(commit(1, 20)), Some(true));
    assert_eq!(
        history.has(commit(1, 21)),
        Some(false),
        "the branch has left it before"
    );
    assert_eq!(
        history.has(commit(2, 21)),
        None,
        "the history does not know its end"
    );
    assert_eq!(history.has(commit(7, 1)), None);
    assert!(commit(1, 20) < commit(1, 21));
    assert_eq!(commit(1, 20).partial_cmp(&commit(2, 21)), None);
}

#[test]
fn the_files_read_back_and_no_byte_of_them_may_be_another() {
    let simulated = SimulatedDisk::new(1);
    let disk = simulated.process().disk();
    let (own, served) = (Path::new("/history"), Path::new("/fw.history"));
    let mut history = known(&[first(), line(2, 2, "1-4:900")]);
    history.abandon(LogPoint::new(end(2), ChainHash::ZERO));
    history
        .take_in(&[first(), line(2, 3, "1-4:100")], end(2))
        .unwrap();
    assert!(!history.branch().is_empty() && !history.abandoned().is_empty());
    history.write(&disk, own).unwrap();
    assert_eq!(History::read(&disk, own).unwrap(), Some(history.clone()));
    let there = ServedHistory {
        speaker: "00000000000000000000000000000001 00000000000000000000000000000002 north"
            .parse()
            .unwrap(),
        history,
    };
    there.write(&disk, served, 0o640).unwrap();
    assert_eq!(ServedHistory::read(&disk, served).unwrap(), Some(there));
    for path in [own, served] {
        let good = disk.read(path).unwrap();
        for at in (0..good.len()).step_by(7) {
            let mut bad = good.clone();
            bad[at] ^= 1;
            disk.write_atomic(path, &bad, 0o600).unwrap();
            assert!(ServedHistory::read(&disk, path).is_err(), "{at}");
        }
    }
}

#[test]
fn records_of_a_history_stand_in_their_order() {
    let simulated = SimulatedDisk::new(1);
    let disk = simulated.process().disk();
    let path = Path::new("/history");
    let mut body = crate::sealed_text::Body::default();
    body.line("version", 1);
    for line in [first(), line(3, 3, "1-4:900"), line(2, 2, "1-4:100")] {
        body.line("generation", line);
    }
    disk.write_atomic(path, body.seal().as_bytes(), 0o600)
        .unwrap();
    let error = History::read(&disk, path).unwrap_err().to_string();
    assert!(
        error.contains("a history record of generation 2 stands behind one of 3"),
        "{error}"
    );
}

#[test]
fn a_border_behind_a_header_alone_is_in_the_generation_before() {
    let lines = [first(), line(2, 2, "1-4:900"), line(4, 4, "2-3:128")];
    let mut history = known(&lines);
    let of = |at: &str| generation_of(&lines, at.parse().unwrap()).map(|line| line.number.get());
    assert_eq!(of("1-4:900"), Some(1));
    assert_eq!(of("2-1:128"), Some(1), "the header of its first segment");
    assert_eq!(of("2-1:268"), Some(2));
    assert_eq!(of("2-3:128"), Some(2), "a later segment of it");
    assert_eq!(of("4-1:128"), Some(2));
    assert_eq!(of("3-1:500"), None, "its beginning is not known");
    assert_eq!(generation_of(&lines[1..], "1-4:900".parse().unwrap()), None);
    // Cut there, the log does not have the generation any more, and another one may go on.
    assert!(history.forget_behind("2-1:128".parse().unwrap()));
    assert_eq!(history.branch(), &lines[..1]);
    let other = line(3, 3, "2-1:128");
    assert_eq!(history.take_in(&[first(), other.clone()], end(3)), Ok(true));
    assert_eq!(history.branch(), [first(), other]);
}
