//! When slaves get copies, and from where.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use dbconfig::{HostService, ReplicationConfig};
use dbproto::Standing;
use tls::{ClientOptions, ClientTls};

use crate::cli::RawArguments;
use crate::credentials::{self, Credentials, Password};
use crate::error::ShipError;
use crate::served_log::Source;

/// When a slave gets a copy by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Init {
    /// Never.
    Never,
    /// Where the log does not hold what it needs next.
    #[default]
    Auto,
    /// An empty slave in any case, too.
    Always,
}

impl FromStr for Init {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "never" => Ok(Self::Never),
            "auto" => Ok(Self::Auto),
            "always" => Ok(Self::Always),
            _ => Err(format!("\"{text}\" is none of never, auto, always")),
        }
    }
}

/// See the module's page.
#[derive(Clone, Debug)]
pub struct Copies {
    /// When a slave gets one by itself.
    pub init: Init,
    /// A slave whose log differs gets one, too.
    pub resync: bool,
    /// The server of the log, where somebody has said it.
    given: Option<HostService>,
    /// By its configuration, where that tells the port.
    configured: Option<HostService>,
    /// The file in which the server says where it is reached, as long as it runs.
    lock: PathBuf,
    /// Who logs in there.
    pub credentials: Credentials,
    /// TLS to it.
    pub tls: ClientTls,
}

impl Copies {
    /// What command line, environment and file say. `at_slaves` is who logs in there, and the password that the
    /// environment has for the source.
    pub(crate) fn check(
        raw: &RawArguments,
        defaults: &ReplicationConfig,
        source: &Source,
        at_slaves: (&str, &Option<Password>, Option<String>),
    ) -> Result<Self, ShipError> {
        let (user, password, variable) = at_slaves;
        let init = raw.init.as_deref().or(defaults.init).map(str::parse);
        let init = init
            .transpose()
            .map_err(|why: String| ShipError::usage(format!("--init: {why}")))?;
        let address = raw.source.as_ref().or(defaults.source.as_ref());
        let address = address.map(|text| text.parse()).transpose();
        let address =
            address.map_err(|why: String| ShipError::usage(format!("--source: {why}")))?;
        let known = source.port.filter(|port| *port != 0);
        let known = known.and_then(|port| format!("{}:{port}", source.host).parse().ok());
        let file = raw.source_password_file.as_ref();
        let file = file.or(defaults.source_password_file.as_ref());
        let password = match (file, variable) {
            (Some(file), _) => Some(credentials::read(file)?),
            (None, Some(variable)) => Some(Password::new(variable)),
            (None, None) => password.clone(),
        };
        let named = raw.source_user.as_ref().or(defaults.source_user.as_ref());
        let tls = ClientTls::load(&ClientOptions::default());
        Ok(Self {
            init: init.unwrap_or_default(),
            resync: raw.resync || defaults.resync,
            given: address,
            configured: known,
            lock: source.data_dir.join("lock"),
            credentials: Credentials {
                user: named.map_or(user, String::as_str).to_owned(),
                password,
                file: file.cloned(),
            },
            tls: tls.map_err(|error| ShipError::usage(format!("--source: {error}")))?,
        })
    }

    /// Whether a slave that can't go on for this reason gets a copy.
    pub(crate) fn mends(&self, failure: &ShipError) -> bool {
        let asked = match failure.standing {
            Some(Standing::LogMissing) => self.init != Init::Never,
            Some(Standing::Diverged) => self.resync,
            _ => false,
        };
        // Where nobody knows whom to ask, the failure says what it is.
        asked && self.source().is_some()
    }

    /// The server of the log. What it says itself holds before its configuration, which may have been edited since.
    pub(crate) fn source(&self) -> Option<HostService> {
        let running = || reached_at(&std::fs::read_to_string(&self.lock).ok()?);
        self.given
            .clone()
            .or_else(running)
            .or(self.configured.clone())
    }
}

/// The first address in the lock file of a server, as this machine reaches it.
fn reached_at(lock: &str) -> Option<HostService> {
    let mut lines = lock.lines();
    let address = lines.find_map(|line| line.strip_prefix("address = "))?;
    let mut address: SocketAddr = address.parse().ok()?;
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address.to_string().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_running_server_says_where_it_is_reached() {
        let reached = |lock: &str| reached_at(lock).map(|address| address.to_string());
        let lock = "pid = 7\naddress = 0.0.0.0:8103\naddress = [::]:8103\n";
        assert_eq!(reached(lock).as_deref(), Some("127.0.0.1:8103"));
        let lock = "pid = 7\naddress = 192.0.2.1:1\n";
        assert_eq!(reached(lock).as_deref(), Some("192.0.2.1:1"));
        assert_eq!(reached("pid = 7\n"), None);
        assert_eq!(reached("address = here\n"), None);
    }
}
