use dbconfig::SyncSlaves;
use fwlog::{ChainHash, Position, SegmentId, Timestamp};

use super::*;
use crate::databases::permit::InterruptReason;

const AFTER: Duration = Duration::from_secs(10);

fn end(commit: u64) -> Durable {
    Durable {
        point: LogPoint::new(
            Position::new(SegmentId::FIRST, commit * 100),
            ChainHash::from_bytes([1; 32]),
        ),
        log_bytes: commit * 100,
        commit: CommitNumber::new(commit),
        time: Timestamp::from_micros(commit),
        sealed: false,
    }
}

/// A log of three commits behind which one slave is waited for.
fn release() -> (Arc<Horizon>, Arc<Release>) {
    let horizon = Horizon::new(pagestore::CommitNumber::new(0));
    let settings = Synchronous {
        slaves: Some(SyncSlaves::Majority),
        on_loss: SyncOnLoss::ContinueAfter(AFTER),
    };
    let release = Arc::new(Release::new(&horizon, "north", &settings));
    release.set_sources(&[("south".to_owned(), true)]);
    release.begin(&end(3), false, true);
    (horizon, release)
}

fn acknowledge(release: &Release, commit: u64) {
    let point = end(commit).point;
    release.acknowledged("south", point, point);
}

#[test]
fn what_was_there_at_a_start_opens_the_server_once_it_is_released() {
    let (horizon, release) = release();
    assert!(!release.is_open());
    acknowledge(&release, 3);
    assert!(release.is_open());
    assert_eq!(horizon.durable(), pagestore::CommitNumber::new(3));
    // A slave that was promoted has been open all the time.
    release.begin(&end(9), false, false);
    assert!(release.is_open());
}

#[test]
fn who_waits_is_woken_by_an_acknowledgement_and_sees_what_he_waited_for() {
    let (horizon, release) = release();
    release.wrote(&end(4));
    let target = Reach::of_commit(CommitNumber::new(4));
    thread::scope(|scope| {
        let waits = scope.spawn(|| {
            let interrupt = Interrupt::for_this_thread();
            release.wait(target, Until::Durable, &interrupt)?;
            Ok::<_, EngineError>(horizon.durable())
        });
        while release.status().waiting == 0 {
            thread::yield_now();
        }
        acknowledge(&release, 4);
        let seen = waits.join().unwrap().unwrap();
        assert_eq!(seen, pagestore::CommitNumber::new(4));
    });
}

#[test]
fn who_waits_no_longer_is_told_no_success() {
    let (_, release) = release();
    let target = Reach::of_commit(CommitNumber::new(3));
    let interrupt = Interrupt::for_this_thread();
    interrupt.raise(InterruptReason::UserRequest);
    let told = release.wait(target, Until::Durable, &interrupt);
    assert!(matches!(told, Err(EngineError::NotReleased { .. })));
    release.end();
    interrupt.clear();
    let told = release.wait(target, Until::Durable, &interrupt);
    assert!(matches!(told, Err(EngineError::NotReleased { .. })));
    assert_eq!(release.status().waiting, 0);
}

#[test]
fn alone_after_a_time_without_an_answer_and_together_once_the_slave_keeps_up() {
    let (horizon, release) = release();
    let begun = Instant::now();
    assert_eq!(release.look(begun), None);
    assert_eq!(release.look(begun + AFTER / 2), None);
    acknowledge(&release, 3);
    release.wrote(&end(4));
    assert_eq!(release.look(begun + AFTER), None, "it has gone on");
    assert_eq!(release.look(begun + 2 * AFTER), Some(Turn::Alone));
    assert_eq!(horizon.durable(), pagestore::CommitNumber::new(3));
    release.turn(Turn::Alone);
    assert_eq!(horizon.durable(), pagestore::CommitNumber::new(4));
    assert_eq!(release.look(begun + 3 * AFTER), None);
    // The newest commits are always on their way.
    acknowledge(&release, 4);
    release.wrote(&end(5));
    assert_eq!(release.look(begun + 3 * AFTER), Some(Turn::Together));
    release.turn(Turn::Together);
    release.wrote(&end(6));
    assert_eq!(release.status().released, CommitNumber::new(5));
}

#[test]
fn data_files_may_take_all_while_clients_still_wait() {
    let (horizon, release) = release();
    release.show_all();
    assert_eq!(horizon.durable(), pagestore::CommitNumber::new(3));
    assert_eq!(release.status().released, CommitNumber::new(0));
}
