//! What the server knows of roles and databases: all that decides who may do what, but for the rights within a
//! database.

use std::collections::BTreeMap;
use std::sync::Arc;

use acl::{Authority, Object, Roles};
use fwlog::DatabaseId;
use pagestore::CommitNumber;
use rusqlite::Connection;

use crate::databases::Database;
use crate::databases::list::SYSTEM_DATABASE;
use crate::environment::Environment;
use crate::environment::local::FIRST;
use crate::error::EngineError;
use crate::system::attributes;
use crate::system::attributes::Attributes;
use crate::system::members;
use crate::system::ownership::{self, Ownership};
use crate::system::statement::{internal, read};
use crate::system::users::{self, Privilege};

/// How often rights were read, for tests that count the work.
#[cfg(test)]
pub(crate) static READS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);

/// A moment of the database `system`, and of that of the local databases.
pub type Moment = [Option<(u64, CommitNumber)>; 2];

/// All of it, at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// Roles and memberships.
    pub roles: Roles,
    /// The level and the attributes of each role.
    pub attributes: BTreeMap<String, (Privilege, Attributes)>,
    /// What is known of each database, by its number.
    pub databases: BTreeMap<u32, Ownership>,
}

/// The newest moment of the database `system`; `None` on a slave that has not received it yet.
pub fn now(environment: &Environment) -> Option<Moment> {
    let system = environment.core().databases().by_id(SYSTEM_DATABASE)?;
    let local = local_system(environment);
    Some([Some(moment(&system)), local.as_deref().map(moment)])
}

fn moment(system: &Database) -> (u64, CommitNumber) {
    let store = system.store();
    (store.epoch(), store.latest().0)
}

/// Where it stands who may do what with the local databases.
fn local_system(environment: &Environment) -> Option<Arc<Database>> {
    let local = environment.local()?;
    local.core().databases().by_id(SYSTEM_DATABASE)
}

/// What is known at this time, and the moment since which that is so; none where a commit is under way.
pub fn known(environment: &Environment) -> Result<(Known, Option<Moment>), EngineError> {
    let Some(system) = users::system_with_users(environment) else {
        return Ok((Known::of_empty_slave(), None));
    };
    #[cfg(test)]
    READS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let local = local_system(environment);
    let systems = [Some(&system), local.as_ref()];
    let moments = systems.map(|system| system.map(|it| moment(it)));
    let mut known = read(&system, all)?;
    if let Some(local) = &local {
        let own = read(local, ownership::all)?;
        known
            .databases
            .extend(own.into_iter().filter(|(id, _)| *id >= FIRST));
    }
    let is_durable = systems.iter().zip(&moments).all(|(system, moment)| {
        let durable = system.map(|it| it.store().horizon().durable());
        moment.map(|(_, commit)| commit) <= durable
    });
    Ok((known, is_durable.then_some(moments)))
}

fn all(connection: &Connection) -> rusqlite::Result<Known> {
    let mut statement = connection.prepare("SELECT name, privilege FROM users")?;
    let rows = statement.query_map([], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
    })?;
    let special: BTreeMap<String, Attributes> = attributes::all(connection)?.into_iter().collect();
    let mut found = BTreeMap::new();
    for row in rows {
        let (name, word) = row?;
        let own = special.get(&name).copied().unwrap_or_default();
        // A level that is not known is no privilege.
        found.insert(name, (word.parse().unwrap_or(Privilege::User), own));
    }
    let roles = found
        .iter()
        .map(|(name, (level, own))| (name.clone(), members::role(*level, own.inherit)));
    Ok(Known {
        roles: Roles::new(roles.collect(), members::all(connection)?),
        attributes: found,
        databases: ownership::all(connection)?,
    })
}

/// The roles, within a transaction.
pub(super) fn roles(connection: &Connection) -> Result<Roles, EngineError> {
    all(connection).map(|known| known.roles).map_err(internal)
}

impl Known {
    /// There is only the one who sets it up.
    fn of_empty_slave() -> Self {
        let level = (Privilege::Dba, Attributes::default());
        let roles = BTreeMap::from([(users::DBA.to_owned(), members::role(level.0, true))]);
        Self {
            roles: Roles::new(roles, Vec::new()),
            attributes: BTreeMap::from([(users::DBA.to_owned(), level)]),
            databases: BTreeMap::new(),
        }
    }

    /// What is known of a database.
    pub fn ownership(&self, database: DatabaseId) -> Ownership {
        let known = self.databases.get(&database.get());
        known.cloned().unwrap_or_default()
    }

    /// Who may do what with a database, without what is in it.
    pub fn authority(&self, database: DatabaseId) -> Authority {
        let known = self.ownership(database);
        Authority {
            roles: self.roles.clone(),
            database: known.owner.map(|owner| Object {
                owner: Some(owner),
                acl: known.acl,
            }),
            objects: acl::Objects::new(),
        }
    }

    /// Whether a role may do everything.
    pub fn is_superuser(&self, role: &str) -> bool {
        self.roles.is_superuser(role)
    }
}
