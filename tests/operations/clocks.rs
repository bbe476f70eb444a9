//! Clocks that are set, and clocks that differ.

use std::path::PathBuf;

use dbtests::programs::needed;
use dbtests::{Folder, Server, Settings, compare, files, follower, process, wait_for};
use fwlog::{ReadItem, SegmentReader, Timestamp};

use crate::shop::{items, open, sell};

pub(crate) const HOUR: i64 = 3600;
const YEAR: i64 = 365 * 24 * HOUR;

/// A clock that a test sets, for the programs that are started with it.
pub(crate) struct Clock {
    library: PathBuf,
    offset: PathBuf,
}

impl Clock {
    pub(crate) fn new(folder: &Folder, name: &str) -> Self {
        let clock = Self {
            library: folder.join(&format!("{name}-clock.so")),
            offset: folder.join(&format!("{name}-clock.offset")),
        };
        clock.set(0);
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/operations/clock.c");
        let mut compiler = needed("cc", "gcc");
        compiler.args(["-shared", "-fPIC", "-O1", "-o"]);
        process::run(compiler.arg(&clock.library).arg(source).arg("-ldl"), b"").ok();
        clock
    }

    /// So many seconds away from the real time, from now on.
    pub(crate) fn set(&self, seconds: i64) {
        // Replaced as a whole: a reader finds the old number or the new one.
        let new = self.offset.with_extension("new");
        files::write(&new, seconds.to_string());
        let moved = std::process::Command::new("mv")
            .arg(&new)
            .arg(&self.offset)
            .status();
        assert!(moved.expect("mv").success());
    }

    pub(crate) fn give_to(&self, server: &mut Server) {
        server.set_variable("LD_PRELOAD", &self.library.display().to_string());
        server.set_variable("ELOQDB_TEST_CLOCK", &self.offset.display().to_string());
    }
}

fn master(folder: &Folder, clock: &Clock) -> Server {
    let mut master = Server::create(folder.path(), Settings::master());
    clock.give_to(&mut master);
    master.start();
    open(&master);
    master
}

/// The times of all blocks of a server's log, in its order.
fn times(server: &Server) -> Vec<Timestamp> {
    let mut times = Vec::new();
    let disk = disk::Disk::real();
    for segment in server.segments().segments() {
        let mut reader = SegmentReader::open(&disk, &segment.path).expect("a segment");
        times.push(segment.header.created);
        while let ReadItem::Block(block) = reader.next(None).expect("a whole log") {
            times.push(block.head.time);
        }
    }
    times
}

#[track_caller]
fn never_go_back(times: &[Timestamp]) {
    for (index, pair) in times.windows(2).enumerate() {
        assert!(
            pair[0] <= pair[1],
            "block {index}: {} and then {}",
            pair[0],
            pair[1]
        );
    }
}

/// Seconds from the real time to a server's `now()`.
fn clock_of(server: &Server) -> i64 {
    let now = server.sql("shop", "SELECT extract(epoch FROM now())::bigint")[0][0].clone();
    let real = i64::try_from(Timestamp::now().micros() / 1_000_000).expect("a time");
    now.parse::<i64>().expect("seconds") - real
}

#[test]
fn a_clock_that_jumps_under_a_running_server_hurts_neither_log_nor_replication() {
    let folder = Folder::new();
    let clock = Clock::new(&folder, "master");
    let mut master = master(&folder, &clock);
    let mut slave = Server::create(folder.path(), Settings::slave());
    slave.start();
    let mut follower = dbtests::Follower::start(folder.path(), &master, &slave);
    let mut rows = 0;
    for offset in [0, -HOUR, YEAR, 0, -YEAR, HOUR] {
        clock.set(offset);
        assert!((clock_of(&master) - offset).abs() < 600, "the clock is set");
        sell(&master, 5);
        rows += 5;
        master.dbctl(&["forwardlog", "switch"]).ok();
        master.dbctl(&["checkpoint"]).ok();
        for command in [
            "status",
            "forwardlog status",
            "replication status",
            "session list",
        ] {
            for server in [&master, &slave] {
                server.sql("system", &format!("DBCTL '{command}'"));
            }
        }
        wait_for("the slave to follow", dbtests::LONG, || {
            (items(&slave) == rows).then_some(())
        });
        // What dbrepl tells of the master's end may come after the commits themselves.
        let lag = wait_for("the slave to know its lag", dbtests::LONG, || {
            slave.command("replication status").remove("lag in seconds")
        });
        let lag: f64 = lag.parse().expect("a number");
        assert!((0.0..1e9).contains(&lag), "{lag}");
        assert!(follower.is_running(), "{}", follower.output());
    }
    // Restarts with clocks that were set back, after a crash and after a clean stop.
    for offset in [-HOUR, -YEAR] {
        clock.set(offset);
        master.kill9();
        master.start();
        sell(&master, 5);
        master.restart();
        sell(&master, 5);
        rows += 10;
    }
    wait_for("the slave to follow", dbtests::LONG, || {
        (items(&slave) == rows).then_some(())
    });
    follower.stop();
    never_go_back(&times(&master));
    compare::databases(&master, &slave);
    compare::logs(&master, &slave);
}

#[test]
fn a_slave_with_another_time_of_day_shows_a_lag_that_is_none() {
    let folder = Folder::new();
    for (name, offset) in [("early", -YEAR), ("late", YEAR)] {
        let clock = Clock::new(&folder, name);
        clock.set(offset);
        let mut master = Server::create(
            folder.path(),
            Settings::master().named(&format!("m-{name}")),
        );
        master.start();
        open(&master);
        let mut slave =
            Server::create(folder.path(), Settings::slave().named(&format!("s-{name}")));
        clock.give_to(&mut slave);
        slave.start();
        sell(&master, 5);
        follower::replicate(&master, &slave, &["-S"]).ok();
        assert_eq!(items(&slave), 5);
        let mut dbrepl = dbtests::Follower::start(folder.path(), &master, &slave);
        let lag = wait_for("the slave to know its lag", dbtests::LONG, || {
            let mut status = slave.command("replication status");
            status.remove("lag in seconds")?.parse::<f64>().ok()
        });
        assert!(
            lag < 60.0,
            "{name}: by the master's clock on both sides: {lag}"
        );
        dbrepl.stop();
        compare::databases(&master, &slave);
    }
}

#[test]
fn timeouts_do_not_hang_on_the_time_of_day() {
    let folder = Folder::new();
    let clock = Clock::new(&folder, "master");
    let mut master = Server::create(
        folder.path(),
        Settings::master()
            .set("Server", "StatementTimeout", "20s")
            .set("Server", "IdleTransactionTimeout", "60s"),
    );
    clock.give_to(&mut master);
    master.start();
    open(&master);
    let client = master.client("shop");
    client.run("BEGIN");
    client.run("INSERT INTO item (name) VALUES ('before')");
    clock.set(YEAR);
    client.run("INSERT INTO item (name) VALUES ('a year later')");
    clock.set(-YEAR);
    client.run("INSERT INTO item (name) VALUES ('two years ago')");
    client.run("COMMIT");
    assert_eq!(items(&master), 3);
    // A stop that was asked for in a moment comes in a moment.
    clock.set(YEAR);
    master.dbctl(&["shutdown", "1"]).ok();
    clock.set(-YEAR);
    wait_for("the stop", dbtests::SHORT, || {
        (!master.is_running()).then_some(())
    });
}

#[test]
fn a_point_in_time_is_one_of_the_log_also_where_the_clock_was_set_back() {
    let folder = Folder::new();
    let clock = Clock::new(&folder, "master");
    let master = master(&folder, &clock);
    let mut slave = Server::create(folder.path(), Settings::slave());
    slave.start();
    sell(&master, 5);
    clock.set(HOUR);
    sell(&master, 5);
    let point = times(&master).last().expect("a block").to_string();
    // Set back: the log's time stands still until the clock has caught up.
    clock.set(0);
    sell(&master, 5);
    clock.set(2 * HOUR);
    sell(&master, 5);
    never_go_back(&times(&master));
    follower::replicate(&master, &slave, &["-T", &point[..19]]).ok();
    assert_eq!(
        items(&slave),
        15,
        "all of one second of the log, and nothing later"
    );
    follower::replicate(&master, &slave, &["-S"]).ok();
    assert_eq!(items(&slave), 20);
    compare::databases(&master, &slave);
}
