//! The roles that statements name: users of the server.

use dialect::Role;
use pgtypes::SqlState;

use crate::failure::Failure;
use crate::session::Session;
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

/// SET ROLE and SET SESSION AUTHORIZATION: the session's user stays who he is.
///
/// Errors: 22023 for a role that is not there, 0A000 for another user.
pub fn set(session: &mut Session, name: Option<&str>, authorization: bool) -> Result<(), Failure> {
    if let Some(name) = name.filter(|name| *name != "none") {
        if !exists(session, name)? {
            return Err(missing(SqlState::INVALID_PARAMETER_VALUE, name));
        }
        if name != session.backend().user() {
            let what = if authorization {
                "SET SESSION AUTHORIZATION to another user"
            } else {
                "SET ROLE to another user"
            };
            return Err(Failure::unsupported(format!("{what} is not supported")));
        }
    }
    if authorization {
        return Ok(());
    }
    let explicit = session.transaction().is_explicit();
    session.change_settings(|settings| settings.set("role", name, false, explicit))
}

fn exists(session: &Session, name: &str) -> Result<bool, Failure> {
    let users = Users::of(session.backend().env()).all()?;
    Ok(users.iter().any(|user| user.name == name))
}

fn missing(sqlstate: SqlState, name: &str) -> Failure {
    Failure::new(sqlstate, format!("role \"{name}\" does not exist"))
}
