//! Readers of a slave that hold back what is applied, by their open modes; and what the master's sessions keep them from.

use std::time::Duration;

use dbtests::compare::database_names;
use dbtests::waiting::pause;
use dbtests::{Client, Cluster, Follower, Refusal, SHORT, Server, Settings, wait_for};

use crate::shop::{SHOP, items, open, sell};

/// A second database, with a row more each time.
const OTHER: &str = "other";

fn two_databases() -> (Cluster, Follower) {
    with(Settings::slave())
}

fn with(slave: Settings) -> (Cluster, Follower) {
    let cluster = Cluster::with(Settings::master(), slave);
    open(&cluster.master);
    cluster.master.sql("system", "CREATE DATABASE other");
    cluster.master.sql(
        OTHER,
        "CREATE TABLE item (a int); INSERT INTO item VALUES (0)",
    );
    let mut follower = cluster.follow();
    cluster.wait_for_slave(&mut follower);
    (cluster, follower)
}

#[track_caller]
fn in_mode(server: &Server, mode: u8) -> Client {
    // Who was there before needs a moment to leave.
    wait_for("the mode", SHORT, || server.client_in_mode(SHOP, mode).ok())
}

#[track_caller]
fn wait_for_rows(slave: &Server, database: &str, rows: u64) {
    let question = "SELECT count(*) FROM item";
    wait_for("rows on the slave", SHORT, || {
        // Who had it open in another mode needs a moment to leave.
        let client = slave.client_in_mode(database, 5).ok()?;
        (client.value(question) == rows.to_string()).then_some(())
    });
}

/// Commits in the other database are shown, as often as it takes for those in the shop to be there, too.
#[track_caller]
fn the_other_goes_on(cluster: &Cluster) {
    let before = &cluster.slave.sql(OTHER, "SELECT max(a) + 1 FROM item")[0][0];
    cluster
        .master
        .sql(OTHER, &format!("INSERT INTO item VALUES ({before})"));
    wait_for("a row of the other database", SHORT, || {
        let max = &cluster.slave.sql(OTHER, "SELECT max(a) FROM item")[0][0];
        (max == before).then_some(())
    });
}

#[track_caller]
fn why_suspended(slave: &Server, part: &str) {
    wait_for(part, SHORT, || {
        let status = slave.command("replication status");
        let reason = status.get("suspended")?;
        reason.contains(part).then_some(())
    });
}

#[test]
fn modes_7_and_8_hold_back_their_database_and_no_other() {
    let (cluster, mut follower) = two_databases();
    for mode in [7, 8] {
        let before = items(&cluster.slave);
        let reader = in_mode(&cluster.slave, mode);
        sell(&cluster.master, 3);
        the_other_goes_on(&cluster);
        why_suspended(&cluster.slave, &format!("has it open in mode {mode}"));
        assert_eq!(
            reader.value("SELECT count(*) FROM item"),
            before.to_string()
        );
        // Who would make it wait longer is not let in.
        let refusal = cluster.slave.client_in_mode(SHOP, 8).err().unwrap();
        assert_eq!(refusal.code, "55006", "{refusal:?}");
        if mode == 8 {
            assert!(refusal.message.contains("replication"), "{refusal:?}");
            assert_eq!(items_by(&in_mode(&cluster.slave, 9)), before);
        }
        drop(reader);
        wait_for_rows(&cluster.slave, SHOP, before + 3);
        cluster.wait_for_slave(&mut follower);
    }
    for mode in [5, 6, 9] {
        let reader = in_mode(&cluster.slave, mode);
        let before = items_by(&reader);
        sell(&cluster.master, 1);
        wait_for("a row", SHORT, || {
            (items_by(&reader) == before + 1).then_some(())
        });
    }
    follower.stop();
    cluster.compare();
}

fn rename(cluster: &Cluster, from: &str, to: &str) {
    let statement = format!("ALTER DATABASE {from} RENAME TO {to}");
    cluster.master.sql("system", &statement);
}

fn items_by(reader: &Client) -> u64 {
    reader
        .value("SELECT count(*) FROM item")
        .parse()
        .expect("a number")
}

/// Who goes with whom: rows and columns are the modes 1 to 9, as the manual has them; 6 and 9 tolerate each other.
const MATRIX: [&str; 9] = [
    "x...x...x",
    ".x...x...",
    ".........",
    ".....x...",
    "x...x...x",
    ".x.x.x.xx",
    ".........",
    ".....x.xx",
    "x...xx.xx",
];

/// Both servers have one table while replication runs; on a slave, what writes is refused before anything else is asked.
#[test]
fn modes_go_together_on_a_slave_as_on_the_master_while_it_follows() {
    let (cluster, mut follower) = two_databases();
    for (first, line) in (1..).zip(MATRIX) {
        for server in [&cluster.master, &cluster.slave] {
            let is_slave = std::ptr::eq(server, &raw const cluster.slave);
            if is_slave && first < 5 {
                let refusal = server.client_in_mode(SHOP, first).err().unwrap();
                assert_eq!(refusal.code, "25006", "mode {first} on a slave");
                continue;
            }
            let held = in_mode(server, first);
            the_other_goes_on(&cluster);
            for (second, fits) in (1..).zip(line.chars()) {
                let expected = match fits {
                    _ if is_slave && second < 5 => "25006",
                    'x' => "",
                    _ => "55006",
                };
                if expected.is_empty() {
                    drop(in_mode(server, second));
                } else {
                    let refusal = server.client_in_mode(SHOP, second).err().unwrap();
                    let place = format!("{second} beside {first}, slave: {is_slave}");
                    assert_eq!(refusal.code, expected, "{place}");
                }
            }
            held.run("SELECT 1");
        }
    }
    cluster.wait_for_slave(&mut follower);
    follower.stop();
    cluster.compare();
}

#[test]
fn what_is_held_back_survives_a_crash_and_much_of_it_needs_no_memory() {
    let (mut cluster, mut follower) = two_databases();
    let reader = in_mode(&cluster.slave, 8);
    cluster.master.sql(
        SHOP,
        "INSERT INTO item (name) SELECT repeat('x', 3000) || g FROM generate_series(1, 8000) g",
    );
    cluster
        .master
        .sql(SHOP, "UPDATE item SET price = 1 WHERE id % 3 = 0");
    cluster.master.command("checkpoint");
    cluster
        .master
        .sql(SHOP, "DELETE FROM item WHERE id % 7 = 0");
    the_other_goes_on(&cluster);
    assert_eq!(items_by(&reader), 0);
    cluster.slave.kill9();
    cluster.slave.start();
    cluster.wait_for_slave(&mut follower);
    let reader = in_mode(&cluster.slave, 8);
    sell(&cluster.master, 5);
    the_other_goes_on(&cluster);
    assert_eq!(items_by(&reader), 8000 - 8000 / 7);
    cluster.slave.restart();
    cluster.wait_for_slave(&mut follower);
    follower.stop();
    cluster.compare();
}

#[test]
fn what_a_session_of_the_master_has_alone_waits_for_mode_6_too() {
    let (cluster, mut follower) = two_databases();
    let reader = in_mode(&cluster.slave, 6);
    let looks = in_mode(&cluster.slave, 9);
    let alone = in_mode(&cluster.master, 3);
    alone.run("INSERT INTO item (name) VALUES ('alone')");
    the_other_goes_on(&cluster);
    why_suspended(&cluster.slave, "a session that had it alone on the source");
    assert_eq!(items_by(&looks), 0);
    drop(reader);
    wait_for("a row", SHORT, || (items_by(&looks) == 1).then_some(()));
    // As long as it stays, mode 6 is not let in; then it is.
    let refusal = cluster.slave.client_in_mode(SHOP, 6).err().unwrap();
    assert_eq!(refusal.code, "55006", "{refusal:?}");
    assert!(refusal.detail.contains("has it alone"), "{refusal:?}");
    drop(alone);
    wait_for("the session of the master to have left", SHORT, || {
        cluster.slave.client_in_mode(SHOP, 6).ok()
    });
    let writer = in_mode(&cluster.master, 4);
    the_other_goes_on(&cluster);
    let refusal = cluster.slave.client_in_mode(SHOP, 8).err().unwrap();
    assert_eq!(refusal.code, "55006", "{refusal:?}");
    drop(in_mode(&cluster.slave, 6));
    drop((writer, looks));
    cluster.wait_for_slave(&mut follower);
    follower.stop();
    cluster.compare();
}

#[test]
fn vacuum_full_waits_for_who_reads_in_mode_6_and_for_nobody_in_mode_9() {
    let (cluster, mut follower) = two_databases();
    sell(&cluster.master, 3);
    cluster.wait_for_slave(&mut follower);
    let reader = in_mode(&cluster.slave, 6);
    let looks = in_mode(&cluster.slave, 9);
    looks.run("BEGIN ISOLATION LEVEL REPEATABLE READ");
    assert_eq!(items_by(&looks), 3);
    cluster.master.sql(SHOP, "VACUUM FULL");
    sell(&cluster.master, 1);
    the_other_goes_on(&cluster);
    why_suspended(&cluster.slave, "for VACUUM FULL or");
    drop(reader);
    wait_for_rows(&cluster.slave, SHOP, 4);
    assert_eq!(items_by(&looks), 3);
    looks.run("COMMIT");
    assert_eq!(items_by(&looks), 4);
    cluster.wait_for_slave(&mut follower);
    follower.stop();
    cluster.compare();
}

#[test]
fn a_crash_of_the_master_gives_back_what_its_sessions_had() {
    let (mut cluster, mut follower) = two_databases();
    let alone = in_mode(&cluster.master, 3);
    // What the log says of it before a checkpoint is said again.
    cluster.master.command("checkpoint");
    the_other_goes_on(&cluster);
    assert!(cluster.slave.client_in_mode(SHOP, 8).is_err());
    cluster.master.kill9();
    drop(alone);
    cluster.master.start();
    the_other_goes_on(&cluster);
    drop(in_mode(&cluster.slave, 8));
    cluster.wait_for_slave(&mut follower);
    follower.stop();
    cluster.compare();
}

#[test]
fn a_drop_ends_who_only_looks_and_waits_for_the_others() {
    let (cluster, mut follower) = two_databases();
    let (looks, reads) = (in_mode(&cluster.slave, 5), in_mode(&cluster.slave, 9));
    cluster.master.sql("system", "DROP DATABASE shop");
    wait_for("the sessions to be ended", SHORT, || {
        let closed = |client: &Client| client.try_rows("SELECT 1").is_err();
        (closed(&looks) && closed(&reads)).then_some(())
    });
    open(&cluster.master);
    sell(&cluster.master, 2);
    cluster.wait_for_slave(&mut follower);
    assert_eq!(items(&cluster.slave), 2);

    let reader = in_mode(&cluster.slave, 6);
    cluster
        .master
        .sql("system", "ALTER DATABASE shop RENAME TO store");
    why_suspended(&cluster.slave, "to be dropped or renamed");
    assert_eq!(items_by(&reader), 2);
    assert_eq!(
        cluster.slave.client_in_mode(SHOP, 9).err().unwrap().code,
        "55006"
    );
    drop(reader);
    wait_for("the new name", SHORT, || {
        database_names(&cluster.slave)
            .contains(&"store".to_owned())
            .then_some(())
    });
    wait_for_rows(&cluster.slave, "store", 2);
    cluster.wait_for_slave(&mut follower);
    follower.stop();
    cluster.compare();
}

/// More than the slave keeps in memory for its applier, over two segments.
#[test]
fn the_log_is_taken_while_a_rename_waits_for_a_reader() {
    let (mut cluster, mut follower) = two_databases();
    let reader = in_mode(&cluster.slave, 6);
    rename(&cluster, "shop", "store");
    why_suspended(&cluster.slave, "to be dropped or renamed");
    let more = |cluster: &Cluster, from: u32| {
        for row in from..from + 30 {
            let insert = format!("INSERT INTO item VALUES ({row})");
            cluster.master.sql(OTHER, &insert);
        }
        wait_for("the log on the slave's disk", SHORT, || {
            let master = cluster.master.command("forwardlog status");
            let slave = cluster.slave.command("replication status");
            slave["durable in the mirror"]
                .starts_with(&master["position"])
                .then_some(())
        });
    };
    more(&cluster, 1);
    cluster.master.command("forwardlog switch");
    more(&cluster, 31);
    assert!(follower.is_running());
    let rows =
        |cluster: &Cluster| cluster.slave.sql(OTHER, "SELECT count(*) FROM item")[0][0].clone();
    assert_eq!(rows(&cluster), "1");
    drop(reader);
    cluster.wait_for_slave(&mut follower);
    assert_eq!(rows(&cluster), "61");
    // From then on as always.
    more(&cluster, 61);
    cluster.wait_for_slave(&mut follower);
    assert_eq!(rows(&cluster), "91");

    let reader = wait_for("the mode", SHORT, || {
        cluster.slave.client_in_mode("store", 8).ok()
    });
    rename(&cluster, "store", "shop");
    why_suspended(&cluster.slave, "to be dropped or renamed");
    more(&cluster, 91);
    // What waits lies in two directories then.
    cluster.slave.command("forwardlog disable");
    more(&cluster, 121);
    drop(reader);
    cluster.wait_for_slave(&mut follower);
    assert_eq!(rows(&cluster), "151");
    cluster.slave.command("forwardlog enable");
    cluster.master.command("forwardlog switch");

    let reader = in_mode(&cluster.slave, 8);
    rename(&cluster, "shop", "store");
    why_suspended(&cluster.slave, "to be dropped or renamed");
    more(&cluster, 151);
    cluster.slave.kill9();
    drop(reader);
    cluster.slave.start();
    cluster.wait_for_slave(&mut follower);
    assert_eq!(rows(&cluster), "181");
    follower.stop();
    dbtests::compare::databases(&cluster.master, &cluster.slave);
}

#[test]
fn who_holds_back_longer_than_max_apply_delay_is_ended() {
    let slave = Settings::slave().set("Replication", "MaxApplyDelay", "300ms");
    let (cluster, mut follower) = with(slave);
    let reader = in_mode(&cluster.slave, 8);
    sell(&cluster.master, 1);
    let refusal = wait_for("the reader to be ended", SHORT, || {
        let error = reader.try_rows("SELECT pg_sleep(0.05)").err()?;
        Some(Refusal::of(&error))
    });
    // Between two statements, or within one.
    if let Some(refusal) = refusal {
        assert_eq!(refusal.code, "40001", "{refusal:?}");
    }
    wait_for_rows(&cluster.slave, SHOP, 1);
    assert!(cluster.slave.log().contains("longer than MaxApplyDelay"));
    cluster.wait_for_slave(&mut follower);
    follower.stop();
}

#[test]
fn what_was_held_back_is_there_after_a_promotion() {
    let (mut cluster, mut follower) = two_databases();
    let reader = in_mode(&cluster.slave, 8);
    sell(&cluster.master, 4);
    the_other_goes_on(&cluster);
    why_suspended(&cluster.slave, "mode 8");
    cluster.master.stop();
    follower.stop();
    cluster.slave.stop();
    assert!(reader.try_rows("SELECT 1").is_err());
    cluster.slave.set_role("Master");
    cluster.slave.start();
    assert_eq!(items(&cluster.slave), 4);
    sell(&cluster.slave, 1);
    wait_for("the others to have left", SHORT, || {
        cluster.slave.client_in_mode(SHOP, 7).ok()
    });
}

#[test]
fn nothing_is_waited_for_where_nothing_is_written() {
    let (cluster, mut follower) = two_databases();
    let reader = in_mode(&cluster.slave, 7);
    the_other_goes_on(&cluster);
    pause(Duration::from_millis(200));
    let status = cluster.slave.command("replication status");
    assert_eq!(status.get("suspended").map(String::as_str), Some(""));
    drop(reader);
    cluster.wait_for_slave(&mut follower);
    follower.stop();
}
