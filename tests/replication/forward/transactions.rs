//! What becomes of a transaction, by its first statement.

use dbtests::{Follower, LONG, Server, Settings, files, wait_for};

use super::Forwarding;
use crate::shop::{SHOP, items};

#[test]
fn a_write_on_the_slave_is_the_masters_and_is_seen_by_the_next_read() {
    let forwarding = Forwarding::start();
    let client = forwarding.client();
    for number in 0..200 {
        client.run(&format!(
            "INSERT INTO item (name, price) VALUES ('item {number}', {number})"
        ));
        let seen = client.value("SELECT count(*) FROM item");
        assert_eq!(seen, (number + 1).to_string());
    }
    assert_eq!(items(&forwarding.cluster.master), 200);
    // Definitions, too, and what is read by other statements than queries.
    client.run("CREATE TABLE note (a int)");
    client.run("INSERT INTO note VALUES (1), (2)");
    assert_eq!(client.value("SELECT sum(a) FROM note"), "3");
    client.run("UPDATE note SET a = a + 1");
    // What a table is in a transaction, the master alone knows.
    client.run("BEGIN; DROP TABLE note; CREATE TABLE IF NOT EXISTS note (a int, b int); INSERT INTO note VALUES (1, 1)");
    client.run("DROP TABLE IF EXISTS note; CREATE TABLE note (a int); INSERT INTO note VALUES (2), (3); COMMIT");
    client.run("BEGIN; DECLARE c CURSOR FOR SELECT a FROM note ORDER BY a");
    assert_eq!(client.rows("FETCH ALL FROM c"), [["2"], ["3"]]);
    client.run("COMMIT");
    let Forwarding {
        cluster,
        mut follower,
    } = forwarding;
    cluster.wait_for_slave(&mut follower);
    follower.stop();
    cluster.compare();
}

#[test]
fn the_first_statement_decides_where_a_transaction_runs() {
    let forwarding = Forwarding::start();
    let client = forwarding.client();
    // All of it runs on the master, reads as well.
    client.run("BEGIN");
    client.run("SAVEPOINT first");
    client.run("INSERT INTO item (name) VALUES ('a')");
    assert_eq!(client.value("SELECT count(*) FROM item"), "1");
    client.run("SAVEPOINT second; INSERT INTO item (name) VALUES ('b')");
    client.run("ROLLBACK TO second");
    assert_eq!(client.value("SELECT pg_is_in_recovery()"), "f");
    assert_eq!(forwarding.names(), [""; 0], "nothing is committed yet");
    client.run("COMMIT");
    assert_eq!(forwarding.names(), ["a"]);
    assert_eq!(client.value("SELECT pg_is_in_recovery()"), "t");
    client.run("BEGIN; INSERT INTO item (name) VALUES ('c'); ROLLBACK");
    assert_eq!(forwarding.names(), ["a"]);
    // A read settles it, too.
    client.run("BEGIN");
    client.run("SELECT count(*) FROM item");
    let refused = client.refused("INSERT INTO item (name) VALUES ('d')");
    assert_eq!(refused.code, "25006");
    assert_eq!(
        refused.message,
        "cannot execute INSERT in a transaction that has read on this slave"
    );
    assert!(
        refused.hint.contains("begin it with the write"),
        "{refused:?}"
    );
    assert_eq!(client.refused("SELECT 1").code, "25P02");
    client.run("ROLLBACK");
    // A read that locks is a begin, as is a number from a sequence.
    client.run(
        "BEGIN; SELECT name FROM item FOR UPDATE; INSERT INTO item (name) VALUES ('e'); COMMIT",
    );
    assert_eq!(client.value("SELECT nextval('item_id_seq')"), "5");
    assert_eq!(client.value("SELECT currval('item_id_seq')"), "5");
    assert_eq!(forwarding.names(), ["a", "e"]);
    // Several statements of one text are one transaction.
    let refused = client.refused("SELECT 1; INSERT INTO item (name) VALUES ('f')");
    assert_eq!(refused.code, "25006");
    client.run("INSERT INTO item (name) VALUES ('g'); INSERT INTO item (name) VALUES ('h')");
    let twice = "INSERT INTO item (name) VALUES ('i'); SELECT 1 / 0";
    assert_eq!(client.refused(twice).code, "22012");
    let here = "INSERT INTO item (name) VALUES ('j'); FETCH nothing; SHOW nonsense";
    assert_eq!(client.refused(here).code, "34000");
    let here = "INSERT INTO item (name) VALUES ('k'); SHOW nonsense";
    assert_eq!(client.refused(here).code, "42704");
    assert_eq!(forwarding.names(), ["a", "e", "g", "h"]);
    client.run(
        "INSERT INTO item (name) VALUES ('l'); BEGIN; INSERT INTO item (name) VALUES ('m'); COMMIT",
    );
    assert_eq!(forwarding.names(), ["a", "e", "g", "h", "l", "m"]);
}

#[test]
fn a_chain_of_transactions_is_decided_link_by_link() {
    let forwarding = Forwarding::start();
    let client = forwarding.client();
    client.run("BEGIN ISOLATION LEVEL SERIALIZABLE; INSERT INTO item (name) VALUES ('a'); COMMIT AND CHAIN");
    assert_eq!(client.value("SHOW transaction_isolation"), "serializable");
    // The next one reads, so it is this server's.
    assert_eq!(client.value("SELECT count(*) FROM item"), "1");
    assert_eq!(client.refused("DELETE FROM item").code, "25006");
    client.run("ROLLBACK AND CHAIN");
    client.run("INSERT INTO item (name) VALUES ('b')");
    client.run("COMMIT");
    assert_eq!(forwarding.names(), ["a", "b"]);
    // There is no second phase, so this ends it, too.
    client.run("BEGIN; INSERT INTO item (name) VALUES ('c')");
    assert_eq!(client.refused("PREPARE TRANSACTION 'x'").code, "55000");
    client.run("PREPARE named (text) AS INSERT INTO item (name) VALUES ($1)");
    client.run("EXECUTE named ('d'); EXECUTE named ('it''s ' || 'e')");
    assert_eq!(forwarding.names(), ["a", "b", "d", "it's e"]);
}

#[test]
fn the_modes_and_settings_of_the_session_go_with_its_transactions() {
    let forwarding = Forwarding::start();
    let client = forwarding.client();
    client.run("CREATE TABLE moment (at timestamptz, said text)");
    client.run(
        "SET TimeZone = 'America/New_York'; SET DateStyle = 'SQL, DMY'; SET my.tag = 'it''s mine'",
    );
    let row = client.rows(
        "INSERT INTO moment VALUES ('01/02/2026 12:00', current_setting('my.tag')) RETURNING at, said, at AT TIME ZONE 'UTC'",
    );
    assert_eq!(
        row,
        [[
            "01/02/2026 12:00:00 EST",
            "it's mine",
            "01/02/2026 17:00:00"
        ]]
    );
    // Of this transaction alone, also where it was said before its place was known.
    client.run("BEGIN ISOLATION LEVEL REPEATABLE READ; SET LOCAL TimeZone = 'UTC'");
    let shown = client.value("INSERT INTO moment VALUES ('01/02/2026 12:00') RETURNING at");
    assert_eq!(shown, "01/02/2026 12:00:00 UTC");
    // One snapshot, on the master.
    forwarding
        .cluster
        .master
        .sql(SHOP, "INSERT INTO item (name) VALUES ('meanwhile')");
    assert_eq!(client.value("SELECT count(*) FROM item"), "0");
    client.run("SET LOCAL TimeZone = 'Asia/Tokyo'; SET my.tag = 'other'");
    let shown = client.value("INSERT INTO moment VALUES ('01/02/2026 12:00') RETURNING at");
    assert_eq!(shown, "01/02/2026 12:00:00 JST");
    client.run("ROLLBACK");
    let row = client.rows("INSERT INTO moment VALUES ('01/02/2026 12:00', current_setting('my.tag')) RETURNING at, said");
    assert_eq!(row, [["01/02/2026 12:00:00 EST", "it's mine"]]);
    client.run("RESET ALL");
    let row = client.rows("INSERT INTO moment VALUES ('2026-01-02 12:00', current_setting('my.tag', true)) RETURNING at, said");
    assert_eq!(row, [["2026-01-02 12:00:00+00", ""]]);
    // One that only reads is never sent.
    client.run("BEGIN READ ONLY");
    let refused = client.refused("INSERT INTO item (name) VALUES ('a')");
    assert_eq!(
        refused.message,
        "cannot execute INSERT in a read-only transaction"
    );
    client.run("ROLLBACK");
    client.run("BEGIN READ WRITE; INSERT INTO item (name) VALUES ('a'); COMMIT");
    assert_eq!(client.value("SHOW transaction_read_only"), "off");
    assert_eq!(forwarding.names(), ["meanwhile", "a"]);
}

#[test]
fn what_would_outlive_its_transaction_is_refused_by_name() {
    let forwarding = Forwarding::start();
    let client = forwarding.client();
    for (sql, what) in [
        ("CREATE TEMP TABLE t (a int)", "CREATE TEMPORARY TABLE"),
        (
            "SELECT pg_advisory_lock(1)",
            "an advisory lock of a session",
        ),
    ] {
        let refused = client.refused(sql);
        assert_eq!(
            (refused.code.as_str(), refused.message),
            ("0A000", format!("{what} is not forwarded to the master"))
        );
        assert!(
            refused.hint.contains("eloqdb.open_mode=1"),
            "{}",
            refused.hint
        );
    }
    client.run("BEGIN; INSERT INTO item (name) VALUES ('a')");
    let refused = client.refused("DECLARE c CURSOR WITH HOLD FOR SELECT 1");
    assert_eq!(
        refused.message,
        "DECLARE CURSOR WITH HOLD is not forwarded to the master"
    );
    client.run("ROLLBACK");
    // Of the transaction they are welcome.
    client.run("BEGIN; SELECT pg_advisory_xact_lock(1)");
    client.run("DECLARE c CURSOR FOR SELECT generate_series(1, 5)");
    assert_eq!(client.rows("FETCH 2 FROM c"), [["1"], ["2"]]);
    client.run("MOVE 1 FROM c");
    assert_eq!(client.rows("FETCH ALL FROM c"), [["4"], ["5"]]);
    client.run("CLOSE c; COMMIT");
    // A cursor of this server stays this server's.
    client.run("DECLARE mine CURSOR WITH HOLD FOR VALUES (1), (2)");
    client.run("BEGIN; INSERT INTO item (name) VALUES ('b')");
    assert_eq!(client.rows("FETCH ALL FROM mine"), [["1"], ["2"]]);
    client.run("COMMIT");
    assert_eq!(forwarding.names(), ["b"]);
}

#[test]
fn a_read_that_waits_for_its_own_write_ends_by_cancel_time_limit_or_the_setting() {
    let mut forwarding = Forwarding::start();
    let client = forwarding.client();
    forwarding.follower.kill9();
    client.run("INSERT INTO item (name) VALUES ('a')");
    // More writes need no wait.
    client.run("INSERT INTO item (name) VALUES ('b')");
    client.run("SET statement_timeout = '300ms'");
    let refused = client.refused("SELECT count(*) FROM item");
    assert_eq!(refused.code, "57014");
    assert_eq!(
        refused.message,
        "canceling statement due to statement timeout"
    );
    client.run("SET statement_timeout = 0");
    let cancel = client.driver().cancel_token();
    let watch = forwarding.client();
    let refused = std::thread::scope(|scope| {
        let reads = scope.spawn(|| client.try_rows("SELECT count(*) FROM item").unwrap_err());
        wait_for("the read to wait", LONG, || {
            let active = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT count(*) FROM item'";
            (watch.value(active) == "1").then_some(())
        });
        watch
            .wait(cancel.cancel_query(tokio_postgres::NoTls))
            .unwrap();
        reads.join().unwrap()
    });
    assert_eq!(refused.as_db_error().unwrap().code().code(), "57014");
    // Others do not wait, and this session reads on as soon as the slave is fed.
    assert_eq!(watch.value("SELECT count(*) FROM item"), "0");
    let mut follower = forwarding.cluster.follow();
    assert_eq!(client.value("SELECT count(*) FROM item"), "2");
    follower.kill9();
    // The setting.
    drop((client, watch));
    forwarding
        .cluster
        .slave
        .reconfigure(|settings| settings.set("Replication", "ForwardReadWait", "200ms"));
    forwarding.cluster.slave.restart();
    let client = forwarding.client();
    client.run("INSERT INTO item (name) VALUES ('c')");
    let refused = client.refused("SELECT count(*) FROM item");
    assert_eq!(refused.code, "57014");
    assert!(
        refused
            .message
            .contains("does not show what the session has written, after 0.2 s"),
        "{refused:?}"
    );
    assert!(refused.hint.contains("ForwardReadWait"), "{refused:?}");
}

#[test]
fn a_commit_of_another_history_is_never_taken_for_the_own() {
    let Forwarding {
        mut cluster,
        mut follower,
    } = Forwarding::start();
    let client = cluster.slave.client(SHOP);
    client.run("INSERT INTO item (name) VALUES ('a')");
    assert_eq!(client.value("SELECT count(*) FROM item"), "1");
    drop(client);
    follower.stop();
    // A copy of the slave is promoted, and the slave follows that one; it forwards to the old master all the same.
    cluster.slave.stop();
    let promoted = Settings::new("promoted", "Master");
    let mut promoted = Server::prepare(cluster.folder().path(), promoted);
    files::copy_directory(&cluster.slave.data_dir(), &promoted.data_dir());
    files::copy_directory(&cluster.slave.fwlog_dir(), &promoted.fwlog_dir());
    promoted.start();
    cluster.slave.start();
    for name in ["other", "another"] {
        promoted.sql(SHOP, &format!("INSERT INTO item (name) VALUES ('{name}')"));
    }
    let _follower = Follower::start(cluster.folder().path(), &promoted, &cluster.slave);
    wait_for("the slave to follow the other", LONG, || {
        (items(&cluster.slave) == 3).then_some(())
    });
    let client = cluster.slave.client(SHOP);
    client.run("INSERT INTO item (name) VALUES ('lost')");
    let refused = client.refused("SELECT count(*) FROM item");
    assert_eq!(refused.code, "40003", "{refused:?}");
    assert!(
        refused.message.contains("not in the history of this slave"),
        "{refused:?}"
    );
    // It is told once.
    assert_eq!(client.value("SELECT count(*) FROM item"), "3");
    assert_eq!(items(&cluster.master), 2);
}
