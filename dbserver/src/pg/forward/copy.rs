//! COPY FROM STDIN into a table of the master: the client's rows pass as they come.

use pgtypes::SqlState;
use pgwire::messages::PgWireFrontendMessage as Frontend;
use postgres_protocol::message::frontend::{self, CopyData};

use crate::failure::Failure;
use crate::pg::connection::Connection;
use crate::pg::forward::Stop;
use crate::pg::forward::answer::Answer;
use crate::pg::forward::line::{Broken, Line, Watch};
use crate::wire::codec::Request;
use crate::wire::output::FLUSH_BYTES;

/// Hands rows on until the client has sent them all, or the master has had enough.
pub(super) async fn rows(
    connection: &mut Connection,
    line: &mut Line,
    watch: &mut Watch,
) -> Result<(), Stop> {
    connection.flush().await.map_err(client)?;
    loop {
        let request = tokio::select! {
            biased;
            answered = line.answer(watch) => match answered?.0 {
                Answer::Refused(failure) => return Err(Stop::Refused(failure)),
                // Nothing else comes before the last row.
                _ => continue,
            },
            received = connection.receive() => received.map_err(client)?,
        };
        match request {
            Some(Request::Message(Frontend::CopyData(data))) => {
                CopyData::new(&data.data[..])
                    .map_err(|error| super::transaction::too_long(&error))?
                    .write(line.out());
                if line.out().len() >= FLUSH_BYTES || connection.is_drained() {
                    line.flush(watch).await?;
                }
            }
            Some(Request::Message(Frontend::CopyDone(_))) => {
                frontend::copy_done(line.out());
                return Ok(());
            }
            Some(Request::Message(Frontend::CopyFail(fail))) => {
                frontend::copy_fail(&fail.message, line.out())
                    .map_err(|error| super::transaction::too_long(&error))?;
                return Ok(());
            }
            // Some drivers send Sync together with Execute.
            Some(Request::Message(Frontend::Flush(_) | Frontend::Sync(_))) => {}
            Some(Request::Message(Frontend::Terminate(_))) | None => {
                return Err(client(Failure::fatal(
                    SqlState::CONNECTION_FAILURE,
                    "the client left during COPY",
                )));
            }
            Some(Request::BadText { .. }) => {
                frontend::copy_fail("invalid byte sequence for encoding \"UTF8\"", line.out())
                    .map_err(|error| super::transaction::too_long(&error))?;
                return Ok(());
            }
            Some(_) => {
                return Err(client(Failure::fatal(
                    SqlState::PROTOCOL_VIOLATION,
                    "unexpected message type during COPY from stdin",
                )));
            }
        }
    }
}

/// The client's end of the stream is over: so is the connection to the master, which would wait for more.
fn client(failure: Failure) -> Stop {
    Stop::Broken(Broken::GivenUp(failure))
}
