//! Who may act for others: users that slaves log in as, to run there what their own users write. Rows of the
//! database `system`, so a slave has its master's.
//!
//! It is a right of its own, which no privilege brings along: a dba who has it by accident would be a password with
//! which every user can be played.

use rusqlite::Connection;

use crate::databases::list::SYSTEM_NAME;
use crate::environment::Environment;
use crate::error::EngineError;
use crate::system::statement::{internal, read, write};
use crate::system::users;

/// Made with the first one.
const SCHEMA: &str =
    "CREATE TABLE IF NOT EXISTS forwarders (name TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID";

/// Those of an environment.
pub struct Forwarders<'a>(&'a Environment);

impl<'a> Forwarders<'a> {
    /// Those of this environment.
    pub fn of(environment: &'a Environment) -> Self {
        Self(environment)
    }

    /// All of them, by name.
    pub fn all(&self) -> Result<Vec<String>, EngineError> {
        let Some(system) = users::system_with_users(self.0) else {
            return Ok(Vec::new());
        };
        read(&system, |connection| {
            if !connection.table_exists(None, "forwarders")? {
                return Ok(Vec::new());
            }
            let mut statement = connection.prepare("SELECT name FROM forwarders ORDER BY name")?;
            let rows = statement.query_map([], |row| row.get(0))?;
            rows.collect()
        })
    }

    /// Whether the user is one.
    pub fn has(&self, name: &str) -> Result<bool, EngineError> {
        Ok(self.all()?.iter().any(|known| known == name))
    }

    /// Gives a user the right.
    ///
    /// Errors: there is no such user.
    pub fn grant(&self, name: &str) -> Result<(), EngineError> {
        self.change(name, "INSERT OR IGNORE INTO forwarders VALUES (?1)")
    }

    /// Takes the right from a user.
    ///
    /// Errors: there is no such user.
    pub fn revoke(&self, name: &str) -> Result<(), EngineError> {
        self.change(name, "DELETE FROM forwarders WHERE name = ?1")
    }

    fn change(&self, name: &str, sql: &str) -> Result<(), EngineError> {
        self.0.master("GRANT")?;
        let system = self.0.database(SYSTEM_NAME)?;
        write(self.0, &system, |connection| {
            if !users::exists(connection, name)? {
                return Err(EngineError::NoSuchUser(name.to_owned()));
            }
            connection.execute_batch(SCHEMA).map_err(internal)?;
            connection.execute(sql, [name]).map(drop).map_err(internal)
        })
    }
}

/// A user that is dropped has the right no more, nor has another one of that name.
pub(super) fn forget(connection: &Connection, name: &str) -> Result<(), EngineError> {
    if connection
        .table_exists(None, "forwarders")
        .map_err(internal)?
    {
        connection
            .execute("DELETE FROM forwarders WHERE name = ?1", [name])
            .map_err(internal)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use disk::testing::SimulatedDisk;

    use super::*;
    use crate::environment::testing::master_on;
    use crate::system::users::{Privilege, Users};

    #[test]
    fn the_right_is_given_taken_and_goes_with_its_user() {
        let environment = master_on(&SimulatedDisk::new(1));
        let (users, forwarders) = (Users::of(&environment), Forwarders::of(&environment));
        let make = || users.create("f", "SCRAM-SHA-256$4096:c2FsdA==$a:b", Privilege::User);
        assert!(forwarders.grant("f").is_err(), "there is no such user");
        make().unwrap();
        assert!(
            !forwarders.has("dba").unwrap(),
            "no privilege brings it along"
        );
        forwarders.revoke("f").unwrap();
        forwarders.grant("f").unwrap();
        forwarders.grant("f").unwrap();
        assert_eq!(forwarders.all().unwrap(), ["f"]);
        forwarders.revoke("f").unwrap();
        assert!(!forwarders.has("f").unwrap());
        forwarders.grant("f").unwrap();
        users.drop("f").unwrap();
        make().unwrap();
        assert!(!forwarders.has("f").unwrap());
    }
}
