//! A directory as a store: what every store must do, and what a power cut leaves.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use std::path::Path;
use std::sync::Arc;

use disk::testing::{Fault, SimulatedDisk};
use disk::{Access, Disk};
use fwlog::{ChainHash, EnvironmentId, Generation, GenerationId, Sequence};
use repository::{
    Directory, HistoryId, LogObject, Marker, ObjectName, Put, Store, StoreError, conformance,
};

const ROOT: &str = "/backup/eloqdb";

#[test]
fn a_directory_is_a_store() {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(Directory::new(Disk::real(), folder.path().join("a/b")));
    conformance::check(&store);
}

#[test]
fn a_directory_of_a_simulated_disk_is_a_store() {
    let machine = SimulatedDisk::new(5);
    let store: Arc<dyn Store> = Arc::new(Directory::new(machine.process().disk(), ROOT));
    conformance::check(&store);
}

fn name(object: LogObject) -> ObjectName {
    let id = GenerationId::new(ChainHash::from_bytes([3; 32]));
    let history = HistoryId::new(Generation::new(1), id);
    ObjectName::Log(EnvironmentId::from_bytes([7; 16]), history, object)
}

/// Each object, and what may be read of it, the oldest first.
fn objects() -> Vec<(ObjectName, Vec<Vec<u8>>)> {
    let part = |at: u64| name(LogObject::Part(Sequence::FIRST, at));
    let marker = Marker::new("x").unwrap().encode();
    vec![
        (ObjectName::Marker, vec![marker]),
        (part(0), vec![vec![1; 5000]]),
        (
            name(LogObject::Heartbeat),
            vec![vec![2; 700], vec![3; 1400]],
        ),
        (part(5000), vec![vec![4; 3000]]),
    ]
}

/// Puts all objects; how many contents the store has said to have stored, of each.
fn put_all(store: &Directory, stored: &mut [usize]) -> Result<(), StoreError> {
    for ((name, contents), stored) in objects().iter().zip(stored) {
        for content in contents {
            if let [only] = contents.as_slice() {
                store.put_if_absent(name, only)?;
            } else {
                store.put(name, content)?;
            }
            *stored += 1;
        }
    }
    Ok(())
}

/// What is there is whole, and what the store has said to have is there.
fn check(store: &Directory, stored: &[usize], during: &str) {
    for ((name, contents), stored) in objects().iter().zip(stored) {
        match store.get(name) {
            Ok(content) => {
                let which = contents.iter().position(|known| *known == content);
                let which = which.unwrap_or_else(|| unreachable!("{during}: {name} is not whole"));
                assert!(which + 1 >= *stored, "{during}: {name} is an old one");
            }
            Err(StoreError::Missing { .. }) => {
                assert_eq!(*stored, 0, "{during}: {name} was stored");
            }
            Err(error) => unreachable!("{during}: {error}"),
        }
    }
}

#[test]
fn wherever_the_power_goes_an_object_is_whole_or_not_there() {
    let operations = {
        let machine = SimulatedDisk::new(1);
        put_all(&Directory::new(machine.process().disk(), ROOT), &mut [0; 4]).unwrap();
        machine.operations()
    };
    assert!(operations > 50, "{operations}");
    for at in 0..operations {
        for seed in 0..7 {
            let machine = SimulatedDisk::new(seed);
            machine.fail(Fault::after(at).power_off());
            let mut stored = [0; 4];
            let store = Directory::new(machine.process().disk(), ROOT);
            put_all(&store, &mut stored).unwrap_err();
            let after = machine.after_power_cut(seed);
            let during = format!("operation {at}, seed {seed}");
            let store = Directory::new(after.process().disk(), ROOT);
            check(&store, &stored, &during);
            // The next one goes on, and leaves nothing of the first one's.
            put_all(&store, &mut [0; 4]).unwrap();
            check(&store, &[1, 1, 2, 1], &during);
            let left = after.process().disk().list(&Path::new(ROOT).join("tmp"));
            assert_eq!(left.unwrap(), Vec::<std::ffi::OsString>::new(), "{during}");
        }
    }
}

/// A sync that fails, or any other operation, must not leave an object that is said to be there and is on no disk.
#[test]
fn what_is_said_to_be_stored_survives_a_power_cut_after_any_failure() {
    for at in 0..120 {
        for seed in 0..5 {
            let machine = SimulatedDisk::new(seed);
            machine.fail(Fault::after(at));
            let store = Directory::new(machine.process().disk(), ROOT);
            let mut stored = [0; 4];
            if put_all(&store, &mut stored).is_err() {
                stored = [0; 4];
                put_all(&store, &mut stored).unwrap();
            }
            let after = machine.power_cut(seed);
            let store = Directory::new(after.process().disk(), ROOT);
            check(&store, &stored, &format!("operation {at}, seed {seed}"));
        }
    }
}

#[test]
fn where_its_disk_is_not_mounted_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let store = Directory::new(Disk::real(), folder.path());
    let part = name(LogObject::Part(Sequence::FIRST, 0));
    let failure = store.put_if_absent(&part, b"x").unwrap_err();
    assert!(failure.to_string().contains("mounted"), "{failure}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn what_another_one_is_writing_is_not_swept_away() {
    let folder = tempfile::tempdir().unwrap();
    let store = Directory::new(Disk::real(), folder.path());
    let marker = Marker::new("x").unwrap().encode();
    store.put_if_absent(&ObjectName::Marker, &marker).unwrap();
    let at = |name: &str| folder.path().join("tmp").join(name);
    let held = Disk::real().lock(&at("held")).unwrap().unwrap();
    drop(
        Disk::real()
            .open(&at("left"), Access::CreateNew(0o600))
            .unwrap(),
    );
    let part = name(LogObject::Part(Sequence::FIRST, 0));
    assert_eq!(store.put_if_absent(&part, b"x"), Ok(Put::Stored));
    assert!(at("held").exists() && !at("left").exists());
    drop(held);
}
