//! What does not fit is refused, with a reason and an exit code, and changes nothing.

use dbtests::{Cluster, Folder, Server, Settings, compare, files, follower, process};

use crate::shop::{SHOP, items, open, sell};

#[test]
fn a_missing_segment_is_named_and_nothing_is_lost() {
    let mut cluster = Cluster::start();
    open(&cluster.master);
    sell(&cluster.master, 10);
    cluster.synchronize();
    // The slave has the beginning; the segment that comes next is moved away.
    cluster.master.restart();
    sell(&cluster.master, 10);
    cluster.master.restart();
    sell(&cluster.master, 10);
    let slave_has = cluster.slave.segments().segments().last().unwrap().id;
    let missing = cluster
        .master
        .segments()
        .get(slave_has.next_sequence())
        .unwrap()
        .path
        .clone();
    let hidden = files::hide(&missing);
    let before = compare::checksums(&cluster.slave);
    let told = cluster.replicate(&["-S"]).fails(5);
    let gap = format!("the segment after {slave_has} is gone");
    assert!(told.contains(&gap), "{gap}: {told}");
    assert!(told.contains("hint: "), "it says how to go on: {told}");

    files::unhide(&hidden);
    cluster.synchronize();
    assert_ne!(compare::checksums(&cluster.slave), before);
    assert_eq!(items(&cluster.slave), 30);
    cluster.compare();
}

#[test]
fn a_segment_that_the_slave_has_may_go() {
    let mut cluster = Cluster::start();
    open(&cluster.master);
    sell(&cluster.master, 10);
    cluster.synchronize();
    let open_on_slave = cluster.slave.segments().segments().last().unwrap().id;
    cluster.master.restart();
    sell(&cluster.master, 10);
    // The slave is exactly at the end of its newest segment, whose seal it has not seen.
    let path = cluster
        .master
        .segments()
        .get(open_on_slave)
        .unwrap()
        .path
        .clone();
    let hidden = files::hide(&path);
    let run = cluster.replicate(&["-S"]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    files::unhide(&hidden);
    assert_eq!(items(&cluster.slave), 20);
    cluster.compare();
}

#[test]
fn a_slave_that_went_another_way_is_refused_with_the_fork_point() {
    let folder = Folder::new();
    let mut master = Server::create(folder.path(), Settings::master());
    master.start();
    open(&master);
    sell(&master, 10);
    let end = master
        .command("forwardlog status")
        .remove("durable")
        .unwrap();
    master.stop();
    let fork = end.split(':').next().unwrap().to_owned();
    // Two copies of one environment; both are written to.
    let mut slave = Server::prepare(folder.path(), Settings::new("slave", "Master"));
    files::copy_directory(&master.data_dir(), &slave.data_dir());
    files::copy_directory(&master.fwlog_dir(), &slave.fwlog_dir());
    slave.start();
    sell(&slave, 3);
    slave.stop();
    slave.set_role("Slave");
    slave.start();
    master.start();
    sell(&master, 5);

    let before = compare::checksums(&slave);
    let told = follower::replicate(&master, &slave, &["-S"]).fails(5);
    assert!(told.contains("iverged") || told.contains("fork"), "{told}");
    assert!(told.contains(&fork), "the fork point is in {fork}: {told}");
    assert_eq!(compare::checksums(&slave), before, "nothing was changed");
    assert_eq!(items(&slave), 13);
}

#[test]
fn a_slave_of_another_environment_is_refused() {
    let cluster = Cluster::start();
    open(&cluster.master);
    cluster.synchronize();
    let folder = Folder::new();
    let mut other = Server::create(folder.path(), Settings::new("other", "Master"));
    other.start();
    open(&other);
    let before = compare::checksums(&cluster.slave);
    let told = follower::replicate(&other, &cluster.slave, &["-S"]).fails(5);
    assert!(told.contains("environment"), "{told}");
    assert_eq!(compare::checksums(&cluster.slave), before);
    // The right master goes on as if nothing had happened.
    sell(&cluster.master, 1);
    cluster.synchronize();
    cluster.compare();
}

#[test]
fn a_wrong_password_is_refused_with_exit_code_4() {
    let cluster = Cluster::start();
    let mut command = follower::dbrepl(&cluster.master, &cluster.slave, &["-v", "-S"]);
    let told = process::run(command.env("EQ_DBPASSWORD", "guessed"), b"").fails(4);
    assert!(told.contains("access refused"), "{told}");
    assert!(told.contains("password"), "{told}");
    // Without -S a wrong password does not come right by itself either.
    let mut command = follower::dbrepl(&cluster.master, &cluster.slave, &[]);
    process::run(command.env("EQ_DBPASSWORD", "guessed"), b"").fails(4);
}

#[test]
fn a_slave_that_is_not_there_is_exit_code_3() {
    let mut cluster = Cluster::start();
    cluster.slave.stop();
    let told = cluster.replicate(&["-S"]).fails(3);
    assert!(
        told.contains(&cluster.slave.address().to_string()),
        "it says where: {told}"
    );
}

#[test]
fn a_master_does_not_take_a_masters_log() {
    let folder = Folder::new();
    let mut master = Server::create(folder.path(), Settings::master());
    let mut other = Server::create(folder.path(), Settings::new("other", "Master"));
    master.start();
    other.start();
    let told = follower::replicate(&master, &other, &["-S"]);
    assert_eq!(told.code, Some(2), "{told:?}");
    assert!(
        told.err
            .contains("other is the root: it takes no log from another server"),
        "{}",
        told.err
    );
}

#[test]
fn a_slave_refuses_writes_and_says_what_it_is() {
    let cluster = Cluster::start();
    open(&cluster.master);
    sell(&cluster.master, 3);
    cluster.synchronize();
    let client = cluster.slave.client(SHOP);
    for sql in [
        "INSERT INTO item (name) VALUES ('x')",
        "UPDATE item SET name = 'x'",
        "DELETE FROM item",
        "CREATE TABLE t (a int)",
        "DROP TABLE item",
        "CREATE DATABASE elsewhere",
        "TRUNCATE item",
    ] {
        let refusal = client.refused(sql);
        assert_eq!(refusal.code, "25006", "{sql}: {refusal:?}");
    }
    assert_eq!(client.value("SELECT count(*) FROM item"), "3");
    assert_eq!(client.value("SHOW transaction_read_only"), "on");
    assert_eq!(client.value("SELECT pg_is_in_recovery()"), "t");
    assert_eq!(client.parameter("in_hot_standby"), Some("on"));
    // As in PostgreSQL: the session could be told to write, the server can't be.
    assert_eq!(
        client.parameter("default_transaction_read_only"),
        Some("off")
    );
    let master = cluster.master.client(SHOP);
    assert_eq!(master.value("SHOW transaction_read_only"), "off");
    assert_eq!(master.value("SELECT pg_is_in_recovery()"), "f");
    assert_eq!(master.parameter("in_hot_standby"), Some("off"));
}

#[test]
fn a_stock_driver_finds_the_server_that_takes_writes() {
    let cluster = Cluster::start();
    open(&cluster.master);
    cluster.synchronize();
    let mut config = tokio_postgres::Config::new();
    config
        .host("127.0.0.1")
        .port(cluster.slave.address().port())
        .host("127.0.0.1")
        .port(cluster.master.address().port())
        .user("dba")
        .password(dbtests::PASSWORD)
        .dbname(SHOP)
        .target_session_attrs(tokio_postgres::config::TargetSessionAttrs::ReadWrite);
    let client = dbtests::Client::with(&config).expect("one of them takes writes");
    client.run("INSERT INTO item (name) VALUES ('found the way')");
    assert_eq!(items(&cluster.master), 1);
}

#[test]
fn a_slave_with_a_lower_limit_of_its_data_files_is_refused_before_the_start() {
    let limit = |settings: Settings, limit| settings.set("Volumes", "MaxSize", limit);
    let mut cluster = Cluster::with(
        limit(Settings::master(), "16m"),
        limit(Settings::slave(), "2m"),
    );
    open(&cluster.master);
    sell(&cluster.master, 3);
    let before = compare::database_names(&cluster.slave);
    let told = cluster.replicate(&["-S"]).fails(2);
    assert!(told.contains("MaxSize"), "{told}");
    assert_eq!(compare::database_names(&cluster.slave), before);
    for enough in ["16m", "0"] {
        cluster
            .slave
            .reconfigure(|settings| limit(settings, enough));
        cluster.slave.restart();
        sell(&cluster.master, 1);
        cluster.synchronize();
    }
    cluster.compare();
}
