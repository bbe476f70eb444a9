//! Databases are made, dropped and renamed.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use fwlog::RecordBuffer;

use crate::databases::Database;
use crate::databases::control::DatabaseEntry;
use crate::databases::list::{SYSTEM_DATABASE, check_name, check_room};
use crate::databases::permit::Interrupt;
use crate::environment::master::Master;
use crate::error::EngineError;

/// How long DROP DATABASE waits for sessions that are about to leave, as PostgreSQL does.
const LEAVING: Duration = Duration::from_secs(5);
/// How often it looks whether they have.
pub(super) const LEAVING_POLL: Duration = Duration::from_millis(10);

impl Master {
    /// Makes a database; durable when it returns.
    pub fn create_database(&self, name: &str) -> Result<(), EngineError> {
        let core = self.core();
        check_name(name)?;
        let _one_at_a_time = core.one_author();
        if core.databases().by_name(name).is_some() {
            return Err(EngineError::DatabaseExists(name.to_owned()));
        }
        check_room(core.databases().count())?;
        let id = core.databases().next_id();
        let file = core.databases().file_for(id, name);
        core.files().refuse_strange(&file)?;
        let entry = DatabaseEntry {
            id,
            name: name.to_owned(),
            file,
            applied: true,
        };
        let database = Arc::new(core.files().create(entry, core.horizon())?);
        let mut records = RecordBuffer::new();
        records.create_database(id, name, "");
        self.append_durably(records)?;
        core.databases().insert(database);
        Ok(())
    }

    /// Drops a database; durable when it returns.
    pub fn drop_database(&self, name: &str) -> Result<(), EngineError> {
        let core = self.core();
        let database = self.unused(name)?;
        let interrupt = Interrupt::for_this_thread();
        let permit = database.acquire_permit(&interrupt, None)?;
        let _one_at_a_time = core.one_author();
        refuse_in_use(&database)?;
        let mut records = RecordBuffer::new();
        records.drop_database(database.id(), name);
        self.append_durably(records)?;
        core.databases().remove(database.id());
        self.committer().forget(database.id());
        core.files().remove(&database);
        drop(permit);
        Ok(())
    }

    /// Gives a database another name; durable when it returns.
    pub fn rename_database(&self, name: &str, new_name: &str) -> Result<(), EngineError> {
        let core = self.core();
        check_name(new_name)?;
        let database = self.unused(name)?;
        let _one_at_a_time = core.one_author();
        if core.databases().by_name(new_name).is_some() {
            return Err(EngineError::DatabaseExists(new_name.to_owned()));
        }
        refuse_in_use(&database)?;
        let mut records = RecordBuffer::new();
        records.rename_database(database.id(), name, new_name);
        self.append_durably(records)?;
        core.databases().rename(database.id(), new_name);
        Ok(())
    }

    /// The database, once its sessions have left; most of those who are leaving need a moment.
    fn unused(&self, name: &str) -> Result<Arc<Database>, EngineError> {
        let database = self.core().database(name)?;
        if database.id() == SYSTEM_DATABASE {
            return Err(EngineError::Denied(format!(
                "database \"{name}\" belongs to the server"
            )));
        }
        let deadline = Instant::now() + LEAVING;
        while database.open_sessions() > 0 && Instant::now() < deadline {
            thread::park_timeout(LEAVING_POLL);
        }
        refuse_in_use(&database)?;
        Ok(database)
    }
}

/// Checked again when nothing else can happen to the database.
fn refuse_in_use(database: &Database) -> Result<(), EngineError> {
    match database.open_sessions() {
        0 => Ok(()),
        sessions => Err(EngineError::DatabaseInUse {
            name: database.name(),
            sessions,
        }),
    }
}
