//! How many sessions a user may have, and a database.

use pgtypes::SqlState;

use crate::clients::entry::{NewSession, SessionEntry};
use crate::failure::Failure;

/// How many sessions a user, and a database, may have; `None`: any number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Of the user.
    pub user: Option<usize>,
    /// In the database.
    pub database: Option<usize>,
}

impl Limits {
    /// Refuses one more than there may be (53300).
    pub(super) fn check<'a>(
        self,
        open: &(impl Iterator<Item = &'a SessionEntry> + Clone),
        who: &NewSession,
    ) -> Result<(), Failure> {
        let count = |is: &dyn Fn(&SessionEntry) -> bool| {
            let own = open.clone().filter(|entry| entry.redirected().is_none());
            own.filter(|entry| is(entry)).count()
        };
        let full = |what: &str, name: &str| {
            let message = format!("too many connections for {what} \"{name}\"");
            Failure::fatal(SqlState::TOO_MANY_CONNECTIONS, message)
        };
        if let Some(limit) = self.user
            && count(&|entry| entry.user == who.user) >= limit
        {
            return Err(full("role", &who.user));
        }
        if let Some(limit) = self.database
            && count(&|entry| entry.database == who.database) >= limit
        {
            return Err(full("database", &who.database));
        }
        Ok(())
    }
}
