//! The databases of an environment, by name and by number.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use fwlog::DatabaseId;

use crate::databases::control::DatabaseEntry;
use crate::databases::database::Database;
use crate::databases::layout::SYSTEM_FILE;
use crate::error::EngineError;

/// The database that holds users and privileges.
pub const SYSTEM_DATABASE: DatabaseId = DatabaseId::new(1);
/// Its name.
pub const SYSTEM_NAME: &str = "system";
/// Most databases of an environment: each takes open files.
pub const MAX_DATABASES: usize = 4096;
/// Longest name of a database, in bytes, as in PostgreSQL.
pub const MAX_NAME: usize = 63;

#[derive(Debug, Default)]
struct Maps {
    by_name: BTreeMap<String, Arc<Database>>,
    by_id: HashMap<DatabaseId, Arc<Database>>,
    /// Those that the log has and this slave does not apply.
    left_out: BTreeMap<DatabaseId, DatabaseEntry>,
}

impl Maps {
    /// The name of a database becomes free, unless it belongs to a newer one by now.
    fn forget_name(&mut self, database: &Database) {
        let name = database.name();
        let named = self.by_name.get(&name);
        if named.is_some_and(|named| named.id() == database.id()) {
            self.by_name.remove(&name);
        }
    }
}

/// All databases, shared by sessions, applier and checkpoints.
#[derive(Debug, Default)]
pub struct Databases {
    maps: RwLock<Maps>,
    /// The highest number that was ever used.
    highest: AtomicU32,
}

impl Databases {
    /// The database with that name.
    pub fn by_name(&self, name: &str) -> Option<Arc<Database>> {
        self.read().by_name.get(name).cloned()
    }

    /// The database with that number.
    pub fn by_id(&self, id: DatabaseId) -> Option<Arc<Database>> {
        self.read().by_id.get(&id).cloned()
    }

    /// All, sorted by name.
    pub fn all(&self) -> Vec<Arc<Database>> {
        let mut all: Vec<_> = self.read().by_id.values().cloned().collect();
        all.sort_by_cached_key(|database| (database.name(), database.id()));
        all
    }

    /// Bytes of memory that their page versions take.
    pub fn memory_bytes(&self) -> u64 {
        let maps = self.read();
        let stores = maps.by_id.values().map(|database| database.store());
        stores.map(|store| store.memory().bytes).sum()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.read().by_id.len()
    }

    /// The list for the control file, sorted by number: also those that are not applied.
    pub fn entries(&self) -> Vec<DatabaseEntry> {
        let mut entries: Vec<_> = self.all().iter().map(|database| database.entry()).collect();
        entries.extend(self.left_out());
        entries.sort_by_key(|entry| entry.id);
        entries
    }

    /// Those that the log has and this slave does not apply, sorted by number.
    pub fn left_out(&self) -> Vec<DatabaseEntry> {
        self.read().left_out.values().cloned().collect()
    }

    /// Whether the log has a database of that number that this slave does not apply.
    pub fn is_left_out(&self, id: DatabaseId) -> bool {
        self.read().left_out.contains_key(&id)
    }

    /// Whether there is a database of that name, applied or not.
    pub fn has_name(&self, name: &str) -> bool {
        let maps = self.read();
        maps.by_name.contains_key(name) || maps.left_out.values().any(|entry| entry.name == name)
    }

    /// The file of a database, which one that is not applied may have later.
    pub fn file_of(&self, id: DatabaseId) -> Option<String> {
        let maps = self.read();
        let applied = maps.by_id.get(&id).map(|database| database.file());
        let left_out = || maps.left_out.get(&id).map(|entry| &*entry.file);
        applied.or_else(left_out).map(str::to_owned)
    }

    /// The number for the next new database: none is ever used twice.
    pub fn next_id(&self) -> DatabaseId {
        DatabaseId::new(self.highest.load(Ordering::Acquire).saturating_add(1))
    }

    /// Numbers below `next` were used, whatever became of their databases.
    pub fn reserve(&self, next: u32) {
        self.highest
            .fetch_max(next.saturating_sub(1), Ordering::AcqRel);
    }

    /// A file name for a database of that name which no other database uses.
    pub fn file_for(&self, id: DatabaseId, name: &str) -> String {
        if id == SYSTEM_DATABASE {
            return SYSTEM_FILE.to_owned();
        }
        let safe: String = name
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') {
                    c
                } else {
                    '_'
                }
            })
            .collect();
        let plain = format!("{safe}.db");
        let free = safe == name && self.entries().iter().all(|other| other.file != plain);
        if free {
            plain
        } else {
            format!("{safe}-{}.db", id.get())
        }
    }

    /// Takes in a database.
    pub fn insert(&self, database: Arc<Database>) {
        self.reserve(database.id().get().saturating_add(1));
        let mut maps = self.maps.write().unwrap_or_else(PoisonError::into_inner);
        maps.by_name.insert(database.name(), Arc::clone(&database));
        maps.by_id.insert(database.id(), database);
    }

    /// Notes a database that is not applied.
    pub fn leave_out(&self, entry: DatabaseEntry) {
        assert!(!entry.applied, "a database with pages is not left out");
        self.reserve(entry.id.get().saturating_add(1));
        let mut maps = self.maps.write().unwrap_or_else(PoisonError::into_inner);
        maps.left_out.insert(entry.id, entry);
    }

    /// Forgets a database that is not applied.
    pub fn forget_left_out(&self, id: DatabaseId) -> Option<DatabaseEntry> {
        let mut maps = self.maps.write().unwrap_or_else(PoisonError::into_inner);
        maps.left_out.remove(&id)
    }

    /// Takes out a database.
    pub fn remove(&self, id: DatabaseId) -> Option<Arc<Database>> {
        let mut maps = self.maps.write().unwrap_or_else(PoisonError::into_inner);
        let database = maps.by_id.remove(&id)?;
        maps.forget_name(&database);
        Some(database)
    }

    /// Gives a database another name.
    pub fn rename(&self, id: DatabaseId, name: &str) {
        let mut maps = self.maps.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(database) = maps.by_id.get(&id).cloned() {
            maps.forget_name(&database);
            database.rename(name.to_owned());
            maps.by_name.insert(name.to_owned(), database);
        } else if let Some(entry) = maps.left_out.get_mut(&id) {
            name.clone_into(&mut entry.name);
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Maps> {
        // The maps are changed in steps that cannot panic halfway.
        self.maps.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether there may be one database more than `count`.
pub fn check_room(count: usize) -> Result<(), EngineError> {
    if count < MAX_DATABASES {
        return Ok(());
    }
    Err(EngineError::State {
        message: format!("there are {MAX_DATABASES} databases already"),
        hint: Some("Drop one, or use another environment.".into()),
    })
}

/// Whether a new database may have this name.
pub fn check_name(name: &str) -> Result<(), EngineError> {
    let why = if name.is_empty() {
        "it is empty"
    } else if name.len() > MAX_NAME {
        "it is longer than 63 bytes"
    } else if name.chars().any(char::is_control) {
        "it has control characters"
    } else if name == SYSTEM_NAME {
        "it is the name of the server's own database"
    } else {
        return Ok(());
    };
    Err(EngineError::BadDatabaseName {
        name: name.chars().take(80).collect(),
        why,
    })
}

#[cfg(test)]
mod tests {
    use pgtypes::SqlState;

    use super::*;

    #[test]
    fn names_are_checked() {
        assert!(check_name("shop").is_ok());
        assert!(check_name("Überseehandel & Söhne").is_ok());
        for bad in [
            "",
            "system",
            "a\nb",
            &"x".repeat(64),
            &"y".repeat(1_000_000),
        ] {
            let error = check_name(bad).unwrap_err();
            assert_eq!(error.sqlstate(), SqlState::INVALID_NAME);
            assert!(
                error.to_string().len() < 300,
                "a long name does not flood the log"
            );
        }
    }

    #[test]
    fn odd_names_get_plain_file_names_of_their_own() {
        let databases = Databases::default();
        let id = DatabaseId::new(7);
        assert_eq!(databases.file_for(id, "shop"), "shop.db");
        assert_eq!(databases.file_for(id, "../shop"), "___shop-7.db");
        assert_eq!(databases.file_for(SYSTEM_DATABASE, "system"), "system.db");
    }
}
