//! One order over all databases: what somebody wrote after an answer is never seen before what was
//! answered, on whichever server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use dbtests::waiting::pause;
use dbtests::{Client, PASSWORD, Traffic};

use crate::history::At;
use crate::trio::{Trio, a_moment};

/// Opens a session on each of the two databases, unless the server is down.
fn sessions(server: SocketAddr) -> Option<[Client; 2]> {
    let open = |database| Client::connect(server, database, PASSWORD).ok();
    let both = open("voice").zip(open("echo"));
    if both.is_none() {
        pause(Duration::from_millis(5));
    }
    both.map(|(voice, echo)| [voice, echo])
}

/// Writes a number to one database and, after the answer, to the other one. Gives the last number.
fn speak(master: SocketAddr, stop: &AtomicBool) -> u64 {
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        let Some([voice, echo]) = sessions(master) else {
            continue;
        };
        while !stop.load(Ordering::Relaxed) {
            number += 1;
            let said = voice.try_rows(&format!("INSERT INTO said VALUES ({number})"));
            let heard =
                said.and_then(|_| echo.try_rows(&format!("UPDATE heard SET number = {number}")));
            if heard.is_err() {
                break;
            }
        }
    }
    number
}

/// Reads the echo, then the voice: it must be there. Gives the number of comparisons.
fn listen(server: SocketAddr, stop: &AtomicBool) -> u64 {
    let mut compared = 0;
    while !stop.load(Ordering::Relaxed) {
        let Some([voice, echo]) = sessions(server) else {
            continue;
        };
        while !stop.load(Ordering::Relaxed) {
            let Ok(heard) = echo.try_rows("SELECT number FROM heard") else {
                break;
            };
            let heard = heard[0][0].clone().unwrap_or_default();
            let question = format!("SELECT count(*) FROM said WHERE number = {heard}");
            let Ok(said) = voice.try_rows(&question) else {
                break;
            };
            assert_eq!(
                said[0][0].as_deref(),
                Some("1"),
                "an echo of {heard}, which nobody said"
            );
            compared += 1;
        }
    }
    compared
}

#[test]
fn an_echo_is_never_seen_before_the_voice() {
    let mut trio = Trio::start();
    for (database, table) in [("voice", "said"), ("echo", "heard")] {
        trio.master
            .sql("system", &format!("CREATE DATABASE {database}"));
        let key = if table == "said" { "PRIMARY KEY" } else { "" };
        let script =
            format!("CREATE TABLE {table} (number BIGINT {key}); INSERT INTO {table} VALUES (0)");
        trio.master.sql(database, &script);
    }
    trio.wait_for_slaves();
    let stop = Arc::new(AtomicBool::new(false));
    let employ =
        |work: fn(SocketAddr, &AtomicBool) -> u64, server: SocketAddr| -> JoinHandle<u64> {
            let stop = Arc::clone(&stop);
            thread::spawn(move || work(server, &stop))
        };
    let speaker = employ(speak, trio.master.address());
    let listeners: Vec<_> = [At::Master, At::Slave(0), At::Slave(1)]
        .map(|at| employ(listen, trio.server(at).address()))
        .into();
    for round in 0..3_usize {
        a_moment();
        trio.slaves[round % 2].kill9();
        trio.slaves[round % 2].start();
        trio.lines[1 - round % 2].set(Traffic::Cut);
        a_moment();
        trio.lines[1 - round % 2].set(Traffic::Carry);
        trio.master.kill9();
        trio.master.start();
    }
    a_moment();
    stop.store(true, Ordering::Relaxed);
    assert!(speaker.join().expect("a speaker") > 10);
    for listener in listeners {
        assert!(listener.join().expect("a listener") > 10);
    }
    trio.wait_for_slaves();
    trio.compare();
    trio.end();
}
