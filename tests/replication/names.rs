//! Instances have names: two of one name are told apart when they meet, and the second one is refused.

use dbtests::{Cluster, Follower, LONG, Server, Settings, follower, process, wait_for};
use serde_json::Value;

use crate::shop::{items, open, sell};

fn history(server: &Server, more: &[&str]) -> Vec<Value> {
    let words = [&["--json", "replication", "history"], more].concat();
    let text = server.dbctl(&words).ok();
    serde_json::from_str(&text).expect("JSON")
}

/// Generation, reason and instance of each line.
fn lines(server: &Server) -> Vec<String> {
    let text = |line: &Value, key: &str| line[key].as_str().expect("text").to_owned();
    let lines = history(server, &[]);
    let line = |line: &Value| {
        format!(
            "{} {} {}",
            line["generation"],
            text(line, "reason"),
            text(line, "instance")
        )
    };
    lines.iter().map(line).collect()
}

fn shown(server: &Server) -> Value {
    let text = server
        .dbctl(&["--json", "instance", "show", "--detail"])
        .ok();
    serde_json::from_str(&text).expect("JSON")
}

fn called(server: Settings, name: &str) -> Settings {
    server.set("Server", "Instance", name)
}

#[test]
fn source_and_slave_of_one_name_are_refused_by_name() {
    let cluster = Cluster::with(Settings::master(), called(Settings::slave(), "master"));
    open(&cluster.master);
    let said = cluster.replicate(&["-S"]).fails(2);
    for part in [
        "source and slave are both called master",
        "Instance in section [Server]",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let told = "source and slave are both called master";
    wait_for("the slave to have said it, too", LONG, || {
        cluster.slave.log().contains(told).then_some(())
    });
    let status = cluster.slave.command("replication status");
    assert_eq!(
        status.get("replication").map(String::as_str),
        Some("refused"),
        "{status:?}"
    );
    assert!(status["reason"].contains(told), "{status:?}");
}

#[test]
fn a_second_slave_of_one_name_is_refused_as_long_as_the_first_is_fed() {
    let mut cluster = Cluster::start();
    open(&cluster.master);
    let mut first = cluster.follow();
    cluster.wait_for_slave(&mut first);
    let mut second = Server::create(
        cluster.folder().path(),
        called(Settings::new("second", "Slave"), "slave"),
    );
    second.start();
    let taken = "two slaves are called slave";
    let said = follower::replicate(&cluster.master, &second, &["-S"]).fails(2);
    for part in [
        taken,
        &second.address().to_string(),
        &cluster.slave.address().to_string(),
        "forget slave",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    sell(&cluster.master, 1);
    cluster.wait_for_slave(&mut first);
    first.stop();
    // Within one dbrepl, too: one of the two is fed.
    let addresses = [
        cluster.slave.address().to_string(),
        second.address().to_string(),
    ];
    let both = follower::dbrepl_to_all(&cluster.master, &addresses, &["-v"]);
    let mut both = Follower::run(both, cluster.folder().join("both.log"));
    both.wait_for_line(taken);
    both.stop();
    // It has the name once nobody else is fed under it.
    follower::replicate(&cluster.master, &second, &["-S"]).ok();
    assert_eq!(items(&second), 1);
    cluster.slave.stop();
}

#[test]
fn a_copied_data_directory_under_the_same_name_is_told_by_its_boot() {
    let mut cluster = Cluster::start();
    open(&cluster.master);
    cluster.synchronize();
    cluster.slave.stop();
    let mut twin = Server::prepare(
        cluster.folder().path(),
        called(Settings::new("twin", "Slave"), "slave"),
    );
    for name in ["data", "fwlog"] {
        let (from, to) = (cluster.slave.folder().join(name), twin.folder().join(name));
        let mut copy = std::process::Command::new("cp");
        process::run(copy.arg("-a").arg(from).arg(to), b"").ok();
    }
    cluster.slave.start();
    twin.start();
    let ids = [&cluster.slave, &twin].map(|server| shown(server)["instance_id"].clone());
    assert_eq!(ids[0], ids[1], "the id travels with the copy");
    let mut first = cluster.follow();
    cluster.wait_for_slave(&mut first);
    let said = follower::replicate(&cluster.master, &twin, &["-S"]).fails(2);
    assert!(said.contains("two slaves are called slave"), "{said}");
    // Under another name it is another instance.
    twin.stop();
    twin.reconfigure(|settings| called(settings, "twin"));
    twin.start();
    follower::replicate(&cluster.master, &twin, &["-S"]).ok();
    let own = shown(&twin);
    assert_ne!(own["instance_id"], ids[0]);
    assert_eq!(own["formerly"][0]["instance_id"], ids[0]);
    assert_eq!(own["peers"][0]["instance"], "master");
    assert_eq!(own["peers"][0]["relation"], "source");
}

#[test]
fn the_history_is_the_same_everywhere_and_is_made_again_from_the_log() {
    let mut cluster = Cluster::start();
    open(&cluster.master);
    sell(&cluster.master, 1);
    cluster.synchronize();
    assert_eq!(lines(&cluster.master), ["1 create master"]);
    cluster.master.stop();
    cluster.slave.stop();
    cluster.slave.set_role("Master");
    cluster.slave.start();
    sell(&cluster.slave, 1);
    assert_eq!(
        lines(&cluster.slave),
        ["1 create master", "2 promote slave"]
    );
    // The former master follows, and has the same history.
    cluster.master.set_role("Slave");
    cluster.master.start();
    follower::replicate(&cluster.slave, &cluster.master, &["-S"]).ok();
    wait_for("the new generation in the history", LONG, || {
        (history(&cluster.master, &[]) == history(&cluster.slave, &[])).then_some(())
    });
    // Lost, and damaged: made again.
    let before = history(&cluster.slave, &[]);
    let path = cluster.slave.data_dir().join("history");
    cluster.slave.stop();
    std::fs::remove_file(&path).expect("it is there");
    cluster.slave.start();
    assert_eq!(history(&cluster.slave, &[]), before);
    cluster.slave.stop();
    disk::Disk::real()
        .write_atomic(&path, b"nonsense", 0o600)
        .expect("a file");
    cluster.slave.start();
    assert_eq!(history(&cluster.slave, &[]), before);
    let log = cluster.slave.log();
    assert!(
        log.contains("history file") && log.contains("is damaged"),
        "{log}"
    );
}

#[test]
fn a_history_that_contradicts_the_log_keeps_the_server_from_starting() {
    let mut cluster = Cluster::start();
    open(&cluster.master);
    cluster.master.stop();
    let mut other = Server::create(cluster.folder().path(), Settings::new("other", "Master"));
    let [own, foreign] = [&cluster.master, &other].map(|server| server.data_dir().join("history"));
    std::fs::copy(foreign, own).expect("both are there");
    let refused = cluster
        .master
        .try_start()
        .expect_err("a contradiction")
        .fails(1);
    for part in [
        "is in the history, and the log has another one",
        "create by other",
        "instance create --force",
    ] {
        assert!(refused.contains(part), "{part}: {refused}");
    }
    let exists = cluster.master.dbctl(&["instance", "create"]).fails(1);
    assert!(
        exists.contains("there is an instance file already"),
        "{exists}"
    );
    let before = shown(&cluster.master)["instance_id"].clone();
    cluster
        .master
        .dbctl(&["instance", "create", "--force"])
        .ok();
    cluster.master.start();
    assert_eq!(lines(&cluster.master), ["1 create master"]);
    let own = shown(&cluster.master);
    assert_ne!(own["instance_id"], before);
    assert_eq!(own["formerly"][0]["instance_id"], before);
    other.start();
    other.stop();
}

#[test]
fn the_files_of_a_running_instance_are_shown_and_not_changed() {
    let mut cluster = Cluster::start();
    let master = &cluster.master;
    for words in [
        &["instance", "create", "--force"][..],
        &["instance", "edit", "instance_id"],
    ] {
        let said = master.dbctl(words).fails(1);
        assert!(
            said.contains("another server runs the environment in"),
            "{said}"
        );
    }
    let id = shown(master)["instance_id"]
        .as_str()
        .expect("text")
        .to_owned();
    assert!(master.dbctl(&["instance", "show"]).ok().contains(&id));
    cluster.master.stop();
    let master = &cluster.master;
    let said = master.dbctl(&["instance", "edit", "instance_id"]).ok();
    assert!(said.contains(&id), "{said}");
    let new = "0a".repeat(16);
    let said = master
        .dbctl(&["instance", "edit", "instance_id", &new])
        .ok();
    assert!(said.contains(&id) && said.contains(&new), "{said}");
    assert_eq!(shown(master)["instance_id"], Value::from(new.as_str()));
    let said = master
        .dbctl(&["instance", "edit", "instance_id", "north"])
        .fails(2);
    assert!(said.contains("32 hex digits"), "{said}");
    cluster.master.start();
    assert_eq!(shown(&cluster.master)["instance_id"], Value::from(new));
}

/// What each has that the other has not begins where the histories part.
#[test]
fn what_was_left_by_a_re_synchronization_stays_in_the_history() {
    let mut cluster = Cluster::start();
    open(&cluster.master);
    cluster.synchronize();
    cluster.slave.stop();
    cluster.slave.set_role("Master");
    cluster.slave.start();
    sell(&cluster.slave, 1);
    sell(&cluster.master, 2);
    cluster.slave.stop();
    cluster.slave.set_role("Slave");
    cluster.slave.start();
    let said = cluster.replicate(&["-S"]).fails(5);
    assert!(
        said.contains("diverged: the slave's log differs from the master's after 1-"),
        "{said}"
    );
    let mut resync = follower::dbrepl(&cluster.master, &cluster.slave, &["-v", "-S", "--resync"]);
    process::run_within(&mut resync, b"", LONG).ok();
    assert_eq!(lines(&cluster.slave), ["1 create master"]);
    let abandoned = history(&cluster.slave, &["--abandoned"]);
    let left = abandoned.last().expect("the generation of its own");
    assert_eq!(
        (&left["generation"], &left["instance"]),
        (&Value::from(2), &Value::from("slave"))
    );
    assert!(
        left["end"].as_str().expect("text").starts_with("2-"),
        "{left}"
    );
    let mut follower = Follower::start(cluster.folder().path(), &cluster.master, &cluster.slave);
    cluster.wait_for_slave(&mut follower);
}

#[test]
fn the_file_of_another_instance_is_shown_and_what_is_none_is_named() {
    let mut cluster = Cluster::start();
    let copy = cluster.folder().join("copy");
    std::fs::create_dir(&copy).expect("a directory");
    let file = copy.join("instances");
    let shown_of = |path: &str| cluster.master.dbctl(&["instance", "show", path]);
    let path = file.to_str().expect("a path");
    let missing = shown_of(path);
    assert_eq!(missing.code, Some(1), "{missing:?}");
    let told = format!("there is no instance file {path}");
    assert!(missing.err.contains(&told), "{missing:?}");
    std::fs::copy(cluster.slave.data_dir().join("instances"), &file).expect("a copy");
    let there = shown_of(path);
    assert!(there.out.contains("slave"), "{there:?}");
    let none = shown_of("");
    assert_eq!(none.code, Some(2), "{none:?}");
    assert!(none.err.contains("no instance file given"), "{none:?}");
    std::fs::remove_file(&file).expect("a file");
    std::fs::create_dir(&file).expect("a directory");
    let odd = shown_of(path);
    assert_eq!(odd.code, Some(1), "{odd:?}");
    assert!(
        odd.err.contains(&format!("cannot read {path}: ")),
        "{odd:?}"
    );
    let client = cluster.master.client("system");
    let odd = client.refused("DBCTL 'peer introduce 12'");
    assert_eq!(odd.code, "42601");
    assert_eq!(odd.message, "12 is no position (12-3:184320)");
    let running = cluster.slave.dbctl(&["instance", "create", "--force"]);
    let told = "another server runs the environment in ";
    assert!(running.err.contains(told), "{running:?}");
    cluster.slave.stop();
    cluster.slave.reconfigure(|settings| {
        settings
            .without("Server", "Instance")
            .set("Server", "InstanceRequired", 1)
    });
    let ended = cluster.slave.try_start().expect_err("it has no name");
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.err.contains("no instance name is set"), "{ended:?}");
    cluster
        .slave
        .reconfigure(|settings| settings.set("Server", "Instance", "sixteen.letters."));
    let ended = cluster.slave.try_start().expect_err("it has no such name");
    assert!(
        ended
            .err
            .contains("is not an instance name; write 1 to 15 letters"),
        "{ended:?}"
    );
}
