//! Recovery that is interrupted, at every operation, and again.

use std::sync::{Arc, Mutex};

use disk::testing::{Fault, Kind, Random, SimulatedDisk};
use fwlog::{Begin, GenerationReason, Position, RecoverError, RecoverOptions, SegmentId};

use crate::common::WHOLE;
use crate::model::{Model, Shared, recover_commits, restart_and_go_on, seeds};
use crate::work::{Owner, options, options_of};

/// A disk that a power cut has left, and what must be in its log.
struct Broken {
    machine: SimulatedDisk,
    model: Model,
}

/// Disks left by power cuts at some operations of an owner.
fn broken(seed: u64) -> Vec<Broken> {
    let machine = SimulatedDisk::new(seed);
    let mut random = Random::new(seed);
    let model = Shared::default();
    let (seen, found) = (model.clone(), Arc::new(Mutex::new(Vec::new())));
    let kept = Arc::clone(&found);
    let chance = Mutex::new((Random::new(seed + 1), 0));
    machine.set_hook(move |machine, operation| {
        let (random, wait) = &mut *chance.lock().unwrap();
        *wait += u64::from(operation.kind.changes());
        if *wait == 30 {
            *wait = random.below(10);
            let after = machine.after_power_cut(random.next());
            after.clear_hook();
            let model = seen.copy();
            kept.lock().unwrap().push(Broken {
                machine: after,
                model,
            });
        }
    });
    let options = options_of(&mut random);
    let owner = Owner::start(&machine, options, Begin::Create, model).unwrap();
    owner.work(&mut random, 20).unwrap();
    machine.clear_hook();
    std::mem::take(&mut *found.lock().unwrap())
}

/// The disks that power cuts leave during a recovery of this one.
fn interrupted(machine: &SimulatedDisk, losses: &[u64]) -> Vec<SimulatedDisk> {
    let machine = machine.copy();
    let found = Arc::new(Mutex::new(Vec::new()));
    let (kept, losses) = (Arc::clone(&found), losses.to_vec());
    machine.set_hook(move |machine, operation| {
        if operation.kind.changes() {
            for loss in &losses {
                let after = machine.after_power_cut(*loss);
                after.clear_hook();
                kept.lock().unwrap().push(after);
            }
        }
    });
    // Where there is no log there is nothing to recover.
    drop(recover_commits(&machine, WHOLE));
    machine.clear_hook();
    std::mem::take(&mut *found.lock().unwrap())
}

#[test]
fn a_recovery_that_is_interrupted_twice_anywhere_costs_nothing() {
    let mut count = 0;
    for seed in seeds(1) {
        for Broken { machine, model } in broken(seed) {
            for once in interrupted(&machine, &[0, 1, seed + 2]) {
                for twice in interrupted(&once, &[0, seed + 3]) {
                    let label = format!("seed {seed}, interruption {count}");
                    restart_and_go_on(&twice, model.clone(), model.durable, &label);
                    count += 1;
                }
            }
        }
    }
    assert!(count > 50, "only {count} interruptions");
}

#[test]
fn a_recovery_that_fails_anywhere_costs_nothing() {
    for seed in seeds(2) {
        for Broken { machine, model } in broken(seed) {
            for operation in 0.. {
                let trial = machine.copy();
                trial.fail(Fault::after(operation));
                let failed = recover_commits(&trial, WHOLE).is_err();
                let done = trial.operations() <= operation;
                trial.mend();
                if operation % 2 == 0 {
                    trial.evict();
                }
                for after in [
                    trial.after_power_cut(0),
                    trial.after_power_cut(seed + 4),
                    trial,
                ] {
                    let label = format!("seed {seed}, operation {operation}, failed: {failed}");
                    restart_and_go_on(&after, model.clone(), model.durable, &label);
                }
                if done {
                    break;
                }
            }
        }
    }
}

/// Bug: recovery in the process whose writer had failed cut everything behind the durable end, with it
/// the record that begins a generation, where the segment was made and only its directory could not be
/// synced. Slaves refuse such a generation.
#[test]
fn a_generation_keeps_its_record_where_its_segment_was_never_acknowledged() {
    let machine = SimulatedDisk::new(7);
    let owner = Owner::start(&machine, options(), Begin::Create, Shared::default()).unwrap();
    owner.append().unwrap();
    owner.wait().unwrap();
    machine.fail(Fault::after(0).of(&[Kind::SyncDirectory]));
    let reason = GenerationReason::Enable;
    assert!(owner.writer.new_generation(reason).is_err());
    let durable = owner.writer.durable().point.position;
    assert_eq!(durable.segment, SegmentId::FIRST);
    let options = RecoverOptions {
        discard_behind: Some(durable),
        ..WHOLE
    };
    // This looks for the record.
    let (recovered, found) = recover_commits(&machine, options).unwrap();
    assert_eq!(recovered.end.position.segment, SegmentId::new(2, 1));
    assert_eq!(found.len(), 1);
}

#[test]
fn nothing_that_was_durable_is_ever_cut_off() {
    let machine = SimulatedDisk::new(7);
    let owner = Owner::start(&machine, options(), Begin::Create, Shared::default()).unwrap();
    for _ in 0..3 {
        owner.append().unwrap();
        owner.wait().unwrap();
    }
    let Position { segment, offset } = owner.writer.durable().point.position;
    let path = format!("/fw-{segment}");
    for damaged in (128..offset).rev().step_by(7) {
        let machine = machine.after_power_cut(1);
        assert!(machine.flip(&path, damaged, 3));
        let before = machine.content(&path);
        let refused = recover_commits(&machine, WHOLE);
        assert!(matches!(refused, Err(RecoverError::Read(_))), "{damaged}");
        assert_eq!(machine.content(&path), before, "{damaged}");
    }
}
