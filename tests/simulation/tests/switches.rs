//! A forward log that is switched off and on, on disks that fail, are full, or end with their machine.

use simulation::{Whose, switch_on_failing_disks};

/// Fewer than that, and the switches have not been tried.
const OPERATIONS: u64 = 300;

#[track_caller]
fn check(whose: Whose) {
    let tried = switch_on_failing_disks(whose, 1);
    let tried = tried.unwrap_or_else(|wrong| unreachable!("{wrong}"));
    assert!(tried > OPERATIONS, "only {tried}");
}

#[test]
fn a_masters_log_is_switched_off_and_on_after_trouble_at_any_operation() {
    check(Whose::Master);
}

#[test]
fn a_slaves_log_is_switched_off_and_on_after_trouble_at_any_operation() {
    check(Whose::Slave);
}
