//! A backup is what it was made of; the next one stores what differs; what is wrong with an object is found, and named.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod common;

use common::backup::{State, back_up, backups, change, newest, pages, read_back};
use common::{Log, repository};
use disk::testing::Random;
use pagehash::PAGE_SIZE;
use proptest::prelude::*;
use repository::{BackupObject, Backups, Depth, ObjectName, Store, verify_backups};

fn some() -> State {
    State::from([(1, pages(1, 3)), (2, pages(2, 1)), (4, pages(4, 1100))])
}

/// What a look at all backups finds, as `object what`.
fn findings(backups: &Backups, depth: Depth) -> Vec<String> {
    let catalog = backups.catalog().unwrap();
    let report = verify_backups((backups, &catalog), None, depth, &mut |_, _| {}).unwrap();
    let of_backups = report.backups.iter().flat_map(|it| &it.findings);
    let all = of_backups.chain(&report.others);
    all.map(|it| format!("{} {}", it.object, it.what)).collect()
}

#[test]
fn a_backup_reads_back_and_an_incremental_one_stores_what_differs() {
    let (_folder, store, _) = repository();
    let backups = backups(&store);
    let mut state = some();
    let full = back_up(&backups, &state, None, None);
    assert_eq!(full.cost.equal, 0);
    assert_eq!(full.cost.taken, 1104);
    assert_eq!(read_back(&backups, full.id).unwrap(), state);
    // Nothing differs.
    let same = back_up(&backups, &state, newest(&backups).as_ref(), None);
    assert_eq!((same.cost.taken, same.cost.stored), (0, 0));
    // One page in each of two groups, one grows, one shrinks, one is new, one is gone.
    let before = state.clone();
    change(&mut state, 4, 7, 50);
    change(&mut state, 4, 600, 51);
    state.insert(1, pages(1, 5));
    state.get_mut(&4).unwrap().truncate(1050 * PAGE_SIZE);
    state.remove(&2);
    state.insert(7, pages(7, 513));
    let next = back_up(&backups, &state, newest(&backups).as_ref(), None);
    // A page each, two that are new, the last group of 4 by its new end, and all of 7.
    assert!(next.cost.taken <= 2 + 2 + 26 + 513, "{:?}", next.cost);
    assert!(next.cost.stored < full.cost.stored, "{:?}", next.cost);
    assert_eq!(read_back(&backups, next.id).unwrap(), state);
    assert_eq!(read_back(&backups, same.id).unwrap(), before);
    assert_eq!(findings(&backups, Depth::Data), Vec::<String>::new());
    assert_eq!(findings(&backups, Depth::Quick), Vec::<String>::new());
}

#[test]
fn a_group_is_stored_anew_before_it_is_in_too_many_packs() {
    let (_folder, store, _) = repository();
    let backups = backups(&store);
    let mut state = State::from([(1, pages(1, 512))]);
    back_up(&backups, &state, None, None);
    let mut taken = Vec::new();
    for round in 0..20 {
        change(&mut state, 1, 1 + round * 3, 100 + u64::from(round));
        let made = back_up(&backups, &state, newest(&backups).as_ref(), None);
        assert_eq!(read_back(&backups, made.id).unwrap(), state);
        let table = backups.table(&made).unwrap();
        let frames = table.databases[&1].groups[0].frames.len();
        assert!(frames <= repository::MAX_GROUP_FRAMES);
        taken.push(made.cost.taken);
    }
    assert!(taken.contains(&1) && taken.contains(&512), "{taken:?}");
    assert_eq!(findings(&backups, Depth::Data), Vec::<String>::new());
}

/// What is under way of somebody else has another name.
#[test]
fn two_backups_of_one_second_and_commit_do_not_share_a_name() {
    let (_folder, store, _) = repository();
    let backups = backups(&store);
    let state = some();
    let draft = common::backup::draft(&state, None);
    let packs = std::collections::BTreeSet::new();
    let begun = repository::BackupWriter::begin(backups.clone(), draft, None, &packs).unwrap();
    let made = back_up(&backups, &state, None, None);
    assert_ne!(begun.id(), made.id);
    assert_eq!(read_back(&backups, made.id).unwrap(), state);
    let catalog = backups.catalog().unwrap();
    assert!(catalog.begun.contains(&begun.id()) && !catalog.complete.contains(&begun.id()));
}

#[test]
fn pages_that_are_not_those_of_the_group_are_not_kept() {
    let (_folder, store, _) = repository();
    let backups = backups(&store);
    let state = State::from([(1, pages(1, 20))]);
    let draft = common::backup::draft(&state, None);
    let packs = std::collections::BTreeSet::new();
    let mut writer = repository::BackupWriter::begin(backups, draft, None, &packs).unwrap();
    let group = pagehash::GroupNumber::new(0).unwrap();
    let value = pagehash::GroupParts::of(group, &state[&1]).value();
    let all = pagehash::PageSet::first(20);
    let mut other = state[&1].clone();
    other[5000] ^= 1;
    assert!(!writer.keep((1, group), all, value, &other).unwrap());
    assert!(writer.keep((2, group), all, value, &state[&1]).is_err());
    assert!(
        writer
            .keep(
                (1, group),
                pagehash::PageSet::first(21),
                value,
                &pages(1, 21)
            )
            .is_err()
    );
    // Without a group there is no backup.
    let roots = [(1, common::backup::root(&state[&1]))];
    assert!(
        writer
            .finish(&roots, (0, 20), fwlog::Timestamp::ZERO)
            .is_err()
    );
}

/// A repository with two backups, the log of both, and an object of each kind.
fn filled() -> (tempfile::TempDir, std::sync::Arc<dyn Store>, State, State) {
    let (folder, store, _) = repository();
    let at = backups(&store);
    let log = Log::new();
    log.commits(4);
    let first = some();
    back_up(&at, &first, None, Some(&log));
    log.commits(3);
    let mut second = first.clone();
    change(&mut second, 4, 9, 60);
    back_up(&at, &second, newest(&at).as_ref(), Some(&log));
    assert_eq!(findings(&at, Depth::Data), Vec::<String>::new());
    (folder, store, first, second)
}

fn objects(store: &dyn Store) -> Vec<ObjectName> {
    let listed = store.list("").unwrap();
    let names = listed.iter().map(|it| it.name.parse().unwrap());
    let names: Vec<ObjectName> = names.filter(|it| *it != ObjectName::Marker).collect();
    let of = |object: fn(&BackupObject) -> bool| {
        let is = |it: &&ObjectName| matches!(it, ObjectName::Backup(_, _, it) if object(it));
        names.iter().filter(is).count()
    };
    assert_eq!(of(|it| matches!(it, BackupObject::Begun)), 2);
    assert_eq!(of(|it| matches!(it, BackupObject::Manifest)), 2);
    assert_eq!(of(|it| matches!(it, BackupObject::Pages)), 2);
    assert!(of(|it| matches!(it, BackupObject::Log(..))) >= 2);
    let packs = names.iter().filter(|it| matches!(it, ObjectName::Pack(..)));
    assert!(packs.count() >= 2);
    names
}

fn is_named(found: &[String], name: &ObjectName) -> bool {
    found.iter().any(|it| it.starts_with(&format!("{name} ")))
}

#[test]
fn each_object_that_is_deleted_is_named_by_either_look() {
    let (_folder, store, _, _) = filled();
    let at = backups(&store);
    for name in objects(store.as_ref()) {
        let content = store.get(&name).unwrap();
        store.delete(&name).unwrap();
        for depth in [Depth::Quick, Depth::Data] {
            let found = findings(&at, depth);
            assert!(is_named(&found, &name), "{name} {depth:?}: {found:?}");
        }
        store.put(&name, &content).unwrap();
    }
    assert_eq!(findings(&at, Depth::Data), Vec::<String>::new());
}

/// And what is read back meanwhile is right, or refused.
#[test]
fn each_object_with_a_flipped_bit_or_a_cut_is_named_and_nothing_wrong_is_given_out() {
    let (_folder, store, first, second) = filled();
    let at = backups(&store);
    let ids: Vec<_> = at.catalog().unwrap().complete.into_iter().collect();
    let mut random = Random::new(11);
    for name in objects(store.as_ref()) {
        let content = store.get(&name).unwrap();
        let mut bad = vec![[&content[..], b"x"].concat()];
        for _ in 0..4 {
            let at = usize::try_from(random.below(content.len() as u64)).unwrap();
            let mut flipped = content.clone();
            flipped[at] ^= 1 << random.below(8);
            bad.push(flipped);
            bad.push(content[..at].to_vec());
        }
        for bad in bad {
            store.put(&name, &bad).unwrap();
            let found = findings(&at, Depth::Data);
            assert!(is_named(&found, &name), "{name}: {found:?}");
            for (id, state) in ids.iter().zip([&first, &second]) {
                if let Ok(read) = read_back(&at, *id) {
                    assert!(read == *state, "{name}");
                }
            }
        }
        store.put(&name, &content).unwrap();
    }
    assert_eq!(findings(&at, Depth::Data), Vec::<String>::new());
}

/// A backup over a repository that has lost a pack stores what was in it once more.
#[test]
fn what_a_lost_pack_had_is_stored_again() {
    let (_folder, store, _, second) = filled();
    let at = backups(&store);
    for name in objects(store.as_ref()) {
        if matches!(name, ObjectName::Pack(..)) {
            store.delete(&name).unwrap();
            let made = back_up(&at, &second, newest(&at).as_ref(), None);
            assert_eq!(read_back(&at, made.id).unwrap(), second);
        }
    }
}

proptest! {
    /// What is made up takes no memory beyond its bytes, and no panic.
    #[test]
    fn any_bytes_are_read_or_refused(
        mut bytes in proptest::collection::vec(any::<u8>(), 0..400), as_table: bool
    ) {
        if as_table {
            let head = [&b"eloqgrps"[..], &1_u32.to_le_bytes()].concat();
            bytes.splice(0..0, head);
        }
        if let Ok(table) = repository::PageTable::decode(&bytes) {
            prop_assert!(table.encode().len() <= bytes.len());
        }
        prop_assert!(repository::RestoreNote::decode(&bytes).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever changes, and whichever backup a new one is compared with.
    #[test]
    fn backups_are_what_they_were_made_of(
        rounds in proptest::collection::vec(
            proptest::collection::vec((1_u32..4, 0_u32..1500, any::<u16>()), 0..12),
            1..6,
        )
    ) {
        let (_folder, store, _) = repository();
        let at = backups(&store);
        let mut state = State::from([(1, pages(1, 1030)), (2, pages(2, 1))]);
        let mut made = Vec::new();
        for round in rounds {
            for (database, number, seed) in round {
                let content = state.entry(database).or_insert_with(|| pages(3, 2));
                let count = u32::try_from(content.len() / PAGE_SIZE).unwrap();
                match seed % 8 {
                    0 => content.truncate((number.max(1).min(count)) as usize * PAGE_SIZE),
                    1 => content.extend(pages(u64::from(seed), number % 40)),
                    _ => change(&mut state, database, 1 + number % count, u64::from(seed)),
                }
            }
            let backup = back_up(&at, &state, newest(&at).as_ref(), None);
            made.push((backup.id, state.clone()));
        }
        for (id, state) in made {
            prop_assert!(read_back(&at, id).unwrap() == state, "{id}");
        }
        prop_assert_eq!(findings(&at, Depth::Data), Vec::<String>::new());
    }
}
