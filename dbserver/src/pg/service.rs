//! What the service port leads to: the environment, as far as it is there, and who may come to it.

use std::sync::Arc;
use std::time::Duration;

use dbconfig::{Config, Net};
use pgtypes::SqlState;
use tls::TlsError;
use tokio::sync::watch;

use crate::clients::Sessions;
use crate::clients::gate::Gate;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::pg::guesses::Guesses;
use crate::pg::secure::Certificates;

/// How long a client waits for the end of a start before it is told to come again.
const START_WAIT: Duration = Duration::from_secs(1);

/// What all connections share.
pub(super) struct Service {
    gate: Gate,
    redirect_from: Vec<Net>,
    certificates: Certificates,
    guesses: Arc<Guesses>,
    sessions: Arc<Sessions>,
    availability: watch::Sender<Availability>,
}

enum Availability {
    Starting,
    Open(Arc<Environment>),
    Stopping,
}

impl Service {
    /// A service whose environment is not there yet: clients are told to come again (57P03).
    ///
    /// Error: the certificate can't be read.
    pub(super) fn new(config: &Config, sessions: Arc<Sessions>) -> Result<Self, TlsError> {
        Ok(Self {
            gate: Gate::new(&config.access),
            redirect_from: config.replication.redirect_from.clone(),
            certificates: Certificates::load(config)?,
            guesses: Arc::default(),
            sessions,
            availability: watch::Sender::new(Availability::Starting),
        })
    }

    /// Lets clients in.
    pub(super) fn open(&self, environment: Arc<Environment>) {
        self.availability
            .send_replace(Availability::Open(environment));
    }

    /// The environment is not there for a while.
    pub(super) fn pause(&self) {
        self.availability.send_replace(Availability::Starting);
    }

    /// Lets nobody in any more; those who are in stay.
    pub(super) fn close(&self) {
        self.sessions.close();
        self.availability.send_replace(Availability::Stopping);
    }

    /// The environment, or why it is not there. A start is waited for a moment: most of them are
    /// over before a client has come again.
    pub(super) async fn environment(&self) -> Result<Arc<Environment>, Failure> {
        let mut changes = self.availability.subscribe();
        let begun = changes.wait_for(|state| !matches!(state, Availability::Starting));
        // Whether it came or the time is up, the state itself tells. What was waited for is a lock on it,
        // and goes before it is locked again: a stop that comes in between would wait for ever.
        drop(tokio::time::timeout(START_WAIT, begun).await);
        let stopping = || {
            Failure::fatal(
                SqlState::CANNOT_CONNECT_NOW,
                "the database system is shutting down",
            )
        };
        match &*self.availability.borrow() {
            Availability::Open(environment) if environment.is_stopping() => Err(stopping()),
            Availability::Open(environment) => Ok(Arc::clone(environment)),
            Availability::Starting => Err(Failure::fatal(
                SqlState::CANNOT_CONNECT_NOW,
                "the database system is starting up",
            )),
            Availability::Stopping => Err(stopping()),
        }
    }

    /// Who may connect.
    pub(super) fn gate(&self) -> &Gate {
        &self.gate
    }

    /// What clients are shown and asked for.
    pub(super) fn certificates(&self) -> &Certificates {
        &self.certificates
    }

    /// Networks of the servers that may hand sessions to this one.
    pub(super) fn redirect_from(&self) -> &[Net] {
        &self.redirect_from
    }

    /// The wrong passwords of late.
    pub(super) fn guesses(&self) -> &Arc<Guesses> {
        &self.guesses
    }

    /// The sessions that cancel requests are for.
    pub(super) fn sessions(&self) -> &Arc<Sessions> {
        &self.sessions
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Barrier;
    use std::thread;

    use super::*;

    /// Bug: a client that came in the moment of a stop waited for the stop, and the stop for it.
    #[test]
    fn a_client_that_comes_in_the_moment_of_a_stop_is_told() {
        let config = Config::parse(Path::new("/x.cfg"), "[Server]\nDataDir = data").unwrap();
        let service = Service::new(&config, Sessions::new(1)).unwrap();
        service.close();
        let begin = Barrier::new(2);
        thread::scope(|scope| {
            scope.spawn(|| {
                begin.wait();
                for _ in 0..20_000 {
                    service.close();
                }
            });
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .build()
                .unwrap();
            begin.wait();
            for _ in 0..20_000 {
                let refused = runtime.block_on(service.environment()).err().unwrap();
                assert_eq!(refused.sqlstate(), SqlState::CANNOT_CONNECT_NOW);
            }
        });
    }
}
