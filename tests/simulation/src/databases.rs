//! The databases of a server that the log is about, as opposed to those of that server alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use dbserver::databases::Database;
use dbserver::databases::list::SYSTEM_NAME;
use dbserver::environment::Environment;
use dbserver::environment::local::is_local;

/// The replicated ones that have pages there, `system` among them.
pub(crate) fn replicated(environment: &Environment) -> Vec<Arc<Database>> {
    let mut all = environment.databases();
    all.retain(|database| !is_local(database.id()));
    all
}

/// The names of those that clients use.
pub(crate) fn names_of(environment: &Environment) -> BTreeMap<u32, String> {
    let databases = replicated(environment);
    let all = databases
        .iter()
        .map(|database| (database.id().get(), database.name()));
    all.filter(|(_, name)| name != SYSTEM_NAME).collect()
}
