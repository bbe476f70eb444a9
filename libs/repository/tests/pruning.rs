//! What nobody keeps goes, a while later; what somebody needs never does.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod common;

use std::time::Duration;

use common::backup::{State, back_up_at, backups, change, newest, pages, read_back};
use common::repository;
use fwlog::Timestamp;
use proptest::prelude::*;
use repository::{
    BackupWriter, Backups, Depth, Fate, KeepRules, PrunePlan, plan_prune, prune, verify_backups,
};

const DAY: u64 = 86_400_000_000;
const GRACE: Duration = Duration::from_micros(DAY);
const ONE: KeepRules = KeepRules {
    history: Duration::ZERO,
    daily: 1,
    weekly: 0,
    monthly: 0,
};

fn day(day: u64) -> Timestamp {
    Timestamp::from_micros((20_000 + day) * DAY)
}

fn run(backups: &Backups, rules: &KeepRules, now: Timestamp) -> PrunePlan {
    let catalog = backups.catalog().unwrap();
    let plan = plan_prune((backups, &catalog), rules, now, GRACE).unwrap();
    prune((backups, &catalog), &plan, now).unwrap();
    plan
}

fn is_good(backups: &Backups) -> bool {
    let catalog = backups.catalog().unwrap();
    let report = verify_backups((backups, &catalog), None, Depth::Data, &mut |_, _| {});
    report.unwrap().is_good()
}

#[test]
fn a_backup_is_marked_first_and_goes_a_day_later_with_its_packs() {
    let (_folder, store, _) = repository();
    let at = backups(&store);
    let mut state = State::from([(1, pages(1, 600))]);
    let first = back_up_at(&at, &state, None, day(1));
    // Nothing of the first one is in the second.
    state.insert(1, pages(2, 600));
    let second = back_up_at(&at, &state, newest(&at).as_ref(), day(2));
    let packs = at.catalog().unwrap().packs.len();
    let plan = run(&at, &ONE, day(3));
    assert_eq!(plan.backups[0], (first.id, Fate::Marked));
    assert!(plan.packs.is_empty());
    // Whoever has begun to restore it goes on.
    assert!(read_back(&at, first.id).is_ok());
    let half = Timestamp::from_micros(day(3).micros() + DAY / 2);
    let plan = run(&at, &ONE, half);
    assert_eq!(plan.backups[0], (first.id, Fate::Waits(day(4))));
    let plan = run(&at, &ONE, day(4));
    assert_eq!(plan.backups[0], (first.id, Fate::Removed));
    assert!(!plan.packs.is_empty());
    let catalog = at.catalog().unwrap();
    assert!(catalog.packs.len() < packs && catalog.begun.is_empty());
    assert_eq!(catalog.complete.iter().collect::<Vec<_>>(), [&second.id]);
    assert_eq!(read_back(&at, second.id).unwrap(), state);
    assert!(is_good(&at));
    // The last one stays, whatever the rules say.
    let nothing = KeepRules::default();
    run(&at, &nothing, day(100));
    run(&at, &nothing, day(200));
    assert_eq!(read_back(&at, second.id).unwrap(), state);
}

#[test]
fn a_mark_is_taken_away_where_a_rule_keeps_the_backup_again() {
    let (_folder, store, _) = repository();
    let at = backups(&store);
    let state = State::from([(1, pages(1, 3))]);
    let first = back_up_at(&at, &state, None, day(1));
    back_up_at(&at, &state, newest(&at).as_ref(), day(2));
    run(&at, &ONE, day(3));
    let two = KeepRules { daily: 2, ..ONE };
    run(&at, &two, day(10));
    run(&at, &ONE, day(11));
    assert!(read_back(&at, first.id).is_ok(), "it was marked anew");
}

#[test]
fn packs_stay_while_a_backup_is_under_way_and_go_when_it_was_broken_off() {
    let (_folder, store, _) = repository();
    let at = backups(&store);
    let state = State::from([(1, pages(1, 600))]);
    let complete = back_up_at(&at, &state, None, day(1));
    let other = State::from([(1, pages(9, 600))]);
    let mut draft = common::backup::draft(&other, None);
    draft.begun = day(5);
    let packs = at.catalog().unwrap().packs.keys().copied().collect();
    let mut writer = BackupWriter::begin(at.clone(), draft, None, &packs).unwrap();
    common::backup::give_pages(&mut writer, &other);
    drop(writer);
    // What it had stored so far belongs to nobody.
    let stray = common::backup::stray_pack(&store, 77);
    let plan = run(&at, &ONE, day(5));
    assert!(plan.packs_stay.is_some() && plan.packs.is_empty());
    assert!(at.catalog().unwrap().packs.contains_key(&stray));
    let plan = run(&at, &ONE, day(7));
    assert_eq!(plan.packs_stay, None);
    // It is removed, and its packs with it.
    run(&at, &ONE, day(7));
    let catalog = at.catalog().unwrap();
    assert!(catalog.begun.is_empty() && !catalog.packs.contains_key(&stray));
    assert_eq!(read_back(&at, complete.id).unwrap(), state);
    assert!(is_good(&at));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Backups and prunings in any order, by clocks that jump: what the repository shows is whole, and the newest is there.
    #[test]
    fn what_is_left_is_whole(
        steps in proptest::collection::vec((any::<bool>(), 0_u64..5, 1_u32..600, 0_u32..3, 0_u64..4), 1..14)
    ) {
        let (_folder, store, _) = repository();
        let at = backups(&store);
        let mut state = State::from([(1, pages(1, 600))]);
        let (mut today, mut made) = (10, Vec::new());
        for (is_backup, days, number, daily, back) in steps {
            today += days;
            if is_backup {
                change(&mut state, 1, number, today * 1000 + u64::from(number));
                let backup = back_up_at(&at, &state, newest(&at).as_ref(), day(today));
                made.push((backup.id, state.clone()));
            } else {
                let rules = KeepRules { daily, ..ONE };
                run(&at, &rules, day(today - back));
            }
        }
        let there = at.catalog().unwrap().complete;
        for (id, state) in made.iter().filter(|(id, _)| there.contains(id)) {
            prop_assert!(read_back(&at, *id).unwrap() == *state);
        }
        let newest_made = made.iter().map(|(id, _)| *id).max();
        prop_assert!(newest_made.is_none_or(|id| there.contains(&id)));
        prop_assert!(is_good(&at));
    }
}
