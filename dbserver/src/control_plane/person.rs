//! Who gives a command.

use std::net::SocketAddr;

use fwlog::{Audit, DatabaseId, Timestamp};

use crate::environment::Environment;
use crate::peer::Peer;

/// The kind of what is no statement, in audit records.
const SERVER: &str = "SERVER";

/// Who gives a command.
#[derive(Debug, Clone, Copy)]
pub struct Person<'a> {
    /// The user.
    pub user: &'a str,
    /// From where.
    pub address: Peer,
}

impl<'a> Person<'a> {
    /// Who drives an environment from within this process.
    pub fn without_connection(user: &'a str) -> Self {
        let address = SocketAddr::from(([0; 4], 0)).into();
        Self { user, address }
    }

    /// The one line of the log for something that this person has done, and its audit record.
    pub fn has_done(&self, environment: &Environment, what: &str) {
        // By the name of the whole: where this file stands is nobody's business who reads the log.
        tracing::info!(target: "dbserver::control_plane", user = self.user, address = %self.address, "{what}");
        let audited = environment.audit(&Audit {
            time: Timestamp::now(),
            database: DatabaseId::new(0),
            user: self.user,
            client: &self.address.to_string(),
            statement: &format!("{SERVER}\n{what}"),
        });
        if let Err(error) = audited {
            tracing::error!(%error, "what was done has no audit record");
        }
    }
}
