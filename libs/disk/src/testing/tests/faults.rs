//! What goes wrong.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::Path;

use super::super::{Fault, Kind, SimulatedDisk};
use super::{SEEDS, durable_file, machine};
use crate::Access;

#[test]
fn a_fault_strikes_the_operation_that_it_is_meant_for() {
    let (machine, disk) = machine();
    let one = durable_file(&disk, "/d/a", b"");
    disk.make_directory(Path::new("/e"), 0o700).unwrap();
    let other = durable_file(&disk, "/e/a", b"");
    let busy = Fault::after(1)
        .of(&[Kind::Write])
        .under("/d")
        .with(ErrorKind::ResourceBusy);
    machine.fail(busy);
    one.write_at(0, b"1").unwrap();
    other.write_at(0, b"2").unwrap();
    one.sync().unwrap();
    let error = one.write_at(0, b"3").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResourceBusy);
    one.write_at(0, b"4").unwrap();

    machine.fail(Fault::after(1).and_all_later());
    one.write_at(0, b"5").unwrap();
    for _ in 0..3 {
        assert!(one.write_at(0, b"6").is_err() && disk.list(Path::new("/")).is_err());
    }
    machine.mend();
    one.write_at(0, b"7").unwrap();
}

#[test]
fn a_fault_by_chance_strikes_about_so_often() {
    let (machine, disk) = machine();
    let file = durable_file(&disk, "/d/a", b"");
    machine.fail(Fault::one_in(10).of(&[Kind::Write]));
    let failed = (0..1000)
        .filter(|_| file.write_at(0, b"x").is_err())
        .count();
    assert!((50..200).contains(&failed), "{failed} of 1000");
}

#[test]
fn a_failed_write_has_done_any_part_of_it() {
    let mut seen = BTreeSet::new();
    for seed in 0..SEEDS {
        let machine = SimulatedDisk::new(seed);
        let disk = machine.process().disk();
        let file = durable_file(&disk, "/a", &[1; 1536]);
        machine.fail(Fault::after(0));
        file.write_at(0, &[2; 1536]).unwrap_err();
        let content = disk.read(Path::new("/a")).unwrap();
        seen.insert([content[0], content[512], content[1024]]);
        assert_eq!(machine.after_power_cut(1).content("/a").unwrap(), content);
    }
    assert_eq!(seen.len(), 8);
}

#[test]
fn after_a_failed_sync_another_one_does_not_help_and_memory_still_hides_it() {
    let (mut lost, mut partly) = (0, 0);
    for seed in 0..SEEDS {
        let machine = SimulatedDisk::new(seed);
        let disk = machine.process().disk();
        let file = durable_file(&disk, "/a", &[1; 1536]);
        file.write_at(0, &[2; 1536]).unwrap();
        file.write_at(1536, &[3; 512]).unwrap();
        machine.fail(Fault::after(0).of(&[Kind::Sync]));
        file.sync().unwrap_err();
        file.sync().unwrap();
        let seen = disk.read(Path::new("/a")).unwrap();
        assert_eq!(seen, [vec![2; 1536], vec![3; 512]].concat());
        let durable = machine.after_power_cut(1).content("/a").unwrap();
        lost += u64::from(durable[..1536].iter().all(|byte| *byte == 1));
        partly += u64::from(durable.contains(&2) && durable != seen);
        machine.evict();
        assert_eq!(disk.read(Path::new("/a")).unwrap(), durable);
        assert_eq!(durable.len(), 2048);
        // To write it again helps.
        file.write_at(0, &seen).unwrap();
        file.sync().unwrap();
        assert_eq!(machine.after_power_cut(0).content("/a"), Some(seen));
    }
    assert!(lost > 0 && partly > 0, "{lost} lost, {partly} partly");
}

#[test]
fn a_full_disk_takes_a_part_and_what_is_there_can_be_written_over() {
    let (machine, disk) = machine();
    let file = durable_file(&disk, "/d/a", &[1; 100]);
    machine.set_room("/d", Some(150));
    let error = file.write_at(90, &[2; 100]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StorageFull);
    assert_eq!((file.length().unwrap(), machine.used("/d")), (150, 150));
    file.write_at(0, &[3; 150]).unwrap();
    let other = disk
        .open(Path::new("/d/b"), Access::CreateNew(0o600))
        .unwrap();
    assert_eq!(
        other.write_at(0, b"x").unwrap_err().kind(),
        ErrorKind::StorageFull
    );
    // Elsewhere there is room.
    drop(durable_file(&disk, "/elsewhere", &[1; 1000]));
    file.set_length(149).unwrap();
    other.write_at(0, b"x").unwrap();
    drop(file);
    disk.remove(Path::new("/d/a")).unwrap();
    other.write_at(1, &[1; 149]).unwrap();
    machine.set_room("/d", None);
    other.write_at(150, b"x").unwrap();
}

#[test]
fn a_flipped_bit_stays_flipped() {
    let (machine, disk) = machine();
    let file = durable_file(&disk, "/d/a", &[0; 10]);
    file.write_at(5, &[0; 5]).unwrap();
    assert!(machine.flip("/d/a", 7, 3) && !machine.flip("/d/a", 10, 3));
    assert!(!machine.flip("/d/b", 0, 0));
    let expected = [0, 0, 0, 0, 0, 0, 0, 8, 0, 0];
    assert_eq!(disk.read(Path::new("/d/a")).unwrap(), expected);
    file.sync().unwrap();
    assert_eq!(machine.durable_content("/d/a").unwrap(), expected);
}

#[test]
fn a_failed_sync_of_a_directory_has_settled_the_first_changes() {
    let mut seen = BTreeSet::new();
    for seed in 0..SEEDS {
        let machine = SimulatedDisk::new(seed);
        let disk = machine.process().disk();
        for name in ["/1", "/2"] {
            drop(disk.open(name.as_ref(), Access::CreateNew(0o600)).unwrap());
        }
        machine.fail(Fault::after(0));
        disk.sync_directory(Path::new("/")).unwrap_err();
        seen.insert(machine.after_power_cut(0).files().len());
        // The names that were not settled are not forgotten.
        disk.sync_directory(Path::new("/")).unwrap();
        assert_eq!(machine.after_power_cut(0).files().len(), 2);
    }
    assert_eq!(seen, BTreeSet::from([0, 1, 2]));
}
