//! Files of an instance that can't be used: each is named, and what follows from it is said.

use dbtests::{Cluster, LONG, Server, files, wait_for};
use fwlog::sealed_text::Body;

use crate::shop::{items, open, sell};
use crate::sources::refused;

/// A sealed file of a version that nobody has written yet.
fn of_a_later_version() -> String {
    let mut body = Body::default();
    body.line("version", "2");
    body.seal()
}

/// The server does not start, and says this.
#[track_caller]
fn keeps_from_starting(server: &mut Server, told: &str) {
    let ended = server.try_start().expect_err("a file that can't be used");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.err.contains(told), "{told}: {ended:?}");
}

#[test]
fn what_is_wrong_with_the_files_of_an_instance_is_named() {
    let mut cluster = Cluster::start();
    open(&cluster.master);
    cluster.synchronize();
    let master = &mut cluster.master;
    master.stop();
    for (name, told) in [
        ("history", "has format 2; this server reads 1"),
        ("instances", "has format 2; this server reads 1"),
    ] {
        let path = master.data_dir().join(name);
        let good = files::read(&path);
        files::write(&path, of_a_later_version());
        keeps_from_starting(master, told);
        std::fs::remove_file(&path).expect("a file");
        std::fs::create_dir(&path).expect("a directory");
        keeps_from_starting(master, "cannot read ");
        std::fs::remove_dir(&path).expect("a directory");
        files::write(&path, good);
    }
    let slots = master.data_dir().join("slots");
    files::write(&slots, "version = 1\n");
    master.start();
    let log = master.log();
    let told = "slots is damaged: ";
    assert!(
        log.contains(told) && log.contains("no segment of the forward log is removed"),
        "{log}"
    );
    let refusal = refused(master, "slot list");
    assert!(refusal.message.contains(told), "{refusal:?}");
    assert!(
        refusal.hint.contains("Bring DataDir/slots back"),
        "{refusal:?}"
    );
    sell(master, 2);
    master.stop();
    // What slaves need is learned again.
    std::fs::remove_file(&slots).expect("a file");
    master.start();
    let mut follower = cluster.follow();
    cluster.wait_for_slave(&mut follower);
    wait_for("the slot of the slave", LONG, || {
        let listed = cluster.master.dbctl(&["slot", "list"]).ok();
        listed.contains("slave").then_some(())
    });
    assert_eq!(items(&cluster.slave), 2);
    follower.stop();
    let dropped = cluster.master.dbctl(&["slot", "drop", "slave", "--yes"]);
    assert_eq!(dropped.code, Some(0), "nobody feeds it: {dropped:?}");
}
