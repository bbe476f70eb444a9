//! Audit records alone in the directory of FwLog, commits in the journal (`AuditOnly`).

use std::path::PathBuf;

use dbtests::small_disk::where_mounting_works;
use dbtests::{Folder, LONG, Server, Settings, SmallDisk, files, follower, process, wait_for};
use serde_json::Value;

use crate::{fields, told};

fn alone() -> Settings {
    Settings::new("north", "Standalone").set("ForwardLog", "AuditOnly", "1")
}

fn running(folder: &Folder, settings: Settings) -> Server {
    let mut server = Server::create(folder.path(), settings);
    server.start();
    server
}

/// Its audit records, once there are so many: they are copied behind the commits.
fn records(server: &Server, count: usize) -> Vec<Value> {
    wait_for("audit records to be copied", LONG, || {
        let told = told(server, &["audit"]);
        assert!(told.len() <= count, "{told:?}");
        (told.len() == count).then_some(told)
    })
}

/// Gives eight audit records.
fn work(server: &Server) {
    server.sql("system", "CREATE DATABASE shop");
    server.sql("system", "CREATE USER app PASSWORD 'never in the log'");
    let client = server.client("shop");
    client.run("SET application_name = 'till 7'");
    client.run("CREATE TABLE item (id int PRIMARY KEY, name text)");
    client.run("BEGIN");
    client.run("INSERT INTO item VALUES (1, 'nail'), (2, 'screw')");
    client.run("UPDATE item SET name = 'bolt' WHERE id = 2");
    client.run("COMMIT");
    client.refused("INSERT INTO item VALUES (1, 'again')");
    // In several parts of the log.
    client.run("INSERT INTO item SELECT n, repeat('n', 300) FROM generate_series(10, 20000) n");
    server.sql("system", "CREATE DATABASE other");
    server.sql("other", "CREATE TABLE t (id int)");
}

fn audit_files(server: &Server) -> Vec<PathBuf> {
    files::list(&server.fwlog_dir().join("audit"), "fw-")
}

#[test]
fn they_say_the_same_as_those_of_a_forward_log() {
    let folder = Folder::new();
    let alone = running(&folder, alone());
    let beside = Settings::new("south", "Standalone").set("ForwardLog", "EnableAudit", "1");
    let beside = running(&folder, beside);
    work(&alone);
    work(&beside);
    let all = records(&alone, 8);
    let same = ["commit", "database", "user", "program", "kind", "statement"];
    assert_eq!(fields(&all, same), fields(&told(&beside, &["audit"]), same));
    let count = |words: &[&str]| told(&alone, &[&["audit"], words].concat()).len();
    assert_eq!(count(&["--kind", "insert"]), 2);
    assert_eq!(count(&["--database", "shop"]), 4);
    assert_eq!(count(&["-u", "app"]), 0);
    assert_eq!(count(&["--to", "2001-01-01"]), 0);
    // The pages are in the journal: there are no segments beside it that have any.
    assert!(files::list(&alone.fwlog_dir(), "fw").is_empty());
    let bytes: usize = audit_files(&alone)
        .iter()
        .map(|file| {
            let bytes = files::read(file);
            let secret = b"never in the log";
            assert!(!bytes.windows(secret.len()).any(|part| part == secret));
            bytes.iter().filter(|byte| **byte != 0).count()
        })
        .sum();
    assert!(bytes < 20_000, "{bytes}");
    the_other_commands(&alone);
}

/// What dbctl and dbrepl say of it.
fn the_other_commands(server: &Server) {
    let status = server.command("forwardlog status");
    assert_eq!(status["forward log"], "audit only");
    assert!(status["directory"].ends_with("/audit"), "{status:?}");
    assert_eq!(status["segment"], "fw-1-2", "the second start since init");
    server.dbctl(&["forwardlog", "switch"]).ok();
    assert_eq!(server.command("forwardlog status")["segment"], "fw-1-3");
    let json = server.dbctl(&["--json", "forwardlog", "status"]).ok();
    assert!(json.contains("\"audit_only\":true"), "{json}");
    for word in ["enable", "disable"] {
        let refused = server.dbctl(&["forwardlog", word]).fails(1);
        assert!(refused.contains("AuditOnly = 1"), "{refused}");
    }
    let listed = server.dbctl(&["fwlog", "list"]);
    assert_eq!(
        listed.out.lines().filter(|l| l.contains("fw-1-")).count(),
        3
    );
    assert!(listed.err.contains("audit records alone"), "{listed:?}");
    let dumped = server.dbctl(&["fwlog", "dump"]).ok();
    assert!(dumped.contains("copied up to "), "{dumped}");
    server.dbctl(&["fwlog", "verify"]).ok();
    let refused = server.dbctl(&["fwlog", "rows"]).fails(1);
    assert!(
        refused.contains("has no pages") && refused.contains("fwlog audit"),
        "{refused}"
    );
    nothing_is_replicated(server);
}

/// By its configuration, and by its files.
fn nothing_is_replicated(server: &Server) {
    let nobody = "127.0.0.1:1".parse().expect("an address");
    let mut command = follower::dbrepl_to(server, nobody, &["-S"]);
    let refused = process::run(&mut command, b"").fails(2);
    assert!(refused.contains("AuditOnly = 1"), "{refused}");
    let folder = Folder::new();
    let mut slave = Server::create(folder.path(), Settings::slave());
    slave.start();
    let settings = Settings::new("north", "Standalone");
    let log = server.fwlog_dir().join("audit/fw-%N");
    let settings = settings.set("ForwardLog", "FwLog", log.display());
    let named = Server::prepare(folder.path(), settings);
    let refused = follower::replicate(&named, &slave, &["-S"]).fails(5);
    assert!(refused.contains("audit records alone"), "{refused}");
    assert_eq!(slave.command("replication status")["received"], "");
}

#[test]
fn they_are_followed_and_survive_the_end_of_the_server() {
    let folder = Folder::new();
    let mut server = running(&folder, alone());
    let mut command = server.dbctl_command();
    command.args(["--json", "fwlog", "audit", "--follow"]);
    let mut follower = process::Background::start(&mut command, &folder.join("audit.log"));
    work(&server);
    let client = server.client("shop");
    for id in 100_000..100_050 {
        client.run(&format!("INSERT INTO item VALUES ({id}, 'x')"));
    }
    // No moment is left for the last ones to be copied.
    server.kill9();
    server.start();
    server.sql("shop", "DELETE FROM item WHERE id > 100000");
    let all = records(&server, 59);
    let of_none = all.iter().filter(|line| line["commit"].is_null());
    assert_eq!(of_none.count(), 3, "two databases and a user");
    wait_for("the follower to tell all", LONG, || {
        (follower.output().lines().count() == 59).then_some(())
    });
    follower.signal("INT");
    wait_for("the follower to end", LONG, || follower.ended());
    server.stop();
    server.start();
    server.dbctl(&["checkpoint"]).ok();
    server.dbctl(&["checkpoint"]).ok();
    assert_eq!(
        files::list(&server.data_dir().join("journal"), "fw-").len(),
        1
    );
    let with_checkpoints = records(&server, 61);
    assert_eq!(with_checkpoints[..59], all);
    server.dbctl(&["fwlog", "verify"]).ok();
}

#[test]
fn a_forward_log_of_before_stays_readable_and_its_slave_is_told() {
    let folder = Folder::new();
    let mut server = running(
        &folder,
        Settings::master().set("ForwardLog", "EnableAudit", "1"),
    );
    let mut slave = Server::create(folder.path(), Settings::slave());
    slave.start();
    work(&server);
    assert_eq!(follower::replicate(&server, &slave, &["-S"]).code, Some(0));
    server.stop();
    let was = server.settings().clone();
    server.reconfigure(|settings| {
        settings
            .set("ForwardLog", "AuditOnly", "1")
            .set("Replication", "Role", "Standalone")
    });
    server.start();
    server.sql("shop", "DELETE FROM item WHERE id = 1");
    let new = records(&server, 1);
    assert_eq!(fields(&new, ["database", "kind"]), [["shop", "DELETE"]]);
    let old = server.fwlog_dir().display().to_string();
    assert_eq!(told(&server, &["audit", &old]).len(), 8);
    follower::replicate(&server, &slave, &["-S"]).fails(2);
    server.stop();
    // Whoever still has the configuration of before hears it from the log.
    server.reconfigure(|_| was);
    let refused = follower::replicate(&server, &slave, &["-S"]).fails(5);
    assert!(
        refused.contains("forward logging was switched off"),
        "{refused}"
    );
    server.start();
    server.sql("shop", "DELETE FROM item WHERE id = 2");
    let refused = follower::replicate(&server, &slave, &["-S"]).fails(5);
    assert!(refused.contains("re-synchronize"), "{refused}");
}

#[test]
fn on_a_full_disk_nothing_is_done_without_a_record() {
    where_mounting_works(|| {
        let folder = Folder::new();
        let disk = SmallDisk::mount(&folder.join("disk"), "64m");
        let settings = alone().set("ForwardLog", "FwLog", "../disk/fw-%N").set(
            "ForwardLog",
            "FwMaxSize",
            "4m",
        );
        let server = running(&folder, settings);
        server.sql("system", "CREATE DATABASE shop");
        let client = server.client("shop");
        client.run("CREATE TABLE item (id int, note text)");
        disk.fill(0);
        let mut done = 0;
        let refused = wait_for("a refusal", LONG, || {
            let text = format!("INSERT INTO item VALUES ({done}, '{}')", random(done));
            match client.try_rows(&text) {
                Ok(_) => {
                    done += 1;
                    None
                }
                Err(error) => dbtests::Refusal::of(&error),
            }
        });
        assert_eq!(refused.code, "53100", "{refused:?}");
        assert!(refused.message.contains("audit log"), "{refused:?}");
        let trouble = &server.command("forwardlog status")["log trouble"];
        assert!(trouble.contains("until there is room"), "{trouble}");
        assert_eq!(client.value("SELECT count(*) FROM item"), done.to_string());
        disk.make_room();
        wait_for("writes to be accepted", LONG, || {
            client.try_rows("DELETE FROM item WHERE id < 0").ok()?;
            client.try_rows("INSERT INTO item VALUES (-1, '')").ok()
        });
        let kinds = records(&server, done + 3);
        let inserts = fields(&kinds, ["kind"])
            .into_iter()
            .filter(|[k]| k == "INSERT");
        assert_eq!(inserts.count(), done + 1);
    });
}

/// A text that hardly gets shorter.
fn random(seed: usize) -> String {
    let mut state = seed as u64 + 1;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        format!("{:016x}", state ^ (state >> 29))
    };
    (0..2000).map(|_| next()).collect()
}
