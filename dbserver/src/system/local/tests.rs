//! Local databases on a simulated disk whose power is cut at each operation.

use disk::testing::{Fault, Kind, SimulatedDisk};
use pagestore::{PAGE_SIZE, PageNumber};
use pgtypes::SqlState;

use super::*;
use crate::environment::local::{FIRST, is_local};
use crate::environment::testing::{PAGES, commit, master_on, recovered_on};
use crate::system::authority;
use crate::system::ownership::Ownerships;

fn start(machine: &SimulatedDisk) -> Arc<Environment> {
    let environment = recovered_on(machine).unwrap();
    open(&environment).unwrap();
    environment
}

fn make_scratch(environment: &Environment) -> Result<(), EngineError> {
    Ownerships::of(environment).create_local("scratch", "dba")
}

/// Writes in the local database, all of whose pages have this content then.
fn write(environment: &Arc<Environment>, content: u8) {
    let scratch = environment.database("scratch").unwrap();
    commit(environment.home(&scratch), &scratch, content);
}

#[track_caller]
fn check(environment: &Environment, content: u8) {
    let scratch = environment.database("scratch").unwrap();
    assert!(is_local(scratch.id()) && scratch.id().get() >= FIRST);
    let mut page = [0; PAGE_SIZE];
    let last = PageNumber::new(PAGES).unwrap();
    let snapshot = scratch.store().snapshot_durable();
    snapshot.read(last, &mut page).unwrap();
    assert_eq!(page[0], content);
    let (known, _) = authority::known(environment).unwrap();
    let owner = known.ownership(scratch.id()).owner;
    assert_eq!(
        owner.as_deref(),
        Some("dba"),
        "there is no moment at which it is everybody's"
    );
}

#[test]
fn the_first_one_is_made_or_can_be_made_whenever_the_power_goes() {
    let mut cuts = 0;
    for operation in 0.. {
        let machine = SimulatedDisk::new(operation);
        let environment = master_on(&machine);
        machine.fail(Fault::after(operation).power_off());
        let made = make_scratch(&environment);
        if made.is_ok() && environment.checkpoint().is_ok() {
            break;
        }
        cuts += 1;
        drop(environment);
        let after = machine.after_power_cut(operation);
        let environment = start(&after);
        assert!(made.is_err() || environment.database("scratch").is_ok());
        if environment.database("scratch").is_err() {
            make_scratch(&environment).unwrap();
        }
        write(&environment, 7);
        drop(environment);
        check(&start(&after.after_power_cut(1)), 7);
    }
    assert!(cuts > 50, "{cuts} cuts of the power");
}

/// Bug: the log was removed before the control file, which came back with the power, and no start found what to redo from.
#[test]
fn one_that_could_not_be_made_keeps_no_server_from_starting_whenever_the_power_goes() {
    for (kinds, for_ever) in [
        (&[Kind::Read, Kind::Open][..], false),
        (Kind::CHANGES, false),
        (Kind::CHANGES, true),
    ] {
        failed_when_made(kinds, for_ever);
    }
}

fn failed_when_made(kinds: &[Kind], for_ever: bool) {
    let mut failures = 0;
    for operation in 0.. {
        let failed = |machine: &SimulatedDisk| {
            let environment = master_on(machine);
            let fails = Fault::after(operation).of(kinds).under("/data/local");
            machine.fail(if for_ever {
                fails.and_all_later()
            } else {
                fails
            });
            make_scratch(&environment).is_err()
        };
        if !failed(&SimulatedDisk::new(operation)) {
            break;
        }
        failures += 1;
        for outcome in 0..8 {
            let machine = SimulatedDisk::new(operation);
            assert!(failed(&machine), "it is the same again");
            let after = machine.after_power_cut(outcome);
            let environment = start(&after);
            // What failed may have been the sync of what was made.
            if environment.database("scratch").is_err() {
                make_scratch(&environment).unwrap();
            }
            write(&environment, 7);
            drop(environment);
            check(&start(&after.after_power_cut(1)), 7);
        }
    }
    assert!(failures > 5, "{failures} failures");
}

#[test]
fn what_is_written_there_is_in_no_other_log_and_outlives_the_power() {
    let machine = SimulatedDisk::new(1);
    let environment = master_on(&machine);
    let before = environment.durable_position();
    make_scratch(&environment).unwrap();
    write(&environment, 1);
    environment.checkpoint().unwrap();
    write(&environment, 2);
    drop(environment);
    let environment = start(&machine.after_power_cut(1));
    check(&environment, 2);
    // But for a checkpoint and a restart nothing has happened in the replicated log.
    assert!(environment.durable_position() >= before);
    assert_eq!(environment.core().newest_visible_commit(), 1);
    environment.stop().unwrap();
}

#[test]
fn a_name_is_taken_once() {
    let machine = SimulatedDisk::new(1);
    let environment = master_on(&machine);
    make_scratch(&environment).unwrap();
    let owners = Ownerships::of(&environment);
    for refused in [
        make_scratch(&environment),
        owners.create_local("scratch@local", "dba"),
        owners.create_database("scratch", "dba", -1),
    ] {
        assert_eq!(
            refused.unwrap_err().sqlstate(),
            SqlState::DUPLICATE_DATABASE
        );
    }
    let refused = owners.create_local("other", "nobody").unwrap_err();
    assert_eq!(refused.sqlstate(), SqlState::UNDEFINED_OBJECT);
    assert!(
        environment.database("system@local").is_err(),
        "nobody opens that"
    );
    environment.drop_database("scratch").unwrap();
    owners.create_database("scratch", "dba", -1).unwrap();
    let scratch = environment.database("scratch").unwrap();
    assert!(!is_local(scratch.id()));
}
