//! A failure of every single operation of a writer.

use std::io::ErrorKind;

use disk::testing::{Fault, Kind, Random, SimulatedDisk};
use fwlog::{Begin, RecoverOptions, WriterError};

use crate::common::WHOLE;
use crate::model::{Model, Shared, recover_commits, restart_and_go_on, seeds};
use crate::work::{Owner, options_of, told_to_readers};

/// What happens after the failure.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Then {
    /// The same process recovers its log, and goes on.
    GoOn,
    /// Another process does.
    Restart,
    /// Memory gets short before it does.
    EvictAndRestart,
    /// The power is cut.
    PowerCut(u64),
    /// Memory gets short, later the power is cut.
    EvictAndPowerCut(u64),
}

const AFTERWARDS: [Then; 7] = [
    Then::GoOn,
    Then::Restart,
    Then::EvictAndRestart,
    Then::PowerCut(0),
    Then::PowerCut(2),
    Then::EvictAndPowerCut(0),
    Then::EvictAndPowerCut(1),
];

/// A failure that one operation meets.
#[derive(Clone, Copy, Debug)]
enum Meets {
    /// Once.
    Error,
    /// No more room from this operation on.
    NoRoom,
    /// All that write, from this operation on: the file system is read-only now.
    ReadOnly,
}

impl Meets {
    fn fault(self, operation: u64) -> Fault {
        let fault = Fault::after(operation);
        match self {
            Self::Error => fault,
            Self::NoRoom => {
                let grows = [Kind::Create, Kind::Write, Kind::Sync];
                fault
                    .of(&grows)
                    .with(ErrorKind::StorageFull)
                    .and_all_later()
            }
            Self::ReadOnly => {
                let kind = ErrorKind::ReadOnlyFilesystem;
                fault.of(Kind::CHANGES).with(kind).and_all_later()
            }
        }
    }
}

/// What a run with a fault has left.
struct Failed {
    machine: SimulatedDisk,
    model: Model,
    /// How the writer ended, if it began.
    end: Option<(WriterError, fwlog::Durable)>,
}

/// Lets an owner work until the operation fails; `None` when no operation did.
fn run(seed: u64, meets: Meets, operation: u64) -> Option<Failed> {
    let machine = SimulatedDisk::new(seed * 1000 + operation);
    machine.fail(meets.fault(operation));
    let mut random = Random::new(seed);
    let options = options_of(&mut random);
    let model = Shared::default();
    let end = match Owner::start(&machine, options, Begin::Create, model.clone()) {
        Err(_) => None,
        Ok(owner) => {
            // That there was no room for zeros ahead is no failure.
            let failure = owner.work(&mut random, 12).err()?;
            // All that was told to be on the disk before it failed.
            drop(owner.wait());
            assert_eq!(owner.writer.failure(), Some(failure.clone()));
            assert_eq!(owner.append(), Err(failure.clone()));
            Some((failure, owner.writer.durable()))
        }
    };
    machine.mend();
    let model = model.copy();
    Some(Failed {
        machine,
        model,
        end,
    })
}

fn check(failed: &Failed, then: Then, label: &str) {
    let Failed {
        machine,
        model,
        end,
    } = failed;
    let (model, told) = (model.clone(), told_to_readers(machine));
    let machine = machine.copy();
    if matches!(then, Then::EvictAndRestart | Then::EvictAndPowerCut(_)) {
        machine.evict();
    }
    let machine = match then {
        Then::PowerCut(loss) | Then::EvictAndPowerCut(loss) => machine.after_power_cut(loss),
        _ => machine,
    };
    if let (Then::GoOn, Some((_, durable))) = (then, end) {
        let options = RecoverOptions {
            discard_behind: Some(durable.point.position),
            ..WHOLE
        };
        let (recovered, found) = recover_commits(&machine, options).unwrap();
        // Neither less nor more than what was told.
        assert_eq!(recovered.last_commit, durable.commit, "{label}");
        assert_eq!(found.len() as u64, model.acknowledged, "{label}");
    }
    let promised = model.acknowledged.max(told);
    restart_and_go_on(&machine, model, promised, label);
}

fn fail_everywhere(seeds: std::ops::Range<u64>, meets: Meets) {
    for seed in seeds {
        let mut failed = 0;
        for operation in 0.. {
            let Some(result) = run(seed, meets, operation) else {
                // Behind the last operation, or one whose failure does no harm.
                if operation > 30 + 2 * failed {
                    break;
                }
                continue;
            };
            failed += 1;
            for then in AFTERWARDS {
                let label = format!("seed {seed}, {meets:?} at {operation}, {then:?}");
                check(&result, then, &label);
            }
        }
        assert!(failed > 30, "only {failed} operations failed");
    }
}

#[test]
fn an_operation_that_fails_costs_nothing_acknowledged() {
    fail_everywhere(seeds(2), Meets::Error);
}

#[test]
fn a_disk_that_is_full_from_some_operation_on_costs_nothing_acknowledged() {
    fail_everywhere(seeds(2), Meets::NoRoom);
}

#[test]
fn a_disk_that_is_read_only_from_some_operation_on_costs_nothing_acknowledged() {
    fail_everywhere(seeds(2), Meets::ReadOnly);
}
