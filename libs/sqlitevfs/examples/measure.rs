//! Prints microseconds per small transaction and per point read, through the shim and the store and
//! without a log. Run with `cargo run --release -p sqlitevfs --example measure [cache in KiB]`.
#![expect(clippy::print_stdout, reason = "it prints figures")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]

use std::error::Error;
use std::sync::Arc;

use disk::Disk;
use pagestore::{CommitNumber, Horizon, PageStore, StoreOptions};
use rusqlite::Connection;
use sqlitevfs::{FileHandle, OpenOptions};

const ACCOUNTS: i64 = 100_000;
const ROUNDS: i64 = 100_000;

type Outcome<T> = Result<T, Box<dyn Error>>;

struct Bench {
    directory: tempfile::TempDir,
    horizon: Arc<Horizon>,
    store: Arc<PageStore>,
    pages: usize,
    cache_kib: u32,
}

impl Bench {
    fn new(cache_kib: u32) -> Outcome<Self> {
        let directory = tempfile::tempdir()?;
        let horizon = Horizon::new(CommitNumber::ZERO);
        let options = StoreOptions {
            disk: Disk::real(),
            scratch_dir: directory.path().to_owned(),
            database: 1,
            pinned_limit: 64 << 20,
        };
        let path = directory.path().join("bench.db");
        let store = PageStore::create(&path, Arc::clone(&horizon), options)?;
        Ok(Self {
            directory,
            horizon,
            store,
            pages: 0,
            cache_kib,
        })
    }

    fn connect(&self) -> Outcome<(Connection, FileHandle)> {
        let scratch_dir = self.directory.path().to_owned();
        let options = OpenOptions {
            scratch_dir,
            write_set_limit: 64 << 20,
            cache_kib: self.cache_kib,
        };
        Ok(sqlitevfs::open(&self.store, options)?)
    }

    fn publish(&mut self, handle: &FileHandle) {
        if let Some(set) = handle.take_write_set() {
            let commit = CommitNumber::new(self.store.latest().0.get() + 1);
            self.pages += set.pages.len();
            self.store.publish(commit, set.page_count, set.pages);
            self.horizon.advance(commit);
        }
    }

    /// Makes the tables, and moves them into the data file.
    fn fill(&mut self, (connection, handle): &(Connection, FileHandle)) -> Outcome<()> {
        handle.allow_write(true);
        connection.execute_batch(&format!(
            "CREATE TABLE account (id INTEGER PRIMARY KEY, balance INTEGER, filler TEXT);
             CREATE TABLE history (id INTEGER PRIMARY KEY, account INTEGER, amount INTEGER);
             WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {ACCOUNTS} - 1)
             INSERT INTO account SELECT i, 0, hex(zeroblob(40)) FROM n",
        ))?;
        self.publish(handle);
        handle.allow_write(false);
        self.store.checkpoint(&|_| ())?;
        Ok(())
    }

    fn transact(&mut self, (connection, handle): &(Connection, FileHandle), i: i64) -> Outcome<()> {
        handle.allow_write(true);
        connection.prepare_cached("BEGIN")?.execute(())?;
        let account = (i * 7919) % ACCOUNTS;
        connection
            .prepare_cached("UPDATE account SET balance = balance + ?2 WHERE id = ?1")?
            .execute((account, i))?;
        connection
            .prepare_cached("INSERT INTO history (account, amount) VALUES (?1, ?2)")?
            .execute((account, i))?;
        connection.prepare_cached("COMMIT")?.execute(())?;
        self.publish(handle);
        handle.allow_write(false);
        Ok(())
    }
}

/// Time that this thread has been running, in nanoseconds: other work on the machine does not
/// count. Linux only.
fn cpu_ns() -> Outcome<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(text.split_whitespace().next().unwrap_or_default().parse()?)
}

fn report(what: &str, began: u64, rounds: i64) -> Outcome<()> {
    let micros = (cpu_ns()? - began) as f64 / 1e3 / rounds as f64;
    println!("{what:<58} {micros:8.2} us");
    Ok(())
}

fn read(connection: &Connection, i: i64) -> Outcome<i64> {
    let mut statement = connection.prepare_cached("SELECT balance FROM account WHERE id = ?1")?;
    Ok(statement.query_row([(i * 7919) % ACCOUNTS], |row| row.get(0))?)
}

fn main() -> Outcome<()> {
    let cache_kib = std::env::args()
        .nth(1)
        .map_or(Ok(32 << 10), |text| text.parse())?;
    let mut bench = Bench::new(cache_kib)?;
    let writers = [bench.connect()?, bench.connect()?];
    let reader = bench.connect()?;
    bench.fill(&writers[0])?;
    for i in 0..1000 {
        bench.transact(&writers[0], i)?;
    }
    bench.pages = 0;
    let began = cpu_ns()?;
    for i in 0..ROUNDS {
        bench.transact(&writers[0], i)?;
    }
    report(
        "transaction (UPDATE + INSERT), one connection",
        began,
        ROUNDS,
    )?;
    println!(
        "{:<58} {:8.2}",
        "pages per transaction",
        bench.pages as f64 / ROUNDS as f64
    );
    let began = cpu_ns()?;
    for i in 0..ROUNDS {
        bench.transact(&writers[usize::from(i % 2 == 0)], i)?;
    }
    report("transaction, two connections in turn", began, ROUNDS)?;
    let mut sum = 0;
    let began = cpu_ns()?;
    for i in 0..ROUNDS {
        sum += read(&reader.0, i)?;
    }
    report("point read, nobody writes", began, ROUNDS)?;
    let began = cpu_ns()?;
    for i in 0..ROUNDS / 4 {
        bench.transact(&writers[0], i)?;
        sum += read(&reader.0, i)?;
    }
    report(
        "point read after each commit of another (with the commit)",
        began,
        ROUNDS / 4,
    )?;
    let began = cpu_ns()?;
    let checkpoint = bench.store.checkpoint(&|_| ())?;
    report(
        "checkpoint, per page",
        began,
        i64::try_from(checkpoint.pages)?.max(1),
    )?;
    let began = cpu_ns()?;
    for i in 0..ROUNDS / 4 {
        bench.transact(&writers[0], i)?;
        sum += read(&reader.0, i)?;
    }
    report("the same, most pages in the data file", began, ROUNDS / 4)?;
    println!("{:<58} {:8}", "sum of what was read", sum % 1000);
    println!("{:?}", bench.store.memory());
    Ok(())
}
