//! Commits that wait for slaves, or no longer do: on the disk before it holds.

use std::time::Duration;

use fwlog::{CommitNumber, Durable, Timestamp};

use crate::commit::release::Turn;
use crate::environment::core::Core;
use crate::error::EngineError;

/// How long commits that a handover has made sure of are waited for, so that their clients hear of it.
const LAST_ACKNOWLEDGEMENTS: Duration = Duration::from_secs(1);

impl Core {
    /// What is released begins where the log goes on. A slave that is promoted has waited for nobody.
    pub(crate) fn begin_release(&self, end: &Durable, restarted: bool) {
        let is_alone = restarted && self.control().alone_since.is_some();
        self.release().begin(end, is_alone, restarted);
    }

    /// Another instance has all of it, which those who wait for that are about to hear.
    pub(crate) fn wait_for_last_acknowledgements(&self, commit: CommitNumber) {
        self.release().wait_at_most(commit, LAST_ACKNOWLEDGEMENTS);
    }

    /// This server goes on without the slaves that do not answer, or waits for them again. No client is answered by what the
    /// disk does not know: whoever looks at this server later learns that it had commits which nobody else has.
    pub(crate) fn turn_release(&self, turn: Turn) -> Result<(), EngineError> {
        let since = match turn {
            Turn::Alone => Some(self.host().clock.now().micros()),
            Turn::Together => None,
        };
        {
            let _one_author = self.one_author();
            self.update_control(|control| control.alone_since = since)?;
        }
        self.release().turn(turn);
        match turn {
            Turn::Alone => tracing::error!(
                "too few of SyncSlaves have answered: commits wait for none of them until enough have caught up; what is committed meanwhile is on this server alone"
            ),
            Turn::Together => tracing::info!("commits wait for SyncSlaves again"),
        }
        Ok(())
    }

    /// Since when it goes on without them.
    pub(crate) fn alone_since(&self) -> Option<Timestamp> {
        self.control().alone_since.map(Timestamp::from_micros)
    }
}
