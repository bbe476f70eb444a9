//! A session's place among those who have its database open, as this server and its slaves know it.

use std::sync::Arc;

use fwlog::DatabaseAccess;

use crate::databases::Database;
use crate::databases::open_mode::OpenMode;
use crate::databases::openings::Opened;
use crate::environment::Environment;

/// The session has the database open as long as this lives.
pub(super) struct OwnPlace {
    env: Arc<Environment>,
    database: Arc<Database>,
    announced: bool,
    _opened: Opened,
}

impl OwnPlace {
    /// The place in `opened`; slaves are told of a mode that leaves others less than all.
    pub(super) fn new(
        env: &Arc<Environment>,
        database: &Arc<Database>,
        mode: OpenMode,
        opened: Opened,
    ) -> Self {
        let access = mode.access();
        let announced = access != DatabaseAccess::Shared;
        let place = Self {
            env: Arc::clone(env),
            database: Arc::clone(database),
            announced,
            _opened: opened,
        };
        if announced {
            place.announce(access);
        }
        place
    }

    /// What can't be logged is no reason to keep the session out: nothing is written meanwhile, either.
    fn announce(&self, access: DatabaseAccess) {
        if let Err(error) = self.env.announce_access(&self.database, access) {
            tracing::warn!(%error, "slaves are not told who has database {} for itself", self.database.name());
        }
    }
}

impl Drop for OwnPlace {
    fn drop(&mut self) {
        if self.announced {
            self.announce(DatabaseAccess::Shared);
        }
    }
}
