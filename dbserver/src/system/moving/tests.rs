//! Moves on a simulated disk whose power is cut at each operation.

use disk::testing::{Fault, SimulatedDisk};
use pgtypes::SqlState;

use super::*;
use crate::environment::testing::{PAGES, commit, master_on, recovered_on};
use crate::system::ownership::Ownerships;

const CONTENT: u8 = 7;

fn start(machine: &SimulatedDisk) -> Arc<Environment> {
    let environment = recovered_on(machine).unwrap();
    local::open(&environment).unwrap();
    environment
}

/// A server with a database that is replicated or not, and a local one beside it.
fn filled(machine: &SimulatedDisk, replicated: bool) -> Arc<Environment> {
    let environment = master_on(machine);
    let owners = Ownerships::of(&environment);
    owners.create_local("other", "dba").unwrap();
    if replicated {
        owners.create_database("shop", "dba", 5).unwrap();
    } else {
        owners.create_local("shop", "dba").unwrap();
    }
    let shop = environment.database("shop").unwrap();
    commit(environment.home(&shop), &shop, CONTENT);
    environment
}

/// It is there once, whole, with its owner, and can be written. Gives whether it is replicated.
#[track_caller]
fn check(environment: &Arc<Environment>) -> bool {
    let all = environment.databases();
    let names: Vec<String> = all.iter().map(|it| environment.name_of(it)).collect();
    assert_eq!(names, ["other", "shop", "system"]);
    let shop = environment.database("shop").unwrap();
    let snapshot = shop.store().snapshot_durable();
    assert_eq!(snapshot.page_count(), PAGES);
    let mut page = [0; PAGE_SIZE];
    for number in (1..=PAGES).filter_map(PageNumber::new) {
        snapshot.read(number, &mut page).unwrap();
        assert_eq!(page[0], CONTENT, "page {number}");
    }
    assert_eq!(
        owner_of(environment, &shop).unwrap().owner.as_deref(),
        Some("dba")
    );
    assert_eq!(notes(environment.local().unwrap()).unwrap(), []);
    commit(environment.home(&shop), &shop, CONTENT);
    !is_local(shop.id())
}

#[test]
fn a_database_is_on_one_side_whenever_the_power_goes() {
    for replicated in [true, false] {
        let (mut stayed, mut moved) = (0, 0);
        for operation in 0.. {
            let machine = SimulatedDisk::new(operation);
            let environment = filled(&machine, replicated);
            machine.fail(Fault::after(operation).power_off());
            let done = set(&environment, "shop", !replicated, "dba");
            if done.is_ok() && environment.checkpoint().is_ok() {
                machine.mend();
                assert_eq!(check(&environment), !replicated);
                break;
            }
            drop(environment);
            let after = machine.after_power_cut(operation);
            let is = check(&start(&after));
            // What was acknowledged is so, also where the power went a moment later.
            assert!(is != replicated || done.is_err(), "operation {operation}");
            *(if is == replicated {
                &mut stayed
            } else {
                &mut moved
            }) += 1;
            assert_eq!(check(&start(&after.after_power_cut(1))), is);
        }
        assert!(stayed > 10 && moved > 3, "{stayed} stayed, {moved} moved");
    }
}

#[test]
fn it_moves_while_nobody_has_it_open_and_keeps_what_was_granted() {
    let machine = SimulatedDisk::new(1);
    let environment = filled(&machine, true);
    let shop = environment.database("shop").unwrap();
    let opened = open_alone(&shop, "shop", "ann").unwrap();
    let refused = set(&environment, "shop", false, "dba").unwrap_err();
    assert!(refused.to_string().contains("user ann"), "{refused}");
    drop(opened);
    set(&environment, "shop", false, "dba").unwrap();
    let shop = environment.database("shop").unwrap();
    assert_eq!(owner_of(&environment, &shop).unwrap().connection_limit, 5);
    let refused = set(&environment, "shop", false, "dba").unwrap_err();
    assert!(refused.to_string().contains("off already"), "{refused}");
    set(&environment, "shop", true, "dba").unwrap();
    assert!(check(&environment));
    // A name that is taken on the other side.
    set(&environment, "shop", false, "dba").unwrap();
    environment.create_database("shop").unwrap();
    let refused = set(&environment, "shop@local", true, "dba").unwrap_err();
    assert_eq!(refused.sqlstate(), SqlState::DUPLICATE_DATABASE);
    let refused = set(&environment, "system", false, "dba").unwrap_err();
    assert_eq!(refused.sqlstate(), SqlState::INSUFFICIENT_PRIVILEGE);
}
