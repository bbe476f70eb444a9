//! VACUUM, ANALYZE, REINDEX: what they give back, whom they leave alone, where they are refused.

use std::fs;
use std::thread;
use std::time::Duration;

use dbtests::waiting::pause;
use dbtests::{Client, Cluster, Server};

use crate::scale::checkpoint;

fn file_size(server: &Server) -> u64 {
    let path = server.data_dir().join("db").join("shop.db");
    fs::metadata(path).expect("a data file").len()
}

fn pages(client: &Client) -> u64 {
    client.value("PRAGMA page_count").parse().expect("a number")
}

/// A table with many rows of which few are left.
fn shop(cluster: &Cluster) -> Client {
    cluster.master.sql("system", "CREATE DATABASE shop");
    let client = cluster.master.client("shop");
    client.run("CREATE TABLE t (a integer PRIMARY KEY, b text); CREATE INDEX t_b ON t (b)");
    client.run("INSERT INTO t SELECT g, repeat('x', 200) || g FROM generate_series(1, 20000) AS g");
    client
}

#[test]
fn vacuum_full_gives_the_space_back_on_master_and_slave_and_readers_go_on() {
    let cluster = Cluster::start();
    let client = shop(&cluster);
    checkpoint(&cluster.master);
    let before = file_size(&cluster.master);
    let reader = cluster.master.client("shop");
    let sum = "SELECT count(*), sum(length(b)), max(b) FROM t";
    reader.run("BEGIN ISOLATION LEVEL REPEATABLE READ");
    let seen = reader.rows(sum);
    client.run("DELETE FROM t WHERE a % 50 > 0");
    let commits = |server: &Server| {
        server
            .command("status")
            .remove("position")
            .expect("a position")
    };
    let at = commits(&cluster.master);
    client.run("VACUUM");
    assert_eq!(
        commits(&cluster.master),
        at,
        "a plain VACUUM writes nothing"
    );
    let full = pages(&client);
    client.run("VACUUM FULL");
    assert!(
        pages(&client) * 10 < full,
        "{} of {full} pages",
        pages(&client)
    );
    assert_eq!(reader.rows(sum), seen);
    checkpoint(&cluster.master);
    assert_eq!(reader.rows(sum), seen);
    reader.run("COMMIT");
    assert_eq!(reader.value("SELECT count(*) FROM t"), "400");
    assert!(file_size(&cluster.master) * 10 < before);
    cluster.synchronize();
    cluster.compare();
    checkpoint(&cluster.slave);
    assert_eq!(file_size(&cluster.slave), file_size(&cluster.master));
    client.run("INSERT INTO t VALUES (1, 'after')");
    assert_eq!(client.value("SELECT b FROM t WHERE a = 1"), "after");
}

#[test]
fn vacuum_takes_the_options_of_postgresql_and_gathers_statistics() {
    let cluster = Cluster::start();
    let client = shop(&cluster);
    let gathered = || !client.rows("PRAGMA table_info(sqlite_stat1)").is_empty();
    for sql in [
        "VACUUM t",
        "VACUUM (FULL, VERBOSE) t",
        "VACUUM FULL public.t",
        "VACUUM (FREEZE, PARALLEL 2, ANALYZE off)",
    ] {
        client.run(sql);
        assert!(!gathered(), "{sql}");
    }
    client.run("VACUUM ANALYZE t (a, b)");
    assert!(gathered());
    client.run("VACUUM FULL ANALYZE");
    assert_eq!(client.value("SELECT count(*) FROM t"), "20000");
}

#[test]
fn vacuum_is_refused_in_a_block_on_a_slave_and_for_what_is_not_there() {
    let cluster = Cluster::start();
    let client = shop(&cluster);
    for sql in ["VACUUM", "VACUUM FULL", "VACUUM ANALYZE"] {
        client.run("BEGIN");
        assert_eq!(client.refused(sql).code, "25001", "{sql}");
        client.run("ROLLBACK");
        client.run("BEGIN; INSERT INTO t VALUES (-1, 'x')");
        assert_eq!(client.refused(sql).code, "25001", "{sql}");
        client.run("ROLLBACK");
    }
    let together = "INSERT INTO t VALUES (-1, 'x'); VACUUM FULL";
    assert_eq!(client.refused(together).code, "25001");
    assert_eq!(client.value("SELECT count(*) FROM t WHERE a < 0"), "0");
    assert_eq!(client.refused("VACUUM FULL nothing").code, "42P01");
    assert_eq!(client.refused("VACUUM INTO '/tmp/copy.db'").code, "42601");
    assert_eq!(client.refused("ATTACH '' AS a").code, "42601");
    client.run("VACUUM FULL");
    assert_eq!(client.refused("ATTACH '' AS a").code, "42601");
    assert_eq!(client.value("PRAGMA integrity_check"), "ok");
    cluster.synchronize();
    let on_slave = cluster.slave.client("shop");
    for sql in ["VACUUM", "VACUUM FULL"] {
        assert_eq!(on_slave.refused(sql).code, "25006", "{sql}");
    }
}

#[test]
fn analyze_and_reindex_take_what_is_there_and_refuse_the_rest() {
    let cluster = Cluster::start();
    let client = shop(&cluster);
    client.run("CREATE TABLE u (c BIGINT PRIMARY KEY, d BIGINT); CREATE INDEX u_d ON u (d)");
    client.run("INSERT INTO u VALUES (1, 2)");
    let analyzed = "SELECT count(DISTINCT tbl) FROM sqlite_stat1";
    client.run("ANALYZE (VERBOSE) u");
    assert_eq!(client.value(analyzed), "1");
    client.run("ANALYZE VERBOSE t (a), public.u");
    client.run("ANALYZE");
    for sql in [
        "REINDEX INDEX u_d",
        "REINDEX INDEX CONCURRENTLY public.u_d",
        "REINDEX (VERBOSE) TABLE u",
        "REINDEX DATABASE shop",
        "REINDEX SCHEMA public",
        "REINDEX SYSTEM",
        "REINDEX INDEX u_d",
        "CLUSTER",
        "BEGIN; ANALYZE u; REINDEX TABLE u; ROLLBACK",
    ] {
        client.run(sql);
    }
    for (sql, code) in [
        ("ANALYZE nothing", "42P01"),
        ("ANALYZE u, nothing", "42P01"),
        ("REINDEX TABLE nothing", "42P01"),
        ("REINDEX INDEX nothing", "42P01"),
        ("REINDEX INDEX u", "42809"),
        ("REINDEX TABLE u_d", "42809"),
        ("REINDEX SCHEMA nothing", "3F000"),
        ("REINDEX DATABASE system", "0A000"),
        ("CHECKPOINT now", "42601"),
    ] {
        assert_eq!(client.refused(sql).code, code, "{sql}");
    }
    cluster.synchronize();
    cluster.compare();
    let on_slave = cluster.slave.client("shop");
    for sql in ["ANALYZE", "REINDEX TABLE u"] {
        assert_eq!(on_slave.refused(sql).code, "25006", "{sql}");
    }
}

/// A database that was killed while it was rebuilt, or right after.
#[test]
fn a_rebuild_that_is_killed_has_happened_or_not() {
    let mut cluster = Cluster::start();
    let client = shop(&cluster);
    client.run("DELETE FROM t WHERE a % 50 > 0");
    let expected = client.rows("SELECT * FROM t ORDER BY a");
    client.run("VACUUM FULL");
    cluster.master.kill9();
    cluster.master.start();
    let client = cluster.master.client("shop");
    assert_eq!(client.rows("SELECT * FROM t ORDER BY a"), expected);
    assert_eq!(client.value("PRAGMA freelist_count"), "0");
    drop(client);
    for wait in [0, 20, 60, 150, 400] {
        let client = cluster.master.client("shop");
        client.run(
            "INSERT INTO t SELECT g + 100000, repeat('y', 300) FROM generate_series(1, 20000) AS g",
        );
        client.run("DELETE FROM t WHERE a > 100000");
        let rebuild = thread::spawn(move || client.try_rows("VACUUM FULL").is_ok());
        pause(Duration::from_millis(wait));
        cluster.master.kill9();
        let told = rebuild.join().expect("a thread");
        cluster.master.start();
        let client = cluster.master.client("shop");
        assert_eq!(client.rows("SELECT * FROM t ORDER BY a"), expected);
        assert!(!told || client.value("PRAGMA freelist_count") == "0");
    }
    cluster.synchronize();
    cluster.compare();
}
