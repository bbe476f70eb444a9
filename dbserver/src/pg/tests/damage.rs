//! Data files that a disk has damaged.

use std::path::PathBuf;

use disk::{Access, Disk};
use tokio_postgres::SimpleQueryMessage;

use super::*;
use crate::error::EngineError;

const PAGE: u64 = 4096;

impl Server {
    fn data_file(&self) -> PathBuf {
        self.directory.path().join("data/db/shop.db")
    }

    /// Changes one bit of the data file.
    fn flip(&self, offset: u64) {
        let file = Disk::real().open(&self.data_file(), Access::Write).unwrap();
        let mut byte = [0];
        file.read_exact_at(offset, &mut byte).unwrap();
        file.write_at(offset, &[byte[0] ^ 0x10]).unwrap();
    }

    /// A table of some hundred pages, in the data file.
    async fn fill(&self) -> Client {
        let client = self
            .client_after(
                "CREATE TABLE item (id SERIAL PRIMARY KEY, name TEXT);
                 INSERT INTO item (name) SELECT repeat('x', 1000) FROM generate_series(1, 1000)",
            )
            .await;
        self.environment.checkpoint().unwrap();
        client
    }

    /// A client whose snapshot is older than the newest content of all of [`Server::fill`]'s rows.
    async fn old_reader(&self) -> Client {
        let writer = self.fill().await;
        let reader = self.client().await;
        reader
            .batch_execute(
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT name FROM item WHERE id = 1",
            )
            .await
            .unwrap();
        writer
            .batch_execute("UPDATE item SET name = repeat('y', 1000)")
            .await
            .unwrap();
        reader
    }

    async fn verify(&self) -> Vec<(String, Option<String>)> {
        let client = connect(&self.parameters("system")).await.unwrap();
        let messages = client.simple_query("DBCTL 'database verify'").await;
        let mut found = Vec::new();
        for message in messages.unwrap() {
            if let SimpleQueryMessage::Row(row) = message {
                let damage = row.get("damage").map(str::to_owned);
                found.push((row.get("result").unwrap().to_owned(), damage));
            }
        }
        found
    }
}

#[tokio::test]
async fn a_damaged_page_is_never_served_and_named_everywhere() {
    let server = Server::with("RepairFrom = off").await;
    server.fill().await;
    let sound = ("ok".to_owned(), None);
    assert_eq!(server.verify().await, [sound.clone(), sound.clone()]);
    let offset = 100 * PAGE + 2000;
    server.flip(offset);
    let named = "page 101 at byte offset 409600 does not fit its checksum";

    let client = server.client().await;
    let error = client.query("SELECT * FROM item", &[]).await.unwrap_err();
    assert_eq!(sqlstate(&error), "XX001");
    let text = error.as_db_error().unwrap();
    assert!(text.message().contains("db/shop.db"), "{text}");
    assert!(text.message().contains(named), "{text}");
    assert!(text.hint().unwrap().contains("--rebuild"), "{text}");
    let one = client.query("SELECT * FROM item WHERE id = 1", &[]).await;
    assert_eq!(one.unwrap().len(), 1, "the rest is served");
    drop(client);
    let damaged = ("damaged".to_owned(), Some(named.to_owned()));
    assert_eq!(server.verify().await, [damaged, sound]);

    let path = server.data_file();
    let directory = server.stop();
    let config = Config::load(directory.path().join("eloqdb.cfg")).unwrap();
    let error = Environment::start(config, Sessions::new(1)).err().unwrap();
    assert!(matches!(error, EngineError::Damaged(_)), "{error}");
    let text = error.to_string();
    assert_eq!(text, format!("{}: {named}", path.display()));
}

#[tokio::test]
async fn an_old_reader_whose_pages_cannot_be_kept_is_ended_and_the_checkpoint_goes_on() {
    let server = Server::with("RepairFrom = off").await;
    let reader = server.old_reader().await;
    // The old image, which only the reader still needs, is lost.
    server.flip(100 * PAGE + 2000);
    server.environment.checkpoint().unwrap();
    let old = reader.query("SELECT count(DISTINCT name) FROM item", &[]);
    assert_eq!(refused(old.await), "72000");
    reader.batch_execute("ROLLBACK").await.unwrap();
    let sql = "SELECT count(DISTINCT name) FROM item WHERE name LIKE 'y%'";
    assert_eq!(count(&reader, sql).await, 1);
    let sound = ("ok".to_owned(), None);
    assert_eq!(server.verify().await, [sound.clone(), sound]);
    server.restart().await.stop();
}

#[tokio::test]
async fn a_statement_that_meets_a_damaged_page_answers_and_the_page_is_sound_again() {
    let server = Server::start().await;
    let client = server.fill().await;
    let whole = std::fs::read(server.data_file()).unwrap();
    // Two on one MiB, one far behind.
    for page in [100, 120, 200] {
        server.flip(page * PAGE + 2000);
    }
    let sum = "SELECT count(*) FROM item WHERE name = repeat('x', 1000)";
    // Nothing of it may be in the cache of a connection.
    drop(client);
    let client = server.client().await;
    assert_eq!(count(&client, sum).await, 1000);
    assert!(std::fs::read(server.data_file()).unwrap() == whole);
    let repairs = server.environment.core().repairs();
    assert_eq!((repairs.mended.get(), repairs.not_mended.get()), (3, 0));
    let sound = ("ok".to_owned(), None);
    assert_eq!(server.verify().await, [sound.clone(), sound.clone()]);
    // What nobody reads is found by a verification.
    server.flip(100 * PAGE + 2000);
    let repaired = ("repaired".to_owned(), None);
    assert_eq!(server.verify().await, [repaired, sound.clone()]);
    let connection = connect(&server.parameters("system")).await.unwrap();
    let status = connection.simple_query("DBCTL 'status'").await.unwrap();
    assert!(
        format!("{status:?}").contains("4, the last at "),
        "{status:?}"
    );
    assert_eq!(server.verify().await, [sound.clone(), sound]);
}

#[tokio::test]
async fn an_old_reader_keeps_what_a_checkpoint_finds_damaged_and_the_log_mends() {
    let server = Server::start().await;
    let reader = server.old_reader().await;
    server.flip(100 * PAGE + 2000);
    server.environment.checkpoint().unwrap();
    let old = "SELECT count(*) FROM item WHERE name = repeat('x', 1000)";
    assert_eq!(count(&reader, old).await, 1000);
    reader.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(count(&reader, old).await, 0);
    assert_eq!(server.environment.core().repairs().mended.get(), 1);
}

#[tokio::test]
async fn a_start_goes_on_where_the_log_mends_pages_and_sums() {
    let server = Server::start().await;
    let client = server.fill().await;
    let path = server.data_file();
    let sum_path = pagestore::sum_file(&path);
    drop(client);
    let directory = server.stop();
    let (whole, sums) = (
        std::fs::read(&path).unwrap(),
        std::fs::read(&sum_path).unwrap(),
    );
    let disk = Disk::real();
    // Pages, one of them nothing but zeros, the sum of another, and the end of the file.
    let mut damaged = whole.clone();
    damaged[100 * 4096 + 5] ^= 1;
    damaged[150 * 4096..151 * 4096].fill(0);
    damaged.truncate(whole.len() - 3 * 4096 - 100);
    disk.write_atomic(&path, &damaged, 0o600).unwrap();
    let mut damaged = sums.clone();
    damaged[4096 + 4 * 30] ^= 1;
    disk.write_atomic(&sum_path, &damaged, 0o600).unwrap();
    let server = Server::serve(directory).await;
    let repairs = server.environment.core().repairs();
    assert_eq!((repairs.mended.get(), repairs.not_mended.get()), (3 + 4, 0));
    assert!(std::fs::read(&path).unwrap() == whole);
    assert!(std::fs::read(&sum_path).unwrap() == sums);
    let client = server.client().await;
    assert_eq!(count(&client, "SELECT count(*) FROM item").await, 1000);
    drop(client);
    server.stop();
}

/// Neither the page nor its sum is what the log has: nobody knows which of the three is right.
#[tokio::test]
async fn a_page_that_nothing_proves_is_told_and_left_alone() {
    let server = Server::start().await;
    drop(server.fill().await);
    let path = server.data_file();
    let sum_path = pagestore::sum_file(&path);
    let directory = server.stop();
    let disk = Disk::real();
    for (path, at) in [(&path, 100 * 4096 + 5), (&sum_path, 4096 + 4 * 100)] {
        let mut bytes = std::fs::read(path).unwrap();
        bytes[at] ^= 1;
        disk.write_atomic(path, &bytes, 0o600).unwrap();
    }
    let before = std::fs::read(&path).unwrap();
    let config = Config::load(directory.path().join("eloqdb.cfg")).unwrap();
    let error = Environment::start(config, Sessions::new(1)).err().unwrap();
    assert!(matches!(error, EngineError::Damaged(_)), "{error}");
    assert!(std::fs::read(&path).unwrap() == before);
}

#[tokio::test]
async fn the_files_are_looked_through_in_the_background() {
    let server = Server::with("VerifyData = read\nScrubRate = 0").await;
    drop(server.fill().await);
    let whole = std::fs::read(server.data_file()).unwrap();
    let directory = server.stop();
    let path = directory.path().join("data/db/shop.db");
    let mut damaged = whole.clone();
    damaged[100 * 4096 + 5] ^= 1;
    Disk::real().write_atomic(&path, &damaged, 0o600).unwrap();
    let server = Server::serve(directory).await;
    assert!(server.environment.core().scrub().status().is_none());
    // As SIGHUP does it.
    let mut config = server.environment.config().clone();
    config.server.scrub_rate = 1 << 30;
    server.environment.core().reload(&config);
    let deadline = Instant::now() + Duration::from_mins(1);
    let status = loop {
        let status = server.environment.core().scrub().status().unwrap();
        if status.ended.is_some() {
            break status;
        }
        assert!(Instant::now() < deadline, "{status:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!((status.repaired, status.damaged), (1, 0));
    assert!(std::fs::read(&path).unwrap() == whole);
    let connection = connect(&server.parameters("system")).await.unwrap();
    let shown = connection.simple_query("DBCTL 'status'").await.unwrap();
    let shown = format!("{shown:?}");
    assert!(shown.contains("last round ended at "), "{shown}");
    assert!(shown.contains(" 1 pages repaired, 0 damaged"), "{shown}");
}
