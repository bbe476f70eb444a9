//! Files that a crash or a bad disk has left: what is torn is cut, what is damaged is named, and
//! nothing is lost.

use std::path::{Path, PathBuf};

use dbtests::{Cluster, Folder, Server, Settings, files, follower};
use fwlog::{DurableEnd, POSITION_FILE, SegmentId};

const ROWS: &str = "40";

/// A master with 40 rows in a table.
fn master(folder: &Folder) -> Server {
    let mut master = Server::create(folder.path(), Settings::master());
    master.start();
    master.sql("system", "CREATE DATABASE shop");
    master.sql(
        "shop",
        "CREATE TABLE item (id SERIAL PRIMARY KEY, name TEXT)",
    );
    let client = master.client("shop");
    for number in 0..40 {
        client.run(&format!("INSERT INTO item (name) VALUES ('item {number}')"));
    }
    master
}

fn rows(server: &Server) -> String {
    server.sql("shop", "SELECT count(*) FROM item")[0][0].clone()
}

/// The newest segment, and the offset at which it is durable.
fn newest(server: &Server) -> (SegmentId, PathBuf, u64) {
    let end = DurableEnd::read(&disk::Disk::real(), &server.fwlog_dir())
        .expect("readable")
        .expect("a durable end");
    let position = end.durable.point.position;
    let segments = server.segments();
    let path = segments
        .get(position.segment)
        .expect("the newest segment")
        .path
        .clone();
    (position.segment, path, position.offset)
}

/// Writes over what is there.
fn overwrite(path: &Path, offset: u64, bytes: &[u8]) {
    let mut content = files::read(path);
    let at = usize::try_from(offset).expect("a small file");
    content[at..at + bytes.len()].copy_from_slice(bytes);
    files::write(path, content);
}

/// What `dbctl fwlog verify` says of damage; it must find some.
#[track_caller]
fn verified_as_damaged(server: &Server, path: &Path) -> String {
    let run = server.dbctl(&["fwlog", "verify"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    let line = run
        .out
        .lines()
        .find(|line| line.starts_with("damage"))
        .unwrap_or_default();
    assert!(
        line.contains(&path.display().to_string()),
        "it names the file: {run:?}"
    );
    assert!(line.contains("at offset "), "it names the place: {run:?}");
    line.to_owned()
}

#[test]
fn a_torn_tail_of_the_newest_segment_is_cut_at_the_next_start() {
    let folder = Folder::new();
    let mut master = master(&folder);
    master.kill9();
    let (_, path, end) = newest(&master);
    // A block whose head was written and whose rest was not.
    let original = files::read(&path);
    let header = usize::try_from(
        master.segments().segments()[0]
            .header
            .start()
            .position
            .offset,
    );
    let head = &original[header.unwrap()..][..60];
    overwrite(&path, end, head);
    let verified = master.dbctl(&["fwlog", "verify"]).ok();
    assert!(
        verified.contains("torn tail"),
        "a tail is no damage: {verified}"
    );
    master.start();
    assert!(
        master.log().contains("cut off a torn tail"),
        "{}",
        master.log()
    );
    assert_eq!(rows(&master), ROWS);
    let verified = master.dbctl(&["fwlog", "verify"]).ok();
    assert!(!verified.contains("torn tail"), "{verified}");
}

#[test]
fn a_torn_tail_of_a_slaves_segment_is_sent_again() {
    let folder = Folder::new();
    let master = master(&folder);
    let mut slave = Server::create(folder.path(), Settings::slave());
    slave.start();
    follower::replicate(&master, &slave, &["-S"]).ok();
    slave.kill9();
    let (_, path, end) = newest(&slave);
    overwrite(&path, end, b"FwBk\x20\x00\x00\x00 and then the power went");
    slave.start();
    master.sql("shop", "INSERT INTO item (name) VALUES ('one more')");
    follower::replicate(&master, &slave, &["-S"]).ok();
    assert_eq!(rows(&slave), "41");
    dbtests::compare::databases(&master, &slave);
    dbtests::compare::logs(&master, &slave);
}

#[test]
fn a_flipped_byte_in_the_newest_segment_stops_the_start_and_is_named() {
    let folder = Folder::new();
    let mut master = master(&folder);
    master.kill9();
    let (_, path, end) = newest(&master);
    for offset in [300, end - 1] {
        files::flip(&path, offset);
        let line = verified_as_damaged(&master, &path);
        let refused = master.try_start().expect_err("it must not start").fails(1);
        assert!(
            refused.contains(&path.display().to_string()),
            "{refused}\n{line}"
        );
        assert!(refused.contains("damaged at offset"), "{refused}");
        // Nothing was cut or written: with the byte as it was, all is there.
        files::flip(&path, offset);
        master.dbctl(&["fwlog", "verify"]).ok();
    }
    master.start();
    assert_eq!(rows(&master), ROWS);
}

#[test]
fn a_flipped_byte_in_an_older_segment_is_found_before_it_reaches_a_slave() {
    let folder = Folder::new();
    let mut master = master(&folder);
    master.restart();
    master.sql(
        "shop",
        "INSERT INTO item (name) VALUES ('in the next segment')",
    );
    // The last but one segment holds the rows.
    let segments = master.segments();
    let older = &segments.segments()[segments.segments().len() - 2];
    assert!(older.sealed.is_some());
    files::flip(&older.path, older.file_length / 2);
    verified_as_damaged(&master, &older.path);
    let mut slave = Server::create(folder.path(), Settings::slave());
    slave.start();
    let told = follower::replicate(&master, &slave, &["-S"]).fails(1);
    assert!(told.contains("damaged"), "{told}");
    assert!(told.contains(&older.path.display().to_string()), "{told}");
    // The master does not need that segment any more.
    master.restart();
    assert_eq!(rows(&master), "41");
    files::flip(&older.path, older.file_length / 2);
    follower::replicate(&master, &slave, &["-S"]).ok();
    assert_eq!(rows(&slave), "41");
    dbtests::compare::logs(&master, &slave);
}

#[test]
fn a_damaged_control_file_stops_the_start_and_is_named() {
    let mut cluster = Cluster::start();
    cluster.master.sql("system", "CREATE DATABASE shop");
    cluster
        .master
        .sql("shop", "CREATE TABLE item (id SERIAL PRIMARY KEY)");
    cluster.synchronize();
    for server in [&mut cluster.master, &mut cluster.slave] {
        server.stop();
        let control = server.data_dir().join("control");
        let original = files::read(&control);
        files::flip(&control, u64::try_from(original.len() / 2).unwrap());
        let refused = server.try_start().expect_err("it must not start").fails(1);
        assert!(refused.contains("control file"), "{refused}");
        assert!(
            refused.contains(&control.display().to_string()),
            "{refused}"
        );
        files::cut(&control, 10);
        let refused = server.try_start().expect_err("it must not start").fails(1);
        assert!(refused.contains("cut off"), "{refused}");
        files::write(&control, original);
        server.start();
        assert_eq!(rows(server), "0");
    }
}

#[test]
fn without_a_durable_end_recovery_finds_it_again() {
    let folder = Folder::new();
    let mut master = master(&folder);
    let mut slave = Server::create(folder.path(), Settings::slave());
    slave.start();
    for damage in ["removed", "cut", "flipped"] {
        master.kill9();
        let position = master.fwlog_dir().join(POSITION_FILE);
        match damage {
            "removed" => std::fs::remove_file(&position).unwrap(),
            "cut" => files::cut(&position, 20),
            _ => files::flip(&position, 50),
        }
        // Nobody knows what is durable, so nothing is sent.
        let told = follower::replicate(&master, &slave, &["-S"]).fails(1);
        assert!(
            told.contains("start"),
            "{damage}: it says what to do: {told}"
        );
        master.start();
        assert_eq!(rows(&master), ROWS, "{damage}");
        follower::replicate(&master, &slave, &["-S"]).ok();
        assert_eq!(rows(&slave), ROWS, "{damage}");
    }
    dbtests::compare::logs(&master, &slave);
}

#[test]
fn a_missing_newest_segment_stops_the_start_and_is_named() {
    let folder = Folder::new();
    let mut master = master(&folder);
    master.kill9();
    let (id, path, _) = newest(&master);
    let hidden = files::hide(&path);
    let refused = master.try_start().expect_err("it must not start").fails(1);
    assert!(
        refused.contains(&id.to_string()) || refused.contains("fw-"),
        "{refused}"
    );
    files::unhide(&hidden);
    master.start();
    assert_eq!(rows(&master), ROWS);
}

/// A cluster with 40 rows, synchronized.
fn cluster() -> Cluster {
    filled(Cluster::start())
}

/// The same, whose servers do not repair anything by themselves.
fn cluster_without_repair() -> Cluster {
    let off = |settings: Settings| settings.set("Server", "RepairFrom", "off");
    filled(Cluster::with(
        off(Settings::master()),
        off(Settings::slave()),
    ))
}

fn filled(cluster: Cluster) -> Cluster {
    cluster.master.sql("system", "CREATE DATABASE shop");
    let client = cluster.master.client("shop");
    client.run("CREATE TABLE item (id SERIAL PRIMARY KEY, name TEXT)");
    for number in 0..40 {
        client.run(&format!("INSERT INTO item (name) VALUES ('item {number}')"));
    }
    cluster.synchronize();
    cluster
}

fn shop(server: &Server) -> PathBuf {
    server.data_dir().join("db/shop.db")
}

#[test]
fn a_damaged_data_file_stops_the_start_is_named_and_made_anew_from_the_log() {
    let mut cluster = cluster_without_repair();
    // From here on both rely on their data files.
    cluster.master.dbctl(&["checkpoint"]).ok();
    cluster.synchronize();
    for server in [&mut cluster.master, &mut cluster.slave] {
        let verdict = server.dbctl(&["database", "verify", "shop"]).ok();
        assert!(verdict.contains("ok"), "{verdict}");
        server.dbctl(&["checkpoint"]).ok();
        // Found while it runs, too.
        files::flip(&shop(server), 4096 + 100);
        let run = server.dbctl(&["database", "verify"]);
        assert_eq!(run.code, Some(1), "{run:?}");
        assert!(run.out.contains("page 2 at byte offset 4096"), "{run:?}");
        let file = server.folder().join("shop.dump").display().to_string();
        let dumped = server.dbctl(&["database", "dump", "shop", &file]).fails(1);
        assert!(dumped.contains("page 2 at byte offset 4096"), "{dumped}");
        let log = server.log();
        let errors = log.lines().filter(|line| line.contains(" ERROR "));
        let named = errors.filter(|line| line.contains("page 2 at byte offset 4096"));
        assert_eq!(named.count(), 2, "{log}");
        server.stop();
        let refused = server.try_start().expect_err("it must not start").fails(1);
        for wanted in ["shop.db", "page 2 at byte offset 4096", "--rebuild"] {
            assert!(refused.contains(wanted), "{wanted}: {refused}");
        }
        // Killed at some moments, then left alone.
        for milliseconds in [5, 40, 160] {
            let after = std::time::Duration::from_millis(milliseconds);
            server.start_interrupted_with(after, &["--rebuild"]);
        }
        server.try_start_with(&["--rebuild"]).expect("it starts");
        assert_eq!(rows(server), ROWS);
        let aside = files::list(&server.data_dir().join("db"), "shop.db.damaged-");
        assert!(aside.iter().any(|path| files::read(path).len() > 4096));
    }
    cluster.synchronize();
    dbtests::compare::databases(&cluster.master, &cluster.slave);
    cluster.master.restart();
    assert_eq!(rows(&cluster.master), ROWS);
}

#[test]
fn pages_that_are_not_in_the_data_files_yet_are_counted_by_a_verification() {
    let cluster = cluster();
    for (server, saved) in [(&cluster.master, false), (&cluster.master, true)] {
        if saved {
            server.dbctl(&["checkpoint"]).ok();
        }
        let list = server.command("database verify shop");
        assert_eq!(list["result"], "ok");
        assert_eq!(list["pages"] == "0", !saved, "{list:?}");
        assert_eq!(list["pages not in data files"] == "0", saved, "{list:?}");
    }
}

#[test]
fn a_damaged_data_file_is_brought_from_the_other_server() {
    let mut cluster = cluster();
    cluster.master.stop();
    cluster.slave.stop();
    let Cluster { master, slave, .. } = &mut cluster;
    for (damaged, whole) in [(&*master, &*slave), (&*slave, &*master)] {
        for name in ["shop.db", "shop.db.sum"] {
            let place = |server: &Server| server.data_dir().join("db").join(name);
            files::write(&place(damaged), files::read(&place(whole)));
        }
    }
    for server in [master, slave] {
        server.start();
        assert_eq!(rows(server), ROWS);
    }
    cluster
        .master
        .sql("shop", "INSERT INTO item (name) VALUES ('one more')");
    cluster.synchronize();
    dbtests::compare::databases(&cluster.master, &cluster.slave);
}

#[test]
fn master_and_slave_repair_pages_from_their_own_log_when_they_meet_them() {
    let mut cluster = cluster();
    cluster.master.dbctl(&["checkpoint"]).ok();
    cluster.synchronize();
    for server in [&mut cluster.master, &mut cluster.slave] {
        server.dbctl(&["checkpoint"]).ok();
        let whole = files::read(&shop(server));
        let mended = "repaired from the log: ";
        let named = "shop.db: page 2 at byte offset 4096 does not fit its checksum";
        let told = |server: &Server| {
            let log = server.log();
            let lines = log.lines().filter(|line| line.contains(" WARN "));
            let lines = lines.filter(|line| line.contains(mended) && line.contains(named));
            lines.count()
        };
        // Met by a statement, wherever its table is.
        for page in 1..whole.len() as u64 / 4096 {
            files::flip(&shop(server), page * 4096 + 100);
        }
        assert_eq!(rows(server), ROWS);
        assert_eq!(told(server), 1, "{}", server.log());
        assert!(files::read(&shop(server)) == whole);
        // By a verification, which is satisfied then.
        files::flip(&shop(server), 4096 + 100);
        let verdict = server.dbctl(&["database", "verify", "shop"]).ok();
        assert!(verdict.contains("repaired"), "{verdict}");
        // By a start.
        server.stop();
        files::flip(&shop(server), 4096 + 100);
        server.start();
        assert_eq!(told(server), 3, "{}", server.log());
        assert_eq!(rows(server), ROWS);
        assert!(files::read(&shop(server)) == whole);
    }
    cluster.synchronize();
    dbtests::compare::databases(&cluster.master, &cluster.slave);
}

#[test]
fn what_the_own_log_lacks_comes_from_the_other_server() {
    let cluster = cluster();
    cluster.master.dbctl(&["checkpoint"]).ok();
    cluster.synchronize();
    // The log no longer goes back to where the pages were made.
    cluster.master.dbctl(&["forwardlog", "switch"]).ok();
    cluster.master.dbctl(&["checkpoint"]).ok();
    cluster.synchronize();
    let Cluster { master, slave, .. } = &cluster;
    for server in [master, slave] {
        server.dbctl(&["checkpoint"]).ok();
        let segments = server.segments();
        let (_, older) = segments.segments().split_last().expect("a segment");
        assert!(!older.is_empty());
        for segment in older {
            files::hide(&segment.path);
        }
    }
    for (server, peer) in [(master, slave), (slave, master)] {
        let whole = files::read(&shop(server));
        files::flip(&shop(server), 4096 + 100);
        let run = server.dbctl(&["database", "repair", "shop"]);
        assert_eq!(run.code, Some(1), "{run:?}");
        assert!(run.out.contains("0 pages repaired, 1 damaged"), "{run:?}");
        let refused = "cannot be repaired: ";
        assert!(server.log().contains(refused), "{}", server.log());
        let from = peer.address().to_string();
        let repaired = server
            .dbctl(&["database", "repair", "shop", "--from", &from])
            .ok();
        assert!(
            repaired.contains("1 pages repaired, 0 damaged"),
            "{repaired}"
        );
        let verdict = server.command("database verify shop");
        assert_eq!(verdict["result"], "ok");
        assert!(files::read(&shop(server)) == whole);
        assert!(server.log().contains(&format!("repaired from {from}: ")));
    }
    // What the other server has changed since is not taken.
    master.sql("shop", "UPDATE item SET name = name || '!'");
    let pages = files::read(&shop(slave)).len() as u64 / 4096;
    for page in 1..pages {
        files::flip(&shop(slave), page * 4096 + 100);
    }
    let from = master.address().to_string();
    let run = slave.dbctl(&["database", "repair", "shop", "--from", &from]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.out.contains(" 1 damaged"), "{run:?}");
    let why = format!("{from} has another page at commit");
    let log = slave.log();
    let told = log
        .lines()
        .find(|line| line.contains(&why))
        .expect("it says why");
    assert!(told.contains("cannot be repaired: "), "{told}");
}
