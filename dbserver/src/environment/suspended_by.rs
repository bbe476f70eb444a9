//! Who suspends applying on a slave, as a value.

use serde::Serialize;

use crate::apply::readers::HeldBack;
use crate::databases::open_mode::OpenMode;
use crate::environment::status::{Shown, Time};

/// A session of a slave for which applying waits.
#[derive(Debug, Clone, Serialize)]
pub struct SuspendedBy {
    /// The database that is held back.
    pub database: String,
    /// Number of the session.
    pub session: i32,
    /// Its user.
    pub user: String,
    /// Its address.
    pub address: String,
    /// The mode in which it has the database open.
    pub mode: Shown<OpenMode>,
    /// Since when it has it open.
    pub since: Time,
}

impl From<&HeldBack> for SuspendedBy {
    fn from(held: &HeldBack) -> Self {
        Self {
            database: held.database.clone(),
            session: held.by.session,
            user: held.by.user.clone(),
            address: held.by.address.to_string(),
            mode: Shown(held.by.mode),
            since: Time(held.by.since),
        }
    }
}
