use fwlog::{ChainHash, Position, SegmentId, Timestamp};
use proptest::prelude::*;

use super::*;

/// A border of the log behind the commit; `history`: another one has other hashes.
fn point(commit: u64, history: u8) -> LogPoint {
    LogPoint {
        position: Position::new(SegmentId::FIRST, commit * 100),
        hash: ChainHash::from_bytes([history; 32]),
    }
}

fn end(commit: u64) -> Durable {
    Durable {
        point: point(commit, 1),
        log_bytes: commit * 100,
        commit: CommitNumber::new(commit),
        time: Timestamp::from_micros(commit),
        sealed: false,
    }
}

fn quorum(rule: &str) -> Quorum {
    let mut quorum = Quorum::new("north", Some(rule.parse().unwrap()));
    feed(&mut quorum, &[]);
    quorum
}

/// Of three sources these are fed.
fn feed(quorum: &mut Quorum, fed: &[&str]) {
    let names = ["south", "east", "west"];
    quorum.set_sources(&names.map(|it| (it.to_owned(), fed.contains(&it))));
}

fn say(quorum: &mut Quorum, name: &str, commit: u64) {
    quorum.acknowledged(name, point(commit, 1), point(commit, 1));
}

fn released(quorum: &Quorum) -> u64 {
    quorum.released().commit.get()
}

fn write(quorum: &mut Quorum, commits: std::ops::RangeInclusive<u64>) {
    for commit in commits {
        quorum.wrote(&end(commit));
    }
}

#[test]
fn without_a_rule_this_disk_is_enough() {
    let mut quorum = Quorum::new("north", None);
    write(&mut quorum, 1..=3);
    assert_eq!(released(&quorum), 3);
    assert_eq!(quorum.acknowledged_by_enough(), quorum.local());
    assert_eq!(quorum.place_of("south"), (0, "async"));
}

#[test]
fn any_counts_the_fastest_of_those_that_are_named() {
    let mut one = quorum("any 1 (south, east)");
    write(&mut one, 1..=9);
    assert_eq!(released(&one), 0);
    say(&mut one, "west", 9);
    assert_eq!(released(&one), 0, "it is not named");
    say(&mut one, "south", 4);
    say(&mut one, "east", 7);
    assert_eq!(released(&one), 7);
    let mut two = quorum("any 2");
    write(&mut two, 1..=9);
    say(&mut two, "south", 4);
    assert_eq!(released(&two), 0);
    say(&mut two, "west", 7);
    assert_eq!(released(&two), 4);
    assert_eq!(two.place_of("east"), (1, "quorum"));
    // What one has that is fed no more it still has.
    feed(&mut two, &[]);
    assert_eq!(released(&two), 4);
}

#[test]
fn first_waits_for_those_before_all_others_as_long_as_they_are_fed() {
    let mut quorum = quorum("first 1 (north, south, east)");
    write(&mut quorum, 1..=9);
    say(&mut quorum, "east", 8);
    say(&mut quorum, "south", 3);
    assert_eq!(released(&quorum), 0, "nobody is fed");
    feed(&mut quorum, &["east"]);
    assert_eq!(released(&quorum), 8);
    assert_eq!(quorum.place_of("east"), (2, "sync"));
    feed(&mut quorum, &["east", "south", "west"]);
    assert_eq!(released(&quorum), 3);
    assert_eq!(quorum.place_of("south"), (1, "sync"));
    assert_eq!(quorum.place_of("east"), (2, "potential"));
    feed(&mut quorum, &["east"]);
    assert_eq!(released(&quorum), 8);
    assert_eq!(quorum.place_of("west"), (0, "async"));
}

#[test]
fn a_majority_has_this_server_in_it() {
    for (sources, needed) in [(0, 0), (1, 1), (2, 1), (3, 2), (4, 2), (5, 3)] {
        let mut quorum = Quorum::new("north", Some(SyncSlaves::Majority));
        let names: Vec<String> = (0..sources).map(|it| format!("s{it}")).collect();
        let fed: Vec<_> = names.iter().map(|it| (it.clone(), true)).collect();
        quorum.set_sources(&fed);
        write(&mut quorum, 1..=5);
        for (done, name) in names.iter().enumerate() {
            let enough = done >= needed;
            assert_eq!(released(&quorum) == 5, enough, "{done} of {sources}");
            say(&mut quorum, name, 5);
        }
        assert_eq!(released(&quorum), 5);
    }
}

#[test]
fn what_is_said_of_another_history_does_not_count() {
    let mut quorum = quorum("any 1");
    write(&mut quorum, 1..=5);
    quorum.acknowledged("south", point(5, 2), point(5, 2));
    quorum.acknowledged("south", point(77, 1), point(77, 1));
    assert_eq!(released(&quorum), 0);
    say(&mut quorum, "south", 5);
    assert_eq!(released(&quorum), 5);
}

#[test]
fn what_is_applied_is_counted_by_itself() {
    let mut quorum = quorum("any 1");
    write(&mut quorum, 1..=5);
    quorum.acknowledged("south", point(5, 1), point(2, 1));
    let reaches = (quorum.released(), quorum.applied());
    assert_eq!((reaches.0.commit.get(), reaches.1.commit.get()), (5, 2));
}

#[test]
fn alone_it_goes_on_and_still_knows_who_is_behind() {
    let mut quorum = quorum("any 1");
    write(&mut quorum, 1..=5);
    assert!(quorum.acknowledged_by_enough() < quorum.local());
    quorum.set_alone(true);
    assert_eq!(released(&quorum), 5);
    assert!(quorum.acknowledged_by_enough() < quorum.local());
    say(&mut quorum, "south", 5);
    assert_eq!(quorum.acknowledged_by_enough(), quorum.local());
}

#[test]
fn a_source_that_is_taken_away_is_forgotten() {
    let mut quorum = quorum("any 1");
    write(&mut quorum, 1..=5);
    say(&mut quorum, "south", 5);
    quorum.set_sources(&[("east".to_owned(), true)]);
    write(&mut quorum, 6..=6);
    assert_eq!(released(&quorum), 0);
    say(&mut quorum, "east", 6);
    assert_eq!(released(&quorum), 6);
}

#[test]
fn a_log_that_goes_on_elsewhere_believes_only_what_is_said_of_it() {
    let mut quorum = quorum("any 1");
    write(&mut quorum, 1..=5);
    quorum.begin(&end(3));
    quorum.acknowledged("south", point(5, 1), point(5, 1));
    assert_eq!(released(&quorum), 0);
    say(&mut quorum, "south", 3);
    assert_eq!(released(&quorum), 3);
}

proptest! {
    /// Whatever is said in whichever order: what is released this disk has, and as many of the slaves as the rule wants.
    #[test]
    fn what_is_released_enough_have(
        count in 1_usize..=3,
        steps in prop::collection::vec((0_usize..4, 1_u64..40, any::<bool>()), 1..80),
    ) {
        let names = ["south", "east", "west"];
        let mut quorum = quorum(&format!("any {count}"));
        let (mut written, mut has) = (0, [0_u64; 3]);
        for (who, commit, is_true) in steps {
            if let Some(slave) = has.get_mut(who) {
                let history = if is_true { 1 } else { 2 };
                quorum.acknowledged(names[who], point(commit, history), point(commit, history));
                if is_true && commit <= written {
                    *slave = (*slave).max(commit);
                }
            } else {
                for next in written + 1..=written + commit % 5 {
                    quorum.wrote(&end(next));
                }
                written += commit % 5;
            }
            let mut sorted = has;
            sorted.sort_unstable_by(|a, b| b.cmp(a));
            prop_assert_eq!(released(&quorum), sorted[count - 1].min(written));
        }
    }
}
