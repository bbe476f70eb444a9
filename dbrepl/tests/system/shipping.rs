//! dbrepl from a real log to a slave with a real mirror.

use std::time::Duration;

use dbrepl::error::{ExitCode, ShipError};
use fwlog::{Compression, LogDirectory, Timestamp};

use crate::support::master::Master;
use crate::support::slave::{Behaviour, FakeSlave};
use crate::support::{Run, assert_same_files, run};

pub(crate) async fn empty() -> FakeSlave {
    FakeSlave::start(Behaviour::default()).await
}

fn code(result: Result<(), ShipError>) -> ExitCode {
    result.unwrap_err().code
}

/// Waits until something holds. The test runner has the deadline.
pub(crate) async fn until(mut holds: impl FnMut() -> bool) {
    while !holds() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_slave_gets_the_whole_log_byte_for_byte() {
    let (mut master, slave) = (Master::create(), empty().await);
    master.commit(100);
    let (result, lines) = run(&master, &slave, "-S").await;
    assert_eq!(result, Ok(()));
    assert_same_files(&master.location(), &slave.location());
    let directory = master.location().directory;
    assert_eq!(
        lines[0],
        format!(
            "R1: processing forward-log file: {}",
            directory.join("fw-1-1").display()
        )
    );
    assert_eq!(
        lines[1],
        "R1: found synchronization point with slave server"
    );
    assert_eq!(lines[2], lines[0].replace("fw-1-1", "fw-1-2"));
    let last = lines.last().unwrap();
    let time = master.durable().time.to_string();
    assert_eq!(
        *last,
        format!("R1: slave server is up-to-date until {}Z", &time[..19])
    );
    assert_eq!(slave.behaviour.lock().unwrap().finished, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_log_arrives_with_its_last_seal() {
    let (mut master, slave) = (Master::create(), empty().await);
    master.commit(30);
    master.close();
    assert_eq!(run(&master, &slave, "-S").await.0, Ok(()));
    assert_same_files(&master.location(), &slave.location());
    assert!(slave.end().unwrap().sealed);
    // Nothing new: done at once, and nothing is sent twice.
    let received = slave.behaviour.lock().unwrap().received;
    assert_eq!(run(&master, &slave, "-S").await.0, Ok(()));
    assert_eq!(slave.behaviour.lock().unwrap().received, received);
    master.reopen();
    master.commit(5);
    assert_eq!(run(&master, &slave, "-S").await.0, Ok(()));
    assert_same_files(&master.location(), &slave.location());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slave_goes_on_where_it_stopped_without_taking_anything_twice() {
    let (mut master, slave) = (Master::create(), empty().await);
    master.commit(10);
    assert_eq!(run(&master, &slave, "-S").await.0, Ok(()));
    master.commit(40);
    master.new_generation();
    master.commit(40);
    assert_eq!(run(&master, &slave, "-S").await.0, Ok(()));
    assert_same_files(&master.location(), &slave.location());
    let log = LogDirectory::scan(&master.location()).unwrap();
    let sizes: u64 = log
        .segments()
        .iter()
        .map(|info| info.sealed.map_or(0, |seal| seal.length))
        .sum();
    let open = master.durable().point.position.offset;
    let headers = 128 * log.segments().len() as u64;
    let received = slave.behaviour.lock().unwrap().received as u64;
    assert_eq!(received, sizes + open - headers);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_cut_anywhere_is_made_again_when_following() {
    let mut master = Master::create();
    master.commit(200);
    let slave = FakeSlave::start(Behaviour {
        cut_after: Some(100_000),
        ..Behaviour::default()
    })
    .await;
    let following = Run::start(&master, &slave, "");
    let end = master.durable().point;
    until(|| slave.end().is_some_and(|own| own.end == end)).await;
    master.commit(20);
    let end = master.durable().point;
    until(|| slave.end().is_some_and(|own| own.end == end)).await;
    let (result, lines) = following.stop().await;
    assert_eq!(result, Ok(()));
    assert_same_files(&master.location(), &slave.location());
    assert_eq!(slave.behaviour.lock().unwrap().connections, 2);
    let trouble: Vec<_> = lines
        .iter()
        .filter(|line| line.starts_with("R0:"))
        .collect();
    assert_eq!(trouble.len(), 2, "{lines:?}");
    assert!(trouble[0].ends_with("trying again"), "{trouble:?}");
    assert_eq!(trouble[1], "R0: connected to slave server again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slave_without_room_is_told_once_and_is_back_when_it_takes_something() {
    let mut master = Master::create();
    master.commit(20);
    let slave = FakeSlave::start(Behaviour {
        full: true,
        ..Behaviour::default()
    })
    .await;
    let following = Run::start(&master, &slave, "");
    until(|| slave.behaviour.lock().unwrap().connections >= 4).await;
    slave.behaviour.lock().unwrap().full = false;
    let end = master.durable().point;
    until(|| slave.end().is_some_and(|own| own.end == end)).await;
    until(|| following.says("connected to slave server again")).await;
    let (result, lines) = following.stop().await;
    assert_eq!(result, Ok(()));
    let told: Vec<_> = lines
        .iter()
        .filter(|line| line.starts_with("R0:"))
        .collect();
    assert_eq!(told.len(), 2, "{lines:?}");
    assert!(told[0].contains("no room"), "{told:?}");
    let again = "R0: connected to slave server again; it had failed ";
    assert!(told[1].starts_with(again), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_directory_without_its_disk_is_told_and_not_written_to() {
    let (mut master, slave) = (Master::create(), empty().await);
    master.commit(5);
    assert_eq!(run(&master, &slave, "-S").await.0, Ok(()));
    let directory = master.location().directory;
    let note = directory.join("slave-beta.status");
    std::fs::remove_file(&note).unwrap();
    std::fs::remove_file(directory.join(fwlog::POSITION_FILE)).unwrap();
    let failure = run(&master, &slave, "-S").await.0.unwrap_err();
    let words = format!("there is no fw.position in {}", directory.display());
    assert_eq!(failure.message, words);
    assert!(failure.hint.contains("is its disk mounted"), "{failure}");
    assert!(!note.exists(), "it may be the place under another disk");
}

#[tokio::test(flavor = "multi_thread")]
async fn following_outlives_a_restart_of_slave_and_master() {
    let (mut master, mut slave) = (Master::create(), empty().await);
    let following = Run::start(&master, &slave, "");
    let end = master.commit(10).point;
    until(|| slave.end().is_some_and(|own| own.end == end)).await;
    slave.stop().await;
    master.commit(10);
    master.close();
    master.reopen();
    let end = master.commit(10).point;
    slave.restart().await;
    until(|| slave.end().is_some_and(|own| own.end == end)).await;
    master.close();
    master.reopen();
    let end = master.commit(10).point;
    until(|| slave.end().is_some_and(|own| own.end == end)).await;
    let (result, lines) = following.stop().await;
    assert_eq!(result, Ok(()));
    assert_same_files(&master.location(), &slave.location());
    assert_eq!(
        lines
            .iter()
            .filter(|line| line.contains("trying again"))
            .count(),
        1,
        "{lines:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn divergence_is_refused_with_the_exact_fork_point_on_both_sides() {
    let (mut master, slave) = (Master::create(), empty().await);
    master.commit(50);
    let fork = master.close();
    let mut twin = master.twin();
    master.reopen();
    master.commit(30);
    assert_eq!(run(&master, &slave, "-S").await.0, Ok(()));
    twin.commit(60);
    let (result, _) = run(&twin, &slave, "-S").await;
    let failure = result.unwrap_err();
    assert_eq!(failure.code, ExitCode::NoSynchronizationPoint);
    let time = fork.time;
    let position = fork.point.position;
    let words = format!(
        "diverged: the slave's log differs from the master's after {position} (commit 50, {time})"
    );
    assert!(failure.message.starts_with(&words), "{failure}\n{words}");
    assert!(failure.hint.contains("re-synchronize"), "{failure}");
    assert_eq!(last_word(&slave).await, words);
}

/// What the slave was told at the end. dbrepl may be gone before the slave has read it.
async fn last_word(slave: &FakeSlave) -> String {
    let told = async {
        loop {
            let first = slave.behaviour.lock().unwrap().refused.first().cloned();
            match first {
                Some(refuse) => return refuse.message,
                None => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    };
    let word = tokio::time::timeout(Duration::from_secs(30), told).await;
    word.expect("the slave is told, too")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slave_ahead_of_a_restored_master_has_diverged_at_the_masters_end() {
    let (mut master, slave) = (Master::with(1 << 20, Compression::Zstd), empty().await);
    let fork = master.commit(20);
    let twin = master.twin();
    let end = LogDirectory::scan(&twin.location()).unwrap().segments()[0]
        .sealed
        .unwrap();
    assert_eq!(end.length, fork.point.position.offset);
    master.commit(20);
    assert_eq!(run(&master, &slave, "-S").await.0, Ok(()));
    let failure = run(&twin, &slave, "-S").await.0.unwrap_err();
    assert_eq!(failure.code, ExitCode::NoSynchronizationPoint);
    let words = format!("after {} (commit 20", fork.point.position);
    assert!(failure.message.contains(&words), "{failure}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_segment_is_named() {
    let (mut master, slave) = (Master::create(), empty().await);
    master.commit(20);
    assert_eq!(run(&master, &slave, "-S").await.0, Ok(()));
    master.commit(100);
    let log = LogDirectory::scan(&master.location()).unwrap();
    let held = slave.end().unwrap().end.position.segment;
    let gone = held.next_sequence().next_sequence();
    for info in log.segments().iter().filter(|info| info.id <= gone) {
        std::fs::remove_file(&info.path).unwrap();
    }
    let failure = run(&master, &slave, "-S").await.0.unwrap_err();
    assert_eq!(failure.code, ExitCode::NoSynchronizationPoint);
    let words = format!(
        "segments {} to {gone} are gone",
        master.location().path(held).display()
    );
    assert!(failure.message.contains(&words), "{failure}");
    assert!(
        failure.hint.contains("put the missing segments back"),
        "{failure}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_slave_needs_the_log_from_its_beginning() {
    let (mut master, slave) = (Master::create(), empty().await);
    master.commit(50);
    std::fs::remove_file(master.location().path(fwlog::SegmentId::FIRST)).unwrap();
    let failure = run(&master, &slave, "-S").await.0.unwrap_err();
    assert_eq!(failure.code, ExitCode::NoSynchronizationPoint);
    assert!(
        failure
            .message
            .contains("no longer begins at the beginning"),
        "{failure}"
    );
    assert_eq!(
        slave.behaviour.lock().unwrap().environment,
        None,
        "it adopts nothing"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slave_of_another_environment_is_refused() {
    let (mut master, other, slave) = (Master::create(), Master::create(), empty().await);
    assert_eq!(run(&other, &slave, "-S").await.0, Ok(()));
    master.commit(5);
    let failure = run(&master, &slave, "-S").await.0.unwrap_err();
    assert_eq!(failure.code, ExitCode::NoSynchronizationPoint);
    assert!(
        failure.message.contains(&master.environment().to_string()),
        "{failure}"
    );
    assert!(
        failure.message.contains(&other.environment().to_string()),
        "{failure}"
    );
    assert!(!last_word(&slave).await.is_empty(), "the slave knows why");
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_at_start_up_have_their_exit_codes() {
    let mut master = Master::create();
    master.commit(1);
    for (sqlstate, expected) in [
        ("28P01", ExitCode::Access),
        ("28000", ExitCode::Access),
        ("42501", ExitCode::Access),
        ("53300", ExitCode::Unreachable),
        ("XX000", ExitCode::Error),
    ] {
        let slave = FakeSlave::start(Behaviour {
            error: Some(sqlstate),
            ..Behaviour::default()
        })
        .await;
        assert_eq!(
            code(run(&master, &slave, "-S").await.0),
            expected,
            "{sqlstate}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slave_that_is_starting_is_waited_for() {
    let (mut master, slave) = (Master::create(), empty().await);
    master.commit(1);
    slave.behaviour.lock().unwrap().error = Some("57P03");
    let waiting = Run::start(&master, &slave, "-S");
    until(|| slave.behaviour.lock().unwrap().connections >= 2).await;
    slave.behaviour.lock().unwrap().error = None;
    assert_eq!(waiting.end().await.0, Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slave_that_is_not_there_is_unreachable_with_a_goal() {
    let (mut master, mut slave) = (Master::create(), empty().await);
    master.commit(1);
    slave.stop().await;
    for goal in ["-S", "-G", "-T 2000-01-01"] {
        assert_eq!(
            code(run(&master, &slave, goal).await.0),
            ExitCode::Unreachable,
            "{goal}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_point_in_time_is_the_end() {
    let (mut master, slave) = (Master::create(), empty().await);
    let before = master.commit(10);
    // Blocks of another second: a point in time is meant to the end of its second.
    let second = |time: Timestamp| time.micros() / 1_000_000;
    until(|| second(Timestamp::now()) > second(before.time)).await;
    master.commit(10);
    let until_then = before.time.to_string()[..19].replace(' ', "T");
    let (result, lines) = run(&master, &slave, &format!("-T {until_then}")).await;
    assert_eq!(result, Ok(()));
    assert_eq!(slave.end().unwrap().end, before.point);
    let words = format!(
        "R1: slave server is up-to-date until {}Z",
        until_then.replace('T', " ")
    );
    assert_eq!(lines.last(), Some(&words));
    // It is reached already; an earlier one can't be, and that is said.
    let again = run(&master, &slave, &format!("-T {until_then}")).await.0;
    assert_eq!(again, Ok(()));
    let earlier = run(&master, &slave, "-T 2000-01-01").await.0.unwrap_err();
    assert_eq!(earlier.code, ExitCode::Error);
    assert!(
        earlier.message.contains("after that point in time"),
        "{earlier:?}"
    );
    assert_eq!(slave.end().unwrap().end, before.point);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_current_generation_is_processed_to_its_end() {
    let (mut master, slave) = (Master::create(), empty().await);
    let first = master.commit(30);
    master.new_generation();
    master.commit(30);
    assert_eq!(run(&master, &slave, "-G").await.0, Ok(()));
    assert_eq!(slave.end().unwrap().end, first.point);
    assert!(slave.end().unwrap().sealed);
    assert_eq!(run(&master, &slave, "-G").await.0, Ok(()));
    assert_same_files(&master.location(), &slave.location());
}

#[tokio::test(flavor = "multi_thread")]
async fn synchronizing_ends_though_the_slave_has_suspended_applying() {
    let mut master = Master::create();
    master.commit(30);
    let suspended = Some("database shop is open in mode 8");
    let slave = FakeSlave::start(Behaviour {
        suspended,
        ..Behaviour::default()
    })
    .await;
    let (result, lines) = run(&master, &slave, "-S").await;
    assert_eq!(result, Ok(()));
    assert_same_files(&master.location(), &slave.location());
    assert!(
        lines
            .iter()
            .any(|line| line.contains("suspended applying: database shop")),
        "{lines:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_stored_uncompressed_goes_compressed_when_asked() {
    let mut master = Master::with(1 << 20, Compression::None);
    master.commit(300);
    let plain = empty().await;
    assert_eq!(run(&master, &plain, "-S").await.0, Ok(()));
    assert!(!plain.behaviour.lock().unwrap().packed);
    let packed = empty().await;
    assert_eq!(run(&master, &packed, "-S -Z").await.0, Ok(()));
    assert!(packed.behaviour.lock().unwrap().packed);
    assert_same_files(&master.location(), &packed.location());
    assert_same_files(&plain.location(), &packed.location());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_block_of_the_master_never_reaches_the_slave() {
    let (mut master, slave) = (Master::create(), empty().await);
    master.commit(60);
    let log = LogDirectory::scan(&master.location()).unwrap();
    let path = &log.segments()[1].path;
    let mut bytes = std::fs::read(path).unwrap();
    bytes[10_000] ^= 1;
    disk::Disk::real()
        .write_atomic(path, &bytes, 0o600)
        .unwrap();
    let failure = run(&master, &slave, "-S").await.0.unwrap_err();
    assert_eq!(failure.code, ExitCode::Error);
    assert!(
        failure.message.contains(&path.display().to_string()),
        "{failure}"
    );
    assert!(failure.message.contains("offset"), "{failure}");
}

/// Run in release: `cargo test --release -p dbrepl --test system -- --ignored --nocapture`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn measure_the_rate_of_a_catch_up() {
    let mut master = Master::with(64 << 20, Compression::None);
    let end = master.commit_much(120_000);
    let slave = empty().await;
    let begun = std::time::Instant::now();
    assert_eq!(run(&master, &slave, "-S").await.0, Ok(()));
    let time = begun.elapsed();
    assert_eq!(slave.end().unwrap().end, end.point);
    let rate = u128::from(end.log_bytes) / time.as_micros().max(1);
    println!("{} bytes in {time:.2?}: {rate} MB/s", end.log_bytes);
}
