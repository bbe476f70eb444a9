//! `user list | create | drop | password`

use crate::control_plane::{Call, Table};
use crate::error::EngineError;
use crate::system::users::{Privilege, Users};

const CREATE: &str = "user create NAME password 'VERIFIER' [privilege dba|operator|user]";

/// Users and privileges.
pub(crate) fn list(call: &Call<'_>) -> Result<Table, EngineError> {
    call.none("user list")?;
    let mut table = Table::new(&["user", "privilege"]);
    for user in Users::of(call.environment).all()? {
        table.row(vec![user.name, user.privilege.to_string()]);
    }
    Ok(table)
}

/// Makes a user.
pub(crate) fn create(call: &Call<'_>) -> Result<Table, EngineError> {
    let (name, verifier, privilege) = match call.arguments.as_slice() {
        [name, password, verifier] if is(password, "password") => (name, verifier, "user"),
        [name, password, verifier, privilege, word]
            if is(password, "password") && is(privilege, "privilege") =>
        {
            (name, verifier, *word)
        }
        _ => return Err(EngineError::Usage(format!("usage: {CREATE}"))),
    };
    let privilege: Privilege = privilege.parse()?;
    Users::of(call.environment).create(name, verifier, privilege)?;
    Ok(Table::done(format!(
        "user {name} is made, with privilege {privilege}"
    )))
}

/// Removes a user.
pub(crate) fn drop(call: &Call<'_>) -> Result<Table, EngineError> {
    let name = call.one("user drop NAME")?;
    Users::of(call.environment).drop(name)?;
    Ok(Table::done(format!("user {name} is removed")))
}

/// Gives a user another password: everybody may change their own.
pub(crate) fn password(call: &Call<'_>) -> Result<Table, EngineError> {
    let [name, verifier] = call.arguments.as_slice() else {
        return Err(EngineError::Usage(
            "usage: user password NAME 'VERIFIER'".into(),
        ));
    };
    if *name != call.user && Users::of(call.environment).privilege(call.user)? != Privilege::Dba {
        return Err(EngineError::Denied(
            "another user's password needs the privilege dba".into(),
        ));
    }
    Users::of(call.environment).set_password(name, verifier)?;
    Ok(Table::done(format!("password of {name} is changed")))
}

fn is(word: &str, keyword: &str) -> bool {
    word.eq_ignore_ascii_case(keyword)
}
