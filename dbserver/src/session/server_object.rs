//! Databases, users and commands to the server: what lies outside the session's database.

use dialect::StatementKind;
use pgtypes::{SqlState, SqlValue};

use crate::control_plane;
use crate::failure::Failure;
use crate::session::Session;
use crate::session::command::Reply;
use crate::session::portal::command_name;
use crate::session::prepared::{Column, Prepared};
use crate::system::users::{Privilege, Users};

impl Session {
    /// CREATE, DROP, ALTER of databases and users.
    pub(super) fn server_object(&mut self, prepared: &Prepared) -> Result<(), Failure> {
        let what = command_name(prepared);
        if self.env.is_read_only() {
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
                self.outside_block(what)?;
                self.need_dba()?;
                self.database_object(kind)
            }
            _ => self.user_object(kind),
        }
    }

    fn database_object(&mut self, kind: &StatementKind) -> Result<(), Failure> {
        match kind {
            StatementKind::CreateDatabase {
                name,
                if_not_exists,
            } => {
                let made = self.env.create_database(name).map_err(Failure::from);
                self.forgive(made, *if_not_exists, SqlState::DUPLICATE_DATABASE)
            }
            StatementKind::DropDatabase { name, if_exists } => {
                if *name == self.registered.entry.database {
                    return Err(Failure::new(
                        SqlState::OBJECT_IN_USE,
                        "cannot drop the currently open database",
                    ));
                }
                let dropped = self.env.drop_database(name).map_err(Failure::from);
                self.forgive(dropped, *if_exists, SqlState::INVALID_CATALOG_NAME)
            }
            StatementKind::AlterDatabaseRename { name, to } => {
                if *name == self.registered.entry.database {
                    return Err(Failure::new(
                        SqlState::FEATURE_NOT_SUPPORTED,
                        "current database cannot be renamed",
                    ));
                }
                self.env.rename_database(name, to).map_err(Failure::from)
            }
            _ => Ok(()),
        }
    }

    fn user_object(&mut self, kind: &StatementKind) -> Result<(), Failure> {
        let verifier = |password: &str| -> Result<String, Failure> {
            if crate::system::users::is_verifier(password) {
                Ok(password.to_owned())
            } else {
                Ok(crate::system::verifier::from_password(password)?)
            }
        };
        match kind {
            StatementKind::CreateUser { name, password } => {
                self.need_dba()?;
                let password = password.as_deref().ok_or_else(|| {
                    Failure::new(SqlState::INVALID_PARAMETER_VALUE, "a user needs a password")
                        .hint("CREATE USER name PASSWORD '...'")
                })?;
                Ok(Users::of(&self.env).create(name, &verifier(password)?, Privilege::User)?)
            }
            StatementKind::AlterUserPassword { name, password } => {
                if name != self.user() {
                    self.need_dba()?;
                }
                Ok(Users::of(&self.env).set_password(name, &verifier(password)?)?)
            }
            StatementKind::DropUser { name, if_exists } => {
                self.need_dba()?;
                let dropped = Users::of(&self.env).drop(name).map_err(Failure::from);
                self.forgive(dropped, *if_exists, SqlState::UNDEFINED_OBJECT)
            }
            _ => Ok(()),
        }
    }

    /// DBCTL '<command>'.
    pub(super) fn dbctl(&mut self, command: &str) -> Result<Reply, Failure> {
        self.outside_block("DBCTL")?;
        let table = control_plane::run(&self.env, self.user(), command)?;
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
        &mut self,
        result: Result<(), Failure>,
        forgiven: bool,
        sqlstate: SqlState,
    ) -> Result<(), Failure> {
        match result {
            Err(failure) if forgiven && failure.sqlstate() == sqlstate => {
                let message = format!("{}, skipping", failure.fields().message);
                self.notice("NOTICE", SqlState::SUCCESSFUL_COMPLETION, &message);
                Ok(())
            }
            result => result,
        }
    }

    fn need_dba(&self) -> Result<(), Failure> {
        match Users::of(&self.env).privilege(self.user())? {
            Privilege::Dba => Ok(()),
            _ => Err(Failure::new(
                SqlState::INSUFFICIENT_PRIVILEGE,
                "permission denied: this needs the privilege dba",
            )),
        }
    }
}
