//! What a session has read of its database's schema, valid as long as the schema's version stays.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

use dialect::TableInfo;

use crate::failure::Failure;

/// What a view reads.
#[derive(Debug)]
pub struct ViewReads {
    /// The view.
    pub view: String,
    /// Views and tables in the order in which they were made.
    pub made: i64,
    /// Tables or views, and their columns.
    pub reads: Vec<(String, String)>,
}

/// Tables and views by name in lower case; `None` where there is none of that name.
pub struct SchemaCache {
    version: Cell<Option<i64>>,
    generation: Cell<u64>,
    tables: RefCell<HashMap<String, Option<Rc<TableInfo>>>>,
    views: RefCell<Option<Rc<[ViewReads]>>>,
    /// The numbers of tables and views in the catalog.
    numbers: RefCell<Option<HashMap<String, u32>>>,
    schemas: RefCell<Option<Schemas>>,
    /// Why something could not be read, until the session looks.
    failed: RefCell<Option<Failure>>,
}

/// The schemas that users have made, and those in which names are looked up.
#[derive(Debug, Clone, Default)]
pub struct Schemas {
    /// All that users have made.
    pub made: Rc<[String]>,
    /// Those of the search path.
    pub path: Rc<[String]>,
}

impl Default for SchemaCache {
    fn default() -> Self {
        Self {
            version: Cell::new(None),
            generation: Cell::new(next_generation()),
            tables: RefCell::default(),
            views: RefCell::default(),
            numbers: RefCell::default(),
            schemas: RefCell::default(),
            failed: RefCell::default(),
        }
    }
}

impl SchemaCache {
    /// What was derived from the schema at this number is valid while the number stays. No two
    /// caches of the process ever have the same.
    pub fn generation(&self) -> u64 {
        self.generation.get()
    }

    /// Forgets what is older than the schema.
    pub fn refresh(&self, version: i64) {
        if self.version.get() != Some(version) {
            self.clear();
            self.version.set(Some(version));
        }
    }

    /// Forgets everything: the transaction that changed the schema is gone, or its text was edited.
    pub fn clear(&self) {
        self.version.set(None);
        self.generation.set(next_generation());
        self.tables.borrow_mut().clear();
        *self.views.borrow_mut() = None;
        *self.numbers.borrow_mut() = None;
        *self.schemas.borrow_mut() = None;
    }

    /// What was read; `None` where that failed, which [`Self::check`] tells then. Whoever asked goes on as if there were
    /// nothing, and nothing of that may be kept.
    pub fn noted<T>(&self, read: Result<T, Failure>) -> Option<T> {
        read.map_err(|failure| {
            tracing::debug!(error = %failure, "the schema could not be read");
            self.failed.borrow_mut().get_or_insert(failure);
        })
        .ok()
    }

    /// Whether all reads since the last [`Self::check`] have succeeded.
    pub fn is_sound(&self) -> bool {
        self.failed.borrow().is_none()
    }

    /// Fails, once, where a read has failed: what was made of the schema meanwhile is to be thrown away.
    pub fn check(&self) -> Result<(), Failure> {
        self.failed.take().map_or(Ok(()), Err)
    }

    /// What each view reads; `read` finds it when it is not known.
    pub fn view_reads(
        &self,
        read: impl FnOnce() -> Result<Vec<ViewReads>, Failure>,
    ) -> Rc<[ViewReads]> {
        if let Some(known) = &*self.views.borrow() {
            return Rc::clone(known);
        }
        let Some(found) = self.noted(read()) else {
            return Rc::default();
        };
        let found: Rc<[ViewReads]> = found.into();
        *self.views.borrow_mut() = Some(Rc::clone(&found));
        found
    }

    /// The schemas; `read` finds them when they are not known.
    pub fn schemas(&self, read: impl FnOnce() -> Result<Schemas, Failure>) -> Schemas {
        if let Some(known) = &*self.schemas.borrow() {
            return known.clone();
        }
        let Some(found) = self.noted(read()) else {
            return Schemas::default();
        };
        *self.schemas.borrow_mut() = Some(found.clone());
        found
    }

    /// The number of a table or view in the catalog; `read` gives the names of all in their order when they are not
    /// known.
    pub fn number(
        &self,
        name: &str,
        read: impl FnOnce() -> Result<Vec<String>, Failure>,
    ) -> Option<u32> {
        let mut known = self.numbers.borrow_mut();
        if known.is_none() {
            let names = self.noted(read())?;
            *known = Some(dialect::pg_catalog::relation_numbers(&names));
        }
        known.as_ref()?.get(name).copied()
    }

    /// The table or view of that name; `read` looks for it in the database when it is not known.
    pub fn table(
        &self,
        name: &str,
        read: impl FnOnce() -> Result<Option<TableInfo>, Failure>,
    ) -> Option<Rc<TableInfo>> {
        let key = name.to_ascii_lowercase();
        if let Some(known) = self.tables.borrow().get(&key) {
            return known.clone();
        }
        let found = self.noted(read())?.map(Rc::new);
        self.tables.borrow_mut().insert(key, found.clone());
        found
    }
}

fn next_generation() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use pgtypes::SqlState;

    use super::*;

    #[test]
    fn a_table_is_read_once_in_each_version_of_the_schema() {
        let cache = SchemaCache::default();
        cache.refresh(1);
        let generation = cache.generation();
        let there = || Ok(Some(TableInfo::default()));
        assert!(cache.table("T", there).is_some());
        assert!(cache.table("t", || Ok(None)).is_some());
        cache.refresh(1);
        assert_eq!(cache.generation(), generation);
        cache.refresh(2);
        assert!(cache.table("t", || Ok(None)).is_none());
        assert_ne!(cache.generation(), generation);
    }

    #[test]
    fn what_could_not_be_read_is_told_and_not_kept() {
        let cache = SchemaCache::default();
        cache.refresh(1);
        let fails = || Err(Failure::new(SqlState::QUERY_CANCELED, "canceled"));
        assert!(cache.table("t", fails).is_none());
        assert!(!cache.is_sound());
        let told = cache.check().unwrap_err();
        assert_eq!(told.sqlstate(), SqlState::QUERY_CANCELED);
        assert!(cache.is_sound() && cache.check().is_ok());
        assert!(
            cache
                .table("t", || Ok(Some(TableInfo::default())))
                .is_some()
        );
    }

    #[test]
    fn another_cache_has_other_generations() {
        let (one, other) = (SchemaCache::default(), SchemaCache::default());
        assert_ne!(one.generation(), other.generation());
    }
}
