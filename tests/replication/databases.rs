//! Databases come, change their name and go, on the slave as on the master.

use dbtests::compare::database_names;
use dbtests::{Cluster, files};

use crate::shop::{open, sell};

#[test]
fn made_renamed_and_dropped_databases_replicate() {
    let mut cluster = Cluster::start();
    open(&cluster.master);
    sell(&cluster.master, 5);
    cluster.master.sql("system", "CREATE DATABASE archive");
    cluster.master.sql(
        "archive",
        "CREATE TABLE old (a int); INSERT INTO old VALUES (1), (2)",
    );
    cluster.synchronize();
    assert_eq!(
        database_names(&cluster.slave),
        ["archive", "shop", "system"]
    );
    cluster.compare();

    cluster.master.sql("system", "DROP DATABASE shop");
    cluster
        .master
        .sql("system", "ALTER DATABASE archive RENAME TO attic");
    cluster.master.sql("system", "CREATE DATABASE shop");
    cluster.synchronize();
    assert_eq!(database_names(&cluster.slave), ["attic", "shop", "system"]);
    assert_eq!(
        cluster.slave.sql("attic", "SELECT sum(a) FROM old")[0][0],
        "3"
    );
    cluster.compare();
    // Dropped files do not stay, and a restart finds the same.
    for server in [&mut cluster.master, &mut cluster.slave] {
        server.restart();
        assert_eq!(database_names(server), ["attic", "shop", "system"]);
        let (sums, data_files): (Vec<_>, Vec<_>) = files::list(&server.data_dir().join("db"), "")
            .into_iter()
            .partition(|path| path.extension().is_some_and(|end| end == "sum"));
        assert_eq!((data_files.len(), sums.len()), (2, 2));
    }
    cluster.compare();
}

#[test]
fn a_database_is_not_dropped_while_somebody_uses_it() {
    let cluster = Cluster::start();
    open(&cluster.master);
    let user = cluster.master.client("shop");
    user.run("SELECT 1");
    let refusal = cluster
        .master
        .client("system")
        .refused("DROP DATABASE shop");
    assert_eq!(refusal.code, "55006", "{refusal:?}");
    drop(user);
    // The session leaves a moment after its socket.
    dbtests::wait_for("the session to end", dbtests::SHORT, || {
        cluster
            .master
            .client("system")
            .try_rows("DROP DATABASE shop")
            .ok()
    });
    assert_eq!(database_names(&cluster.master), ["system"]);
}

#[test]
fn names_of_databases_may_be_as_long_and_odd_as_postgresql_allows() {
    let cluster = Cluster::start();
    let long = "n".repeat(63);
    for name in [
        long.as_str(),
        "with blank",
        "UPPER",
        "ünïcödé",
        "a.b",
        "quo''te",
    ] {
        cluster
            .master
            .sql("system", &format!("CREATE DATABASE \"{name}\""));
        // It can be opened as soon as the command has returned.
        cluster
            .master
            .sql(name, "CREATE TABLE t (a int); INSERT INTO t VALUES (1)");
    }
    let too_long = format!("CREATE DATABASE {}", "n".repeat(64));
    assert!(cluster.master.client("system").try_rows(&too_long).is_err());
    cluster.synchronize();
    assert_eq!(
        database_names(&cluster.slave),
        database_names(&cluster.master)
    );
    for name in [
        long.as_str(),
        "with blank",
        "UPPER",
        "ünïcödé",
        "a.b",
        "quo''te",
    ] {
        assert_eq!(cluster.slave.sql(name, "SELECT a FROM t"), [["1"]]);
    }
}
