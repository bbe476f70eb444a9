//! Databases, users and commands to the server: what lies outside the session's database.

use acl::Kind;
use dialect::{StatementKind, Who};
use pgtypes::{SqlState, SqlValue};

use crate::control_plane::{self, Person};
use crate::error::EngineError;
use crate::failure::Failure;
use crate::session::Session;
use crate::session::backend::Backend;
use crate::session::prepared::{Column, Prepared};
use crate::session::reply::Reply;
use crate::session::rights::denied;
use crate::session::{defaults, role_changes, roles};
use crate::system::ownership::Ownerships;
use crate::system::users::{Privilege, Users};

/// CREATE, DROP, ALTER of databases and users.
pub(super) fn run(session: &mut Session, prepared: &Prepared) -> Result<(), Failure> {
    let what = prepared.command();
    let env = session.backend().env();
    let is_local = named(&prepared.statement.kind).is_some_and(|name| !env.is_read_only_in(name));
    if env.is_read_only() && !is_local {
        return Err(Failure::new(
            SqlState::READ_ONLY_SQL_TRANSACTION,
            format!("cannot execute {what} in a read-only transaction"),
        )
        .hint(env.where_to_write()));
    }
    let kind = &prepared.statement.kind;
    match kind {
        StatementKind::CreateDatabase { .. }
        | StatementKind::DropDatabase { .. }
        | StatementKind::AlterDatabaseRename { .. } => {
            session.transaction().check_outside_block(what)?;
            database_object(session, kind)
        }
        StatementKind::AlterDatabaseOwner { name, to } => database_owner(session, name, to),
        StatementKind::AlterDatabaseLimit { name, limit } => database_limit(session, name, *limit),
        StatementKind::AlterDefaults {
            database,
            role,
            change,
        } => defaults::change(session, database.as_deref(), role, change),
        _ => user_object(session, kind),
    }
}

/// The database that is there already and is to be changed.
fn named(kind: &StatementKind) -> Option<&str> {
    match kind {
        StatementKind::DropDatabase { name, .. }
        | StatementKind::AlterDatabaseRename { name, .. }
        | StatementKind::AlterDatabaseOwner { name, .. }
        | StatementKind::AlterDatabaseLimit { name, .. } => Some(name),
        _ => None,
    }
}

fn database_object(session: &mut Session, kind: &StatementKind) -> Result<(), Failure> {
    let own = session.backend().entry().database.clone();
    match kind {
        StatementKind::CreateDatabase {
            name,
            if_not_exists,
            owner,
            limit,
        } => {
            let made = create_database(session, name, owner.as_ref(), limit.unwrap_or(-1));
            forgive(session, made, *if_not_exists, SqlState::DUPLICATE_DATABASE)
        }
        StatementKind::DropDatabase { name, .. } if *name == own => {
            own_database(session, name)?;
            Err(Failure::new(
                SqlState::OBJECT_IN_USE,
                "cannot drop the currently open database",
            ))
        }
        StatementKind::DropDatabase { name, if_exists } => {
            let dropped = own_database(session, name).and_then(|()| {
                let dropped = session.backend().env().drop_database(name);
                dropped.map_err(Failure::from)
            });
            done(session.backend(), &dropped, || {
                format!("database {name} is removed")
            });
            forgive(session, dropped, *if_exists, SqlState::INVALID_CATALOG_NAME)
        }
        StatementKind::AlterDatabaseRename { name, .. } if *name == own => {
            own_database(session, name)?;
            Err(Failure::new(
                SqlState::FEATURE_NOT_SUPPORTED,
                "current database cannot be renamed",
            ))
        }
        StatementKind::AlterDatabaseRename { name, to } => {
            own_database(session, name)?;
            role_changes::need_create_databases(session)
                .map_err(|_| denied("permission denied to rename database"))?;
            let renamed = session.backend().env().rename_database(name, to);
            let renamed = renamed.map_err(Failure::from);
            done(session.backend(), &renamed, || {
                format!("database {name} is {to} now")
            });
            renamed
        }
        _ => Ok(()),
    }
}

/// CREATE DATABASE: its owner is who makes it, or a role that he is a member of.
fn create_database(
    session: &mut Session,
    name: &str,
    owner: Option<&Who>,
    limit: i64,
) -> Result<(), Failure> {
    role_changes::need_create_databases(session)?;
    let owner = match owner {
        Some(who) => roles::name_of(session, who),
        None => roles::current(session).to_owned(),
    };
    need_member(session, &owner)?;
    let backend = session.backend();
    let made = Ownerships::of(backend.env()).create_database(name, &owner, limit);
    let made = made.map_err(Failure::from);
    done(backend, &made, || format!("database {name} is made"));
    made
}

/// Refuses who has not the rights of a database's owner. One without an owner is a dba's.
///
/// Errors: 42501, 3D000.
fn own_database(session: &mut Session, name: &str) -> Result<(), Failure> {
    let id = session.backend().env().database(name)?.id();
    let known = session.known_roles()?;
    let authority = known.authority(id);
    let role = roles::current(session);
    let owns = match &authority.database {
        Some(_) => authority.owns(role, Kind::Database, name),
        None => known.is_superuser(role),
    };
    if owns {
        return Ok(());
    }
    Err(denied(format!("must be owner of database {name}")))
}

fn need_member(session: &mut Session, owner: &str) -> Result<(), Failure> {
    if session
        .known_roles()?
        .roles
        .may_become(roles::current(session), owner)
    {
        return Ok(());
    }
    Err(denied(format!("must be member of role \"{owner}\"")))
}

/// ALTER DATABASE … OWNER TO. From then on PUBLIC has no rights in it that were not granted.
fn database_owner(session: &mut Session, name: &str, to: &Who) -> Result<(), Failure> {
    own_database(session, name)?;
    let to = roles::name_of(session, to);
    need_member(session, &to)?;
    role_changes::need_create_databases(session)
        .map_err(|_| denied("permission denied to change owner of database"))?;
    let backend = session.backend();
    let id = backend.env().database(name)?.id();
    if !Users::of(backend.env()).has(&to)? {
        return Err(EngineError::NoSuchUser(to).into());
    }
    let changed = Ownerships::of(backend.env()).change(id, |_, known| {
        if let (Some(from), Some(acl)) = (&known.owner, &mut known.acl) {
            acl.change_owner(from, &to);
        }
        known.owner = Some(to.clone());
        Ok(())
    });
    let changed = changed.map_err(Failure::from);
    done(backend, &changed, || {
        format!("database {name} is {to}'s now")
    });
    changed
}

/// ALTER DATABASE … CONNECTION LIMIT.
fn database_limit(session: &mut Session, name: &str, limit: i64) -> Result<(), Failure> {
    own_database(session, name)?;
    let backend = session.backend();
    let id = backend.env().database(name)?.id();
    let changed = Ownerships::of(backend.env()).change(id, |_, known| {
        known.connection_limit = limit;
        Ok(())
    });
    let changed = changed.map_err(Failure::from);
    done(backend, &changed, || {
        format!("database {name} may be open in {limit} sessions (-1: any number)")
    });
    changed
}

fn user_object(session: &mut Session, kind: &StatementKind) -> Result<(), Failure> {
    match kind {
        StatementKind::CreateRole { name, options } => role_changes::create(session, name, options),
        StatementKind::AlterRole { role, options } => role_changes::alter(session, role, options),
        StatementKind::Membership(change) => role_changes::membership(session, change),
        StatementKind::DropUser { name, if_exists } => {
            let dropped = role_changes::drop_role(session, name);
            forgive(session, dropped, *if_exists, SqlState::UNDEFINED_OBJECT)
        }
        _ => Ok(()),
    }
}

/// The person behind a session.
fn person(backend: &Backend) -> Person<'_> {
    Person {
        user: backend.user(),
        address: backend.entry().address,
    }
}

/// What a person has done is one line of the log.
pub(super) fn done(backend: &Backend, result: &Result<(), Failure>, what: impl FnOnce() -> String) {
    if result.is_ok() {
        person(backend).has_done(backend.env(), &what());
    }
}

/// DBCTL '<command>'.
pub(super) fn dbctl(session: &Session, command: &str) -> Result<Reply, Failure> {
    session.transaction().check_outside_block("DBCTL")?;
    let backend = session.backend();
    let table = control_plane::run(backend.env(), person(backend), command)?;
    let cell = |text: Option<String>| text.map_or(SqlValue::Null, SqlValue::Text);
    Ok(Reply::Rows {
        columns: table
            .columns
            .iter()
            .map(|name| Column::text(name))
            .collect(),
        rows: table
            .rows
            .into_iter()
            .map(|row| row.into_iter().map(cell).collect())
            .collect(),
        tag: "DBCTL".to_owned(),
    })
}

/// IF EXISTS and IF NOT EXISTS turn one error into a notice.
fn forgive(
    session: &mut Session,
    result: Result<(), Failure>,
    forgiven: bool,
    sqlstate: SqlState,
) -> Result<(), Failure> {
    match result {
        Err(failure) if forgiven && failure.sqlstate() == sqlstate => {
            let message = format!("{}, skipping", failure.fields().message);
            session.notices().notice(&message);
            Ok(())
        }
        result => result,
    }
}

/// Refuses a session that does not act as somebody who may do everything.
pub(super) fn need_dba(session: &mut Session) -> Result<(), Failure> {
    let known = session.known_roles()?;
    if known.is_superuser(roles::current(session)) {
        return Ok(());
    }
    Err(denied("permission denied: this needs the privilege dba"))
}

/// Refuses a session that neither acts as somebody who may do everything nor is one of an operator.
pub(super) fn need_operator(session: &mut Session) -> Result<(), Failure> {
    let backend = session.backend();
    match Users::of(backend.env()).privilege(backend.user())? {
        Privilege::Operator => Ok(()),
        Privilege::Dba | Privilege::User => need_dba(session)
            .map_err(|_| denied("permission denied: this needs the privilege dba or operator")),
    }
}
