//! One statement that the master runs, by the extended protocol.

use std::rc::Rc;

use pgtypes::{Format, PgType, SqlValue, encode};
use postgres_protocol::IsNull;
use postgres_protocol::message::frontend;

use crate::failure::Failure;
use crate::pg::connection::Connection;
use crate::pg::forward::answer::{self, Answer};
use crate::pg::forward::copy;
use crate::pg::forward::line::{Broken, Frame, Line, Watch};
use crate::pg::forward::transaction::{begin, ready, too_long};
use crate::pg::forward::{Open, Stop, put_back, take_line};
use crate::pg::perform::Ending;
use crate::session::portal::Portal;
use crate::session::prepared::{Column, Prepared};
use crate::wire::output::FLUSH_BYTES;

/// What is to be run.
pub(super) struct Work<'a> {
    pub(super) portal: &'a mut Portal,
    /// The statement, where the portal is not all of it.
    pub(super) text: Option<&'a str>,
    pub(super) limit: u64,
    /// The client has to be told of the columns.
    pub(super) describe: bool,
}

/// What an answer is read with.
struct Reading<'a> {
    /// Whether a Sync was sent with the statement.
    synced: bool,
    describe: bool,
    /// The columns as the client knows them.
    told: Option<&'a [Column]>,
}

/// Runs the portal there; the transaction begins with it, if it has not yet.
pub(super) async fn run(
    connection: &mut Connection,
    mut work: Work<'_>,
) -> Result<Ending, Failure> {
    if connection.forward().open == Open::No {
        begin(connection).await?;
    }
    let name = match work.portal.elsewhere() {
        Some(name) => name.to_owned(),
        None if work.limit == u64::MAX => String::new(),
        None => connection.forward().next_portal(),
    };
    let mut line = take_line(connection)?;
    let done = ask(connection, &mut line, &mut work, &name).await;
    let implicit = !connection.session().transaction().is_explicit();
    if implicit && matches!(done, Err(Stop::Refused(_))) {
        // Behind its Sync the master has nothing left of what runs outside a block.
        connection.forward().open = Open::No;
    }
    let ending = put_back(connection, line, done)?;
    if matches!(ending, Ending::Suspended(_)) {
        work.portal.go_on_elsewhere(name);
    } else {
        work.portal.finish();
    }
    Ok(ending)
}

async fn ask(
    connection: &mut Connection,
    line: &mut Line,
    work: &mut Work<'_>,
    name: &str,
) -> Result<Ending, Stop> {
    let portal = &work.portal;
    if portal.elsewhere().is_none() {
        let prepared = portal.prepared();
        match work.text {
            Some(text) => parse_and_bind(line, (text, &[]), (&[], prepared), (name, &[]))?,
            None => parse_and_bind(
                line,
                (&prepared.source, &prepared.parameter_oids),
                (portal.values(), prepared),
                (name, portal.formats()),
            )?,
        }
        frontend::describe(b'P', name, line.out()).map_err(|error| too_long(&error))?;
    }
    let limit = i32::try_from(work.limit).unwrap_or(0);
    frontend::execute(name, limit, line.out()).map_err(|error| too_long(&error))?;
    let told = portal.told().cloned();
    let reading = Reading {
        synced: false,
        describe: work.describe,
        told: told.as_deref().filter(|_| portal.prepared().has_rows()),
    };
    exchange(connection, line, reading).await
}

/// Parse and Bind of a statement with its values, which go as texts.
fn parse_and_bind(
    line: &mut Line,
    (text, oids): (&str, &[u32]),
    (values, prepared): (&[SqlValue], &Prepared),
    (portal, formats): (&str, &[Format]),
) -> Result<(), Stop> {
    frontend::parse("", text, oids.iter().copied(), line.out())
        .map_err(|error| too_long(&error))?;
    let values = values.iter().zip(&prepared.parameters);
    let formats = formats.iter().map(|format| format.code());
    let bound = frontend::bind(
        portal,
        "",
        [],
        values,
        |(value, ty), out| {
            if value.as_ref().is_null() {
                return Ok(IsNull::Yes);
            }
            encode(value.as_ref(), ty, Format::Text, out)?;
            Ok(IsNull::No)
        },
        formats,
        line.out(),
    );
    bound.map_err(|error| {
        let why = match error {
            frontend::BindError::Conversion(error) => error.to_string(),
            frontend::BindError::Serialization(error) => error.to_string(),
        };
        too_long(&std::io::Error::other(why))
    })
}

/// Parse, Bind and Execute of a text without parameters.
pub(super) fn put_text(line: &mut Line, text: &str) -> Result<(), Stop> {
    let broken = |error: std::io::Error| too_long(&error);
    frontend::parse("", text, [], line.out()).map_err(broken)?;
    let nothing: [(); 0] = [];
    let bound = frontend::bind("", "", [], nothing, |(), _| Ok(IsNull::Yes), [], line.out());
    bound.map_err(|_| too_long(&std::io::Error::other("it can't be bound")))?;
    frontend::execute("", 0, line.out()).map_err(broken)
}

/// Runs a text without parameters and rows.
pub(super) async fn run_text(
    connection: &mut Connection,
    line: &mut Line,
    text: &str,
) -> Result<(), Stop> {
    put_text(line, text)?;
    let reading = Reading {
        synced: false,
        describe: false,
        told: None,
    };
    exchange(connection, line, reading).await.map(drop)
}

/// Sends what is in the buffer with its Flush or Sync, and hands the answer on to the client.
async fn exchange(
    connection: &mut Connection,
    line: &mut Line,
    mut reading: Reading<'_>,
) -> Result<Ending, Stop> {
    let session = connection.session();
    let mut watch = Watch::of(session.backend().entry());
    // In a block Sync ends nothing, and leaves the session there as it is seen: idle in a transaction.
    reading.synced = session.transaction().is_explicit();
    if reading.synced {
        frontend::sync(line.out());
    } else {
        frontend::flush(line.out());
    }
    line.flush(&mut watch).await?;
    let answered = read_answer(connection, line, &mut watch, &mut reading).await;
    match answered {
        Err(Stop::Refused(failure)) => {
            // What follows up to Sync is skipped there.
            if !reading.synced {
                frontend::sync(line.out());
            }
            match ready(line, &mut watch).await {
                Ok(()) | Err(Stop::Refused(_)) => Err(Stop::Refused(failure)),
                Err(stop) => Err(stop),
            }
        }
        Ok(ending) if reading.synced => ready(line, &mut watch).await.map(|()| ending),
        other => other,
    }
}

async fn read_answer(
    connection: &mut Connection,
    line: &mut Line,
    watch: &mut Watch,
    reading: &mut Reading<'_>,
) -> Result<Ending, Stop> {
    let mut rows = 0;
    loop {
        let (answer, frame) = line.answer(watch).await?;
        match answer {
            Answer::Row => {
                rows += 1;
                pass(connection, &frame).await?;
            }
            Answer::Notice => pass(connection, &frame).await?,
            Answer::Columns if reading.describe => pass(connection, &frame).await?,
            Answer::Columns => check_columns(&frame, reading.told)?,
            Answer::CopyIn => {
                pass(connection, &frame).await?;
                // It was in the way of the rows, and the master has passed it over.
                let explicit = std::mem::take(&mut reading.synced);
                copy::rows(connection, line, watch).await?;
                if explicit {
                    frontend::sync(line.out());
                    reading.synced = true;
                } else {
                    frontend::flush(line.out());
                }
                line.flush(watch).await?;
            }
            Answer::Complete(tag) => return Ok(Ending::Complete(tag)),
            Answer::Suspended => return Ok(Ending::Suspended(rows)),
            Answer::Empty => return Ok(Ending::Empty),
            Answer::Refused(failure) => return Err(Stop::Refused(failure)),
            Answer::Ready => {
                return Err(Broken::Lost("it has not answered a statement".into()).into());
            }
            Answer::Nothing
            | Answer::Seen(_)
            | Answer::Fatal(_)
            | Answer::Parameters
            | Answer::NoColumns => {}
        }
    }
}

/// A message for the client, as it is.
async fn pass(connection: &mut Connection, frame: &Frame) -> Result<(), Stop> {
    connection.out().extend_from_slice(&frame.bytes);
    if connection.out().len() >= FLUSH_BYTES {
        let sent = connection.flush().await;
        sent.map_err(|failure| Stop::Broken(Broken::GivenUp(failure)))?;
    }
    Ok(())
}

/// The client was told of the columns by this server, which may know an older definition. It is too late to tell it
/// others: the connection goes, and with it what the statement has done.
fn check_columns(frame: &Frame, told: Option<&[Column]>) -> Result<(), Stop> {
    let Some(told) = told else { return Ok(()) };
    // What has no type is sent as text.
    let ty = |column: &Column| match column.ty {
        PgType::Unknown => PgType::Text.oid(),
        known => known.oid(),
    };
    if answer::columns(frame.body())
        .is_some_and(|there| there.iter().map(ty).eq(told.iter().map(ty)))
    {
        return Ok(());
    }
    let mut changed = Failure::unsupported("cached plan must not change result type")
        .detail("This slave has told an older definition than its master has; the transaction is undone.")
        .hint("Prepare the statement again when the slave has caught up.");
    changed.fields_mut().routine = Some(answer::REVALIDATE);
    Err(Broken::GivenUp(changed).into())
}

/// Has the master describe a statement that this server can't translate.
pub(in crate::pg) async fn describe(
    connection: &mut Connection,
    text: &str,
    oids: &[u32],
) -> Result<Rc<Prepared>, Failure> {
    let mut line = take_line(connection)?;
    let described = ask_description(connection, &mut line, text, oids).await;
    if matches!(described, Err(Stop::Refused(_)))
        && !connection.session().transaction().is_explicit()
    {
        connection.forward().open = Open::No;
    }
    let (parameters, columns) = put_back(connection, line, described)?;
    connection.session().forwarding().note_definition();
    let columns = columns.map(Rc::from);
    Ok(Rc::new(Prepared::told_by_master(
        text,
        &parameters,
        columns,
    )))
}

/// Has the master tell the client of the columns of a cursor that the transaction has there.
pub(in crate::pg) async fn describe_cursor(
    connection: &mut Connection,
    name: &str,
) -> Result<(), Failure> {
    let mut line = take_line(connection)?;
    let described = async {
        frontend::describe(b'P', name, line.out()).map_err(|error| too_long(&error))?;
        exchange_description(connection, &mut line).await
    };
    let described = described.await;
    put_back(connection, line, described)
}

/// Sends what is in the buffer, of a block, and hands on the columns that are answered.
async fn exchange_description(connection: &mut Connection, line: &mut Line) -> Result<(), Stop> {
    let mut watch = Watch::of(connection.session().backend().entry());
    frontend::sync(line.out());
    line.flush(&mut watch).await?;
    let mut refused = None;
    loop {
        let (answer, frame) = line.answer(&mut watch).await?;
        match answer {
            Answer::Columns | Answer::NoColumns => pass(connection, &frame).await?,
            Answer::Refused(failure) => refused = Some(failure),
            Answer::Ready => return refused.map_or(Ok(()), |failure| Err(Stop::Refused(failure))),
            _ => {}
        }
    }
}

type Description = (Vec<u32>, Option<Vec<Column>>);

async fn ask_description(
    connection: &mut Connection,
    line: &mut Line,
    text: &str,
    oids: &[u32],
) -> Result<Description, Stop> {
    let session = connection.session();
    let mut watch = Watch::of(session.backend().entry());
    let explicit = session.transaction().is_explicit();
    frontend::parse("", text, oids.iter().copied(), line.out())
        .map_err(|error| too_long(&error))?;
    frontend::describe(b'S', "", line.out()).map_err(|error| too_long(&error))?;
    if explicit {
        frontend::sync(line.out());
    } else {
        frontend::flush(line.out());
    }
    line.flush(&mut watch).await?;
    let unreadable = || Broken::Lost("its description of a statement can't be read".into());
    let mut parameters = Vec::new();
    let columns = loop {
        let (answer, frame) = line.answer(&mut watch).await?;
        match answer {
            Answer::Parameters => {
                parameters = answer::parameter_oids(frame.body()).ok_or_else(unreadable)?;
            }
            Answer::Columns => break Some(answer::columns(frame.body()).ok_or_else(unreadable)?),
            Answer::NoColumns => break None,
            Answer::Refused(failure) => {
                if !explicit {
                    frontend::sync(line.out());
                }
                ready(line, &mut watch).await?;
                return Err(Stop::Refused(failure));
            }
            _ => {}
        }
    };
    if explicit {
        ready(line, &mut watch).await?;
    }
    Ok((parameters, columns))
}
