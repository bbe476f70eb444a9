//! The log that is sent, and what the configuration of its server says about it.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use dbconfig::{Config, ConfigError, HostService};
use dbproto::Role;
use fwlog::LogLocation;

use crate::error::ShipError;

/// Where the log is and what the master's configuration says about it.
#[derive(Clone, Debug)]
pub struct Source {
    /// The segments.
    pub location: LogLocation,
    /// The master's role.
    pub role: Role,
    /// Limit of its data files in bytes; 0 = none.
    pub volume_limit: u64,
    /// The server's instance.
    pub instance: String,
    /// Its own service port, where that can be told.
    pub port: Option<u16>,
    /// An address that it listens on.
    pub host: String,
    /// Where its environment is.
    pub data_dir: PathBuf,
    /// The configuration of its server.
    pub config: PathBuf,
}

impl Source {
    /// Reads the configuration of the server; gives its warnings, too.
    pub(crate) fn read(path: &Path) -> Result<(Self, Config), ShipError> {
        let config = Config::load(path).map_err(|error| not_configured(&error))?;
        let Some(log) = &config.forward_log.location else {
            return Err(ShipError::usage(format!(
                "{}: the master keeps no forward log",
                path.display()
            ))
            .hint(
                "set FwLog in section [ForwardLog], for example /fwlog/fw-%N, and restart the master",
            ));
        };
        if config.forward_log.audit_only {
            return Err(ShipError::usage(format!(
                "{}: AuditOnly = 1: the server keeps audit records alone, and nothing can be replicated from them",
                path.display()
            ))
            .hint("set AuditOnly = 0 and Role = Master, restart the server, and make the slave anew from it"));
        }
        let location = LogLocation::parse(log).map_err(|why| {
            ShipError::usage(format!(
                "{}: FwLog {}: {why}",
                path.display(),
                log.display()
            ))
        })?;
        let role = match config.replication.role {
            dbconfig::Role::Standalone => Role::Standalone,
            dbconfig::Role::Master => Role::Master,
            dbconfig::Role::Slave => Role::Slave,
        };
        let source = Self {
            location,
            role,
            instance: config.server.instance.clone(),
            volume_limit: config.volumes.max_size,
            port: config.server.service.resolve().ok(),
            host: host_of(&config.server.listen),
            data_dir: config.server.data_dir.clone(),
            config: path.to_owned(),
        };
        Ok((source, config))
    }

    /// A server that is sent its own log would be told that it is no slave, or worse, that it is up to date.
    pub(crate) fn refuse_itself(&self, slave: &HostService) -> Result<(), ShipError> {
        let here = matches!(slave.host.as_str(), "127.0.0.1" | "::1" | "localhost");
        let port = slave.service.resolve().ok();
        if here && port.is_some() && port == self.port {
            return Err(
                ShipError::usage(format!("{slave} is the server whose log is to be sent"))
                    .hint("-c names the configuration of the source; the address is the slave's"),
            );
        }
        Ok(())
    }
}

/// Where a server that listens there is reached from this machine.
fn host_of(listen: &[IpAddr]) -> String {
    match listen.first() {
        Some(address) if !address.is_unspecified() => match address {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        },
        _ => "localhost".to_owned(),
    }
}

/// A configuration that can't be used.
pub(crate) fn not_configured(error: &ConfigError) -> ShipError {
    ShipError::usage(error.to_string()).hint(error.hint().unwrap_or_default())
}
