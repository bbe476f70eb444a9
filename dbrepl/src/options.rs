//! The checked options: what the command line, the environment and the `-C` file say together, and
//! what the master's configuration adds.

use std::path::{Path, PathBuf, absolute};

use dbconfig::{ConnectParams, HostService, LogTarget, ReplicationConfig, default_path, value};
use fwlog::{Timestamp, when};
use tls::{ClientOptions, ClientTls, Mode, TlsError};

use crate::archive::ArchiveTarget;
use crate::base::Copies;
use crate::cli::RawArguments;
use crate::credentials::{self, Credentials, Password};
use crate::error::ShipError;
use crate::gate::Wanted;
use crate::served_log::{Source, not_configured};

/// How far to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// Follow the master for ever.
    Follow,
    /// Up to the end of the log as it is when it is reached.
    Synchronize,
    /// Up to the end of the generation that the slave stands in.
    Generation,
    /// Up to and including this point in time.
    Until(Timestamp),
}

/// Everything that was asked for, checked.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "one a switch of the command line"
)]
pub struct Options {
    /// The slaves, each once; none where a server runs this dbrepl, or where the log is archived.
    pub slaves: Vec<HostService>,
    /// Where the log is archived, instead of sent to slaves.
    pub archive: Option<ArchiveTarget>,
    /// The master's log.
    pub source: Source,
    /// Who logs in at each of them.
    pub credentials: Credentials,
    /// TLS to each of them.
    pub tls: ClientTls,
    /// When slaves get copies.
    pub copies: Copies,
    /// How far to go.
    pub goal: Goal,
    /// Limit in bits per second, for each slave.
    pub bandwidth: Option<u64>,
    /// What holds the log back on purpose, for each slave.
    pub gate: Wanted,
    /// Compress on the wire.
    pub compress: bool,
    /// How slaves are reached.
    pub connect: ConnectParams,
    /// A server runs this dbrepl, and says which slaves it feeds.
    pub managed: bool,
    /// Show progress.
    pub verbose: bool,
    /// Run in the background.
    pub daemon: bool,
    /// File for the process id.
    pub pid_file: Option<PathBuf>,
    /// Where messages go.
    pub log: LogTarget,
    /// Debug flags.
    pub debug: Option<String>,
    /// What to tell the operator before anything else.
    pub warnings: Vec<String>,
}

/// Looks up an environment variable.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Options {
    /// Checks the raw arguments, and reads the configuration files that they name.
    pub fn check(raw: RawArguments, environment: Environment<'_>) -> Result<Self, ShipError> {
        let defaults = match &raw.replication_config {
            Some(path) => ReplicationConfig::load(path).map_err(|error| not_configured(&error))?,
            None => ReplicationConfig::default(),
        };
        let variable = |name: &str| environment(name).filter(|value| !value.is_empty());
        let bandwidth = check_bandwidth(&raw, &defaults)?;
        let addresses = check_addresses(&raw, &defaults, variable("EQ_DBSERVER"));
        let archive = ArchiveTarget::check(addresses.as_deref(), &raw, &defaults, bandwidth)?;
        let to_archive = archive.is_some() || raw.archive.is_some();
        let addresses = addresses.filter(|_| !to_archive);
        let (slaves, goal) = check_wanted(&raw, &defaults, (addresses, to_archive))?;
        let tls = check_tls(&raw, &defaults)?;
        let (password, file) = check_password(&raw, &defaults, variable("EQ_DBPASSWORD"))?;
        let user = raw
            .user
            .clone()
            .or_else(|| variable("EQ_DBUSER"))
            .or(defaults.user.clone())
            .unwrap_or_else(|| "dba".to_owned());
        let gate = check_gate(&raw, &defaults)?;
        let config = raw
            .config
            .clone()
            .or_else(|| variable("EQ_CONFIG").map(PathBuf::from))
            .or(defaults.config.clone())
            .unwrap_or_else(default_path);
        let (source, server) = Source::read(&config)?;
        let archive = match &raw.archive {
            Some(name) => Some(ArchiveTarget::of_section(&server, name, &raw, bandwidth)?),
            None => archive,
        };
        for slave in &slaves {
            source.refuse_itself(slave)?;
        }
        let copies = Copies::check(
            &raw,
            &defaults,
            &source,
            (&user, &password, variable("EQ_SOURCEPASSWORD")),
        )?;
        let connect = check_connect(&raw, &defaults)?;
        let daemon = (raw.daemon || defaults.daemon) && !raw.managed;
        let log = check_log(raw.log_file.as_deref(), defaults.log_file, daemon);
        Ok(Self {
            slaves,
            archive,
            source,
            credentials: Credentials {
                user,
                password,
                file,
            },
            tls,
            copies,
            goal,
            bandwidth,
            gate,
            compress: raw.compress || defaults.compress,
            connect,
            managed: raw.managed,
            verbose: raw.verbose || defaults.verbose,
            daemon,
            pid_file: raw.pid_file.or(defaults.pid_file),
            log,
            debug: raw.debug.or(defaults.debug),
            warnings: server.warnings,
        })
    }
}

/// The slaves, or the archive, as they were written.
fn check_addresses(
    raw: &RawArguments,
    defaults: &ReplicationConfig,
    variable: Option<String>,
) -> Option<String> {
    // By the name of its section it has no address here.
    if raw.archive.is_some() {
        return None;
    }
    let words = (!raw.servers.is_empty()).then(|| raw.servers.join(","));
    words.or(variable).or_else(|| defaults.server.clone())
}

/// Which slaves, and how far; where a server runs this dbrepl, that says which, and there is no end.
fn check_wanted(
    raw: &RawArguments,
    defaults: &ReplicationConfig,
    (addresses, to_archive): (Option<String>, bool),
) -> Result<(Vec<HostService>, Goal), ShipError> {
    if raw.managed {
        return Ok((Vec::new(), Goal::Follow));
    }
    if to_archive {
        return Ok((Vec::new(), check_goal(raw, defaults)?));
    }
    Ok((check_slaves(addresses)?, check_goal(raw, defaults)?))
}

fn check_connect(
    raw: &RawArguments,
    defaults: &ReplicationConfig,
) -> Result<ConnectParams, ShipError> {
    match &raw.connect_params {
        Some(text) => text
            .parse()
            .map_err(|why| ShipError::usage(format!("--connect-params: {why}"))),
        None => Ok(defaults.connect),
    }
}

/// In the background nobody reads a console.
fn check_log(given: Option<&str>, default: LogTarget, daemon: bool) -> LogTarget {
    match given.map_or(default, log_target) {
        LogTarget::Console if daemon => LogTarget::Syslog,
        log => log,
    }
}

/// Addresses with commas or blanks between them.
fn check_slaves(addresses: Option<String>) -> Result<Vec<HostService>, ShipError> {
    let addresses = addresses.unwrap_or_default();
    let is_between = |c: char| c == ',' || c.is_whitespace();
    let mut slaves: Vec<HostService> = Vec::new();
    for address in addresses.split(is_between).filter(|it| !it.is_empty()) {
        let slave = check_slave(address)?;
        let place = |slave: &HostService| {
            (
                slave.host.to_ascii_lowercase(),
                slave.service.resolve().ok(),
            )
        };
        if slaves.iter().any(|other| place(other) == place(&slave)) {
            return Err(
                ShipError::usage(format!("slave server address: {slave} is given twice"))
                    .hint("give each slave once"),
            );
        }
        slaves.push(slave);
    }
    if slaves.is_empty() {
        return Err(ShipError::usage("no slave server was given").hint(
            "give its address as host:service, or set EQ_DBSERVER; dbrepl --help shows all options",
        ));
    }
    Ok(slaves)
}

fn check_slave(address: &str) -> Result<HostService, ShipError> {
    let bare = address.bytes().all(|byte| byte.is_ascii_digit());
    if bare {
        return Err(ShipError::usage(format!(
            "slave server address: '{address}' is a number, not a host"
        ))
        .hint(format!("a port of this machine is :{address}")));
    }
    let slave: HostService = address
        .parse()
        .map_err(|why: String| ShipError::usage(format!("slave server address: {why}")))?;
    slave
        .service
        .resolve()
        .map_err(|why| ShipError::usage(format!("slave server address: {why}")))?;
    Ok(slave)
}

/// Bits per second; `None`: no limit.
fn check_bandwidth(
    raw: &RawArguments,
    defaults: &ReplicationConfig,
) -> Result<Option<u64>, ShipError> {
    let bandwidth = match &raw.bandwidth {
        Some(text) => value::bandwidth(text)
            .map(Some)
            .map_err(|why| ShipError::usage(format!("--bandwidth: {why}")))?,
        None => defaults.bandwidth,
    };
    Ok(bandwidth.filter(|bits| *bits > 0))
}

/// What comes as a copy goes through no gate.
fn check_gate(raw: &RawArguments, defaults: &ReplicationConfig) -> Result<Wanted, ShipError> {
    let delay = match &raw.delay {
        Some(text) => {
            value::duration(text).map_err(|why| ShipError::usage(format!("--delay: {why}")))?
        }
        None => defaults.delay,
    };
    let filter = raw.filter.clone().or_else(|| defaults.filter.clone());
    let gate = Wanted { delay, filter };
    let always = raw.init.as_deref().or(defaults.init) == Some("always");
    if !gate.is_off() && (always || raw.resync || defaults.resync) {
        return Err(ShipError::usage(
            "--delay and --filter do not go with --init always or --resync: a copy is of now, and goes through no gate",
        )
        .hint("make the copy with a dbrepl of its own, then start this one"));
    }
    Ok(gate)
}

fn check_goal(raw: &RawArguments, defaults: &ReplicationConfig) -> Result<Goal, ShipError> {
    // What the command line says about the goal replaces all that the file says about it.
    let said = raw.sync || raw.generation || raw.until.is_some();
    let (sync, generation, until) = if said {
        (raw.sync, raw.generation, raw.until.clone())
    } else {
        (defaults.sync, defaults.generation, defaults.until.clone())
    };
    match (sync, generation, until) {
        (false, false, None) => Ok(Goal::Follow),
        (true, false, None) => Ok(Goal::Synchronize),
        (false, true, None) => Ok(Goal::Generation),
        (false, false, Some(text)) => when::parse(&text)
            .map(Goal::Until)
            .map_err(|why| ShipError::usage(format!("--until: {why}"))),
        _ => Err(ShipError::usage("only one of -S, -G and -T can be given")),
    }
}

/// The password, and the file that it is from.
fn check_password(
    raw: &RawArguments,
    defaults: &ReplicationConfig,
    variable: Option<String>,
) -> Result<(Option<Password>, Option<PathBuf>), ShipError> {
    let given = raw
        .password
        .clone()
        .map(|it| (Some(Password::new(it)), None));
    let in_file = |path: &Path| Ok((Some(credentials::read(path)?), Some(path.to_owned())));
    match (given, &raw.password_file, variable) {
        (Some(given), ..) => Ok(given),
        (None, Some(path), _) => in_file(path),
        (None, None, Some(password)) => Ok((Some(Password::new(password)), None)),
        (None, None, None) => match &defaults.password_file {
            Some(path) => in_file(path),
            None => Ok((defaults.password.as_ref().map(Password::new), None)),
        },
    }
}

/// The mode and its files: the command line wins over the file for each of them.
fn check_tls(raw: &RawArguments, defaults: &ReplicationConfig) -> Result<ClientTls, ShipError> {
    let mode = raw.tls.as_deref().or(defaults.tls);
    let mode = mode.map(str::parse::<Mode>).transpose();
    let either =
        |raw: &Option<PathBuf>, file: &Option<PathBuf>| raw.as_ref().or(file.as_ref()).cloned();
    let certificate = match (
        either(&raw.cert_file, &defaults.cert_file),
        either(&raw.key_file, &defaults.key_file),
    ) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        _ => return Err(ShipError::usage("cert-file and key-file belong together")),
    };
    let options = ClientOptions {
        mode: mode
            .map_err(|why| ShipError::usage(format!("--tls: {why}")))?
            .unwrap_or_default(),
        authorities: either(&raw.ca_file, &defaults.ca_file),
        certificate,
    };
    ClientTls::load(&options).map_err(|error| {
        let names = match error {
            TlsError::NoAuthorities(_) => "; --ca-file names it",
            _ => "",
        };
        ShipError::usage(format!("--tls: {error}{names}"))
    })
}

fn log_target(text: &str) -> LogTarget {
    match text.to_ascii_lowercase().as_str() {
        "console" => LogTarget::Console,
        "syslog" => LogTarget::Syslog,
        // Stays right when the background process works elsewhere.
        _ => LogTarget::File(absolute(text).unwrap_or_else(|_| PathBuf::from(text))),
    }
}

#[cfg(test)]
mod tests;
