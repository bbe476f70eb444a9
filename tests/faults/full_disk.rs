//! Disks that are full, under each directory of each server in turn, while clients work.

use std::sync::Arc;

use dbtests::{Client, Folder, LONG, SHORT, Server, SmallDisk, wait_for, where_mounting_works};

use crate::client::Shared;
use crate::history::At;
use crate::load::{Load, Running};
use crate::tables::{self, DATABASE};
use crate::trio::{Servers, Trio, a_moment};

/// A directory of a server.
#[derive(Debug, Clone, Copy)]
enum Place {
    Log,
    Data,
    Scratch,
}

/// A trio with one directory of one server on a small disk, and clients at work.
struct Scene {
    // Declared first: it goes before the folder that it is mounted in.
    disk: SmallDisk,
    trio: Trio,
    shared: Arc<Shared>,
    running: Option<Running>,
}

impl Scene {
    fn set(at: At, place: Place, size: &str) -> Self {
        // A log has room ahead of its end: it takes much writing until it needs more.
        let ballast = if matches!(place, Place::Log) {
            800
        } else {
            100
        };
        Self::with(at, place, size, ballast)
    }

    /// Transactions write up to so many rows of ballast.
    fn with(at: At, place: Place, size: &str, ballast: u64) -> Self {
        let folder = Folder::new();
        let mut disk = None;
        let servers = Servers::create(
            &folder,
            |_, settings| settings,
            |who, server: &mut Server| {
                if who == at {
                    let directory = match place {
                        Place::Log => server.fwlog_dir(),
                        Place::Data => server.data_dir(),
                        Place::Scratch => server.folder().join("tmp"),
                    };
                    disk = Some(SmallDisk::mount(&directory, size));
                }
            },
        );
        let disk = disk.expect("one of the servers");
        let shared = Arc::new(Shared::default());
        let mut trio = Trio::run(folder, servers);
        let mut load = Load::usual(&shared, 1, 0);
        load.ballast = ballast;
        let running = Some(trio.load(load));
        trio.wait_for_first_commits();
        a_moment();
        Self {
            disk,
            trio,
            shared,
            running,
        }
    }

    fn reader(&self) -> Client {
        self.trio.master.client(DATABASE)
    }

    /// Waits until so many more transactions are committed.
    #[track_caller]
    fn goes_on(&self, more: u64) {
        let client = self.reader();
        let number = || -> u64 {
            let number = client.value("SELECT coalesce(max(number), 0) FROM journal");
            number.parse().expect("a number")
        };
        let start = number();
        wait_for("transactions to be committed", LONG, || {
            (number() >= start + more).then_some(())
        });
    }

    /// Takes all room until a client was refused for it.
    #[track_caller]
    fn starve(&self) {
        let refused = || self.shared.refusals().get("53100").copied();
        let before = refused();
        self.disk
            .starve("a refusal with 53100", || refused() > before);
    }

    /// Takes all room until the dbrepl of a slave has said so.
    #[track_caller]
    fn starve_slave(&self, slave: usize) {
        let shipper = &self.trio.shippers[slave];
        self.disk.starve("dbrepl to say that the disk is full", || {
            let output = shipper.output();
            output.contains("full") || output.contains("space")
        });
    }

    /// All is as it was promised.
    #[track_caller]
    fn end(mut self) {
        self.goes_on(20);
        let running = self.running.take().expect("clients at work");
        self.trio.end_with(running);
    }
}

#[test]
fn a_master_whose_log_is_full_refuses_writes_and_goes_on_by_itself() {
    where_mounting_works(|| {
        let scene = Scene::set(At::Master, Place::Log, "64m");
        for _ in 0..2 {
            scene.starve();
            // Readers go on.
            let number = scene
                .reader()
                .value("SELECT coalesce(max(number), 0) FROM journal");
            assert_ne!(number, "0");
            a_moment();
            scene.disk.make_room();
            scene.goes_on(5);
        }
        scene.end();
    });
}

#[test]
fn a_master_that_is_killed_while_its_log_is_full_has_all_that_it_acknowledged() {
    where_mounting_works(|| {
        let mut scene = Scene::set(At::Master, Place::Log, "64m");
        scene.starve();
        scene.trio.master.kill9();
        // A start begins a segment: without room it says so, or it starts.
        if let Err(run) = scene.trio.master.try_start() {
            let told = run.fails(1);
            assert!(told.contains("space") || told.contains("full"), "{told}");
        } else {
            scene.trio.master.kill9();
        }
        scene.disk.make_room();
        scene.trio.master.start();
        scene.end();
    });
}

#[test]
fn a_master_whose_data_disk_is_full_commits_on_and_its_checkpoint_says_why_it_failed() {
    where_mounting_works(|| {
        let mut scene = Scene::set(At::Master, Place::Data, "64m");
        scene.disk.fill(0);
        wait_for("a checkpoint that fails", LONG, || {
            let checkpoint = scene.trio.master.dbctl(&["checkpoint"]);
            (checkpoint.code == Some(1)).then(|| {
                assert!(checkpoint.err.contains("space"), "{}", checkpoint.err);
            })
        });
        scene.goes_on(20);
        scene.disk.make_room();
        scene.trio.master.dbctl(&["checkpoint"]).ok();
        scene.goes_on(5);
        // Once more, and it is killed meanwhile: recovery needs no room.
        scene.disk.fill(0);
        scene.goes_on(20);
        scene.trio.master.kill9();
        scene.trio.master.start();
        scene.goes_on(5);
        scene.disk.make_room();
        scene.trio.master.dbctl(&["checkpoint"]).ok();
        scene.end();
    });
}

#[test]
fn a_transaction_that_does_not_fit_into_tmpdir_fails_alone() {
    where_mounting_works(|| {
        let scene = Scene::set(At::Master, Place::Scratch, "4m");
        let client = scene.reader();
        client.run("CREATE TABLE huge (body BYTEA)");
        // One that fits into neither memory nor TmpDir.
        let insert =
            "INSERT INTO huge SELECT gen_random_bytes(1000000) FROM generate_series(1, 150)";
        let refusal = client.refused(insert);
        assert_eq!(refusal.code, "53100", "{refusal:?}");
        assert!(
            refusal.message.contains("scratch") || refusal.message.contains("TmpDir"),
            "{refusal:?}"
        );
        scene.goes_on(20);
        assert_eq!(client.value("SELECT count(*) FROM huge"), "0");
        client.run("INSERT INTO huge SELECT gen_random_bytes(1000000) FROM generate_series(1, 10)");
        client.run("BEGIN; DELETE FROM huge; INSERT INTO huge VALUES ('x'); ROLLBACK");
        assert_eq!(client.value("SELECT count(*) FROM huge"), "10");
        scene.end();
    });
}

#[test]
fn a_slave_whose_log_is_full_goes_on_by_itself() {
    where_mounting_works(|| {
        let scene = Scene::set(At::Slave(0), Place::Log, "64m");
        scene.starve_slave(0);
        // It still serves what it has.
        let slave = scene.trio.slaves[0].client(DATABASE);
        assert_ne!(slave.value("SELECT count(*) FROM journal"), "0");
        scene.goes_on(20);
        scene.disk.make_room();
        scene.end();
    });
}

#[test]
fn a_slave_that_is_killed_while_its_log_is_full_goes_on() {
    where_mounting_works(|| {
        let mut scene = Scene::set(At::Slave(0), Place::Log, "64m");
        scene.starve_slave(0);
        scene.trio.slaves[0].kill9();
        scene.trio.slaves[0].start();
        scene.goes_on(10);
        scene.disk.make_room();
        scene.end();
    });
}

#[test]
fn a_slave_whose_data_disk_is_full_follows_on() {
    where_mounting_works(|| {
        let mut scene = Scene::set(At::Slave(1), Place::Data, "64m");
        scene.disk.fill(0);
        wait_for("a checkpoint of the slave that fails", LONG, || {
            scene.trio.slaves[1]
                .log()
                .contains("checkpoint failed")
                .then_some(())
        });
        scene.goes_on(20);
        scene.trio.slaves[1].kill9();
        scene.trio.slaves[1].start();
        scene.goes_on(20);
        // A new database needs room at once: the slave waits for it.
        scene.trio.master.sql("system", "CREATE DATABASE later");
        scene
            .trio
            .master
            .sql("later", "CREATE TABLE item (id BIGINT)");
        let slave = &scene.trio.slaves[1];
        wait_for("the slave to say why it waits", LONG, || {
            let said = slave.command("replication status").remove("suspended")?;
            said.contains("space").then_some(())
        });
        scene.goes_on(5);
        scene.disk.make_room();
        scene.end();
    });
}

#[test]
fn a_slave_whose_tmpdir_is_full_waits_for_room_and_does_not_diverge() {
    where_mounting_works(|| {
        let scene = Scene::set(At::Slave(0), Place::Scratch, "32m");
        scene.disk.fill(128 << 10);
        let client = scene.reader();
        client.run("CREATE TABLE huge (body BYTEA)");
        client.run("INSERT INTO huge SELECT gen_random_bytes(100000) FROM generate_series(1, 100)");
        let slave = &scene.trio.slaves[0];
        let said = wait_for("the slave to say why it waits", SHORT, || {
            let said = slave.command("replication status").remove("suspended")?;
            (said.contains("space") || said.contains("full")).then_some(said)
        });
        assert!(!said.is_empty());
        // It still serves what it has.
        let reader = slave.client(DATABASE);
        assert_ne!(reader.value("SELECT count(*) FROM journal"), "0");
        scene.goes_on(20);
        scene.disk.make_room();
        scene.end();
    });
}

/// Keeps the scenes honest: with room there is no refusal at all.
#[test]
fn with_room_nothing_is_refused() {
    let trio = Trio::start();
    let shared = Arc::new(Shared::default());
    let running = trio.load(Load::usual(&shared, 2, 0));
    a_moment();
    let history = running.stop();
    let mut trio = trio;
    trio.judge(&history, &[0, 1, 2, 3]);
    let refusals: Vec<_> = shared
        .refusals()
        .into_keys()
        .filter(|code| code != "40001")
        .collect();
    assert_eq!(refusals, Vec::<String>::new());
    assert_ne!(tables::order(&trio.master, 0).len(), 0);
}
