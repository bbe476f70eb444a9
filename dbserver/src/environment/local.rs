//! Local databases: those of a second, standalone environment in `DataDir/local`. It has a log and commits of its own,
//! nothing of it is replicated, and it is written whatever the role of the server is. Users and roles are those of the
//! server; who owns a local database, and what is granted on it, is kept beside it.
//!
//! ```text
//!  Environment (replicated) ── system.db: users, roles, what is granted on replicated databases
//!      └ local: Environment (Standalone, journal) ── system.db: what is granted on local databases
//! ```
//! A session opens one database, so no transaction is in both logs. Numbers tell the two apart: local ones begin at
//! [`FIRST`]. Names need not: where a replicated database has got the name of a local one, the name is the replicated one's,
//! and the local one is called `NAME@local`, as it may always be.

use std::sync::Arc;

use dbconfig::{Apply, Config, Role};
use fwlog::DatabaseId;

use crate::databases::Database;
use crate::databases::backup_mode::BackupModeEnd;
use crate::databases::layout::Layout;
use crate::databases::list::SYSTEM_DATABASE;
use crate::environment::state::Environment;
use crate::error::EngineError;

/// The number of the first local database; those of a log count from below, one each.
pub const FIRST: u32 = 1 << 31;

/// Behind the name of a local database.
const SUFFIX: &str = "@local";

/// Whether a database with this number is local.
pub fn is_local(id: DatabaseId) -> bool {
    id.get() >= FIRST
}

/// The configuration of the local environment of a server with this one.
pub(crate) fn config_of(config: &Config) -> Config {
    let mut own = config.clone();
    own.server.data_dir = Layout::local_of(&config.server.data_dir);
    own.server.repair_from.peers.clear();
    own.forward_log.location = None;
    own.forward_log.enable_audit = false;
    own.forward_log.audit_only = false;
    own.replication.role = Role::Standalone;
    own.replication.apply = Apply::All;
    own.replication.redirect_write.clear();
    own.replication.forward_writes = None;
    own.replication.verify_at = None;
    own.replication.synchronous.slaves = None;
    own
}

impl Environment {
    /// The environment of the local databases, once there is one.
    pub fn local(&self) -> Option<&Arc<Self>> {
        self.local_place().get()
    }

    /// From now on these are the local databases; the first word counts.
    pub(crate) fn adopt_local(&self, local: Arc<Self>) -> &Arc<Self> {
        local.core().databases().reserve(FIRST);
        self.core().end_backup_mode(BackupModeEnd::Local);
        self.local_place().get_or_init(|| local)
    }

    /// The environment that a database belongs to.
    pub fn home<'e>(self: &'e Arc<Self>, database: &Database) -> &'e Arc<Self> {
        match self.local() {
            Some(local) if is_local(database.id()) => local,
            _ => self,
        }
    }

    /// The database of that name: a replicated one, or else a local one.
    pub fn database(&self, name: &str) -> Result<Arc<Database>, EngineError> {
        match self.core().database(name) {
            Err(EngineError::NoSuchDatabase(name)) => self
                .local_database(&name)
                .ok_or(EngineError::NoSuchDatabase(name)),
            found => found,
        }
    }

    /// All databases, replicated and local, sorted by the names that they go by.
    pub fn databases(&self) -> Vec<Arc<Database>> {
        let mut all = self.core().databases().all();
        all.extend(self.local_databases());
        all.sort_by_cached_key(|database| (self.name_of(database), database.id()));
        all
    }

    /// The local ones, sorted by name.
    pub fn local_databases(&self) -> Vec<Arc<Database>> {
        let local = self.local();
        let mut all = local.map_or_else(Vec::new, |local| local.core().databases().all());
        all.retain(|database| database.id() != SYSTEM_DATABASE);
        all
    }

    /// The name by which a database is opened.
    pub fn name_of(&self, database: &Database) -> String {
        let name = database.name();
        if is_local(database.id()) && self.core().databases().has_name(&name) {
            return format!("{name}{SUFFIX}");
        }
        name
    }

    /// The names by which somebody who opens a database under this one is judged: another name of it lets nobody in whom the
    /// first one keeps out.
    pub fn names_of(&self, name: &str) -> Vec<String> {
        let bare = name.strip_suffix(SUFFIX);
        let bare = bare.filter(|_| self.local_home(name).is_some());
        [Some(name), bare]
            .into_iter()
            .flatten()
            .map(str::to_owned)
            .collect()
    }

    /// Whether clients may not write in the database of that name at present.
    pub fn is_read_only_in(&self, name: &str) -> bool {
        let is_local = self
            .database(name)
            .is_ok_and(|database| is_local(database.id()));
        self.is_read_only() && !is_local
    }

    /// The local environment, if the database of that name is one of it.
    pub(crate) fn local_home(&self, name: &str) -> Option<(&Arc<Self>, Arc<Database>)> {
        let database = self.database(name).ok()?;
        let local = self.local().filter(|_| is_local(database.id()))?;
        Some((local, database))
    }

    /// Whether a new database may not have this name: one of either kind has it.
    pub(crate) fn refuse_taken(&self, name: &str) -> Result<(), EngineError> {
        let bare = name.strip_suffix(SUFFIX).unwrap_or(name);
        if self.core().databases().has_name(name) || self.local_database(bare).is_some() {
            return Err(EngineError::DatabaseExists(name.to_owned()));
        }
        Ok(())
    }

    fn local_database(&self, name: &str) -> Option<Arc<Database>> {
        let databases = self.local()?.core().databases();
        let bare = name.strip_suffix(SUFFIX);
        let found = databases
            .by_name(name)
            .or_else(|| databases.by_name(bare?))?;
        (found.id() != SYSTEM_DATABASE).then_some(found)
    }
}
