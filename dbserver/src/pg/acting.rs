//! Connections that act for others: a slave logs in as a user with the right to, and the session is that of
//! the user whose transactions it forwards.

use std::collections::BTreeMap;

use pgtypes::SqlState;

use crate::clients::Via;
use crate::databases::list::SYSTEM_NAME;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::pg::caller::Caller;
use crate::pg::let_in;
use crate::system::forwarders::Forwarders;

/// The start-up parameter with the user that the session is for.
pub(super) const ACT_FOR: &str = "eloqdb.act_for";
/// The start-up parameter with the id of the environment that the slave has.
pub(super) const ENVIRONMENT: &str = "eloqdb.environment";

/// What a connection that acts for another says of it.
pub(super) struct Asked {
    user: String,
    environment: String,
}

/// Takes that off the start-up parameters; `None`: the connection is for the one who logs in.
pub(super) fn take_asked(parameters: &mut BTreeMap<String, String>) -> Option<Asked> {
    let user = parameters.remove(ACT_FOR)?;
    let environment = parameters.remove(ENVIRONMENT).unwrap_or_default();
    Some(Asked { user, environment })
}

/// Whether a connection acts for another.
pub(super) fn is_asked(parameters: &BTreeMap<String, String>) -> bool {
    parameters.contains_key(ACT_FOR)
}

/// The user that a connection acts for, as it says.
pub(super) fn claimed(parameters: &BTreeMap<String, String>) -> Option<&str> {
    parameters.get(ACT_FOR).map(String::as_str)
}

/// Before authentication, so that the slave may ask another master.
///
/// Errors: 25006 where this server does not write.
pub(super) fn check_server(
    environment: &Environment,
    parameters: &BTreeMap<String, String>,
) -> Result<(), Failure> {
    if is_asked(parameters) && environment.is_read_only() {
        return Err(Failure::fatal(
            SqlState::READ_ONLY_SQL_TRANSACTION,
            "writes were forwarded to this server, and it is a slave",
        )
        .hint("RedirectWrite of the slave that the client has called must name the server that is the master now."));
    }
    Ok(())
}

/// The user whose session it becomes, once `forwarder` has shown who he is.
///
/// Errors: 42501 without the right, 28000 for a user or an environment that is not there.
pub(super) fn admit(
    environment: &Environment,
    caller: &Caller,
    asked: &Asked,
    (forwarder, database): (String, &str),
) -> Result<(String, Option<Via>), Failure> {
    let unknown =
        |what: String| Failure::fatal(SqlState::INVALID_AUTHORIZATION_SPECIFICATION, what);
    let broken = |error| Failure::from(error).into_fatal();
    if !Forwarders::of(environment)
        .has(&forwarder)
        .map_err(broken)?
    {
        let why = format!("user \"{forwarder}\" may not act for others");
        return Err(Failure::fatal(SqlState::INSUFFICIENT_PRIVILEGE, why).hint(format!(
            "'dbctl user grant {forwarder} forward' on the master gives that right; no privilege brings it along."
        )));
    }
    let Some(address) = caller.through else {
        return Err(unknown("who acts for another has to say where that one is".into())
            .hint("RedirectFrom in section Replication of this server's configuration names the slaves that may forward."));
    };
    if database == SYSTEM_NAME {
        return Err(unknown(
            "nobody is acted for in the server's own database".into(),
        ));
    }
    let own = environment.id().map(|id| id.to_string());
    if own.is_none_or(|own| own != asked.environment) {
        return Err(
            unknown("the slave belongs to another environment than this server".into())
                .hint("RedirectWrite of that slave must name the master that it follows."),
        );
    }
    let_in::acted_for(environment, &asked.user)?;
    let via = Via {
        user: forwarder,
        address,
    };
    Ok((asked.user.clone(), Some(via)))
}
