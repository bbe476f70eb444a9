//! A root that is left behind with transactions of its own, on a simulated disk whose power is cut at each operation.

use std::collections::BTreeMap;
use std::sync::Arc;

use disk::testing::{Fault, SimulatedDisk};
use fwlog::{Durable, Generation, GenerationId};
use pagestore::{PAGE_SIZE, PageImage, PageNumber};
use sqlitevfs::WriteSet;

use super::*;
use crate::databases::fence::{Fence, Tail};
use crate::databases::handover::HandoverPoint;
use crate::databases::permit::Interrupt;
use crate::databases::{Database, Role};
use crate::environment::Environment;
use crate::environment::testing::{master_on, recovered_on};

/// Commits these pages of a database that then has so many.
fn write(environment: &Environment, database: &Database, count: u32, pages: &[(u32, u8)]) {
    let image = |content: u8| PageImage::copy_of(&[content; PAGE_SIZE]);
    let pages = pages
        .iter()
        .map(|(page, content)| (PageNumber::new(*page).unwrap(), image(*content)));
    let write_set = WriteSet {
        page_count: count,
        pages: pages.collect(),
        base: database.store().latest().0,
    };
    let interrupt = Interrupt::for_this_thread();
    let permit = database.acquire_permit(&interrupt, None).unwrap();
    let queued = environment.commit(database, &permit, write_set);
    drop(permit);
    queued.unwrap().wait().unwrap();
}

/// All pages of all databases but `system`, by their names.
fn content(environment: &Environment) -> BTreeMap<String, Vec<u8>> {
    let databases = environment.databases();
    let databases = databases.iter().filter(|it| it.name() != "system");
    let pages = |database: &Arc<Database>| {
        let snapshot = database.store().snapshot_durable();
        let read = |page| {
            let mut data = [0; PAGE_SIZE];
            snapshot
                .read(PageNumber::new(page).unwrap(), &mut data)
                .unwrap();
            assert!(data.iter().all(|byte| *byte == data[0]), "page {page}");
            data[0]
        };
        (1..=snapshot.page_count()).map(read).collect()
    };
    databases.map(|it| (it.name(), pages(it))).collect()
}

/// Where the checkpoints of the root were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Checkpoints {
    /// The last one before the fork.
    Before,
    /// One behind the fork, and commits behind that.
    Behind,
    /// The same, and the one that moves redo has not ended: its pages are in the data files.
    Interrupted,
}

/// What the root was at the fork.
struct Forked {
    end: Durable,
    content: BTreeMap<String, Vec<u8>>,
}

/// A root that has gone on behind the point where another one became the root; it does not know that yet.
fn forked(machine: &SimulatedDisk, checkpoints: Checkpoints) -> (Arc<Environment>, Forked) {
    let environment = master_on(machine);
    environment.create_database("shop").unwrap();
    environment.create_database("crm").unwrap();
    let shop = environment.database("shop").unwrap();
    write(&environment, &shop, 12, &[(1, 1), (2, 1), (5, 1), (12, 1)]);
    environment.checkpoint().unwrap();
    write(&environment, &shop, 12, &[(1, 2), (5, 2)]);
    let crm = environment.database("crm").unwrap();
    write(&environment, &crm, 3, &[(1, 2), (3, 2)]);
    let at = Forked {
        end: environment.durable().unwrap(),
        content: content(&environment),
    };
    // Pages that go and come back, pages that are new, and one that the checkpoint before has.
    write(&environment, &shop, 4, &[(1, 3)]);
    write(&environment, &shop, 20, &[(2, 3), (12, 3), (20, 3)]);
    if checkpoints == Checkpoints::Behind {
        environment.checkpoint().unwrap();
    }
    environment.create_database("stock").unwrap();
    let stock = environment.database("stock").unwrap();
    write(&environment, &stock, 2, &[(1, 4)]);
    environment.rename_database("crm", "customers").unwrap();
    write(&environment, &crm, 9, &[(2, 4), (9, 4)]);
    if checkpoints == Checkpoints::Interrupted {
        environment.core().write_data_files(None).unwrap();
    }
    (environment, at)
}

fn fence(at: &Forked) -> Fence {
    Fence {
        generation: Generation::new(2),
        generation_id: Some(GenerationId::new(fwlog::ChainHash::from_bytes([2; 32]))),
        at: HandoverPoint {
            point: at.end.point,
            commit: at.end.commit,
        },
        tail: Tail::Unknown,
        by: "south".into(),
    }
}

fn planned(environment: &Environment) -> Planned {
    let fork = environment.fork_of_fence().expect("it is left behind");
    environment.plan_rejoin(fork, None).unwrap()
}

fn planned_again(environment: &Environment) -> Planned {
    planned(environment)
}

/// It is a slave whose log and state end where it was left; so it stays after another restart.
fn check_back(machine: &SimulatedDisk, environment: &Arc<Environment>, at: &Forked) {
    check_once(environment, at);
    environment.checkpoint().unwrap();
    let databases = environment.databases();
    for database in databases {
        let report = database.store().verify(pagestore::Depth::Pages, &|_| {});
        let found = [report.damaged, report.mended].concat();
        assert!(found.is_empty(), "{}: {found:?}", database.name());
    }
    environment.stop().unwrap();
    let again = recovered_on(machine).unwrap();
    check_once(&again, at);
}

fn check_once(environment: &Arc<Environment>, at: &Forked) {
    assert_eq!(environment.role(), Role::Slave);
    assert_eq!(environment.fence().unwrap().tail, Tail::Nothing);
    assert_eq!(environment.durable_position(), Some(at.end.point.position));
    let progress = environment.slave().unwrap().progress();
    assert_eq!(progress.durable.map(|it| it.point), Some(at.end.point));
    assert_eq!(progress.applied.map(|it| it.commit), Some(at.end.commit));
    assert_eq!(content(environment), at.content);
}

fn plan_of(checkpoints: Checkpoints) -> Plan {
    match checkpoints {
        Checkpoints::Before => Plan::Cut,
        Checkpoints::Behind | Checkpoints::Interrupted => Plan::Log,
    }
}

const ALL: [Checkpoints; 3] = [
    Checkpoints::Before,
    Checkpoints::Behind,
    Checkpoints::Interrupted,
];

#[test]
fn the_cheapest_plan_that_is_exact_is_taken() {
    for checkpoints in ALL {
        let machine = SimulatedDisk::new(1);
        let (environment, at) = forked(&machine, checkpoints);
        environment.yield_to(&fence(&at)).unwrap();
        let planned = planned(&environment);
        assert_eq!(planned.plan, plan_of(checkpoints), "{checkpoints:?}");
        assert_eq!(planned.transactions(), 6);
        // Nothing has changed so far, and whoever reads still sees all.
        assert_eq!(content(&environment)["stock"], [4, 0]);
        environment.begin_rejoin(&planned).unwrap();
        environment.stop().unwrap();
        drop(environment);
        let environment = recovered_on(&machine).unwrap();
        check_back(&machine, &environment, &at);
        // What was taken back is there as files.
        let files = machine.files();
        let has = |part: &str| {
            files
                .iter()
                .any(|file| file.to_string_lossy().contains(part))
        };
        assert!(has("/fwlog/lost/") && has("/data/lost/"), "{files:?}");
    }
}

#[test]
fn a_wish_that_is_not_exact_is_refused_with_its_reason() {
    let machine = SimulatedDisk::new(1);
    let (environment, at) = forked(&machine, Checkpoints::Behind);
    environment.yield_to(&fence(&at)).unwrap();
    let fork = environment.fork_of_fence().unwrap();
    let refused = environment.plan_rejoin(fork.clone(), Some(Plan::Cut));
    let refused = refused.err().expect("the data files are beyond the fork");
    assert!(
        refused
            .to_string()
            .contains("data files may have commits up to"),
        "{refused}"
    );
    let compare = environment.plan_rejoin(fork, Some(Plan::Compare)).unwrap();
    let outcome = environment.begin_rejoin(&compare).unwrap();
    assert!(matches!(outcome, Outcome::Awaits(_)), "{outcome:?}");
    let given_up = environment.fence().unwrap();
    assert!(
        matches!(given_up.tail, Tail::GivenUp { count: 6, .. }),
        "{given_up}"
    );
    assert!(environment.give_up_rejoin().unwrap());
    assert!(matches!(
        environment.fence().unwrap().tail,
        Tail::Transactions { count: 6, .. }
    ));
    assert!(!environment.give_up_rejoin().unwrap());
}

/// Before the point of no return a crash leaves all as it was; behind it each start goes on.
#[test]
fn a_power_cut_at_any_operation_leaves_what_was_or_goes_on_by_itself() {
    for checkpoints in ALL {
        let (mut before, mut behind) = (0, 0);
        for operation in 0.. {
            let machine = SimulatedDisk::new(operation);
            let (environment, at) = forked(&machine, checkpoints);
            let all = content(&environment);
            environment.yield_to(&fence(&at)).unwrap();
            let planned = planned(&environment);
            machine.fail(Fault::after(operation).power_off());
            let begun = environment.begin_rejoin(&planned);
            let is_over = begun.is_ok();
            drop(environment);
            let after = machine.after_power_cut(operation);
            let environment = recovered_on(&after).unwrap();
            let fence = environment.fence().expect("it is left behind in any case");
            if fence.tail == Tail::Nothing {
                behind += 1;
                check_back(&after, &environment, &at);
            } else {
                before += 1;
                assert!(
                    !is_over,
                    "operation {operation}: it was past the point of no return"
                );
                assert_eq!(content(&environment), all, "operation {operation}");
                environment
                    .begin_rejoin(&planned_again(&environment))
                    .unwrap();
                drop(environment);
                let environment = recovered_on(&after).unwrap();
                check_back(&after, &environment, &at);
            }
            if is_over {
                break;
            }
        }
        assert!(
            before > 3 && behind > 0,
            "{checkpoints:?}: {before}, {behind}"
        );
    }
}

#[test]
fn a_power_cut_at_any_operation_of_the_start_behind_it_leaves_it_to_the_next_one() {
    for checkpoints in ALL {
        let mut cuts = 0;
        for operation in 0.. {
            let machine = SimulatedDisk::new(operation);
            let (environment, at) = forked(&machine, checkpoints);
            environment.yield_to(&fence(&at)).unwrap();
            environment.begin_rejoin(&planned(&environment)).unwrap();
            drop(environment);
            let armed = machine.after_power_cut(operation);
            armed.fail(Fault::after(operation).power_off());
            let started = recovered_on(&armed);
            let is_over = started.is_ok();
            drop(started);
            let after = armed.after_power_cut(operation + 1);
            let environment = recovered_on(&after).unwrap();
            check_back(&after, &environment, &at);
            if is_over {
                break;
            }
            cuts += 1;
        }
        assert!(cuts > 20, "{checkpoints:?}: {cuts}");
    }
}

/// What can't be staged changes nothing.
#[test]
fn a_disk_that_fails_while_pages_are_staged_changes_nothing() {
    let mut failed = 0;
    for operation in 0.. {
        let machine = SimulatedDisk::new(operation);
        let (environment, at) = forked(&machine, Checkpoints::Behind);
        environment.yield_to(&fence(&at)).unwrap();
        let planned = planned(&environment);
        let all = content(&environment);
        machine.fail(Fault::after(operation));
        let begun = environment.begin_rejoin(&planned);
        machine.mend();
        if begun.is_ok() {
            break;
        }
        failed += 1;
        assert_eq!(content(&environment), all);
        drop(environment);
        let environment = recovered_on(&machine).unwrap();
        if environment
            .fence()
            .is_some_and(|fence| fence.tail == Tail::Nothing)
        {
            // Only the answer of the disk to the last write was an error.
            check_once(&environment, &at);
        } else {
            assert_eq!(content(&environment), all, "operation {operation}");
        }
    }
    assert!(failed > 10, "{failed}");
}
