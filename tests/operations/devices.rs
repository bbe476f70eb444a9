//! A log directory on a device of its own, that comes and goes.

use std::path::Path;
use std::process::Command;

use dbtests::small_disk::where_mounting_works;
use dbtests::{Folder, Server, Settings, SmallDisk, compare, follower};

use crate::shop::{items, open, sell, try_to_sell, wait_for_log, wait_for_trouble};

fn master(folder: &Folder) -> Server {
    let settings = Settings::master().set("ForwardLog", "FwLog", "../disk/fw-%N");
    let mut master = Server::create(folder.path(), settings);
    master.start();
    open(&master);
    sell(&master, 5);
    master
}

fn mount(arguments: &[&str], path: &Path) {
    let done = Command::new("mount").args(arguments).arg(path).status();
    assert!(done.expect("mount").success(), "mount {arguments:?}");
}

#[test]
fn the_log_moves_between_devices_and_back() {
    where_mounting_works(|| {
        let folder = Folder::new();
        let _disk = SmallDisk::mount(&folder.join("disk"), "64m");
        let mut master = master(&folder);
        for _ in 0..2 {
            master.dbctl(&["forwardlog", "disable"]).ok();
            sell(&master, 5);
            master.dbctl(&["forwardlog", "enable"]).ok();
            sell(&master, 5);
            master.kill9();
            master.start();
        }
        assert_eq!(items(&master), 25);
        let status = master.command("forwardlog status");
        assert!(status["segment"].starts_with("fw-3-"), "{status:?}");
        master.dbctl(&["forwardlog", "disable"]).ok();
        assert_eq!(
            master.command("forwardlog status")["forward log"],
            "disabled"
        );
        sell(&master, 5);
        // What the server moves and removes itself is missed by nobody.
        for _ in 0..4 {
            dbtests::waiting::pause(std::time::Duration::from_millis(600));
            sell(&master, 1);
            master.dbctl(&["checkpoint"]).ok();
            master.dbctl(&["forwardlog", "switch"]).ok();
        }
        assert!(!master.log().contains("is gone"), "{}", master.log());
        master.kill9();
        master.start();
        assert_eq!(items(&master), 34);
    });
}

#[test]
fn a_log_that_is_mounted_read_only_refuses_writes_until_it_is_mounted_for_writing() {
    where_mounting_works(|| {
        let folder = Folder::new();
        let disk = SmallDisk::mount(&folder.join("disk"), "64m");
        let mut master = master(&folder);
        // As the kernel does it after an error: files that are open for writing do not hold it up.
        master.kill9();
        mount(&["-o", "remount,ro"], disk.path());
        let told = master
            .try_start()
            .expect_err("the log can't be written")
            .fails(1);
        assert!(told.contains("Read-only file system"), "{told}");
        assert!(
            told.contains("mounted read-only"),
            "it says what to do: {told}"
        );
        mount(&["-o", "remount,rw"], disk.path());
        master.start();
        assert_eq!(items(&master), 5);
        sell(&master, 5);
        assert_eq!(items(&master), 10);
    });
}

#[test]
fn a_log_that_is_unmounted_goes_nowhere_else_and_on_when_it_is_back() {
    where_mounting_works(|| {
        let folder = Folder::new();
        let disk = SmallDisk::mount(&folder.join("disk"), "64m");
        let kept = folder.join("kept");
        std::fs::create_dir(&kept).unwrap();
        // The same file system in a second place, so that it can come back.
        mount(&["--bind", &disk.path().display().to_string()], &kept);
        let master = master(&folder);
        let mut slave = Server::create(folder.path(), Settings::slave());
        slave.start();
        follower::replicate(&master, &slave, &["-S"]).ok();
        let unmounted = Command::new("umount").arg("-l").arg(disk.path()).status();
        assert!(unmounted.expect("umount").success());
        let trouble = wait_for_trouble(&master, Some("is the disk of the log mounted?"));
        assert!(trouble.contains("writes are refused"), "{trouble}");
        wait_for_log(&master, "was saved in the data files", 0);
        assert_eq!(try_to_sell(&master), Err("58030".to_owned()));
        assert_eq!(items(&master), 5);
        let below = std::fs::read_dir(disk.path()).unwrap().count();
        assert_eq!(below, 0, "nothing goes to the disk below");
        mount(&["--bind", &kept.display().to_string()], disk.path());
        wait_for_trouble(&master, None);
        sell(&master, 5);
        follower::replicate(&master, &slave, &["-S"]).ok();
        assert_eq!(items(&slave), 10);
        compare::databases(&master, &slave);
        let unmounted = Command::new("umount").arg("-l").arg(&kept).status();
        assert!(unmounted.expect("umount").success());
    });
}
