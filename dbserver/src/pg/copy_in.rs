//! COPY FROM STDIN: rows from the client into a table, as they come.

use dialect::StatementKind;
use pgtypes::{SqlState, copy::Decoder};
use pgwire::messages::PgWireFrontendMessage as Frontend;

use crate::failure::Failure;
use crate::pg::connection::Connection;
use crate::session::copy::{self, Target};
use crate::session::prepared::Prepared;
use crate::wire::codec::Request;
use crate::wire::output;

/// The next piece of the stream.
enum Piece {
    Data(bytes::Bytes),
    Done,
}

/// Runs COPY FROM STDIN; gives its tag. After an error the rest of the stream is skipped by the
/// message loop.
pub(super) async fn copy_in(
    connection: &mut Connection,
    prepared: &Prepared,
) -> Result<String, Failure> {
    let StatementKind::CopyIn {
        table,
        columns,
        options,
    } = &prepared.statement.kind
    else {
        return Err(Failure::new(SqlState::INTERNAL_ERROR, "not a COPY"));
    };
    let tables = &prepared.statement.tables;
    connection.session().before_write_to("COPY FROM", tables)?;
    // With the permit, so that nobody defines the table anew.
    let sqlite = connection.session().backend().sqlite();
    sqlite.refresh_schema()?;
    let target = Target::find(sqlite, table, columns)?;
    let mut decoder = Decoder::new(copy::options(options, &target.names()), target.names())?;
    connection.add_notices();
    let format = decoder.value_format();
    output::copy_response(connection.out(), b'G', (target.width(), format));
    connection.flush().await?;
    let mut rows = 0;
    loop {
        match next_piece(connection, &target.table).await? {
            Piece::Data(bytes) => decoder.feed(&bytes),
            Piece::Done => break,
        }
        rows += insert(connection, &target, &mut decoder)?;
    }
    decoder.finish();
    rows += insert(connection, &target, &mut decoder)?;
    Ok(prepared.statement.tag.render(rows))
}

fn insert(
    connection: &mut Connection,
    target: &Target,
    decoder: &mut Decoder,
) -> Result<u64, Failure> {
    let backend = connection.session().backend();
    target.insert(backend.sqlite(), backend.interrupt(), decoder)
}

async fn next_piece(connection: &mut Connection, table: &str) -> Result<Piece, Failure> {
    loop {
        connection.session().backend().interrupt().check()?;
        let message = match connection.receive().await? {
            Some(Request::Message(message)) => message,
            Some(_) => {
                return Err(Failure::new(
                    SqlState::CHARACTER_NOT_IN_REPERTOIRE,
                    "invalid byte sequence for encoding \"UTF8\"",
                ));
            }
            None => {
                return Err(Failure::fatal(
                    SqlState::CONNECTION_FAILURE,
                    "unexpected end of the connection during COPY",
                ));
            }
        };
        match message {
            Frontend::CopyData(data) => return Ok(Piece::Data(data.data)),
            Frontend::CopyDone(_) => return Ok(Piece::Done),
            Frontend::CopyFail(fail) => {
                let why: String = fail.message.chars().take(1000).collect();
                return Err(Failure::new(
                    SqlState::QUERY_CANCELED,
                    format!("COPY from stdin failed: {why}"),
                )
                .context(format!("COPY {table}")));
            }
            // Some drivers send Sync together with Execute.
            Frontend::Flush(_) | Frontend::Sync(_) => {}
            Frontend::Terminate(_) => {
                return Err(Failure::fatal(
                    SqlState::CONNECTION_FAILURE,
                    "the client left during COPY",
                ));
            }
            _ => {
                return Err(Failure::fatal(
                    SqlState::PROTOCOL_VIOLATION,
                    "unexpected message type during COPY from stdin",
                ));
            }
        }
    }
}
