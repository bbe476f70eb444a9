//! The extended protocol: Parse, Bind, Describe, Execute, Close.

use std::rc::Rc;

use dialect::StatementKind;
use pgtypes::{Context, Format, PgType, SqlState, SqlValue, decode_in};
use pgwire::messages::PgWireFrontendMessage as Frontend;
use pgwire::messages::data::ParameterDescription;
use pgwire::messages::extendedquery::{
    Bind, Close, Describe, Execute, Parse, TARGET_TYPE_BYTE_PORTAL, TARGET_TYPE_BYTE_STATEMENT,
};

use crate::failure::Failure;
use crate::pg::connection::Connection;
use crate::pg::forward;
use crate::pg::perform::{Ending, complete, perform};
use crate::session::execution::resolve_execute;
use crate::session::portal::Portal;
use crate::session::prepared::{Columns, Prepared};
use crate::session::{Session, command, row};
use crate::wire::output;

/// Answers one message of the protocol; other messages are none of its business.
pub(super) async fn run(connection: &mut Connection, message: Frontend) -> Result<(), Failure> {
    match message {
        Frontend::Parse(message) => parse(connection, message).await,
        Frontend::Bind(message) => bind(connection, message),
        Frontend::Describe(message) => describe(connection, &message).await,
        Frontend::Execute(message) => execute(connection, message).await,
        Frontend::Close(message) => close(connection, &message),
        _ => Ok(()),
    }
}

/// Parse: a prepared statement, named or not.
async fn parse(connection: &mut Connection, parse: Parse) -> Result<(), Failure> {
    let session = connection.session();
    let entry = session.backend().entry();
    entry.show_statement(&parse.query);
    let name = parse.name.unwrap_or_default();
    session.statements().check_free(&name)?;
    if dialect::split(&parse.query).len() > 1 {
        return Err(Failure::new(
            SqlState::SYNTAX_ERROR,
            "cannot insert multiple commands into a prepared statement",
        ));
    }
    let text = parse
        .query
        .trim_end_matches(|c: char| c == ';' || c.is_ascii_whitespace());
    let prepared = match translate(session, text, &parse.type_oids) {
        Ok(prepared) if !session.is_told_there(&prepared) => prepared,
        // It may be about what the transaction has made on the master.
        Ok(_) | Err(_) if session.forwarding().is_there() && !session.transaction().is_failed() => {
            forward::describe(connection, text, &parse.type_oids).await?
        }
        other => other?,
    };
    connection.session().statements().insert(name, prepared);
    output::parse_complete(connection.out());
    Ok(())
}

fn translate(session: &mut Session, text: &str, oids: &[u32]) -> Result<Rc<Prepared>, Failure> {
    let prepared = session.prepare(text, oids)?;
    if prepared.has_rows() && !matches!(prepared.statement.kind, StatementKind::CopyOut { .. }) {
        // A fault that only SQLite sees belongs to Parse.
        prepared.describe_now(session.backend().sqlite())?;
    }
    Ok(prepared)
}

/// Bind: a portal, named or not.
fn bind(connection: &mut Connection, bind: Bind) -> Result<(), Failure> {
    let session = connection.session();
    let statement = bind.statement_name.unwrap_or_default();
    let found = session.statements().get(&statement)?;
    let mut prepared = session.refreshed(Rc::clone(&found))?;
    if !Rc::ptr_eq(&found, &prepared) {
        session
            .statements()
            .insert(statement.clone(), Rc::clone(&prepared));
    }
    session
        .transaction()
        .check_accepts(&prepared.statement.kind)?;
    let portal = bind.portal_name.unwrap_or_default();
    session.portals().check_free(&portal)?;
    let context = session.backend().sqlite().context();
    let mut values = parameters(
        &context,
        &prepared,
        &statement,
        &bind.parameters,
        &bind.parameter_format_codes,
    )?;
    if let StatementKind::Execute { name, arguments } = &prepared.statement.kind {
        (prepared, values) = resolve_execute(session, name, arguments)?;
    }
    let told = columns(session, &prepared)?;
    let formats = result_formats(
        &bind.result_column_format_codes,
        told.as_deref().map(<[_]>::len),
    )?;
    let opened = Portal::new(prepared, values, formats, told);
    session.portals().insert(portal, opened);
    output::bind_complete(connection.out());
    Ok(())
}

/// Describe: what a statement takes and gives, or what a portal gives.
async fn describe(connection: &mut Connection, describe: &Describe) -> Result<(), Failure> {
    let name = describe.name.as_deref().unwrap_or_default();
    let (columns, formats) = match describe.target_type {
        TARGET_TYPE_BYTE_STATEMENT => {
            let session = connection.session();
            let prepared = session.statements().get(name)?;
            let columns = columns(session, &prepared)?;
            let types = ParameterDescription::new(prepared.parameter_oids.clone());
            output::append(connection.out(), &types);
            (columns, Rc::default())
        }
        TARGET_TYPE_BYTE_PORTAL => {
            let session = connection.session();
            let transaction = session.transaction();
            let is_open = transaction.is_explicit() && !transaction.is_failed();
            let is_there = is_open && session.forwarding().is_there();
            match session.portals().get(name) {
                Some(portal) => (portal.told().cloned(), Rc::clone(portal.formats())),
                // A cursor of the transaction is where that runs.
                None if is_there => {
                    return forward::describe_cursor(connection, name).await;
                }
                None => return Err(no_portal(name)),
            }
        }
        _ => return Err(Failure::protocol("invalid DESCRIBE message subtype")),
    };
    let out = connection.out();
    match columns {
        Some(columns) => row::describe(out, &columns, &formats),
        None => output::no_data(out),
    }
    Ok(())
}

/// Execute: runs a portal, or runs it on.
async fn execute(connection: &mut Connection, execute: Execute) -> Result<(), Failure> {
    let name = execute.name.unwrap_or_default();
    let session = connection.session();
    let taken = session.portals().take(&name);
    let mut portal = taken.ok_or_else(|| no_portal(&name))?;
    let entry = session.backend().entry();
    entry.show_statement(&portal.prepared().source);
    let limit = match u64::try_from(execute.max_rows) {
        Ok(0) | Err(_) => u64::MAX,
        Ok(rows) => rows,
    };
    if portal.is_fresh() {
        let prepared = Rc::clone(portal.prepared());
        connection.session().note(&prepared, prepared.source.trim());
    }
    let began = connection.begin_measured();
    let ending = perform(connection, &mut portal, None, limit, false).await;
    let prepared = portal.prepared();
    connection.end_measured(began, (prepared, &prepared.source), &ending);
    let ending = ending?;
    complete(connection, &ending);
    // The portal of a command that ended the transaction has gone with it.
    let ended = matches!(
        portal.prepared().statement.kind,
        StatementKind::Commit { .. } | StatementKind::Rollback { .. }
    );
    let session = connection.session();
    if !ended && (matches!(ending, Ending::Suspended(_)) || session.transaction().is_explicit()) {
        session.portals().insert(name, portal);
    }
    Ok(())
}

/// Close: forgets a statement or a portal; one that is not there is no error.
fn close(connection: &mut Connection, close: &Close) -> Result<(), Failure> {
    let session = connection.session();
    let name = close.name.as_deref().unwrap_or_default();
    match close.target_type {
        TARGET_TYPE_BYTE_STATEMENT => session.statements().close(name),
        TARGET_TYPE_BYTE_PORTAL => drop(session.portals().take(name)),
        _ => return Err(Failure::protocol("invalid CLOSE message subtype")),
    }
    output::close_complete(connection.out());
    Ok(())
}

/// What the client is told about the result; `None`: there is none.
fn columns(session: &mut Session, prepared: &Prepared) -> Result<Option<Columns>, Failure> {
    let kind = &prepared.statement.kind;
    if prepared.has_rows()
        && !matches!(
            kind,
            StatementKind::CopyOut { .. } | StatementKind::DeclareCursor { .. }
        )
    {
        if prepared.statement.catalog {
            session.refresh_catalog()?;
        }
        let columns = prepared.describe_now(session.backend().sqlite());
        return session.believe(columns.map(Some));
    }
    Ok(command::columns(session, kind))
}

fn no_portal(name: &str) -> Failure {
    let message = if name.is_empty() {
        "unnamed portal does not exist".to_owned()
    } else {
        format!("portal \"{name}\" does not exist")
    };
    Failure::new(SqlState::INVALID_CURSOR_NAME, message)
}

/// The parameter values in stored form.
fn parameters(
    context: &Context,
    prepared: &Prepared,
    statement: &str,
    values: &[Option<bytes::Bytes>],
    codes: &[i16],
) -> Result<Vec<SqlValue>, Failure> {
    if values.len() != prepared.parameters.len() {
        return Err(Failure::protocol(format!(
            "bind message supplies {} parameters, but prepared statement \"{statement}\" requires {}",
            values.len(),
            prepared.parameters.len()
        )));
    }
    if codes.len() > 1 && codes.len() != values.len() {
        return Err(Failure::protocol(format!(
            "bind message has {} parameter formats but {} parameters",
            codes.len(),
            values.len()
        )));
    }
    let formats = codes
        .iter()
        .map(|code| Format::from_code(*code))
        .collect::<Result<Vec<_>, _>>()?;
    let decoded = values.iter().zip(&prepared.parameters).enumerate();
    decoded
        .map(|(index, (value, ty))| match value {
            None => Ok(SqlValue::Null),
            Some(bytes) => parameter(bytes, ty, row::format(&formats, index), context)
                .and_then(|value| prepared.limited(index, value))
                .map_err(|failure| failure.context(format!("parameter ${}", index + 1))),
        })
        .collect()
}

fn parameter(
    bytes: &[u8],
    ty: &PgType,
    format: Format,
    context: &Context,
) -> Result<SqlValue, Failure> {
    decode_in(bytes, ty, format, context).map_err(Failure::from)
}

fn result_formats(codes: &[i16], columns: Option<usize>) -> Result<Vec<Format>, Failure> {
    if codes.len() > 1 && columns.is_some_and(|columns| columns != codes.len()) {
        return Err(Failure::protocol(format!(
            "bind message has {} result formats but query has {} columns",
            codes.len(),
            columns.unwrap_or_default()
        )));
    }
    let formats = codes.iter().map(|code| Format::from_code(*code));
    formats
        .collect::<Result<Vec<_>, _>>()
        .map_err(Failure::from)
}
