//! How long a client has kept the server waiting for its next message. What the server itself takes time for does not
//! count, and neither does a byte now and then: a message has to become whole.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a client may take for its first message where others wait for its place. It has that ready when it connects.
const FIRST_MESSAGE: Duration = Duration::from_secs(1);
/// How long for each later one: it may have to compute a proof, or to ask a person.
const LATER_MESSAGE: Duration = Duration::from_secs(5);

/// The silence of one client.
#[derive(Debug)]
pub struct Silence(Mutex<State>);

#[derive(Debug)]
struct State {
    has_spoken: bool,
    since: Option<Instant>,
}

impl Silence {
    /// A client that has said nothing yet.
    pub fn new(now: Instant) -> Self {
        Self(Mutex::new(State {
            has_spoken: false,
            since: Some(now),
        }))
    }

    /// The server waits for a message; since earlier, if it did already.
    pub fn goes_on(&self, now: Instant) {
        self.state().since.get_or_insert(now);
    }

    /// A message is there: now the client waits for the server.
    pub fn ends(&self) {
        *self.state() = State {
            has_spoken: true,
            since: None,
        };
    }

    /// Whether it has lasted so long that others come first.
    pub fn is_too_long(&self, now: Instant) -> bool {
        let state = self.state();
        let patience = if state.has_spoken {
            LATER_MESSAGE
        } else {
            FIRST_MESSAGE
        };
        state
            .since
            .is_some_and(|since| now.saturating_duration_since(since) >= patience)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_client_takes_counts() {
        let begin = Instant::now();
        let at = |seconds| begin + Duration::from_secs(seconds);
        let silence = Silence::new(begin);
        assert!(!silence.is_too_long(begin));
        assert!(silence.is_too_long(at(1)));
        // Half a message does not end it.
        silence.goes_on(at(1));
        assert!(silence.is_too_long(at(1)));
        silence.ends();
        assert!(!silence.is_too_long(at(1000)), "the server works");
        silence.goes_on(at(1000));
        assert!(!silence.is_too_long(at(1004)));
        assert!(silence.is_too_long(at(1005)));
    }
}
