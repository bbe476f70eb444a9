//! Sections of the configuration for databases that are not there.

use dbconfig::DatabaseName;

use crate::databases::list::SYSTEM_NAME;
use crate::environment::Environment;

/// Warns of them: it may be a typing mistake, or the database comes later.
pub(super) fn warn_of_unknown(environment: &Environment) {
    let entries = environment.core().databases().entries();
    let mut known: Vec<DatabaseName> = entries
        .iter()
        .map(|entry| DatabaseName::new(&entry.name))
        .collect();
    known.push(DatabaseName::new(SYSTEM_NAME));
    for (name, place) in environment.config().access.databases() {
        if !known.contains(name) {
            tracing::warn!(
                "{place} is for a database that is not there; it holds once there is one"
            );
        }
    }
}
