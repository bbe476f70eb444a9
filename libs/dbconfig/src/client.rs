//! The client file: which server a person means as a rule, and as whom.

use std::env;
use std::path::{Path, PathBuf};

use crate::error::ConfigError;
use crate::keys::Section;
use crate::load::text;
use crate::password_file;
use crate::reader::{Lookup, Reader, process_environment, read_text};
use crate::tls;

/// The place of the file below the home directory.
const BELOW_HOME: &str = ".config/eloqdb/client.cfg";

/// The section `[client]`, whose keys are the long names of the options. What is none was not said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientConfig {
    /// Server: a host, `host:service`, or the directory of a Unix socket.
    pub host: Option<String>,
    /// Its port or service name.
    pub service: Option<String>,
    /// User.
    pub user: Option<String>,
    /// Password.
    pub password: Option<String>,
    /// File whose first line is the password.
    pub password_file: Option<PathBuf>,
    /// TLS to the server, one of libpq's words.
    pub tls: Option<&'static str>,
    /// Authorities of the server's certificate.
    pub ca_file: Option<PathBuf>,
    /// Own certificate.
    pub cert_file: Option<PathBuf>,
    /// Its private key.
    pub key_file: Option<PathBuf>,
}

impl ClientConfig {
    /// The file that `EQ_CLIENTFILE` names, else the one below the home directory, if that is there; without either,
    /// nothing is said.
    ///
    /// Error: it can't be read, has mistakes, or has a password and is open to others.
    pub fn load() -> Result<Self, ConfigError> {
        match place(&process_environment) {
            Some((path, is_named)) if is_named || path.exists() => Self::read(&path),
            _ => Ok(Self::default()),
        }
    }

    fn read(path: &Path) -> Result<Self, ConfigError> {
        let config = Self::parse_with(path, &read_text(path)?, &process_environment)?;
        if config.password.is_some() {
            password_file::refuse_open(path)?;
        }
        Ok(config)
    }

    /// Checks a text as the content of the file `path`, which need not exist.
    pub fn parse(path: &Path, content: &str) -> Result<Self, ConfigError> {
        Self::parse_with(path, content, &process_environment)
    }

    fn parse_with(
        path: &Path,
        content: &str,
        environment: Lookup<'_>,
    ) -> Result<Self, ConfigError> {
        use Section::Client as S;
        let mut reader = Reader::new(path, content, &Section::CLIENT_FILE, environment)?;
        let config = Self {
            host: reader.optional(S, "host", text),
            service: reader.optional(S, "service", text),
            user: reader.optional(S, "user", text),
            password: reader.optional(S, "password", text),
            password_file: reader.path(S, "password-file"),
            tls: reader.optional(S, "tls", tls::mode),
            ca_file: reader.path(S, "ca-file"),
            cert_file: reader.path(S, "cert-file"),
            key_file: reader.path(S, "key-file"),
        };
        reader.finish()?;
        Ok(config)
    }
}

/// Where the file is, and whether somebody has named it. A variable that is empty names none.
fn place(environment: Lookup<'_>) -> Option<(PathBuf, bool)> {
    match environment("EQ_CLIENTFILE") {
        Some(path) if path.is_empty() => None,
        Some(path) => Some((path.into(), true)),
        None => {
            let home = environment("HOME")
                .map(PathBuf::from)
                .or_else(env::home_dir)?;
            Some((home.join(BELOW_HOME), false))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_variable_names_the_file_and_may_say_that_there_is_none() {
        let place = |named: Option<&str>| {
            place(&|name| match name {
                "EQ_CLIENTFILE" => named.map(str::to_owned),
                _ => Some("/srv/ann".to_owned()),
            })
        };
        assert_eq!(place(Some("/c.cfg")), Some(("/c.cfg".into(), true)));
        assert_eq!(place(Some("")), None);
        let home = "/srv/ann/.config/eloqdb/client.cfg";
        assert_eq!(place(None), Some((home.into(), false)));
    }

    #[test]
    fn keys_are_the_long_names_of_the_options() {
        let text =
            "[client]\nhost = db1\nservice = 9000\nuser = ann\ntls = verify-full\nca-file = ca.pem";
        let config = ClientConfig::parse(Path::new("/srv/ann/client.cfg"), text).unwrap();
        assert_eq!(config.host.as_deref(), Some("db1"));
        assert_eq!(config.tls, Some("verify-full"));
        assert_eq!(config.ca_file.unwrap(), Path::new("/srv/ann/ca.pem"));
        let wrong = ClientConfig::parse(Path::new("/c.cfg"), "[client]\nhosts = x").unwrap_err();
        assert!(wrong.to_string().contains("did you mean host?"), "{wrong}");
    }

    #[test]
    fn a_file_with_a_password_is_its_owners_alone() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"[client]\npassword = secret\n").unwrap();
        for (mode, good) in [(0o644, false), (0o640, false), (0o600, true)] {
            let permissions = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(file.path(), permissions).unwrap();
            let read = ClientConfig::read(file.path()).map_err(|error| error.to_string());
            assert_eq!(read.is_ok(), good, "{mode:o}");
            if let Err(told) = read {
                assert!(
                    told.contains("chmod 600") && !told.contains("secret"),
                    "{told}"
                );
            }
        }
    }
}
