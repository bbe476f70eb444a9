//! A root that is left behind on a simulated disk, whose power is cut at each operation.

use std::sync::Arc;

use disk::testing::{Fault, SimulatedDisk};
use fwlog::{Durable, Generation};
use pagestore::{PAGE_SIZE, PageNumber};

use super::*;
use crate::databases::Role;
use crate::databases::handover::HandoverPoint;
use crate::environment::Environment;
use crate::environment::testing::{PAGES, commit, master_on, recovered_on};

/// A root with a database, and where its log ended when another one became the root.
fn root(machine: &SimulatedDisk) -> (Arc<Environment>, Durable) {
    let environment = master_on(machine);
    environment.create_database("shop").unwrap();
    let shop = environment.database("shop").unwrap();
    commit(&environment, &shop, 1);
    commit(&environment, &shop, 2);
    let end = environment.durable().unwrap();
    // A checkpoint is no transaction; it stands behind in the same segment, and the seal behind that.
    environment.checkpoint().unwrap();
    (environment, end)
}

fn fence_at(end: &Durable) -> Fence {
    Fence {
        generation: Generation::new(2),
        generation_id: None,
        at: HandoverPoint {
            point: end.point,
            commit: end.commit,
        },
        tail: Tail::Unknown,
        by: "south".into(),
    }
}

fn newest_content(environment: &Environment) -> u8 {
    let shop = environment.database("shop").unwrap();
    let mut page = [0; PAGE_SIZE];
    let snapshot = shop.store().snapshot_durable();
    snapshot
        .read(PageNumber::new(PAGES).unwrap(), &mut page)
        .unwrap();
    page[0]
}

fn segments_aside(machine: &SimulatedDisk) -> usize {
    let files = machine.files().into_iter();
    files.filter(|path| path.starts_with("/fwlog/lost")).count()
}

/// It is a slave whose log ends where it was left.
fn check_cut(environment: &Environment, end: &Durable) {
    assert_eq!(environment.role(), Role::Slave);
    assert_eq!(environment.fence().unwrap().tail, Tail::Nothing);
    assert_eq!(environment.durable_position(), Some(end.point.position));
    let progress = environment.slave().unwrap().progress();
    assert_eq!(progress.durable.map(|it| it.point), Some(end.point));
    assert_eq!(progress.applied.map(|it| it.commit), Some(end.commit));
    assert_eq!(newest_content(environment), 2);
}

#[test]
fn a_tail_without_a_transaction_is_cut_and_kept_as_files_whenever_the_power_goes() {
    let mut cuts = 0;
    for operation in 0.. {
        let machine = SimulatedDisk::new(operation);
        let (environment, end) = root(&machine);
        let fence = fence_at(&end);
        machine.fail(Fault::after(operation).power_off());
        let yielded = environment.yield_to(&fence);
        if yielded.is_ok() {
            machine.mend();
            check_cut(&environment, &end);
            assert!(environment.is_read_only());
            assert!(segments_aside(&machine) > 0);
            break;
        }
        cuts += 1;
        drop(environment);
        let after = machine.after_power_cut(operation);
        let environment = recovered_on(&after).unwrap();
        let was_at = environment.durable_position();
        if environment.fence().is_some() {
            assert_eq!(environment.role(), Role::Slave, "operation {operation}");
            environment.rejoin().unwrap();
        } else {
            // It was not noted yet: the next dbrepl tells it again.
            assert_eq!(environment.role(), Role::Master, "operation {operation}");
            environment.yield_to(&fence).unwrap();
        }
        check_cut(&environment, &end);
        // The power may have taken all that was behind that point.
        let had_more = was_at > Some(end.point.position);
        assert!(
            segments_aside(&after) > 0 || !had_more,
            "operation {operation}: it was at {was_at:?}"
        );
    }
    assert!(cuts > 20, "{cuts} cuts of the power");
}

#[test]
fn one_transaction_is_enough_to_keep_all_of_it() {
    let machine = SimulatedDisk::new(1);
    let (environment, end) = root(&machine);
    let shop = environment.database("shop").unwrap();
    commit(&environment, &shop, 3);
    environment.create_database("stock").unwrap();
    let fence = fence_at(&end);
    environment.yield_to(&fence).unwrap();
    let kept = environment.fence().unwrap();
    let Tail::Transactions { count, first } = kept.tail else {
        panic!("{kept}");
    };
    assert!(
        count >= 2,
        "a commit, and a database that was made: {count}"
    );
    assert!(first >= end.point.position);
    assert_eq!(
        (environment.role(), newest_content(&environment)),
        (Role::Slave, 3)
    );
    assert_eq!(segments_aside(&machine), 0);
    environment.rejoin().unwrap();
    assert_eq!(
        environment.fence(),
        Some(kept.clone()),
        "it is looked at once"
    );
    let refused = environment.promote(false).unwrap_err();
    assert!(
        refused.to_string().contains("north was the root until"),
        "{refused}"
    );
    drop(environment);
    let environment = recovered_on(&machine.after_power_cut(2)).unwrap();
    assert_eq!(
        environment.role(),
        Role::Slave,
        "its configuration says Master"
    );
    assert_eq!(environment.fence(), Some(kept));
    environment.promote(true).unwrap();
    assert_eq!(
        (environment.role(), environment.fence()),
        (Role::Master, None)
    );
    let shop = environment.database("shop").unwrap();
    commit(&environment, &shop, 4);
}

#[test]
fn a_point_that_is_not_in_the_log_cuts_nothing() {
    let machine = SimulatedDisk::new(1);
    let (environment, end) = root(&machine);
    let mut fence = fence_at(&end);
    fence.at.point.hash = fwlog::ChainHash::from_bytes([9; 32]);
    environment.yield_to(&fence).unwrap_err();
    assert_eq!(environment.role(), Role::Slave);
    assert_eq!(environment.fence().unwrap().tail, Tail::Unknown);
    assert_eq!(segments_aside(&machine), 0);
    assert_eq!(newest_content(&environment), 2);
}
