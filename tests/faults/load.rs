//! Clients at work on three servers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use dbtests::Server;
use disk::testing::Random;

use crate::client::{self, Job, Shared};
use crate::databases;
use crate::history::{At, History};

/// How many clients there are, and what they do.
#[derive(Clone)]
pub(crate) struct Load {
    pub(crate) shared: Arc<Shared>,
    pub(crate) seed: u64,
    pub(crate) writers: u64,
    /// On each server.
    pub(crate) readers: u64,
    /// Lists that are written.
    pub(crate) lists: Vec<u64>,
    /// Rows of 3 KB in the largest transaction.
    pub(crate) ballast: u64,
    /// Somebody makes, renames and drops databases.
    pub(crate) maker: bool,
}

impl Load {
    /// A load of the usual size; a turn has lists of its own.
    pub(crate) fn usual(shared: &Arc<Shared>, seed: u64, turn: u64) -> Self {
        Self {
            shared: Arc::clone(shared),
            seed,
            writers: 4,
            readers: 1,
            lists: (turn * 4..turn * 4 + 4).collect(),
            ballast: 200,
            maker: false,
        }
    }

    /// Puts the clients to work.
    pub(crate) fn start(self, master: &Server, slaves: &[Server]) -> Running {
        let stop = Arc::new(AtomicBool::new(false));
        let mut random = Random::new(self.seed);
        let mut clients = Vec::new();
        let mut employ = |work: fn(&Job) -> History, server: &Server, at: At| {
            let job = Job {
                shared: Arc::clone(&self.shared),
                stop: Arc::clone(&stop),
                address: server.address(),
                at,
                seed: random.next(),
                lists: self.lists.clone(),
                ballast: self.ballast,
            };
            clients.push(thread::spawn(move || work(&job)));
        };
        for _ in 0..self.writers {
            employ(client::writer, master, At::Master);
        }
        if self.maker {
            employ(databases::maker, master, At::Master);
        }
        for _ in 0..self.readers {
            employ(client::reader, master, At::Master);
            for (number, slave) in slaves.iter().enumerate() {
                employ(client::reader, slave, At::Slave(number));
            }
        }
        Running {
            stop,
            clients,
            lists: self.lists,
        }
    }
}

/// Clients at work.
pub(crate) struct Running {
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<History>>,
    /// Lists that are written.
    pub(crate) lists: Vec<u64>,
}

impl Running {
    /// Ends all after what they are at.
    pub(crate) fn stop(mut self) -> History {
        self.stop.store(true, Ordering::Relaxed);
        let mut history = History::default();
        for client in std::mem::take(&mut self.clients) {
            history.join(client.join().expect("a client that works"));
        }
        history
    }
}

impl Drop for Running {
    /// A test that fails does not leave clients behind.
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// What happened in all rounds, for the report.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    committed: usize,
    failed: usize,
    unknown: usize,
    databases: usize,
    reads: BTreeMap<String, usize>,
}

impl Tally {
    /// Adds a round.
    pub(crate) fn add(&mut self, history: &History) {
        use crate::history::Outcome::{Committed, Failed, Unknown};
        self.committed += history.count(Committed);
        self.failed += history.count(Failed);
        self.unknown += history.count(Unknown);
        let steps = history.databases.iter();
        self.databases += steps.filter(|(_, outcome)| *outcome == Committed).count();
        for read in &history.reads {
            *self.reads.entry(format!("{:?}", read.at)).or_default() += 1;
        }
    }

    /// Acknowledged transactions.
    pub(crate) fn committed(&self) -> usize {
        self.committed
    }

    /// Reads that were answered.
    pub(crate) fn reads(&self) -> usize {
        self.reads.values().sum()
    }
}
