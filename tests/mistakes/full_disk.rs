//! A disk that is full: a small file system in memory.

use dbtests::{
    Client, Cluster, Folder, Server, Settings, SmallDisk, follower, wait_for, where_mounting_works,
};

const SIZE: &str = "24m";

/// Inserts rows until the disk is full. Gives the number of acknowledged rows.
fn fill_by_rows(client: &Client) -> u64 {
    for acknowledged in 0..100_000 {
        let insert = "INSERT INTO item (name) SELECT encode(gen_random_bytes(20000), 'hex')";
        match client.try_rows(insert) {
            Ok(_) => {}
            Err(error) => {
                let refusal = dbtests::Refusal::of(&error).expect("the server's words");
                assert_eq!(refusal.code, "53100", "{refusal:?}");
                assert!(!refusal.hint.is_empty(), "it says what to do: {refusal:?}");
                return acknowledged;
            }
        }
    }
    unreachable!("100,000 rows do not fit on a small disk")
}

fn count(server: &Server) -> u64 {
    server.sql("shop", "SELECT count(*) FROM item")[0][0]
        .parse()
        .expect("a number")
}

fn open(server: &Server) {
    server.sql("system", "CREATE DATABASE shop");
    server.sql(
        "shop",
        "CREATE TABLE item (id SERIAL PRIMARY KEY, name TEXT)",
    );
}

/// A master at work whose log is on a disk that is nearly full.
fn with_small_log_disk(folder: &Folder) -> (SmallDisk, Server) {
    let disk = SmallDisk::mount(&folder.join("disk"), SIZE);
    let settings = Settings::master().set("ForwardLog", "FwLog", "../disk/fw-%N");
    let mut master = Server::create(folder.path(), settings);
    master.start();
    open(&master);
    disk.fill(2 << 20);
    (disk, master)
}

#[test]
fn a_full_disk_under_the_log_refuses_writes_until_there_is_room() {
    where_mounting_works(|| {
        let folder = Folder::new();
        let (disk, mut master) = with_small_log_disk(&folder);
        let client = master.client("shop");
        let acknowledged = fill_by_rows(&client);
        // Readers go on, and see what was acknowledged and nothing else.
        assert_eq!(count(&master), acknowledged);
        assert_eq!(
            client.refused("INSERT INTO item (name) VALUES ('x')").code,
            "53100"
        );
        assert_eq!(count(&master), acknowledged);
        assert!(
            master.log().contains("the disk of the forward log is full"),
            "{}",
            master.log()
        );

        disk.make_room();
        wait_for("the server to go on by itself", dbtests::SHORT, || {
            client
                .try_rows("INSERT INTO item (name) VALUES ('there is room again')")
                .ok()
        });
        assert_eq!(count(&master), acknowledged + 1);
        master.kill9();
        master.start();
        assert_eq!(count(&master), acknowledged + 1);
        assert_eq!(master.command("database verify shop")["result"], "ok");
        let mut slave = Server::create(folder.path(), Settings::slave());
        slave.start();
        follower::replicate(&master, &slave, &["-S"]).ok();
        assert_eq!(count(&slave), acknowledged + 1);
        dbtests::compare::databases(&master, &slave);
        master.stop();
    });
}

#[test]
fn a_crash_while_the_disk_is_full_loses_nothing_that_was_acknowledged() {
    where_mounting_works(|| {
        let folder = Folder::new();
        let (disk, mut master) = with_small_log_disk(&folder);
        let acknowledged = fill_by_rows(&master.client("shop"));
        master.kill9();
        // A start needs a new segment; without room it says so.
        if let Err(run) = master.try_start() {
            let told = run.fails(1);
            assert!(told.contains("space"), "{told}");
        } else {
            master.kill9();
        }
        disk.make_room();
        master.start();
        assert_eq!(count(&master), acknowledged);
        master.sql(
            "shop",
            "INSERT INTO item (name) VALUES ('there is room again')",
        );
        master.stop();
    });
}

#[test]
fn a_full_disk_on_the_slave_stops_replication_until_there_is_room() {
    where_mounting_works(|| {
        let folder = Folder::new();
        let disk = SmallDisk::mount(&folder.join("disk"), SIZE);
        let mut master = Server::create(folder.path(), Settings::master());
        let settings = Settings::slave().set("ForwardLog", "FwLog", "../disk/fw-%N");
        let mut slave = Server::create(folder.path(), settings);
        master.start();
        slave.start();
        open(&master);
        follower::replicate(&master, &slave, &["-S"]).ok();
        disk.fill(1 << 20);
        let client = master.client("shop");
        // More than what is preallocated and left.
        for _ in 0..400 {
            client.run("INSERT INTO item (name) SELECT encode(gen_random_bytes(20000), 'hex')");
        }
        let run = follower::replicate(&master, &slave, &["-S"]);
        let told = run.fails(1);
        assert!(told.contains("full") || told.contains("space"), "{told}");
        assert_eq!(
            slave.sql("shop", "SELECT 1")[0][0],
            "1",
            "the slave serves on"
        );
        disk.make_room();
        follower::replicate(&master, &slave, &["-S"]).ok();
        assert_eq!(count(&slave), 400);
        dbtests::compare::databases(&master, &slave);
        slave.stop();
    });
}

#[test]
fn a_full_disk_under_the_data_files_does_not_stop_the_log() {
    where_mounting_works(|| {
        let folder = Folder::new();
        let disk = SmallDisk::mount(&folder.join("disk"), SIZE);
        let settings = Settings::master().set("Server", "DataDir", "../disk/data");
        let mut master = Server::create(folder.path(), settings);
        master.use_data_dir(&folder.join("disk/data"));
        master.start();
        open(&master);
        disk.fill(256 << 10);
        let client = master.client("shop");
        for _ in 0..100 {
            client.run("INSERT INTO item (name) SELECT encode(gen_random_bytes(20000), 'hex')");
        }
        let told = master.dbctl(&["checkpoint"]);
        assert_eq!(told.code, Some(1), "{told:?}");
        assert_eq!(count(&master), 100);
        master.kill9();
        disk.make_room();
        master.start();
        assert_eq!(count(&master), 100);
        master.dbctl(&["checkpoint"]).ok();
        assert_eq!(master.command("database verify shop")["result"], "ok");
        master.stop();
    });
}

#[test]
fn forward_logging_that_may_be_given_up_lets_the_server_go_on() {
    where_mounting_works(|| {
        let folder = Folder::new();
        let disk = SmallDisk::mount(&folder.join("disk"), SIZE);
        let settings = Settings::master()
            .set("ForwardLog", "FwLog", "../disk/fw-%N")
            .set("ForwardLog", "FwOnFailure", "disable");
        let mut master = Server::create(folder.path(), settings);
        master.start();
        open(&master);
        disk.fill(2 << 20);
        let client = master.client("shop");
        let acknowledged = fill_by_rows(&client);
        wait_for(
            "the server to go on without forward logging",
            dbtests::SHORT,
            || {
                client
                    .try_rows("INSERT INTO item (name) VALUES ('on we go')")
                    .ok()
            },
        );
        assert_eq!(count(&master), acknowledged + 1);
        assert_eq!(
            master.command("forwardlog status")["forward log"],
            "disabled"
        );
        assert!(
            master.log().contains("forward logging is off"),
            "{}",
            master.log()
        );
        master.kill9();
    });
}

/// Keeps the harness honest: a cluster on ordinary disks has no such trouble.
#[test]
fn rows_of_that_size_fit_on_an_ordinary_disk() {
    let cluster = Cluster::start();
    open(&cluster.master);
    let client = cluster.master.client("shop");
    for _ in 0..50 {
        client.run("INSERT INTO item (name) SELECT encode(gen_random_bytes(20000), 'hex')");
    }
    cluster.synchronize();
    assert_eq!(count(&cluster.slave), 50);
}
