//! Who may come into a database, and feed a slave, once it is known who it is.

use acl::{Kind, Privileges};
use pgtypes::SqlState;

use crate::clients::{Limits, Seat};
use crate::databases::list::SYSTEM_NAME;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::system::authority::{self, Known};
use crate::system::users::Privilege;

fn known(environment: &Environment) -> Result<Known, Failure> {
    let known = authority::known(environment);
    let (known, _) = known.map_err(|error| Failure::from(error).into_fatal())?;
    Ok(known)
}

/// After a start nobody reads what may still be lost: the end of the log has to be on enough slaves first. Administrators see to
/// that in the database `system`.
fn released(environment: &Environment) -> Result<(), Failure> {
    let waits = environment
        .master("a log-in")
        .is_ok_and(|_| !environment.core().release().is_open());
    if !waits {
        return Ok(());
    }
    let rule = environment.core().release().status().rule;
    Err(Failure::fatal(
        SqlState::CANNOT_CONNECT_NOW,
        "the server waits until enough slaves have what its log had at the start",
    )
    .detail(format!("SyncSlaves = {}", rule.unwrap_or_default()))
    .hint("'dbctl replication sync' says who lacks it; it opens by itself as soon as they have it, and with SyncOnLoss = continue after SyncOnLossAfter."))
}

/// The place that a user has in a database: administrators get in where all others are kept out by their number.
///
/// Errors: 42501 without the privilege CONNECT, 28000 for a role that may not log in, 57P03 while too few slaves have what the log
/// had at the start.
pub(super) fn database(
    environment: &Environment,
    user: &str,
    database: &str,
) -> Result<(Seat, Limits), Failure> {
    let known = known(environment)?;
    log_in(&known, user)?;
    if database != SYSTEM_NAME {
        released(environment)?;
    }
    let own = known.attributes.get(user);
    if known.is_superuser(user) {
        return Ok((Seat::Reserved, Limits::default()));
    }
    let limit = |limit: i64| usize::try_from(limit).ok();
    let mut limits = Limits {
        user: own.and_then(|(_, own)| limit(own.connection_limit)),
        database: None,
    };
    // One that is not there is told of by whoever opens it.
    let found = environment.database(database).ok();
    if let Some(found) = found.filter(|_| database != SYSTEM_NAME) {
        limits.database = limit(known.ownership(found.id()).connection_limit);
        let authority = known.authority(found.id());
        let held = authority.held(user, Kind::Database, database);
        if !held.has(Privileges::CONNECT) {
            return Err(Failure::fatal(
                SqlState::INSUFFICIENT_PRIVILEGE,
                format!("permission denied for database \"{database}\""),
            )
            .detail("User does not have CONNECT privilege."));
        }
    }
    Ok((Seat::Ordinary, limits))
}

/// Whether a user may feed this server as a slave.
///
/// Errors: 42501, 28000.
pub(super) fn replication(environment: &Environment, user: &str) -> Result<(), Failure> {
    let known = known(environment)?;
    log_in(&known, user)?;
    match known.attributes.get(user) {
        Some((Privilege::Dba | Privilege::Operator, _)) => Ok(()),
        Some((Privilege::User, own)) if own.replication => Ok(()),
        _ => Err(Failure::fatal(
            SqlState::INSUFFICIENT_PRIVILEGE,
            "replication needs the privilege dba or operator, or the attribute REPLICATION",
        )),
    }
}

/// Refuses a role that may not log in.
pub(super) fn log_in(known: &Known, user: &str) -> Result<(), Failure> {
    let own = known.attributes.get(user);
    let (state, message) = match own {
        Some((_, own)) if own.login => return Ok(()),
        Some(_) => (
            SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
            format!("role \"{user}\" is not permitted to log in"),
        ),
        None => (
            SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
            format!("role \"{user}\" does not exist"),
        ),
    };
    Err(Failure::fatal(state, message))
}

/// The same for a user that a slave acts for.
pub(super) fn acted_for(environment: &Environment, user: &str) -> Result<(), Failure> {
    log_in(&known(environment)?, user)
}
