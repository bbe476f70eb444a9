//! A status for tests, which say what matters to them.

use dbproto::Standing;
use fwlog::Timestamp;

use super::ReplicationStatus;
use crate::environment::status::{Shown, Time};

impl ReplicationStatus {
    /// A slave of which nothing is known but its state.
    pub(crate) fn sample(slave: &str, state: Standing) -> Self {
        Self {
            slave: slave.to_owned(),
            source: None,
            address: None,
            state: Shown(state),
            since: Time(Timestamp::ZERO),
            reason: None,
            suspended_by: None,
            last_heard_of: None,
            source_durable: None,
            received: None,
            durable: None,
            applied: None,
            lag_in_bytes: None,
            lag_in_commits: None,
            lag_in_seconds: None,
            delay_in_seconds: None,
            partial: false,
            archive: false,
            verified: None,
            is_fresh: false,
        }
    }
}
