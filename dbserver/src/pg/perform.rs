//! Running one statement: the part that simple and extended protocol share.

use std::rc::Rc;

use dialect::StatementKind;
use pgtypes::{SqlState, SqlValue};

use crate::failure::Failure;
use crate::pg::client::Client;
use crate::session::command::Reply;
use crate::session::cursor::Portion;
use crate::session::portal::Portal;
use crate::session::prepared::{Columns, Prepared};
use crate::session::{row, transaction};
use crate::wire::output;

/// How an execution ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The statement is complete; this is its tag.
    Complete(String),
    /// There are more rows for the next Execute.
    Suspended,
    /// There was no statement.
    Empty,
}

impl Client {
    /// Runs a portal, or runs it on: up to `limit` rows. With `describe` the columns are told first.
    pub(super) async fn perform(
        &mut self,
        portal: &mut Portal,
        limit: u64,
        describe: bool,
    ) -> Result<Ending, Failure> {
        let prepared = Rc::clone(&portal.prepared);
        let kind = &prepared.statement.kind;
        if !self.session.transaction().accepts(kind) {
            return Err(transaction::aborted());
        }
        if !portal.is_fresh() {
            return self.go_on(portal, limit).await;
        }
        self.session.add_notices(&prepared.statement.notices);
        match kind {
            StatementKind::Empty => Ok(Ending::Empty),
            StatementKind::CopyIn { .. } => self.copy_in(&prepared).await.map(Ending::Complete),
            StatementKind::CopyOut { options } => {
                self.copy_out(portal, options).await.map(Ending::Complete)
            }
            StatementKind::DeclareCursor { name, hold } => {
                self.session.declare(&prepared, name, *hold)?;
                Ok(Ending::Complete(prepared.statement.tag.render(0)))
            }
            StatementKind::Fetch { name, count } => self
                .fetch(portal, name, count, describe)
                .await
                .map(Ending::Complete),
            StatementKind::Move { name, count } => {
                self.session.move_cursor(name, count).map(Ending::Complete)
            }
            StatementKind::Dml | StatementKind::Ddl if !prepared.has_rows() => {
                let rows = self.session.execute(&prepared, &portal.values)?;
                portal.finish();
                Ok(Ending::Complete(prepared.statement.tag.render(rows)))
            }
            _ if prepared.has_rows() => {
                if !describe && portal.told.is_none() {
                    portal.told = Some(prepared.describe_now(self.session.sqlite())?);
                }
                self.session.start(portal)?;
                self.go_on(portal, limit).await
            }
            _ => self.run_command(portal, describe),
        }
    }

    fn run_command(&mut self, portal: &mut Portal, describe: bool) -> Result<Ending, Failure> {
        let prepared = Rc::clone(&portal.prepared);
        match self.session.command(&prepared)? {
            Reply::Tag(tag) => {
                portal.finish();
                Ok(Ending::Complete(tag))
            }
            Reply::Rows { columns, rows, tag } => {
                let (columns, rows) = if describe {
                    row::describe(self.stream.write_buffer_mut(), &columns, &portal.formats);
                    (columns, rows)
                } else {
                    as_told(&prepared, portal.told.clone(), (columns, rows))
                };
                let out = self.stream.write_buffer_mut();
                for values in &rows {
                    row::write(out, &columns, &portal.formats, values)?;
                }
                portal.finish();
                Ok(Ending::Complete(tag))
            }
        }
    }

    /// Sends the next rows of a portal that has begun.
    async fn go_on(&mut self, portal: &mut Portal, limit: u64) -> Result<Ending, Failure> {
        if portal.is_done() && !portal.prepared.has_rows() {
            return Err(Failure::new(
                SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE,
                "the portal has run already",
            ));
        }
        let formats = Rc::clone(&portal.formats);
        let mut left = limit;
        let mut sent = 0;
        loop {
            let (portion, rows) = portal.advance(self.stream.write_buffer_mut(), &formats, left)?;
            left -= rows;
            sent += rows;
            match portion {
                Portion::Full => self.flush().await?,
                Portion::Enough => return Ok(Ending::Suspended),
                Portion::End => {
                    return Ok(Ending::Complete(
                        self.session.rows_tag(&portal.prepared, sent),
                    ));
                }
            }
        }
    }

    /// `CommandComplete` and what belongs before it.
    pub(super) fn complete(&mut self, ending: &Ending) {
        self.send_notices();
        let out = self.stream.write_buffer_mut();
        match ending {
            Ending::Complete(tag) => output::command_complete(out, tag),
            Ending::Suspended => output::portal_suspended(out),
            Ending::Empty => output::empty_query(out),
        }
    }
}

/// A command's table in the columns that the client was told: DBCTL's are not known before it runs,
/// so the extended protocol gets each row as one text.
fn as_told(
    prepared: &Prepared,
    told: Option<Columns>,
    (columns, rows): (Columns, Vec<Vec<SqlValue>>),
) -> (Columns, Vec<Vec<SqlValue>>) {
    let Some(told) =
        told.filter(|_| matches!(prepared.statement.kind, StatementKind::Dbctl { .. }))
    else {
        return (columns, rows);
    };
    let joined = rows.into_iter().map(|values| {
        let texts: Vec<String> = values
            .into_iter()
            .map(|value| {
                if let SqlValue::Text(text) = value {
                    text
                } else {
                    String::new()
                }
            })
            .collect();
        vec![SqlValue::Text(texts.join("\t"))]
    });
    (told, joined.collect())
}
