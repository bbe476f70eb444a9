//! A wish to stop, wherever dbrepl is by then.

use dbrepl::error::ExitCode;
use tokio::net::{TcpListener, TcpStream};

use crate::support::Run;
use crate::support::master::Master;

/// A slave that takes connections and says nothing.
async fn mute() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

/// Waits until dbrepl waits for an answer, then wants it to stop: what it says then.
async fn stopped_while_it_waits(
    run: Run,
    listener: &TcpListener,
) -> (Result<(), dbrepl::error::ShipError>, Vec<String>) {
    let _connection: (TcpStream, _) = listener.accept().await.unwrap();
    run.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slave_that_says_nothing_does_not_hold_up_a_stop() {
    let mut master = Master::create();
    master.commit(3);
    let (listener, address) = mute().await;
    let run = Run::to(&master, &address, "");
    let (result, lines) = stopped_while_it_waits(run, &listener).await;
    // Waiting would end with words about a slave that does not answer.
    assert_eq!((result, lines.len()), (Ok(()), 0), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_does_one_that_is_to_be_told_what_is_wrong_with_the_log() {
    let master = Master::create();
    let directory = master.location().directory;
    std::fs::remove_file(directory.join(fwlog::POSITION_FILE)).unwrap();
    let (listener, address) = mute().await;
    let run = Run::to(&master, &address, "");
    let (result, lines) = stopped_while_it_waits(run, &listener).await;
    assert_eq!((result, lines.len()), (Ok(()), 0), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_with_a_goal_that_is_stopped_before_it_has_begun_has_not_reached_it() {
    let mut master = Master::create();
    master.commit(3);
    let (listener, address) = mute().await;
    let run = Run::to(&master, &address, "-S");
    let (result, _) = stopped_while_it_waits(run, &listener).await;
    let failure = result.unwrap_err();
    assert_eq!(failure.code, ExitCode::Error);
    assert!(failure.message.contains("interrupted"), "{failure}");
}
