//! Disks that fail: single operations of a server or of dbrepl end with an error.

use std::sync::Arc;

use dbtests::{Client, Folder, Follower, LONG, Refusal, Server, follower, wait_for};

use crate::client::Shared;
use crate::history::At;
use crate::injector::{
    CREATE, Injector, Operation, READ, RENAME, SYNC, TRUNCATE, UNLINK, WRITE, What, folder_of,
    library,
};
use crate::load::{Load, Running};
use crate::tables::DATABASE;
use crate::trio::{Servers, Trio, a_moment};

/// A trio with one server whose file operations can fail, and clients at work.
struct Scene {
    trio: Trio,
    injector: Injector,
    at: At,
    shared: Arc<Shared>,
    running: Option<Running>,
}

impl Scene {
    fn set(at: At) -> Self {
        let folder = Folder::new();
        let mut injector = None;
        let servers = Servers::create(
            &folder,
            |_, settings| settings,
            |who, server: &mut Server| {
                if who == at {
                    injector = Some(Injector::on(server));
                }
            },
        );
        let shared = Arc::new(Shared::default());
        let mut trio = Trio::run(folder, servers);
        let running = Some(trio.load(Load::usual(&shared, 3, 0)));
        trio.wait_for_first_commits();
        a_moment();
        Self {
            trio,
            injector: injector.expect("one of the servers"),
            at,
            shared,
            running,
        }
    }

    /// A path of the server whose operations fail.
    fn path(&self, of: &str) -> String {
        format!("{}{of}", folder_of(self.at))
    }

    fn reader(&self) -> Client {
        self.trio.master.client(DATABASE)
    }

    fn number(&self) -> u64 {
        let number = self
            .reader()
            .value("SELECT coalesce(max(number), 0) FROM journal");
        number.parse().expect("a number")
    }

    /// Waits until so many more transactions are committed.
    #[track_caller]
    fn goes_on(&self, more: u64) {
        let start = self.number();
        wait_for("transactions to be committed", LONG, || {
            (self.number() >= start + more).then_some(())
        });
    }

    #[track_caller]
    fn refused(&self, code: &str) {
        wait_for(&format!("a refusal with {code}"), LONG, || {
            self.shared.refusals().contains_key(code).then_some(())
        });
    }

    /// Fails one operation after `skip` others, and waits until that has happened.
    #[track_caller]
    fn fail_once(&self, operation: Operation, of: &str, what: What, skip: u32) {
        let path = self.path(of);
        let rule = self.injector.once(operation, &path, what, skip);
        wait_for(&format!("{operation:?} of {path}"), LONG, || {
            (rule.hits() > 0).then_some(())
        });
    }

    fn restart_by_kill(&mut self) {
        let at = self.at;
        self.trio.server(at).kill9();
        self.trio.server(at).start();
    }

    #[track_caller]
    fn end(mut self) {
        self.goes_on(20);
        let running = self.running.take().expect("clients at work");
        self.trio.end_with(running);
    }
}

/// The log of a master fails in some way: writes are refused, readers go on, a restart recovers.
fn log_of_master_fails(operation: Operation, what: What, orderly: bool) {
    let mut scene = Scene::set(At::Master);
    let bystander = scene.reader();
    bystander.run("BEGIN; SELECT count(*) FROM account");
    scene.fail_once(operation, "fwlog/fw-", what, 3);
    scene.refused("58030");
    // Who has only read so far hears why it is over.
    let over = wait_for("the log guard to take back what was lost", LONG, || {
        let over = bystander.try_rows("SELECT count(*) FROM account");
        over.err().as_ref().and_then(Refusal::of)
    });
    assert_eq!(over.code, "40003", "{over:?}");
    bystander.run("ROLLBACK; SELECT count(*) FROM account");
    let client = scene.reader();
    let before = client.value("SELECT coalesce(max(number), 0) FROM journal");
    let refusal = client.refused("INSERT INTO list VALUES (-1, 'never')");
    assert_eq!(refusal.code, "58030", "{refusal:?}");
    assert!(refusal.hint.contains("estart"), "{refusal:?}");
    assert_eq!(
        client.value("SELECT coalesce(max(number), 0) FROM journal"),
        before
    );
    let log = scene.trio.master.log();
    assert!(log.contains("until the server is restarted"), "{log}");
    if orderly {
        // Its last checkpoint can't be noted in the log; the next start recovers.
        scene.trio.master.process().terminate();
        scene.trio.master.kill9();
        scene.trio.master.start();
    } else {
        scene.restart_by_kill();
    }
    scene.end();
}

#[test]
fn a_failed_sync_of_the_log_acknowledges_nothing_and_a_restart_recovers() {
    log_of_master_fails(SYNC, What::IoError, false);
}

#[test]
fn a_failed_write_of_the_log_acknowledges_nothing_and_a_restart_recovers() {
    log_of_master_fails(WRITE, What::IoError, true);
}

#[test]
fn a_new_segment_that_cannot_be_made_acknowledges_nothing_and_a_restart_recovers() {
    log_of_master_fails(CREATE | TRUNCATE, What::IoError, false);
}

#[test]
fn interrupted_and_short_operations_are_gone_on_with() {
    let scene = Scene::set(At::Master);
    for what in [What::Interrupted, What::Half] {
        for skip in 0..6 {
            scene.fail_once(WRITE, "fwlog/fw-", what, skip);
        }
        let data = scene.path("data/");
        let rules = [
            scene.injector.once(WRITE, &data, what, 0),
            scene.injector.once(READ, &data, what, 0),
        ];
        scene.trio.master.dbctl(&["checkpoint"]).ok();
        assert!(rules[0].hits() > 0, "a data file was written");
        let [first, second] = rules;
        drop(second);
        drop(first);
    }
    let refusals = scene.shared.refusals();
    assert!(!refusals.contains_key("58030"), "{refusals:?}");
    scene.end();
}

#[test]
fn a_checkpoint_that_fails_leaves_the_redo_point_and_commits_go_on() {
    let mut scene = Scene::set(At::Master);
    let operations = [
        (SYNC, "data/db/"),
        (WRITE, "data/db/"),
        (RENAME, "data/control"),
        (SYNC, "data/control"),
    ];
    for (operation, path) in operations {
        let path = scene.path(path);
        let rule = scene.injector.always(operation, &path, What::IoError);
        let redo = scene.trio.master.command("status").remove("redo position");
        let told = scene.trio.master.dbctl(&["checkpoint"]).fails(1);
        assert!(told.contains("os error 5"), "{told}");
        assert!(rule.hits() > 0);
        let now = scene.trio.master.command("status").remove("redo position");
        assert_eq!(redo, now, "the redo point stays");
        scene.goes_on(5);
        drop(rule);
        scene.trio.master.dbctl(&["checkpoint"]).ok();
        // It fails once more, and the server is killed: recovery starts at the older point.
        let rule = scene.injector.always(operation, &path, What::IoError);
        scene.trio.master.dbctl(&["checkpoint"]).fails(1);
        scene.trio.master.kill9();
        drop(rule);
        scene.trio.master.start();
        scene.goes_on(5);
    }
    scene.end();
}

#[test]
fn a_page_that_cannot_be_read_fails_its_statement_alone_and_names_the_file() {
    let mut scene = Scene::set(At::Master);
    let client = scene.reader();
    client.run("CREATE TABLE cold (id BIGINT PRIMARY KEY, body BYTEA)");
    client.run(
        "INSERT INTO cold SELECT n, gen_random_bytes(2000) FROM generate_series(1, 500) AS g(n)",
    );
    drop(client);
    scene.trio.master.dbctl(&["checkpoint"]).ok();
    // Nothing of it is in memory any more.
    scene.trio.master.restart();
    let client = scene.reader();
    assert_eq!(client.value("SELECT count(*) FROM made_0"), "1");
    let path = scene.path("data/db/history");
    let rule = scene.injector.always(READ, &path, What::IoError);
    let failed = client
        .try_rows("SELECT sum(length(body)) FROM cold")
        .expect_err("a page");
    let refusal = Refusal::of(&failed).expect("the server's words");
    assert_eq!(refusal.code, "58030", "{refusal:?}");
    let words = format!("{} {}", refusal.message, refusal.detail);
    assert!(
        words.contains("history") && words.contains("page"),
        "{refusal:?}"
    );
    assert!(rule.hits() > 0);
    drop(rule);
    // The same session goes on.
    assert_eq!(client.value("SELECT count(*) FROM cold"), "500");
    assert_ne!(client.value("SELECT sum(length(body)) FROM cold"), "0");
    scene.end();
}

/// A start on a disk that fails: it is refused with the name of the file, or it succeeds; nothing is
/// lost by it, and the next one succeeds.
fn start_on_a_failing_disk(at: At) {
    let mut scene = Scene::set(at);
    let operations = [
        (READ, "fwlog/fw-"),
        (READ, "data/control"),
        (READ, "data/db/history.db"),
        (WRITE, "fwlog/fw-"),
        (SYNC, "fwlog/fw-"),
        (CREATE, "fwlog/fw-"),
        (RENAME, "data/control"),
        (TRUNCATE, "fwlog/fw-"),
    ];
    for (operation, path) in operations {
        scene.trio.server(at).kill9();
        let path = scene.path(path);
        let rule = scene.injector.always(operation, &path, What::IoError);
        let started = scene.trio.server(at).try_start();
        if let Err(run) = started {
            let told = run.fails(1);
            assert!(told.contains(&path), "{path} is named: {told}");
            assert!(rule.hits() > 0, "{path}: {told}");
        } else {
            // Pages that redo replaces are not read.
            let needed = operation == READ && !path.contains("data/db/");
            assert!(!needed, "it started without {path}");
            scene.trio.server(at).kill9();
        }
        drop(rule);
        scene.trio.server(at).start();
        scene.goes_on(3);
    }
    scene.end();
}

#[test]
fn a_master_that_starts_on_a_failing_disk_names_the_file_and_loses_nothing() {
    start_on_a_failing_disk(At::Master);
}

#[test]
fn a_slave_that_starts_on_a_failing_disk_names_the_file_and_loses_nothing() {
    start_on_a_failing_disk(At::Slave(0));
}

#[test]
fn dbrepl_that_cannot_read_the_log_says_so_and_goes_on_when_it_can() {
    let mut scene = Scene::set(At::Slave(1));
    let folder = scene.trio.folder().join("shipper");
    std::fs::create_dir_all(&folder).expect("a folder");
    let injector = Injector::in_folder(&folder);
    scene.trio.shippers[0].kill9();
    let options = ["-v"];
    let line = scene.trio.lines[0].address();
    let mut command = follower::dbrepl_to(&scene.trio.master, line, &options);
    command.envs(injector.variables(&library(&folder)));
    scene.trio.shippers[0] = Follower::run(command, scene.trio.folder().join("dbrepl0.log"));
    scene.goes_on(5);
    let rule = injector.always(READ, "/master/fwlog/fw-", What::IoError);
    scene.trio.shippers[0].wait_for_line("Input/output error");
    assert!(rule.hits() > 0);
    scene.goes_on(20);
    assert!(
        scene.trio.shippers[0].is_running(),
        "{}",
        scene.trio.shippers[0].output()
    );
    drop(rule);
    scene.end();
}

#[test]
fn a_mirror_that_fails_in_any_way_says_so_and_goes_on_by_itself() {
    let mut scene = Scene::set(At::Slave(0));
    let operations = [
        (SYNC, 2),
        (WRITE, 1),
        (CREATE, 0),
        (RENAME, 0),
        (TRUNCATE, 1),
    ];
    for (operation, skip) in operations {
        scene.fail_once(operation, "fwlog/fw-", What::IoError, skip);
    }
    scene.trio.shippers[0].wait_for_line("Input/output error");
    scene.end();
}

#[test]
fn a_slave_whose_checkpoint_fails_follows_on() {
    let mut scene = Scene::set(At::Slave(0));
    for (operation, path) in [
        (SYNC, "data/db/"),
        (WRITE, "data/db/"),
        (RENAME, "data/control"),
    ] {
        let path = scene.path(path);
        let rule = scene.injector.always(operation, &path, What::IoError);
        wait_for("a checkpoint of the slave that fails", LONG, || {
            (rule.hits() > 1).then_some(())
        });
        scene.goes_on(5);
        scene.trio.slaves[0].kill9();
        drop(rule);
        scene.trio.slaves[0].start();
        scene.goes_on(5);
    }
    scene.end();
}

fn files_that_cannot_be_removed_stop_nobody(at: At) {
    let mut scene = Scene::set(at);
    let path = scene.path("");
    let rule = scene.injector.always(UNLINK, &path, What::IoError);
    let client = scene.trio.master.client("system");
    // What was dropped stays dropped, whatever became of its file.
    client.run("CREATE DATABASE gone");
    client.run("DROP DATABASE gone");
    scene.goes_on(50);
    wait_for("a file that cannot be removed", LONG, || {
        (rule.hits() > 0).then_some(())
    });
    drop(rule);
    assert!(scene.trio.server(at).log().contains("remove it by hand"));
    scene.end();
}

#[test]
fn a_master_that_cannot_remove_files_goes_on() {
    files_that_cannot_be_removed_stop_nobody(At::Master);
}

#[test]
fn a_slave_that_cannot_remove_files_goes_on() {
    files_that_cannot_be_removed_stop_nobody(At::Slave(0));
}

/// A slave can't apply for a while: it says why, serves what it has, and goes on by itself.
fn slave_waits_for_its_disk(operation: Operation, of: &str, work: &str) {
    let mut scene = Scene::set(At::Slave(0));
    let path = scene.path(of);
    let rule = scene.injector.always(operation, &path, What::IoError);
    scene.trio.master.sql("system", work);
    let slave = &scene.trio.slaves[0];
    wait_for("the slave to say why it waits", LONG, || {
        let said = slave.command("replication status").remove("suspended")?;
        said.contains("Input/output").then_some(())
    });
    scene.goes_on(5);
    assert!(rule.hits() > 0);
    drop(rule);
    assert!(scene.trio.shippers[0].is_running());
    scene.end();
}

#[test]
fn a_slave_that_cannot_read_a_page_waits_and_goes_on_by_itself() {
    slave_waits_for_its_disk(READ, "data/db/history.db", "CREATE DATABASE another");
}

#[test]
fn a_slave_that_cannot_make_a_database_waits_and_goes_on_by_itself() {
    slave_waits_for_its_disk(CREATE, "data/db/made.db", "CREATE DATABASE made");
}
