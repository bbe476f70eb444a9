//! Files that the server or dbrepl may not read or write, and the permissions of those that they make.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use dbtests::programs::{behind, without_rights};
use dbtests::{Cluster, Folder, Server, Settings, files, follower, process};

use crate::shop::{items, open, open_segment, sell, try_to_sell, wait_for_log, wait_for_trouble};

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, Permissions::from_mode(mode)).expect("a file of ours");
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path)
        .expect("a file")
        .permissions()
        .mode()
        & 0o777
}

/// A master that has no rights beyond those of the owner of its files.
fn master(folder: &Folder, settings: Settings) -> Server {
    let mut master = Server::create(folder.path(), settings);
    master.start_behind(without_rights());
    master.start();
    open(&master);
    sell(&master, 5);
    master
}

#[test]
fn a_start_without_a_permission_names_the_file_and_what_to_do() {
    let folder = Folder::new();
    let mut master = master(&folder, Settings::master());
    master.stop();
    let data = master.data_dir();
    let cases: [(PathBuf, u32); 8] = [
        (data.clone(), 0o000),
        (data.clone(), 0o500),
        (data.join("control"), 0o000),
        (data.join("lock"), 0o400),
        (data.join("system.db"), 0o000),
        (data.join("system.db"), 0o400),
        (master.fwlog_dir(), 0o000),
        (master.fwlog_dir().join(fwlog::POSITION_FILE), 0o400),
    ];
    for (path, without) in cases {
        refused(&mut master, &path, without);
    }
    // A start that failed late may have begun one.
    let newest = files::list(&master.fwlog_dir(), "fw-1-").pop();
    refused(&mut master, &newest.expect("a segment"), 0o000);
    master.start();
    assert_eq!(items(&master), 5);
}

/// A start with this mode of the file fails, and names it.
fn refused(master: &mut Server, path: &Path, without: u32) {
    let before = mode(path);
    set_mode(path, without);
    let started = master.try_start();
    set_mode(path, before);
    let told = started.expect_err(&format!("{} with {without:o}", path.display()));
    let told = told.fails(1);
    assert!(
        told.contains("Permission denied"),
        "{}: {told}",
        path.display()
    );
    assert!(
        told.contains(&path.display().to_string()),
        "it names {}: {told}",
        path.display()
    );
    assert!(told.contains("hint: "), "{}: {told}", path.display());
    assert!(
        told.contains("must belong to the user"),
        "{}: {told}",
        path.display()
    );
}

#[test]
fn a_log_directory_that_may_not_be_written_holds_writes_up_and_not_readers() {
    let folder = Folder::new();
    let mut master = master(&folder, Settings::master());
    let directory = master.fwlog_dir();
    set_mode(&directory, 0o500);
    // What is open goes on; the next segment can't be made.
    sell(&master, 5);
    assert_eq!(master.dbctl(&["forwardlog", "switch"]).code, Some(1));
    let trouble = wait_for_trouble(&master, Some("Permission denied"));
    assert!(
        trouble.contains("writes are refused until that is mended"),
        "{trouble}"
    );
    assert_eq!(try_to_sell(&master), Err("58030".to_owned()));
    assert_eq!(items(&master), 10);
    set_mode(&directory, 0o700);
    wait_for_trouble(&master, None);
    sell(&master, 5);
    // At a start it is the same.
    master.stop();
    set_mode(&directory, 0o500);
    master.start();
    assert_eq!(items(&master), 15);
    wait_for_trouble(&master, Some("Permission denied"));
    set_mode(&directory, 0o700);
    wait_for_trouble(&master, None);
    sell(&master, 5);
    assert_eq!(items(&master), 20);
}

#[test]
fn data_files_that_may_not_be_written_stop_checkpoints_and_nothing_else() {
    let folder = Folder::new();
    let mut master = master(&folder, Settings::master());
    let control = master.data_dir();
    set_mode(&control, 0o500);
    let told = master.dbctl(&["checkpoint"]).fails(1);
    // How far the data files may be is noted before them.
    assert!(
        told.contains("Permission denied") && told.contains("data_up_to"),
        "{told}"
    );
    sell(&master, 5);
    set_mode(&control, 0o700);
    master.dbctl(&["checkpoint"]).ok();
    master.kill9();
    master.start();
    assert_eq!(items(&master), 10);
}

#[test]
fn dbrepl_without_permission_to_read_says_how_to_get_it() {
    let cluster = Cluster::start();
    open(&cluster.master);
    sell(&cluster.master, 5);
    let newest = open_segment(&cluster.master);
    let directory = cluster.master.fwlog_dir();
    let position = directory.join(fwlog::POSITION_FILE);
    for path in [newest, directory, position] {
        let before = mode(&path);
        set_mode(&path, 0o000);
        let command = follower::dbrepl(&cluster.master, &cluster.slave, &["-S"]);
        let run = process::run(&mut behind(without_rights(), &command), b"");
        set_mode(&path, before);
        let told = run.fails(1);
        assert!(told.contains("Permission denied"), "{told}");
        assert!(told.contains(&path.display().to_string()), "{told}");
        assert!(
            told.contains("GroupReadAccess"),
            "it says what to do: {told}"
        );
    }
    cluster.synchronize();
    assert_eq!(items(&cluster.slave), 5);
}

/// All files below a directory with their permissions.
fn modes(directory: &Path, found: &mut BTreeMap<String, u32>) {
    for path in files::list(directory, "") {
        if path.is_dir() {
            found.insert(format!("{}/", files::name(&path)), mode(&path));
            modes(&path, found);
        } else {
            found.insert(files::name(&path), mode(&path));
        }
    }
}

#[test]
fn every_file_has_its_permissions_whoever_makes_it_and_whatever_the_umask() {
    for umask in ["000", "077"] {
        for (access, segment, log_directory) in [("0", 0o600, 0o700), ("1", 0o640, 0o750)] {
            let folder = Folder::new();
            let words = ["sh", "-c", &format!("umask {umask}; exec \"$@\""), "sh"];
            let make = |settings: Settings| {
                let settings = settings
                    .set("ForwardLog", "GroupReadAccess", access)
                    .set("Server", "LogFile", "logs.log");
                let mut server = Server::prepare(folder.path(), settings);
                server.start_behind(&words);
                server.init().ok();
                server.start();
                server
            };
            let (mut master, mut slave) = (make(Settings::master()), make(Settings::slave()));
            open(&master);
            sell(&master, 5);
            master.dbctl(&["forwardlog", "switch"]).ok();
            let dbrepl = follower::dbrepl(&master, &slave, &["-S"]);
            process::run(&mut behind(&words, &dbrepl), b"").ok();
            // Recovery, and what it makes.
            for server in [&mut master, &mut slave] {
                server.kill9();
                std::fs::remove_file(server.fwlog_dir().join(fwlog::POSITION_FILE)).unwrap();
                server.start();
                server.dbctl(&["checkpoint"]).ok();
            }
            for server in [&master, &slave] {
                let mut found = BTreeMap::new();
                modes(&server.data_dir(), &mut found);
                assert!(found.len() > 5, "{found:?}");
                for (name, mode) in &found {
                    let wanted = if name.ends_with('/') { 0o700 } else { 0o600 };
                    assert_eq!(*mode, wanted, "umask {umask}: {name}: {mode:o}");
                }
                assert_eq!(mode(&server.data_dir()), 0o700);
                assert_eq!(mode(&server.fwlog_dir()), log_directory, "umask {umask}");
                let mut found = BTreeMap::new();
                modes(&server.fwlog_dir(), &mut found);
                for (name, mode) in &found {
                    if name.starts_with("fw") {
                        assert_eq!(*mode, segment, "umask {umask}: {name}: {mode:o}");
                    } else {
                        assert_eq!(mode & 0o027, 0, "umask {umask}: {name}: {mode:o}");
                    }
                }
                let log = mode(&server.folder().join("logs.log"));
                assert_eq!(log & 0o027, 0, "umask {umask}: {log:o}");
            }
        }
    }
}

#[test]
fn group_read_access_holds_from_the_next_start_on_for_what_there_is() {
    let mut cluster = Cluster::start();
    open(&cluster.master);
    cluster.master.dbctl(&["forwardlog", "switch"]).ok();
    cluster.synchronize();
    for server in [&mut cluster.master, &mut cluster.slave] {
        for (access, segment, directory) in [("1", 0o640, 0o750), ("0", 0o600, 0o700)] {
            server.stop();
            server.reconfigure(|settings| settings.set("ForwardLog", "GroupReadAccess", access));
            server.start();
            assert_eq!(mode(&server.fwlog_dir()), directory);
            let files = files::list(&server.fwlog_dir(), "fw");
            assert!(files.len() > 3, "{files:?}");
            for path in files {
                assert_eq!(mode(&path), segment, "{}", path.display());
            }
        }
        // What a person has chosen stays.
        server.stop();
        set_mode(&server.fwlog_dir(), 0o755);
        server.start();
        assert_eq!(mode(&server.fwlog_dir()), 0o755);
    }
}

#[test]
fn a_data_directory_that_is_open_to_others_is_told_of() {
    let folder = Folder::new();
    let mut master = Server::create(folder.path(), Settings::master());
    master.start();
    assert!(!master.log().contains("open to others"));
    master.stop();
    set_mode(&master.data_dir(), 0o755);
    master.start();
    wait_for_log(&master, "is open to others (mode 755)", 0);
    assert!(master.log().contains("chmod 700"), "{}", master.log());
}

/// Bug: a start as root left files that the owner's server could not read any more.
#[test]
fn nobody_but_the_owner_of_its_directory_serves_an_environment() {
    const NOBODY: u32 = 65534;
    let folder = Folder::new();
    let mut master = Server::create(folder.path(), Settings::master());
    let data = master.data_dir();
    if std::os::unix::fs::chown(&data, Some(NOBODY), None).is_err() {
        // Only root can give files away.
        return;
    }
    let empty = Server::prepare(folder.path(), Settings::new("other", "Master"));
    std::fs::create_dir(empty.data_dir()).expect("a directory");
    std::os::unix::fs::chown(empty.data_dir(), Some(NOBODY), None).expect("root");
    let before = files::list(&data, "").len();
    let runs = [
        master.try_start().expect_err("another's"),
        master
            .try_start_with(&["--rebuild"])
            .expect_err("another's"),
        empty.init(),
    ];
    for run in runs {
        let told = run.fails(1);
        assert!(told.contains("belongs to"), "{told}");
        assert!(
            told.contains("(uid 65534)") || told.contains("uid 65534"),
            "{told}"
        );
        assert!(told.contains("hint: Run it as its owner"), "{told}");
    }
    assert_eq!(files::list(&data, "").len(), before, "nothing was made");
    assert_eq!(files::list(&empty.data_dir(), "").len(), 0);
    let mut check = dbtests::programs::ours("dbserver");
    check.arg("-c").arg(master.config_path()).arg("--check");
    let found = process::run(&mut check, b"");
    assert_eq!(found.code, Some(1), "{found:?}");
    assert!(found.out.contains("belongs to"), "{found:?}");
    let own = std::fs::metadata(folder.path()).expect("a folder");
    std::os::unix::fs::chown(&data, Some(std::os::unix::fs::MetadataExt::uid(&own)), None)
        .expect("root");
    master.start();
}
