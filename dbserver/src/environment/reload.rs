//! What of the configuration holds anew while the server runs (`dbctl reload`, SIGHUP).

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use dbconfig::{Changes, Config, ForwardLog, Keep, Setting};
use serde::Serialize;
use tokio::sync::Notify;

use crate::environment::core::Core;
use crate::error::EngineError;
use crate::sources::Change;

/// What has become of the configuration when it was read again.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Reloaded {
    /// The keys that hold from now on.
    pub(crate) taken: Vec<NewValue>,
    /// Those that have changed and hold from the next start on.
    pub(crate) waiting: Vec<WaitingKey>,
    /// The sources that have changed.
    pub(crate) sources: Vec<Change>,
}

/// A key, and what it is now.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct NewValue {
    pub(crate) key: &'static str,
    pub(crate) value: String,
}

/// A key that has changed, and its section.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct WaitingKey {
    pub(crate) section: String,
    pub(crate) key: &'static str,
}

impl Reloaded {
    /// With what the configuration says and what has become of the sources.
    pub(crate) fn new(changes: &Changes, sources: Vec<Change>) -> Self {
        let taken = |it: &Setting| NewValue {
            key: it.key.name,
            value: it.text.clone(),
        };
        let waiting = |it: &Setting| WaitingKey {
            section: it.place().to_string(),
            key: it.key.name,
        };
        Self {
            taken: changes.taken.iter().map(taken).collect(),
            waiting: changes.waiting.iter().map(waiting).collect(),
            sources,
        }
    }
}

/// Why it was not read again, or what has become of it.
type Answer = Result<Reloaded, String>;

/// Asked from any thread, heard by the server's loop.
#[derive(Debug, Default)]
pub(crate) struct ReloadRequest {
    asked: Mutex<Vec<Sender<Answer>>>,
    bell: Notify,
}

impl ReloadRequest {
    /// Has the configuration read again; waits for the answer, so long at most.
    ///
    /// Errors: it was not read again, and why.
    pub(crate) fn ask(&self, at_most: Duration) -> Answer {
        let (sender, answer): (_, Receiver<Answer>) = channel();
        self.asked().push(sender);
        self.bell.notify_one();
        let answer = answer.recv_timeout(at_most);
        answer.unwrap_or_else(|_| Err("the server starts or stops".to_owned()))
    }

    /// Returns when somebody has asked.
    pub(crate) async fn due(&self) {
        self.bell.notified().await;
    }

    /// Answers all that have asked.
    pub(crate) fn answer(&self, answer: &Answer) {
        for asked in self.asked().drain(..) {
            // Who does not wait any more needs no answer.
            drop(asked.send(answer.clone()));
        }
    }

    fn asked(&self) -> std::sync::MutexGuard<'_, Vec<Sender<Answer>>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

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
        self.release().set(&config.replication.synchronous);
        self.scrub().set_rate(config.server.scrub_rate);
        if self.repair_source().set(&config.server.repair_from) {
            for database in self.databases().all() {
                database.store().try_again();
            }
        }
    }

    /// The sources are as it says there.
    pub(crate) fn reload_sources(&self, config: &Config) -> Result<Vec<Change>, EngineError> {
        self.sources().reload(config)
    }
}
