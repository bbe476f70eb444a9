//! What of the configuration holds anew while the server runs (SIGHUP).

use std::sync::{Mutex, PoisonError};

use dbconfig::{Config, ForwardLog, Keep};

use crate::environment::core::Core;

/// How long the log is kept, as was said last.
#[derive(Debug)]
pub(crate) struct KeptLog(Mutex<KeepRule>);

/// The same at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeepRule {
    /// How much of it.
    pub(crate) keep: Keep,
    /// Bytes that are kept for a known slave in spite of that.
    pub(crate) for_slaves: u64,
}

impl KeepRule {
    fn of(settings: &ForwardLog) -> Self {
        Self {
            keep: settings.keep,
            for_slaves: settings.keep_for_slaves,
        }
    }
}

impl KeptLog {
    /// As the server was started.
    pub(crate) fn new(settings: &ForwardLog) -> Self {
        Self(Mutex::new(KeepRule::of(settings)))
    }

    /// What holds now.
    pub(crate) fn rule(&self) -> KeepRule {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, rule: KeepRule) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = rule;
    }
}

impl Core {
    /// From now on what a running server takes of its configuration is as it is there.
    pub fn reload(&self, config: &Config) {
        self.slow_limit().set(config.server.log_slow);
        self.kept_log().set(KeepRule::of(&config.forward_log));
        self.scrub().set_rate(config.server.scrub_rate);
        if self.repair_source().set(&config.server.repair_from) {
            for database in self.databases().all() {
                database.store().try_again();
            }
        }
    }
}
