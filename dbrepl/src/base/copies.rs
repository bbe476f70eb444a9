//! When slaves get copies, and from where.

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
    /// The server of the log; `None`: its port can't be told.
    pub source: Option<HostService>,
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
            source: address.or(known),
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
        asked && self.source.is_some()
    }
}
