//! Databases of one server alone, on a master and on a slave.

use dbtests::compare::{self, row_counts};
use dbtests::{Client, Cluster, LONG, Refusal, Server, Settings, wait_for};

use crate::shop::{SHOP, items, open, sell};
use crate::switchover::Pair;

const SCRATCH: &str = "scratch";

/// Makes a local database with some rows.
fn make(server: &Server, name: &str, rows: u32) {
    server.dbctl(&["database", "create", name, "--local"]).ok();
    server.sql(
        name,
        &format!("CREATE TABLE pile (id INT PRIMARY KEY); INSERT INTO pile SELECT i FROM generate_series(1, {rows}) i"),
    );
}

fn rows(server: &Server, name: &str) -> u64 {
    row_counts(server, name)["pile"]
}

/// Whether somebody who is kept out of one name gets in by another.
#[test]
fn a_rule_for_a_name_holds_for_its_other_name() {
    let folder = dbtests::Folder::new();
    let mut server = Server::create(folder.path(), Settings::new("alone", "Standalone"));
    server.start();
    make(&server, SCRATCH, 1);
    server.reconfigure(|it| it.set("db-access scratch", "deny-users", "dba"));
    server.restart();
    for name in [SCRATCH, "scratch@local"] {
        let refused = Client::connect(server.address(), name, dbtests::PASSWORD);
        let refusal = Refusal::of(&refused.err().expect("it is denied"));
        assert_eq!(refusal.expect("the server answers").code, "28000", "{name}");
    }
}

/// Names of databases, and whether each is replicated.
fn list(server: &Server) -> Vec<(String, String)> {
    let listed = server.sql("system", "DBCTL 'database list'");
    let mut listed: Vec<_> = listed
        .into_iter()
        .map(|row| (row[0].clone(), row[5].clone()))
        .collect();
    listed.sort();
    listed
}

fn listed(names: &[(&str, &str)]) -> Vec<(String, String)> {
    let own = |(name, replicated): &(&str, &str)| ((*name).to_owned(), (*replicated).to_owned());
    names.iter().map(own).collect()
}

#[test]
fn a_local_database_is_written_on_a_slave_and_on_a_master_and_stays_there() {
    let mut cluster = Cluster::start();
    open(&cluster.master);
    sell(&cluster.master, 5);
    cluster.synchronize();
    make(&cluster.slave, SCRATCH, 100);
    make(&cluster.master, "own", 7);
    assert_eq!(
        list(&cluster.slave),
        listed(&[(SCRATCH, "off"), (SHOP, "on"), ("system", "on")])
    );
    assert_eq!(
        list(&cluster.master),
        listed(&[("own", "off"), (SHOP, "on"), ("system", "on")])
    );
    // The session there is one of a server that writes; its neighbour in the shop is not.
    let client = cluster.slave.client(SCRATCH);
    assert_eq!(client.parameter("in_hot_standby"), Some("off"));
    assert_eq!(client.value("SELECT pg_is_in_recovery()"), "f");
    let refusal = cluster.slave.client(SHOP).refused("DELETE FROM item");
    assert_eq!(refusal.code, "25006", "{refusal:?}");
    drop(client);
    // Replication knows nothing of either.
    sell(&cluster.master, 5);
    cluster.synchronize();
    compare::logs(&cluster.master, &cluster.slave);
    assert_eq!(items(&cluster.slave), 10);
    // Through a clean stop, and through a crash.
    cluster.slave.restart();
    assert_eq!(rows(&cluster.slave, SCRATCH), 100);
    cluster.slave.sql(SCRATCH, "INSERT INTO pile VALUES (101)");
    cluster.slave.kill9();
    cluster.slave.start();
    assert_eq!(rows(&cluster.slave, SCRATCH), 101);
    assert!(
        cluster
            .slave
            .command("status")
            .contains_key("local databases")
    );
    cluster.slave.dbctl(&["checkpoint"]).ok();
    let verified = cluster.slave.command(&format!("database verify {SCRATCH}"));
    assert_eq!(verified["result"], "ok");
    let sum = cluster
        .slave
        .command(&format!("database checksum {SCRATCH}"));
    assert_eq!(sum["checksum"].len(), 64);
    let copy = cluster.folder().join("scratch.sqlite");
    let dump = ["database", "dump", SCRATCH, copy.to_str().expect("a name")];
    cluster.slave.dbctl(&dump).ok();
    // A restart finds it in the data files alone, too.
    cluster.slave.restart();
    assert_eq!(rows(&cluster.slave, SCRATCH), 101);
    let other = cluster.slave.client("system");
    other.run("ALTER DATABASE scratch RENAME TO pad");
    other.run("DROP DATABASE pad");
    assert_eq!(
        list(&cluster.slave),
        listed(&[(SHOP, "on"), ("system", "on")])
    );
    compare::logs(&cluster.master, &cluster.slave);
}

#[test]
fn only_who_may_gets_into_a_local_database() {
    let cluster = Cluster::start();
    cluster
        .master
        .sql("system", "CREATE USER reader PASSWORD 'reader'");
    cluster.synchronize();
    make(&cluster.slave, SCRATCH, 3);
    let connect = || {
        let mut config = Client::config(cluster.slave.address(), SCRATCH, "reader");
        config.user("reader");
        Client::with(&config)
    };
    let refused = connect().err().expect("nothing was granted");
    let refusal = Refusal::of(&refused).expect("the server answers");
    assert_eq!(refusal.code, "42501", "{refusal:?}");
    let dba = cluster.slave.client(SCRATCH);
    dba.run("GRANT CONNECT ON DATABASE scratch TO reader");
    let reader = connect().expect("granted");
    let refusal = reader.refused("SELECT * FROM pile");
    assert_eq!(refusal.code, "42501", "{refusal:?}");
    dba.run("GRANT SELECT ON pile TO reader");
    assert_eq!(reader.value("SELECT count(*) FROM pile"), "3");
    let refusal = reader.refused("DROP DATABASE scratch");
    assert_eq!(refusal.code, "42501", "{refusal:?}");
    dba.run("REVOKE CONNECT ON DATABASE scratch FROM reader");
    assert!(connect().is_err());
    // Roles are the master's.
    let refusal = dba.refused("CREATE USER local_only");
    assert_eq!(refusal.code, "25006", "{refusal:?}");
    let refusal = dba.refused("ALTER DATABASE scratch OWNER TO nobody");
    assert_eq!(refusal.code, "42704", "{refusal:?}");
}

#[test]
fn a_name_is_of_one_database_and_the_replicated_one_has_it() {
    let mut cluster = Cluster::start();
    open(&cluster.master);
    cluster.synchronize();
    let taken = cluster.slave.client("system");
    let refusal = taken.refused("DBCTL 'database create shop --local'");
    assert_eq!(refusal.code, "42P04", "{refusal:?}");
    make(&cluster.master, "own", 1);
    let refusal = cluster
        .master
        .client("system")
        .refused("CREATE DATABASE own");
    assert_eq!(refusal.code, "42P04", "{refusal:?}");
    // The master knows nothing of the slave's.
    make(&cluster.slave, SCRATCH, 3);
    assert_eq!(rows(&cluster.slave, "scratch@local"), 3);
    cluster.master.sql("system", "CREATE DATABASE scratch");
    cluster.master.sql(SCRATCH, "CREATE TABLE theirs (a int)");
    cluster.synchronize();
    for _ in 0..2 {
        assert_eq!(
            list(&cluster.slave),
            listed(&[
                (SCRATCH, "on"),
                ("scratch@local", "off"),
                (SHOP, "on"),
                ("system", "on")
            ])
        );
        assert!(row_counts(&cluster.slave, SCRATCH).contains_key("theirs"));
        assert_eq!(rows(&cluster.slave, "scratch@local"), 3);
        cluster.slave.restart();
    }
    cluster
        .slave
        .sql("scratch@local", "DELETE FROM pile WHERE id = 1");
    cluster.master.sql("system", "DROP DATABASE scratch");
    cluster.synchronize();
    assert_eq!(rows(&cluster.slave, SCRATCH), 2, "it has its name again");
}

#[test]
fn a_database_moves_to_the_other_side_and_back() {
    let mut cluster = Cluster::start();
    open(&cluster.master);
    sell(&cluster.master, 20);
    cluster
        .master
        .sql("system", "CREATE USER reader PASSWORD 'reader'");
    cluster
        .master
        .sql("system", "GRANT CONNECT ON DATABASE shop TO reader");
    cluster.synchronize();
    let set = |server: &Server, to: &str| {
        let command = format!("DBCTL 'database set shop replication {to}'");
        server.client("system").try_rows(&command).map(drop)
    };
    let code = |refused: Result<(), _>| {
        Refusal::of(&refused.expect_err("refused"))
            .expect("told")
            .code
    };
    // Somebody is in it; and a slave moves nothing.
    let inside = cluster.master.client(SHOP);
    assert_eq!(code(set(&cluster.master, "off")), "55000");
    assert_eq!(code(set(&cluster.slave, "off")), "25006");
    drop(inside);
    wait_for("the session to leave", LONG, || {
        set(&cluster.master, "off").ok()
    });
    assert_eq!(items(&cluster.master), 20);
    cluster.synchronize();
    assert_eq!(list(&cluster.slave), listed(&[("system", "on")]));
    sell(&cluster.master, 1);
    cluster.master.kill9();
    cluster.master.start();
    let names = listed(&[(SHOP, "off"), ("system", "on")]);
    assert_eq!(list(&cluster.master), names);
    assert_eq!(code(set(&cluster.master, "off")), "55000");
    wait_for("the sessions to leave", LONG, || {
        set(&cluster.master, "on").ok()
    });
    sell(&cluster.master, 1);
    cluster.synchronize();
    assert_eq!(items(&cluster.slave), 22);
    cluster.compare();
    let mut config = Client::config(cluster.slave.address(), SHOP, "reader");
    config.user("reader");
    assert!(Client::with(&config).is_ok(), "what was granted is there");
}

#[test]
fn a_role_that_goes_leaves_local_databases_where_they_are() {
    let pair = Pair::start();
    let cluster = &pair.cluster;
    make(&cluster.slave, SCRATCH, 10);
    make(&cluster.master, "own", 20);
    let writes = cluster.slave.client(SCRATCH);
    writes.run("INSERT INTO pile VALUES (11)");
    cluster
        .master
        .dbctl(&["replication", "switchover", "slave"])
        .ok();
    writes.run("INSERT INTO pile VALUES (12)");
    cluster.master.sql("own", "INSERT INTO pile VALUES (21)");
    assert_eq!(rows(&cluster.slave, SCRATCH), 12);
    assert_eq!(rows(&cluster.master, "own"), 21);
    sell(&cluster.slave, 1);
    assert_eq!(items(&cluster.slave), 11);
}

#[test]
fn a_standalone_server_has_local_databases_too_and_they_are_not_in_its_log() {
    let folder = dbtests::Folder::new();
    let mut server = Server::create(folder.path(), Settings::new("alone", "Standalone"));
    server.start();
    let before = server.command("forwardlog status")["position"].clone();
    make(&server, SCRATCH, 10);
    assert_eq!(server.command("forwardlog status")["position"], before);
    server.restart();
    assert_eq!(rows(&server, SCRATCH), 10);
    let refusal = server
        .client("system")
        .refused("DBCTL 'database create --local'");
    assert_eq!(refusal.code, "42601", "{refusal:?}");
    let refusal = server.client("system");
    let refusal = refusal.refused("ALTER DATABASE scratch SET work_mem = '4MB'");
    assert_eq!(refusal.code, "55000", "{refusal:?}");
}
