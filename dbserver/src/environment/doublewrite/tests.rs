//! A log that fails with `SyncMode = 0`, and what the disk has afterwards of what was answered.

use std::collections::BTreeSet;
use std::sync::Arc;

use disk::testing::{Fault, Kind, SimulatedDisk};

use super::*;
use crate::environment::Environment;
use crate::environment::log::redo_point;
use crate::environment::testing::{commit, master_with, recovered_with};

/// Nothing is synced unless somebody waits for it.
const UNSYNCED: &str = "SyncMode = 0\nSyncInterval = 1h";

const DOUBLEWRITE: &str = "/data/doublewrite";

/// Three databases, each with a commit that the log has on the disk, and one behind it that it has not: the third one is
/// made then. The log has failed.
fn failed(machine: &SimulatedDisk) -> Arc<Environment> {
    let environment = master_with(machine, UNSYNCED);
    for name in ["first", "second"] {
        environment.create_database(name).unwrap();
        commit(&environment, &environment.database(name).unwrap(), 1);
    }
    environment.checkpoint().unwrap();
    environment.create_database("third").unwrap();
    for name in ["first", "second", "third"] {
        commit(&environment, &environment.database(name).unwrap(), 2);
    }
    let syncs = Fault::after(0).of(&[Kind::Sync]).under("/fwlog");
    machine.fail(syncs.and_all_later());
    environment.checkpoint().unwrap_err();
    environment
}

fn disable(environment: &Environment) -> Result<(), EngineError> {
    let master = environment.master("forwardlog disable")?;
    master.move_log(LogPlace::Journal)
}

/// What the pages of the databases are filled with; asserts that it is one thing in each.
fn contents(environment: &Environment) -> Vec<u8> {
    let content = |name: &&str| {
        let database = environment.database(name).ok()?;
        let snapshot = database.store().snapshot_durable();
        let mut page = [0; PAGE_SIZE];
        let mut found = BTreeSet::new();
        for number in (1..=snapshot.page_count()).filter_map(PageNumber::new) {
            snapshot.read(number, &mut page).unwrap();
            found.extend(page);
        }
        assert!(found.len() <= 1, "{name} is half way: {found:?}");
        found.pop_first()
    };
    let names = ["first", "second", "third"];
    names.iter().filter_map(content).collect()
}

fn save(environment: &Environment) -> Result<(), EngineError> {
    environment.master("a save")?.save_without_log()
}

/// The process is killed, and the next one starts.
fn restart(
    machine: &SimulatedDisk,
    before: Arc<Environment>,
) -> Result<Arc<Environment>, EngineError> {
    drop(before);
    recovered_with(machine, UNSYNCED)
}

fn cut_the_power(leave: fn(&Environment) -> Result<(), EngineError>) {
    let machine = SimulatedDisk::new(1);
    let environment = failed(&machine);
    let before = machine.operations();
    leave(&environment).unwrap();
    let operations = machine.operations() - before;
    let mut seen = BTreeSet::new();
    for at in 0..operations {
        for outcome in 0..2 {
            let machine = SimulatedDisk::new(2 * at + outcome);
            let environment = failed(&machine);
            machine.fail(Fault::after(at).power_off());
            // Operations that the log's disk refuses anyway do not end the machine.
            let done = leave(&environment);
            let machine = machine.power_cut(outcome);
            let told = |error| panic!("operation {at}, outcome {outcome}: {error}");
            let environment = recovered_with(&machine, UNSYNCED).unwrap_or_else(told);
            let found = contents(&environment);
            assert!(found.is_sorted_by(|one, next| one >= next), "{found:?}");
            assert!(done.is_err() || found == [2, 2, 2], "{found:?}");
            assert!(!machine.files().contains(&DOUBLEWRITE.into()));
            commit(&environment, &environment.database("first").unwrap(), 3);
            // Before its first checkpoint: the log that lost its end is behind.
            let again = restart(&machine, environment).unwrap_or_else(told);
            assert_eq!(contents(&again)[1..], found[1..]);
            seen.insert(found);
        }
    }
    assert!(seen.contains(&vec![1, 1]), "{seen:?}");
    assert!(seen.contains(&vec![2, 2, 2]), "{seen:?}");
}

/// Bug: the data files took pages of commits that the log had lost by then, and no start went on from there.
#[test]
fn a_power_cut_in_the_middle_of_forwardlog_disable_leaves_a_state_that_was_and_a_server_that_starts()
 {
    cut_the_power(disable);
}

#[test]
fn the_same_where_the_data_files_save_what_a_log_that_may_come_back_has() {
    cut_the_power(save);
}

/// Bug: such a stop was refused, and what was answered was lost where the log's disk had not all of it.
#[test]
fn the_same_where_the_server_is_stopped_while_its_log_cannot_be_written() {
    cut_the_power(Environment::stop);
}

#[test]
fn where_the_log_goes_on_what_was_on_its_way_is_forgotten() {
    let machine = SimulatedDisk::new(1);
    let environment = failed(&machine);
    // The data files fail, so the log stays where it is.
    let writes = Fault::after(0).of(&[Kind::Write]).under("/data/db");
    machine.fail(writes.and_all_later());
    disable(&environment).unwrap_err();
    assert!(machine.files().contains(&DOUBLEWRITE.into()));
    machine.mend();
    let master = environment.master("a test").unwrap();
    master.restart_writer().unwrap();
    assert!(!machine.files().contains(&DOUBLEWRITE.into()));
    commit(&environment, &environment.database("first").unwrap(), 3);
    drop(master);
    let again = restart(&machine, environment).unwrap();
    assert_eq!(contents(&again), [3, 2, 2]);
}

#[test]
fn pages_of_before_a_checkpoint_do_not_count() {
    let machine = SimulatedDisk::new(1);
    let environment = master_with(&machine, UNSYNCED);
    environment.create_database("first").unwrap();
    let first = environment.database("first").unwrap();
    commit(&environment, &first, 1);
    let end = redo_point(&environment.durable().unwrap());
    write(environment.core(), &end, LogPlace::Journal).unwrap();
    commit(&environment, &first, 2);
    environment.checkpoint().unwrap();
    drop(first);
    let again = restart(&machine, environment).unwrap();
    assert_eq!(contents(&again), [2]);
    assert!(!machine.files().contains(&DOUBLEWRITE.into()));
}

#[test]
fn a_file_that_the_disk_has_altered_is_refused_with_the_way_out() {
    let machine = SimulatedDisk::new(1);
    let environment = master_with(&machine, UNSYNCED);
    environment.create_database("first").unwrap();
    commit(&environment, &environment.database("first").unwrap(), 1);
    let end = redo_point(&environment.durable().unwrap());
    write(environment.core(), &end, LogPlace::Journal).unwrap();
    drop(environment);
    let length = machine.content(DOUBLEWRITE).unwrap().len() as u64;
    for byte in (0..length).step_by(977).chain([8, length - 1]) {
        let altered = machine.copy();
        assert!(altered.flip(DOUBLEWRITE, byte, 3));
        let refused = recovered_with(&altered, UNSYNCED).err().unwrap();
        assert!(refused.to_string().contains("is damaged"), "{refused}");
        assert!(refused.hint().unwrap().contains("--rebuild"));
    }
    recovered_with(&machine.copy(), UNSYNCED).unwrap();
}
