//! Who owns the databases, and who may use them: rows of the database `system`, so a slave has its master's.
//!
//! A database without an owner is one that an older server made, or that was made past the server's statements: in it
//! everybody may do everything, until it gets one.

use std::collections::BTreeMap;

use acl::Acl;
use fwlog::DatabaseId;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::databases::list::{SYSTEM_DATABASE, SYSTEM_NAME, check_name};
use crate::environment::Environment;
use crate::environment::local::is_local;
use crate::error::EngineError;
use crate::system::local;
use crate::system::statement::{internal, write, write_before};
use crate::system::users::{self, DBA};

/// Made with the first one.
const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS ownership (
    database         INTEGER NOT NULL PRIMARY KEY,
    owner            TEXT,
    connection_limit INTEGER NOT NULL,
    acl              TEXT
)";

/// What is known of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ownership {
    /// `None`: everybody may do everything in it.
    pub owner: Option<String>,
    /// How many sessions may have it open; -1: any number.
    pub connection_limit: i64,
    /// What was granted; `None`: nothing was ever granted or revoked.
    pub acl: Option<Acl>,
}

impl Default for Ownership {
    fn default() -> Self {
        Self {
            owner: None,
            connection_limit: -1,
            acl: None,
        }
    }
}

impl Ownership {
    /// That of the server's own database.
    fn of_system() -> Self {
        Self {
            owner: Some(DBA.to_owned()),
            ..Self::default()
        }
    }
}

/// The owners of the databases of an environment.
pub struct Ownerships<'a>(&'a Environment);

impl<'a> Ownerships<'a> {
    /// Those of this environment.
    pub fn of(environment: &'a Environment) -> Self {
        Self(environment)
    }

    /// Makes a database with an owner. The owner is durable before the database is: there is no moment at which it is
    /// everybody's.
    pub fn create_database(
        &self,
        name: &str,
        owner: &str,
        connection_limit: i64,
    ) -> Result<(), EngineError> {
        self.0.master("CREATE DATABASE")?;
        let system = self.0.database(SYSTEM_NAME)?;
        let databases = self.0.core().databases();
        self.0.refuse_taken(name)?;
        let new = Ownership {
            owner: Some(owner.to_owned()),
            connection_limit,
            acl: None,
        };
        write_before(
            self.0,
            &system,
            |connection| {
                check_owner(connection, owner)?;
                // Whoever makes a database waits for the same permit, so that the number is this one's.
                store(connection, databases.next_id(), &new)
            },
            || self.0.create_database(name),
        )
    }

    /// Makes a database that is not replicated, whatever the role of the server is.
    pub fn create_local(&self, name: &str, owner: &str) -> Result<(), EngineError> {
        check_name(name)?;
        self.0.refuse_taken(name)?;
        if !users::Users::of(self.0).has(owner)? {
            return Err(EngineError::NoSuchUser(owner.to_owned()));
        }
        let local = local::make(self.0)?;
        // Somebody else may have made one of that name meanwhile.
        self.0.refuse_taken(name)?;
        let system = local.core().database(SYSTEM_NAME)?;
        let new = Ownership {
            owner: Some(owner.to_owned()),
            ..Ownership::default()
        };
        write_before(
            local,
            &system,
            |connection| store(connection, local.core().databases().next_id(), &new),
            || local.create_database(name),
        )
    }

    /// Changes what is known of a database. A local one has no list of roles beside it: whoever names a role has looked.
    pub fn change(
        &self,
        database: DatabaseId,
        change: impl FnOnce(&Connection, &mut Ownership) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let home = match self.0.local() {
            Some(local) if is_local(database) => local,
            _ => self.0,
        };
        home.master("ALTER DATABASE")?;
        if database == SYSTEM_DATABASE {
            return Err(EngineError::Denied(format!(
                "database \"{SYSTEM_NAME}\" belongs to the server"
            )));
        }
        let system = home.core().database(SYSTEM_NAME)?;
        write(home, &system, |connection| {
            let mut known = read_one(connection, database).map_err(internal)?;
            change(connection, &mut known)?;
            store(connection, database, &known)
        })
    }
}

/// Refuses an owner that is not there.
pub fn check_owner(connection: &Connection, role: &str) -> Result<(), EngineError> {
    if users::exists(connection, role)? {
        Ok(())
    } else {
        Err(EngineError::NoSuchUser(role.to_owned()))
    }
}

pub(super) fn store(
    connection: &Connection,
    id: DatabaseId,
    known: &Ownership,
) -> Result<(), EngineError> {
    connection.execute_batch(SCHEMA).map_err(internal)?;
    connection
        .execute(
            "INSERT OR REPLACE INTO ownership VALUES (?1, ?2, ?3, ?4)",
            params![
                id.get(),
                known.owner,
                known.connection_limit,
                known.acl.as_ref().map(ToString::to_string)
            ],
        )
        .map(drop)
        .map_err(internal)
}

fn row(row: &Row<'_>) -> rusqlite::Result<(u32, Ownership)> {
    let acl: Option<String> = row.get(3)?;
    Ok((
        row.get(0)?,
        Ownership {
            owner: row.get(1)?,
            connection_limit: row.get(2)?,
            acl: acl.map(|text| read_acl(&text)).transpose()?,
        },
    ))
}

/// A stored list. One that can't be read must not be taken for none.
pub(crate) fn read_acl(text: &str) -> rusqlite::Result<Acl> {
    Acl::read(text).ok_or_else(|| {
        let why = format!("\"{text}\" is no access-control list");
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, why.into())
    })
}

fn read_one(connection: &Connection, id: DatabaseId) -> rusqlite::Result<Ownership> {
    if !connection.table_exists(None, "ownership")? {
        return Ok(Ownership::default());
    }
    let found = connection
        .query_row(
            "SELECT database, owner, connection_limit, acl FROM ownership WHERE database = ?1",
            [id.get()],
            row,
        )
        .optional()?;
    Ok(found.map(|(_, known)| known).unwrap_or_default())
}

/// What is known of each database, by its number.
pub(super) fn all(connection: &Connection) -> rusqlite::Result<BTreeMap<u32, Ownership>> {
    let mut found = BTreeMap::from([(SYSTEM_DATABASE.get(), Ownership::of_system())]);
    if connection.table_exists(None, "ownership")? {
        let mut statement =
            connection.prepare("SELECT database, owner, connection_limit, acl FROM ownership")?;
        for known in statement.query_map([], row)? {
            let (id, known) = known?;
            found.insert(id, known);
        }
    }
    Ok(found)
}
