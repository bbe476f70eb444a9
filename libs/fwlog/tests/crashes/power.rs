//! A power cut, or a kill, at every operation of a writer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use disk::testing::{Random, SimulatedDisk};
use fwlog::Begin;

use crate::model::{Shared, restart_and_go_on, seeds};
use crate::work::{Owner, options_of, told_to_readers};

/// Seeds of what a power cut leaves: nothing of what was not synced, all of it, and mixtures.
const LOSSES: u64 = 5;

/// Lets an owner work; before each change on the disk `look` is given it, and the model.
fn at_every_change(
    seed: u64,
    look: impl Fn(&SimulatedDisk, &Shared, &str) + Send + Sync + 'static,
) -> u64 {
    let machine = SimulatedDisk::new(seed);
    let mut random = Random::new(seed);
    let model = Shared::default();
    let seen = model.clone();
    let count = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&count);
    machine.set_hook(move |machine, operation| {
        if operation.kind.changes() {
            counted.fetch_add(1, Ordering::Relaxed);
            look(machine, &seen, &format!("seed {seed}, {operation}"));
        }
    });
    let options = options_of(&mut random);
    let owner = Owner::start(&machine, options, Begin::Create, model).unwrap();
    owner.work(&mut random, 20).unwrap();
    count.load(Ordering::Relaxed)
}

#[test]
fn what_was_acknowledged_is_there_after_a_power_cut_at_any_operation() {
    for seed in seeds(3) {
        let count = at_every_change(seed, |machine, model, label| {
            let model = model.copy();
            let told = told_to_readers(machine);
            for loss in 0..LOSSES {
                let after = machine.after_power_cut(loss);
                after.clear_hook();
                let promised = model.durable.max(told);
                let label = format!("{label}, loss {loss}");
                restart_and_go_on(&after, model.clone(), promised, &label);
            }
        });
        assert!(count > 50, "only {count} operations");
    }
}

#[test]
fn what_was_acknowledged_is_there_after_a_kill_at_any_operation() {
    for seed in seeds(5) {
        at_every_change(seed, |machine, model, label| {
            let model = model.copy();
            let after = machine.copy();
            after.clear_hook();
            let promised = model.acknowledged.max(told_to_readers(machine));
            restart_and_go_on(&after, model, promised, label);
        });
    }
}
