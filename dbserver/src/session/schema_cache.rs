//! What a session has read of its database's schema, valid as long as the schema's version stays.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

use dialect::TableInfo;

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
}

/// The schemas that users have made, and those in which names are looked up.
#[derive(Debug, Clone)]
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

    /// What each view reads; `read` finds it when it is not known.
    pub fn view_reads(&self, read: impl FnOnce() -> Vec<ViewReads>) -> Rc<[ViewReads]> {
        if let Some(known) = &*self.views.borrow() {
            return Rc::clone(known);
        }
        let found: Rc<[ViewReads]> = read().into();
        *self.views.borrow_mut() = Some(Rc::clone(&found));
        found
    }

    /// The schemas; `read` finds them when they are not known.
    pub fn schemas(&self, read: impl FnOnce() -> Schemas) -> Schemas {
        if let Some(known) = &*self.schemas.borrow() {
            return known.clone();
        }
        let found = read();
        *self.schemas.borrow_mut() = Some(found.clone());
        found
    }

    /// The number of a table or view in the catalog; `read` gives the names of all in their order when they are not
    /// known.
    pub fn number(&self, name: &str, read: impl FnOnce() -> Vec<String>) -> Option<u32> {
        let mut known = self.numbers.borrow_mut();
        let numbers = known.get_or_insert_with(|| dialect::pg_catalog::relation_numbers(&read()));
        numbers.get(name).copied()
    }

    /// The table or view of that name; `read` looks for it in the database when it is not known.
    pub fn table(
        &self,
        name: &str,
        read: impl FnOnce() -> Option<TableInfo>,
    ) -> Option<Rc<TableInfo>> {
        let key = name.to_ascii_lowercase();
        if let Some(known) = self.tables.borrow().get(&key) {
            return known.clone();
        }
        let found = read().map(Rc::new);
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
    use super::*;

    #[test]
    fn a_table_is_read_once_in_each_version_of_the_schema() {
        let cache = SchemaCache::default();
        cache.refresh(1);
        let generation = cache.generation();
        assert!(cache.table("T", || Some(TableInfo::default())).is_some());
        assert!(cache.table("t", || None).is_some());
        cache.refresh(1);
        assert_eq!(cache.generation(), generation);
        cache.refresh(2);
        assert!(cache.table("t", || None).is_none());
        assert_ne!(cache.generation(), generation);
    }

    #[test]
    fn another_cache_has_other_generations() {
        let (one, other) = (SchemaCache::default(), SchemaCache::default());
        assert_ne!(one.generation(), other.generation());
    }
}
