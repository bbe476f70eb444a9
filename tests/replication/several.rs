//! One dbrepl for several slaves.

use std::fs;

use dbtests::{
    Cluster, Follower, LONG, Line, Server, Settings, Traffic, compare, files, follower, process,
    wait_for,
};

use crate::shop::{SHOP, items, open, sell};

/// A master with three empty slaves.
struct Group {
    cluster: Cluster,
    second: Server,
    third: Server,
}

impl Group {
    fn start() -> Self {
        let cluster = Cluster::start();
        open(&cluster.master);
        let another = |name| {
            let mut slave = Server::create(cluster.folder().path(), Settings::new(name, "Slave"));
            slave.start();
            slave
        };
        let (second, third) = (another("second"), another("third"));
        Self {
            cluster,
            second,
            third,
        }
    }

    fn slaves(&self) -> [&Server; 3] {
        [&self.cluster.slave, &self.second, &self.third]
    }

    /// One dbrepl to all three, which follows.
    fn follow(&self) -> Follower {
        let addresses = self.slaves().map(|slave| slave.address().to_string());
        self.follow_to(&addresses)
    }

    fn follow_to(&self, addresses: &[String]) -> Follower {
        let command = follower::dbrepl_to_all(&self.cluster.master, addresses, &["-v"]);
        Follower::run(command, self.cluster.folder().join("dbrepl.log"))
    }

    /// Waits until these slaves show all that the master has. Nobody may write meanwhile.
    #[track_caller]
    fn wait_for(&self, slaves: &[&Server], follower: &mut Follower) {
        let end = self.cluster.master.command("forwardlog status");
        for slave in slaves {
            wait_for("a slave to show what the master has", LONG, || {
                assert!(follower.is_running(), "{}", follower.output());
                let applied = slave.command("replication status").remove("applied")?;
                (applied.split(' ').next() == Some(end["position"].as_str())).then_some(())
            });
        }
    }

    #[track_caller]
    fn compare(&self) {
        for slave in self.slaves() {
            compare::databases(&self.cluster.master, slave);
            compare::logs(&self.cluster.master, slave);
        }
    }
}

/// Makes the log longer by about so many MiB, a transaction each.
fn grow(master: &Server, mebibytes: u32) {
    let client = master.client(SHOP);
    client.run("CREATE TABLE IF NOT EXISTS large (body BYTEA)");
    for _ in 0..mebibytes {
        client.run("INSERT INTO large SELECT gen_random_bytes(3000) FROM generate_series(1, 300)");
    }
}

/// A number of the kernel's accounts of a process.
fn account(pid: u32, file: &str, key: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/{file}")).expect("the kernel's accounts");
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    let number = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    number.expect("a number")
}

fn log_bytes(master: &Server) -> u64 {
    let segments = master.segments();
    let newest = segments.segments().last().expect("a segment");
    let position = master.command("forwardlog status").remove("position");
    let position: fwlog::Position = position.expect("a position").parse().expect("a position");
    newest.header.log_bytes + position.offset
}

#[test]
fn three_slaves_get_the_same_from_one_reader_of_the_log() {
    let group = Group::start();
    let master = &group.cluster.master;
    sell(master, 20);
    let mut dbrepl = group.follow();
    group.wait_for(&group.slaves(), &mut dbrepl);
    for slave in group.slaves() {
        dbrepl.wait_for_line(&format!(
            "R1: {}: slave server is up-to-date",
            slave.address()
        ));
    }
    // From here on all are at the end of the log: it is read once, not once for each.
    let pid = dbrepl.process().pid();
    let (read, long) = (account(pid, "io", "rchar:"), log_bytes(master));
    for _ in 0..8 {
        grow(master, 1);
        group.wait_for(&group.slaves(), &mut dbrepl);
    }
    let read = account(pid, "io", "rchar:") - read;
    let long = log_bytes(master) - long;
    assert!(long > 6 << 20, "{long}");
    assert!(read < long * 3 / 2, "{read} bytes read for {long} of log");
    let output = dbrepl.output();
    let about_all = |line: &&str| line.contains("dbrepl 0.2.0 begins: ");
    for line in output.lines().filter(|line| !about_all(line)) {
        let names = |slave: &Server| line.contains(&format!(" {}: ", slave.address()));
        assert_eq!(
            group.slaves().into_iter().filter(|it| names(it)).count(),
            1,
            "{line}"
        );
    }
    dbrepl.stop();
    group.compare();
    let status = master.dbctl(&["replication", "status"]).ok();
    for name in ["slave ", "second ", "third "] {
        assert!(status.contains(name), "a note on each: {status}");
    }
}

#[test]
fn a_slave_that_is_stopped_holds_up_nobody_and_costs_a_bounded_memory() {
    let mut group = Group::start();
    let mut dbrepl = group.follow();
    group.wait_for(&group.slaves(), &mut dbrepl);
    let pid = dbrepl.process().pid();
    let before = account(pid, "status", "VmRSS:");
    group.third.process().signal("STOP");
    // More than the two sockets, the window and the memory for those who are slower.
    grow(&group.cluster.master, 60);
    group.wait_for(&[&group.cluster.slave, &group.second], &mut dbrepl);
    let more = account(pid, "status", "VmRSS:").saturating_sub(before);
    assert!(more < 36 << 10, "{more} KiB more");
    group.third.process().signal("CONT");
    group.wait_for(&[&group.third], &mut dbrepl);
    sell(&group.cluster.master, 5);
    group.wait_for(&group.slaves(), &mut dbrepl);
    dbrepl.stop();
    group.compare();
}

#[test]
fn a_slave_that_dies_and_comes_again_goes_on_where_it_was() {
    let mut group = Group::start();
    let mut dbrepl = group.follow();
    group.wait_for(&group.slaves(), &mut dbrepl);
    group.second.kill9();
    dbrepl.wait_for_line(&format!("R0: {}: ", group.second.address()));
    sell(&group.cluster.master, 10);
    group.wait_for(&[&group.cluster.slave, &group.third], &mut dbrepl);
    group.second.start();
    group.wait_for(&group.slaves(), &mut dbrepl);
    dbrepl.wait_for_line(&format!(
        "R0: {}: connected to slave server again",
        group.second.address()
    ));
    dbrepl.stop();
    group.compare();
}

#[test]
fn a_slave_that_is_refused_is_given_up_and_the_others_go_on() {
    let group = Group::start();
    let foreign = Cluster::start();
    foreign.synchronize();
    let addresses = [&group.second, &foreign.slave, &group.third];
    let addresses = addresses.map(|slave| slave.address().to_string());
    let mut dbrepl = group.follow_to(&addresses);
    dbrepl.wait_for_line(&format!(
        "R0: {}: given up with 5 (no synchronization point); 2 slaves go on",
        foreign.slave.address()
    ));
    sell(&group.cluster.master, 10);
    group.wait_for(&[&group.second, &group.third], &mut dbrepl);
    let status = dbrepl.process().terminate();
    assert_eq!(status.code(), Some(5), "{}", dbrepl.output());
    let output = dbrepl.output();
    let last = format!(
        "error: 1 of 3 slaves given up: {} (5)",
        foreign.slave.address()
    );
    assert!(output.contains(&last), "{output}");
    assert_eq!(output.matches("another environment").count(), 1, "{output}");
}

#[test]
fn where_no_slave_is_left_it_ends() {
    let group = Group::start();
    let [one, other] = [Cluster::start(), Cluster::start()];
    for foreign in [&one, &other] {
        foreign.synchronize();
    }
    let addresses = [&one, &other].map(|foreign| foreign.slave.address().to_string());
    let mut dbrepl = group.follow_to(&addresses);
    assert_eq!(dbrepl.ended().code(), Some(5));
    assert!(dbrepl.output().contains("2 of 2 slaves given up"));
}

#[test]
fn all_are_synchronized_once_and_the_worst_code_is_the_one_of_all() {
    let mut group = Group::start();
    sell(&group.cluster.master, 30);
    let addresses = group.slaves().map(|slave| slave.address().to_string());
    let synchronize = |group: &Group, addresses: &[String]| {
        let master = &group.cluster.master;
        process::run(
            &mut follower::dbrepl_to_all(master, addresses, &["-S"]),
            b"",
        )
    };
    group.second.stop();
    let told = synchronize(&group, &addresses).fails(3);
    let second = group.second.address();
    assert!(
        told.contains(&format!(
            "dbrepl: error: {second}: slave {second} can't be reached"
        )),
        "{told}"
    );
    assert!(told.contains("1 of 3 slaves given up"), "{told}");
    assert_eq!((items(&group.cluster.slave), items(&group.third)), (30, 30));
    group.second.start();
    synchronize(&group, &addresses).ok();
    group.compare();
}

#[test]
fn a_stop_does_not_wait_for_a_slave_that_does_not_answer() {
    let group = Group::start();
    let line = Line::to(group.third.address());
    line.set(Traffic::Hold);
    let addresses = [group.second.address(), line.address()].map(|it| it.to_string());
    let mut dbrepl = group.follow_to(&addresses);
    group.wait_for(&[&group.second], &mut dbrepl);
    dbrepl.stop();
    let output = dbrepl.output();
    assert!(output.contains("stopping"), "{output}");
    assert!(
        !output.contains("does not answer"),
        "it was not waited for: {output}"
    );
}

#[test]
fn one_server_under_two_addresses_is_fed_once() {
    let group = Group::start();
    let port = group.second.address().port();
    let addresses = [format!("127.0.0.1:{port}"), format!("localhost:{port}/4")];
    let mut dbrepl = group.follow_to(&addresses);
    dbrepl.wait_for_line("are the same server, which this dbrepl feeds as");
    sell(&group.cluster.master, 3);
    group.wait_for(&[&group.second], &mut dbrepl);
    let status = dbrepl.process().terminate();
    assert_eq!(status.code(), Some(2), "{}", dbrepl.output());
}

#[test]
fn a_password_file_that_has_changed_is_read_again_before_access_is_given_up() {
    let mut cluster = Cluster::start();
    open(&cluster.master);
    cluster.synchronize();
    let words = ["user", "create", "repl", "privilege", "operator"];
    cluster.master.dbctl_with_new_password(&words, "old").ok();
    cluster.synchronize();
    let path = cluster.folder().join("password");
    let shown = path.display().to_string();
    let write = |password: &str| files::write_private(&path, format!("{password}\n"));
    write("old");
    let mut command = follower::dbrepl(
        &cluster.master,
        &cluster.slave,
        &["-v", "-u", "repl", "--password-file", &shown],
    );
    command.env_remove("EQ_DBPASSWORD");
    let mut dbrepl = Follower::run(command, cluster.folder().join("dbrepl.log"));
    cluster.wait_for_slave(&mut dbrepl);
    let change = |cluster: &Cluster, password| {
        let words = ["user", "password", "repl"];
        cluster
            .master
            .dbctl_with_new_password(&words, password)
            .ok();
    };
    change(&cluster, "new");
    cluster.wait_for_slave(&mut dbrepl);
    write("new");
    // The connection ends, and the next one has to prove the password.
    cluster.slave.restart();
    dbrepl.wait_for_line("the password file has another password by now");
    sell(&cluster.master, 4);
    cluster.wait_for_slave(&mut dbrepl);
    // Where the file has no other password, there is nothing to try.
    change(&cluster, "newer");
    cluster.wait_for_slave(&mut dbrepl);
    cluster.slave.restart();
    assert_eq!(dbrepl.ended().code(), Some(4), "{}", dbrepl.output());
}
