//! What settings sessions begin with, by database and by role: rows of the database `system`, so a slave has
//! its master's.

use fwlog::DatabaseId;
use rusqlite::{Connection, params};

use crate::databases::list::SYSTEM_NAME;
use crate::environment::Environment;
use crate::environment::local::is_local;
use crate::error::EngineError;
use crate::system::statement::{internal, read, write};
use crate::system::users;

/// Made with the first default. Database 0 is all of them, and the role without a name is everybody.
const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS defaults (
    database INTEGER NOT NULL,
    role     TEXT NOT NULL,
    name     TEXT NOT NULL,
    value    TEXT NOT NULL,
    PRIMARY KEY (database, role, name)
) WITHOUT ROWID";

/// Whose default it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Of sessions in this database; `None`: in all.
    pub database: Option<DatabaseId>,
    /// Of this role; `None`: of all.
    pub role: Option<String>,
}

/// One default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Default {
    /// Whose.
    pub place: Place,
    /// The parameter.
    pub name: String,
    /// Its value at the start of a session.
    pub value: String,
}

/// What happens to the defaults of a place.
#[derive(Clone, Copy, Debug)]
pub enum Change<'a> {
    /// A parameter gets one.
    Set(&'a str, &'a str),
    /// A parameter has none any more.
    Reset(&'a str),
    /// None has.
    ResetAll,
}

/// The defaults of an environment.
pub struct Defaults<'a>(&'a Environment);

impl<'a> Defaults<'a> {
    /// Those of this environment.
    pub fn of(environment: &'a Environment) -> Self {
        Self(environment)
    }

    /// All of them, by place.
    pub fn all(&self) -> Result<Vec<Default>, EngineError> {
        let Some(system) = users::system_with_users(self.0) else {
            return Ok(Vec::new());
        };
        read(&system, |connection| {
            if !connection.table_exists(None, "defaults")? {
                return Ok(Vec::new());
            }
            let mut statement = connection.prepare(
                "SELECT database, role, name, value FROM defaults ORDER BY database, role, name",
            )?;
            let rows = statement.query_map([], |row| {
                let (database, role): (u32, String) = (row.get(0)?, row.get(1)?);
                Ok(Default {
                    place: Place {
                        database: (database != 0).then(|| DatabaseId::new(database)),
                        role: (!role.is_empty()).then_some(role),
                    },
                    name: row.get(2)?,
                    value: row.get(3)?,
                })
            })?;
            rows.collect()
        })
    }

    /// Those of a session, what counts more behind what counts less: those of all roles in the database, of the role,
    /// of the role in the database.
    pub fn of_session(&self, database: &str, role: &str) -> Result<Vec<Default>, EngineError> {
        let databases = self.0.core().databases();
        let database = databases.by_name(database).map(|database| database.id());
        let mut own = self.all()?;
        own.retain(|default| {
            let place = &default.place;
            place.role.as_deref().is_none_or(|wanted| wanted == role)
                && place.database.is_none_or(|wanted| Some(wanted) == database)
        });
        own.sort_by_key(|default| {
            let place = &default.place;
            (place.role.is_some(), place.database.is_some())
        });
        Ok(own)
    }

    /// Changes the defaults of a place.
    ///
    /// Errors: a role that does not exist.
    pub fn change(&self, place: &Place, change: Change<'_>) -> Result<(), EngineError> {
        if place.database.is_some_and(is_local) {
            return Err(EngineError::state(
                "a local database has no defaults of its own: those are replicated",
                "Set them for the role, or in the session.",
            ));
        }
        self.0.master("ALTER ROLE")?;
        let system = self.0.database(SYSTEM_NAME)?;
        let database = place.database.map_or(0, DatabaseId::get);
        let role = place.role.as_deref().unwrap_or_default();
        write(self.0, &system, |connection| {
            if !role.is_empty() && !users::exists(connection, role)? {
                return Err(EngineError::NoSuchUser(role.to_owned()));
            }
            connection.execute_batch(SCHEMA).map_err(internal)?;
            let changed = match change {
                Change::Set(name, value) => connection.execute(
                    "INSERT OR REPLACE INTO defaults VALUES (?1, ?2, ?3, ?4)",
                    params![database, role, name, value],
                ),
                Change::Reset(name) => connection.execute(
                    "DELETE FROM defaults WHERE database = ?1 AND role = ?2 AND name = ?3",
                    params![database, role, name],
                ),
                Change::ResetAll => connection.execute(
                    "DELETE FROM defaults WHERE database = ?1 AND role = ?2",
                    params![database, role],
                ),
            };
            changed.map(drop).map_err(internal)
        })
    }
}

/// A role that is dropped has no defaults any more.
pub(super) fn forget_role(connection: &Connection, role: &str) -> Result<(), EngineError> {
    if connection
        .table_exists(None, "defaults")
        .map_err(internal)?
    {
        connection
            .execute("DELETE FROM defaults WHERE role = ?1", [role])
            .map_err(internal)?;
    }
    Ok(())
}
