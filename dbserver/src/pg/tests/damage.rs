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
    let server = Server::start().await;
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
    let server = Server::start().await;
    let writer = server.fill().await;
    let reader = server.client().await;
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
