//! `dbrepl -T`: up to and including a point in time.

use dbtests::{Cluster, waiting};
use fwlog::Timestamp;

use crate::shop::{items, open, sell};

const SECOND: u64 = 1_000_000;

/// Waits until the present second and the next one are over; gives the next one.
fn wait_for_a_silent_second() -> String {
    let silent = Timestamp::now().micros() / SECOND + 1;
    waiting::wait_for("two seconds to pass", waiting::SHORT, || {
        (Timestamp::now().micros() / SECOND > silent).then_some(())
    });
    let text = Timestamp::from_micros(silent * SECOND).to_string();
    text[.."2026-11-21 18:54:17".len()].to_owned()
}

#[test]
fn replication_up_to_a_point_in_time_stops_there_and_goes_on_later() {
    let cluster = Cluster::start();
    open(&cluster.master);
    sell(&cluster.master, 10);
    let time = wait_for_a_silent_second();
    sell(&cluster.master, 10);
    let run = cluster.replicate(&["-T", &time]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(run.err.contains("up-to-date until"), "{}", run.err);
    assert_eq!(items(&cluster.slave), 10, "up to {time}");
    cluster.synchronize();
    assert_eq!(items(&cluster.slave), 20);
    cluster.compare();
}

#[test]
fn a_point_in_time_that_the_slave_has_passed_is_said_and_changes_nothing() {
    let cluster = Cluster::start();
    open(&cluster.master);
    sell(&cluster.master, 3);
    let time = wait_for_a_silent_second();
    sell(&cluster.master, 3);
    cluster.synchronize();
    sell(&cluster.master, 3);
    let told = cluster.replicate(&["-T", &time]).fails(1);
    assert!(
        told.contains("the slave is at ") && told.contains(" already (commit "),
        "{told}"
    );
    assert!(told.contains("after that point in time"), "{told}");
    assert!(told.contains("replication never goes back"), "{told}");
    assert_eq!(items(&cluster.slave), 6);
}

#[test]
fn an_impossible_time_is_a_usage_error() {
    let cluster = Cluster::start();
    let told = cluster.replicate(&["-T", "yesterday"]).fails(2);
    assert!(told.contains("yesterday"), "{told}");
}
