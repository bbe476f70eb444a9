//! `dbserver --check`: what a start would meet, without one. Nothing is changed.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process;

use dbconfig::syslog::{SYSTEM_LOG, Syslog};
use dbconfig::{Config, LogTarget};
use disk::Disk;
use fwlog::Timestamp;

use crate::databases::host::Host;
use crate::databases::layout::Layout;
use crate::environment;
use crate::error::EngineError;
use crate::pg::secure::Certificates;
use crate::server::{local_socket, owner};

/// What was found, one line each.
#[derive(Debug, Default)]
pub struct Found {
    /// The lines, in the order in which a start would look.
    pub lines: Vec<String>,
    /// How many of them keep the server from starting.
    pub failures: usize,
}

impl Found {
    fn good(&mut self, what: impl Into<String>) {
        self.lines.push(format!("ok: {}", what.into()));
    }

    fn bad(&mut self, what: impl Into<String>) {
        self.failures += 1;
        self.lines.push(format!("error: {}", what.into()));
    }

    /// What a start would say.
    fn failure(&mut self, error: &EngineError) {
        let hint = error.hint().map(|hint| format!("; {hint}"));
        self.bad(format!("{error}{}", hint.unwrap_or_default()));
    }

    fn doubtful(&mut self, what: impl Into<String>) {
        self.lines.push(format!("warning: {}", what.into()));
    }

    /// A directory in which the server must make files.
    fn directory(&mut self, key: &str, path: &Path) {
        let shown = format!("{key} {}", path.display());
        match fs::metadata(path) {
            Ok(found) if !found.is_dir() => self.bad(format!("{shown} is not a directory")),
            Ok(found) => match tempfile_in(path) {
                Ok(()) => self.good(format!("{shown} (mode {:o})", found.mode() & 0o7777)),
                Err(error) => self.bad(format!("{shown}: no file can be made there: {error}")),
            },
            Err(error) => {
                let hint = disk::missing_hint(path).map(|hint| format!("; {hint}"));
                self.bad(format!("{shown}: {error}{}", hint.unwrap_or_default()));
            }
        }
    }
}

/// Makes a file without content there, and removes it. A full disk keeps no server from starting.
pub(super) fn tempfile_in(directory: &Path) -> std::io::Result<()> {
    use std::io::ErrorKind;

    let path = directory.join(format!(".eloqdb-check-{}", process::id()));
    let mut options = fs::OpenOptions::new();
    match options.write(true).create_new(true).open(&path) {
        Ok(_) => fs::remove_file(&path),
        // Another process of this number has left it: in containers all have the same.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => fs::remove_file(&path),
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded
            ) =>
        {
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Looks at folders, files and ports of a configuration that can be read.
pub fn look(config: &Config) -> Found {
    let mut found = Found::default();
    found.good(format!("configuration {}", config.path.display()));
    for warning in &config.warnings {
        found.doubtful(warning);
    }
    let data_dir = &config.server.data_dir;
    let control = data_dir.join("control");
    match fs::metadata(&control) {
        Ok(_) => {
            found.directory("DataDir", data_dir);
            if let Err(error) = environment::may_start(&Host::system(), config) {
                found.failure(&error);
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            found.failure(&Layout::new(Disk::real(), data_dir).no_environment());
        }
        Err(error) => found.bad(format!("{}: {error}", control.display())),
    }
    whose(data_dir, &mut found);
    if let Ok(directory) = fs::metadata(data_dir)
        && directory.mode() & 0o027 != 0
    {
        found.doubtful(format!(
            "DataDir {} is open to others (mode {:o}); close it with chmod 700",
            data_dir.display(),
            directory.mode() & 0o777
        ));
    }
    match config
        .forward_log
        .location
        .as_deref()
        .and_then(Path::parent)
    {
        Some(directory) => found.directory("FwLog", directory),
        None => found.doubtful("FwLog is not set: there is no forward log, and nothing for slaves"),
    }
    found.directory("TmpDir", &config.replication.tmp_dir);
    for file in config.late_password_files() {
        match file.check() {
            Ok(()) => found.good(format!("{} {}", file.key, file.path.display())),
            Err(why) => found.doubtful(why),
        }
    }
    log_file(&config.server.log_file, &mut found);
    certificate(config, &mut found);
    ports(config, &mut found);
    unix_socket(config, &mut found);
    found
}

/// Where log lines would go.
fn log_file(target: &LogTarget, found: &mut Found) {
    match target {
        LogTarget::Console => {}
        LogTarget::Syslog => match Syslog::open("dbserver") {
            Ok(_) => found.good(format!("LogFile {SYSTEM_LOG}")),
            Err(error) => found.bad(format!("LogFile {SYSTEM_LOG}: {error}")),
        },
        LogTarget::File(path) => match path.parent() {
            Some(directory) if !path.exists() => found.directory("LogFile", directory),
            _ => match fs::OpenOptions::new().append(true).open(path) {
                Ok(_) => found.good(format!("LogFile {}", path.display())),
                Err(error) => found.bad(format!("LogFile {}: {error}", path.display())),
            },
        },
    }
}

/// The certificate, its key and the authorities.
fn certificate(config: &Config, found: &mut Found) {
    match Certificates::load(config) {
        Ok(certificates) => {
            let Some(facts) = certificates.facts() else {
                return;
            };
            let until = Timestamp::from_micros(
                u64::try_from(facts.not_after).unwrap_or_default() * 1_000_000,
            );
            let what = format!(
                "TlsCert, SHA-256 {}, valid until {until}",
                facts.fingerprint
            );
            if until < Timestamp::now() {
                found.doubtful(format!(
                    "{what}: it is over, and clients that look refuse it"
                ));
            } else {
                found.good(what);
            }
        }
        Err(error) => found.bad(error.to_string()),
    }
}

/// The one server that may run it is this one, as far as user and lock tell.
fn whose(data_dir: &Path, found: &mut Found) {
    let layout = Layout::new(Disk::real(), data_dir);
    for refused in [owner::refuse_other(data_dir), layout.refuse_running()] {
        if let Err(error) = refused {
            found.failure(&error);
        }
    }
}

/// The Unix socket. The default directory is there where the service unit has made it.
fn unix_socket(config: &Config, found: &mut Found) {
    let Some(directory) = &config.server.socket_dir else {
        return;
    };
    let path = &directory.path;
    if directory.is_default && !path.exists() {
        return;
    }
    if let Err(error) = tempfile_in(path) {
        let told = format!(
            "SocketDir {}: no file can be made there: {error}",
            path.display()
        );
        if directory.is_default {
            found.doubtful(format!("{told}; there will be no Unix socket"));
        } else {
            found.bad(told);
        }
        return;
    }
    if let Some(danger) = local_socket::danger(path) {
        found.doubtful(danger);
    }
    // With port 0 nobody knows its name yet.
    let port = config.server.service.resolve().unwrap_or_default();
    match local_socket::look(path, port) {
        Ok(path) => found.good(format!("Unix socket {}", path.display())),
        Err(why) if directory.is_default => found.doubtful(why),
        Err(why) => found.bad(why),
    }
}

/// Each address is taken for a moment.
fn ports(config: &Config, found: &mut Found) {
    let server = &config.server;
    for (key, sockets) in [
        ("Service", server.sockets()),
        ("ServiceHttp", server.http_sockets()),
        ("ServiceHttps", server.https_sockets()),
    ] {
        match sockets {
            Ok(addresses) => try_ports(config, addresses, found),
            Err(error) => found.bad(format!("{key} cannot be resolved: {error}")),
        }
    }
}

fn try_ports(config: &Config, addresses: Vec<SocketAddr>, found: &mut Found) {
    for address in addresses {
        match TcpListener::bind(address) {
            Ok(_) => found.good(format!("port {address}")),
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
                found.bad(format!(
                    "port {address} is used: a server runs already, or another program"
                ));
            }
            Err(error)
                if error.kind() == std::io::ErrorKind::AddrNotAvailable
                    && !config.server.listen_is_default =>
            {
                found.bad(format!(
                    "port {address}: this machine has no such address; set Listen"
                ));
            }
            Err(error) if config.server.listen_is_default => {
                found.doubtful(format!("port {address}: {error}"));
            }
            Err(error) => found.bad(format!("port {address}: {error}")),
        }
    }
}
