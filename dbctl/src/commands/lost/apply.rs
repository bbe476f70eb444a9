//! `lost apply`: lost transactions are done again at the root, each as a whole and once.
//!
//! ```text
//!  a transaction ─► BEGIN; begun in eloqdb_lost; every row looked at
//!                      all as it left them     ─► there
//!                      all as it found them    ─► its statements, looked at again, COMMIT ─► applied
//!                      else                    ─► ROLLBACK, conflicts.jsonl              ─► conflict
//! ```

mod session;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use lost::{Directory, Event, EventKind, Line, Transaction, identifier};
use serde::Serialize;

use crate::commands::lost::apply::session::{End, Session};
use crate::commands::lost::conflict::Conflict;
use crate::commands::lost::{Wish, root};
use crate::connection::{Answer, query_failure};
use crate::error::{CommandError, Exit, Result};
use crate::invocation::Invocation;
use crate::output::{self, ProgressLine, Table};

/// What is done where a transaction does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Policy {
    /// It is left, and the next one is looked at.
    Skip,
    /// It is left, and so are all behind it.
    Stop,
    /// Its rows are written over what is there.
    Overwrite,
}

impl Policy {
    pub(super) fn of(word: &str) -> Option<Self> {
        Some(match word {
            "skip" => Self::Skip,
            "stop" => Self::Stop,
            "overwrite" => Self::Overwrite,
            _ => return None,
        })
    }
}

/// What came of all of them.
#[derive(Debug, Default, Serialize)]
struct Report {
    dry_run: bool,
    /// So many were looked at.
    transactions: u64,
    /// Their rows were written.
    applied: u64,
    /// Of those: so many over rows that others have written since.
    overwritten: u64,
    /// Their rows were as they had left them.
    there: u64,
    /// They were done before, from this file or another.
    known: u64,
    /// Left, because of `conflicts`.
    conflict: u64,
    /// What was done to databases as a whole, and to rights and comments, in words: nothing is done of it but that
    /// databases are made.
    events: Vec<String>,
    conflicts: Vec<Conflict>,
}

pub(super) async fn run(invocation: &mut Invocation, wish: &Wish) -> Result<()> {
    let directory = root::open(&wish.file)?;
    let description = directory.description().clone();
    let server = invocation.control().await?;
    let known = root::known(server, &description).await?;
    if !known.writes {
        return Err(CommandError::error(format!(
            "{} is a slave: lost transactions are done again at the root",
            known.instance
        ))
        .with_hint("'dbctl replication tree' shows the root; name it with -h HOST:SERVICE"));
    }
    if !wish.dry_run {
        root::register(server, &description).await?;
    }
    let mut apply = Apply {
        outcomes: root::outcomes(server, &description).await?,
        sessions: BTreeMap::new(),
        report: Report {
            dry_run: wish.dry_run,
            ..Report::default()
        },
        wish,
    };
    let done = apply.all(invocation, &directory).await;
    for (_, session) in apply.sessions {
        if let Some(session) = session {
            session.close().await;
        }
    }
    done?;
    tell(invocation, &apply.report, &directory)
}

struct Apply<'a> {
    wish: &'a Wish,
    outcomes: BTreeMap<String, String>,
    /// A session in each database that was needed; `None`: there is no such database.
    sessions: BTreeMap<String, Option<Session>>,
    report: Report,
}

impl Apply<'_> {
    async fn all(&mut self, invocation: &mut Invocation, directory: &Directory) -> Result<()> {
        let failed = |error: lost::Error| CommandError::error(error.to_string());
        let mut progress = ProgressLine::new();
        let total = directory.description().transactions;
        let mut number = 0;
        for line in directory.lines().map_err(failed)? {
            match line.map_err(failed)? {
                Line::Event(event) if self.wish.only.is_none() => {
                    self.event(invocation, &event).await?;
                }
                Line::Event(_) => {}
                Line::Transaction(transaction) => {
                    number += 1;
                    if self.wish.only.is_some_and(|only| only != number) {
                        continue;
                    }
                    progress.show(|| format!("transaction {number} of {total}"));
                    let goes_on = self.transaction(invocation, number, &transaction).await?;
                    if !goes_on {
                        return Ok(());
                    }
                }
            }
        }
        if self.wish.only.is_some_and(|only| only > number) {
            return Err(CommandError::usage(format!(
                "there are {number} transactions in it"
            )));
        }
        Ok(())
    }

    /// A database that was made there is made here; the rest is for a person.
    async fn event(&mut self, invocation: &mut Invocation, event: &Event) -> Result<()> {
        let name = &event.database;
        let words = match event.event {
            EventKind::Create => {
                let is_there = self.session(invocation, name).await?.is_some();
                if is_there {
                    format!("database {name} was made: there is one of that name")
                } else if self.wish.dry_run {
                    format!("database {name} was made: it would be made here")
                } else {
                    let server = invocation.control().await?;
                    let sql = format!("CREATE DATABASE {}", identifier(name));
                    let made = server.query(&sql).await;
                    made.map_err(|error| query_failure(&error))?;
                    self.sessions.remove(name);
                    format!("database {name} was made: it is made here, too")
                }
            }
            EventKind::Drop => format!("database {name} was dropped: nothing is done here"),
            EventKind::Rename => format!(
                "database {} was renamed to {name}: nothing is done here",
                event.formerly.as_deref().unwrap_or_default()
            ),
            EventKind::Restore => {
                format!("database {name} was replaced as a whole: nothing is done here")
            }
        };
        self.report.events.push(words);
        Ok(())
    }

    async fn session(
        &mut self,
        invocation: &mut Invocation,
        database: &str,
    ) -> Result<Option<&Session>> {
        if !self.sessions.contains_key(database) {
            let opened = Session::open(invocation, database).await?;
            self.sessions.insert(database.to_owned(), opened);
        }
        Ok(self.sessions.get(database).and_then(Option::as_ref))
    }

    /// `false`: nothing behind it is done.
    async fn transaction(
        &mut self,
        invocation: &mut Invocation,
        number: u64,
        transaction: &Transaction,
    ) -> Result<bool> {
        self.report.transactions += 1;
        let known = self.outcomes.get(&transaction.id).map(String::as_str);
        if matches!(known, Some("applied" | "there")) {
            self.report.known += 1;
            return Ok(true);
        }
        let (policy, dry_run) = (self.wish.policy, self.wish.dry_run);
        let overwrite = policy == Policy::Overwrite;
        let end = match self.session(invocation, &transaction.database).await? {
            None => End::conflict(format!(
                "there is no database {}{}",
                transaction.database,
                if dry_run { " yet" } else { "" }
            )),
            Some(session) => session.apply(transaction, overwrite, dry_run).await?,
        };
        if let (Some(why), End::Applied { .. } | End::There) = (transaction.by_hand(), &end) {
            let note = format!("transaction {number}, done but for this: {why}");
            self.report.events.push(note);
        }
        match end {
            End::Applied { overwritten } => {
                self.report.applied += 1;
                self.report.overwritten += u64::from(overwritten);
            }
            End::There => self.report.there += 1,
            End::Known => self.report.known += 1,
            End::Conflict { why, rows } => {
                self.report.conflict += 1;
                self.report.conflicts.push(Conflict {
                    number,
                    id: transaction.id.clone(),
                    time: transaction.time.clone(),
                    database: transaction.database.clone(),
                    why,
                    rows,
                });
                return Ok(policy != Policy::Stop);
            }
        }
        Ok(true)
    }
}

/// What came of it; conflicts go to a file beside the others, too, unless nothing was to be done.
fn tell(invocation: &Invocation, report: &Report, directory: &Directory) -> Result<()> {
    let path = directory.path().join("conflicts.jsonl");
    if !report.dry_run && report.conflict > 0 {
        write(&path, &report.conflicts)?;
    }
    if invocation.output.json {
        output::json(report)?;
    } else {
        let mut table = Table::new(&["name", "value"]);
        let applied = if report.dry_run {
            "would be applied"
        } else {
            "applied"
        };
        for (name, count) in [
            ("transactions", report.transactions),
            (applied, report.applied),
            ("of those overwriting", report.overwritten),
            ("there already", report.there),
            ("done before", report.known),
            ("conflict", report.conflict),
        ] {
            table.push([name.to_owned(), count.to_string()]);
        }
        invocation.output.result(&table)?;
        for words in &report.events {
            invocation.output.line(words)?;
        }
        for conflict in &report.conflicts {
            invocation.output.line(format_args!(
                "conflict: transaction {} ({}, {}): {}",
                conflict.number, conflict.database, conflict.time, conflict.why
            ))?;
        }
        if !report.dry_run && report.conflict > 0 {
            invocation
                .output
                .line(format_args!("details {}", path.display()))?;
        }
    }
    if report.conflict > 0 {
        return Err(CommandError::told(Exit::Error));
    }
    Ok(())
}

fn write(path: &Path, conflicts: &[Conflict]) -> Result<()> {
    let mut text = Vec::new();
    for conflict in conflicts {
        let line = serde_json::to_string(conflict);
        let line = line.map_err(|error| CommandError::error(error.to_string()))?;
        // Memory takes all.
        writeln!(text, "{line}").map_err(|error| CommandError::io("write", path, &error))?;
    }
    let written = disk::Disk::real().write_atomic(path, &text, 0o600);
    written.map_err(|error| {
        CommandError::io("write", path, &error).with_hint("--json prints the conflicts, too")
    })
}

/// How many rows a statement has changed.
fn changed(answers: &[Answer]) -> u64 {
    let counts = answers.iter().map(|answer| match answer {
        Answer::Done(count) => *count,
        Answer::Rows(_) => 0,
    });
    counts.sum()
}
