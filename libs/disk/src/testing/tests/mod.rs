//! What the simulated disk promises.

mod faults;
mod power_cut;

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::process::View;
use super::{Fault, Kind, SimulatedDisk};
use crate::{Access, Disk, DiskFile};

const SEEDS: u64 = 100;

fn machine() -> (SimulatedDisk, Disk) {
    let machine = SimulatedDisk::new(7);
    let disk = machine.process().disk();
    disk.make_directory(Path::new("/d"), 0o700).unwrap();
    (machine, disk)
}

/// The operations below `Disk`, which sync nothing of themselves.
fn raw(machine: &SimulatedDisk) -> View {
    View {
        machine: machine.clone(),
        process: machine.process().id(),
    }
}

/// Makes a file whose name and content are durable.
fn durable_file(disk: &Disk, path: &str, content: &[u8]) -> Box<dyn DiskFile> {
    let file = disk.open(path.as_ref(), Access::CreateNew(0o600)).unwrap();
    file.write_at(0, content).unwrap();
    file.sync().unwrap();
    let directory = Path::new(path).parent().unwrap();
    disk.sync_directory(directory).unwrap();
    file
}

/// The contents of a file after power cuts with many seeds.
fn outcomes(machine: &SimulatedDisk, path: &str) -> BTreeSet<Option<Vec<u8>>> {
    (0..SEEDS)
        .map(|seed| machine.after_power_cut(seed).content(path))
        .collect()
}

#[test]
fn it_reads_writes_cuts_and_lists_as_the_real_one_does() {
    let directory = tempfile::tempdir().unwrap();
    let (_, simulated) = machine();
    for (disk, root) in [
        (Disk::real(), directory.path()),
        (simulated, Path::new("/d")),
    ] {
        let path = root.join("a");
        let file = disk.open(&path, Access::CreateNew(0o600)).unwrap();
        file.write_at(2, b"xyz").unwrap();
        disk.open(&path, Access::Write)
            .unwrap()
            .write_at(0, b"AB")
            .unwrap();
        assert_eq!(disk.read(&path).unwrap(), b"ABxyz");
        file.set_length(3).unwrap();
        file.set_length(6).unwrap();
        let mut buffer = [9; 10];
        assert_eq!(file.read_at(1, &mut buffer).unwrap(), 5);
        assert_eq!(&buffer[..6], b"Bx\0\0\0\x09");
        assert_eq!(file.read_at(6, &mut buffer).unwrap(), 0);
        assert_eq!(file.length().unwrap(), 6);
        let kind = |result: std::io::Result<Box<dyn DiskFile>>| result.unwrap_err().kind();
        let again = disk.open(&path, Access::CreateNew(0o600));
        assert_eq!(kind(again), ErrorKind::AlreadyExists);
        let missing = disk.open(&root.join("b"), Access::Write);
        assert_eq!(kind(missing), ErrorKind::NotFound);
        let nowhere = disk.open(&root.join("x/y"), Access::Create(0o600));
        assert_eq!(kind(nowhere), ErrorKind::NotFound);
        assert!(disk.has_name(file.as_ref(), &path).unwrap());
        assert!(!disk.has_name(file.as_ref(), &root.join("c")).unwrap());
        disk.write_atomic(&root.join("c"), b"one", 0o600).unwrap();
        disk.write_atomic(&root.join("c"), b"two", 0o600).unwrap();
        disk.make_directory(&root.join("b/deep"), 0o700).unwrap();
        assert_eq!(disk.list(root).unwrap(), ["a", "b", "c"]);
        assert_eq!(disk.read(&root.join("c")).unwrap(), b"two");
        disk.remove(&path).unwrap();
        assert!(!disk.exists(&path).unwrap() && disk.exists(&root.join("b")).unwrap());
        assert!(!disk.has_name(file.as_ref(), &path).unwrap());
        assert_eq!(file.length().unwrap(), 6);
        assert_eq!(disk.scratch(root).unwrap().length().unwrap(), 0);
        assert_eq!(disk.list(root).unwrap(), ["b", "c"]);
    }
}

#[test]
fn a_file_opened_to_read_is_not_written() {
    let (_, disk) = machine();
    drop(durable_file(&disk, "/d/a", b"x"));
    let file = disk.open(Path::new("/d/a"), Access::Read).unwrap();
    assert!(file.write_at(0, b"y").is_err() && file.set_length(0).is_err());
    assert_eq!(disk.read(Path::new("/d/a")).unwrap(), b"x");
}

#[test]
fn a_lock_is_held_by_one_handle_until_it_is_closed() {
    let (machine, disk) = machine();
    let path = Path::new("/d/lock");
    let held = disk.lock(path).unwrap().unwrap();
    assert!(disk.lock(path).unwrap().is_none());
    assert!(machine.process().disk().lock(path).unwrap().is_none());
    drop(held);
    assert!(machine.process().disk().lock(path).unwrap().is_some());
}

#[test]
fn a_killed_process_loses_its_handles_and_locks_and_nothing_that_it_wrote() {
    let (machine, disk) = machine();
    let process = machine.process();
    let path = Path::new("/d/a");
    let locked = process.disk().lock(Path::new("/d/lock")).unwrap().unwrap();
    let file = process.disk().open(path, Access::Create(0o600)).unwrap();
    file.write_at(0, b"unsynced").unwrap();
    let scratch = process.disk().scratch(Path::new("/d")).unwrap();
    scratch.write_at(0, &[1; 1000]).unwrap();
    assert_eq!(machine.used("/d"), 1008);
    process.kill();
    assert!(file.read_at(0, &mut [0]).is_err() && process.disk().exists(path).is_err());
    assert_eq!(disk.read(path).unwrap(), b"unsynced");
    assert_eq!(machine.used("/d"), 8);
    assert!(disk.lock(Path::new("/d/lock")).unwrap().is_some());
    drop((locked, file, scratch));
    assert_eq!(machine.after_power_cut(0).content(path), None);
}

#[test]
fn a_hook_sees_every_operation_and_may_use_the_disk() {
    let (machine, disk) = machine();
    let file = durable_file(&disk, "/d/a", b"x");
    let (nested, seen) = (
        Arc::new(AtomicU64::new(0)),
        Arc::new(Mutex::new(Vec::new())),
    );
    let log = Arc::clone(&seen);
    let other = machine.process();
    machine.set_hook(move |_, operation| {
        log.lock().unwrap().push(operation.to_string());
        if nested.fetch_add(1, Ordering::Relaxed) == 0 {
            assert_eq!(other.disk().read(Path::new("/d/a")).unwrap(), b"x");
        }
    });
    machine.trace(10);
    let before = machine.operations();
    file.write_at(0, b"y").unwrap();
    machine.clear_hook();
    let expected = [
        format!("{before} p1 write /d/a 0+1"),
        format!("{} p2 open /d/a", before + 1),
        format!("{} p2 read /d/a 0+1", before + 2),
    ];
    assert_eq!(*seen.lock().unwrap(), expected);
    assert_eq!(machine.traced(), expected);
}

#[test]
fn a_hook_may_cut_the_power_or_let_the_operation_fail() {
    let (machine, disk) = machine();
    let file = durable_file(&disk, "/d/a", b"old");
    machine.set_hook(|machine, operation| {
        if operation.kind == Kind::Sync {
            machine.fail(Fault::after(0));
        } else {
            machine.power_off();
        }
    });
    file.sync().unwrap_err();
    file.write_at(0, b"new").unwrap_err();
    assert_eq!(machine.after_power_cut(1).content("/d/a").unwrap(), b"old");
}

#[test]
fn the_trace_keeps_the_last_lines() {
    let (machine, disk) = machine();
    machine.trace(2);
    for name in ["/1", "/2", "/3"] {
        disk.exists(name.as_ref()).unwrap();
    }
    machine.note("checked");
    let trace = machine.traced();
    assert!(trace[0].ends_with("p1 exists /3"), "{trace:?}");
    assert_eq!(trace[1..], ["checked"]);
}

#[test]
fn a_copy_has_what_is_not_synced_still_not_synced() {
    let (machine, disk) = machine();
    let file = durable_file(&disk, "/d/a", b"old");
    file.write_at(0, b"new").unwrap();
    let copy = machine.copy();
    file.write_at(0, b"NEW").unwrap();
    assert_eq!(copy.content("/d/a").unwrap(), b"new");
    assert_eq!(copy.after_power_cut(0).content("/d/a").unwrap(), b"old");
    assert_eq!(copy.operations(), 0);
    let process = copy.process();
    process.disk().remove(Path::new("/d/a")).unwrap();
    assert_eq!(machine.files().len(), 1);
}
