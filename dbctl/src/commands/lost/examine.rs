//! How a row of the root stands to a change of a lost transaction.

use std::collections::BTreeMap;

use lost::{ChangeLine, Inexpressible, RowSql, Transaction, identifier};

use crate::connection::{Answer, Connection, query_failure};
use crate::error::{CommandError, Result};
use crate::output::Table;

/// How it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// As the transaction had found it: the change can be made.
    Before,
    /// As the transaction has left it: nothing is to be done.
    After,
    /// Otherwise.
    Other(Option<BTreeMap<String, Option<String>>>),
    /// Several rows are equal, and nobody can say which one is meant.
    Several,
}

/// A change, as statements.
pub(super) struct Row<'a> {
    pub(super) change: &'a ChangeLine,
    pub(super) before: Option<RowSql<'a>>,
    pub(super) after: Option<RowSql<'a>>,
}

impl<'a> Row<'a> {
    pub(super) fn new(
        transaction: &'a Transaction,
        change: &'a ChangeLine,
    ) -> std::result::Result<Self, Inexpressible> {
        let before = match (transaction.table_before(change), &change.before) {
            (Some(table), Some(row)) => Some(RowSql::new(table, row)?.called(&change.table)),
            _ => None,
        };
        let after = match (transaction.table(&change.table), &change.after) {
            (Some(table), Some(row)) => Some(RowSql::new(table, row)?),
            _ => None,
        };
        Ok(Self {
            change,
            before,
            after,
        })
    }

    /// What makes the change; none where nothing differs that a client writes.
    pub(super) fn statement(&self) -> Option<String> {
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => after.update(before),
            (Some(before), None) => Some(before.delete()),
            (None, Some(after)) => Some(after.insert()),
            (None, None) => None,
        }
    }

    /// Where the row was; of a new one where it will be.
    pub(super) fn place(&self) -> String {
        let known = self.before.as_ref().or(self.after.as_ref());
        known.map(RowSql::place).unwrap_or_default()
    }

    /// Where the row will be.
    pub(super) fn new_place(&self) -> Option<String> {
        self.after.as_ref().map(RowSql::place)
    }

    fn has_key(&self) -> bool {
        let known = self.before.as_ref().or(self.after.as_ref());
        known.is_some_and(RowSql::has_key)
    }

    /// Looks at the row as it is now.
    pub(super) async fn look(&self, session: &Connection) -> Result<Found> {
        if self.has_key() {
            return self.look_by_key(session).await;
        }
        let before = match &self.before {
            Some(row) => self.count(session, row).await?,
            None => 0,
        };
        let after = match &self.after {
            Some(row) => self.count(session, row).await?,
            None => 0,
        };
        Ok(match (&self.before, &self.after) {
            (Some(_), _) if before > 1 => Found::Several,
            (Some(_), _) if before == 1 => Found::Before,
            (Some(_), None) => Found::After,
            (Some(_), Some(_)) if after == 1 => Found::After,
            (Some(_), Some(_)) => Found::Other(None),
            // One that is equal may be this one, or another.
            (None, _) if after > 0 => Found::Several,
            (None, _) => Found::Before,
        })
    }

    async fn count(&self, session: &Connection, row: &RowSql<'_>) -> Result<usize> {
        let sql = format!(
            "SELECT 1 FROM {} WHERE {} LIMIT 2",
            identifier(&self.change.table),
            row.same()
        );
        Ok(rows(session, &sql).await?.rows.len())
    }

    async fn look_by_key(&self, session: &Connection) -> Result<Found> {
        let old = self.at(session, &self.place()).await?;
        match (&self.before, &self.after, old) {
            // Where the transaction has added a column, both may be so.
            (_, Some(_), Some(seen)) if seen.is_after => Ok(Found::After),
            (Some(_), _, Some(seen)) if seen.is_before => Ok(Found::Before),
            (_, _, Some(seen)) => Ok(Found::Other(Some(seen.values))),
            (None, Some(_), None) => Ok(Found::Before),
            (_, None, None) => Ok(Found::After),
            (Some(_), Some(after), None) => {
                // Its key may be another one by now.
                let moved = self.at(session, &after.place()).await?;
                Ok(match moved {
                    Some(seen) if seen.is_after => Found::After,
                    seen => Found::Other(seen.map(|seen| seen.values)),
                })
            }
        }
    }

    async fn at(&self, session: &Connection, place: &str) -> Result<Option<Seen>> {
        let same = |row: &Option<RowSql<'_>>| row.as_ref().map_or("false".to_owned(), RowSql::same);
        let sql = format!(
            "SELECT ({}) AS before, ({}) AS after, * FROM {} WHERE {place}",
            same(&self.before),
            same(&self.after),
            identifier(&self.change.table)
        );
        let table = rows(session, &sql).await?;
        let Some(row) = table.rows.into_iter().next() else {
            return Ok(None);
        };
        let is = |index: usize| row.get(index).cloned().flatten().as_deref() == Some("t");
        let (is_before, is_after) = (is(0), is(1));
        let values = table.columns.into_iter().zip(row).skip(2);
        Ok(Some(Seen {
            is_before,
            is_after,
            values: values.collect(),
        }))
    }
}

/// A row of the root.
struct Seen {
    is_before: bool,
    is_after: bool,
    values: BTreeMap<String, Option<String>>,
}

/// The rows of a query.
pub(super) async fn rows(session: &Connection, sql: &str) -> Result<Table> {
    let answers = session
        .query(sql)
        .await
        .map_err(|error| query_failure(&error))?;
    let table = answers.into_iter().find_map(|answer| match answer {
        Answer::Rows(table) => Some(table),
        Answer::Done(_) => None,
    });
    table.ok_or_else(|| CommandError::error(format!("no rows came back for: {sql}")))
}
