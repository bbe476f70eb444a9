//! What keeps a role from being dropped.

use rusqlite::Connection;

use crate::databases::list::{SYSTEM_DATABASE, SYSTEM_NAME};
use crate::environment::Environment;
use crate::error::EngineError;
use crate::system::statement::{internal, read};
use crate::system::{ownership, stored_rights};

/// Refuses to drop a role that owns something, or that has been granted something or has granted it, in any database.
pub(super) fn refuse(
    environment: &Environment,
    connection: &Connection,
    role: &str,
) -> Result<(), EngineError> {
    let mut found = Vec::new();
    let mut owned = ownership::all(connection).map_err(internal)?;
    if let Some(local) = environment.local() {
        let system = local.core().database(SYSTEM_NAME)?;
        owned.extend(read(&system, ownership::all)?);
    }
    for database in environment.databases() {
        if database.id() == SYSTEM_DATABASE {
            continue;
        }
        let name = environment.name_of(&database);
        if let Some(known) = owned.get(&database.id().get()) {
            if known.owner.as_deref() == Some(role) {
                found.push(format!("owner of database {name}"));
            }
            if known.acl.as_ref().is_some_and(|acl| acl.names(role)) {
                found.push(format!("privileges for database {name}"));
            }
        }
        let rights = read(&database, stored_rights::read)?;
        for ((kind, object), known) in &rights.objects {
            if known.owner.as_deref() == Some(role) {
                found.push(format!(
                    "owner of {} {object} in database {name}",
                    kind.name()
                ));
            }
            if known.acl.as_ref().is_some_and(|acl| acl.names(role)) {
                found.push(format!(
                    "privileges for {} {object} in database {name}",
                    kind.name()
                ));
            }
        }
        for (maker, kind, acl) in &rights.future {
            if maker == role || acl.names(role) {
                found.push(format!(
                    "default privileges on new {}s belonging to role {maker} in database {name}",
                    kind.name()
                ));
            }
        }
    }
    if found.is_empty() {
        return Ok(());
    }
    Err(EngineError::RoleInUse {
        name: role.to_owned(),
        dependents: found.join("\n"),
    })
}
