//! Who is a member of which role: rows of the database `system`, so a slave has its master's.

use acl::{Member, Role, Roles};
use rusqlite::{Connection, params};

use crate::databases::list::SYSTEM_NAME;
use crate::environment::Environment;
use crate::error::EngineError;
use crate::system::authority;
use crate::system::statement::{internal, write};
use crate::system::users;

/// Made with the first one.
const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS members (
    role    TEXT NOT NULL,
    member  TEXT NOT NULL,
    admin   INTEGER NOT NULL,
    grantor TEXT NOT NULL,
    PRIMARY KEY (role, member)
) WITHOUT ROWID";

/// The memberships of an environment.
pub struct Members<'a>(&'a Environment);

/// One that is made or ended.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    /// The group.
    pub role: &'a str,
    /// Who is in it.
    pub member: &'a str,
    /// The right to take others in.
    pub admin: bool,
    /// Who does it.
    pub by: &'a str,
}

impl<'a> Members<'a> {
    /// Those of this environment.
    pub fn of(environment: &'a Environment) -> Self {
        Self(environment)
    }

    /// GRANT role TO member; whether it was one already, with that right.
    ///
    /// Errors: 42501 for who may not take others in, 0LP01 for a circle.
    pub fn admit(&self, change: Change<'_>) -> Result<bool, EngineError> {
        self.0.master("GRANT ROLE")?;
        let system = self.0.database(SYSTEM_NAME)?;
        write(self.0, &system, |connection| {
            let roles = authority::roles(connection)?;
            check(&roles, change)?;
            if roles.memberships(change.role).contains(&change.member) {
                return Err(EngineError::Grant(format!(
                    "role \"{}\" is a member of role \"{}\"",
                    change.role, change.member
                )));
            }
            admit(connection, change)
        })
    }

    /// REVOKE role FROM member; with `admin` only the right to take others in. Whether it was one.
    pub fn dismiss(&self, change: Change<'_>) -> Result<bool, EngineError> {
        self.0.master("REVOKE ROLE")?;
        let system = self.0.database(SYSTEM_NAME)?;
        write(self.0, &system, |connection| {
            check(&authority::roles(connection)?, change)?;
            connection.execute_batch(SCHEMA).map_err(internal)?;
            let sql = if change.admin {
                "UPDATE members SET admin = 0 WHERE role = ?1 AND member = ?2"
            } else {
                "DELETE FROM members WHERE role = ?1 AND member = ?2"
            };
            let changed = connection.execute(sql, [change.role, change.member]);
            Ok(changed.map_err(internal)? > 0)
        })
    }
}

fn check(roles: &Roles, change: Change<'_>) -> Result<(), EngineError> {
    for name in [change.role, change.member] {
        if !roles.has(name) {
            return Err(EngineError::NoSuchUser(name.to_owned()));
        }
    }
    // Who is in a group of those who may do everything may do so by SET ROLE.
    if roles.is_superuser(change.role) && !roles.is_superuser(change.by) {
        return Err(EngineError::Forbidden(
            "must be superuser to alter superusers".into(),
        ));
    }
    if roles.may_admit(change.by, change.role) {
        return Ok(());
    }
    Err(EngineError::Forbidden(format!(
        "must have admin option on role \"{}\"",
        change.role
    )))
}

/// Makes one; whether it was there, with that right.
pub(super) fn admit(connection: &Connection, change: Change<'_>) -> Result<bool, EngineError> {
    connection.execute_batch(SCHEMA).map_err(internal)?;
    let changed = connection
        .execute(
            "INSERT INTO members (role, member, admin, grantor) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (role, member) DO UPDATE SET admin = 1 WHERE excluded.admin AND NOT members.admin",
            params![change.role, change.member, change.admin, change.by],
        )
        .map_err(internal)?;
    Ok(changed == 0)
}

/// All of them, by group and member.
pub(super) fn all(connection: &Connection) -> rusqlite::Result<Vec<Member>> {
    if !connection.table_exists(None, "members")? {
        return Ok(Vec::new());
    }
    let mut statement = connection
        .prepare("SELECT role, member, admin, grantor FROM members ORDER BY role, member")?;
    let rows = statement.query_map([], |row| {
        Ok(Member {
            role: row.get(0)?,
            member: row.get(1)?,
            admin: row.get(2)?,
            grantor: row.get(3)?,
        })
    })?;
    rows.collect()
}

/// A role that is dropped is in no group any more, and nobody is in it.
pub(super) fn forget(connection: &Connection, name: &str) -> Result<(), EngineError> {
    let known = connection.table_exists(None, "members");
    if known.map_err(internal)? {
        connection
            .execute("DELETE FROM members WHERE role = ?1 OR member = ?1", [name])
            .map_err(internal)?;
        connection
            .execute(
                "UPDATE members SET grantor = ?2 WHERE grantor = ?1",
                [name, users::DBA],
            )
            .map_err(internal)?;
    }
    Ok(())
}

/// What a level is worth among roles.
pub(super) fn role(privilege: users::Privilege, inherit: bool) -> Role {
    Role {
        superuser: privilege == users::Privilege::Dba,
        inherit,
    }
}
