//! What a power cut leaves.

use std::collections::BTreeSet;
use std::path::Path;

use super::{SEEDS, durable_file, machine, outcomes, raw};
use crate::{Access, FileSystem};

#[test]
fn what_was_synced_survives_every_power_cut() {
    let (machine, disk) = machine();
    drop(durable_file(&disk, "/d/a", &[5; 3000]));
    assert_eq!(
        outcomes(&machine, "/d/a"),
        BTreeSet::from([Some(vec![5; 3000])])
    );
}

#[test]
fn of_an_unsynced_write_each_sector_is_lost_on_its_own() {
    let (machine, disk) = machine();
    let file = durable_file(&disk, "/d/a", &[1; 1536]);
    file.write_at(256, &[2; 1024]).unwrap();
    let sectors = |content: Option<Vec<u8>>| {
        let content = content.unwrap();
        assert_eq!((content.len(), content[0], content[1535]), (1536, 1, 1));
        // The write begins in the middle of a sector and ends in the middle of another.
        for place in [256..512, 512..1024, 1024..1280] {
            let first = content[place.start];
            assert!(content[place].iter().all(|byte| *byte == first));
        }
        (content[256], content[512], content[1024])
    };
    let seen: BTreeSet<_> = outcomes(&machine, "/d/a")
        .into_iter()
        .map(sectors)
        .collect();
    assert_eq!(seen.len(), 8);
    let nothing = machine.after_power_cut(0).content("/d/a");
    assert_eq!(sectors(nothing), (1, 1, 1));
    assert_eq!(
        sectors(machine.after_power_cut(1).content("/d/a")),
        (2, 2, 2)
    );
}

#[test]
fn a_file_that_grew_may_have_its_length_without_its_content() {
    let (machine, disk) = machine();
    let file = durable_file(&disk, "/d/a", b"");
    file.write_at(0, b"content").unwrap();
    let expected = [&b""[..], &[0; 7], b"content"].map(|content| Some(content.to_vec()));
    assert_eq!(outcomes(&machine, "/d/a"), BTreeSet::from(expected));
}

#[test]
fn an_unsynced_cut_is_lost_or_not() {
    let (machine, disk) = machine();
    let file = durable_file(&disk, "/d/a", b"content");
    file.set_length(3).unwrap();
    let expected = [&b"content"[..], b"con"].map(|content| Some(content.to_vec()));
    assert_eq!(outcomes(&machine, "/d/a"), BTreeSet::from(expected));
    file.sync().unwrap();
    assert_eq!(outcomes(&machine, "/d/a").len(), 1);
}

#[test]
fn a_name_is_durable_only_after_a_sync_of_its_directory() {
    let (machine, disk) = machine();
    let file = disk
        .open(Path::new("/d/a"), Access::CreateNew(0o600))
        .unwrap();
    file.write_at(0, b"x").unwrap();
    file.sync().unwrap();
    let lost_or_whole = BTreeSet::from([None, Some(b"x".to_vec())]);
    assert_eq!(outcomes(&machine, "/d/a"), lost_or_whole);
    disk.sync_directory(Path::new("/d")).unwrap();
    assert_eq!(
        outcomes(&machine, "/d/a"),
        BTreeSet::from([Some(b"x".to_vec())])
    );
}

#[test]
fn of_the_changes_of_a_directory_the_first_ones_survive() {
    let (machine, disk) = machine();
    for name in ["/d/1", "/d/2", "/d/3"] {
        drop(disk.open(name.as_ref(), Access::CreateNew(0o600)).unwrap());
    }
    let list = |seed| machine.after_power_cut(seed).files().len();
    assert_eq!((list(0), list(1)), (0, 3));
    for seed in 0..SEEDS {
        let files = machine.after_power_cut(seed).files();
        let expected = ["/d/1", "/d/2", "/d/3"].map(Path::new);
        assert_eq!(files, expected[..files.len()], "seed {seed}");
    }
    assert_eq!(
        (0..SEEDS).map(list).collect::<BTreeSet<_>>(),
        BTreeSet::from([0, 1, 2, 3])
    );
}

#[test]
fn an_unsynced_rename_leaves_one_of_both_names() {
    let (machine, disk) = machine();
    disk.write_atomic(Path::new("/d/a"), b"old", 0o600).unwrap();
    drop(durable_file(&disk, "/d/a.new", b"new"));
    let (from, to) = (Path::new("/d/a.new"), Path::new("/d/a"));
    raw(&machine).rename(from, to).unwrap();
    let mut seen = BTreeSet::new();
    for seed in 0..SEEDS {
        let after = machine.after_power_cut(seed);
        let pair = (after.content("/d/a").unwrap(), after.content("/d/a.new"));
        assert!(
            pair == (b"old".to_vec(), Some(b"new".to_vec())) || pair == (b"new".to_vec(), None),
            "seed {seed}: {pair:?}"
        );
        seen.insert(pair);
    }
    assert_eq!(seen.len(), 2);
}

#[test]
fn a_file_renamed_to_another_directory_is_never_lost() {
    let (machine, disk) = machine();
    disk.make_directory(Path::new("/e"), 0o700).unwrap();
    drop(durable_file(&disk, "/d/a", b"x"));
    let (from, to) = (Path::new("/d/a"), Path::new("/e/b"));
    raw(&machine).rename(from, to).unwrap();
    for seed in 0..SEEDS {
        assert_eq!(
            machine.after_power_cut(seed).files().len(),
            1,
            "seed {seed}"
        );
    }
}

#[test]
fn what_is_in_a_directory_that_is_lost_is_lost_too() {
    let (machine, disk) = machine();
    raw(&machine)
        .make_directory(Path::new("/d/new"), 0o700)
        .unwrap();
    drop(durable_file(&disk, "/d/new/a", b"x"));
    assert_eq!(machine.after_power_cut(0).files().len(), 0);
    assert_eq!(machine.after_power_cut(1).files().len(), 1);
}

#[test]
fn the_same_seed_leaves_the_same() {
    let (machine, disk) = machine();
    let file = durable_file(&disk, "/d/a", &[1; 8192]);
    file.write_at(0, &[2; 8192]).unwrap();
    for seed in 0..SEEDS {
        let [one, other] = [0; 2].map(|_| machine.after_power_cut(seed).content("/d/a"));
        assert_eq!(one, other);
    }
}

#[test]
fn after_a_power_cut_old_handles_are_dead_and_locks_are_free() {
    let (machine, disk) = machine();
    let file = durable_file(&disk, "/d/a", b"x");
    let held = disk.lock(Path::new("/d/lock")).unwrap().unwrap();
    let after = machine.power_cut(1);
    assert!(
        file.write_at(0, b"y").is_err()
            && file.length().is_err()
            && disk.list(Path::new("/d")).is_err()
    );
    let disk = after.process().disk();
    assert!(disk.lock(Path::new("/d/lock")).unwrap().is_some());
    drop((held, file));
    assert_eq!(after.content("/d/a").unwrap(), b"x");
}

#[test]
fn a_removed_file_stays_with_those_who_have_it_open_and_may_come_back() {
    let (machine, disk) = machine();
    let file = durable_file(&disk, "/d/a", b"x");
    disk.remove_if_there(Path::new("/d/a")).unwrap();
    file.write_at(0, b"y").unwrap();
    let mut byte = [0];
    assert_eq!(file.read_at(0, &mut byte).unwrap(), 1);
    assert_eq!(&byte, b"y");
    drop(file);
    let expected = [None, Some(b"x".to_vec()), Some(b"y".to_vec())];
    assert_eq!(outcomes(&machine, "/d/a"), BTreeSet::from(expected));
}
