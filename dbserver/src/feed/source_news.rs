//! What the slave's log tells of its source: one line for each change.

use std::time::Duration;

use dbproto::{SILENT, SourceState};

/// What has been told.
#[derive(Debug, Default)]
pub(crate) struct SourceNews {
    /// dbrepl has said nothing for a while.
    silent: bool,
    source: Told,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Told {
    #[default]
    Lives,
    Silent,
    Stopped,
}

impl SourceNews {
    /// dbrepl has said something.
    pub(crate) fn speaks(&mut self) {
        if std::mem::take(&mut self.silent) {
            tracing::info!("dbrepl is heard again");
        }
    }

    /// dbrepl has said nothing for so long.
    pub(crate) fn silent(&mut self, silence: Duration) {
        if silence > SILENT && !std::mem::replace(&mut self.silent, true) {
            tracing::warn!(
                "nothing has come from dbrepl for {} s: look after it and the line to it",
                silence.as_secs()
            );
        }
    }

    /// dbrepl has said how the source's server is.
    pub(crate) fn tell(&mut self, source: &SourceState) {
        let now = match source.silent_since {
            None => Told::Lives,
            Some(_) if source.stopped => Told::Stopped,
            Some(_) => Told::Silent,
        };
        if std::mem::replace(&mut self.source, now) == now {
            return;
        }
        match source.silent_since {
            None => tracing::info!("the source's server runs again"),
            Some(at) if source.stopped => tracing::warn!("the master was stopped at {at}"),
            Some(since) => tracing::warn!(
                "the source's server gives no sign of life since {since}: look after it"
            ),
        }
    }
}
