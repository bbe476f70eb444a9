//! A disk of the log that fails: what FwOnFailure says counts there, too.

use std::path::PathBuf;

use dbtests::data::manifest;
use dbtests::programs::needed;
use dbtests::{Folder, Server, Settings, files, follower, process};

use crate::check::says;
use crate::shop::{items, open, sell, try_to_sell, wait_for_trouble};

/// A master whose syncs of the log fail while the file is there that is given.
fn master(folder: &Folder, on_failure: &str) -> (Server, PathBuf) {
    let settings = Settings::master().set("ForwardLog", "FwOnFailure", on_failure);
    behind(folder, settings, "sync.c", "ELOQDB_TEST_SYNC")
}

/// A master with a library between it and the system, which fails while the file is there that is given.
fn behind(folder: &Folder, settings: Settings, source: &str, on: &str) -> (Server, PathBuf) {
    let mut master = Server::create(folder.path(), settings);
    let (library, switch) = (folder.join("failing.so"), folder.join("failing"));
    let mut compiler = needed("cc", "gcc");
    compiler.args(["-shared", "-fPIC", "-O1", "-o"]);
    compiler
        .arg(&library)
        .arg(manifest("operations").join(source));
    process::run(compiler.arg("-ldl"), b"").ok();
    master.set_variable("LD_PRELOAD", &library.display().to_string());
    master.set_variable(on, &switch.display().to_string());
    master.start();
    open(&master);
    sell(&master, 5);
    (master, switch)
}

#[test]
fn a_failed_sync_with_stop_refuses_writes_until_a_restart_or_until_forward_logging_is_given_up() {
    let folder = Folder::new();
    let (mut master, switch) = master(&folder, "stop");
    files::write(&switch, "");
    assert_eq!(try_to_sell(&master), Err("58030".to_owned()));
    let trouble = wait_for_trouble(&master, Some("until the server is restarted"));
    assert!(trouble.contains("can't sync"), "{trouble}");
    std::fs::remove_file(&switch).unwrap();
    // Nobody knows what the disk has: that it could be synced again does not help.
    dbtests::waiting::pause(std::time::Duration::from_millis(2500));
    assert_eq!(try_to_sell(&master), Err("58030".to_owned()));
    assert_eq!(items(&master), 5);
    master.kill9();
    master.start();
    // The refused one may have reached the disk: whole, or not at all.
    let rows = items(&master);
    assert!((5..=6).contains(&rows), "{rows}");
    wait_for_trouble(&master, None);
    files::write(&switch, "");
    assert_eq!(try_to_sell(&master), Err("58030".to_owned()));
    wait_for_trouble(&master, Some("until the server is restarted"));
    master.dbctl(&["forwardlog", "disable"]).ok();
    sell(&master, 5);
    assert_eq!(items(&master), rows + 5);
    wait_for_trouble(&master, None);
}

#[test]
fn a_failed_sync_with_disable_goes_on_without_forward_logging() {
    let folder = Folder::new();
    let (mut master, switch) = master(&folder, "disable");
    let mut slave = Server::create(folder.path(), Settings::slave());
    slave.start();
    follower::replicate(&master, &slave, &["-S"]).ok();
    files::write(&switch, "");
    assert_eq!(try_to_sell(&master), Err("58030".to_owned()));
    wait_for_trouble(&master, Some("forward logging was given up"));
    sell(&master, 5);
    assert_eq!(items(&master), 10, "what was refused is not there");
    let told = follower::replicate(&master, &slave, &["-S"]).fails(5);
    assert!(told.contains("re-synchronize"), "{told}");
    assert_eq!(items(&slave), 5);
    master.kill9();
    std::fs::remove_file(&switch).unwrap();
    master.start();
    assert_eq!(items(&master), 10);
    let status = master.command("forwardlog status");
    assert!(status["segment"].starts_with("fw-2-"), "{status:?}");
    let told = follower::replicate(&master, &slave, &["-S"]).fails(5);
    assert!(told.contains("re-synchronize"), "{told}");
}

/// By themselves, with the pauses between them, it would be 6 in a minute.
const ATTEMPTS: usize = 30;

#[test]
fn a_full_data_disk_is_a_few_lines_however_often_a_checkpoint_is_tried() {
    let folder = Folder::new();
    let (master, switch) = behind(&folder, Settings::master(), "space.c", "ELOQDB_TEST_SPACE");
    files::write(&switch, "");
    let before = master.log().lines().count();
    for _ in 0..ATTEMPTS {
        sell(&master, 1);
        let refused = master.dbctl(&["checkpoint"]).fails(1);
        assert!(refused.contains("No space left on device"), "{refused}");
    }
    let log = master.log();
    assert_eq!(log.matches("checkpoint failed").count(), 1, "{log}");
    assert!(log.lines().count() < before + 5, "{log}");
    let trouble = master.command("status").remove("checkpoint trouble");
    let trouble = trouble.expect("it fails");
    assert!(trouble.contains("No space left"), "{trouble}");
    for said in [&trouble, &log] {
        assert!(said.contains("Free space on that disk"), "{said}");
    }
    says(&master, "warning: checkpoints fail since ");
    std::fs::remove_file(&switch).expect("removed");
    master.dbctl(&["checkpoint"]).ok();
    says(&master, "warning: no slave has been connected");
    let log = master.log();
    let words = format!("checkpoints succeed again failures={ATTEMPTS} since=");
    assert_eq!(log.matches(&words).count(), 1, "{log}");
    assert_eq!(master.command("status")["checkpoint trouble"], "");
}
