//! What may hold the log back on its way to a slave, and never changes it: a delay, and a filter of the operator's.
//!
//! ```text
//!  Tailer ── blocks ──▶ Gate ── blocks that may go ──▶ LogStream
//!                        │ one line a transaction, one answer a line
//!                        ▼
//!                      Filter ──▶ the operator's command
//! ```
//! A block is one group commit: it goes as a whole, once each transaction in it may.

mod filter;
mod names;
mod transactions;

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use fwlog::{BlockHead, CommitNumber, Position, Timestamp};

use crate::error::ShipError;
use crate::source::{TailItem, Tailer};
use filter::Filter;
use transactions::Transactions;

/// The clock may be set meanwhile: it is looked at this often.
const LOOK: Duration = Duration::from_secs(1);

/// What the operator has asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// A transaction is sent no earlier than so long after its commit.
    pub delay: Duration,
    /// The command that is asked before a transaction is sent.
    pub filter: Option<String>,
}

impl Wanted {
    /// Whether nothing is held back.
    pub fn is_off(&self) -> bool {
        *self == Self::default()
    }
}

/// What is known of the block that is next.
#[derive(Debug)]
enum Next {
    /// Nothing yet.
    Unknown,
    /// The filter was asked about these transactions.
    Asked(Vec<CommitNumber>),
    /// It may go.
    May,
    /// The filter stops the log before it.
    Held(CommitNumber),
}

/// One slave's gate, as long as one connection to it.
#[derive(Debug)]
pub(crate) struct Gate {
    delay: Duration,
    filter: Option<(Filter, Transactions)>,
    /// The item that has not gone yet.
    waiting: Option<TailItem>,
    /// How many bytes at the beginning of it may go.
    passed: usize,
    next: Next,
}

impl Gate {
    /// A gate for what was asked for; `data_dir` is where the names of the databases may be found.
    pub(crate) fn open(wanted: &Wanted, data_dir: &Path) -> Self {
        let filter = wanted.filter.as_deref();
        Self {
            delay: wanted.delay,
            filter: filter.map(|command| (Filter::start(command), Transactions::new(data_dir))),
            waiting: None,
            passed: 0,
            next: Next::Unknown,
        }
    }

    /// The next item that may go; `None` after the last one. Cancelling loses nothing.
    pub(crate) async fn next(&mut self, tailer: &mut Tailer) -> Option<TailItem> {
        loop {
            if self.waiting.is_none() {
                self.next = Next::Unknown;
                let item = tokio::select! {
                    item = tailer.next() => item?,
                    failure = down(&mut self.filter) => TailItem::Failed(failure),
                };
                self.waiting = Some(item);
            }
            if self.delay.is_zero() && self.filter.is_none() {
                return self.waiting.take();
            }
            let Some(TailItem::Blocks { start, bytes, .. }) = &self.waiting else {
                return self.waiting.take();
            };
            if self.passed == bytes.len() {
                return self.give();
            }
            let block = (start.segment, start.offset + self.passed as u64);
            let block = (Position::new(block.0, block.1), bytes.slice(self.passed..));
            if let Err(failure) = self.look(block).await {
                return Some(TailItem::Failed(failure));
            }
            let may_go = matches!(self.next, Next::May);
            if let Next::May = self.next {
                self.pass_one();
            }
            // What may go is not kept for what has to wait.
            if !may_go && self.passed > 0 {
                return self.give();
            }
        }
    }

    /// Finds out more of the block that is next, and waits for that where nothing before it could go meanwhile.
    async fn look(&mut self, (at, bytes): (Position, Bytes)) -> Result<(), ShipError> {
        let damaged = |why| ShipError::passing(format!("block at {at}: {why}"));
        let head = BlockHead::decode(&bytes).map_err(|why| damaged(why.to_string()))?;
        let waits = self.passed == 0;
        match &self.next {
            Next::Unknown => {
                if let Some(time) = left(self.delay, head.time) {
                    if waits {
                        tokio::time::sleep(time.min(LOOK)).await;
                    }
                    return Ok(());
                }
                self.next = match &mut self.filter {
                    None => Next::May,
                    Some((filter, transactions)) => {
                        let lines = transactions.of(bytes, at).map_err(damaged)?;
                        let commits: Vec<_> = lines.iter().map(|(commit, _)| *commit).collect();
                        if lines.is_empty() {
                            Next::May
                        } else {
                            filter.ask(lines.into_iter().map(|(_, line)| line));
                            Next::Asked(commits)
                        }
                    }
                };
            }
            Next::Asked(commits) => {
                let Some((filter, _)) = &mut self.filter else {
                    unreachable!("a filter was asked")
                };
                let answered = if waits {
                    Some(filter.answers(commits.len()).await?)
                } else {
                    filter.answered(commits.len())?
                };
                if let Some(answers) = answered {
                    let held = commits.iter().zip(answers).find(|(_, passes)| !passes);
                    self.next = held.map_or(Next::May, |(commit, _)| Next::Held(*commit));
                }
            }
            Next::Held(_) if waits => std::future::pending().await,
            Next::May | Next::Held(_) => {}
        }
        Ok(())
    }

    fn pass_one(&mut self) {
        if let Some(TailItem::Blocks { bytes, .. }) = &self.waiting
            && let Ok(head) = BlockHead::decode(&bytes.slice(self.passed..))
        {
            self.passed = (self.passed + head.block_size()).min(bytes.len());
        }
        self.next = Next::Unknown;
    }

    /// The blocks that may go; the rest waits on.
    fn give(&mut self) -> Option<TailItem> {
        let passed = std::mem::take(&mut self.passed);
        let TailItem::Blocks {
            start,
            end,
            mut bytes,
            time,
            log_bytes,
        } = self.waiting.take()?
        else {
            unreachable!("only blocks wait")
        };
        if passed == bytes.len() {
            return Some(TailItem::Blocks {
                start,
                end,
                bytes,
                time,
                log_bytes,
            });
        }
        let first = bytes.split_to(passed);
        let rest = bytes.len() as u64;
        let border = Position::new(start.segment, start.offset + passed as u64);
        let last = last_time(&first).unwrap_or(time);
        self.waiting = Some(TailItem::Blocks {
            start: border,
            end,
            bytes,
            time,
            log_bytes,
        });
        Some(TailItem::Blocks {
            start,
            end: border,
            bytes: first,
            time: last,
            log_bytes: log_bytes.saturating_sub(rest),
        })
    }

    /// Whether what is next waits for its time, and nothing else.
    pub(crate) fn delays(&self) -> bool {
        matches!(self.next, Next::Unknown)
            && self.passed == 0
            && self
                .oldest()
                .is_some_and(|time| left(self.delay, time).is_some())
    }

    /// The time of the oldest block that waits.
    pub(crate) fn oldest(&self) -> Option<Timestamp> {
        let Some(TailItem::Blocks { bytes, .. }) = &self.waiting else {
            return None;
        };
        BlockHead::decode(bytes).ok().map(|head| head.time)
    }

    /// The commit before which the filter has stopped the log.
    pub(crate) fn held(&self) -> Option<CommitNumber> {
        match self.next {
            Next::Held(commit) => Some(commit),
            Next::Unknown | Next::Asked(_) | Next::May => None,
        }
    }

    /// So long a transaction waits.
    pub(crate) fn delay(&self) -> Duration {
        self.delay
    }
}

/// How long something of that time still has to wait; `None`: not any more.
fn left(delay: Duration, time: Timestamp) -> Option<Duration> {
    if delay.is_zero() {
        return None;
    }
    let delay = u64::try_from(delay.as_micros()).unwrap_or(u64::MAX);
    let due = time.micros().saturating_add(delay);
    let left = due.saturating_sub(Timestamp::now().micros());
    (left > 0).then(|| Duration::from_micros(left))
}

/// The time of the last of some whole blocks.
fn last_time(mut blocks: &[u8]) -> Option<Timestamp> {
    let mut time = None;
    while let Ok(head) = BlockHead::decode(blocks) {
        time = Some(head.time);
        blocks = blocks.get(head.block_size()..)?;
    }
    time
}

/// Why the filter is gone, once it is. It is not asked anything at the time.
async fn down(filter: &mut Option<(Filter, Transactions)>) -> ShipError {
    match filter {
        Some((filter, _)) => filter.down().await,
        None => std::future::pending().await,
    }
}
