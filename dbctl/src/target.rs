//! Which server is meant.

use dbconfig::{Config, HostService, Service};

use crate::args::Options;
use crate::error::{CommandError, Result};
use crate::secure::Tls;

/// One or more endpoints of the same server, to be tried in order.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) tls: Tls,
}

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            return write!(f, "[{}]:{}", self.host, self.port);
        }
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl Target {
    /// What -h and -s say; what they leave open comes from the configuration file.
    /// With -h, a file counts only when it was named by -c: the default one is about this machine.
    pub(crate) fn new(
        options: &Options,
        config: impl FnOnce() -> Result<Option<Config>>,
    ) -> Result<Self> {
        let (host, host_service) = match &options.host {
            Some(text) => HostService::split(text).map_err(CommandError::usage)?,
            None => (String::new(), None),
        };
        let service = match (host_service, &options.service) {
            (Some(service), _) => Some(service),
            (None, Some(text)) => Some(text.parse::<Service>().map_err(usage)?),
            (None, None) => None,
        };
        let remote = !host.is_empty();
        let needed = if remote {
            service.is_none() && options.config.is_some()
        } else {
            true
        };
        let config = if needed { config()? } else { None };
        let hosts = if remote {
            vec![host]
        } else {
            local_hosts(config.as_ref())
        };
        let service = service.or_else(|| config.map(|config| config.server.service));
        let port = service.unwrap_or_default().resolve().map_err(usage)?;
        if port == 0 {
            return Err(CommandError::usage(
                "Service = 0 lets the server pick a port, so nobody knows it here",
            )
            .with_hint("say with -s which port it took; its log names it"));
        }
        Ok(Self {
            endpoints: hosts
                .into_iter()
                .map(|host| Endpoint { host, port })
                .collect(),
            tls: Tls::from_arguments(&options.tls)?,
        })
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn usage(error: dbconfig::ServiceError) -> CommandError {
    CommandError::usage(error.to_string())
}

/// The addresses that a server of this configuration listens on, as a client uses them.
fn local_hosts(config: Option<&Config>) -> Vec<String> {
    let sockets = config
        .and_then(|config| config.server.sockets().ok())
        .unwrap_or_default();
    let mut hosts: Vec<String> = Vec::new();
    for socket in sockets {
        let host = match socket.ip() {
            ip if !ip.is_unspecified() => ip.to_string(),
            ip if ip.is_ipv4() => "127.0.0.1".to_owned(),
            _ => "::1".to_owned(),
        };
        if !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    if hosts.is_empty() {
        vec!["127.0.0.1".to_owned()]
    } else {
        hosts
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::Parser as _;

    use super::*;
    use crate::args::Arguments;

    fn target(words: &[&str], config: &str) -> Result<Vec<String>> {
        let words = ["dbctl"].iter().chain(words).copied().chain(["status"]);
        let options = Arguments::try_parse_from(words).unwrap().options;
        let config = (!config.is_empty()).then(|| {
            Config::parse(
                Path::new("/x.cfg"),
                &format!("[Server]\nDataDir=/d\n{config}"),
            )
        });
        let target = Target::new(&options, || Ok(config.transpose()?))?;
        Ok(target.endpoints.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn the_options_win_over_the_configuration() {
        let config = "Service = 9000\nListen = 192.0.2.1";
        assert_eq!(target(&[], config).unwrap(), ["192.0.2.1:9000"]);
        assert_eq!(target(&["-s", "9001"], config).unwrap(), ["192.0.2.1:9001"]);
        assert_eq!(target(&["-h", "db1:9002"], config).unwrap(), ["db1:9002"]);
        assert_eq!(
            target(&["-h", ":9003"], config).unwrap(),
            ["192.0.2.1:9003"]
        );
    }

    #[test]
    fn a_host_takes_its_service_from_a_file_only_when_that_was_named() {
        assert_eq!(
            target(&["-h", "db1"], "Service = 9000").unwrap(),
            ["db1:8102"]
        );
        assert_eq!(
            target(&["-c", "x", "-h", "db1"], "Service = 9000").unwrap(),
            ["db1:9000"]
        );
    }

    #[test]
    fn without_anything_it_is_this_machine() {
        assert_eq!(target(&[], "").unwrap(), ["127.0.0.1:8102"]);
        assert_eq!(
            target(&[], "Listen = *").unwrap(),
            ["127.0.0.1:8102", "[::1]:8102"]
        );
        assert_eq!(target(&[], "Listen = *\nService=7/6").unwrap(), ["[::1]:7"]);
    }

    #[test]
    fn a_port_that_nobody_knows_is_a_mistake() {
        assert!(
            target(&[], "Service = 0")
                .unwrap_err()
                .message
                .contains("pick a port")
        );
        assert!(target(&["-s", "99999"], "").is_err());
    }
}
