//! Processes are killed at random moments under load. Nothing that was acknowledged may be lost,
//! and master and slave may not differ.
//!
//! `ELOQDB_ROUNDS=200` is the long form. A failed run prints its seed; `ELOQDB_SEED` repeats the
//! choices of that run, though not the timing of the machine.

mod copies;
mod journal;
mod ledger;
mod load;

use std::env;
use std::time::Duration;

use dbtests::waiting::pause;
use dbtests::{Cluster, Follower, Settings};
use disk::testing::Random;
use fwlog::Timestamp;

use crate::ledger::Ledger;
use crate::load::Load;

const ROUNDS: u64 = 10;
const CLIENTS: u64 = 4;

#[test]
fn nothing_acknowledged_is_lost_when_processes_are_killed_under_load() {
    let seed = number("ELOQDB_SEED").unwrap_or_else(|| Timestamp::now().micros());
    let rounds = number("ELOQDB_ROUNDS").unwrap_or(ROUNDS);
    println!("ELOQDB_SEED={seed} ELOQDB_ROUNDS={rounds}");
    let mut random = Random::new(seed);
    // Many small segments and checkpoints: a crash meets their borders often.
    let small = |settings: Settings| {
        settings
            .set("ForwardLog", "FwMaxSize", "256k")
            .set("Server", "CheckpointSize", "1m")
            .set("Server", "CheckpointInterval", "1s")
    };
    let mut cluster = Cluster::with(small(Settings::master()), small(Settings::slave()));
    let mut ledger = Ledger::open(&cluster.master);
    let mut follower = cluster.follow();
    for round in 0..rounds {
        let load = Load::start(
            cluster.master.address(),
            round * CLIENTS,
            CLIENTS,
            random.next(),
        );
        let killed = disturb(&mut cluster, &mut follower, round, &mut random);
        pause(Duration::from_millis(random.below(150)));
        let tried = load.stop();
        println!(
            "round {round}: {killed} killed, {} of {} acknowledged",
            tried
                .iter()
                .map(|client| client.acknowledged.len())
                .sum::<usize>(),
            tried.iter().map(|client| client.attempts).sum::<u64>(),
        );
        cluster.wait_for_slave(&mut follower);
        ledger.take(&cluster.master, &tried);
        ledger.check(&cluster.master);
        ledger.check(&cluster.slave);
        cluster.compare();
    }
    follower.stop();
    assert!(
        ledger.acknowledged() > rounds,
        "the load has done something"
    );
    cluster.master.restart();
    cluster.slave.restart();
    cluster.synchronize();
    ledger.check(&cluster.slave);
    cluster.compare();
}

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok()?.parse().ok()
}

/// Kills one process, or two, and starts them again. Says which.
fn disturb(
    cluster: &mut Cluster,
    follower: &mut Follower,
    round: u64,
    random: &mut Random,
) -> &'static str {
    pause(Duration::from_millis(100 + random.below(400)));
    match round % 5 {
        0 | 3 => {
            cluster.master.kill9();
            interrupt(&mut cluster.master, random);
            cluster.master.start();
            "master"
        }
        1 => {
            cluster.slave.kill9();
            pause(Duration::from_millis(random.below(200)));
            interrupt(&mut cluster.slave, random);
            cluster.slave.start();
            "slave"
        }
        2 => {
            follower.kill9();
            pause(Duration::from_millis(random.below(200)));
            *follower = cluster.follow();
            "dbrepl"
        }
        _ => {
            cluster.master.kill9();
            cluster.slave.kill9();
            cluster.slave.start();
            cluster.master.start();
            "master and slave"
        }
    }
}

/// Every other time, recovery itself is killed.
fn interrupt(server: &mut dbtests::Server, random: &mut Random) {
    if random.coin() {
        server.start_interrupted(Duration::from_millis(random.below(60)));
    }
}
