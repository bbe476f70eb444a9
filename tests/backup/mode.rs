//! `backup start | stop`: what any tool copies of data files that stand still is an environment.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use dbtests::follower::replicate;
use dbtests::process::{Run, run};
use dbtests::programs::needed;
use dbtests::{Client, Cluster, Folder, LONG, PASSWORD, Server, Settings, files, wait_for};
use serde_json::Value;

use crate::support::json;

/// A server that makes a checkpoint as often as it may.
fn busy(settings: Settings) -> Settings {
    settings
        .set("Server", "CheckpointSize", "1m")
        .set("Server", "CheckpointInterval", "1s")
}

/// Transfers between accounts, with an entry each, until it is stopped.
struct Transfers {
    stop: Arc<AtomicBool>,
    work: JoinHandle<u32>,
}

impl Transfers {
    fn open(master: &Server) {
        master.sql("system", "CREATE DATABASE shop");
        master.sql(
            "shop",
            "CREATE TABLE account (id INT PRIMARY KEY, amount INT);
             CREATE TABLE entry (id INT PRIMARY KEY, body BYTEA)",
        );
        master.sql(
            "shop",
            "INSERT INTO account SELECT n, 100 FROM generate_series(0, 49) AS n",
        );
    }

    fn start(master: &Server) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, client) = (Arc::clone(&stop), master.client("shop"));
        let work = thread::spawn(move || {
            let mut done = 0;
            while !stopped.load(Ordering::Relaxed) {
                let (from, to) = (done % 50, (done * 7 + 3) % 50);
                client.run(&format!(
                    "BEGIN; UPDATE account SET amount = amount - 1 WHERE id = {from};
                     UPDATE account SET amount = amount + 1 WHERE id = {to};
                     INSERT INTO entry VALUES ({done}, gen_random_bytes(9000)); COMMIT"
                ));
                done += 1;
            }
            done
        });
        Self { stop, work }
    }

    /// How many were acknowledged.
    fn stop(self) -> u32 {
        self.stop.store(true, Ordering::Relaxed);
        self.work.join().expect("a client that works")
    }
}

/// Whatever it has of them, it has whole. Gives how many.
fn entries(server: &Server) -> u32 {
    let client = server.client("shop");
    assert_eq!(client.value("SELECT sum(amount) FROM account"), "5000");
    let row = client
        .rows("SELECT count(*), coalesce(max(id), -1) + 1 FROM entry")
        .remove(0);
    assert_eq!(row[0], row[1], "no gap");
    row[0].parse().expect("a number")
}

fn mode(server: &Server, word: &str) -> Run {
    server.dbctl(&["--json", "backup", word])
}

fn begin(server: &Server) -> Value {
    let status = json(&mode(server, "start").ok());
    assert_eq!(status["on"], true, "{status}");
    status
}

/// Commits go on: so much has gathered that a checkpoint were due several times.
fn let_gather(server: &Server) {
    wait_for("log and pages to gather", LONG, || {
        let status = json(&mode(server, "status").ok());
        assert_eq!(status["on"], true, "{status}");
        (status["gathered_bytes"].as_u64() > Some(8 << 20)).then_some(())
    });
}

/// What must stand still.
fn data_files(server: &Server) -> BTreeMap<String, blake3::Hash> {
    let data = server.data_dir();
    let mut all = BTreeMap::new();
    for folder in [data.clone(), data.join("local")] {
        let beside = ["control", "system.db", "system.db.sum"].map(|name| folder.join(name));
        let beside = beside.into_iter().filter(|path| path.exists());
        for path in files::list(&folder.join("db"), "")
            .into_iter()
            .chain(beside)
        {
            let content = blake3::hash(&files::read(&path));
            all.insert(path.display().to_string(), content);
        }
    }
    all
}

/// As a person does it: the data files first, then the log.
fn copy(server: &Server, to: &Server) {
    let copy = |from: &Path, to: &Path| {
        let from = from.join(".");
        std::fs::create_dir_all(to).expect("a directory");
        let mut cp = needed("cp", "coreutils");
        run(cp.arg("-a").arg(from).arg(to), b"").ok();
    };
    copy(&server.data_dir(), &to.data_dir());
    copy(&server.fwlog_dir(), &to.fwlog_dir());
    let mut find = needed("find", "findutils");
    find.arg(to.folder());
    run(find.args(["-name", "fw.position", "-delete"]), b"").ok();
}

/// A server that does not run, for a copy.
fn empty(folder: &Path, name: &str, role: &str) -> Server {
    Server::prepare(folder, busy(Settings::new(name, role)))
}

#[test]
fn what_cp_copies_under_load_is_the_master_at_a_commit() {
    let folder = Folder::new();
    let mut master = Server::create(folder.path(), busy(Settings::master()));
    master.start();
    Transfers::open(&master);
    master
        .dbctl(&["database", "create", "till", "--local"])
        .ok();
    master.sql("till", "CREATE TABLE t (id INT)");
    let load = Transfers::start(&master);
    let begun = begin(&master);
    assert!(begun["log_from"].is_string(), "{begun}");
    let before = entries(&master);
    let still = data_files(&master);
    let_gather(&master);
    master.sql("till", "INSERT INTO t VALUES (1), (2)");
    let refused = master.dbctl(&["checkpoint"]).fails(1);
    assert!(refused.contains("dbctl backup stop"), "{refused}");
    let again = mode(&master, "start").fails(1);
    assert!(again.contains("stand still"), "{again}");
    // A cut is taken, and a database is made, without the data files.
    let url = format!("file://{}", folder.join("repository").display());
    master.dbctl(&["archive", "init", &url]).ok();
    master.dbctl(&["backup", "create", &url]).ok();
    assert_eq!(data_files(&master), still);
    master.sql("system", "CREATE DATABASE late");
    master.sql("late", "CREATE TABLE t (id INT)");
    let mut slave = empty(folder.path(), "copy", "Slave");
    copy(&master, &slave);
    let here = data_files(&master);
    assert!(still.iter().all(|(name, hash)| here[name] == *hash));
    assert!(mode(&master, "stop").ok().contains("\"asked\""));
    let done = load.stop();
    wait_for("the data files to be written", LONG, || {
        (data_files(&master) != here).then_some(())
    });
    let mut alone = empty(folder.path(), "alone", "Master");
    copy(&slave, &alone);
    alone.start();
    assert_eq!(alone.client("till").value("SELECT count(*) FROM t"), "2");
    let had = entries(&alone);
    assert!(before <= had && had <= done, "{before} <= {had} <= {done}");
    // What it has is what the master had: it goes on with the master's log, to the same pages.
    slave.start();
    assert_eq!(entries(&slave), had);
    let followed = replicate(&master, &slave, &["-S"]);
    assert_eq!(followed.code, Some(0), "{}", followed.err);
    assert!(!followed.err.contains("a copy of"), "{}", followed.err);
    dbtests::compare::databases(&master, &slave);
    assert_eq!(entries(&slave), done);
}

#[test]
fn a_server_that_is_killed_or_stopped_in_the_mode_loses_nothing() {
    let folder = Folder::new();
    let mut master = Server::create(folder.path(), busy(Settings::master()));
    master.start();
    Transfers::open(&master);
    begin(&master);
    let load = Transfers::start(&master);
    let_gather(&master);
    let done = load.stop();
    master.kill9();
    master.start();
    assert_eq!(entries(&master), done);
    let refused = mode(&master, "stop").fails(1);
    assert!(refused.contains("the backup mode is off"), "{refused}");
    begin(&master);
    master.sql("shop", "INSERT INTO entry VALUES (1000000, NULL)");
    master.restart();
    let log = master.log();
    assert!(
        log.contains("ended by itself: the server was shut down"),
        "{log}"
    );
    let client = master.client("shop");
    let count = client.value("SELECT count(*) FROM entry");
    assert_eq!(count, (done + 1).to_string());
    let status = json(&mode(&master, "status").ok());
    assert_eq!(status, Value::Null);
}

#[test]
fn a_slave_is_copied_while_it_follows_and_killed_in_the_mode() {
    let mut cluster = Cluster::with(busy(Settings::master()), busy(Settings::slave()));
    Transfers::open(&cluster.master);
    let mut feeds = cluster.follow();
    let load = Transfers::start(&cluster.master);
    wait_for("the slave to have something", LONG, || {
        let client = Client::connect(cluster.slave.address(), "shop", PASSWORD).ok()?;
        client.try_rows("SELECT id FROM entry").ok()?.pop()
    });
    begin(&cluster.slave);
    let still = data_files(&cluster.slave);
    let_gather(&cluster.slave);
    assert_eq!(data_files(&cluster.slave), still);
    let mut other = empty(cluster.folder().path(), "other", "Slave");
    copy(&cluster.slave, &other);
    assert_eq!(data_files(&cluster.slave), still);
    cluster.slave.kill9();
    cluster.slave.start();
    let refused = mode(&cluster.slave, "stop").fails(1);
    assert!(refused.contains("is off"), "{refused}");
    begin(&cluster.slave);
    let done = load.stop();
    cluster.wait_for_slave(&mut feeds);
    assert_eq!(entries(&cluster.slave), done);
    mode(&cluster.slave, "stop").ok();
    feeds.stop();
    cluster.compare();
    other.start();
    assert!(entries(&other) <= done);
    let followed = replicate(&cluster.master, &other, &["-S"]);
    assert_eq!(followed.code, Some(0), "{}", followed.err);
    dbtests::compare::databases(&cluster.master, &other);
    // A change of role writes the data files.
    begin(&cluster.slave);
    cluster
        .slave
        .dbctl(&["replication", "promote", "--force"])
        .ok();
    let told = mode(&cluster.slave, "stop").fails(1);
    assert!(told.contains("the data files were written"), "{told}");
}

#[test]
fn the_mode_ends_by_itself_at_either_bound_and_says_so() {
    let folder = Folder::new();
    for (bounds, word, why) in [
        ("1s, 1g", "time", "as long as BackupHold allows"),
        ("2h, 4m", "size", "as much as BackupHold allows"),
    ] {
        let settings = busy(Settings::master()).named(word);
        let settings = settings.set("Server", "BackupHold", bounds);
        let mut master = Server::create(folder.path(), settings);
        master.start();
        Transfers::open(&master);
        begin(&master);
        let load = Transfers::start(&master);
        let ended = wait_for("the mode to end", LONG, || {
            let status = json(&mode(&master, "status").ok());
            (status["on"] == false).then_some(status)
        });
        assert_eq!(ended["ended_by"], word, "{ended}");
        let log = master.log();
        assert!(log.contains("the backup mode has ended by itself") && log.contains(why));
        let told = mode(&master, "stop").fails(1);
        assert!(
            told.contains(why) && told.contains("throw it away"),
            "{told}"
        );
        // What had gathered goes to the data files, and the mode can be had again.
        master.dbctl(&["checkpoint"]).ok();
        let done = load.stop();
        begin(&master);
        assert_eq!(entries(&master), done);
        mode(&master, "stop").ok();
    }
    let mut odd = Settings::master().named("odd");
    odd = odd.set("Server", "BackupHold", "2h");
    let odd = Server::prepare(folder.path(), odd);
    let mut check = odd.dbctl_command();
    let told = run(
        check
            .args(["config", "check"])
            .env("EQ_DBPASSWORD", PASSWORD),
        b"",
    );
    assert!(
        told.code != Some(0) && told.err.contains("BackupHold"),
        "{told:?}"
    );
}
