//! The taker's end of a connection: a slave gets what the log can't tell it any more.

use std::sync::Arc;
use std::time::{Duration, Instant};

use dbproto::Refuse;
use dbproto::base::{Asked, Given};

use super::line::{Ended, Line, Sign};
use super::refuse_engine;
use super::taking::{Next, Taking};
use crate::environment::Environment;
use crate::error::EngineError;

/// How often is told how far it is.
const STATUS: Duration = Duration::from_secs(1);

/// Talks until all is here, or the other side leaves.
pub(super) async fn take(
    line: &mut Line<'_>,
    environment: &Arc<Environment>,
    first: Given,
) -> Result<(), Ended> {
    let mut taking = Taking::begin(environment)?;
    let mut message = Some(first);
    let mut told = Instant::now();
    while let Some(given) = message.take() {
        taking.handle(given)?;
        loop {
            match taking.go_on()? {
                Next::Listen => break,
                Next::Say(asked) => line.send(&asked).await?,
                Next::Meet(cut) => {
                    let meeting = move |taking: &mut Taking| taking.meet(&cut);
                    (taking, ()) = meanwhile(line, taking, meeting).await?;
                }
                Next::Prove(roots) => {
                    let proving = move |taking: &mut Taking| taking.prove(&roots);
                    // The server begins anew when it is dropped, also where the other side can't be told.
                    let (_taking, last) = meanwhile(line, taking, proving).await?;
                    return say(line, &last).await;
                }
                Next::Over(refuse) => return Err(Ended::Left(refuse.in_full())),
            }
        }
        if told.elapsed() >= STATUS {
            told = Instant::now();
            line.send(&Asked::Status(taking.status())).await?;
            taking.show();
        }
        let received = line.receive_with(|here| {
            if told.elapsed() < STATUS {
                return None;
            }
            told = Instant::now();
            let status = taking.status_with(here);
            taking.show_status(status);
            Some(Box::new(Asked::Status(status)) as Box<dyn Sign>)
        });
        message = match received.await? {
            Some(bytes) => Some(Given::decode(bytes)?),
            None => None,
        };
    }
    Err(Ended::Left("dbrepl has left".to_owned()))
}

async fn say(line: &mut Line<'_>, messages: &[Asked]) -> Result<(), Ended> {
    for message in messages {
        line.send(message).await?;
    }
    Ok(())
}

/// Does what takes long with signs of life. Where the line is lost meanwhile, the work still ends before anybody else
/// gets the mirror.
async fn meanwhile<T: Send + 'static>(
    line: &mut Line<'_>,
    mut taking: Taking,
    work: impl FnOnce(&mut Taking) -> Result<T, Refuse> + Send + 'static,
) -> Result<(Taking, T), Ended> {
    let status = taking.status();
    let working = tokio::task::spawn_blocking(move || {
        let done = work(&mut taking);
        done.map(|done| (taking, done))
    });
    let worked = line
        .meanwhile(working, || Box::new(Asked::Status(status)))
        .await?;
    let worked = worked.map_err(|error| refuse_engine(&EngineError::Internal(error.to_string())));
    Ok(worked??)
}
