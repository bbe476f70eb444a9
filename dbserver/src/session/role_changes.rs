//! CREATE ROLE, ALTER ROLE, GRANT and REVOKE of roles, DROP ROLE.

use dialect::{Membership, PasswordChange, RoleOptions, Who};
use pgtypes::{Format, PgType, SqlState, SqlValue};

use crate::failure::Failure;
use crate::session::rights::denied;
use crate::session::server_object::{done, need_dba};
use crate::session::{Session, roles};
use crate::system::attributes::Attributes;
use crate::system::members::{Change, Members};
use crate::system::users::{self, NewRole, Privilege, Users};
use crate::system::verifier;

/// CREATE ROLE: for a dba.
pub(super) fn create(
    session: &mut Session,
    name: &str,
    options: &RoleOptions,
) -> Result<(), Failure> {
    need_dba(session)?;
    refuse(options)?;
    let mut attributes = Attributes::default();
    apply(session, options, &mut attributes)?;
    let verifier = match &options.password {
        PasswordChange::To(password) => verifier_of(password)?,
        PasswordChange::No | PasswordChange::Null => String::new(),
    };
    let privilege = match options.superuser {
        Some(true) => Privilege::Dba,
        _ => Privilege::User,
    };
    let names = |who: &[Who]| -> Vec<String> {
        who.iter().map(|who| roles::name_of(session, who)).collect()
    };
    let (groups, members, admins) = (
        names(&options.in_roles),
        names(&options.members),
        names(&options.admins),
    );
    let all = members.iter().map(|name| (name.as_str(), false));
    let made = Users::of(session.backend().env()).create_role(&NewRole {
        name,
        verifier: &verifier,
        privilege,
        attributes,
        groups: groups.iter().map(String::as_str).collect(),
        members: all
            .chain(admins.iter().map(|name| (name.as_str(), true)))
            .collect(),
        by: roles::current(session),
    });
    let made = made.map_err(Failure::from);
    done(session.backend(), &made, || {
        format!("user {name} is made, with privilege {privilege}")
    });
    made
}

/// ALTER ROLE: for a dba; everybody may change their own password.
pub(super) fn alter(
    session: &mut Session,
    role: &Who,
    options: &RoleOptions,
) -> Result<(), Failure> {
    let name = roles::name_of(session, role);
    let only_password = RoleOptions {
        password: options.password.clone(),
        ..RoleOptions::default()
    };
    let own = name == roles::current(session) && *options == only_password;
    if !own {
        need_dba(session)?;
    }
    refuse(options)?;
    let verifier = match &options.password {
        PasswordChange::No => None,
        PasswordChange::Null => Some(String::new()),
        PasswordChange::To(password) => Some(verifier_of(password)?),
    };
    let until = valid_until(session, options)?;
    let users = Users::of(session.backend().env());
    let changed = users.alter_role(&name, verifier.as_deref(), |privilege, attributes| {
        match (options.superuser, *privilege) {
            (Some(true), _) => *privilege = Privilege::Dba,
            (Some(false), Privilege::Dba) => *privilege = Privilege::User,
            _ => {}
        }
        overwrite(options, until, attributes);
    });
    let changed = changed.map_err(Failure::from);
    done(session.backend(), &changed, || {
        if *options == only_password {
            format!("password of {name} is changed")
        } else {
            format!("user {name} is changed")
        }
    });
    changed
}

fn apply(
    session: &Session,
    options: &RoleOptions,
    attributes: &mut Attributes,
) -> Result<(), Failure> {
    let until = valid_until(session, options)?;
    overwrite(options, until, attributes);
    Ok(())
}

/// VALID UNTIL, as timestamps are stored; `None`: for ever, or not mentioned.
fn valid_until(session: &Session, options: &RoleOptions) -> Result<Option<i64>, Failure> {
    let Some(text) = &options.valid_until else {
        return Ok(None);
    };
    let ty = PgType::Timestamptz(None);
    let context = session.backend().sqlite().context();
    match pgtypes::decode_in(text.as_bytes(), &ty, Format::Text, &context)? {
        SqlValue::Integer(until) => Ok((until != i64::MAX).then_some(until)),
        _ => Err(Failure::new(
            SqlState::INVALID_DATETIME_FORMAT,
            format!("invalid input syntax for type timestamp with time zone: \"{text}\""),
        )),
    }
}

fn overwrite(options: &RoleOptions, until: Option<i64>, attributes: &mut Attributes) {
    let set = |slot: &mut bool, said: Option<bool>| *slot = said.unwrap_or(*slot);
    set(&mut attributes.login, options.login);
    set(&mut attributes.inherit, options.inherit);
    set(&mut attributes.create_databases, options.create_databases);
    set(&mut attributes.replication, options.replication);
    if let Some(limit) = options.connection_limit {
        attributes.connection_limit = limit;
    }
    if options.valid_until.is_some() {
        attributes.valid_until = until;
    }
}

/// What only a superuser has here: he has it anyway.
fn refuse(options: &RoleOptions) -> Result<(), Failure> {
    let superuser = options.superuser == Some(true);
    for (said, what) in [
        (options.create_roles, "CREATEROLE"),
        (options.bypass_row_security, "BYPASSRLS"),
    ] {
        if said == Some(true) && !superuser {
            return Err(
                Failure::unsupported(format!("{what} without SUPERUSER is not supported")).hint(
                    "Roles are made and changed by those with the privilege dba (SUPERUSER).",
                ),
            );
        }
    }
    Ok(())
}

/// What is stored of a password; the client may have made it. Of MD5 there is none.
fn verifier_of(password: &str) -> Result<String, Failure> {
    if users::is_verifier(password) {
        return Ok(password.to_owned());
    }
    let digits = password.strip_prefix("md5");
    if digits.is_some_and(|d| d.len() == 32 && d.bytes().all(|b| b.is_ascii_hexdigit())) {
        return Err(
            Failure::unsupported("a password stored by MD5 is not supported")
                .hint("Give the password itself, or a SCRAM-SHA-256 verifier."),
        );
    }
    if password.is_empty() {
        return Err(Failure::new(
            SqlState::INVALID_PARAMETER_VALUE,
            "a password must not be empty",
        ));
    }
    Ok(verifier::from_password(password)?)
}

/// GRANT role TO member, REVOKE role FROM member.
pub(super) fn membership(session: &mut Session, change: &Membership) -> Result<(), Failure> {
    let by = roles::current(session).to_owned();
    for group in &change.roles {
        let group = roles::name_of(session, group);
        for member in &change.members {
            let member = roles::name_of(session, member);
            let members = Members::of(session.backend().env());
            let one = Change {
                role: &group,
                member: &member,
                admin: change.option,
                by: &by,
            };
            let changed = if change.revokes {
                members.dismiss(one)
            } else {
                members.admit(one)
            };
            let there = changed.as_ref().is_ok_and(|there| *there);
            let changed = changed.map(drop).map_err(Failure::from);
            done(session.backend(), &changed, || {
                let word = if change.revokes {
                    "no member"
                } else {
                    "a member"
                };
                format!("{member} is {word} of {group}")
            });
            changed?;
            if change.revokes != there {
                let word = if change.revokes { "not" } else { "already" };
                let message = format!("role \"{member}\" is {word} a member of role \"{group}\"");
                if change.revokes {
                    session.notices().warn(SqlState::WARNING, &message);
                } else {
                    session.notices().notice(&message);
                }
            }
        }
    }
    Ok(())
}

/// DROP ROLE.
pub(super) fn drop_role(session: &mut Session, name: &str) -> Result<(), Failure> {
    need_dba(session)?;
    if name == session.backend().user() {
        return Err(Failure::new(
            SqlState::OBJECT_IN_USE,
            "current user cannot be dropped",
        ));
    }
    let dropped = Users::of(session.backend().env()).drop(name);
    let dropped = dropped.map_err(Failure::from);
    done(session.backend(), &dropped, || {
        format!("user {name} is removed")
    });
    dropped
}

/// Who may make databases: a dba, and who has CREATEDB.
pub(super) fn need_create_databases(session: &mut Session) -> Result<(), Failure> {
    if need_dba(session).is_ok() {
        return Ok(());
    }
    let own = session
        .known_roles()?
        .attributes
        .get(roles::current(session))
        .copied();
    if own.is_some_and(|(_, attributes)| attributes.create_databases) {
        return Ok(());
    }
    Err(denied("permission denied to create database"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_stored_by_scram_alone() {
        assert!(verifier_of("secret").unwrap().starts_with("SCRAM-SHA-256$"));
        let md5 = verifier_of("md5c5d9a1b6d5c7d0a5e2f8b6c1d2e3f4a5").unwrap_err();
        assert_eq!(md5.sqlstate(), SqlState::FEATURE_NOT_SUPPORTED);
        assert!(verifier_of("md5 is a word").is_ok());
        assert!(verifier_of("").is_err());
    }

    #[test]
    fn what_is_not_mentioned_stays() {
        let mut attributes = Attributes {
            connection_limit: 3,
            ..Attributes::default()
        };
        let options = RoleOptions {
            login: Some(false),
            ..RoleOptions::default()
        };
        overwrite(&options, None, &mut attributes);
        assert_eq!((attributes.login, attributes.connection_limit), (false, 3));
    }
}
