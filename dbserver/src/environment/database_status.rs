//! The databases, as values.

use pagestore::PAGE_SIZE;
use serde::Serialize;

use crate::environment::local::is_local;
use crate::environment::state::Environment;

/// A database.
#[derive(Debug, Clone, Serialize)]
pub struct DatabaseStatus {
    /// Its name.
    pub database: String,
    /// Its number, which stays when it gets another name.
    pub number: u32,
    /// Pages at its newest durable commit.
    pub pages: u32,
    /// Their bytes.
    pub size_bytes: u64,
    /// Sessions that have it open.
    pub sessions: usize,
    /// Its file in `DataDir`.
    pub file: String,
    /// Whether it has pages here: a slave may leave databases out.
    pub applied: bool,
    /// Whether it is in the log that slaves get; a local one is of this server alone.
    pub replicated: bool,
}

impl DatabaseStatus {
    /// All databases, by name; also those that a slave leaves out.
    pub fn all(environment: &Environment) -> Vec<Self> {
        let databases = environment.databases();
        let applied = databases.iter().map(|database| {
            let pages = database.store().snapshot_durable().page_count();
            Self {
                database: environment.name_of(database),
                number: database.id().get(),
                pages,
                size_bytes: u64::from(pages) * PAGE_SIZE as u64,
                sessions: database.open_sessions(),
                file: if is_local(database.id()) {
                    format!("local/{}", database.file())
                } else {
                    database.file().to_owned()
                },
                applied: true,
                replicated: !is_local(database.id()),
            }
        });
        let left_out = environment.core().databases().left_out();
        let left_out = left_out.into_iter().map(|entry| Self {
            database: entry.name,
            number: entry.id.get(),
            pages: 0,
            size_bytes: 0,
            sessions: 0,
            file: String::new(),
            applied: false,
            replicated: true,
        });
        let mut all: Vec<Self> = applied.chain(left_out).collect();
        all.sort_by(|one, other| one.database.cmp(&other.database));
        all
    }
}
