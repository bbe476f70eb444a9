//! Waiting for something to become true, with an end.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// For what takes a moment: a server that starts, a message that arrives.
pub const SHORT: Duration = Duration::from_secs(30);
/// For what has work to do: a script, a catch-up, a recovery.
pub const LONG: Duration = Duration::from_mins(2);

/// How long a client or a program may take. The large forms of tests, which run when `ELOQDB_LARGE`
/// is set, move gigabytes.
pub fn longest() -> Duration {
    if std::env::var_os("ELOQDB_LARGE").is_some() {
        30 * LONG
    } else {
        LONG
    }
}

/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Waits until `condition` gives something, and gives that.
///
/// The deadline is there to end a test that would hang; it never decides about a test that works.
#[track_caller]
pub fn wait_for<T>(what: &str, deadline: Duration, mut condition: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + deadline;
    loop {
        if let Some(result) = condition() {
            return result;
        }
        assert!(
            Instant::now() < end,
            "waited {deadline:?} in vain for this: {what}"
        );
        pause(LOOK_EVERY);
    }
}

/// Lets time pass, for load that has to run a while: nothing may depend on how long it is.
pub fn pause(time: Duration) {
    // Nobody sends: the channel is a clock that can be waited for.
    let (_keep, clock) = channel::<()>();
    assert_eq!(clock.recv_timeout(time), Err(RecvTimeoutError::Timeout));
}
