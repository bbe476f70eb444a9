//! What operators say of how a slave is fed: whether a dbrepl is let in, and whether what comes is applied. Durable, so
//! that it survives restarts.

use std::sync::Arc;
use std::time::Duration;

use dbproto::Progress;
use fwlog::LogDirectory;

use crate::environment::replication_status::bytes_up_to;
use crate::environment::slave::Slave;
use crate::environment::state::Environment;
use crate::error::EngineError;
use crate::sources::{Receiver, Said, refusal};

/// The slave that is fed.
///
/// Errors: this server is the root.
pub(crate) fn refuse_on_root(environment: &Environment) -> Result<Arc<Slave>, EngineError> {
    let own = &environment.config().server.instance;
    environment
        .slave()
        .ok_or_else(|| refusal::receives_nothing(own))
}

/// Why nobody feeds this slave, where an operator wants that.
pub(crate) fn shut_in_words(receiver: &Receiver) -> Option<String> {
    receiver.shut.as_ref().map(|said| {
        let (at, by) = (said.at(), &said.by);
        format!("the receiver is shut down by {by} since {at}; 'dbctl receiver start' lets sources in again")
    })
}

/// What an operator has said, if anything.
pub(crate) fn in_words(receiver: &Receiver) -> Option<String> {
    let shut = shut_in_words(receiver);
    let held = receiver.held.as_ref().map(held_in_words);
    match (shut, held) {
        (Some(shut), Some(held)) => Some(format!("{shut}; {held}")),
        (shut, held) => shut.or(held),
    }
}

fn held_in_words(said: &Said) -> String {
    format!("applying: held by operator {} since {}", said.by, said.at())
}

/// Refuses sources; the one that feeds it leaves, so long at most. False: it is so already.
pub(crate) fn shut(
    environment: &Environment,
    user: &str,
    at_most: Duration,
) -> Result<bool, EngineError> {
    let slave = refuse_on_root(environment)?;
    let sources = environment.core().sources();
    let changed = sources.receiver().shut.is_none();
    if changed {
        let now = environment.core().host().clock.now();
        sources.set_receiver(|receiver| receiver.shut = Some(Said::new(now, user)))?;
    }
    slave.log().end_feed(at_most)?;
    // The next one is refused in words of its own.
    slave.log().accept_feed();
    Ok(changed)
}

/// Holds applying; the log goes on to be received. False: it is held already.
pub(crate) fn hold(environment: &Environment, user: &str) -> Result<bool, EngineError> {
    let slave = refuse_on_root(environment)?;
    let sources = environment.core().sources();
    if sources.receiver().held.is_some() {
        return Ok(false);
    }
    let now = environment.core().host().clock.now();
    let said = Said::new(now, user);
    let why = held_in_words(&said);
    sources.set_receiver(|receiver| {
        receiver.held = Some(said);
        receiver.stand_at(None);
    })?;
    slave.log().hold(&why);
    Ok(true)
}

/// Applies again, and lets sources in unless only that is wanted. False: it is so already.
pub(crate) fn start(environment: &Environment, update_only: bool) -> Result<bool, EngineError> {
    let slave = refuse_on_root(environment)?;
    let sources = environment.core().sources();
    let before = sources.receiver();
    sources.set_receiver(|receiver| {
        receiver.held = None;
        receiver.stand_at(None);
        receiver.shut = receiver.shut.take().filter(|_| update_only);
    })?;
    slave.log().go_on();
    Ok(before != sources.receiver())
}

impl Environment {
    /// What is held can't be applied, which a new root has to.
    pub(super) fn refuse_held(&self) -> Result<(), EngineError> {
        let Some(said) = self.core().sources().receiver().held else {
            return Ok(());
        };
        Err(EngineError::CannotLead {
            obstacle: format!(
                "this slave does not apply its log: {}",
                held_in_words(&said)
            ),
            hint: Some("'dbctl receiver start --updateonly' on it, and try again.".into()),
        })
    }
}

impl Slave {
    /// Something has come that is held: a restart finds the slave where it is now.
    pub(super) fn note_held(&self) {
        let sources = self.core().sources();
        let receiver = sources.receiver();
        let applied = self.progress().applied.map(|at| at.point.position);
        if receiver.held.is_none() || receiver.held_at() == applied {
            return;
        }
        let noted = sources.set_receiver(|receiver| receiver.stand_at(applied));
        if let Err(error) = noted {
            tracing::warn!(%error, "where applying is held is not noted: a restart applies what the log has");
        }
    }

    /// A slave that begins while an operator holds it.
    pub(super) fn begin_held(&self) {
        if let Some(said) = self.core().sources().receiver().held {
            self.log().hold(&held_in_words(&said));
        }
    }
}

/// Bytes of log from one place to the other.
pub(crate) fn bytes_between(
    environment: &Environment,
    from: Option<Progress>,
    to: Option<Progress>,
) -> Option<u64> {
    let Some(to) = to else { return Some(0) };
    let location = environment.core().log_location().ok()?;
    let directory = LogDirectory::scan(&location).ok()?;
    let up_to = |at: Progress| bytes_up_to(&directory, at.point.position);
    let begins = match from {
        Some(from) => up_to(from)?,
        None => 0,
    };
    Some(up_to(to)?.saturating_sub(begins))
}
