//! A log is archived, and comes back byte for byte.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod common;

use common::{Log, Run, archive, compare, findings, location, repository};
use proptest::prelude::*;
use repository::{ArchiverError, HistoryId, Line, Stored};

/// So small that there are several parts a segment.
const SMALL: usize = 2000;

#[test]
fn what_is_archived_is_what_the_log_has_and_the_next_run_goes_on_there() {
    let log = Log::new();
    let (_folder, _, to) = repository();
    for round in 0..4 {
        log.commits(5);
        if round == 1 {
            log.writer.switch().unwrap();
        }
        if round == 2 {
            log.new_generation();
            log.commit(1);
        }
        let start = archive(&log, &to, SMALL).unwrap();
        assert_eq!(start.history.is_some(), round > 0, "{round}");
        compare(&log, &to);
        assert_eq!(findings(&to), Vec::<String>::new());
    }
    let catalog = to.catalog().unwrap();
    let parts: usize = catalog
        .histories
        .values()
        .map(repository::HistoryObjects::part_count)
        .sum();
    assert!(parts > 4, "{parts}");
    archive(&log, &to, SMALL).unwrap();
    assert_eq!(to.catalog().unwrap(), catalog, "nothing was new");
    log.writer.close().unwrap();
    archive(&log, &to, SMALL).unwrap();
    compare(&log, &to);
}

#[test]
fn a_segment_that_has_nothing_yet_is_no_gap_and_no_reason_to_be_silent() {
    let log = Log::new();
    log.commits(2);
    let (_folder, _, to) = repository();
    archive(&log, &to, SMALL).unwrap();
    let history = to.catalog().unwrap().newest().unwrap();
    let before = to.heartbeat(history).unwrap();
    log.writer.switch().unwrap();
    let mut run = Run::begin(&log, &to).unwrap();
    while run.step(SMALL).unwrap() {}
    assert!(run.archiver.is_settled());
    assert_eq!(run.archiver.read().point, log.writer.durable().point);
    assert!(run.archiver.beat(log.writer.now()).unwrap());
    let beat = to.heartbeat(history).unwrap();
    assert_eq!(beat.end, before.end);
    assert!(beat.sealed && !before.sealed && beat.at > before.at);
    assert_eq!(findings(&to), Vec::<String>::new());
    log.commit(10);
    while run.step(SMALL).unwrap() {}
    compare(&log, &to);
}

#[test]
fn a_log_whose_beginning_is_gone_is_archived_from_where_it_begins() {
    let log = Log::new();
    log.commits(3);
    log.writer.switch().unwrap();
    log.commits(3);
    std::fs::remove_file(log.location().path("1-1".parse().unwrap())).unwrap();
    let (_folder, _, to) = repository();
    archive(&log, &to, SMALL).unwrap();
    compare(&log, &to);
    assert_eq!(findings(&to), Vec::<String>::new());
    let history = to.catalog().unwrap().newest().unwrap();
    let begins = to.generation(history).unwrap().begins;
    assert_eq!(begins.to_string(), "1-2:0");
}

#[test]
fn a_generation_goes_on_from_the_middle_of_what_another_server_has_archived() {
    let old = Log::new();
    old.commits(4);
    let new = old.promoted_copy();
    // What the old root has beyond is archived, in one part with what both have.
    old.commits(4);
    let (_folder, _, to) = repository();
    archive(&old, &to, 1 << 20).unwrap();
    new.commits(3);
    let start = archive(&new, &to, 1 << 20).unwrap();
    assert_eq!(start.border.point.position.to_string(), "2-1:0");
    compare(&new, &to);
    assert_eq!(findings(&to), Vec::<String>::new());
    // Both go on.
    old.commits(2);
    new.commits(2);
    archive(&old, &to, 1 << 20).unwrap();
    archive(&new, &to, 1 << 20).unwrap();
    compare(&new, &to);
    assert_eq!(findings(&to), Vec::<String>::new());
}

#[test]
fn two_roots_of_one_number_have_a_history_each() {
    let old = Log::new();
    old.commits(4);
    let (one, other) = (old.promoted_copy(), old.promoted_copy());
    one.commits(2);
    // Behind the time of the other one's record.
    other.commits(3);
    let (_folder, _, to) = repository();
    archive(&one, &to, SMALL).unwrap();
    archive(&other, &to, SMALL).unwrap();
    assert_eq!(findings(&to), Vec::<String>::new());
    let catalog = to.catalog().unwrap();
    let two: Vec<HistoryId> = catalog.histories.keys().copied().collect();
    assert_eq!(two.len(), 3, "{two:?}");
    let which = catalog.newest().unwrap_err().to_string();
    assert!(which.contains(&two[1].to_string()) && which.contains(&two[2].to_string()));
    for newest in &two[1..] {
        let line = Line::to(&to, &catalog, *newest).unwrap();
        assert_eq!(line.segments.len(), 2);
        assert_eq!(line.segments[1].history, *newest);
    }
}

#[test]
fn two_logs_of_one_generation_that_differ_are_refused_and_nothing_is_written() {
    let one = Log::new();
    one.commits(3);
    let (_folder, _, to) = repository();
    archive(&one, &to, SMALL).unwrap();
    // The same generation, written on by two.
    let other = one.second_writer();
    one.writer.switch().unwrap();
    archive(&one, &to, SMALL).unwrap();
    one.commit(50);
    other.commit(60);
    let mut behind = Run::begin(&other, &to).unwrap();
    archive(&one, &to, SMALL).unwrap();
    let before = to.catalog().unwrap();
    let failure = loop {
        match behind.step(SMALL) {
            Ok(true) => {}
            Ok(false) => unreachable!("it was archived"),
            Err(failure) => break failure,
        }
    };
    let differ = |failure: &ArchiverError| matches!(failure, ArchiverError::Diverged(_));
    assert!(differ(&failure), "{failure}");
    let again = archive(&other, &to, SMALL).unwrap_err();
    assert!(differ(&again), "{again}");
    assert_eq!(to.catalog().unwrap(), before);
    let told = again.to_string();
    assert!(told.contains("1-2:"), "{told}");
}

#[test]
fn who_is_behind_waits_until_its_own_log_proves_what_is_archived() {
    let ahead = Log::new();
    ahead.commits(3);
    let behind = ahead.files();
    ahead.commits(6);
    let (_folder, _, to) = repository();
    archive(&ahead, &to, 1 << 20).unwrap();
    let catalog = to.catalog().unwrap();
    let mut run = Run::begin_at(location(behind.path()), &to, &[]).unwrap();
    assert!(run.start.within.is_some());
    while run.step(1).unwrap() {}
    assert!(!run.archiver.is_settled(), "its log has not come so far");
    assert!(!run.archiver.beat(ahead.writer.now()).unwrap());
    assert_eq!(to.catalog().unwrap(), catalog);
}

#[derive(Clone, Debug)]
enum Step {
    Commit(usize),
    Switch,
    Generation,
    Archive(bool),
    Restart(bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (0_usize..3000).prop_map(Step::Commit),
        1 => Just(Step::Switch),
        1 => Just(Step::Generation),
        8 => any::<bool>().prop_map(Step::Archive),
        2 => any::<bool>().prop_map(Step::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10))]

    /// Two archivers of one log with parts of other sizes, which take turns and start anew at any time.
    #[test]
    fn two_archivers_of_one_log_make_one_archive(
        steps in proptest::collection::vec(step(), 5..60), sizes in (1_usize..9000, 1_usize..9000)
    ) {
        let log = Log::new();
        let (_folder, _, to) = repository();
        let size = |first: bool| if first { sizes.0 } else { sizes.1 };
        let begin = || Run::begin(&log, &to).unwrap();
        let mut runs = [begin(), begin()];
        for step in steps {
            match step {
                Step::Commit(bytes) => log.commit(bytes),
                Step::Switch => drop(log.writer.switch().unwrap()),
                Step::Generation => log.new_generation(),
                Step::Archive(first) => drop(runs[usize::from(first)].step(size(first)).unwrap()),
                Step::Restart(first) => runs[usize::from(first)] = begin(),
            }
        }
        log.writer.close().unwrap();
        for (first, run) in [false, true].into_iter().zip(&mut runs) {
            while run.step(size(first)).unwrap() {}
            prop_assert!(run.archiver.is_settled());
            run.archiver.beat(log.writer.now()).unwrap();
        }
        compare(&log, &to);
        prop_assert_eq!(findings(&to), Vec::<String>::new());
    }
}

#[test]
fn who_comes_second_finds_the_part_of_the_first_and_goes_on_behind_it() {
    let log = Log::new();
    log.commits(4);
    let (_folder, _, to) = repository();
    let (mut one, mut other) = (
        Run::begin(&log, &to).unwrap(),
        Run::begin(&log, &to).unwrap(),
    );
    while one.step(1 << 20).unwrap() {}
    log.commits(4);
    let mut seen = Vec::new();
    for _header_and_blocks in 0..2 {
        other.step(usize::MAX >> 1).unwrap();
    }
    while let Some(stored) = other.archiver.store(1 << 20).unwrap() {
        seen.push(stored);
    }
    assert_eq!(seen[0], Stored::Others);
    while other.step(1 << 20).unwrap() {}
    assert!(other.archiver.is_settled());
    compare(&log, &to);
}
