//! Files and directories of the log that somebody removes, renames or replaces under a running server.

use std::path::{Path, PathBuf};

use dbtests::{
    Cluster, Folder, LONG, Server, Settings, compare, files, follower, process, programs, wait_for,
};
use fwlog::POSITION_FILE;

use crate::shop::{
    items, open, open_segment, sell, told, try_to_sell, wait_for_log, wait_for_trouble,
};

const RESTORED: &str = "has been written once more";

fn master(folder: &Folder, settings: Settings) -> Server {
    let mut master = Server::create(folder.path(), settings);
    master.start();
    open(&master);
    sell(&master, 10);
    master
}

fn rename(from: &Path, to: &Path) {
    let moved = std::process::Command::new("mv")
        .arg("-T")
        .arg(from)
        .arg(to)
        .status();
    assert!(moved.expect("mv").success());
}

/// Takes the open segment away in one of many ways.
type TakeAway = fn(&Path);

const WAYS: [(&str, TakeAway); 4] = [
    ("removed", |path| {
        std::fs::remove_file(path).expect("a file there");
    }),
    ("renamed", |path| rename(path, &path.with_extension("bak"))),
    ("replaced by a copy", |path| {
        let copy = path.with_extension("copy");
        std::fs::copy(path, &copy).expect("a file there");
        rename(&copy, path);
    }),
    ("replaced by something else", |path| {
        std::fs::remove_file(path).expect("a file there");
        files::write(path, "something else");
    }),
];

#[test]
fn the_open_segment_that_is_taken_away_is_written_once_more_and_nothing_is_lost() {
    let folder = Folder::new();
    let mut master = master(&folder, Settings::master());
    let mut slave = Server::create(folder.path(), Settings::slave());
    slave.start();
    let mut follower = dbtests::Follower::start(folder.path(), &master, &slave);
    let mut rows = 10;
    for (way, take_away) in WAYS {
        // Before the next commit is acknowledged …
        take_away(&open_segment(&master));
        sell(&master, 5);
        rows += 5;
        master.kill9();
        master.start();
        assert_eq!(items(&master), rows, "{way}, and a crash after a commit");
        // … and within a second where nobody commits.
        let before = told(&master, RESTORED);
        take_away(&open_segment(&master));
        wait_for_log(&master, RESTORED, before);
        master.kill9();
        master.start();
        assert_eq!(items(&master), rows, "{way}, and a crash after a moment");
        assert!(follower.is_running(), "{way}: {}", follower.output());
    }
    wait_for("the slave to have all", LONG, || {
        (items(&slave) == rows).then_some(())
    });
    follower.stop();
    follower::replicate(&master, &slave, &["-S"]).ok();
    compare::databases(&master, &slave);
    compare::logs(&master, &slave);
}

#[test]
fn a_follower_reads_on_in_the_segment_that_was_written_once_more() {
    let cluster = Cluster::start();
    open(&cluster.master);
    let mut follower = cluster.follow();
    sell(&cluster.master, 5);
    cluster.wait_for_slave(&mut follower);
    std::fs::remove_file(open_segment(&cluster.master)).unwrap();
    sell(&cluster.master, 5);
    cluster.wait_for_slave(&mut follower);
    assert_eq!(items(&cluster.slave), 10);
    follower.stop();
    assert_eq!(
        follower
            .output()
            .matches("found synchronization point")
            .count(),
        1
    );
    cluster.compare();
}

#[test]
fn the_position_file_that_is_taken_away_comes_back_within_a_second() {
    let cluster = Cluster::start();
    open(&cluster.master);
    cluster.synchronize();
    let position = cluster.master.fwlog_dir().join(POSITION_FILE);
    for take_away in [
        |path: &Path| std::fs::remove_file(path).unwrap(),
        |path: &Path| {
            rename(path, &path.with_extension("bak"));
        },
    ] {
        sell(&cluster.master, 5);
        take_away(&position);
        // The log tells of it at once, and counts what comes soon after.
        wait_for("the position file to come back", LONG, || {
            position.exists().then_some(())
        });
        cluster.synchronize();
    }
    assert!(told(&cluster.master, RESTORED) >= 1);
    assert_eq!(items(&cluster.slave), 10);
    cluster.compare();
}

#[test]
fn a_segment_that_a_restart_needs_is_missed_and_a_checkpoint_makes_the_restart_do_without() {
    let folder = Folder::new();
    let mut master = master(&folder, Settings::master());
    master.dbctl(&["checkpoint"]).ok();
    let needed = open_segment(&master);
    master.dbctl(&["forwardlog", "switch"]).ok();
    sell(&master, 5);
    // The watch has seen the new segment.
    let redo = |server: &Server| server.command("status").remove("redo position");
    let before = redo(&master);
    wait_for("the guard to have seen the segment", dbtests::SHORT, || {
        dbtests::waiting::pause(std::time::Duration::from_millis(1500));
        Some(())
    });
    std::fs::remove_file(&needed).unwrap();
    wait_for_log(
        &master,
        "a restart does not need the missing segments any more",
        0,
    );
    assert!(
        master
            .log()
            .contains(&format!("{} is gone", needed.display()))
    );
    assert_ne!(redo(&master), before);
    master.kill9();
    master.start();
    assert_eq!(items(&master), 15);
    // A segment before the redo point may go without a word.
    let told_before = told(&master, "is gone");
    let old = files::list(&master.fwlog_dir(), "fw-1-")[0].clone();
    std::fs::remove_file(old).unwrap();
    sell(&master, 5);
    master.restart();
    assert_eq!(items(&master), 20);
    assert_eq!(told(&master, "is gone"), told_before);
}

/// Takes the log directory away from a server that then refuses writes.
fn take_directory_away(master: &Server) -> PathBuf {
    let directory = master.fwlog_dir();
    let away = directory.with_extension("away");
    rename(&directory, &away);
    let trouble = wait_for_trouble(master, Some("writes are refused until that is mended"));
    assert!(trouble.contains("since "), "{trouble}");
    assert_eq!(try_to_sell(master), Err("58030".to_owned()));
    away
}

#[test]
fn without_the_log_directory_writes_are_refused_until_it_is_back() {
    let cluster = Cluster::start();
    let master = &cluster.master;
    open(master);
    sell(master, 10);
    let mut follower = cluster.follow();
    cluster.wait_for_slave(&mut follower);
    let away = take_directory_away(master);
    assert_eq!(items(master), 10, "readers go on");
    let status = master.dbctl(&["forwardlog", "status"]).ok();
    assert!(status.contains("unknown: "), "{status}");
    follower.wait_for_line("trying again");
    rename(&away, &master.fwlog_dir());
    wait_for_trouble(master, None);
    sell(master, 5);
    cluster.wait_for_slave(&mut follower);
    assert_eq!(items(&cluster.slave), 15);
    follower.stop();
    cluster.compare();
}

#[test]
fn a_crash_without_the_log_directory_loses_nothing_even_if_it_never_comes_back() {
    let folder = Folder::new();
    let mut master = master(&folder, Settings::master());
    let mut slave = Server::create(folder.path(), Settings::slave());
    slave.start();
    follower::replicate(&master, &slave, &["-S"]).ok();
    take_directory_away(&master);
    wait_for_log(&master, "was saved in the data files", 0);
    master.kill9();
    let told = master
        .try_start()
        .expect_err("there is no directory")
        .fails(1);
    assert!(
        told.contains(&master.fwlog_dir().display().to_string()),
        "{told}"
    );
    // The way out where it is lost for good: an empty one.
    std::fs::create_dir(master.fwlog_dir()).unwrap();
    master.start();
    assert_eq!(items(&master), 10);
    sell(&master, 5);
    // A slave that had everything goes on.
    follower::replicate(&master, &slave, &["-S"]).ok();
    assert_eq!(items(&slave), 15);
    compare::databases(&master, &slave);
}

#[test]
fn without_the_log_directory_forward_logging_can_be_given_up_by_hand_or_by_configuration() {
    for setting in ["stop", "disable"] {
        let folder = Folder::new();
        let settings = Settings::master().set("ForwardLog", "FwOnFailure", setting);
        let mut master = master(&folder, settings);
        let mut slave = Server::create(folder.path(), Settings::slave());
        slave.start();
        follower::replicate(&master, &slave, &["-S"]).ok();
        if setting == "stop" {
            take_directory_away(&master);
            master.dbctl(&["forwardlog", "disable"]).ok();
            assert_eq!(wait_for_trouble(&master, None), "");
        } else {
            rename(
                &master.fwlog_dir(),
                &master.fwlog_dir().with_extension("away"),
            );
            let trouble = wait_for_trouble(&master, Some("forward logging was given up"));
            assert!(trouble.contains("re-synchronized"), "{trouble}");
        }
        assert_eq!(
            master.command("forwardlog status")["forward log"],
            "disabled"
        );
        sell(&master, 5);
        master.kill9();
        std::fs::create_dir(master.fwlog_dir()).unwrap();
        master.start();
        assert_eq!(items(&master), 15, "{setting}");
        let status = master.command("forwardlog status");
        assert_eq!(status["forward log"], "enabled", "as configured");
        assert!(status["segment"].starts_with("fw-2-"), "{status:?}");
        let told = follower::replicate(&master, &slave, &["-S"]).fails(5);
        assert!(told.contains("hint: "), "{told}");
    }
}

#[test]
fn a_slaves_files_that_are_taken_away_come_back_too() {
    let mut cluster = Cluster::start();
    open(&cluster.master);
    sell(&cluster.master, 5);
    cluster.synchronize();
    let mut rows = 5;
    for (way, take_away) in WAYS {
        let before = told(&cluster.slave, RESTORED);
        take_away(&open_segment(&cluster.slave));
        wait_for_log(&cluster.slave, RESTORED, before);
        let mut follower = cluster.follow();
        sell(&cluster.master, 5);
        rows += 5;
        cluster.wait_for_slave(&mut follower);
        take_away(&open_segment(&cluster.slave));
        sell(&cluster.master, 5);
        rows += 5;
        cluster.wait_for_slave(&mut follower);
        follower.stop();
        cluster.slave.kill9();
        cluster.slave.start();
        assert_eq!(items(&cluster.slave), rows, "{way}");
    }
    cluster.compare();
}

#[test]
fn a_slave_without_its_log_directory_refuses_dbrepl_until_that_is_back() {
    let cluster = Cluster::start();
    open(&cluster.master);
    sell(&cluster.master, 5);
    let mut follower = cluster.follow();
    cluster.wait_for_slave(&mut follower);
    let (directory, away) = (
        cluster.slave.fwlog_dir(),
        cluster.slave.folder().join("away"),
    );
    rename(&directory, &away);
    sell(&cluster.master, 5);
    follower.wait_for_line("trying again");
    wait_for_trouble(&cluster.slave, Some("nothing is replicated"));
    // A commit is shown before the disk has it; what is sent again later is applied once.
    let seen = items(&cluster.slave);
    assert!((5..=10).contains(&seen), "readers go on, and see {seen}");
    rename(&away, &directory);
    cluster.wait_for_slave(&mut follower);
    assert_eq!(items(&cluster.slave), 10);
    wait_for_trouble(&cluster.slave, None);
    follower.stop();
    cluster.compare();
}

/// Waits until `status` says what is wrong with the data files, or nothing.
fn wait_for_data_trouble(server: &Server, part: &str) -> String {
    wait_for("the trouble with data files in 'status'", LONG, || {
        let trouble = server.command("status").remove("data trouble")?;
        let as_wanted = trouble.contains(part) && trouble.is_empty() == part.is_empty();
        as_wanted.then_some(trouble)
    })
}

/// Bug: all looked well, `database verify` too, until the next start found no environment.
#[test]
fn data_files_that_are_gone_are_told_before_the_server_is_stopped_and_their_data_can_be_taken_out()
{
    let folder = Folder::new();
    for role in [Settings::master(), Settings::slave()] {
        let mut cluster = Cluster::start();
        open(&cluster.master);
        sell(&cluster.master, 10);
        cluster.synchronize();
        let is_slave = role.name() == Settings::slave().name();
        let server = if is_slave {
            &mut cluster.slave
        } else {
            &mut cluster.master
        };
        for name in ["system.db", "system.db.sum", "control", "lock"] {
            std::fs::remove_file(server.data_dir().join(name)).unwrap();
        }
        std::fs::remove_dir_all(server.data_dir().join("db")).unwrap();
        let trouble = wait_for_data_trouble(server, "gone");
        assert!(trouble.contains("do not stop this server"), "{trouble}");
        assert!(trouble.contains("system.db"), "{trouble}");
        wait_for_log(
            server,
            "are gone (removed, renamed or replaced); do not stop",
            0,
        );
        let checked = server.dbctl(&["replication", "check"]);
        assert_eq!(checked.code, Some(2), "{checked:?}");
        assert!(
            checked.out.contains("do not stop this server"),
            "{checked:?}"
        );
        let verified = server.dbctl(&["database", "verify"]);
        assert_eq!(verified.code, Some(1), "{verified:?}");
        assert!(verified.out.contains("shop.db is gone"), "{verified:?}");
        // No checkpoint says that all is in files which are not there.
        server.dbctl(&["checkpoint"]).fails(1);
        let dump = folder.join(role.name()).join("shop.db");
        std::fs::create_dir_all(dump.parent().expect("a directory")).unwrap();
        server
            .dbctl(&["database", "dump", "shop", &dump.display().to_string()])
            .ok();
        assert!(dump.exists());
        // What the server knows by itself is there again, and no second server comes in.
        wait_for_log(server, "/control was removed", 0);
        let copy = server.data_dir().join("lock");
        assert!(!files::read(&copy).is_empty(), "who runs, in the new lock");
        // The last words do not promise what the log alone can't do; made anew from its beginning it can.
        assert!(!server.process().terminate().success());
        let log = server.log();
        assert!(
            log.contains("data files are gone with this server"),
            "{log}"
        );
        assert!(
            !log.contains("the next start recovers from the log"),
            "{log}"
        );
        server.kill9();
        let told = server.try_start().expect_err("no files").fails(1);
        assert!(!told.contains("there is no environment"), "{told}");
        if let Err(run) = server.try_start_with(&["--rebuild"]) {
            panic!("{run:?}");
        }
        assert_eq!(items(server), 10);
    }
}

#[test]
fn a_data_file_that_comes_back_ends_the_trouble_and_a_lost_control_file_is_made_anew() {
    let folder = Folder::new();
    let mut master = master(&folder, Settings::master());
    let system = master.data_dir().join("system.db");
    let away = system.with_extension("away");
    rename(&system, &away);
    wait_for_data_trouble(&master, "system.db is gone");
    rename(&away, &system);
    wait_for_data_trouble(&master, "");
    let control = master.data_dir().join("control");
    for name in ["control", "lock"] {
        std::fs::remove_file(master.data_dir().join(name)).unwrap();
        wait_for_log(&master, &format!("/{name} was removed or renamed"), 0);
    }
    assert!(control.exists());
    let mut second = programs::ours("dbserver");
    second.arg("-c").arg(master.config_path());
    let told = process::run(&mut second, b"").fails(1);
    assert!(
        told.contains("another server runs the environment"),
        "{told}"
    );
    master.kill9();
    master.start();
    assert_eq!(items(&master), 10);
    master.stop();
}
