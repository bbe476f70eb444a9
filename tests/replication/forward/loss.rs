//! Masters that are gone: before a transaction, in the middle of it, and with the answer to its COMMIT.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use dbtests::{LONG, Line, SHORT, Traffic, wait_for};

use super::{Forwarding, write_password};
use crate::shop::items;

/// A line that breaks when these bytes have passed to the server, before anything comes back.
struct Breaker {
    address: SocketAddr,
    armed: Arc<AtomicBool>,
}

impl Breaker {
    fn to(server: SocketAddr, bytes: &'static [u8]) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a working line");
        let address = listener.local_addr().expect("a working line");
        let armed = Arc::new(AtomicBool::new(false));
        let arm = Arc::clone(&armed);
        thread::spawn(move || {
            for client in listener.incoming() {
                let Ok(client) = client else { return };
                // The server may be gone by now.
                let Ok(server) = TcpStream::connect(server) else {
                    continue;
                };
                carry(client, server, bytes, &arm);
            }
        });
        Self { address, armed }
    }
}

fn carry(client: TcpStream, server: TcpStream, bytes: &'static [u8], armed: &Arc<AtomicBool>) {
    let (mut from_client, mut to_client) = (client.try_clone().expect("a working line"), client);
    let (mut from_server, mut to_server) = (server.try_clone().expect("a working line"), server);
    let armed = Arc::clone(armed);
    let is_broken = Arc::new(AtomicBool::new(false));
    let broken = Arc::clone(&is_broken);
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = from_client.read(&mut buffer) {
            let piece = &buffer[..count];
            let hits = armed.load(Ordering::SeqCst)
                && piece.windows(bytes.len()).any(|window| window == bytes);
            if hits {
                broken.store(true, Ordering::SeqCst);
            }
            if to_server.write_all(piece).is_err() || hits {
                break;
            }
        }
        if !broken.load(Ordering::SeqCst) {
            let _gone_already = to_server.shutdown(Shutdown::Both);
        }
    });
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = from_server.read(&mut buffer) {
            // What the server answers is not passed on: it has done what it was told.
            if is_broken.load(Ordering::SeqCst) || to_client.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        let _gone_already = to_client.shutdown(Shutdown::Both);
        let _gone_already = from_server.shutdown(Shutdown::Both);
    });
}

#[test]
fn a_connection_that_is_lost_before_commit_is_08006_and_nothing_is_committed() {
    let mut line = None;
    let forwarding = Forwarding::through(|master| {
        let made = Line::to(master.address());
        let address = made.address().to_string();
        line = Some(made);
        address
    });
    let line = line.unwrap();
    let client = forwarding.client();
    client.run("INSERT INTO item (name) VALUES ('before')");
    client.run("BEGIN; INSERT INTO item (name) VALUES ('lost'); SAVEPOINT s");
    line.set(Traffic::Cut);
    let refused = client.refused("INSERT INTO item (name) VALUES ('lost, too')");
    assert_eq!(refused.code, "08006", "{refused:?}");
    assert!(
        refused
            .detail
            .contains("nothing of the transaction is committed"),
        "{refused:?}"
    );
    // The transaction is over, and its block is ended as any that has failed.
    line.set(Traffic::Carry);
    assert_eq!(client.refused("SELECT 1").code, "25P02");
    assert_eq!(client.refused("ROLLBACK TO s").code, "25P02");
    client.run("COMMIT");
    client.run("INSERT INTO item (name) VALUES ('after')");
    assert_eq!(forwarding.names(), ["before", "after"]);
    // Lost before COMMIT is sent, that is known, too.
    client.run("BEGIN; INSERT INTO item (name) VALUES ('lost')");
    line.set(Traffic::Cut);
    wait_for("the master to have undone it", LONG, || {
        let sessions = forwarding
            .cluster
            .master
            .sql("system", "DBCTL 'session list'");
        sessions
            .iter()
            .all(|session| session[2] != "shop")
            .then_some(())
    });
    let refused = client.refused("COMMIT");
    assert_eq!(refused.code, "08006", "{refused:?}");
    // While nothing goes on, a loss is nobody's: the next transaction has another connection.
    line.set(Traffic::Carry);
    client.run("INSERT INTO item (name) VALUES ('again')");
    line.set(Traffic::Cut);
    line.set(Traffic::Carry);
    client.run("INSERT INTO item (name) VALUES ('and again')");
    assert_eq!(
        forwarding.names(),
        ["before", "after", "again", "and again"]
    );
    assert_eq!(client.value("SELECT count(*) FROM item"), "4");
}

#[test]
fn a_connection_that_is_lost_with_the_answer_to_commit_is_08007_and_the_session_goes_on() {
    let mut breaker = None;
    let forwarding = Forwarding::through(|master| {
        let made = Breaker::to(master.address(), b"COMMIT");
        let address = made.address.to_string();
        breaker = Some(made);
        address
    });
    let breaker = breaker.unwrap();
    let client = forwarding.client();
    client.run("BEGIN; INSERT INTO item (name) VALUES ('unknown')");
    breaker.armed.store(true, Ordering::SeqCst);
    let refused = client.refused("COMMIT");
    assert_eq!(refused.code, "08007", "{refused:?}");
    assert!(refused.detail.contains("is not known"), "{refused:?}");
    breaker.armed.store(false, Ordering::SeqCst);
    // In truth it was committed, once.
    wait_for("the commit", LONG, || {
        (items(&forwarding.cluster.master) == 1).then_some(())
    });
    client.run("INSERT INTO item (name) VALUES ('next')");
    assert_eq!(forwarding.names(), ["unknown", "next"]);
}

#[test]
fn a_statement_by_itself_is_lost_before_its_end_or_not_known_behind_it() {
    let mut breaker = None;
    let forwarding = Forwarding::through(|master| {
        // Sync is what commits.
        let made = Breaker::to(master.address(), b"S\0\0\0\x04");
        let address = made.address.to_string();
        breaker = Some(made);
        address
    });
    let breaker = breaker.unwrap();
    let client = forwarding.client();
    client.run("INSERT INTO item (name) VALUES ('first')");
    breaker.armed.store(true, Ordering::SeqCst);
    let refused = client.refused("INSERT INTO item (name) VALUES ('unknown')");
    assert_eq!(refused.code, "08007", "{refused:?}");
    breaker.armed.store(false, Ordering::SeqCst);
    wait_for("the commit", LONG, || {
        (items(&forwarding.cluster.master) == 2).then_some(())
    });
    client.run("INSERT INTO item (name) VALUES ('third')");
    assert_eq!(forwarding.names(), ["first", "unknown", "third"]);
}

#[test]
fn a_master_that_is_killed_or_away_is_told_and_readers_are_served() {
    let mut forwarding = Forwarding::start();
    let client = forwarding.client();
    client.run("INSERT INTO item (name) VALUES ('a')");
    assert_eq!(client.value("SELECT count(*) FROM item"), "1");
    let refused = thread::scope(|scope| {
        let sleeps = scope.spawn(|| {
            client
                .try_rows("INSERT INTO item (name) VALUES ('b'); SELECT pg_sleep(600)")
                .unwrap_err()
        });
        wait_for("the statement to run there", LONG, || {
            let sessions = forwarding
                .cluster
                .master
                .sql("system", "DBCTL 'session list'");
            let runs = |session: &Vec<String>| session[2] == "shop" && session[7] == "active";
            sessions.iter().any(runs).then_some(())
        });
        forwarding.cluster.master.kill9();
        sleeps.join().unwrap()
    });
    assert_eq!(refused.as_db_error().unwrap().code().code(), "08006");
    let begun = Instant::now();
    let refused = client.refused("INSERT INTO item (name) VALUES ('c')");
    assert!(
        begun.elapsed() < Duration::from_secs(8),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(refused.code, "08001", "{refused:?}");
    assert!(refused.hint.contains("RedirectWrite"), "{refused:?}");
    assert!(
        refused
            .detail
            .contains(&forwarding.cluster.master.address().to_string()),
        "{refused:?}"
    );
    assert_eq!(client.value("SELECT count(*) FROM item"), "1");
    forwarding.cluster.master.start();
    client.run("INSERT INTO item (name) VALUES ('d')");
    assert_eq!(forwarding.names(), ["a", "d"]);
    // A clean stop lets a transaction end.
    client.run("BEGIN; INSERT INTO item (name) VALUES ('e')");
    thread::scope(|scope| {
        let master = &mut forwarding.cluster.master;
        let stopped = scope.spawn(move || master.stop());
        client.run("COMMIT");
        stopped.join().unwrap();
    });
    forwarding.cluster.master.start();
    assert_eq!(forwarding.names(), ["a", "d", "e"]);
}

#[test]
fn a_target_that_is_a_slave_leaves_it_to_the_next() {
    let mut forwarding = Forwarding::start();
    let (slave, master) = (
        forwarding.cluster.slave.address(),
        forwarding.cluster.master.address(),
    );
    let password = write_password(forwarding.cluster.folder(), super::ITS_PASSWORD);
    forwarding.cluster.slave.reconfigure(|settings| {
        settings
            .set("Replication", "RedirectFrom", "127.0.0.1")
            .set("Replication", "RedirectWrite", format!("{slave}, {master}"))
            .set("Replication", "ForwardPasswordFile", password)
    });
    forwarding.cluster.slave.restart();
    let client = forwarding.client();
    client.run("INSERT INTO item (name) VALUES ('a')");
    assert_eq!(forwarding.names(), ["a"]);
    drop(client);
    forwarding
        .cluster
        .slave
        .reconfigure(|settings| settings.set("Replication", "RedirectWrite", slave));
    forwarding.cluster.slave.restart();
    let client = forwarding.client();
    let refused = client.refused("INSERT INTO item (name) VALUES ('b')");
    assert_eq!(refused.code, "25006");
    assert_eq!(
        refused.message,
        "writes were forwarded to this server, and it is a slave"
    );
    wait_for("the log to say so", SHORT, || {
        forwarding
            .cluster
            .slave
            .log()
            .contains("writes can't be forwarded to the master")
            .then_some(())
    });
}
