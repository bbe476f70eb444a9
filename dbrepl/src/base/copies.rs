//! When slaves get copies, and from where.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use dbconfig::{HostService, ReplicationConfig};
use dbproto::Standing;
use fwlog::{LogDirectory, LogLocation};
use indicatif::BinaryBytes;
use tls::{ClientOptions, ClientTls};

use crate::cli::RawArguments;
use crate::credentials::{self, Credentials, Password};
use crate::error::{ExitCode, Retry, ShipError};
use crate::options::Goal;
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

/// A shorter log is sent without asking how large the data is.
const LONG_LOG: u64 = 64 << 20;

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
    /// Its environment, where the file `lock` says where it is reached, as long as it runs.
    data_dir: PathBuf,
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
            data_dir: source.data_dir.clone(),
            credentials: Credentials {
                user: named.map_or(user, String::as_str).to_owned(),
                password,
                file: file.cloned(),
            },
            tls: tls.map_err(|error| ShipError::usage(format!("--source: {error}")))?,
        })
    }

    /// Whether a slave that can't go on for this reason gets a copy. A copy is of now: with another goal than the log's
    /// end it would be too much.
    pub(crate) fn mends(&self, failure: &ShipError, goal: Goal) -> bool {
        if !matches!(goal, Goal::Follow | Goal::Synchronize) {
            return false;
        }
        let asked = match failure.standing {
            Some(Standing::LogMissing) => self.init != Init::Never,
            Some(Standing::Diverged) => self.resync,
            _ => false,
        };
        // Where nobody knows whom to ask, the failure says what it is.
        asked && self.source().is_some()
    }

    /// Why a slave without anything gets a copy, though the log could tell it all; `None`: it gets the log.
    pub(crate) fn before_the_log(&self, location: &LogLocation) -> Option<ShipError> {
        let why = match self.init {
            _ if self.source().is_none() => return None,
            Init::Never => return None,
            Init::Always => "an empty slave gets a copy (--init always)".to_owned(),
            Init::Auto => {
                let (log, data) = (log_bytes(location)?, data_bytes(&self.data_dir)?);
                if log <= LONG_LOG.max(data.saturating_mul(2)) {
                    return None;
                }
                let (log, data) = (BinaryBytes(log), BinaryBytes(data));
                format!("the log has {log}, the databases {data}: an empty slave gets a copy")
            }
        };
        let failure = ShipError::new(ExitCode::NoSynchronizationPoint, why);
        // Its server may only be down for a moment.
        let failure = failure.standing(Standing::LogMissing);
        Some(failure.retry(Retry::WhenFollowing))
    }

    /// The server of the log. What it says itself holds before its configuration, which may have been edited since.
    pub(crate) fn source(&self) -> Option<HostService> {
        let running = || {
            let address = dbconfig::running_at(&self.data_dir).ok()??;
            address.to_string().parse().ok()
        };
        self.given
            .clone()
            .or_else(running)
            .or(self.configured.clone())
    }
}

/// Bytes of all segments.
fn log_bytes(location: &LogLocation) -> Option<u64> {
    let directory = LogDirectory::scan(location).ok()?;
    let lengths = directory.segments().iter().map(|info| info.file_length);
    Some(lengths.sum())
}

/// Bytes of the data files; `None` where this process may not look.
fn data_bytes(data_dir: &Path) -> Option<u64> {
    let length = |path: PathBuf| fs::metadata(path).map_or(0, |found| found.len());
    let files = fs::read_dir(data_dir.join("db")).ok()?.flatten();
    let lengths = files.map(|file| length(file.path()));
    Some(lengths.sum::<u64>() + length(data_dir.join("system.db")))
}
