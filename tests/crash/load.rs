//! Clients that write, and remember what the server has acknowledged.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use dbtests::waiting::pause;
use dbtests::{Client, PASSWORD};
use disk::testing::Random;

use crate::ledger::{ACCOUNTS, DATABASE};

/// What one client has done.
#[derive(Debug)]
pub(crate) struct Tried {
    /// Its number, in all rounds its own.
    pub(crate) client: u64,
    /// Counters from 0 to here were tried.
    pub(crate) attempts: u64,
    /// Those for which the server said that they are committed.
    pub(crate) acknowledged: Vec<u64>,
}

/// Clients at work.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<Tried>>,
}

impl Load {
    /// Starts clients with numbers from `first` on.
    pub(crate) fn start(server: SocketAddr, first: u64, count: u64, seed: u64) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let clients = (first..first + count)
            .map(|client| {
                let stop = Arc::clone(&stop);
                thread::spawn(move || work(server, client, seed, &stop))
            })
            .collect();
        Self { stop, clients }
    }

    /// Ends all after what they are at.
    pub(crate) fn stop(self) -> Vec<Tried> {
        self.stop.store(true, Ordering::Relaxed);
        self.clients
            .into_iter()
            .map(|client| client.join().expect("a client that works"))
            .collect()
    }
}

fn work(server: SocketAddr, client: u64, seed: u64, stop: &AtomicBool) -> Tried {
    let mut random = Random::new(seed.wrapping_add(client));
    let mut tried = Tried {
        client,
        attempts: 0,
        acknowledged: Vec::new(),
    };
    while !stop.load(Ordering::Relaxed) {
        match Client::connect(server, DATABASE, PASSWORD) {
            Ok(connection) => write(&connection, &mut tried, &mut random, stop),
            // The server is down; it comes back.
            Err(_) => pause(Duration::from_millis(10)),
        }
    }
    tried
}

/// Writes until the connection breaks.
fn write(connection: &Client, tried: &mut Tried, random: &mut Random, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let (client, counter) = (tried.client, tried.attempts);
        let sql = transaction(client, counter, random);
        tried.attempts += 1;
        match connection.try_rows(&sql) {
            Ok(_) => tried.acknowledged.push(counter),
            Err(error) if error.code().is_some() && !connection.is_closed() => {
                // Refused, not broken: a conflict with another client. The transaction is over.
                if connection.try_rows("ROLLBACK").is_err() {
                    return;
                }
            }
            Err(_) => return,
        }
    }
}

/// What a client does next: mostly something small.
fn transaction(client: u64, counter: u64, random: &mut Random) -> String {
    let entry = |note: &str| format!("INSERT INTO ledger VALUES ({client}, {counter}, {note})");
    match random.below(100) {
        // More pages than fit into one block.
        0 => entry("encode(gen_random_bytes(600000), 'hex')"),
        1 => format!(
            "BEGIN; CREATE TABLE t_{client}_{counter} (a INTEGER PRIMARY KEY); \
             INSERT INTO t_{client}_{counter} VALUES (1), (2); {}; COMMIT",
            entry("'table'")
        ),
        2..50 => transfer(&entry("'transfer'"), random),
        _ => entry(&format!(
            "'{}'",
            "x".repeat(usize::try_from(random.below(300)).unwrap_or(0))
        )),
    }
}

/// A transfer between two accounts, with an entry.
fn transfer(entry: &str, random: &mut Random) -> String {
    let (from, to) = (random.below(ACCOUNTS), random.below(ACCOUNTS));
    let amount = random.below(50);
    format!(
        "BEGIN; UPDATE account SET balance = balance - {amount} WHERE id = {from}; \
         UPDATE account SET balance = balance + {amount} WHERE id = {to}; {entry}; COMMIT"
    )
}
