//! COPY FROM STDIN: rows from the client into a table, as they come.

use dialect::StatementKind;
use futures::StreamExt;
use pgtypes::{SqlState, copy::Decoder};
use pgwire::messages::PgWireFrontendMessage as Frontend;

use crate::failure::Failure;
use crate::pg::client::Client;
use crate::session::copy::{self, Target};
use crate::session::prepared::Prepared;
use crate::session::terminated;
use crate::wire::codec::{Request, WireError};
use crate::wire::output;

/// The next piece of the stream.
enum Piece {
    Data(bytes::Bytes),
    Done,
}

impl Client {
    /// Runs COPY FROM STDIN; gives its tag. After an error the rest of the stream is skipped by the
    /// message loop.
    pub(super) async fn copy_in(&mut self, prepared: &Prepared) -> Result<String, Failure> {
        let StatementKind::CopyIn {
            table,
            columns,
            options,
        } = &prepared.statement.kind
        else {
            return Err(Failure::new(SqlState::INTERNAL_ERROR, "not a COPY"));
        };
        let target = Target::find(self.session.sqlite(), table, columns)?;
        let mut decoder = Decoder::new(copy::options(options, &target.names()), target.names())?;
        self.session.before_write("COPY FROM")?;
        self.send_notices();
        let format = decoder.value_format();
        output::copy_response(
            self.stream.write_buffer_mut(),
            b'G',
            (target.width(), format),
        );
        self.flush().await?;
        let mut rows = 0;
        loop {
            match self.next_piece(&target.table).await? {
                Piece::Data(bytes) => decoder.feed(&bytes),
                Piece::Done => break,
            }
            rows += target.insert(&self.session, &mut decoder)?;
        }
        decoder.finish();
        rows += target.insert(&self.session, &mut decoder)?;
        Ok(prepared.statement.tag.render(rows))
    }

    async fn next_piece(&mut self, table: &str) -> Result<Piece, Failure> {
        loop {
            let entry = &self.session.registered.entry;
            entry.interrupt.check()?;
            let message = tokio::select! {
                biased;
                message = self.stream.next() => message,
                () = entry.wake.notified() => return Err(terminated()),
            };
            let message = match message {
                Some(Ok(Request::Message(message))) => message,
                Some(Ok(_)) => {
                    return Err(Failure::new(
                        SqlState::CHARACTER_NOT_IN_REPERTOIRE,
                        "invalid byte sequence for encoding \"UTF8\"",
                    ));
                }
                Some(Err(WireError::Violation(why))) => {
                    return Err(Failure::fatal(SqlState::PROTOCOL_VIOLATION, why));
                }
                None | Some(Err(WireError::Io(_))) => {
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
}
