//! What a slave knows of the connection that feeds it.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use dbproto::{Identify, SourceState, Standing};
use fwlog::Timestamp;

use crate::peer::Peer;

/// The connection that feeds a slave: the present one, or how the last one ended.
#[derive(Debug, Clone, Default)]
pub struct FeedState {
    /// Who ships at present.
    pub source: Option<Identify>,
    /// Instance that has shipped last.
    pub source_name: Option<String>,
    /// The connection that has the slave's place, and since when, whatever it has said.
    pub connected: Option<(Peer, Timestamp)>,
    /// From where it was fed last.
    pub address: Option<Peer>,
    /// Since when it is connected, or is not.
    pub since: Timestamp,
    /// How the source was when it said so last, and when that was.
    pub source_state: Option<(SourceState, Instant)>,
    /// Since when the source's log ends before what this slave has.
    pub behind_since: Option<Timestamp>,
    /// How the last connection ended.
    pub ended: Option<(Standing, String)>,
    /// It is a slave since its role has changed, and nobody has connected since.
    pub role_has_changed: bool,
    /// The last connection was refused, and none has got further since.
    pub refused: bool,
}

/// When the side that feeds a slave was last heard.
#[derive(Debug)]
pub(crate) struct Hearing(Mutex<Heard>);

#[derive(Debug, Clone, Copy)]
enum Heard {
    /// The slave waits for the next message since then.
    Waiting(Instant),
    /// It works on a message: there is no silence as long as nobody listens.
    Working,
}

impl Hearing {
    /// Nothing was heard up to now.
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Heard::Waiting(Instant::now())))
    }

    /// A message has come.
    pub(crate) fn work(&self) {
        self.set(Heard::Working);
    }

    /// The next message is waited for.
    pub(crate) fn listen(&self) {
        self.set(Heard::Waiting(Instant::now()));
    }

    /// Nothing is waited for any more; what was waited for in vain has not come.
    pub(crate) fn rest(&self) {
        if self.silence() == Duration::ZERO {
            self.listen();
        }
    }

    /// How long nothing has come.
    pub(crate) fn silence(&self) -> Duration {
        match *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Heard::Waiting(since) => since.elapsed(),
            Heard::Working => Duration::ZERO,
        }
    }

    fn set(&self, heard: Heard) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = heard;
    }
}
