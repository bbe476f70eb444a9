//! What the logs of the three parts say of each other: who is silent, who has ended and why, who came first.

use dbtests::{
    Cluster, Folder, Follower, LONG, PASSWORD, Server, Settings, follower, process, wait_for,
};

use crate::shop::{open, sell, told, wait_for_log};

/// How often dbrepl has said this.
fn said(dbrepl: &Follower, text: &str) -> usize {
    dbrepl.output().matches(text).count()
}

#[test]
fn who_is_silent_and_who_was_stopped_is_one_line_in_the_logs_of_the_others() {
    let mut cluster = Cluster::start();
    let folder = Folder::new();
    let mut dbrepl = Follower::start(folder.path(), &cluster.master, &cluster.slave);
    dbrepl.wait_for_line("up-to-date");

    cluster.slave.process().signal("STOP");
    dbrepl.wait_for_line("R0: slave server has not answered since ");
    cluster.slave.process().signal("CONT");
    dbrepl.wait_for_line("R0: slave server answers again");

    dbrepl.process().signal("STOP");
    wait_for_log(&cluster.slave, "nothing has come from dbrepl for ", 0);
    dbrepl.process().signal("CONT");
    wait_for_log(&cluster.slave, "dbrepl is heard again", 0);

    cluster.master.process().signal("STOP");
    let silent = "the master's server gives no sign of life since ";
    dbrepl.wait_for_line(silent);
    let heard = "the source's server gives no sign of life since ";
    wait_for_log(&cluster.slave, heard, 0);
    cluster.master.process().signal("CONT");
    dbrepl.wait_for_line("the master's server runs again");
    wait_for_log(&cluster.slave, "the source's server runs again", 0);
    let before = (said(&dbrepl, silent), told(&cluster.slave, heard));

    // A clean stop is no silence.
    cluster.master.stop();
    dbrepl.wait_for_line("R0: the master was stopped at ");
    wait_for_log(&cluster.slave, "the master was stopped at ", 0);
    cluster.master.start();
    wait_for_log(&cluster.slave, "the source's server runs again", 1);
    open(&cluster.master);
    cluster.wait_for_slave(&mut dbrepl);
    dbrepl.stop();
    let after = (said(&dbrepl, silent), told(&cluster.slave, heard));
    assert_eq!(before, after, "{}", dbrepl.output());
    assert_eq!(said(&dbrepl, "the master was stopped at "), 1);
}

#[test]
fn a_dbrepl_that_ends_says_with_which_code_and_why() {
    let mut cluster = Cluster::start();
    let folder = Folder::new();
    let log = folder.join("repl.log").display().to_string();
    let text = || process::read_log(std::path::Path::new(&log));
    let refused = process::run(
        follower::dbrepl(&cluster.master, &cluster.slave, &["-l", &log])
            .env("EQ_DBPASSWORD", "wrong"),
        b"",
    );
    assert_eq!(refused.code, Some(4), "{refused:?}");
    let ends = "R0: dbrepl 0.2.0 ends with 4 (access refused): process ";
    assert!(text().contains(ends), "{}", text());
    assert!(
        text().contains("password authentication failed"),
        "{}",
        text()
    );
    follower::replicate(&cluster.master, &cluster.slave, &["-S", "-l", &log]).ok();
    assert!(text().contains("ends with 0 (done)"), "{}", text());
    cluster.slave.stop();
    let gone = follower::replicate(&cluster.master, &cluster.slave, &["-S", "-l", &log]);
    assert_eq!(gone.code, Some(3), "{gone:?}");
    let ends = "ends with 3 (slave can't be reached): ";
    assert!(text().contains(ends), "{}", text());
}

#[test]
fn a_refused_password_is_a_warning_with_user_and_host() {
    let folder = Folder::new();
    let mut server = Server::create(folder.path(), Settings::master());
    server.start();
    let mut command = server.dbctl_command();
    let wrong = process::run(command.arg("status").env("EQ_DBPASSWORD", "wrong"), b"");
    assert_eq!(wrong.code, Some(4), "{wrong:?}");
    let log = server.log();
    let line = log.lines().find(|line| line.contains("access refused"));
    let line = line.unwrap_or_else(|| panic!("{log}"));
    for part in [
        " WARN ",
        "user=\"dba\"",
        "host=127.0.0.1",
        "failed for user \"dba\"",
    ] {
        assert!(line.contains(part), "{part}: {line}");
    }
    server.stop();
    server.reconfigure(|settings| settings.set("db-access", "deny", "127.0.0.1"));
    server.start();
    server.dbctl(&["status"]).fails(4);
    let log = server.log();
    let line = log.lines().find(|line| line.contains("no access for host"));
    let line = line.unwrap_or_else(|| panic!("{log}"));
    assert!(
        line.contains(" WARN ") && line.contains("user=\"dba\""),
        "{line}"
    );
    // A client that leaves without a word is none.
    drop(std::net::TcpStream::connect(server.address()).expect("a connection"));
    assert!(!server.log().contains("went away"), "{}", server.log());
}

#[test]
fn a_missing_right_is_a_warning_with_user_and_host_by_whatever_way_it_is_tried() {
    let cluster = Cluster::start();
    let server = &cluster.master;
    open(server);
    for (name, privilege) in [("olga", "operator"), ("paul", "user")] {
        let words = ["user", "create", name, "--privilege", privilege];
        let mut command = server.dbctl_command();
        command.args(words).env("EQ_DBPASSWORD", PASSWORD);
        process::run(command.env("EQ_NEWPASSWORD", PASSWORD), b"").ok();
    }
    for (user, words) in [
        ("olga", &["database", "create", "zz"][..]),
        ("paul", &["user", "list"]),
        ("paul", &["sql", "drop database shop"]),
    ] {
        let before = told(server, "access refused");
        let mut command = server.dbctl_command();
        command.args(["-u", user]).args(words);
        let run = process::run(command.env("EQ_DBPASSWORD", PASSWORD), b"");
        assert_eq!(run.code, Some(4), "{run:?}");
        let log = server.log();
        let refused: Vec<&str> = log
            .lines()
            .filter(|line| line.contains("access refused"))
            .collect();
        assert_eq!(refused.len(), before + 1, "{log}");
        let line = refused.last().expect("one");
        for part in [" WARN ", &format!("user=\"{user}\""), "host=127.0.0.1"] {
            assert!(line.contains(part), "{part}: {line}");
        }
    }
    cluster.synchronize();
    let mut dbrepl = follower::dbrepl(server, &cluster.slave, &["-S"]);
    let refused = process::run(dbrepl.env("EQ_DBUSER", "paul"), b"");
    assert_eq!(refused.code, Some(4), "{refused:?}");
    assert_eq!(
        told(
            &cluster.slave,
            "access refused host=127.0.0.1 user=\"paul\""
        ),
        1,
        "{}",
        cluster.slave.log()
    );
}

#[test]
fn a_connection_that_was_ended_by_a_person_is_no_warning() {
    let mut cluster = Cluster::start();
    let mut dbrepl = cluster.follow();
    dbrepl.wait_for_line("up-to-date");
    let list = cluster.slave.dbctl(&["session", "list"]).ok();
    let session = list.lines().find(|line| line.contains("dbrepl"));
    let number = session.and_then(|line| line.split_whitespace().next());
    let number = number.expect("the session of dbrepl");
    cluster.slave.dbctl(&["session", "kill", number]).ok();
    let ended = "INFO dbserver::feed::serve: replication is ended";
    wait_for_log(&cluster.slave, ended, 0);
    wait_for_log(&cluster.slave, "replication goes on after", 1);
    cluster.slave.stop();
    assert_eq!(told(&cluster.slave, ended), 2, "{}", cluster.slave.log());
    assert_eq!(told(&cluster.slave, "replication is refused"), 0);
}

#[test]
fn a_dbrepl_that_follows_one_that_was_killed_has_its_place_at_once() {
    let cluster = Cluster::start();
    open(&cluster.master);
    let folder = Folder::new();
    let mut first = Follower::start(folder.path(), &cluster.master, &cluster.slave);
    first.wait_for_line("up-to-date");
    for number in 0..3 {
        sell(&cluster.master, 5);
        first.kill9();
        let log = folder.join(&format!("next-{number}.log"));
        let command = follower::dbrepl(&cluster.master, &cluster.slave, &["-v"]);
        first = Follower::run(command, log);
        first.wait_for_line("up-to-date");
        assert!(
            !first.output().contains("another dbrepl"),
            "{}",
            first.output()
        );
    }
    assert_eq!(told(&cluster.slave, "another dbrepl"), 0);
    // One that stays is named, with the way out.
    let mut second = Follower::run(
        follower::dbrepl(&cluster.master, &cluster.slave, &["-v"]),
        folder.join("second.log"),
    );
    second.wait_for_line("another dbrepl feeds this slave: from 127.0.0.1:");
    second.wait_for_line("session kill NUMBER");
}

#[test]
fn a_start_says_who_it_is_and_how_the_last_stop_was() {
    let folder = Folder::new();
    let mut server = Server::prepare(folder.path(), Settings::master());
    let made = server.init();
    for part in [
        "dbserver 0.2.0 makes an environment process=",
        "the environment is made",
    ] {
        assert!(made.err.contains(part), "{part}: {made:?}");
    }
    assert!(!made.err.contains("recovered from the log"), "{made:?}");
    made.ok();
    server.start();
    let pid = server.process().pid();
    let log = server.log();
    let line = log
        .lines()
        .find(|line| line.contains("dbserver 0.2.0 starts"));
    let line = line.unwrap_or_else(|| panic!("{log}"));
    for part in [
        format!("process={pid}"),
        format!("configuration=\"{}\"", server.config_path().display()),
        format!("data=\"{}\"", server.data_dir().display()),
        format!("log=\"{}\"", server.fwlog_dir().display()),
        "role=\"Master\"".to_owned(),
        "instance=\"master\"".to_owned(),
    ] {
        assert!(line.contains(&part), "{part}: {line}");
    }
    let crash = "the server was not stopped cleanly";
    assert_eq!(told(&server, "the last stop was clean"), 1, "{log}");
    open(&server);
    server.kill9();
    server.start();
    assert_eq!(told(&server, crash), 1, "{}", server.log());
    // Before recovery has ended nobody knows.
    assert_eq!(told(&server, "nothing that was committed is lost"), 0);
    assert_eq!(
        told(&server, "recovered from the log"),
        1,
        "{}",
        server.log()
    );
    server.restart();
    assert_eq!(told(&server, crash), 1, "{}", server.log());
    assert_eq!(told(&server, "the last stop was clean"), 2);
}

#[test]
fn a_slave_that_does_not_start_has_not_become_one() {
    let folder = Folder::new();
    let mut server = Server::create(folder.path(), Settings::master());
    server.start();
    server.stop();
    server.set_role("Slave");
    std::fs::remove_dir_all(server.fwlog_dir()).expect("removed");
    let failed = server.try_start().expect_err("there is no log directory");
    let hint = format!("mkdir -m 700 {}", server.fwlog_dir().display());
    assert!(failed.err.contains(&hint), "{failed:?}");
    assert!(!failed.err.contains("is a slave now"), "{failed:?}");
}

#[test]
fn a_folder_that_is_missing_is_named_with_the_line_that_makes_it() {
    let folder = Folder::new();
    let missing = folder.join("nowhere");
    let file = missing.join("file").display().to_string();
    let make = format!("mkdir -m 700 {}", missing.display());
    let names_it = |told: &str| assert!(told.contains(&make), "{told}");
    let settings = Settings::master().set("Server", "LogFile", folder.join("log").display());
    let mut master = Server::create(folder.path(), settings);
    let mut slave = Server::create(folder.path(), Settings::slave());
    master.start();
    slave.start();
    open(&master);
    names_it(&master.dbctl(&["database", "dump", "shop", &file]).fails(1));
    names_it(&master.dbctl(&["logfile", &file]).fails(1));
    for option in ["-l", "-P"] {
        names_it(&follower::replicate(&master, &slave, &["-S", option, &file]).fails(2));
    }
    let told = master
        .dbctl(&["database", "dump", "shop.db", &file])
        .fails(1);
    assert!(told.contains("its database is called \"shop\""), "{told}");
    master.stop();
    master.reconfigure(|settings| settings.set("Server", "LogFile", &file));
    let failed = master.try_start().expect_err("there is no folder");
    names_it(&failed.err);
}

#[test]
fn a_pid_file_with_the_number_of_another_program_is_left_alone() {
    let cluster = Cluster::start();
    let path = cluster.folder().join("other.pid");
    dbtests::files::write(&path, format!("{}\n", std::process::id()));
    let shown = path.display().to_string();
    let told = cluster.replicate(&["-S", "-P", &shown]).fails(2);
    assert!(told.contains("which runs and is no dbrepl"), "{told}");
    let kept = dbtests::files::read(&path);
    assert_eq!(kept, format!("{}\n", std::process::id()).into_bytes());
    dbtests::files::write(&path, "4194305\n");
    cluster.replicate(&["-S", "-P", &shown]).ok();
}

#[test]
fn a_monitor_with_a_wrong_password_knows_nothing() {
    let folder = Folder::new();
    let mut server = Server::create(folder.path(), Settings::master());
    server.start();
    let check = |password: &str, words: &[&str]| {
        let mut command = server.dbctl_command();
        command.args(["replication", "check"]).args(words);
        process::run(command.env("EQ_DBPASSWORD", password), b"")
    };
    let run = check("wrong", &[]);
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(run.out.starts_with("unknown: "), "{run:?}");
    assert_eq!(run.out.lines().count(), 1, "{run:?}");
    let run = check("wrong", &["--json"]);
    let answer: serde_json::Value = serde_json::from_str(&run.out).expect("JSON");
    assert_eq!(answer["result"], "unknown");
    let run = check(PASSWORD, &["--max-lag", "soon"]);
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(run.out.contains("is not a time"), "{run:?}");
    wait_for("the log to tell", LONG, || {
        (told(&server, "access refused") > 0).then_some(())
    });
}
