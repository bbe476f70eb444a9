//! A base connection on its socket.

use std::sync::Arc;

use dbproto::Refuse;
use dbproto::base::{Asked, Given, kind};
use futures::SinkExt as _;
use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::copy::{CopyBothResponse, CopyDone};

use super::give::give;
use super::line::{Ended, Line};
use super::take::take;
use crate::clients::Registered;
use crate::environment::Environment;
use crate::process::give_way;
use crate::wire::ClientStream;

/// Serves one dbrepl until it leaves or the server stops. The caller has authenticated it, checked its privilege and
/// told it that the server is ready.
pub async fn serve_base(
    mut stream: ClientStream,
    environment: Arc<Environment>,
    registered: &Registered,
) {
    // The thread is this connection's. Clients go first, also where the copy then takes longer.
    give_way();
    let entry = &registered.entry;
    let mut line = Line {
        stream: &mut stream,
        environment: &environment,
        entry,
    };
    let ended = converse(&mut line, &environment).await;
    let (user, address) = (&entry.user, entry.address);
    match ended {
        Ok(()) => {}
        Err(Ended::Refused(refuse)) => {
            tracing::warn!(%refuse, user, %address, "a copy is refused");
            let told = line.send(&Given::Refuse(refuse)).await;
            if let Err(Ended::Lost(error)) = told {
                tracing::debug!(%error, "dbrepl could not be told");
            }
        }
        Err(Ended::Left(why)) => tracing::info!(why, user, %address, "a copy is broken off"),
        Err(Ended::Lost(error)) => {
            tracing::warn!(%error, user, %address, "a copy is broken off: the connection to dbrepl is lost");
        }
    }
    let last = PgWireBackendMessage::CopyDone(CopyDone::new());
    if let Err(error) = stream.send(last).await {
        tracing::debug!(%error, "dbrepl has left");
    }
}

async fn converse(line: &mut Line<'_>, environment: &Arc<Environment>) -> Result<(), Ended> {
    let response = CopyBothResponse::new(1, 0, Vec::new());
    line.stream
        .send(PgWireBackendMessage::CopyBothResponse(response))
        .await?;
    let first = loop {
        match line.receive().await? {
            // The giver is about to open its cut.
            Some(message) if message.first() == Some(&kind::BUSY) => {}
            Some(message) => break message,
            None => return Ok(()),
        }
    };
    match first.first() {
        Some(&kind::OPEN_CUT) => give(line, environment, Asked::decode(first)?).await,
        Some(&kind::CUT) => take(line, environment, Given::decode(first)?).await,
        _ => Err(Refuse::new(
            dbproto::state::PROTOCOL_VIOLATION,
            "a base conversation begins with OpenCut or Cut",
        )
        .into()),
    }
}
