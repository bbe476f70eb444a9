//! Where a connection can be opened: what a name stands for.

use std::fmt::Display;
use std::net::SocketAddr;

use peers::driver::DriverTls;
use tokio::net::lookup_host;

use crate::connection::CANNOT_REACH;
use crate::error::{CommandError, Result};
use crate::socket_owner;
use crate::target::{Endpoint, LocalEndpoint};

/// One address of an endpoint, or a Unix socket. Each has its time: a name may have some where nobody is.
pub(crate) struct Place {
    pub(crate) way: Way,
    /// For messages.
    pub(crate) shown: String,
    pub(crate) tls: DriverTls,
}

/// How a place is reached.
pub(crate) enum Way {
    Network { host: String, address: SocketAddr },
    Local(LocalEndpoint),
}

impl Way {
    /// Tells the driver.
    pub(crate) fn name_in(&self, config: &mut tokio_postgres::Config) {
        match self {
            Self::Network { host, address } => config
                .host(host)
                .hostaddr(address.ip())
                .port(address.port()),
            Self::Local(local) => config.host_path(&local.directory).port(local.port),
        };
    }
}

impl Place {
    /// All places of an endpoint, in the order of the resolver.
    ///
    /// Error: the name has no address, or the Unix socket is a stranger's.
    pub(crate) async fn of(endpoint: &Endpoint, tls: &DriverTls) -> Result<Vec<Self>> {
        let unknown = |why: &dyn Display| {
            CommandError::unreachable(format!("{CANNOT_REACH} {endpoint}: {why}"))
        };
        let (host, port) = match endpoint {
            Endpoint::Network { host, port } => (host, *port),
            Endpoint::Local(local) => {
                socket_owner::check(local)?;
                return Ok(vec![Self {
                    way: Way::Local(local.clone()),
                    shown: endpoint.to_string(),
                    tls: DriverTls(tls::ClientTls::none()),
                }]);
            }
        };
        let found = lookup_host((host.as_str(), port)).await;
        let addresses: Vec<SocketAddr> = found.map_err(|error| unknown(&error))?.collect();
        if addresses.is_empty() {
            return Err(unknown(&"the name has no address"));
        }
        let shown = |address: &SocketAddr| match addresses.as_slice() {
            [_] => endpoint.to_string(),
            _ => format!("{endpoint} ({})", address.ip()),
        };
        Ok(addresses
            .iter()
            .map(|address| Self {
                way: Way::Network {
                    host: host.clone(),
                    address: *address,
                },
                shown: shown(address),
                tls: tls.clone(),
            })
            .collect())
    }
}
