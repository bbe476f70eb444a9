//! Databases, users and commands to the server: what lies outside the session's database.

use dialect::StatementKind;
use pgtypes::{SqlState, SqlValue};

use crate::control_plane::{self, Person};
use crate::failure::Failure;
use crate::session::Session;
use crate::session::backend::Backend;
use crate::session::defaults;
use crate::session::prepared::{Column, Prepared};
use crate::session::reply::Reply;
use crate::system::users::{self, Privilege, Users};
use crate::system::verifier;

/// CREATE, DROP, ALTER of databases and users.
pub(super) fn run(session: &mut Session, prepared: &Prepared) -> Result<(), Failure> {
    let what = prepared.command();
    if session.backend().env().is_read_only() {
        return Err(Failure::new(
            SqlState::READ_ONLY_SQL_TRANSACTION,
            format!("cannot execute {what} in a read-only transaction"),
        ));
    }
    let kind = &prepared.statement.kind;
    match kind {
        StatementKind::CreateDatabase { .. }
        | StatementKind::DropDatabase { .. }
        | StatementKind::AlterDatabaseRename { .. } => {
            session.transaction().check_outside_block(what)?;
            need_dba(session.backend())?;
            database_object(session, kind)
        }
        StatementKind::AlterDefaults {
            database,
            role,
            change,
        } => defaults::change(session, database.as_deref(), role, change),
        _ => user_object(session, kind),
    }
}

fn database_object(session: &mut Session, kind: &StatementKind) -> Result<(), Failure> {
    let backend = session.backend();
    let (env, own) = (backend.env(), &backend.entry().database);
    match kind {
        StatementKind::CreateDatabase {
            name,
            if_not_exists,
        } => {
            let made = env.create_database(name).map_err(Failure::from);
            done(backend, &made, || format!("database {name} is made"));
            forgive(session, made, *if_not_exists, SqlState::DUPLICATE_DATABASE)
        }
        StatementKind::DropDatabase { name, .. } if name == own => Err(Failure::new(
            SqlState::OBJECT_IN_USE,
            "cannot drop the currently open database",
        )),
        StatementKind::DropDatabase { name, if_exists } => {
            let dropped = env.drop_database(name).map_err(Failure::from);
            done(backend, &dropped, || format!("database {name} is removed"));
            forgive(session, dropped, *if_exists, SqlState::INVALID_CATALOG_NAME)
        }
        StatementKind::AlterDatabaseRename { name, .. } if name == own => Err(Failure::new(
            SqlState::FEATURE_NOT_SUPPORTED,
            "current database cannot be renamed",
        )),
        StatementKind::AlterDatabaseRename { name, to } => {
            let renamed = env.rename_database(name, to).map_err(Failure::from);
            done(backend, &renamed, || format!("database {name} is {to} now"));
            renamed
        }
        _ => Ok(()),
    }
}

fn user_object(session: &mut Session, kind: &StatementKind) -> Result<(), Failure> {
    let backend = session.backend();
    let env = backend.env();
    match kind {
        StatementKind::CreateUser { name, password } => {
            need_dba(backend)?;
            let password = password.as_deref().ok_or_else(|| {
                Failure::new(SqlState::INVALID_PARAMETER_VALUE, "a user needs a password")
                    .hint("CREATE USER name PASSWORD '...'")
            })?;
            let made = Users::of(env).create(name, &verifier_of(password)?, Privilege::User);
            let made = made.map_err(Failure::from);
            done(backend, &made, || {
                format!("user {name} is made, with privilege user")
            });
            made
        }
        StatementKind::AlterUserPassword { name, password } => {
            if name != backend.user() {
                need_dba(backend)?;
            }
            let set = Users::of(env).set_password(name, &verifier_of(password)?);
            let set = set.map_err(Failure::from);
            done(backend, &set, || format!("password of {name} is changed"));
            set
        }
        StatementKind::DropUser { name, if_exists } => {
            need_dba(backend)?;
            let dropped = Users::of(env).drop(name).map_err(Failure::from);
            done(backend, &dropped, || format!("user {name} is removed"));
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

/// What is stored of a password; the client may have made it.
fn verifier_of(password: &str) -> Result<String, Failure> {
    if users::is_verifier(password) {
        Ok(password.to_owned())
    } else {
        Ok(verifier::from_password(password)?)
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

pub(super) fn need_dba(backend: &Backend) -> Result<(), Failure> {
    match Users::of(backend.env()).privilege(backend.user())? {
        Privilege::Dba => Ok(()),
        _ => Err(Failure::new(
            SqlState::INSUFFICIENT_PRIVILEGE,
            "permission denied: this needs the privilege dba",
        )),
    }
}
