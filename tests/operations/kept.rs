//! What of the log is kept by its age, and what a small disk does to what is kept for slaves.

use dbtests::{
    Folder, LONG, Server, Settings, SmallDisk, follower, process, wait_for, where_mounting_works,
};

use crate::clocks::{Clock, HOUR};
use crate::shop::{items, open, sell};

const SHOP: &str = "shop";

fn segments(server: &Server) -> usize {
    server.segments().segments().len()
}

#[test]
fn by_time_what_is_older_goes_and_nothing_that_is_younger() {
    let folder = Folder::new();
    let clock = Clock::new(&folder, "master");
    let settings = Settings::master().set("ForwardLog", "FwKeep", "3h");
    let mut master = Server::create(folder.path(), settings);
    clock.give_to(&mut master);
    master.start();
    open(&master);
    let grow = || {
        for _ in 0..3 {
            sell(&master, 1);
            master.dbctl(&["forwardlog", "switch"]).ok();
        }
        master.dbctl(&["checkpoint"]).ok();
    };
    grow();
    // The one that is open gets something later, too.
    let old = segments(&master) - 1;
    clock.set(2 * HOUR);
    grow();
    let all = segments(&master);
    let planned = master.dbctl(&["forwardlog", "remove", "--dry-run"]).ok();
    assert_eq!(
        planned.matches("within FwKeep").count(),
        all - 1,
        "{planned}"
    );
    // Four hours later than the first of them, two later than the others.
    clock.set(4 * HOUR);
    wait_for("what is older than three hours to go", LONG, || {
        (segments(&master) == all - old).then_some(())
    });
    let left = master.dbctl(&["forwardlog", "remove"]).ok();
    assert_eq!(left.matches("kept").count(), all - old, "{left}");
    assert_eq!(items(&master), 6);
}

#[test]
fn a_slave_that_is_away_does_not_fill_the_disk() {
    where_mounting_works(|| {
        let folder = Folder::new();
        let disk = SmallDisk::mount(&folder.join("disk"), "24m");
        let settings = Settings::master()
            .set("ForwardLog", "FwLog", "../disk/fw-%N")
            .set("ForwardLog", "FwMaxSize", "1m")
            .set("ForwardLog", "FwKeep", "2m")
            .set("Server", "CheckpointSize", "1m");
        let mut master = Server::create(folder.path(), settings);
        let mut slave = Server::create(folder.path(), Settings::slave());
        master.start();
        slave.start();
        open(&master);
        follower::replicate(&master, &slave, &["-S"]).ok();
        master.sql(
            SHOP,
            "CREATE TABLE large (id SERIAL PRIMARY KEY, body BYTEA)",
        );
        let client = master.client(SHOP);
        let state = || {
            let told = master.dbctl(&["--json", "slot", "list"]).ok();
            let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
            told[0]["state"].as_str().map(str::to_owned)
        };
        wait_for("a slot", LONG, || (state()? == "active").then_some(()));
        // Three times as much as there is room for, and no write is refused.
        for _ in 0..144 {
            client.run("INSERT INTO large (body) SELECT gen_random_bytes(20000) FROM generate_series(1, 25)");
            wait_for("room on the disk of the log", LONG, || {
                let used = std::fs::read_dir(disk.path()).expect("the log").flatten();
                let used: u64 = used.filter_map(|it| Some(it.metadata().ok()?.len())).sum();
                (used < 45 << 19).then_some(())
            });
        }
        let log = master.log();
        assert!(!log.contains("writes are refused"), "{log}");
        assert_eq!(
            log.matches("slave slave is lost: it needs the log from")
                .count(),
            1,
            "{log}"
        );
        assert!(log.contains("because its disk has little room"), "{log}");
        assert_eq!(state().as_deref(), Some("lost"));
        let checked = master.dbctl(&["replication", "check"]);
        assert_eq!(checked.code, Some(2), "{}", checked.out);
        assert!(checked.out.contains("lost: needs 1-"), "{}", checked.out);
        let source = master.address().to_string();
        let options = ["-v", "-S", "--init", "auto", "--source", &source];
        let run = process::run(&mut follower::dbrepl(&master, &slave, &options), b"");
        assert_eq!(run.code, Some(0), "{}", run.err);
        assert_eq!(slave.sql(SHOP, "SELECT count(*) FROM large")[0][0], "3600");
    });
}
