//! Clients that write and read, and write down what happened.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dbtests::waiting::pause;
use dbtests::{Client, PASSWORD, Refusal};
use disk::testing::Random;
use tokio_postgres::Error;

use crate::history::{At, Change, Clock, History, Id, Outcome, Read, Write};
use crate::tables::{self, ACCOUNTS, DATABASE, TABLES, Way};

/// What a server may refuse with while it is disturbed, and what that says about COMMIT.
const REFUSALS: [(&str, Outcome); 10] = [
    // The disk of the log is full. Of a COMMIT, the log tells when it can be written again.
    ("53100", Outcome::Unknown),
    // The log could not be written or synced: a restart tells.
    ("58030", Outcome::Unknown),
    // The server stops.
    ("57P01", Outcome::Unknown),
    // The server starts.
    ("57P03", Outcome::Failed),
    // Another transaction was faster.
    ("40001", Outcome::Failed),
    // The transaction stood on one that was taken back, or was lost with the log.
    ("55000", Outcome::Failed),
    ("40003", Outcome::Unknown),
    // On purpose.
    ("22012", Outcome::Failed),
    ("25P02", Outcome::Failed),
    // Too many sessions: those of clients that are gone.
    ("53300", Outcome::Failed),
];

/// What all clients of all rounds share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) clock: Clock,
    next: AtomicU64,
    refusals: Mutex<BTreeMap<String, u64>>,
}

impl Shared {
    /// A number that nobody else gets.
    pub(crate) fn next_id(&self) -> Id {
        // 0 is nobody.
        self.next.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// What a refusal says about the COMMIT that got it.
    pub(crate) fn judge(&self, error: &Error) -> Outcome {
        let Some(refusal) = Refusal::of(error) else {
            return Outcome::Unknown;
        };
        let known = REFUSALS.iter().find(|(code, _)| *code == refusal.code);
        assert!(known.is_some(), "an unexpected refusal: {refusal:?}");
        let (code, outcome) = known.expect("asserted");
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        *refusals.entry((*code).to_owned()).or_default() += 1;
        *outcome
    }

    /// SQLSTATEs that clients were given, and how often.
    pub(crate) fn refusals(&self) -> BTreeMap<String, u64> {
        self.refusals
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// What a client works on.
#[derive(Clone)]
pub(crate) struct Job {
    pub(crate) shared: Arc<Shared>,
    pub(crate) stop: Arc<AtomicBool>,
    pub(crate) address: SocketAddr,
    pub(crate) at: At,
    pub(crate) seed: u64,
    /// Lists of this round.
    pub(crate) lists: Vec<u64>,
    /// Rows of the largest ballast.
    pub(crate) ballast: u64,
}

impl Job {
    /// Whether clients are to stop.
    pub(crate) fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn connect(&self) -> Option<Client> {
        let client = Client::connect(self.address, DATABASE, PASSWORD);
        match client {
            Ok(client) => Some(client),
            Err(error) => {
                self.shared.judge(&error);
                // The server is down; it comes back.
                pause(Duration::from_millis(10));
                None
            }
        }
    }

    fn some_lists(&self, random: &mut Random) -> Vec<u64> {
        let count = 1 + random.below(3);
        (0..count)
            .map(|_| self.lists[pick(random, self.lists.len())])
            .collect()
    }
}

fn pick(random: &mut Random, among: usize) -> usize {
    usize::try_from(random.below(among as u64)).expect("small")
}

/// Reads until it is told to stop.
pub(crate) fn reader(job: &Job) -> History {
    let mut random = Random::new(job.seed);
    let mut history = History::default();
    while !job.is_over() {
        let Some(client) = job.connect() else {
            continue;
        };
        while !job.is_over() && !client.is_closed() {
            let way = [Way::OneStatement, Way::Extended, Way::Repeatable][pick(&mut random, 3)];
            let lists = job.some_lists(&mut random);
            let begun = job.shared.clock.tick();
            match tables::read(&client, way, &lists) {
                Ok(saw) => history.reads.push(Read {
                    at: job.at,
                    begun,
                    ended: job.shared.clock.tick(),
                    saw,
                }),
                Err(error) => {
                    job.shared.judge(&error);
                    break;
                }
            }
            // Another session each now and then: the next one must not see less.
            if random.below(20) == 0 {
                break;
            }
        }
    }
    history
}

/// Writes until it is told to stop.
pub(crate) fn writer(job: &Job) -> History {
    let mut random = Random::new(job.seed);
    let mut history = History::default();
    while !job.is_over() {
        let Some(client) = job.connect() else {
            continue;
        };
        while !job.is_over() {
            let write = transaction(job, &client, &mut random);
            let outcome = write.outcome;
            history.writes.push(write);
            if client.is_closed()
                || (outcome != Outcome::Committed && client.try_rows("ROLLBACK").is_err())
            {
                break;
            }
            if outcome != Outcome::Committed {
                // What refuses writes for a while is not asked as fast as it can answer.
                pause(Duration::from_millis(2));
            }
        }
    }
    history
}

/// How a transaction ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Commit,
    Rollback,
    /// A statement fails, and COMMIT comes all the same.
    Failure,
}

fn transaction(job: &Job, client: &Client, random: &mut Random) -> Write {
    let id = job.shared.next_id();
    let ending = match random.below(20) {
        0 => Ending::Rollback,
        1 => Ending::Failure,
        _ => Ending::Commit,
    };
    let mut write = Write {
        id,
        begun: job.shared.clock.tick(),
        ended: 0,
        changes: changes(job, random),
        saw: None,
        outcome: Outcome::Failed,
    };
    write.outcome = match random.below(6) {
        0 | 1 => at_once(job, client, &write, ending, random.coin()),
        way => {
            let steps = Steps {
                lists: job.some_lists(random),
                repeatable: way == 2,
            };
            step_by_step(job, client, &mut write, ending, &steps)
        }
    };
    write.ended = job.shared.clock.tick();
    write
}

fn changes(job: &Job, random: &mut Random) -> Vec<Change> {
    let mut lists = job.some_lists(random);
    lists.sort_unstable();
    lists.dedup();
    let mut changes: Vec<Change> = lists.into_iter().map(Change::Append).collect();
    match random.below(100) {
        0..3 => changes.push(Change::Ballast(1 + random.below(job.ballast))),
        3..8 => changes.push(Change::Remake(random.below(TABLES))),
        8..50 => changes.push(Change::Transfer {
            from: pick(random, ACCOUNTS),
            to: pick(random, ACCOUNTS),
            amount: i64::try_from(random.below(100)).expect("small"),
        }),
        _ => {}
    }
    changes
}

/// The whole transaction in one message.
fn at_once(job: &Job, client: &Client, write: &Write, ending: Ending, block: bool) -> Outcome {
    let mut parts = vec![tables::take_number(write.id)];
    parts.extend(
        write
            .changes
            .iter()
            .map(|change| tables::change(write.id, *change)),
    );
    match ending {
        Ending::Commit => {}
        Ending::Rollback => parts.push("ROLLBACK".to_owned()),
        Ending::Failure => parts.push("SELECT 1 / 0".to_owned()),
    }
    if block || ending == Ending::Rollback {
        parts.insert(0, "BEGIN".to_owned());
        parts.push("COMMIT".to_owned());
    }
    match (client.try_rows(&parts.join("; ")), ending) {
        (Ok(_), Ending::Commit) => Outcome::Committed,
        (Err(error), Ending::Commit) => job.shared.judge(&error),
        _ => Outcome::Failed,
    }
}

/// How a transaction goes on message by message.
struct Steps {
    /// Are read before anything is changed.
    lists: Vec<u64>,
    repeatable: bool,
}

/// One message after another; what is read in between is remembered.
fn step_by_step(
    job: &Job,
    client: &Client,
    write: &mut Write,
    ending: Ending,
    steps: &Steps,
) -> Outcome {
    // Whatever goes wrong before COMMIT was sent: the transaction has failed.
    if let Err(error) = prepare(client, write, steps) {
        job.shared.judge(&error);
        return Outcome::Failed;
    }
    let last = match ending {
        Ending::Commit => "COMMIT",
        Ending::Rollback => "ROLLBACK",
        Ending::Failure => "SELECT 1 / 0; COMMIT",
    };
    match (client.try_rows(last), ending) {
        (Ok(_), Ending::Commit) => Outcome::Committed,
        (Err(error), Ending::Commit) => job.shared.judge(&error),
        _ => Outcome::Failed,
    }
}

fn prepare(client: &Client, write: &mut Write, steps: &Steps) -> Result<(), Error> {
    client.try_rows(if steps.repeatable {
        "BEGIN ISOLATION LEVEL REPEATABLE READ"
    } else {
        "BEGIN"
    })?;
    if steps.repeatable {
        // Takes the snapshot; what is committed from here on is a conflict.
        tables::read_in_transaction(client, &steps.lists)?;
    }
    client.try_rows(&tables::take_number(write.id))?;
    write.saw = Some(tables::read_in_transaction(client, &steps.lists)?);
    for change in &write.changes {
        client.try_rows(&tables::change(write.id, *change))?;
    }
    Ok(())
}
