//! The giver's end of a connection: a cut is read for somebody who wants it.

use std::sync::Arc;

use dbproto::base::{Asked, Given};

use super::giving::{Giving, Heard};
use super::line::{Ended, Line};
use super::refuse_engine;
use crate::environment::Environment;
use crate::error::EngineError;

/// Talks until the taker has all, or leaves.
pub(super) async fn give(
    line: &mut Line<'_>,
    environment: &Arc<Environment>,
    first: Asked,
) -> Result<(), Ended> {
    let giver = Arc::clone(environment);
    let opening = tokio::task::spawn_blocking(move || Giving::open(&giver, first));
    let opened = line.meanwhile(opening, || Box::new(Given::Busy)).await?;
    let mut giving =
        opened.map_err(|error| refuse_engine(&EngineError::Internal(error.to_string())))??;
    loop {
        while let Some(message) = giving.say()? {
            line.send(&message).await?;
        }
        let taker = giving.taker();
        let Some(message) = line.receive().await? else {
            return Err(Ended::Left(format!("{taker} has left")));
        };
        match giving.handle(Asked::decode(message)?)? {
            Heard::Answer => {}
            Heard::Complete => {
                tracing::info!(to = giving.taker(), "the copy is complete");
                return Ok(());
            }
            Heard::Refused(refuse) => return Err(Ended::Left(refuse.in_full())),
        }
    }
}
