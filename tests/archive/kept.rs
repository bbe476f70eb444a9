//! The master keeps its log until it is archived.

use dbtests::{Follower, LONG, wait_for};
use serde_json::Value;

use crate::support::Archived;

fn slot(archived: &Archived) -> Value {
    let told = archived.master.dbctl(&["slot", "list", "--json"]).ok();
    let slots: Value = serde_json::from_str(&told).expect("JSON");
    slots[0].clone()
}

fn removable(archived: &Archived) -> String {
    let words = ["forwardlog", "remove", "--keep", "0", "--dry-run", "--json"];
    archived.master.dbctl(&words).ok()
}

#[test]
fn the_log_is_kept_for_an_archive_as_for_a_slave() {
    let archived = Archived::start();
    archived.grow(2);
    archived.archive(&[]).ok();
    wait_for("a slot", LONG, || {
        (slot(&archived)["name"] == "archive.backup").then_some(())
    });
    // Nobody archives what comes now.
    archived.grow(3);
    archived.master.dbctl(&["checkpoint"]).ok();
    wait_for("the archive alone to need it", LONG, || {
        let told = removable(&archived);
        told.contains("slave archive.backup needs it").then_some(())
    });
    let mut follower = Follower::run(
        archived.dbrepl(&["-v", "--interval", "10ms"]),
        archived.folder.join("dbrepl.log"),
    );
    wait_for("the archive to need nothing more", LONG, || {
        let told = removable(&archived);
        (!told.contains("archive.backup")).then_some(())
    });
    let status = archived.master.dbctl(&["replication", "status"]).ok();
    assert!(status.contains("archive.backup"), "{status}");
    follower.stop();
    assert!(
        archived
            .dbctl(&["verify"])
            .ok()
            .contains("nothing is missing")
    );
}
