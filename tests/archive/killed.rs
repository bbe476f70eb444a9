//! A master under load, two archivers at once, and whichever is killed: one archive, whole, and equal to the log.
//!
//! `ELOQDB_ROUNDS=100` is the long form. A failed run prints its seed; `ELOQDB_SEED` repeats the choices of that run,
//! though not the timing of the machine.

use std::env;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use dbtests::waiting::pause;
use dbtests::{Client, Follower, LONG, PASSWORD, wait_for};
use disk::testing::Random;
use fwlog::Timestamp;

use crate::support::Archived;

const ROUNDS: u64 = 6;

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().and_then(|text| text.parse().ok())
}

/// Writes until it is told to stop, also to a server that comes back.
fn write(server: SocketAddr, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let Ok(client) = Client::connect(server, "shop", PASSWORD) else {
            pause(Duration::from_millis(10));
            continue;
        };
        let row = "INSERT INTO large (body) VALUES (gen_random_bytes(3000))";
        while !stop.load(Ordering::Relaxed) && client.try_rows(row).is_ok() {}
    }
}

fn archiver(archived: &Archived, number: usize) -> Follower {
    // Each cuts in its own way.
    let size = ["64k", "100k"][number];
    let options = ["-v", "--interval", "20ms", "--part-size", size];
    let log = archived.folder.join(&format!("dbrepl-{number}.log"));
    Follower::run(archived.dbrepl(&options), log)
}

#[test]
fn whatever_is_killed_the_archive_is_whole_and_what_the_log_has() {
    let seed = number("ELOQDB_SEED").unwrap_or_else(|| Timestamp::now().micros());
    let rounds = number("ELOQDB_ROUNDS").unwrap_or(ROUNDS);
    println!("ELOQDB_SEED={seed} ELOQDB_ROUNDS={rounds}");
    let mut random = Random::new(seed);
    let mut archived = Archived::start();
    archived.master.reconfigure(|settings| {
        settings
            .set("ForwardLog", "FwMaxSize", "256k")
            .set("Server", "CheckpointInterval", "1s")
    });
    archived.master.restart();
    let stop = Arc::new(AtomicBool::new(false));
    let (address, until) = (archived.master.address(), Arc::clone(&stop));
    let load = thread::spawn(move || write(address, &until));
    let mut archivers = [archiver(&archived, 0), archiver(&archived, 1)];
    for _ in 0..rounds {
        pause(Duration::from_millis(random.below(300)));
        match random.below(3) {
            2 => {
                archived.master.kill9();
                archived.master.start();
            }
            which => {
                let which = usize::try_from(which).expect("0 or 1");
                archivers[which].kill9();
                archivers[which] = archiver(&archived, which);
            }
        }
    }
    stop.store(true, Ordering::Relaxed);
    load.join().expect("a client that works");
    archived.master.stop();
    for follower in &mut archivers {
        assert!(follower.is_running(), "{}", follower.output());
        follower.stop();
    }
    archived.archive(&[]).ok();
    archived.dbctl(&["verify"]).ok();
    assert!(archived.compare("fetched") >= 2);
    let log = || {
        archivers
            .iter()
            .any(|it| it.output().contains("archived up to"))
    };
    wait_for("one of them to have archived something", LONG, || {
        log().then_some(())
    });
}
