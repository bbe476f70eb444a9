//! Trees of instances: circles, names, and sources that are exchanged.

#![expect(clippy::unwrap_used, reason = "a test fails by that")]

use std::collections::BTreeSet;
use std::time::Duration;

use dbconfig::Role;
use fwlog::Timestamp;
use simulation::{Tree, WentBack, go_back_in_turn};

/// More than it takes until everybody in a tree of these tests knows what there is to know.
const BEATS: usize = 20;

fn beats(tree: &mut Tree) {
    for _ in 0..BEATS {
        assert_eq!(tree.beat().unwrap(), []);
    }
}

/// One feeds the other, and all know of it.
#[track_caller]
fn feed(tree: &mut Tree, source: &str, slave: &str) {
    tree.feed(source, slave).unwrap();
    beats(tree);
}

#[track_caller]
fn refused(tree: &mut Tree, source: &str, slave: &str) -> String {
    tree.feed(source, slave).unwrap_err().sqlstate
}

#[test]
fn the_root_sees_the_whole_tree_and_each_instance_the_way_to_it() {
    let mut tree = Tree::new(1, &["a", "b", "c", "d"]).unwrap();
    for (source, slave) in [("a", "b"), ("b", "c"), ("c", "d")] {
        feed(&mut tree, source, slave);
    }
    tree.commit("a", "shop").unwrap();
    beats(&mut tree);
    let whole = "a: 0 a, 1 b following, 2 c following, 3 d following";
    assert_eq!(tree.shown("a").unwrap(), whole);
    let above = "a: 0 a, 1 b, 2 c, 3 d catching up";
    // A slave says of itself what it knows: nobody tells here that it has caught up.
    assert_eq!(tree.shown("d").unwrap(), above);
    assert!(tree.are_equal("a", "d").unwrap());
    // What is behind a line that is cut nobody can say.
    tree.stop_feeding("b");
    beats(&mut tree);
    let cut = "a: 0 a, 1 b not connected, 2 c, 3 d";
    assert_eq!(tree.shown("a").unwrap(), cut);
    let below = tree.shown("b").unwrap();
    assert!(
        below.starts_with("?: 0 b") && below.ends_with("1 c following, 2 d following"),
        "{below}"
    );
}

/// Scenario: A → B → C, then C → A; then A is gone, and C → B.
#[test]
fn a_circle_is_refused_and_the_root_takes_no_log() {
    let mut tree = Tree::new(2, &["a", "b", "c"]).unwrap();
    feed(&mut tree, "a", "b");
    feed(&mut tree, "b", "c");
    beats(&mut tree);
    assert_eq!(refused(&mut tree, "c", "a"), "R0101");
    tree.kill("a");
    beats(&mut tree);
    assert_eq!(refused(&mut tree, "c", "b"), "R0109");
    // It is one way or the other.
    tree.stop_feeding("c");
    beats(&mut tree);
    feed(&mut tree, "c", "b");
    beats(&mut tree);
    assert_eq!(refused(&mut tree, "b", "c"), "R0109");
}

#[test]
fn a_circle_that_forms_unseen_is_cut_by_who_finds_itself_above() {
    for length in 2..6 {
        let names: Vec<String> = (0..=length).map(|number| format!("i{number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut tree = Tree::new(length, &names).unwrap();
        // All have met the root, so that they are one environment.
        for name in &names[1..] {
            feed(&mut tree, "i0", name);
            tree.stop_feeding(name);
        }
        beats(&mut tree);
        // At one moment each begins to feed the next one: nobody knows of the others yet.
        for at in 1..names.len() {
            let next = at % (names.len() - 1) + 1;
            tree.feed(names[at], names[next]).unwrap();
        }
        let mut cut = Vec::new();
        for _ in 0..BEATS {
            cut.extend(tree.beat().unwrap());
        }
        assert!(!cut.is_empty(), "a circle of {length}");
        assert!(cut.iter().all(|(_, refuse)| refuse.sqlstate == "R0109"));
        beats(&mut tree);
    }
}

/// Scenario: a slave is named as the root is, as a sibling far away, and runs on a copy of another's name.
#[test]
fn a_name_that_is_elsewhere_in_the_tree_is_not_fed_until_the_other_one_has_gone() {
    let mut tree = Tree::new(3, &["a", "b", "c", "d"]).unwrap();
    tree.add("second a", "a", Role::Slave).unwrap();
    tree.add("second d", "d", Role::Slave).unwrap();
    feed(&mut tree, "a", "b");
    feed(&mut tree, "a", "c");
    feed(&mut tree, "b", "d");
    beats(&mut tree);
    // Far away: whoever is above both finds it out, and the younger one is cut.
    tree.feed("c", "second d").unwrap();
    let mut cut = Vec::new();
    for _ in 0..BEATS {
        cut.extend(tree.beat().unwrap());
    }
    let cut: Vec<_> = cut
        .iter()
        .map(|(who, it)| (who.as_str(), it.sqlstate.as_str()))
        .collect();
    assert_eq!(cut, [("second d", "R0105")]);
    assert_eq!(refused(&mut tree, "c", "second d"), "R0105");
    beats(&mut tree);
    let both = "a: 0 a, 1 b following, 2 d following, 1 c following, 2 d not unique";
    assert_eq!(tree.shown("a").unwrap(), both);
    tree.kill("d");
    beats(&mut tree);
    feed(&mut tree, "c", "second d");
    beats(&mut tree);
    assert_eq!(refused(&mut tree, "a", "second a"), "R0104");
    assert_eq!(refused(&mut tree, "b", "second a"), "R0105");
}

/// Scenario: B dies in A → B → D; D is fed by A, then by C.
#[test]
fn a_slave_gets_other_sources_and_needs_nothing_but_the_log() {
    let mut tree = Tree::new(4, &["a", "b", "c", "d"]).unwrap();
    feed(&mut tree, "a", "b");
    feed(&mut tree, "a", "c");
    feed(&mut tree, "b", "d");
    tree.commit("a", "one").unwrap();
    beats(&mut tree);
    assert!(tree.are_equal("a", "d").unwrap());
    tree.kill("b");
    tree.commit("a", "two").unwrap();
    feed(&mut tree, "a", "d");
    beats(&mut tree);
    assert!(tree.are_equal("a", "d").unwrap());
    tree.stop_feeding("d");
    tree.commit("a", "three").unwrap();
    beats(&mut tree);
    feed(&mut tree, "c", "d");
    beats(&mut tree);
    assert!(tree.are_equal("a", "d").unwrap());
    let way = "a: 0 a, 1 c, 2 d";
    assert!(tree.shown("d").unwrap().starts_with(way));
}

/// Scenario: B's clock is an hour behind A's; B becomes the root, and A is gone.
#[test]
fn the_times_of_a_log_do_not_go_back_where_the_clock_of_the_next_root_is_behind() {
    let mut tree = Tree::new(5, &["a", "c"]).unwrap();
    tree.add_late("b", Duration::from_hours(1)).unwrap();
    feed(&mut tree, "a", "b");
    tree.commit("a", "one").unwrap();
    beats(&mut tree);
    tree.kill("a");
    beats(&mut tree);
    tree.promote("b").unwrap();
    for name in ["two", "three"] {
        tree.commit("b", name).unwrap();
        beats(&mut tree);
    }
    feed(&mut tree, "b", "c");
    beats(&mut tree);
    let times = tree.times("b").unwrap();
    let generations: BTreeSet<_> = times.iter().map(|(generation, _)| generation).collect();
    assert_eq!(generations.len(), 2, "{times:?}");
    // A point in time is one place of the log, also across the two generations.
    let goes_on = |pair: &[(_, Timestamp)]| pair[0].1 <= pair[1].1;
    assert!(times.windows(2).all(goes_on), "{times:?}");
    assert_eq!(tree.times("c").unwrap(), times);
}

/// Scenario: what an instance far below has lost becomes known at the root and everywhere, once, whoever ends meanwhile.
#[test]
fn what_is_lost_far_below_becomes_known_at_the_root_and_everywhere_without_a_person() {
    let mut tree = Tree::new(20, &["a", "b", "c"]).unwrap();
    feed(&mut tree, "a", "b");
    feed(&mut tree, "b", "c");
    tree.commit("a", "shop").unwrap();
    beats(&mut tree);
    tree.tell_lost("c", "east", 7).unwrap();
    // It is on its way when the one in the middle ends, and when the root does.
    tree.beat().unwrap();
    tree.kill("b");
    tree.start("b").unwrap();
    tree.feed("a", "b").unwrap();
    tree.feed("b", "c").unwrap();
    tree.beat().unwrap();
    tree.kill("a");
    tree.start("a").unwrap();
    feed(&mut tree, "a", "b");
    beats(&mut tree);
    let known = [("east 7".to_owned(), false)];
    for key in ["a", "b", "c"] {
        assert_eq!(tree.known_lost(key).unwrap(), known, "{key}");
    }
    // It is told once more, after the other one has become the root, too: nobody writes it down again.
    let commits = tree.commits("a").unwrap();
    beats(&mut tree);
    assert_eq!(tree.commits("a").unwrap(), commits);
    tree.kill("a");
    tree.promote("b").unwrap();
    beats(&mut tree);
    assert_eq!(tree.known_lost("b").unwrap(), known);
    assert_eq!(tree.complete_lost("b"), Ok(1));
    beats(&mut tree);
    let settled = [("east 7".to_owned(), true)];
    for key in ["b", "c"] {
        assert_eq!(tree.known_lost(key).unwrap(), settled, "{key}");
    }
}

#[test]
fn what_was_lost_behind_a_point_that_the_root_does_not_have_is_not_noted() {
    let mut tree = Tree::new(21, &["a", "b"]).unwrap();
    feed(&mut tree, "a", "b");
    let hash = fwlog::ChainHash::from_bytes([3; 32]);
    let elsewhere = fwlog::LogPoint::new("1-1:300".parse().unwrap(), hash);
    let told = tree.tell_lost_behind("a", "east", (elsewhere, 7));
    told.unwrap();
    let commits = tree.commits("a").unwrap();
    beats(&mut tree);
    assert_eq!(tree.known_lost("a").unwrap(), []);
    assert_eq!(tree.commits("a").unwrap(), commits);
}

/// Trees of these seeds. `ELOQDB_TREES` says how many; `ELOQDB_TREE_FROM` which is the first.
const TREES: u64 = 60;

/// Scenario: A dies, B becomes the root, and others of the tree have what B has not, wherever they are in it.
#[test]
fn a_tree_goes_back_in_turn_though_the_power_fails_on_the_way() {
    let number = |name| {
        let text = std::env::var(name).ok()?;
        Some(text.parse::<u64>().unwrap())
    };
    let first = number("ELOQDB_TREE_FROM").unwrap_or(0);
    let count = number("ELOQDB_TREES").unwrap_or(TREES);
    let mut total = WentBack::default();
    let mut failed = Vec::new();
    for seed in first..first + count {
        match go_back_in_turn(seed) {
            Ok(went) => {
                total.instances += went.instances;
                total.below += went.below;
                total.transactions += went.transactions;
                total.power_cuts += went.power_cuts;
            }
            Err(wrong) => failed.push(format!("tree {seed}: {wrong}")),
        }
    }
    println!("{total:?}");
    assert!(failed.is_empty(), "{failed:#?}");
    // A single one may have had nobody to go back.
    let enough = count < TREES
        || total.instances > count && total.below > count / 4 && total.power_cuts > count;
    assert!(enough, "{total:?}");
}
