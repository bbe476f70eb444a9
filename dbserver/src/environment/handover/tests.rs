//! A power cut at any operation of each step of a handover: the next start finds the state of before or of after, and
//! the step that is asked for again completes.

use std::time::Duration;

use disk::testing::{Fault, SimulatedDisk};

use super::*;
use crate::environment::testing::{commit, master_on, recovered_as, recovered_on};

const ID: HandoverId = HandoverId::new(7);

/// What a server is, and what it has promised.
type Stand = (Role, Option<&'static str>);

const ROOT: Stand = (Role::Master, None);
const GIVEN: Stand = (Role::Slave, Some("given"));
const SLAVE: Stand = (Role::Slave, None);
const TAKEN: Stand = (Role::Master, Some("taken"));
const REFUSED: Stand = (Role::Slave, Some("refused"));

fn stand(environment: &Environment) -> Stand {
    let handover = environment.handover();
    (environment.role(), handover.as_ref().map(Handover::word))
}

type Start = fn(&SimulatedDisk) -> Result<Arc<Environment>, EngineError>;

fn north(machine: &SimulatedDisk) -> Result<Arc<Environment>, EngineError> {
    recovered_on(machine)
}

fn south(machine: &SimulatedDisk) -> Result<Arc<Environment>, EngineError> {
    recovered_as(machine, "south", "Slave")
}

/// A root with two commits.
fn root() -> SimulatedDisk {
    let machine = SimulatedDisk::new(1);
    let environment = master_on(&machine);
    environment.create_database("shop").unwrap();
    for content in [1, 2] {
        commit(
            &environment,
            &environment.database("shop").unwrap(),
            content,
        );
        environment.checkpoint().unwrap();
    }
    drop(environment);
    machine.power_cut(1)
}

/// The same, which has given its role away.
fn giver() -> SimulatedDisk {
    let machine = root();
    let environment = north(&machine).unwrap();
    environment.offer(ID, "south").unwrap();
    drop(environment);
    machine.power_cut(1)
}

/// A slave that has all of a root's log, and where that ends.
fn slave() -> (SimulatedDisk, HandoverPoint) {
    let machine = root();
    let environment = north(&machine).unwrap();
    environment.change_role(Role::Slave).unwrap();
    let end = environment.slave().unwrap().progress().durable.unwrap();
    let machine = machine.copy();
    assert_eq!(stand(&south(&machine).unwrap()), SLAVE);
    let end = HandoverPoint {
        point: end.point,
        commit: end.commit,
    };
    (machine.power_cut(1), end)
}

fn content(environment: &Environment) -> u8 {
    let database = environment.database("shop").unwrap();
    let snapshot = database.store().snapshot_durable();
    let mut page = [0; pagestore::PAGE_SIZE];
    let first = pagestore::PageNumber::new(1).unwrap();
    snapshot.read(first, &mut page).unwrap();
    page[0]
}

/// Does `step` with a power cut at each of its operations; asserts that the next start finds one of `allowed`, both of
/// which are seen, and that the step then comes to the second.
fn cut_the_power(
    before: &SimulatedDisk,
    start: Start,
    step: &dyn Fn(&Environment) -> Result<(), EngineError>,
    allowed: [Stand; 2],
) {
    let machine = before.copy();
    let environment = start(&machine).unwrap();
    let first = machine.operations();
    step(&environment).unwrap();
    let operations = machine.operations() - first;
    assert_eq!(stand(&environment), allowed[1]);
    step(&environment).unwrap();
    assert_eq!(
        stand(&environment),
        allowed[1],
        "the same again changes nothing"
    );
    drop(environment);
    let mut seen = Vec::new();
    for at in 0..operations {
        for outcome in 0..2 {
            let machine = before.copy();
            let environment = start(&machine).unwrap();
            machine.fail(Fault::after(at).power_off());
            let done = step(&environment);
            drop(environment);
            let machine = machine.power_cut(2 * at + outcome);
            let told = |error| format!("operation {at}, outcome {outcome}: {error}");
            let environment = start(&machine).map_err(told).unwrap();
            let found = stand(&environment);
            assert!(allowed.contains(&found), "operation {at}: {found:?}");
            assert!(
                done.is_err() || found == allowed[1],
                "operation {at}: {found:?}"
            );
            step(&environment).map_err(told).unwrap();
            assert_eq!(stand(&environment), allowed[1], "operation {at}");
            assert_eq!(content(&environment), 2);
            if !environment.is_read_only() {
                commit(&environment, &environment.database("shop").unwrap(), 3);
                assert_eq!(content(&environment), 3);
            }
            seen.push(found);
        }
    }
    for stand in allowed {
        assert!(seen.contains(&stand), "{stand:?} is never seen");
    }
}

#[test]
fn an_offer_is_made_or_not_whatever_the_power_does() {
    let offer = |environment: &Environment| environment.offer(ID, "south");
    cut_the_power(&root(), north, &offer, [ROOT, GIVEN]);
}

#[test]
fn a_role_is_taken_or_not_whatever_the_power_does() {
    let (machine, end) = slave();
    let take = |environment: &Environment| environment.take(ID, end, Duration::ZERO);
    cut_the_power(&machine, south, &take, [SLAVE, TAKEN]);
}

#[test]
fn a_role_is_refused_or_not_whatever_the_power_does() {
    let (machine, end) = slave();
    let refuse = |environment: &Environment| {
        let refused = environment.refuse(ID, end)?;
        assert!(refused);
        Ok(())
    };
    cut_the_power(&machine, south, &refuse, [SLAVE, REFUSED]);
}

#[test]
fn an_offer_is_withdrawn_or_not_whatever_the_power_does() {
    let withdraw = |environment: &Environment| environment.withdraw(ID);
    cut_the_power(&giver(), north, &withdraw, [GIVEN, TAKEN]);
}

/// A file operation that fails at any place of a step leaves a server that goes on, or says at its next start what it is.
fn fail_once(
    before: &SimulatedDisk,
    start: Start,
    step: &dyn Fn(&Environment) -> Result<(), EngineError>,
    allowed: [Stand; 2],
) {
    for at in 0.. {
        let machine = before.copy();
        let environment = start(&machine).unwrap();
        let first = machine.operations();
        machine.fail(Fault::after(at));
        let done = step(&environment);
        let was_there = machine.operations() - first > at;
        machine.mend();
        if done.is_err() && environment.durable_position().is_some() {
            assert_eq!(stand(&environment), allowed[0], "operation {at}: {done:?}");
        }
        drop(environment);
        let machine = machine.power_cut(at);
        let told = |error| format!("operation {at}: {error}");
        let environment = start(&machine).map_err(told).unwrap();
        let found = stand(&environment);
        assert!(allowed.contains(&found), "operation {at}: {found:?}");
        step(&environment).map_err(told).unwrap();
        assert_eq!(stand(&environment), allowed[1], "operation {at}");
        assert_eq!(content(&environment), 2);
        if !was_there {
            break;
        }
    }
}

#[test]
fn a_disk_that_fails_once_in_a_step_leaves_what_was_or_what_was_asked_for() {
    let (slave, end) = slave();
    let offer = |environment: &Environment| environment.offer(ID, "south");
    fail_once(&root(), north, &offer, [ROOT, GIVEN]);
    let take = |environment: &Environment| environment.take(ID, end, Duration::ZERO);
    fail_once(&slave, south, &take, [SLAVE, TAKEN]);
    let withdraw = |environment: &Environment| environment.withdraw(ID);
    fail_once(&giver(), north, &withdraw, [GIVEN, TAKEN]);
}

/// Bug: a slave that an operator had promoted said that it refuses, and the old root went on beside it.
#[test]
fn a_root_refuses_nothing() {
    let (machine, end) = slave();
    let environment = south(&machine).unwrap();
    environment.promote(true).unwrap();
    let refused = environment.refuse(ID, end).unwrap_err();
    assert!(
        refused.to_string().contains("is the root already"),
        "{refused}"
    );
    assert_eq!(stand(&environment), TAKEN);
}

/// Bug: the promise to refuse a handover was forgotten with the next one's.
#[test]
fn what_was_refused_once_is_never_taken_also_when_it_arrives_late() {
    let (machine, end) = slave();
    let environment = south(&machine).unwrap();
    let mut later = end;
    later.point.position = "9-1:128".parse().unwrap();
    let offers = [(ID, end), (HandoverId::new(8), later)];
    for (id, end) in [offers[0], offers[1], offers[0]] {
        assert!(environment.refuse(id, end).unwrap());
    }
    for (id, end) in offers {
        let late = environment.take(id, end, Duration::ZERO).unwrap_err();
        assert!(late.to_string().contains("has refused"), "{late}");
    }
    assert_eq!(stand(&environment), REFUSED);
}
