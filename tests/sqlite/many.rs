//! Many databases at once.

use std::thread;

use dbtests::{Cluster, Settings};

use crate::scale::{BESIDE, MIB, checkpoint, open_files, scaled, stays_within};

#[test]
fn many_databases_with_sessions_each_work_side_by_side() {
    let count = scaled(12, 64);
    let rounds = scaled(20, 200);
    let settings = |settings: Settings| settings.set("Server", "CheckpointSize", "16m");
    let mut cluster = Cluster::with(settings(Settings::master()), settings(Settings::slave()));
    let names: Vec<String> = (0..count).map(|n| format!("many{n}")).collect();
    for name in &names {
        cluster
            .master
            .sql("system", &format!("CREATE DATABASE {name}"));
    }
    thread::scope(|scope| {
        for name in &names {
            let master = &cluster.master;
            scope.spawn(move || {
                let (writer, reader) = (master.client(name), master.client(name));
                writer.run("CREATE TABLE t (a serial PRIMARY KEY, b text, c bytea)");
                reader.run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM t");
                for round in 0..rounds {
                    writer.run(&format!(
                        "BEGIN; INSERT INTO t (b, c) VALUES ('{name}', gen_random_bytes({}));
                         UPDATE t SET b = b || '.' WHERE a % 5 = {}; COMMIT",
                        round * 400 + 1,
                        round % 5
                    ));
                }
                assert_eq!(reader.value("SELECT count(*) FROM t"), "0");
                reader.run("COMMIT");
                assert_eq!(reader.value("SELECT count(*) FROM t"), rounds.to_string());
            });
        }
    });
    let files = open_files(&mut cluster.master);
    assert!(files < 100 + 6 * names.len(), "{files} open files");
    // Two sessions a database, each with SQLite's cache of 2 MiB.
    let limit = 2 * 16 * MIB + count * 2 * 3 * MIB + BESIDE;
    stays_within(&mut cluster.master, limit, "master, many databases");
    checkpoint(&cluster.master);
    cluster.synchronize();
    cluster.compare();
    stays_within(&mut cluster.slave, limit, "slave, many databases");
    cluster.master.kill9();
    cluster.master.start();
    for name in &names {
        let count = cluster.master.client(name).value("SELECT count(*) FROM t");
        assert_eq!(count, rounds.to_string());
    }
}
