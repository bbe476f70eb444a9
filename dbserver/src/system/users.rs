//! Users: name, SCRAM verifier, privilege. A table of the database `system`, so a slave has the
//! same users as its master.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OptionalExtension, params};

use crate::databases::Database;
use crate::databases::list::SYSTEM_NAME;
use crate::environment::Environment;
use crate::error::EngineError;
use crate::system::attributes::{self, Attributes};
use crate::system::statement::{internal, read, write};
use crate::system::{defaults, dependents, forwarders, members, ownership};

/// The name of the administrator that every environment begins with.
pub const DBA: &str = "dba";

const SCHEMA: &str = "CREATE TABLE users (
    name      TEXT NOT NULL PRIMARY KEY,
    verifier  TEXT NOT NULL,
    privilege TEXT NOT NULL CHECK (privilege IN ('dba', 'operator', 'user'))
) WITHOUT ROWID";

/// What a user may do beyond SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Privilege {
    /// Everything.
    Dba,
    /// Replication, backup, status, shutdown.
    Operator,
    /// SQL only.
    User,
}

impl fmt::Display for Privilege {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dba => "dba",
            Self::Operator => "operator",
            Self::User => "user",
        })
    }
}

impl FromStr for Privilege {
    type Err = EngineError;

    fn from_str(word: &str) -> Result<Self, EngineError> {
        match word {
            "dba" => Ok(Self::Dba),
            "operator" => Ok(Self::Operator),
            "user" => Ok(Self::User),
            other => Err(EngineError::Usage(format!(
                "privilege '{other}': it is dba, operator or user"
            ))),
        }
    }
}

/// A user as others may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The name.
    pub name: String,
    /// What it may do.
    pub privilege: Privilege,
}

/// What CREATE ROLE makes.
#[derive(Debug)]
pub struct NewRole<'a> {
    /// Its name.
    pub name: &'a str,
    /// What is stored of its password; empty: it has none.
    pub verifier: &'a str,
    /// Its level.
    pub privilege: Privilege,
    /// Its attributes.
    pub attributes: Attributes,
    /// The groups that it is in.
    pub groups: Vec<&'a str>,
    /// Who is in it, and whether he may take others in.
    pub members: Vec<(&'a str, bool)>,
    /// Who makes it.
    pub by: &'a str,
}

/// Microseconds since 2000, as timestamps are stored.
fn now() -> i64 {
    const FROM_1970: i64 = 946_684_800_000_000;
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let since = since.unwrap_or_default().as_micros();
    i64::try_from(since).unwrap_or(i64::MAX) - FROM_1970
}

/// Makes the table in a new environment.
pub fn create_table(connection: &Connection) -> Result<(), EngineError> {
    connection.execute_batch(SCHEMA).map_err(internal)
}

/// Adds a row; the caller has checked that the name is free.
pub fn insert(
    connection: &Connection,
    name: &str,
    verifier: &str,
    privilege: Privilege,
) -> Result<(), EngineError> {
    connection
        .execute(
            "INSERT INTO users (name, verifier, privilege) VALUES (?1, ?2, ?3)",
            params![name, verifier, privilege.to_string()],
        )
        .map(drop)
        .map_err(internal)
}

/// Whether the text is a verifier as PostgreSQL stores it:
/// `SCRAM-SHA-256$<iterations>:<salt>$<stored key>:<server key>`.
pub fn is_verifier(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("SCRAM-SHA-256$") else {
        return false;
    };
    let Some((head, keys)) = rest.split_once('$') else {
        return false;
    };
    let well_formed = |pair: Option<(&str, &str)>| {
        pair.is_some_and(|(left, right)| !left.is_empty() && !right.is_empty())
    };
    well_formed(head.split_once(':')) && well_formed(keys.split_once(':'))
}

/// The users of an environment: rows of its database `system`, or dba alone on an empty slave.
pub struct Users<'a>(&'a Environment);

impl<'a> Users<'a> {
    /// Those of this environment.
    pub fn of(environment: &'a Environment) -> Self {
        Self(environment)
    }

    /// The SCRAM verifier of a user; `None`: there is no such user, or he has no password that is good at this time.
    pub fn verifier(&self, name: &str) -> Result<Option<String>, EngineError> {
        if let Some(system) = system_with_users(self.0) {
            let found = read(&system, |connection| {
                let verifier: Option<String> = connection
                    .query_row("SELECT verifier FROM users WHERE name = ?1", [name], |r| {
                        r.get(0)
                    })
                    .optional()?;
                Ok((verifier, attributes::of(connection, name)?))
            });
            let (verifier, own) = found?;
            let good = own.valid_until.is_none_or(|until| until > now());
            return Ok(verifier.filter(|verifier| good && !verifier.is_empty()));
        }
        // An empty slave: only dba, with the password that it was set up with.
        Ok(if name == DBA {
            self.0.core().control().bootstrap.clone()
        } else {
            None
        })
    }

    /// What a user may do.
    pub fn privilege(&self, name: &str) -> Result<Privilege, EngineError> {
        let Some(system) = system_with_users(self.0) else {
            return if name == DBA {
                Ok(Privilege::Dba)
            } else {
                Err(EngineError::NoSuchUser(name.to_owned()))
            };
        };
        let word: Option<String> = read(&system, |connection| {
            connection
                .query_row("SELECT privilege FROM users WHERE name = ?1", [name], |r| {
                    r.get(0)
                })
                .optional()
        })?;
        word.ok_or_else(|| EngineError::NoSuchUser(name.to_owned()))?
            .parse()
    }

    /// All users, sorted by name.
    pub fn all(&self) -> Result<Vec<User>, EngineError> {
        let Some(system) = system_with_users(self.0) else {
            return Ok(Vec::new());
        };
        let rows: Vec<(String, String)> = read(&system, |connection| {
            let mut statement =
                connection.prepare("SELECT name, privilege FROM users ORDER BY name")?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect()
        })?;
        rows.into_iter()
            .map(|(name, word)| {
                Ok(User {
                    name,
                    privilege: word.parse()?,
                })
            })
            .collect()
    }

    /// Makes a user.
    pub fn create(
        &self,
        name: &str,
        verifier: &str,
        privilege: Privilege,
    ) -> Result<(), EngineError> {
        self.0.master("CREATE USER")?;
        check_user(name, verifier)?;
        let system = self.0.database(SYSTEM_NAME)?;
        write(self.0, &system, |connection| {
            if exists(connection, name)? {
                return Err(EngineError::UserExists(name.to_owned()));
            }
            insert(connection, name, verifier, privilege)
        })
    }

    /// Gives a user another password.
    pub fn set_password(&self, name: &str, verifier: &str) -> Result<(), EngineError> {
        self.0.master("ALTER USER")?;
        check_user(name, verifier)?;
        let system = self.0.database(SYSTEM_NAME)?;
        write(self.0, &system, |connection| {
            let changed = connection
                .execute(
                    "UPDATE users SET verifier = ?2 WHERE name = ?1",
                    [name, verifier],
                )
                .map_err(internal)?;
            if changed == 0 {
                Err(EngineError::NoSuchUser(name.to_owned()))
            } else {
                Ok(())
            }
        })
    }

    /// Removes a user; the last dba stays.
    pub fn drop(&self, name: &str) -> Result<(), EngineError> {
        self.0.master("DROP USER")?;
        let system = self.0.database(SYSTEM_NAME)?;
        write(self.0, &system, |connection| {
            if !exists(connection, name)? {
                return Err(EngineError::NoSuchUser(name.to_owned()));
            }
            if other_dbas(connection, name)? == 0 {
                return Err(last_dba(name));
            }
            dependents::refuse(self.0, connection, name)?;
            connection
                .execute("DELETE FROM users WHERE name = ?1", [name])
                .map_err(internal)?;
            forwarders::forget(connection, name)?;
            attributes::forget(connection, name)?;
            members::forget(connection, name)?;
            defaults::forget_role(connection, name)
        })
    }

    /// Whether there is such a user.
    pub fn has(&self, name: &str) -> Result<bool, EngineError> {
        match system_with_users(self.0) {
            Some(system) => read(&system, |connection| {
                let mut known = connection.prepare("SELECT 1 FROM users WHERE name = ?1")?;
                known.exists([name])
            }),
            None => Ok(name == DBA),
        }
    }

    /// CREATE ROLE.
    pub fn create_role(&self, new: &NewRole<'_>) -> Result<(), EngineError> {
        self.0.master("CREATE ROLE")?;
        check_name(new.name)?;
        let system = self.0.database(SYSTEM_NAME)?;
        write(self.0, &system, |connection| {
            if exists(connection, new.name)? {
                return Err(EngineError::UserExists(new.name.to_owned()));
            }
            insert(connection, new.name, new.verifier, new.privilege)?;
            attributes::store(connection, new.name, &new.attributes)?;
            let groups = new.groups.iter().map(|group| (group, new.name, false));
            let members = new
                .members
                .iter()
                .map(|(member, admin)| (&new.name, *member, *admin));
            for (role, member, admin) in groups.chain(members) {
                for name in [role, member] {
                    ownership::check_owner(connection, name)?;
                }
                let by = new.by;
                members::admit(
                    connection,
                    members::Change {
                        role,
                        member,
                        admin,
                        by,
                    },
                )?;
            }
            Ok(())
        })
    }

    /// ALTER ROLE. `change` gets what is known of the role, within the transaction that keeps what it makes of that.
    pub fn alter_role(
        &self,
        name: &str,
        verifier: Option<&str>,
        change: impl FnOnce(&mut Privilege, &mut Attributes),
    ) -> Result<(), EngineError> {
        self.0.master("ALTER ROLE")?;
        let system = self.0.database(SYSTEM_NAME)?;
        write(self.0, &system, |connection| {
            let word: Option<String> = connection
                .query_row(
                    "SELECT privilege FROM users WHERE name = ?1",
                    [name],
                    |row| row.get(0),
                )
                .optional()
                .map_err(internal)?;
            let word = word.ok_or_else(|| EngineError::NoSuchUser(name.to_owned()))?;
            let before: Privilege = word.parse()?;
            let (mut privilege, mut own) =
                (before, attributes::of(connection, name).map_err(internal)?);
            change(&mut privilege, &mut own);
            let leaves = before == Privilege::Dba && (privilege != before || !own.login);
            if leaves && other_dbas(connection, name)? == 0 {
                return Err(last_dba(name));
            }
            attributes::store(connection, name, &own)?;
            let changed = match verifier {
                Some(verifier) => connection.execute(
                    "UPDATE users SET privilege = ?2, verifier = ?3 WHERE name = ?1",
                    params![name, privilege.to_string(), verifier],
                ),
                None => connection.execute(
                    "UPDATE users SET privilege = ?2 WHERE name = ?1",
                    params![name, privilege.to_string()],
                ),
            };
            changed.map(drop).map_err(internal)
        })
    }
}

/// The database of the users; `None` on a slave that has not received it yet.
pub(super) fn system_with_users(environment: &Environment) -> Option<Arc<Database>> {
    let system = environment.core().databases().by_name(SYSTEM_NAME)?;
    // The table and the first user are one transaction.
    (system.store().snapshot_durable().page_count() > 0).then_some(system)
}

pub(super) fn exists(connection: &Connection, name: &str) -> Result<bool, EngineError> {
    connection
        .query_row("SELECT 1 FROM users WHERE name = ?1", [name], |_| Ok(()))
        .optional()
        .map(|row| row.is_some())
        .map_err(internal)
}

/// How many others may do everything.
fn other_dbas(connection: &Connection, name: &str) -> Result<i64, EngineError> {
    let sql = "SELECT count(*) FROM users WHERE privilege = 'dba' AND name <> ?1";
    let found = connection.query_row(sql, [name], |row| row.get(0));
    found.map_err(internal)
}

fn last_dba(name: &str) -> EngineError {
    EngineError::state(
        format!("\"{name}\" is the last user with privilege dba"),
        "Make another one first: 'dbctl user create NAME privilege dba'.",
    )
}

fn check_name(name: &str) -> Result<(), EngineError> {
    if name.is_empty() || name.len() > 63 || name.chars().any(char::is_control) {
        return Err(EngineError::Usage(
            "a user name has 1 to 63 printable bytes".into(),
        ));
    }
    if name == "public" || name == "none" || name.starts_with("pg_") {
        return Err(EngineError::ReservedName(name.to_owned()));
    }
    Ok(())
}

fn check_user(name: &str, verifier: &str) -> Result<(), EngineError> {
    check_name(name)?;
    if is_verifier(verifier) {
        Ok(())
    } else {
        Err(EngineError::Usage(
            "the password must come as a SCRAM-SHA-256 verifier; 'dbctl user' makes it".into(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_well_formed_verifiers_are_taken() {
        assert!(is_verifier("SCRAM-SHA-256$4096:c2FsdA==$c3RvcmVk:c2VydmVy"));
        for bad in [
            "secret",
            "SCRAM-SHA-256$4096:$a:b",
            "SCRAM-SHA-256$4096:c$a",
            "md5abc",
            "",
        ] {
            assert!(!is_verifier(bad), "{bad}");
        }
    }

    #[test]
    fn privileges_have_one_spelling() {
        for privilege in [Privilege::Dba, Privilege::Operator, Privilege::User] {
            assert_eq!(
                privilege.to_string().parse::<Privilege>().unwrap(),
                privilege
            );
        }
        assert!("DBA".parse::<Privilege>().is_err());
    }
}
