//! `dbctl replication switchover` under writers, while servers, dbrepl and dbctl itself are killed at random moments of it.
//! When all run again, the same command ends it: one server writes, and nothing that was acknowledged is lost.
//!
//! `ELOQDB_ROUNDS=200` is the long form; `ELOQDB_SEED` repeats the choices of a run, though not the timing of the machine.

use std::env;
use std::thread;
use std::time::Duration;

use dbtests::process::Background;
use dbtests::waiting::pause;
use dbtests::{Follower, LONG, PASSWORD, Server, follower, wait_for};
use disk::testing::Random;
use fwlog::Timestamp;

use crate::switchover::{Over, Pair, Writers};

const ROUNDS: u64 = 30;
const WRITERS: usize = 4;
/// A switchover takes about as long, in milliseconds.
const MOMENTS: u64 = 500;

/// What is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Master,
    Slave,
    BothServers,
    There,
    Back,
    Courier,
    All,
}

const VICTIMS: [Victim; 7] = [
    Victim::Master,
    Victim::Slave,
    Victim::Courier,
    Victim::There,
    Victim::BothServers,
    Victim::Back,
    Victim::All,
];

impl Victim {
    fn is(self, alone: &[Self]) -> bool {
        self == Self::All || alone.contains(&self)
    }
}

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok()?.parse().ok()
}

#[test]
fn whatever_is_killed_in_a_switchover_the_same_command_ends_it_and_nothing_is_lost() {
    let seed = number("ELOQDB_SEED").unwrap_or_else(|| Timestamp::now().micros());
    let rounds = number("ELOQDB_ROUNDS").unwrap_or(ROUNDS);
    println!("ELOQDB_SEED={seed} ELOQDB_ROUNDS={rounds}");
    let mut random = Random::new(seed);
    let mut pair = Pair::start();
    let mut writers = Writers::default();
    let addresses = [pair.cluster.master.address(), pair.cluster.slave.address()];
    for (round, victim) in (0..rounds).zip(VICTIMS.iter().copied().cycle()) {
        let before = writers.count();
        writers.begin();
        thread::scope(|scope| {
            for _ in 0..WRITERS {
                scope.spawn(|| writers.write(addresses));
            }
            let _over = Over(&writers);
            writers.wait_for(20);
            pair.wait_for_feed();
            let told = disturb(&mut pair, victim, &mut random);
            println!("round {round}: {victim:?} killed; {told}");
            writers.wait_for(20);
        });
        let (master, slave) = pair.roles();
        writers.check(master);
        pair.settle_and_compare();
        writers.check(slave);
        assert!(writers.count() >= before + 40);
    }
    pair.stop();
}

/// A switchover in whose middle the victim is killed; then all run again, and the same command is given again until it
/// has nothing left to do. Gives what that said in the end.
fn disturb(pair: &mut Pair, victim: Victim, random: &mut Random) -> String {
    let first_is_master = {
        let (master, _) = pair.roles();
        master.settings().name() == pair.cluster.master.settings().name()
    };
    let log = pair.cluster.folder().join("dbctl.log");
    let mut command = {
        let (master, slave) = pair.roles();
        switchover(master, slave)
    };
    let mut courier = Background::start(&mut command, &log);
    pause(Duration::from_millis(random.below(MOMENTS)));
    if victim.is(&[Victim::Courier]) {
        courier.kill9();
    }
    let (old, new) = if first_is_master {
        (&mut pair.cluster.master, &mut pair.cluster.slave)
    } else {
        (&mut pair.cluster.slave, &mut pair.cluster.master)
    };
    if victim.is(&[Victim::Master, Victim::BothServers]) {
        old.kill9();
    }
    if victim.is(&[Victim::Slave, Victim::BothServers]) {
        new.kill9();
    }
    if victim.is(&[Victim::There]) {
        pair.there.kill9();
    }
    if victim.is(&[Victim::Back]) {
        pair.back.kill9();
    }
    pause(Duration::from_millis(random.below(MOMENTS)));
    for server in [&mut *old, &mut *new] {
        if !server.is_running() {
            server.start();
        }
    }
    begin_again(pair);
    wait_for("dbctl to end", LONG, || courier.ended());
    let (old, new) = if first_is_master {
        (&pair.cluster.master, &pair.cluster.slave)
    } else {
        (&pair.cluster.slave, &pair.cluster.master)
    };
    wait_for("the same command to end it", LONG, || {
        let name = new.settings().name();
        let run = old.dbctl(&["replication", "switchover", name, "--one-way"]);
        let is_done = run.code == Some(0) || run.err.contains("is not the root: it is Slave");
        let one_root = new.command("status")["role"] == "Master";
        assert!(!is_done || one_root, "{run:?}");
        is_done.then(|| run.err.lines().next().unwrap_or("done").to_owned())
    })
}

fn switchover(master: &Server, slave: &Server) -> std::process::Command {
    let mut command = master.dbctl_command();
    command
        .args(["replication", "switchover", slave.settings().name()])
        // Whoever is killed is killed in its steps, not while it is looked whether the way back is open.
        .arg("--one-way")
        .env("EQ_DBPASSWORD", PASSWORD);
    command
}

/// Each dbrepl that was killed runs again.
fn begin_again(pair: &mut Pair) {
    let cluster = &pair.cluster;
    let (one, other) = (&cluster.master, &cluster.slave);
    let directions = [
        (&mut pair.there, one, other, "there.log"),
        (&mut pair.back, other, one, "back.log"),
    ];
    for (running, from, to, log) in directions {
        if !running.is_running() {
            let command = follower::dbrepl(from, to, &["-v"]);
            *running = Follower::run(command, cluster.folder().join(log));
        }
    }
}
