//! SQLite over the page store, without a log: small transactions and point reads.
#![expect(clippy::unwrap_used, reason = "a bench that fails may end")]

use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use disk::Disk;
use pagestore::{CommitNumber, Horizon, PageStore, StoreOptions};
use rusqlite::Connection;
use sqlitevfs::{FileHandle, OpenOptions};

const ACCOUNTS: i64 = 100_000;

struct Client {
    connection: Connection,
    handle: FileHandle,
}

struct Bank {
    directory: tempfile::TempDir,
    horizon: Arc<Horizon>,
    store: Arc<PageStore>,
    /// Statements so far: each goes to another account.
    count: i64,
}

impl Bank {
    /// The tables, all in the data file.
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let horizon = Horizon::new(CommitNumber::ZERO);
        let options = StoreOptions {
            disk: Disk::real(),
            scratch_dir: directory.path().to_owned(),
            database: 1,
            pinned_limit: 64 << 20,
        };
        let path = directory.path().join("bench.db");
        let store = PageStore::create(&path, Arc::clone(&horizon), options).unwrap();
        let bank = Self {
            directory,
            horizon,
            store,
            count: 0,
        };
        let client = bank.client();
        bank.write(&client, |connection| {
            connection.execute_batch(&format!(
                "CREATE TABLE account (id INTEGER PRIMARY KEY, balance INTEGER, filler TEXT);
                 CREATE TABLE history (id INTEGER PRIMARY KEY, account INTEGER, amount INTEGER);
                 WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {ACCOUNTS} - 1)
                 INSERT INTO account SELECT i, 0, hex(zeroblob(40)) FROM n",
            ))
        });
        bank.store.checkpoint(&|_| ()).unwrap();
        bank
    }

    fn client(&self) -> Client {
        let options = OpenOptions {
            scratch_dir: self.directory.path().to_owned(),
            write_set_limit: 64 << 20,
            cache_kib: 32 << 10,
        };
        let (connection, handle) = sqlitevfs::open(&self.store, options).unwrap();
        Client { connection, handle }
    }

    /// Does what a session does around a transaction.
    fn write(&self, client: &Client, work: impl FnOnce(&Connection) -> rusqlite::Result<()>) {
        client.handle.allow_write(true);
        work(&client.connection).unwrap();
        if let Some(set) = client.handle.take_write_set() {
            let commit = CommitNumber::new(self.store.latest().0.get() + 1);
            self.store.publish(commit, set.page_count, set.pages);
            self.horizon.advance(commit);
        }
        client.handle.allow_write(false);
    }

    fn next_account(&mut self) -> i64 {
        self.count += 1;
        (self.count * 7919) % ACCOUNTS
    }

    fn transact(&mut self, client: &Client) {
        let account = self.next_account();
        self.write(client, |connection| {
            connection.prepare_cached("BEGIN")?.execute(())?;
            connection
                .prepare_cached("UPDATE account SET balance = balance + 1 WHERE id = ?1")?
                .execute([account])?;
            connection
                .prepare_cached("INSERT INTO history (account, amount) VALUES (?1, 1)")?
                .execute([account])?;
            connection.prepare_cached("COMMIT")?.execute(())?;
            Ok(())
        });
    }

    fn read(&mut self, client: &Client) -> i64 {
        let account = self.next_account();
        client
            .connection
            .prepare_cached("SELECT balance FROM account WHERE id = ?1")
            .and_then(|mut statement| statement.query_row([account], |row| row.get(0)))
            .unwrap()
    }
}

fn transactions(criterion: &mut Criterion) {
    let mut bank = Bank::new();
    let clients = [bank.client(), bank.client()];
    criterion.bench_function("sqlite/UPDATE and INSERT, one connection", |bencher| {
        bencher.iter(|| bank.transact(&clients[0]));
    });
    criterion.bench_function("sqlite/UPDATE and INSERT, two in turn", |bencher| {
        bencher.iter(|| {
            let turn = usize::from(bank.count % 2 == 0);
            bank.transact(&clients[turn]);
        });
    });
}

fn reads(criterion: &mut Criterion) {
    let mut bank = Bank::new();
    let (writer, reader) = (bank.client(), bank.client());
    criterion.bench_function("sqlite/point read, nobody writes", |bencher| {
        bencher.iter(|| bank.read(&reader));
    });
    criterion.bench_function("sqlite/point read after another's commit", |bencher| {
        bencher.iter(|| {
            bank.transact(&writer);
            bank.read(&reader)
        });
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3));
    targets = transactions, reads
}
criterion_main!(benches);
