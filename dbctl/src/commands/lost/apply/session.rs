//! One lost transaction in a session of the root.

use lost::{Definition, Op, Transaction, identifier};
use tokio_postgres::error::SqlState;

use crate::commands::lost::apply::changed;
use crate::commands::lost::conflict::ConflictRow;
use crate::commands::lost::examine::{Found, Row, rows};
use crate::connection::{Connection, query_failure};
use crate::error::{CommandError, Result};
use crate::invocation::Invocation;

/// SQLSTATE of a transaction that was done before.
const DONE_ALREADY: &str = "R0122";

/// A transaction that somebody else was faster than is begun again so often.
const ATTEMPTS: usize = 20;

/// What came of a transaction.
pub(super) enum End {
    Applied { overwritten: bool },
    There,
    Known,
    Conflict { why: String, rows: Vec<ConflictRow> },
}

impl End {
    pub(super) fn conflict(why: String) -> Self {
        Self::Conflict {
            why,
            rows: Vec::new(),
        }
    }
}

/// Why a transaction ends early.
enum Stop {
    End(End),
    /// It is begun again.
    Again,
    Failed(CommandError),
}

impl From<CommandError> for Stop {
    fn from(failure: CommandError) -> Self {
        Self::Failed(failure)
    }
}

/// A session in the database of some transactions.
pub(super) struct Session(Connection);

/// A row, and how it stands.
type Looked<'a> = (Row<'a>, Found);

impl Session {
    /// `None`: there is no such database.
    pub(super) async fn open(invocation: &mut Invocation, database: &str) -> Result<Option<Self>> {
        let name = database.replace('\'', "''");
        let sql = format!("SELECT 1 FROM pg_database WHERE datname = '{name}'");
        if rows(invocation.control().await?, &sql)
            .await?
            .rows
            .is_empty()
        {
            return Ok(None);
        }
        let connection = invocation.connect(database).await?;
        // Values are written and compared in these forms.
        let set = "SET standard_conforming_strings = on; SET DateStyle = 'ISO, MDY'; SET TimeZone = 'UTC'; SET IntervalStyle = 'postgres'; SET client_min_messages = 'error'";
        let set = connection.query(set).await;
        set.map_err(|error| query_failure(&error))?;
        Ok(Some(Self(connection)))
    }

    pub(super) async fn close(self) {
        self.0.close().await;
    }

    /// Does a transaction again, if it fits.
    pub(super) async fn apply(
        &self,
        transaction: &Transaction,
        overwrite: bool,
        dry_run: bool,
    ) -> Result<End> {
        if let Some(end) = beforehand(transaction) {
            return self.note(transaction, end, dry_run).await;
        }
        for _ in 0..ATTEMPTS {
            let done = match self.attempt(transaction, overwrite, dry_run).await {
                // The end of the session undoes it.
                Err(Stop::Failed(failure)) => return Err(failure),
                done => done,
            };
            if dry_run || !matches!(done, Ok(End::Applied { .. } | End::There)) {
                self.run("ROLLBACK").await?;
            }
            if let Ok(end) | Err(Stop::End(end)) = done {
                return self.note(transaction, end, dry_run).await;
            }
        }
        let end = End::conflict("others have written its rows again and again".into());
        self.note(transaction, end, dry_run).await
    }

    /// That it was left is known everywhere.
    async fn note(&self, transaction: &Transaction, end: End, dry_run: bool) -> Result<End> {
        if let (End::Conflict { .. }, false) = (&end, dry_run) {
            self.run(&format!(
                "BEGIN; SELECT eloqdb_lost_begin('{}', 'conflict'); COMMIT",
                transaction.id
            ))
            .await?;
        }
        Ok(end)
    }

    async fn run(&self, sql: &str) -> Result<u64> {
        let answers = self.0.query(sql).await;
        answers
            .map(|answers| changed(&answers))
            .map_err(|error| query_failure(&error))
    }

    /// A statement of the transaction: what the server says against it ends the transaction, not the command.
    async fn tried(&self, sql: &str) -> std::result::Result<u64, Stop> {
        match self.0.query(sql).await {
            Ok(answers) => Ok(changed(&answers)),
            Err(error) => Err(match error.code() {
                Some(code) if code.code() == DONE_ALREADY => Stop::End(End::Known),
                Some(code) if is_of_others(code) => Stop::Again,
                Some(code) if is_of_connection(code) => Stop::Failed(query_failure(&error)),
                None => Stop::Failed(query_failure(&error)),
                Some(_) => Stop::End(End::conflict(query_failure(&error).message)),
            }),
        }
    }

    async fn attempt(
        &self,
        transaction: &Transaction,
        overwrite: bool,
        dry_run: bool,
    ) -> std::result::Result<End, Stop> {
        self.tried("BEGIN ISOLATION LEVEL SERIALIZABLE").await?;
        let id = &transaction.id;
        if !dry_run {
            self.tried(&format!("SELECT eloqdb_lost_begin('{id}')"))
                .await?;
        }
        let definitions = transaction.definitions();
        let definitions = definitions.map_err(|why| Stop::End(End::conflict(why)))?;
        let mut defined = 0;
        for definition in &definitions {
            defined += u64::from(self.define(definition).await?);
        }
        let mut looked = self.look(transaction).await?;
        let overwritten = settle(&mut looked, overwrite).map_err(Stop::End)?;
        let is_there = defined == 0 && looked.iter().all(|(_, found)| *found == Found::After);
        if !is_there {
            self.change(&mut looked, overwrite).await?;
            self.look_again(&looked).await?;
        }
        if dry_run {
            // It was done, and is taken back; a sequence that is set is not.
            return Ok(if is_there {
                End::There
            } else {
                End::Applied { overwritten }
            });
        }
        for sequence in transaction.sequences() {
            self.tried(&sequence).await?;
        }
        if is_there {
            self.tried(&format!("SELECT eloqdb_lost_begin('{id}', 'there')"))
                .await?;
            self.tried("COMMIT").await?;
        } else {
            self.tried("COMMIT").await?;
        }
        Ok(if is_there {
            End::There
        } else {
            End::Applied { overwritten }
        })
    }

    /// Makes or drops an object; `false`: that was done already.
    async fn define(&self, definition: &Definition) -> std::result::Result<bool, Stop> {
        let name = identifier(&definition.name).replace('\'', "''");
        let sql = format!("SELECT to_regclass('{name}') WHERE to_regclass('{name}') IS NOT NULL");
        let is_there = !rows(&self.0, &sql).await?.rows.is_empty();
        if (definition.creates && is_there) || (definition.drops && !is_there) {
            return Ok(false);
        }
        self.tried(&definition.statement).await?;
        Ok(true)
    }

    async fn look<'a>(
        &self,
        transaction: &'a Transaction,
    ) -> std::result::Result<Vec<Looked<'a>>, Stop> {
        let mut looked = Vec::new();
        for change in transaction.changes.iter().filter(|it| !it.is_internal()) {
            let row = Row::new(transaction, change);
            let row = row.map_err(|why| Stop::End(End::conflict(why.to_string())))?;
            let found = match row.look(&self.0).await {
                Ok(found) => found,
                // A table or column that is not there any more.
                Err(failure) => return Err(Stop::End(End::conflict(failure.message))),
            };
            looked.push((row, found));
        }
        Ok(looked)
    }

    /// Makes the changes: rows that go, rows that change, rows that come; what another one stands in the way of, by a
    /// key or a reference, once that is done.
    async fn change(
        &self,
        looked: &mut [Looked<'_>],
        overwrite: bool,
    ) -> std::result::Result<(), Stop> {
        looked.sort_by_key(|(row, _)| match row.change.op {
            Op::Delete => 0,
            Op::Update => 1,
            Op::Insert => 2,
        });
        let mut left: Vec<&Looked<'_>> = looked.iter().collect();
        left.retain(|(_, found)| *found != Found::After);
        loop {
            let mut waiting = Vec::new();
            let mut obstacle = None;
            let before = left.len();
            for one in left {
                self.tried("SAVEPOINT one").await?;
                match self.write(one, overwrite).await {
                    Ok(()) => {
                        self.tried("RELEASE one").await?;
                    }
                    Err(Stop::End(End::Conflict { why, .. })) => {
                        self.tried("ROLLBACK TO one").await?;
                        self.tried("RELEASE one").await?;
                        obstacle.get_or_insert(why);
                        waiting.push(one);
                    }
                    Err(stop) => return Err(stop),
                }
            }
            match obstacle {
                None => return Ok(()),
                Some(why) if waiting.len() == before => return Err(Stop::End(End::conflict(why))),
                Some(_) => left = waiting,
            }
        }
    }

    async fn write(
        &self,
        (row, found): &Looked<'_>,
        overwrite: bool,
    ) -> std::result::Result<(), Stop> {
        if overwrite && matches!(found, Found::Other(_)) {
            let table = identifier(&row.change.table);
            self.tried(&format!("DELETE FROM {table} WHERE {}", row.place()))
                .await?;
            if let Some(after) = &row.after {
                self.tried(&format!("DELETE FROM {table} WHERE {}", after.place()))
                    .await?;
                self.tried(&after.insert()).await?;
            }
            return Ok(());
        }
        if let Some(statement) = row.statement() {
            self.tried(&statement).await?;
        }
        Ok(())
    }

    /// Whatever else a change has done, by a reference that cascades: every row is as the transaction had left it.
    async fn look_again(&self, looked: &[Looked<'_>]) -> std::result::Result<(), Stop> {
        for (row, before) in looked {
            let found = row.look(&self.0).await?;
            let is_gone = row.after.is_none() && matches!(found, Found::After);
            let is_as_left = match (&row.after, &found) {
                (None, _) => is_gone || *before == Found::Several,
                (Some(after), Found::Several) => !after.has_key(),
                (Some(_), found) => *found == Found::After,
            };
            // A key that was freed may have gone to another row of the same transaction.
            let is_reused = row.after.is_none()
                && looked.iter().any(|(other, _)| {
                    other.change.table == row.change.table
                        && other.new_place().as_ref() == Some(&row.place())
                });
            if !is_as_left && !is_reused {
                let end = End::Conflict {
                    why: format!(
                        "a row of {} is not as the transaction had left it once its changes are made again",
                        row.change.table
                    ),
                    rows: vec![conflict_row(row, found)],
                };
                return Err(Stop::End(end));
            }
        }
        Ok(())
    }
}

/// What can be said without a look.
fn beforehand(transaction: &Transaction) -> Option<End> {
    if let Some(why) = &transaction.untold {
        return Some(End::conflict(format!(
            "what it has changed is not known: {why}"
        )));
    }
    if transaction.database == crate::connection::SYSTEM_DATABASE {
        return Some(End::conflict(
            "it has changed users and rights: do the same with CREATE ROLE, ALTER ROLE, GRANT"
                .into(),
        ));
    }
    if let Some(why) = transaction.by_hand()
        && transaction.is_by_hand()
    {
        return Some(End::conflict(why.to_owned()));
    }
    None
}

/// Whether all rows are as they were, or as the transaction has left them; then, whether any is written over.
fn settle(looked: &mut [Looked<'_>], overwrite: bool) -> std::result::Result<bool, End> {
    // A key that the transaction itself frees is no obstacle for the row that gets it.
    let freed: Vec<(String, String)> = looked
        .iter()
        .filter(|(row, found)| {
            *found == Found::Before && row.new_place().as_ref() != Some(&row.place())
        })
        .map(|(row, _)| (row.change.table.clone(), row.place()))
        .collect();
    for (row, found) in looked.iter_mut() {
        let place = (row.change.table.clone(), row.place());
        let is_new = row.change.op == Op::Insert;
        if is_new && matches!(found, Found::Other(_)) && freed.contains(&place) {
            *found = Found::Before;
        }
    }
    let odd: Vec<ConflictRow> = looked
        .iter()
        .filter(|(_, found)| matches!(found, Found::Other(_) | Found::Several))
        .map(|(row, found)| conflict_row(row, found.clone()))
        .collect();
    if odd.is_empty() || overwrite {
        return Ok(!odd.is_empty());
    }
    let several = looked.iter().any(|(_, found)| *found == Found::Several);
    let rows = odd.len();
    let why = match (several, rows) {
        (true, _) => {
            "several rows without a key are equal: which one is meant can't be said".to_owned()
        }
        (false, 1) => "a row is not as it had found it".to_owned(),
        (false, rows) => format!("{rows} rows are not as it had found them"),
    };
    Err(End::Conflict { why, rows: odd })
}

fn conflict_row(row: &Row<'_>, found: Found) -> ConflictRow {
    let change = row.change;
    ConflictRow {
        table: change.table.clone(),
        op: change.op,
        key: change.key.clone(),
        before: change.before.clone(),
        after: change.after.clone(),
        current: match found {
            Found::Other(values) => values,
            Found::Before | Found::After | Found::Several => None,
        },
    }
}

fn is_of_others(code: &SqlState) -> bool {
    [
        &SqlState::T_R_SERIALIZATION_FAILURE,
        &SqlState::T_R_DEADLOCK_DETECTED,
    ]
    .contains(&code)
}

/// Nothing can be said of the transaction.
fn is_of_connection(code: &SqlState) -> bool {
    let class = code.code().get(..2).unwrap_or_default();
    ["08", "25", "28", "53", "57", "58"].contains(&class)
        || *code == SqlState::INSUFFICIENT_PRIVILEGE
}
