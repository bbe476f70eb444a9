//! The roles that statements name, and the one that the session acts as.

use dialect::{Role, Who};
use pgtypes::SqlState;

use crate::failure::Failure;
use crate::session::Session;
use crate::session::rights::denied;
use crate::system::users::Users;

/// Refuses a role that is not there (42704), and what can't be done for another than the session's user (0A000).
pub fn check(session: &Session, roles: &[Role]) -> Result<(), Failure> {
    for role in roles {
        if !exists(session, &role.name)? {
            return Err(missing(SqlState::UNDEFINED_OBJECT, &role.name));
        }
        let own = role.name == session.backend().user();
        if let Some(what) = role.only_own.filter(|_| !own) {
            return Err(Failure::unsupported(format!("{what} is not supported")));
        }
    }
    Ok(())
}

/// The role that the session acts as, since the statement began.
pub fn current(session: &Session) -> &str {
    session.rights.role()
}

/// The name of a role that a statement means; everybody is `public`.
pub(super) fn name_of(session: &Session, who: &Who) -> String {
    match who {
        Who::Public => "public".to_owned(),
        Who::Named(name) => name.clone(),
        Who::Current => current(session).to_owned(),
        Who::Session => session.backend().user().to_owned(),
    }
}

/// SET ROLE and SET SESSION AUTHORIZATION. The session acts as another role that its user is a member of; who its user
/// is stays.
///
/// Errors: 22023 for a role that is not there, 42501 for one that the user is no member of, 0A000 for another user.
pub fn set(
    session: &mut Session,
    name: Option<&str>,
    authorization: bool,
    local: bool,
) -> Result<(), Failure> {
    if let Some(name) = name.filter(|name| *name != "none") {
        if !exists(session, name)? {
            return Err(missing(SqlState::INVALID_PARAMETER_VALUE, name));
        }
        let own = name == session.backend().user();
        if authorization && !own {
            let what = "SET SESSION AUTHORIZATION to another user";
            return Err(Failure::unsupported(format!("{what} is not supported")));
        }
        if !own && !session.may_become(name)? {
            return Err(denied(format!("permission denied to set role \"{name}\"")));
        }
    }
    if authorization {
        return Ok(());
    }
    let explicit = session.transaction().is_explicit();
    session.change_settings(|settings| settings.set("role", name, local, explicit))
}

fn exists(session: &Session, name: &str) -> Result<bool, Failure> {
    Ok(Users::of(session.backend().env()).has(name)?)
}

fn missing(sqlstate: SqlState, name: &str) -> Failure {
    Failure::new(sqlstate, format!("role \"{name}\" does not exist"))
}
