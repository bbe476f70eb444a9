//! The servers' logs tell who did what, and what failed again and again in one line.

use std::time::Duration;

use dbtests::small_disk::where_mounting_works;
use dbtests::{
    Cluster, Folder, Follower, LONG, Server, Settings, SmallDisk, follower, process, wait_for,
    waiting,
};

use crate::shop::{open, sell, told, wait_for_log};

/// The lines of a log without their times and ports, as far as they tell of somebody.
fn acts(log: &str) -> Vec<String> {
    let of_somebody = log.lines().filter(|line| line.contains(" user=\"dba\""));
    let plain = of_somebody.filter_map(|line| {
        let (_time, rest) = line.split_once(' ')?;
        let (rest, _port) = rest.rsplit_once(':')?;
        Some(rest.trim_start().to_owned())
    });
    plain.collect()
}

#[test]
fn each_act_of_a_person_is_one_line_with_user_and_address() {
    let folder = Folder::new();
    let mut master = Server::create(folder.path(), Settings::master());
    master.start();
    for command in [
        &["database", "create", "one"][..],
        &["database", "rename", "one", "two"],
        &["database", "drop", "two"],
        &["forwardlog", "switch"],
        &["shutdown", "1000", "--no-wait"],
        &["shutdown", "cancel"],
        &["status"],
        &["database", "list"],
    ] {
        master.dbctl(command).ok();
    }
    let user = ["user", "create", "joe", "--privilege", "operator"];
    master.dbctl_with_new_password(&user, "secret").ok();
    master.sql("system", "CREATE DATABASE three");
    master.sql("system", "DROP DATABASE IF EXISTS nowhere");
    master.sql("system", "DROP USER joe");
    assert_eq!(
        acts(&master.log()),
        [
            "INFO dbserver::control_plane: database one is made user=\"dba\" address=127.0.0.1",
            "INFO dbserver::control_plane: database one is two now user=\"dba\" address=127.0.0.1",
            "INFO dbserver::control_plane: database two is removed user=\"dba\" address=127.0.0.1",
            "INFO dbserver::control_plane: forwardlog switch user=\"dba\" address=127.0.0.1",
            "INFO dbserver::control_plane: the server stops in 1000 s user=\"dba\" address=127.0.0.1",
            "INFO dbserver::control_plane: the stop is cancelled user=\"dba\" address=127.0.0.1",
            "INFO dbserver::control_plane: user joe is made, with privilege operator user=\"dba\" address=127.0.0.1",
            "INFO dbserver::control_plane: database three is made user=\"dba\" address=127.0.0.1",
            "INFO dbserver::control_plane: user joe is removed user=\"dba\" address=127.0.0.1",
        ]
    );
    assert!(!master.log().contains("SCRAM"), "no secret is logged");
    master.dbctl(&["shutdown"]).ok();
    assert!(
        acts(&master.log())
            .last()
            .unwrap()
            .contains("the server stops user")
    );
}

#[test]
fn dbrepl_is_in_the_slaves_log_and_sessions_and_a_second_one_is_a_few_lines() {
    let mut cluster = Cluster::start();
    let folder = Folder::new();
    let mut first = Follower::start(folder.path(), &cluster.master, &cluster.slave);
    first.wait_for_line("up-to-date");
    assert!(
        first.output().contains("R0: dbrepl 0.2.0 begins: process "),
        "{}",
        first.output()
    );
    let sessions = cluster.slave.dbctl(&["session", "list"]).ok();
    let line = sessions.lines().find(|line| line.contains(" dbrepl "));
    let line = line.unwrap_or_else(|| panic!("{sessions}"));
    assert!(
        line.contains("127.0.0.1:") && line.contains("replication"),
        "{line}"
    );
    let command = follower::dbrepl(&cluster.master, &cluster.slave, &["-v"]);
    let mut second = Follower::run(command, folder.join("second.log"));
    second.wait_for_line("another dbrepl feeds this slave");
    waiting::pause(Duration::from_secs(8));
    let refused = told(&cluster.slave, "another dbrepl feeds this slave");
    assert!(refused <= 3, "{}", cluster.slave.log());
    assert!(
        cluster.slave.log().lines().count() < 20,
        "{}",
        cluster.slave.log()
    );
    second.kill9();
    // An operator can end it.
    let number = line.split_whitespace().next().unwrap();
    cluster.slave.dbctl(&["session", "kill", number]).ok();
    first.wait_for_line("an operator has ended the connection");
    first.wait_for_line("connected to slave server again");
    first.stop();
    assert!(
        first
            .output()
            .contains("R0: dbrepl 0.2.0 ends with 0 (done): process "),
        "{}",
        first.output()
    );
    cluster.slave.stop();
}

#[test]
fn a_full_data_disk_is_a_few_lines_and_no_work() {
    where_mounting_works(|| {
        let folder = Folder::new();
        let disk = SmallDisk::mount(&folder.join("disk"), "64m");
        let settings = Settings::master()
            .set("Server", "DataDir", "../disk/data")
            .set("Server", "CheckpointSize", "1m");
        let mut master = Server::prepare(folder.path(), settings);
        master.use_data_dir(&folder.join("disk/data"));
        master.init().ok();
        master.start();
        open(&master);
        disk.fill(0);
        let client = master.client("shop");
        for _ in 0..200 {
            client.run("INSERT INTO item (name) SELECT encode(gen_random_bytes(20000), 'hex')");
        }
        drop(client);
        wait_for_log(&master, "checkpoint failed", 0);
        let trouble = master
            .command("status")
            .remove("checkpoint trouble")
            .unwrap();
        assert!(trouble.contains("No space left"), "{trouble}");
        let (lines, ticks) = (master.log().lines().count(), ticks(master.process().pid()));
        waiting::pause(Duration::from_secs(10));
        let lines = master.log().lines().count() - lines;
        assert!(lines < 5, "{}", master.log());
        // 10 ms each; a busy core has 1000.
        let ticks = self::ticks(master.process().pid()) - ticks;
        assert!(ticks < 100, "{ticks} ticks in 10 s");
        disk.make_room();
        master.dbctl(&["checkpoint"]).ok();
        wait_for_log(&master, "checkpoints succeed again", 0);
        assert_eq!(master.command("status")["checkpoint trouble"], "");
    });
}

/// Ticks of the processor that a process has used.
fn ticks(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("a process");
    let behind = stat.rsplit(')').next().unwrap_or_default();
    let fields = behind.split_whitespace().skip(11).take(2);
    fields.filter_map(|field| field.parse::<u64>().ok()).sum()
}

#[test]
fn a_word_that_is_no_level_is_refused_before_it_silences_the_log() {
    let folder = Folder::new();
    let settings = Settings::master().set("Server", "LogFlags", "warning");
    let server = Server::prepare(folder.path(), settings);
    let mut command = dbtests::programs::ours("dbserver");
    command.arg("-c").arg(server.config_path()).arg("--check");
    let refused = process::run(&mut command, b"").fails(2);
    assert!(refused.contains("'warning' is not a level"), "{refused}");
    let refused = server
        .dbctl(&["config", "set", "LogFlags", "loud"])
        .fails(2);
    assert!(refused.contains("'loud' is not a level"), "{refused}");
    let set = server
        .dbctl(&["config", "set", "LogFlags", "info,fwlog=debug"])
        .ok();
    assert!(
        set.contains("a running server reads it on 'dbctl reload' or SIGHUP"),
        "{set}"
    );
}

#[test]
fn log_files_that_were_moved_away_are_begun_anew_on_sighup() {
    let folder = Folder::new();
    let log = folder.join("server.log");
    let mut master = Server::create(
        folder.path(),
        Settings::master().set("Server", "LogFile", log.display()),
    );
    let mut slave = Server::create(folder.path(), Settings::slave());
    master.start();
    slave.start();
    let repl = folder.join("repl.log");
    let command = follower::dbrepl(&master, &slave, &["-v", "-l", &repl.display().to_string()]);
    let mut dbrepl = Follower::run(command, folder.join("out"));
    let text = |path: &std::path::Path| process::read_log(path);
    wait_for("dbrepl to log", LONG, || {
        text(&repl).contains("up-to-date").then_some(())
    });
    for path in [&log, &repl] {
        disk::Disk::real()
            .rename(path, &path.with_extension("old"))
            .expect("renamed");
    }
    master.process().signal("HUP");
    dbrepl.process().signal("HUP");
    wait_for("both to log again", LONG, || {
        let there = std::fs::exists(&repl).ok()? && std::fs::exists(&log).ok()?;
        (there && text(&log).contains("SIGHUP: LogFlags is read again")).then_some(())
    });
    dbrepl.stop();
    assert!(
        text(&repl).contains("Z R0: dbrepl 0.2.0 ends"),
        "{}",
        text(&repl)
    );
    open(&master);
    sell(&master, 1);
    assert!(
        text(&log).contains("database shop is made"),
        "{}",
        text(&log)
    );
}

/// Sends SIGTERM from a shell that is there until the process has ended, and gives the shell's number.
fn terminated(pid: u32, ended: impl FnOnce()) -> u32 {
    let mut shell = std::process::Command::new("sh")
        .args(["-c", &format!("kill -TERM {pid}; read line")])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .expect("a shell");
    ended();
    drop(shell.stdin.take());
    shell.wait().expect("its end");
    shell.id()
}

#[test]
fn a_log_says_who_has_stopped_the_program() {
    let mut cluster = Cluster::start();
    let folder = Folder::new();
    let mut dbrepl = Follower::start(folder.path(), &cluster.master, &cluster.slave);
    dbrepl.wait_for_line("up-to-date");
    let pid = dbrepl.process().pid();
    let shell = terminated(pid, || assert!(dbrepl.ended().success()));
    let told = format!("R0: SIGTERM from process {shell} (sh) of ");
    assert!(dbrepl.output().contains(&told), "{}", dbrepl.output());
    let pid = cluster.master.process().pid();
    let shell = terminated(pid, || wait_for_log(&cluster.master, ": stopped", 0));
    let told = format!("SIGTERM from process {shell} (sh) of ");
    assert!(
        cluster.master.log().contains(&told),
        "{}",
        cluster.master.log()
    );
}
