//! Disks that are full or nearly so: what `status` says, what a restart does, what is refused.

use dbtests::small_disk::where_mounting_works;
use dbtests::{
    Client, Folder, Refusal, Server, Settings, SmallDisk, compare, files, follower, wait_for,
};

use crate::shop::{items, open, sell, told, try_to_sell, wait_for_log, wait_for_trouble};

/// A master whose log is on a small disk.
fn master(folder: &Folder, on_failure: &str) -> (SmallDisk, Server) {
    let disk = SmallDisk::mount(&folder.join("disk"), "64m");
    let settings = Settings::master()
        .set("ForwardLog", "FwLog", "../disk/fw-%N")
        .set("ForwardLog", "FwMaxSize", "4m")
        .set("ForwardLog", "FwOnFailure", on_failure);
    let mut master = Server::create(folder.path(), settings);
    master.start();
    open(&master);
    (disk, master)
}

/// Inserts rows until that is refused. Gives the number of acknowledged rows.
fn fill_by_rows(client: &Client) -> u32 {
    for acknowledged in 0..100_000 {
        let insert = "INSERT INTO item (name) SELECT encode(gen_random_bytes(20000), 'hex')";
        if let Err(error) = client.try_rows(insert) {
            let refusal = Refusal::of(&error).expect("the server's words");
            assert_eq!(refusal.code, "53100", "{refusal:?}");
            return acknowledged;
        }
    }
    unreachable!("100,000 rows do not fit on a small disk")
}

#[test]
fn status_says_that_the_logs_disk_is_full_for_as_long_as_it_is() {
    where_mounting_works(|| {
        let folder = Folder::new();
        let (disk, master) = master(&folder, "stop");
        assert_eq!(wait_for_trouble(&master, None), "");
        disk.fill(3 << 20);
        let acknowledged = fill_by_rows(&master.client("shop"));
        let trouble = wait_for_trouble(&master, Some("writes are refused until there is room"));
        assert!(trouble.contains("No space left"), "{trouble}");
        let status = master.command("forwardlog status");
        assert_eq!(status["log trouble"], trouble);
        assert!(master.command("status")["free for log"].ends_with("little"));
        assert_eq!(items(&master), acknowledged);
        // A refused statement is an error, and no result.
        let refused = master.psql(
            "shop",
            &["-c", "INSERT INTO item (name) VALUES ('x') RETURNING id"],
            "",
        );
        assert_eq!(
            (refused.code, refused.out.as_str()),
            (Some(1), ""),
            "{refused:?}"
        );
        assert!(refused.err.starts_with("ERROR:"), "{refused:?}");
        disk.make_room();
        wait_for_trouble(&master, None);
        assert_eq!(try_to_sell(&master), Ok(()));
        // Said once, however long it lasted.
        assert_eq!(told(&master, "the disk of the forward log is full"), 1);
    });
}

#[test]
fn a_restart_while_the_logs_disk_is_full_serves_readers_and_goes_on_when_there_is_room() {
    where_mounting_works(|| {
        let folder = Folder::new();
        let (disk, mut master) = master(&folder, "stop");
        disk.fill(3 << 20);
        let acknowledged = fill_by_rows(&master.client("shop"));
        master.kill9();
        // A tail that is cut makes a little room; a second start finds none at all.
        for _ in 0..2 {
            master.start();
            assert_eq!(items(&master), acknowledged);
            master.stop();
            disk.make_room();
            disk.fill(0);
        }
        master.start();
        assert_eq!(items(&master), acknowledged, "readers are served");
        wait_for_trouble(&master, Some("writes are refused until there is room"));
        assert_eq!(try_to_sell(&master), Err("53100".to_owned()));
        disk.make_room();
        wait_for_trouble(&master, None);
        assert_eq!(try_to_sell(&master), Ok(()));
        assert_eq!(items(&master), acknowledged + 1);
        master.restart();
        let mut slave = Server::create(folder.path(), Settings::slave());
        slave.start();
        follower::replicate(&master, &slave, &["-S"]).ok();
        compare::databases(&master, &slave);
    });
}

#[test]
fn forward_logging_that_was_given_up_is_said_by_status_and_to_dbrepl() {
    where_mounting_works(|| {
        let folder = Folder::new();
        let (disk, mut master) = master(&folder, "disable");
        let mut slave = Server::create(folder.path(), Settings::slave());
        slave.start();
        follower::replicate(&master, &slave, &["-S"]).ok();
        let mut follower = dbtests::Follower::start(folder.path(), &master, &slave);
        follower.wait_for_line("up-to-date");
        disk.fill(3 << 20);
        let acknowledged = fill_by_rows(&master.client("shop"));
        let trouble = wait_for_trouble(&master, Some("forward logging was given up"));
        assert!(trouble.contains("FwOnFailure = disable"), "{trouble}");
        sell(&master, 5);
        assert_eq!(
            master.command("forwardlog status")["forward log"],
            "disabled"
        );
        // The slave gets what was logged, and then is told.
        assert_eq!(follower.ended().code(), Some(5));
        let output = follower.output();
        assert!(
            output.contains("forward logging was switched off"),
            "{output}"
        );
        assert_eq!(items(&slave), acknowledged);
        master.kill9();
        disk.make_room();
        master.start();
        assert_eq!(items(&master), acknowledged + 5);
        let status = master.command("forwardlog status");
        assert!(status["segment"].starts_with("fw-2-"), "{status:?}");
        let told = follower::replicate(&master, &slave, &["-S"]).fails(5);
        assert!(told.contains("re-synchronize"), "{told}");
        // The way out that the message names.
        master.stop();
        slave.stop();
        std::fs::remove_dir_all(slave.data_dir()).unwrap();
        std::fs::remove_dir_all(slave.fwlog_dir()).unwrap();
        files::copy_directory(&master.data_dir(), &slave.data_dir());
        std::fs::create_dir(slave.fwlog_dir()).unwrap();
        master.start();
        slave.start();
        sell(&master, 5);
        follower::replicate(&master, &slave, &["-S"]).ok();
        compare::databases(&master, &slave);
    });
}

#[test]
fn an_environment_that_did_not_fit_on_its_disk_can_be_made_when_there_is_room() {
    where_mounting_works(|| {
        for full in ["log", "data"] {
            let folder = Folder::new();
            let disk = SmallDisk::mount(&folder.join("disk"), "16m");
            let settings = if full == "log" {
                Settings::master().set("ForwardLog", "FwLog", "../disk/fw-%N")
            } else {
                Settings::master().set("Server", "DataDir", "../disk/data")
            };
            let mut master = Server::prepare(folder.path(), settings);
            if full == "data" {
                master.use_data_dir(&folder.join("disk/data"));
            }
            for leave in [0, 4 << 10, 8 << 10] {
                disk.fill(leave);
                let told = master.init();
                assert_eq!(told.code, Some(1), "{full}, {leave} bytes left: {told:?}");
                assert!(told.err.contains("No space left"), "{told:?}");
                disk.make_room();
            }
            master.init().ok();
            master.start();
            open(&master);
            sell(&master, 5);
            master.stop();
        }
    });
}

#[test]
fn the_servers_own_log_file_on_a_full_disk_stops_nothing() {
    where_mounting_works(|| {
        let folder = Folder::new();
        let disk = SmallDisk::mount(&folder.join("disk"), "1m");
        let log = disk.path().join("server.log");
        let settings = Settings::master()
            .set("Server", "LogFile", "../disk/server.log")
            .set("Server", "LogFlags", "debug");
        let mut master = Server::create(folder.path(), settings);
        master.start();
        open(&master);
        disk.fill(0);
        sell(&master, 20);
        master.dbctl(&["checkpoint"]).ok();
        let before = files::read(&log).len();
        disk.make_room();
        sell(&master, 5);
        master.dbctl(&["checkpoint"]).ok();
        assert!(files::read(&log).len() > before, "it logs again");
        assert_eq!(items(&master), 25);
        // A server that starts with its log on a full disk starts.
        master.stop();
        disk.fill(0);
        master.start();
        assert_eq!(items(&master), 25);
        master.stop();
    });
}

#[test]
fn a_slave_without_room_for_its_log_says_so_a_few_times_however_often_dbrepl_tries() {
    where_mounting_works(|| {
        let folder = Folder::new();
        let disk = SmallDisk::mount(&folder.join("disk"), "64m");
        let mut master = Server::create(folder.path(), Settings::master());
        let settings = Settings::slave()
            .set("ForwardLog", "FwLog", "../disk/fw-%N")
            .set("Server", "LogFlags", "info,dbserver::feed=debug");
        let mut slave = Server::create(folder.path(), settings);
        master.start();
        slave.start();
        open(&master);
        let mut dbrepl = dbtests::Follower::start(folder.path(), &master, &slave);
        dbrepl.wait_for_line("up-to-date");
        disk.fill(0);
        let client = master.client("shop");
        for _ in 0..300 {
            client.run("INSERT INTO item (name) SELECT encode(gen_random_bytes(20000), 'hex')");
        }
        wait_for("dbrepl to have tried for a while", dbtests::LONG, || {
            let quiet = "DEBUG dbserver::feed::serve: dbrepl is connected";
            let refused = " replication is refused ";
            (told(&slave, quiet) + told(&slave, refused) > 8).then_some(())
        });
        let log = slave.log();
        assert!(
            log.matches(" replication is refused ").count() <= 6,
            "{log}"
        );
        assert_eq!(
            log.matches("INFO dbserver::feed::serve: dbrepl is").count(),
            1,
            "{log}"
        );
        assert_eq!(
            log.matches("INFO dbserver::feed::link: replication goes")
                .count(),
            1,
            "{log}"
        );
        assert_eq!(
            log.matches("the mirror is in order again").count(),
            0,
            "{log}"
        );
        disk.make_room();
        wait_for_log(
            &slave,
            "INFO dbserver::feed::serve: replication goes on again",
            0,
        );
        dbrepl.stop();
    });
}

#[test]
fn little_room_is_told_once_with_amounts_on_master_and_slave() {
    where_mounting_works(|| {
        let folder = Folder::new();
        let disk = SmallDisk::mount(&folder.join("disk"), "64m");
        for settings in [Settings::master(), Settings::slave()] {
            let log = format!("../disk/{}/fw-%N", settings.name());
            let settings =
                settings
                    .set("ForwardLog", "FwLog", log)
                    .set("ForwardLog", "FwMaxSize", "4m");
            let mut server = Server::create(folder.path(), settings);
            server.start();
            let free = server.command("status").remove("free for log").unwrap();
            assert!(
                free.contains(" of 64.0 MiB") && !free.contains("little"),
                "{free}"
            );
            // The machine's own disk may be short of room, too: that is another line.
            let warned = |server: &Server| {
                let log = server.log();
                let lines = log.lines().filter(|line| line.contains("little room"));
                lines
                    .filter(|line| line.contains(" of 64.0 MiB free for log"))
                    .count()
            };
            assert_eq!(warned(&server), 0, "{}", server.log());
            disk.fill(6 << 20);
            wait_for_log(&server, " of 64.0 MiB free for log in ", 0);
            let free = server.command("status").remove("free for log").unwrap();
            assert!(free.ends_with("little"), "{free}");
            dbtests::waiting::pause(std::time::Duration::from_millis(2500));
            assert_eq!(warned(&server), 1);
            disk.make_room();
            wait_for_log(&server, "there is room on the disk again", 0);
            server.stop();
        }
        wait_for("nothing", dbtests::SHORT, || Some(()));
    });
}
