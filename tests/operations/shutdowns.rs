//! `dbctl shutdown`: when it returns, a script may go on with the files, and it says how the stop was.

use std::fs::File;

use dbtests::{Folder, Server, Settings};

use crate::shop::{items, open, sell};

#[test]
fn when_dbctl_says_that_the_server_has_stopped_the_environment_is_free() {
    let folder = Folder::new();
    let mut server = Server::create(folder.path(), Settings::master());
    // Bug: the connection ended now before, now after the lock was free.
    for _ in 0..10 {
        server.start();
        let told = server.dbctl(&["shutdown"]).ok();
        assert!(told.contains("the server has stopped"), "{told}");
        let lock = File::open(server.data_dir().join("lock")).expect("a lock file");
        lock.try_lock().expect("no server holds it");
        drop(lock);
        assert!(server.log().ends_with("stopped\n"), "{}", server.log());
        server.kill9();
    }
}

#[test]
fn a_stop_that_was_not_clean_is_a_failure_of_dbctl_too() {
    let folder = Folder::new();
    let mut server = Server::create(folder.path(), Settings::master());
    server.start();
    open(&server);
    sell(&server, 5);
    let in_the_way = server.data_dir().join("control.new");
    std::fs::create_dir(&in_the_way).expect("a directory");
    let told = server.dbctl(&["shutdown"]).fails(1);
    for part in ["the stop was not clean", "recovers from the log", "control"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    server.kill9();
    std::fs::remove_dir(&in_the_way).expect("a directory");
    server.start();
    assert_eq!(items(&server), 5);
}
