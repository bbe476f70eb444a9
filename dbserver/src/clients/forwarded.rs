//! A session that runs what another server's client writes: through whom it came.

use std::fmt;
use std::net::SocketAddr;

/// Who has logged in for the user of a session, and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Via {
    /// The user that the slave has logged in as.
    pub user: String,
    /// The slave.
    pub address: SocketAddr,
}

impl fmt::Display for Via {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}@{}", self.user, self.address)
    }
}
