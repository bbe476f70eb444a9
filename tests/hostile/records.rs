//! Records that can be read, in a log that chains, and that no master would write. Who can write
//! the master's log can change everything in it; the slave stays whole all the same: it suspends
//! applying, says why, serves what it had, and takes nothing more.

use std::path::{Path, PathBuf};

use dbproto::{Message, state};
use dbtests::{Cluster, LONG, Server, Settings, files, wait_for};
use fwlog::{
    CommitHead, CommitNumber, DatabaseId, LogPoint, PAGE_SIZE, PageNumber, RecordBuffer, Timestamp,
    TransactionId,
};

use crate::log;
use crate::shop;
use crate::source::Source;
use dbtests::memory::peak_mib;

const MEMORY_MIB: u64 = 400;
/// The number of the database that the cluster has.
const SHOP: DatabaseId = DatabaseId::new(2);

/// A slave of its own for each case, with the same state.
fn copy_of(cluster: &Cluster, name: &str) -> Server {
    let slave = Server::prepare(
        cluster.folder().path(),
        Settings::new(name, "Slave").set("Server", "Instance", "slave"),
    );
    files::copy_directory(&cluster.slave.data_dir(), &slave.data_dir());
    files::copy_directory(&cluster.slave.fwlog_dir(), &slave.fwlog_dir());
    slave
}

fn head(number: u64, page_count: u32) -> CommitHead {
    CommitHead {
        number: CommitNumber::new(number),
        database: SHOP,
        time: Timestamp::ZERO,
        exclusive: false,
        page_count,
        transaction: None,
    }
}

/// Makes the records of a case behind commit `number - 1`; tells whether they commit.
type Records = fn(&mut RecordBuffer, u64) -> bool;

const CASES: [(&str, Records, &str); 9] = [
    (
        "an unknown database",
        |records, number| {
            let head = CommitHead {
                database: DatabaseId::new(77),
                ..head(number, 3)
            };
            records.begin_commit(head).finish();
            true
        },
        "database number 77, which does not exist",
    ),
    (
        "a commit without its parts",
        |records, number| {
            let head = CommitHead {
                transaction: Some(TransactionId::new(5)),
                ..head(number, 3)
            };
            records.begin_commit(head).finish();
            true
        },
        "without its parts",
    ),
    (
        "parts of another database",
        |records, number| {
            let transaction = TransactionId::new(5);
            let mut part = records.begin_part(transaction, DatabaseId::new(1));
            part.page_full(PageNumber::new(1), &[7; PAGE_SIZE]);
            part.finish();
            let head = CommitHead {
                transaction: Some(transaction),
                ..head(number, 3)
            };
            records.begin_commit(head).finish();
            true
        },
        "another database",
    ),
    (
        "a delta against another page",
        |records, number| {
            let mut commit = records.begin_commit(head(number, 3));
            let mut new = [9; PAGE_SIZE];
            new[5] = 1;
            commit.page_delta(PageNumber::new(1), &[9; PAGE_SIZE], &new);
            commit.finish();
            true
        },
        "checksum",
    ),
    (
        "a database of four billion pages",
        |records, number| {
            records.begin_commit(head(number, u32::MAX)).finish();
            true
        },
        "4294967295",
    ),
    (
        "the users dropped",
        |records, _| {
            records.drop_database(DatabaseId::new(1), "system");
            false
        },
        "the server's own database",
    ),
    (
        "the users renamed",
        |records, _| {
            records.rename_database(DatabaseId::new(1), "system", "mine");
            false
        },
        "the server's own database",
    ),
    (
        "a second system database",
        |records, _| {
            records.create_database(DatabaseId::new(9), "system", "");
            false
        },
        "system",
    ),
    (
        "a restore",
        |records, _| {
            records.restore_database(SHOP, "shop", "");
            false
        },
        "restore",
    ),
];

/// Sends one block behind the slave's end.
fn send(cluster: &Cluster, slave: &Server, records: Records) -> Source {
    let environment = log::environment(&cluster.master);
    let (mut source, point) = Source::start(slave.address(), environment);
    source.send(&block(cluster, point, records));
    source
}

fn block(cluster: &Cluster, point: LogPoint, make: Records) -> Message {
    let number = log::commit_at(&cluster.master, point).next().get();
    let mut records = RecordBuffer::new();
    let commits = make(&mut records, number);
    let last = if commits { number } else { number - 1 };
    Message::Blocks {
        start: point.position,
        bytes: log::block(point, (number, last), &records),
    }
}

#[test]
fn records_that_make_no_sense_suspend_applying_and_nothing_else() {
    let mut cluster = shop::ahead();
    cluster.slave.stop();
    for (number, (what, records, why)) in CASES.into_iter().enumerate() {
        let mut slave = copy_of(&cluster, &format!("slave{number}"));
        slave.start();
        let source = send(&cluster, &slave, records);
        wait_for("the slave to suspend applying", LONG, || {
            slave.log().contains("applying is suspended").then_some(())
        });
        drop(source);
        assert!(slave.log().contains(why), "{what}: {}", slave.log());
        assert!(!slave.log().contains("panicked"), "{what}: {}", slave.log());
        shop::assert_serves(&slave);
        // Nobody can add to a log that cannot be applied; whoever tries is told why.
        let refuse = wait_for("the slave to be free", LONG, || {
            let refuse = Source::log_in(slave.address()).refusal();
            (refuse.sqlstate != state::IN_USE).then_some(refuse)
        });
        assert_eq!(refuse.sqlstate, state::DAMAGED, "{what}: {refuse:?}");
        assert!(refuse.detail.contains(why), "{what}: {refuse:?}");
        let peak = peak_mib(slave.process().pid());
        assert!(peak < MEMORY_MIB, "{what}: {peak} MiB");
        slave.stop();
        // Recovery meets the same record, and says the same.
        let run = slave.try_start().expect_err("it cannot recover");
        assert!(run.err.contains(why), "{what}: {run:?}");
    }
}

#[test]
fn names_that_look_like_paths_stay_inside_the_directory() {
    let mut cluster = shop::ahead();
    cluster.slave.stop();
    let mut slave = copy_of(&cluster, "slave0");
    slave.start();
    let before = settled_paths(cluster.folder().path(), &slave);
    let source = send(&cluster, &slave, |records, _| {
        for (id, name) in [
            (10, "../../x"),
            (11, "/tmp/x"),
            (12, "."),
            (13, "a/b"),
            (14, ".."),
        ] {
            records.create_database(DatabaseId::new(id), name, "../options");
        }
        records.drop_database(DatabaseId::new(14), "../../data");
        records.rename_database(DatabaseId::new(13), "a/b", "../system.db");
        false
    });
    wait_for("the databases", LONG, || {
        let names = slave.sql("system", "SELECT datname FROM pg_database");
        names
            .iter()
            .any(|row| row[0] == "../system.db")
            .then_some(())
    });
    drop(source);
    assert_eq!(
        settled_paths(cluster.folder().path(), &slave),
        before,
        "nothing beside its data"
    );
    let known = files::list(&slave.data_dir().join("db"), "");
    assert!(known.len() >= 5, "{known:?}");
    // They are there after a crash, too, and still inside.
    slave.kill9();
    slave.start();
    assert_eq!(settled_paths(cluster.folder().path(), &slave), before);
    shop::assert_serves(&slave);
}

/// The same, seen twice: servers replace files of their own by way of others, which are there for a moment.
fn settled_paths(folder: &Path, slave: &Server) -> Vec<PathBuf> {
    let mut last = paths(folder, slave);
    wait_for("files to stay as they are", LONG, || {
        let now = paths(folder, slave);
        let same = now == last && !now.iter().any(|path| is_new(path));
        last.clone_from(&now);
        same.then_some(now)
    })
}

/// Whether this is to replace a file.
fn is_new(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "new")
}

/// What is in the folder of all servers, but for the databases of this one.
fn paths(folder: &Path, slave: &Server) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in files::list(&folder, "") {
            if path == slave.data_dir().join("db") || path.starts_with(slave.fwlog_dir()) {
                continue;
            }
            if path.is_dir() {
                folders.push(path.clone());
            }
            found.push(path);
        }
    }
    found.sort();
    found
}
