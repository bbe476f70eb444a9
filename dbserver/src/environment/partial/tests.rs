//! A slave with some of its master's databases, on a simulated disk whose power is cut at each operation.

use std::sync::Arc;

use disk::testing::{Fault, SimulatedDisk};
use pagestore::{PAGE_SIZE, PageNumber};
use pgtypes::SqlState;

use super::*;
use crate::environment::Environment;
use crate::environment::testing::{PAGES, commit, master_on, recovered_as};

const WITHOUT: &str = "Slave\nApplyNot = scratch";
const WHOLE: &str = "Slave";

/// A log with two databases in the data files, changed once more since, and a third one that is not in there yet.
fn logged(machine: &SimulatedDisk) -> SimulatedDisk {
    let environment = master_on(machine);
    for name in ["shop", "scratch"] {
        environment.create_database(name).unwrap();
        let database = environment.database(name).unwrap();
        commit(&environment, &database, 1);
    }
    environment.checkpoint().unwrap();
    for name in ["scratch", "shop"] {
        let database = environment.database(name).unwrap();
        commit(&environment, &database, 2);
    }
    environment.create_database("late").unwrap();
    machine.after_power_cut(1)
}

fn start(machine: &SimulatedDisk, role: &str) -> Result<Arc<Environment>, EngineError> {
    recovered_as(machine, "north", role)
}

fn names(environment: &Environment) -> Vec<String> {
    let all = environment.databases();
    all.iter().map(|database| database.name()).collect()
}

#[track_caller]
fn check_without_scratch(environment: &Environment) {
    assert_eq!(names(environment), ["late", "shop", "system"]);
    let partial = environment.core().partial().unwrap();
    assert_eq!((partial.left_out.len(), partial.lacking.len()), (1, 0));
    assert_eq!(partial.in_words(), "all but scratch; left out: scratch");
    let shop = environment.database("shop").unwrap();
    let mut page = [0; PAGE_SIZE];
    let snapshot = shop.store().snapshot_durable();
    let last = PageNumber::new(PAGES).unwrap();
    snapshot.read(last, &mut page).unwrap();
    assert_eq!(page[0], 2);
    let refused = environment.open("scratch").err().unwrap();
    assert_eq!(
        refused.sqlstate(),
        SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE
    );
    assert!(
        refused.to_string().contains("not applied on north"),
        "{refused}"
    );
}

fn scratch_files(machine: &SimulatedDisk, directory: &str) -> usize {
    let is_scratch = |path: &PathBuf| path.to_string_lossy().contains("scratch");
    let files = machine.files().into_iter();
    files
        .filter(|path| path.starts_with(directory) && is_scratch(path))
        .count()
}

#[test]
fn a_database_is_left_out_whenever_the_power_goes() {
    let mut cuts = 0;
    for operation in 0.. {
        let machine = logged(&SimulatedDisk::new(operation));
        machine.fail(Fault::after(operation).power_off());
        let started = start(&machine, WITHOUT);
        let started = started.and_then(|it| it.checkpoint().map(|()| it));
        if let Ok(environment) = started {
            machine.mend();
            check_without_scratch(&environment);
            drop(environment);
            // Nothing is set aside twice.
            check_without_scratch(&start(&machine.after_power_cut(2), WITHOUT).unwrap());
            break;
        }
        cuts += 1;
        let after = machine.after_power_cut(operation);
        check_without_scratch(&start(&after, WITHOUT).unwrap());
        assert_eq!(
            scratch_files(&after, "/data/db"),
            0,
            "operation {operation}"
        );
        assert_eq!(
            scratch_files(&after, "/data/lost"),
            2,
            "operation {operation}"
        );
    }
    assert!(cuts > 20, "{cuts} cuts of the power");
}

#[test]
fn what_was_left_out_is_lacking_once_it_is_wanted_and_no_such_server_is_the_root() {
    let machine = logged(&SimulatedDisk::new(1));
    let environment = start(&machine, WITHOUT).unwrap();
    let refused = environment.promote(true).unwrap_err();
    assert_eq!(refused.sqlstate(), SqlState::REPLICATION_PARTIAL);
    assert!(
        refused.to_string().contains("left out: scratch"),
        "{refused}"
    );
    assert_eq!(environment.role(), Role::Slave);
    drop(environment);
    let after = machine.after_power_cut(2);
    let environment = start(&after, WHOLE).unwrap();
    let partial = environment.core().partial().unwrap();
    assert_eq!(partial.lacking, ["scratch"]);
    let refused = environment.open("scratch").err().unwrap();
    assert!(
        refused.to_string().contains("not on north yet"),
        "{refused}"
    );
    let refused = environment.promote(true).unwrap_err();
    assert_eq!(refused.sqlstate(), SqlState::REPLICATION_PARTIAL);
    drop(environment);
    // Nor by its configuration.
    let Err(refused) = start(&after.after_power_cut(3), "Master") else {
        panic!("a root without a database");
    };
    assert_eq!(refused.sqlstate(), SqlState::REPLICATION_PARTIAL);
}

#[test]
fn a_master_sets_nothing_aside() {
    let machine = logged(&SimulatedDisk::new(1));
    let environment = start(&machine, "Master").unwrap();
    assert_eq!(environment.core().partial(), None);
    environment.core().refuse_partial().unwrap();
    assert_eq!(names(&environment), ["late", "scratch", "shop", "system"]);
}
