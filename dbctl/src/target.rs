//! Which server is meant.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use dbconfig::{Config, HostService, Service, SocketDir, socket_path};

use tls::Mode;

use peers::driver::DriverTls;

use crate::args::Options;
use crate::error::{CommandError, Result};
use crate::secure;

/// One or more endpoints of the same server, to be tried in order.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) tls: DriverTls,
}

/// One way to a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// By the network.
    Network { host: String, port: u16 },
    /// By a Unix socket.
    Local(LocalEndpoint),
}

/// A Unix socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LocalEndpoint {
    pub(crate) directory: PathBuf,
    pub(crate) port: u16,
    pub(crate) path: PathBuf,
    /// The environment of its server, as far as a configuration tells that.
    pub(crate) data_dir: Option<PathBuf>,
    /// Nobody has asked for it: a server that refuses there is asked by the network.
    pub(crate) is_tried: bool,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Network { host, port } => write!(f, "{host}:{port}"),
            Self::Local(local) => write!(f, "{}", local.path.display()),
        }
    }
}

/// What -h says.
enum Host {
    /// This machine, as the configuration says.
    Here,
    Name(String),
    /// The directory of a Unix socket: what begins with a slash, as for all clients of libpq.
    Directory(PathBuf),
}

impl Target {
    /// What -h and -s say; what they leave open comes from the configuration file.
    /// With -h, a file counts only when it was named by -c: the default one is about this machine.
    pub(crate) fn new(
        options: &Options,
        config: impl FnOnce() -> Result<Option<Config>>,
    ) -> Result<Self> {
        let (host, host_service) = match &options.host {
            Some(text) if text.starts_with('/') => (Host::Directory(text.into()), None),
            Some(text) => match HostService::split(text).map_err(CommandError::usage)? {
                (name, service) if name.is_empty() => (Host::Here, service),
                (name, service) => (Host::Name(name), service),
            },
            None => (Host::Here, None),
        };
        let service = match (host_service, &options.service) {
            (Some(service), _) => Some(service),
            (None, Some(text)) => Some(text.parse::<Service>().map_err(usage)?),
            (None, None) => None,
        };
        let is_needed = match host {
            Host::Here => true,
            // Whose server it should be, the configuration tells, too.
            Host::Directory(_) => options.config.is_some(),
            Host::Name(_) => service.is_none() && options.config.is_some(),
        };
        let config = if is_needed { config()? } else { None };
        let port = match (service, &config) {
            (Some(service), _) => service.resolve(),
            (None, Some(config)) => config.server.service.resolve(),
            (None, None) => Service::default().resolve(),
        };
        let port = match (port.map_err(usage)?, &config) {
            (0, Some(config)) if !matches!(host, Host::Name(_)) => picked_port(config)?,
            (0, _) => {
                return Err(CommandError::usage(
                    "Service = 0 lets the server pick a port, so nobody knows it here",
                )
                .with_hint("say with -s which port it took; its log names it"));
            }
            (port, _) => port,
        };
        let requires_tls = options.tls.tls.is_some_and(Mode::is_required);
        let endpoints = match host {
            Host::Name(host) => vec![Endpoint::Network { host, port }],
            Host::Directory(directory) => {
                let local = LocalEndpoint::new(&directory, port, config.as_ref(), false);
                vec![Endpoint::Local(local?)]
            }
            Host::Here => {
                let socket = config.as_ref().filter(|_| !requires_tls);
                let socket = socket.and_then(|config| LocalEndpoint::of(config, port));
                let hosts = local_hosts(config.as_ref()).into_iter();
                let network = hosts.map(|host| Endpoint::Network { host, port });
                let socket = socket.map(Endpoint::Local).into_iter();
                socket.chain(network).collect()
            }
        };
        Ok(Self {
            endpoints,
            tls: secure::from_arguments(&options.tls)?,
        })
    }
}

impl LocalEndpoint {
    fn new(directory: &Path, port: u16, config: Option<&Config>, is_tried: bool) -> Result<Self> {
        Ok(Self {
            path: socket_path(directory, port).map_err(CommandError::usage)?,
            directory: directory.to_owned(),
            port,
            data_dir: config.map(|config| config.server.data_dir.clone()),
            is_tried,
        })
    }

    /// The socket of a server of this configuration, if there is one. The driver takes a name that begins with a slash
    /// for a directory.
    fn of(config: &Config, port: u16) -> Option<Self> {
        let SocketDir { path, .. } = config.server.socket_dir.as_ref()?;
        let directory = std::path::absolute(path).ok()?;
        let found = Self::new(&directory, port, Some(config), true).ok()?;
        found.path.exists().then_some(found)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn usage(error: dbconfig::ServiceError) -> CommandError {
    CommandError::usage(error.to_string())
}

/// The port that the server of this configuration has picked: it says so while it runs.
fn picked_port(config: &Config) -> Result<u16> {
    let data_dir = &config.server.data_dir;
    let lock = data_dir.join("lock");
    let nobody = || {
        let message = format!(
            "the server of {} does not run: Service = 0 lets it pick a port, and {} names none",
            config.path.display(),
            lock.display()
        );
        CommandError::unreachable(message).with_hint("Start it, or say with -s which port it took.")
    };
    match dbconfig::running_at(data_dir) {
        Ok(Some(address)) => Ok(address.port()),
        Ok(None) => Err(nobody()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(nobody()),
        Err(error) => Err(CommandError::io("read", &lock, &error).with_hint(
            "Service = 0 lets the server pick a port: say with -s which one, its log names it.",
        )),
    }
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
    fn what_begins_with_a_slash_is_the_directory_of_a_socket() {
        assert_eq!(
            target(&["-h", "/run/x"], "").unwrap(),
            ["/run/x/.s.PGSQL.8102"]
        );
        assert_eq!(
            target(&["-h", "/run/x", "-s", "7"], "").unwrap(),
            ["/run/x/.s.PGSQL.7"]
        );
        let config = "Service = 9000";
        assert_eq!(
            target(&["-c", "x", "-h", "/run/x"], config).unwrap(),
            ["/run/x/.s.PGSQL.9000"]
        );
        let long = format!("/{}", "x".repeat(100));
        let refused = target(&["-h", &long], "").unwrap_err();
        assert!(refused.message.contains("107"), "{}", refused.message);
    }

    #[test]
    fn a_socket_that_is_there_is_tried_first_unless_tls_is_required() {
        let directory = tempfile::tempdir().unwrap();
        let config = format!(
            "Listen = 127.0.0.1\nSocketDir = {}",
            directory.path().display()
        );
        assert_eq!(target(&[], &config).unwrap(), ["127.0.0.1:8102"]);
        let path = directory.path().join(".s.PGSQL.8102");
        let _socket = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let path = path.display().to_string();
        assert_eq!(
            target(&[], &config).unwrap(),
            [path.as_str(), "127.0.0.1:8102"]
        );
        assert_eq!(target(&["-h", "db1"], &config).unwrap(), ["db1:8102"]);
        assert_eq!(
            target(&["--tls", "require"], &config).unwrap(),
            ["127.0.0.1:8102"]
        );
    }

    #[test]
    fn a_port_that_nobody_knows_is_a_mistake() {
        for words in [&["-s", "0"][..], &["-c", "x", "-h", "db1"]] {
            let config = if words.contains(&"-c") {
                "Service = 0"
            } else {
                ""
            };
            let refused = target(words, config).unwrap_err();
            assert!(
                refused.message.contains("pick a port"),
                "{}",
                refused.message
            );
        }
        assert!(target(&["-s", "99999"], "").is_err());
    }

    #[test]
    fn the_port_that_a_server_has_picked_stands_in_its_lock_file() {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().display();
        let target = || {
            let words = ["dbctl", "status"];
            let options = Arguments::try_parse_from(words).unwrap().options;
            let text = format!("[Server]\nDataDir={data}\nService=0\nListen=127.0.0.1");
            let config = Config::parse(Path::new("/x.cfg"), &text)?;
            let target = Target::new(&options, || Ok(Some(config)))?;
            Ok::<_, CommandError>(target.endpoints[0].to_string())
        };
        let lock = directory.path().join("lock");
        let write = |content: &str| {
            let disk = disk::Disk::real();
            disk.write_atomic(&lock, content.as_bytes(), 0o600).unwrap();
        };
        for content in [None, Some(""), Some("pid = 7\n")] {
            if let Some(content) = content {
                write(content);
            }
            let refused = target().unwrap_err();
            assert_eq!(refused.exit, crate::error::Exit::Unreachable);
            assert!(refused.message.contains("does not run"));
        }
        write("pid = 7\naddress = 127.0.0.1:4711\n");
        assert_eq!(target().unwrap(), "127.0.0.1:4711");
    }
}
