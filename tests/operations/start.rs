//! What a start says of an environment that is not as it should be, and that nothing was changed by it.

use std::path::{Path, PathBuf};

use dbtests::{Folder, PASSWORD, Server, Settings, files, process, programs};
use fwlog::{DurableEnd, POSITION_FILE};

use crate::shop::{items, open, sell, told};

/// What somebody has done to the files of a stopped server.
struct Case {
    what: &'static str,
    /// Does it; the path is of the folder that has `data` and `fwlog`.
    harm: Harm,
    /// What the server says.
    says: &'static [&'static str],
}

fn data(folder: &Path, name: &str) -> PathBuf {
    folder.join("data").join(name)
}

fn log(folder: &Path, name: &str) -> PathBuf {
    folder.join("fwlog").join(name)
}

fn remove(path: &Path) {
    std::fs::remove_file(path).expect("a file");
}

/// The control file with another version, and the hash that fits.
fn newer_control(folder: &Path) {
    let path = data(folder, "control");
    let text = String::from_utf8(files::read(&path)).expect("text");
    let old = text.split("blake3 = ").next().expect("a body");
    let body = old.replace("version = 3\n", "version = 4\n");
    assert_ne!(body, old, "the control file has another version by now");
    let hash = blake3::hash(body.as_bytes()).to_hex();
    files::write(&path, format!("{body}blake3 = {hash}\n"));
}

/// `fw.position` that claims more than there is.
fn position_ahead(folder: &Path) {
    let directory = folder.join("fwlog");
    let mut end = DurableEnd::read(&disk::Disk::real(), &directory)
        .expect("readable")
        .expect("there");
    end.durable.point.position.offset += 100;
    files::write(&directory.join(POSITION_FILE), end.encode());
}

/// Segments of the run that was killed: 1-3, 1-4, 1-5, the last one open.
const REFUSED: &[Case] = &[
    Case {
        what: "no DataDir",
        harm: |folder| std::fs::remove_dir_all(folder.join("data")).expect("a directory"),
        says: &["there is no environment in", "data", "init"],
    },
    Case {
        what: "no control file",
        harm: |folder| remove(&data(folder, "control")),
        says: &[
            "control is missing, and there is",
            "system.db",
            "hint: Bring DataDir back",
        ],
    },
    Case {
        what: "a control file with a flipped bit",
        harm: |folder| files::flip(&data(folder, "control"), 40),
        says: &["control file", "is damaged", "hint: Bring DataDir back"],
    },
    Case {
        what: "a control file that is cut off",
        harm: |folder| files::cut(&data(folder, "control"), 60),
        says: &["control file", "cut off"],
    },
    Case {
        what: "a control file of another version",
        harm: newer_control,
        says: &[
            "control file",
            "was written by a newer server: it has version 4, and this server reads 3",
            "hint: Use the server",
        ],
    },
    Case {
        what: "no log directory",
        harm: |folder| std::fs::remove_dir_all(folder.join("fwlog")).expect("a directory"),
        says: &["log directory", "fwlog"],
    },
    Case {
        what: "an empty log directory",
        harm: |folder| {
            std::fs::remove_dir_all(folder.join("fwlog")).expect("a directory");
            std::fs::create_dir(folder.join("fwlog")).expect("a directory");
        },
        says: &["does not have what recovery needs", "hint: "],
    },
    Case {
        what: "a segment missing in the middle",
        harm: |folder| remove(&log(folder, "fw-1-4")),
        says: &[
            "fw-1-5",
            "segment 1-4 is missing",
            "hint: Bring the missing segment back; the master, a slave or a backup",
        ],
    },
    Case {
        what: "the newest segment missing",
        harm: |folder| remove(&log(folder, "fw-1-5")),
        says: &[
            "fw-1-4",
            "was durable up to 1-5",
            "hint: Bring the missing segment back; the master, a slave or a backup",
        ],
    },
    Case {
        what: "a sealed segment cut off",
        harm: |folder| files::cut(&log(folder, "fw-1-4"), 300),
        says: &["fw-1-4", "damaged at offset", "hint: "],
    },
    Case {
        what: "the newest segment cut off before its durable end",
        harm: |folder| files::cut(&log(folder, "fw-1-5"), 300),
        says: &["fw-1-5", "damaged at offset", "hint: "],
    },
    Case {
        what: "an empty newest segment",
        harm: |folder| files::cut(&log(folder, "fw-1-5"), 0),
        says: &["fw-1-5", "not a forward-log segment"],
    },
    Case {
        what: "fw.position ahead of the log",
        harm: position_ahead,
        says: &["was durable up to 1-5"],
    },
    Case {
        what: "a segment under another one's name",
        harm: |folder| {
            std::fs::copy(log(folder, "fw-1-3"), log(folder, "fw-1-5")).expect("a copy");
        },
        says: &["fw-1-5", "holds segment 1-3", "hint: "],
    },
    Case {
        what: "a data file missing",
        harm: |folder| {
            for path in files::list(&folder.join("data/db"), "") {
                remove(&path);
            }
        },
        says: &["data/db"],
    },
];

#[test]
fn a_start_on_harmed_files_says_what_is_wrong_and_changes_nothing() {
    let folder = Folder::new();
    let mut master = Server::create(folder.path(), Settings::master());
    master.start();
    open(&master);
    sell(&master, 5);
    master.dbctl(&["checkpoint"]).ok();
    for _ in 0..2 {
        sell(&master, 5);
        master.dbctl(&["forwardlog", "switch"]).ok();
    }
    sell(&master, 5);
    master.kill9();
    let kept = folder.join("kept");
    for part in ["data", "fwlog"] {
        files::copy_directory(&master.folder().join(part), &kept.join(part));
    }
    for Case { what, harm, says } in REFUSED {
        harm(master.folder());
        let run = master.try_start().expect_err(what);
        assert_eq!(run.code, Some(1), "{what}: {run:?}");
        for part in *says {
            assert!(
                run.err.contains(part),
                "{what}: '{part}' is missing: {}",
                run.err
            );
        }
        for part in ["data", "fwlog"] {
            let own = master.folder().join(part);
            if own.exists() {
                std::fs::remove_dir_all(&own).unwrap();
            }
            files::copy_directory(&kept.join(part), &own);
        }
    }
    master.start();
    assert_eq!(items(&master), 20);
    // What is running is not started twice.
    let told = master.dbctl(&["init"]).fails(1);
    assert!(told.contains("there is an environment"), "{told}");
}

/// Does something to the files of a stopped server.
type Harm = fn(&Path);

#[test]
fn what_a_start_can_mend_by_itself_it_mends() {
    let folder = Folder::new();
    let mut master = Server::create(folder.path(), Settings::master());
    master.start();
    open(&master);
    sell(&master, 5);
    let mut rows = 5;
    let cases: [(&str, Harm); 4] = [
        ("no fw.position", |folder| {
            remove(&log(folder, POSITION_FILE));
        }),
        ("garbage in fw.position", |folder| {
            files::write(&log(folder, POSITION_FILE), vec![7; 108]);
        }),
        ("an old fw.position", |folder| {
            std::fs::copy(folder.join("old.position"), log(folder, POSITION_FILE)).expect("a copy");
        }),
        (
            "what a crash leaves of files that were being made",
            |folder| {
                files::write(&log(folder, "fw-1-99.new"), "half");
                files::write(&data(folder, "control.new"), "half");
            },
        ),
    ];
    std::fs::copy(
        log(master.folder(), POSITION_FILE),
        master.folder().join("old.position"),
    )
    .unwrap();
    for (what, harm) in cases {
        sell(&master, 5);
        rows += 5;
        master.kill9();
        harm(master.folder());
        master.start();
        assert_eq!(items(&master), rows, "{what}");
    }
}

#[test]
fn an_environment_whose_control_file_is_lost_is_not_made_anew() {
    let folder = Folder::new();
    let mut master = Server::create(folder.path(), Settings::master());
    master.start();
    open(&master);
    sell(&master, 5);
    master.stop();
    let control = data(master.folder(), "control");
    let kept = files::read(&control);
    remove(&control);
    let checked = master.try_start_with(&["--check"]).expect_err("a check");
    assert!(checked.err.contains("error: "), "{checked:?}");
    assert!(checked.err.contains("control is missing"), "{checked:?}");
    master.reconfigure(|settings| settings.set("ForwardLog", "FwLog", "new/fw-%N"));
    let refused = |file: &str| {
        let told = master.dbctl(&["init"]).fails(1);
        assert!(told.contains("control is missing, and there is"), "{told}");
        assert!(told.contains(file), "{told}");
    };
    refused("system.db");
    let system = files::hide(&data(master.folder(), "system.db"));
    refused("shop.db");
    assert!(!control.exists());
    files::unhide(&system);
    master.reconfigure(|settings| settings.set("ForwardLog", "FwLog", "fwlog/fw-%N"));
    files::write(&control, kept);
    master.start();
    assert_eq!(items(&master), 5);
}

#[test]
fn a_check_says_what_a_start_would_say() {
    let folder = Folder::new();
    let mut slave = Server::create(folder.path(), Settings::slave());
    let cases: [(&str, &str, &str, &str); 3] = [
        ("Replication", "TmpDir", "nowhere", "nowhere"),
        ("Replication", "Role", "Master", "has not met a master yet"),
        ("Server", "LogFile", "syslog", "/dev/log"),
    ];
    for (section, key, value, says) in cases {
        if key == "LogFile" && Path::new("/dev/log").exists() {
            continue;
        }
        let before = slave.settings().clone();
        slave.reconfigure(|settings| settings.set(section, key, value));
        let checked = slave.try_start_with(&["--check"]).expect_err("a check");
        assert_eq!(checked.code, Some(1), "{key}: {checked:?}");
        let line = checked.err.lines().find(|line| line.starts_with("error: "));
        assert!(line.is_some_and(|line| line.contains(says)), "{checked:?}");
        let started = slave.try_start().expect_err("a start").fails(1);
        assert!(started.contains(says), "{key}: {started}");
        slave.reconfigure(|_| before);
    }
    slave.start();
}

#[test]
fn a_log_that_begins_anew_after_a_clean_stop_is_told_of() {
    let folder = Folder::new();
    let mut master = Server::create(folder.path(), Settings::master());
    master.start();
    open(&master);
    sell(&master, 5);
    let anew = "WARN dbserver::environment::redo: the log begins anew in ";
    for rows in [5, 10] {
        master.stop();
        assert_eq!(told(&master, anew), usize::from(rows > 5));
        let newest = files::list(&master.fwlog_dir(), "fw-1-").pop();
        match rows {
            5 => remove(&newest.expect("a segment")),
            _ => master.reconfigure(|settings| settings.set("ForwardLog", "FwLog", "new/fw-%N")),
        }
        std::fs::create_dir_all(master.folder().join("new")).expect("a directory");
        master.start();
        assert_eq!(told(&master, anew), rows / 5, "{}", master.log());
        assert_eq!(items(&master), u32::try_from(rows).expect("few"));
        sell(&master, 5);
    }
}

#[test]
fn a_log_of_another_environment_is_refused() {
    let folder = Folder::new();
    let mut one = Server::create(folder.path(), Settings::master());
    let mut other = Server::create(folder.path(), Settings::new("other", "Master"));
    for server in [&mut one, &mut other] {
        server.start();
        open(server);
        server.kill9();
    }
    let mine = folder.join("mine");
    files::copy_directory(&one.fwlog_dir(), &mine);
    std::fs::remove_dir_all(one.fwlog_dir()).unwrap();
    files::copy_directory(&other.fwlog_dir(), &one.fwlog_dir());
    let told = one.try_start().expect_err("it is another's").fails(1);
    assert!(told.contains("does not have what recovery needs"), "{told}");
    assert!(
        told.contains("hint: Set FwLog to where the segments are"),
        "{told}"
    );
    std::fs::remove_dir_all(one.fwlog_dir()).unwrap();
    files::copy_directory(&mine, &one.fwlog_dir());
    one.start();
    assert_eq!(items(&one), 0);
}

/// A master whose limit of open files is `limit`.
fn limited(folder: &Folder, limit: u32) -> Server {
    let mut master = Server::create(folder.path(), Settings::master());
    let raise = format!("ulimit -n {limit}; exec \"$@\"");
    master.start_behind(&["sh", "-c", &raise, "sh"]);
    master.start();
    master
}

#[test]
fn too_few_open_files_are_told_at_the_start_and_when_they_are_used_up_in_a_few_lines() {
    let folder = Folder::new();
    let master = limited(&folder, 100);
    let log = master.log();
    assert!(
        log.contains("too low for MaxSessions = 1000: raise it (LimitNOFILE="),
        "{log}"
    );
    let before = log.lines().count();
    let many: Vec<_> = (0..60)
        .map(|_| std::net::TcpStream::connect(master.address()).expect("the system accepts"))
        .collect();
    crate::shop::wait_for_log(&master, "the limit of open files is reached", 0);
    dbtests::waiting::pause(std::time::Duration::from_secs(2));
    let lines = master.log().lines().count() - before;
    assert!(lines < 20, "{lines} lines: {}", master.log());
    drop(many);
}

#[test]
fn what_strangers_do_at_the_port_again_and_again_is_a_few_lines() {
    let folder = Folder::new();
    let mut master = Server::create(folder.path(), Settings::master());
    master.start();
    for _ in 0..5 {
        drop(std::net::TcpStream::connect(master.address()).expect("a port"));
    }
    for number in 0..40 {
        let mut config = tokio_postgres::Config::new();
        config
            .host("127.0.0.1")
            .port(master.address().port())
            .user(format!("stranger{number}"))
            .password("guessed")
            .dbname("system");
        assert!(dbtests::Client::with(&config).is_err());
    }
    let log = master.log();
    assert_eq!(log.matches("access refused").count(), 3, "{log}");
    assert!(!log.contains("has left before it was let in"), "{log}");
}

/// Bug: dbctl said that nobody knows the port, which stands in the environment of its configuration.
#[test]
fn dbctl_finds_a_server_that_has_picked_its_port() {
    let folder = Folder::new();
    let mut server = Server::create(folder.path(), Settings::new("north", "Standalone"));
    server.start();
    let text = String::from_utf8(files::read(&server.config_path())).expect("text");
    let lines = text.lines().map(|line| match line.split_once('=') {
        Some((key, _)) if key.trim() == "Service" => "Service = 0",
        _ => line,
    });
    let text: Vec<&str> = lines.collect();
    let picked = server.config_path().with_file_name("picked.cfg");
    files::write(&picked, text.join("\n"));
    let dbctl = || {
        let mut command = programs::ours("dbctl");
        command.env("EQ_DBPASSWORD", PASSWORD).arg("-c");
        process::run(command.arg(&picked).arg("status"), b"")
    };
    assert!(dbctl().ok().contains("north"));
    server.stop();
    assert_eq!(dbctl().code, Some(3));
}
