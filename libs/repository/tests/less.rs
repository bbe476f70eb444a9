//! What somebody has already is neither fetched nor stored again.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod common;

use common::backup::{State, back_up, backups, change, newest, page, pages};
use common::repository;
use disk::testing::Random;
use pagehash::{GROUP_PAGES, GroupNumber, PAGE_SIZE};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever is in their places: the pages come as they are, and those that were right are not what is fetched.
    #[test]
    fn a_group_is_right_over_anything_and_costs_nothing_over_itself(
        seed: u64,
        count in 1_u32..600,
        changes in prop::collection::vec(1_u32..600, 0..6),
        cut in 0_usize..3,
    ) {
        let (_folder, store, _) = repository();
        let backups = backups(&store);
        let mut state = State::from([(1, pages(seed, count))]);
        back_up(&backups, &state, None, None);
        let older = state[&1].clone();
        for (round, number) in (1..).zip(changes.iter().filter(|it| **it <= count)) {
            change(&mut state, 1, *number, seed.wrapping_add(round));
            back_up(&backups, &state, newest(&backups).as_ref(), None);
        }
        let last = newest(&backups).unwrap();
        let stored = &last.table.databases[&1];
        let mut garbled = older.clone();
        let mut random = Random::new(seed);
        for _ in 0..40 {
            let at = usize::try_from(random.below(garbled.len() as u64)).unwrap();
            garbled[at] ^= 1;
        }
        let mut costs = Vec::new();
        for here in [&state[&1], &older, &garbled, &Vec::new()] {
            // One that is shorter has no whole last page.
            let here = &here[..here.len().saturating_sub(cut * 1000)];
            let mut reader = backups.pages();
            for (number, group) in GroupNumber::all(count).zip(&stored.groups) {
                let from = (number.get() * GROUP_PAGES) as usize * PAGE_SIZE;
                let over = here.get(from..).unwrap_or_default();
                let over = &over[..over.len().min(GROUP_PAGES as usize * PAGE_SIZE)];
                let content = reader.group_over(number, count, group, over).unwrap();
                prop_assert!(content == state[&1][from..from + content.len()]);
            }
            costs.push(reader.fetched());
        }
        prop_assert!(costs[0] <= costs[1] && costs[1] <= costs[2] && costs[2] <= costs[3], "{:?}", costs);
        prop_assert!(cut > 0 || costs[0] == 0, "{:?}", costs);
    }
}

/// Where packs end follows from what is in them.
#[test]
fn packs_behind_a_page_that_has_changed_are_the_same_ones() {
    let (_folder, store, _) = repository();
    let backups = backups(&store);
    // Eleven groups and eight: packs end where they are full, and behind each eighth group.
    let mut state = State::from([(1, pages(1, 24 * GROUP_PAGES)), (2, pages(2, 700))]);
    back_up(&backups, &state, None, None);
    let before = backups.catalog().unwrap().packs;
    change(&mut state, 1, 3, 77);
    let again = back_up(&backups, &state, None, None);
    let packs = backups.catalog().unwrap().packs;
    let new: u64 = packs
        .iter()
        .filter(|(id, _)| !before.contains_key(id))
        .map(|(_, bytes)| bytes)
        .sum();
    assert_eq!(new, again.cost.stored);
    assert!(before.len() >= 4, "{}", before.len());
    assert_eq!(packs.len(), before.len() + 1, "one pack is another one");
    assert_ne!(page(1, 3), page(77, 3));
}
