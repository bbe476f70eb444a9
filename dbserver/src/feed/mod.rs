//! A slave's end of the replication connection: one dbrepl feeds the mirror.
//!
//! ```text
//! dbrepl ─▶ serve (socket) ─▶ link (messages) ─▶ slave::SlaveLog
//! ```

mod former_root;
pub(crate) mod get_back;
mod lacking;
pub mod link;
mod root;
mod serve;
mod source_news;

use dbproto::{Offer, Standing};

use crate::environment::Environment;
use crate::peer::Peer;

pub use root::look_at_own_log;
pub use serve::serve_replication;

/// What this server can do when it is fed, for the end of a start-up.
pub fn offer(environment: &Environment) -> String {
    Offer::of_slave(environment.core().partial().is_some()).to_string()
}

/// A dbrepl from there was not let in: that is why nothing comes, unless another one feeds the slave.
pub(crate) fn was_refused(environment: &Environment, peer: Peer, why: &str) {
    let Some(slave) = environment.slave() else {
        return;
    };
    let why = format!(
        "a dbrepl from {} was refused: {why}; start it with a user and a password that this slave knows: once it has its master's log, the master's",
        peer.host()
    );
    let ended = Some((Standing::Refused, why));
    let now = slave.log().now();
    slave.log().update(|progress| {
        let feed = &mut progress.feed;
        // A reason that needs a person is not replaced by that of a stranger.
        let passing = feed.ended.as_ref().is_none_or(|(standing, _)| {
            matches!(standing, Standing::NotConnected | Standing::Refused)
        });
        if feed.connected.is_none() && passing && feed.ended != ended {
            (feed.ended, feed.since) = (ended, now);
        }
    });
}
