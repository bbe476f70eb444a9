//! A slave is made, and made equal again, whatever is killed meanwhile.

use std::fs;
use std::time::Duration;

use dbtests::waiting::pause;
use dbtests::{Cluster, Follower, Server, Settings, follower};
use disk::testing::Random;
use fwlog::Timestamp;

use crate::load::Load;
use crate::number;

const ROUNDS: u64 = 4;
const CLIENTS: u64 = 2;

/// Rows of 3,000 bytes: with the limit below a copy takes some seconds.
const ROWS: u32 = 2000;
const LIMIT: &str = "40m";

#[test]
fn a_slave_is_made_and_mended_whatever_is_killed_meanwhile() {
    let seed = number("ELOQDB_SEED").unwrap_or_else(|| Timestamp::now().micros());
    let rounds = number("ELOQDB_ROUNDS").unwrap_or(ROUNDS);
    println!("ELOQDB_SEED={seed} ELOQDB_ROUNDS={rounds}");
    let mut random = Random::new(seed);
    let small = |settings: Settings| settings.set("Server", "CheckpointInterval", "1s");
    let mut cluster = Cluster::with(small(Settings::master()), small(Settings::slave()));
    crate::ledger::Ledger::open(&cluster.master);
    cluster.master.client(crate::ledger::DATABASE).run(&format!(
        "CREATE TABLE large (id INT PRIMARY KEY, body BYTEA); \
         INSERT INTO large SELECT i, gen_random_bytes(3000) FROM generate_series(1, {ROWS}) i"
    ));
    for round in 0..rounds {
        if round % 2 == 0 {
            empty(&mut cluster.slave);
        }
        let first = random.below(u64::from(ROWS));
        cluster.master.client(crate::ledger::DATABASE).run(&format!(
            "UPDATE large SET body = gen_random_bytes(3000) WHERE id BETWEEN {first} AND {}",
            first + 400
        ));
        forget_log(&cluster.master);
        let clients = (round * CLIENTS, CLIENTS);
        let load = Load::start(
            cluster.master.address(),
            clients.0,
            clients.1,
            random.next(),
        );
        let mut feeds = follow(&cluster);
        let killed = disturb(&mut cluster, &mut feeds, random.below(4), &mut random);
        load.stop();
        cluster.wait_for_slave(&mut feeds);
        println!("round {round}: {killed} killed");
        feeds.stop();
        cluster.compare();
    }
}

fn follow(cluster: &Cluster) -> Follower {
    let command = follower::dbrepl(
        &cluster.master,
        &cluster.slave,
        &["-v", "--init", "auto", "-b", LIMIT],
    );
    Follower::run(command, cluster.folder().join("dbrepl.log"))
}

/// The slave has nothing any more.
fn empty(slave: &mut Server) {
    slave.stop();
    for directory in [slave.data_dir(), slave.fwlog_dir()] {
        fs::remove_dir_all(&directory).expect("a directory to remove");
    }
    fs::create_dir(slave.fwlog_dir()).expect("a new directory");
    slave.init().ok();
    slave.start();
}

/// What is before the newest checkpoint is gone.
fn forget_log(master: &Server) {
    master.dbctl(&["forwardlog", "switch"]).ok();
    master.dbctl(&["checkpoint"]).ok();
    let segments = master.segments();
    let sealed = segments.segments().iter().filter(|it| it.sealed.is_some());
    for segment in sealed {
        fs::remove_file(&segment.path).expect("a segment to remove");
    }
}

/// Kills one of the three, or all, while a copy is made, and starts it again.
fn disturb(
    cluster: &mut Cluster,
    feeds: &mut Follower,
    which: u64,
    random: &mut Random,
) -> &'static str {
    feeds.wait_for_line("a copy of");
    pause(Duration::from_millis(random.below(2500)));
    match which {
        0 => {
            cluster.master.kill9();
            cluster.master.start();
            "master"
        }
        1 => {
            cluster.slave.kill9();
            cluster.slave.start();
            "slave"
        }
        2 => {
            feeds.kill9();
            *feeds = follow(cluster);
            "dbrepl"
        }
        _ => {
            cluster.master.kill9();
            cluster.slave.kill9();
            feeds.kill9();
            cluster.slave.start();
            cluster.master.start();
            *feeds = follow(cluster);
            "all three"
        }
    }
}
