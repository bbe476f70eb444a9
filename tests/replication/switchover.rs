//! `dbctl replication promote` and `switchover`: the role that writes goes from one server to another, and no transaction
//! that was acknowledged is lost.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use dbtests::{
    Client, Cluster, Follower, LONG, PASSWORD, Server, files, follower, process, wait_for,
};
use serde_json::Value;

use crate::copies::forget_beginning;
use crate::shop::{SHOP, items, open, sell};

/// A dbrepl in each direction: whoever is the master feeds the other one.
pub(crate) struct Pair {
    pub(crate) cluster: Cluster,
    pub(crate) there: Follower,
    pub(crate) back: Follower,
}

impl Pair {
    pub(crate) fn start() -> Self {
        let cluster = Cluster::start();
        open(&cluster.master);
        sell(&cluster.master, 10);
        let mut there = cluster.follow();
        cluster.wait_for_slave(&mut there);
        let log = cluster.folder().join("back.log");
        let command = follower::dbrepl(&cluster.slave, &cluster.master, &["-v"]);
        let back = Follower::run(command, log);
        Self {
            cluster,
            there,
            back,
        }
    }

    /// The one that writes, and the other.
    pub(crate) fn roles(&self) -> (&Server, &Server) {
        let (one, other) = (&self.cluster.master, &self.cluster.slave);
        let is_master = |server: &Server| server.command("status")["role"] == "Master";
        let (is_one, is_other) = (is_master(one), is_master(other));
        assert!(is_one != is_other, "who is the master? {is_one} {is_other}");
        if is_one { (one, other) } else { (other, one) }
    }

    /// Until the master feeds its slave.
    pub(crate) fn wait_for_feed(&self) {
        wait_for("the master to feed its slave", LONG, || {
            let (master, _) = self.roles();
            let status = master.dbctl(&["replication", "status", "--json"]);
            let fed = ["following", "catching up"].map(|state| format!("\"state\":\"{state}\""));
            fed.iter()
                .any(|state| status.out.contains(state))
                .then_some(())
        });
    }

    /// Until the slave has what the master has, while nobody writes; then both have the same.
    pub(crate) fn settle_and_compare(&self) {
        let (master, slave) = self.roles();
        wait_for("the slave to have all", LONG, || {
            let durable = master.command("forwardlog status").remove("position")?;
            let applied = slave.command("replication status").remove("applied")?;
            (applied.split(' ').next() == Some(durable.as_str())).then_some(())
        });
        dbtests::compare::databases(master, slave);
        dbtests::compare::logs(master, slave);
    }

    pub(crate) fn stop(mut self) {
        self.there.stop();
        self.back.stop();
    }
}

fn switchover(master: &Server, to: &Server) -> Value {
    let run = master.dbctl(&["replication", "switchover", to.settings().name(), "--json"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    serde_json::from_str(run.out.trim()).expect("a proof")
}

/// Ends the clients, also where the test fails.
pub(crate) struct Over<'a>(pub(crate) &'a Writers);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.over.store(true, Ordering::SeqCst);
    }
}

/// How long a client that was refused waits before it tries again: the poorest of pools does.
const REFUSED: Duration = Duration::from_millis(10);

#[expect(
    clippy::disallowed_methods,
    reason = "it is how a client behaves: nothing is waited for"
)]
fn pause() {
    thread::sleep(REFUSED);
}

/// Clients that write to whichever server takes it; what was acknowledged is noted.
#[derive(Default)]
pub(crate) struct Writers {
    over: AtomicBool,
    next: AtomicU32,
    acknowledged: Mutex<BTreeSet<u32>>,
}

impl Writers {
    /// They may write, again.
    pub(crate) fn begin(&mut self) {
        *self.over.get_mut() = false;
    }

    pub(crate) fn write(&self, servers: [SocketAddr; 2]) {
        for turn in 0_usize.. {
            if self.over.load(Ordering::SeqCst) {
                return;
            }
            let Ok(client) = Client::connect(servers[turn % 2], SHOP, PASSWORD) else {
                pause();
                continue;
            };
            loop {
                let id = self.next.fetch_add(1, Ordering::SeqCst);
                let insert = format!("INSERT INTO item (name, price) VALUES ('{id}', 1)");
                if self.over.load(Ordering::SeqCst) || client.try_rows(&insert).is_err() {
                    pause();
                    break;
                }
                self.acknowledged.lock().expect("no panic").insert(id);
            }
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.acknowledged.lock().expect("no panic").len()
    }

    /// Until so many more are acknowledged.
    pub(crate) fn wait_for(&self, more: usize) {
        let before = self.count();
        wait_for("clients to write on", LONG, || {
            (self.count() >= before + more).then_some(())
        });
    }

    /// All that was acknowledged is there.
    pub(crate) fn check(&self, server: &Server) {
        let there = server.sql(SHOP, "SELECT name FROM item WHERE price = 1");
        let there: BTreeSet<u32> = there.iter().filter_map(|row| row[0].parse().ok()).collect();
        let acknowledged = self.acknowledged.lock().expect("no panic");
        let lost: Vec<_> = acknowledged.difference(&there).collect();
        assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    }
}

/// How often the role goes over, by so many clients.
fn rounds() -> (usize, usize) {
    let long = std::env::var("ELOQDB_SWITCHOVERS").ok();
    long.map_or((4, 4), |rounds| (rounds.parse().expect("a number"), 16))
}

#[test]
fn the_role_goes_back_and_forth_under_writers_and_nothing_is_lost() {
    let pair = Pair::start();
    let (rounds, clients) = rounds();
    let mut milliseconds = Vec::new();
    let writers = Writers::default();
    let addresses = [pair.cluster.master.address(), pair.cluster.slave.address()];
    thread::scope(|scope| {
        for _ in 0..clients {
            scope.spawn(|| writers.write(addresses));
        }
        let _over = Over(&writers);
        for _ in 0..rounds {
            writers.wait_for(50);
            pair.wait_for_feed();
            let (master, slave) = pair.roles();
            let proof = switchover(master, slave);
            assert_eq!(proof["master"], slave.settings().name());
            assert_eq!(proof["slave"], master.settings().name());
            assert_eq!(proof["lost_transactions"], 0);
            let without_writes = proof["milliseconds_without_writes"].as_u64();
            milliseconds.push(without_writes.expect("a time"));
            let role = String::from_utf8_lossy(&files::read(&master.config_path())).into_owned();
            assert!(role.contains("Role = Slave"), "{role}");
        }
        writers.wait_for(50);
    });
    milliseconds.sort_unstable();
    println!("milliseconds without writes, in order: {milliseconds:?}");
    let (master, slave) = pair.roles();
    writers.check(master);
    pair.settle_and_compare();
    writers.check(slave);
    pair.stop();
}

#[test]
fn roles_outlive_a_restart_and_configuration_files_follow() {
    let mut pair = Pair::start();
    switchover(&pair.cluster.master, &pair.cluster.slave);
    pair.cluster.master.restart();
    pair.cluster.slave.restart();
    assert_eq!(pair.roles().0.settings().name(), "slave");
    sell(&pair.cluster.slave, 5);
    pair.settle_and_compare();
    assert_eq!(items(&pair.cluster.master), 15);
    let told = pair
        .cluster
        .master
        .psql(SHOP, &["-c", "INSERT INTO item VALUES (1)"], "");
    assert!(told.err.contains("read-only"), "{told:?}");
    pair.stop();
}

#[test]
fn an_obstacle_is_named_and_nothing_changes() {
    let mut pair = Pair::start();
    let refused = |server: &Server, words: &[&str]| {
        let run = server.dbctl(words);
        assert_ne!(run.code, Some(0), "{run:?}");
        run.err
    };
    let (master, slave) = (&pair.cluster.master, &pair.cluster.slave);
    let told = refused(master, &["replication", "switchover", "nobody"]);
    assert!(
        told.contains("the master knows no slave nobody: it knows slave"),
        "{told}"
    );
    let told = refused(slave, &["replication", "switchover", "master"]);
    assert!(
        told.contains("slave is not the root: it is Slave of master"),
        "{told}"
    );
    assert!(told.contains("give this command to master"), "{told}");
    let told = refused(master, &["replication", "verify", "nobody"]);
    assert!(
        told.contains("the master knows no slave nobody: it knows slave; nor is it the address"),
        "{told}"
    );
    let told = master.dbctl(&["replication", "switchover", "master"]).ok();
    assert!(told.contains("master is the root already"), "{told}");
    let told = refused(slave, &["replication", "promote"]);
    assert!(
        told.contains("master is alive and feeds this slave"),
        "{told}"
    );
    let told = refused(master, &["replication", "switchover", "slave", "--abort"]);
    assert!(told.contains("there is nothing to abort"), "{told}");
    let told = refused(master, &["replication", "promote"]);
    assert!(told.contains("master is the root already"), "{told}");
    pair.cluster.slave.stop();
    wait_for("the master to know that its slave is gone", LONG, || {
        let status = pair
            .cluster
            .master
            .dbctl(&["replication", "status", "--json"]);
        (!status.out.contains("\"state\":\"following\"")).then_some(())
    });
    let told = refused(
        &pair.cluster.master,
        &["replication", "switchover", "slave"],
    );
    assert!(told.contains("cannot become root: slave is "), "{told}");
    sell(&pair.cluster.master, 3);
    pair.cluster.slave.start();
    pair.settle_and_compare();
    pair.stop();
}

#[test]
fn a_slave_that_does_not_get_the_rest_refuses_and_the_master_goes_on() {
    let mut pair = Pair::start();
    // Nobody carries what is left of the log.
    pair.there.stop();
    sell(&pair.cluster.master, 1);
    let offer = pair.cluster.master.dbctl(&["handover", "offer", "slave"]);
    assert_eq!(offer.code, Some(0), "{offer:?}");
    assert_eq!(pair.cluster.master.command("status")["role"], "Slave");
    let words = ["replication", "switchover", "slave", "--timeout", "200ms"];
    let run = pair.cluster.master.dbctl(&words);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(
        run.err.contains("it has not got all of it in time"),
        "{run:?}"
    );
    assert!(
        run.err.contains("master is the master as before"),
        "{run:?}"
    );
    sell(&pair.cluster.master, 5);
    let log = pair.cluster.folder().join("again.log");
    let command = follower::dbrepl(&pair.cluster.master, &pair.cluster.slave, &["-v"]);
    pair.there = Follower::run(command, log);
    pair.settle_and_compare();
    pair.wait_for_feed();
    switchover(&pair.cluster.master, &pair.cluster.slave);
    pair.settle_and_compare();
    pair.stop();
}

#[test]
fn what_is_broken_off_goes_on_with_the_same_command_or_is_taken_back() {
    let mut pair = Pair::start();
    for abort in [false, true] {
        let (master, slave) = if abort {
            (&mut pair.cluster.slave, &mut pair.cluster.master)
        } else {
            (&mut pair.cluster.master, &mut pair.cluster.slave)
        };
        let name = slave.settings().name().to_owned();
        let offer = master.dbctl(&["handover", "offer", &name]);
        assert_eq!(offer.code, Some(0), "{offer:?}");
        // In doubt nobody writes, whatever is restarted and however the configuration is edited.
        master.kill9();
        master.set_role("Master");
        master.start();
        slave.restart();
        for server in [&*master, &*slave] {
            assert_eq!(server.command("status")["role"], "Slave");
        }
        let check = master.dbctl(&["replication", "check"]);
        assert_eq!(check.code, Some(2), "{check:?}");
        assert!(
            check.out.contains("has not heard what became of that"),
            "{check:?}"
        );
        let status = master.command("status").remove("handover");
        assert!(status.is_some_and(|it| it.contains(&name)));
        let told = master.dbctl(&["replication", "promote"]);
        assert!(
            told.err.contains("does not know whether that has taken it"),
            "{told:?}"
        );
        let mut words = vec!["replication", "switchover", &name];
        words.extend(abort.then_some("--abort"));
        let done = master.dbctl(&words);
        assert_eq!(done.code, Some(0), "{done:?}");
        let expected = if abort { &*master } else { &*slave };
        assert_eq!(expected.command("status")["role"], "Master");
        sell(expected, 3);
        pair.settle_and_compare();
    }
    pair.stop();
}

#[test]
fn a_slave_is_promoted_when_its_master_is_gone_and_the_master_comes_back_as_its_slave() {
    let mut pair = Pair::start();
    pair.cluster.master.kill9();
    wait_for("the slave to miss its master", LONG, || {
        let run = pair.cluster.slave.dbctl(&["replication", "promote"]);
        (run.code == Some(0)).then_some(())
    });
    assert_eq!(pair.cluster.slave.command("status")["role"], "Master");
    sell(&pair.cluster.slave, 5);
    pair.cluster.master.set_role("Slave");
    pair.cluster.master.start();
    pair.settle_and_compare();
    assert_eq!(items(&pair.cluster.master), 15);
    pair.stop();
}

/// What the process began with is no wish of an operator, once the server has written its file itself.
#[test]
fn a_former_root_that_gets_a_copy_stays_a_slave() {
    let mut pair = Pair::start();
    pair.wait_for_feed();
    switchover(&pair.cluster.master, &pair.cluster.slave);
    pair.there.stop();
    pair.back.stop();
    let (root, former) = (&pair.cluster.slave, &pair.cluster.master);
    sell(root, 5);
    forget_beginning(root);
    let copy = ["-v", "--init", "auto", "-S"];
    let run = process::run(&mut follower::dbrepl(root, former, &copy), b"");
    assert_eq!(run.code, Some(0), "{}\n{}", run.err, former.log());
    assert!(run.err.contains("the copy is complete"), "{}", run.err);
    assert_eq!(former.command("status")["role"], "Slave");
    assert_eq!(items(former), 15);
    pair.cluster.master.restart();
    assert_eq!(pair.cluster.master.command("status")["role"], "Slave");
    dbtests::compare::databases(&pair.cluster.slave, &pair.cluster.master);
}

#[test]
fn who_handed_the_role_over_and_was_not_fed_since_is_no_root_without_force() {
    let pair = Pair::start();
    pair.wait_for_feed();
    let Pair {
        cluster,
        there,
        mut back,
    } = pair;
    back.stop();
    let to = cluster.slave.settings().name();
    let run = cluster
        .master
        .dbctl(&["replication", "switchover", to, "--json"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.err.contains("does not feed master"), "{run:?}");
    let proof: Value = serde_json::from_str(run.out.trim()).expect("a proof");
    assert_eq!(proof["slave_is_fed"], false);
    sell(&cluster.slave, 1);
    let told = cluster.master.dbctl(&["replication", "promote"]).fails(1);
    let why = "has nothing of what slave has written since";
    assert!(told.contains(why), "{told}");
    assert_eq!(cluster.master.command("status")["role"], "Slave");
    cluster
        .master
        .dbctl(&["replication", "promote", "--force"])
        .ok();
    drop(there);
}
