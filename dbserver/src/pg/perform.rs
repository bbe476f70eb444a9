//! Running one statement: the part that simple and extended protocol share.

use std::rc::Rc;

use dialect::StatementKind;
use pgtypes::{SqlState, SqlValue};

use crate::failure::Failure;
use crate::pg::connection::Connection;
use crate::pg::copy_in::copy_in;
use crate::pg::copy_out::copy_out;
use crate::pg::fetch::fetch;
use crate::pg::forward;
use crate::session::cursor::Portion;
use crate::session::portal::Portal;
use crate::session::prepared::{Columns, Prepared};
use crate::session::reply::Reply;
use crate::session::{command, execution, rights, roles, row};
use crate::wire::output;

/// How an execution ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The statement is complete; this is its tag.
    Complete(String),
    /// There are more rows for the next Execute; so many were sent now.
    Suspended(u64),
    /// There was no statement.
    Empty,
}

impl Ending {
    /// Rows that were sent, or changed.
    pub(super) fn rows(&self) -> u64 {
        match self {
            Self::Complete(tag) => {
                let number = tag.rsplit(' ').next();
                number.and_then(|word| word.parse().ok()).unwrap_or(0)
            }
            Self::Suspended(rows) => *rows,
            Self::Empty => 0,
        }
    }
}

/// Runs a portal, or runs it on, here or on the master: up to `limit` rows. With `describe` the columns are told first.
/// `text` is the statement where the portal has another that stands for it.
pub(super) async fn perform(
    connection: &mut Connection,
    portal: &mut Portal,
    text: Option<&str>,
    limit: u64,
    describe: bool,
) -> Result<Ending, Failure> {
    let elsewhere = forward::perform(connection, portal, text, limit, describe).await?;
    if let Some(ending) = elsewhere {
        return Ok(ending);
    }
    let ending = perform_here(connection, portal, limit, describe).await;
    let ending = connection.session().believe(ending)?;
    let prepared = Rc::clone(portal.prepared());
    let forwarding = connection.session().forwarding();
    forwarding.has_run_here(&prepared.statement, text.unwrap_or(&prepared.source));
    Ok(ending)
}

async fn perform_here(
    connection: &mut Connection,
    portal: &mut Portal,
    limit: u64,
    describe: bool,
) -> Result<Ending, Failure> {
    let prepared = Rc::clone(portal.prepared());
    let kind = &prepared.statement.kind;
    let session = connection.session();
    session.transaction().check_accepts(kind)?;
    if !portal.is_fresh() {
        return go_on(connection, portal, limit).await;
    }
    if let Some(what) = prepared.statement.outside_block {
        session.transaction().check_outside_block(what)?;
    }
    roles::check(session, &prepared.statement.roles)?;
    rights::check(session, &prepared)?;
    session.notices().extend(&prepared.statement.notices);
    match kind {
        StatementKind::Empty => Ok(Ending::Empty),
        StatementKind::CopyIn { .. } => copy_in(connection, &prepared).await.map(Ending::Complete),
        StatementKind::CopyOut { options } => copy_out(connection, portal, options)
            .await
            .map(Ending::Complete),
        StatementKind::DeclareCursor { name, hold, scroll } => {
            execution::declare(session, &prepared, name, (*hold, *scroll))?;
            Ok(Ending::Complete(prepared.statement.tag.render(0)))
        }
        StatementKind::Fetch { name, count } => fetch(connection, portal, (name, count), describe)
            .await
            .map(Ending::Complete),
        StatementKind::Move { name, count } => {
            execution::move_cursor(session, name, count).map(Ending::Complete)
        }
        StatementKind::Dml | StatementKind::Ddl if !prepared.has_rows() => {
            let rows = execution::execute(session, &prepared, portal.values())?;
            portal.finish();
            Ok(Ending::Complete(prepared.statement.tag.render(rows)))
        }
        _ if prepared.has_rows() => {
            if !describe && portal.told().is_none() {
                portal.tell(prepared.describe_now(session.backend().sqlite())?);
            }
            execution::start(session, portal)?;
            go_on(connection, portal, limit).await
        }
        _ => run_command(connection, portal, describe),
    }
}

fn run_command(
    connection: &mut Connection,
    portal: &mut Portal,
    describe: bool,
) -> Result<Ending, Failure> {
    let prepared = Rc::clone(portal.prepared());
    match command::run(connection.session(), &prepared)? {
        Reply::Tag(tag) => {
            portal.finish();
            Ok(Ending::Complete(tag))
        }
        Reply::Rows { columns, rows, tag } => {
            let (columns, rows) = if describe {
                row::describe(connection.out(), &columns, portal.formats());
                (columns, rows)
            } else {
                as_told(&prepared, portal.told().cloned(), (columns, rows))
            };
            let out = connection.out();
            for values in &rows {
                row::write(
                    out,
                    &columns,
                    portal.formats(),
                    values,
                    pgtypes::Context::standard(),
                )?;
            }
            portal.finish();
            Ok(Ending::Complete(tag))
        }
    }
}

/// Sends the next rows of a portal that has begun.
async fn go_on(
    connection: &mut Connection,
    portal: &mut Portal,
    limit: u64,
) -> Result<Ending, Failure> {
    if portal.is_done() && !portal.prepared().has_rows() {
        return Err(Failure::new(
            SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE,
            "the portal has run already",
        ));
    }
    let formats = Rc::clone(portal.formats());
    let mut left = limit;
    let mut sent = 0;
    loop {
        let (portion, rows) = portal.advance(connection.out(), &formats, left)?;
        left -= rows;
        sent += rows;
        match portion {
            Portion::Full => connection.flush().await?,
            Portion::Enough => return Ok(Ending::Suspended(sent)),
            Portion::End => {
                return Ok(Ending::Complete(execution::rows_tag(
                    connection.session(),
                    portal.prepared(),
                    sent,
                )));
            }
        }
    }
}

/// `CommandComplete` and what belongs before it.
pub(super) fn complete(connection: &mut Connection, ending: &Ending) {
    connection.add_notices();
    let out = connection.out();
    match ending {
        Ending::Complete(tag) => output::command_complete(out, tag),
        Ending::Suspended(_) => output::portal_suspended(out),
        Ending::Empty => output::empty_query(out),
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
