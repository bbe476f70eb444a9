//! `user list | create | drop | password | grant | revoke`

use crate::control_plane::{Call, Table};
use crate::error::EngineError;
use crate::system::attributes::Attributes;
use crate::system::authority;
use crate::system::forwarders::Forwarders;
use crate::system::users::{Privilege, Users};

const CREATE: &str = "user create NAME password 'VERIFIER' [privilege dba|operator|user]";

/// The right to act for others.
const FORWARD: &str = "forward";

/// Users and privileges.
pub(crate) fn list(call: &Call<'_>) -> Result<Table, EngineError> {
    call.none("user list")?;
    let mut table = Table::new(&[
        "user",
        "privilege",
        "acts for others",
        "attributes",
        "member of",
    ]);
    let forwarders = Forwarders::of(call.environment).all()?;
    let (known, _) = authority::known(call.environment)?;
    for (name, (privilege, attributes)) in &known.attributes {
        let acts = if forwarders.contains(name) {
            FORWARD
        } else {
            NONE
        };
        let members = known.roles.members().iter();
        let own = members.filter(|member| member.member == *name);
        let groups: Vec<&str> = own.map(|member| member.role.as_str()).collect();
        table.row(vec![
            name.clone(),
            privilege.to_string(),
            acts.to_owned(),
            list_of(&shown(attributes)),
            list_of(&groups),
        ]);
    }
    Ok(table)
}

/// What a list shows where there is nothing.
const NONE: &str = "-";

fn list_of<T: AsRef<str>>(words: &[T]) -> String {
    if words.is_empty() {
        return NONE.to_owned();
    }
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    words.join(", ")
}

/// What is otherwise than CREATE USER makes it.
fn shown(attributes: &Attributes) -> Vec<String> {
    let mut words = Vec::new();
    let mut say = |said: bool, word: &str| {
        if said {
            words.push(word.to_owned());
        }
    };
    say(!attributes.login, "cannot log in");
    say(!attributes.inherit, "no inheritance");
    say(attributes.create_databases, "create databases");
    say(attributes.replication, "replication");
    if attributes.connection_limit >= 0 {
        words.push(format!("{} connections", attributes.connection_limit));
    }
    if let Some(until) = attributes.valid_until {
        let until = pgtypes::Timestamp::new(until, None);
        let until = until.map_or_else(|_| "?".to_owned(), |until| until.to_string());
        words.push(format!("password until {until} UTC"));
    }
    words
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

/// Gives a user the right to act for others.
pub(crate) fn grant(call: &Call<'_>) -> Result<Table, EngineError> {
    let name = right(call, "user grant NAME forward")?;
    Forwarders::of(call.environment).grant(name)?;
    Ok(Table::done(format!(
        "user {name} may act for others: slaves log in as {name} to forward what their users write"
    )))
}

/// Takes that right; who is connected by it stays until its connection ends.
pub(crate) fn revoke(call: &Call<'_>) -> Result<Table, EngineError> {
    let name = right(call, "user revoke NAME forward")?;
    Forwarders::of(call.environment).revoke(name)?;
    Ok(Table::done(format!("user {name} acts for nobody any more")))
}

/// The user of the one right that there is.
fn right<'a>(call: &Call<'a>, usage: &str) -> Result<&'a str, EngineError> {
    match call.arguments.as_slice() {
        [name, right] if is(right, FORWARD) => Ok(name),
        _ => Err(EngineError::Usage(format!("usage: {usage}"))),
    }
}

fn is(word: &str, keyword: &str) -> bool {
    word.eq_ignore_ascii_case(keyword)
}
