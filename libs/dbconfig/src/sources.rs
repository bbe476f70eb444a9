//! `Sources`: the slaves that a server feeds by itself.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::instance;
use crate::keys::Section::{Replication, Server};
use crate::reader::Reader;
use crate::service::{HostService, host_services};
use crate::tls::Tls;
use crate::value;

/// Sources that a server has at most, unless it is said otherwise.
pub const MAX_SOURCES: u32 = 256;

/// A slave by its name, and where it is: `NAME@host:service`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedSlave {
    /// Name of its instance.
    pub name: String,
    /// Where it is.
    pub address: HostService,
}

impl FromStr for NamedSlave {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, address) = text.split_once('@').ok_or_else(|| {
            format!("`{text}` is not NAME@host:service: the name is that of the slave's instance")
        })?;
        let name = instance::checked(name.trim())?;
        let address = host_services(address.trim())?;
        match <[HostService; 1]>::try_from(address) {
            Ok([address]) => Ok(Self { name, address }),
            Err(_) => Err(format!("`{text}` has more than one address")),
        }
    }
}

impl fmt::Display for NamedSlave {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}@{}", self.name, self.address)
    }
}

/// The slaves that a server feeds by itself, through a dbrepl that it runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// Each once.
    pub slaves: Vec<NamedSlave>,
    /// The file with the options of the dbrepl, as of `dbrepl -C`; none = it logs in as `PeerUser`.
    pub config: Option<PathBuf>,
    /// So many there may be.
    pub limit: usize,
}

pub(crate) fn read(reader: &mut Reader) -> Sources {
    use Replication as S;
    let limit = reader.get(S, "MaxSources", |text| match value::number(text)? {
        0 => Err("at least 1 is needed".to_owned()),
        number => Ok(number),
    });
    let slaves = reader.optional(S, "Sources", slaves).unwrap_or_default();
    let limit = limit as usize;
    if slaves.len() > limit {
        let message = format!("there are {} sources (MaxSources = {limit})", slaves.len());
        reader.problem(S, "Sources", message);
    }
    Sources {
        slaves,
        config: reader.path(S, "SourcesConfig"),
        limit,
    }
}

fn slaves(text: &str) -> Result<Vec<NamedSlave>, String> {
    let mut slaves: Vec<NamedSlave> = Vec::new();
    let words = text.split(',').map(str::trim);
    for word in words.filter(|word| !word.is_empty()) {
        let slave: NamedSlave = word.parse()?;
        if slaves.iter().any(|other| other.name == slave.name) {
            return Err(format!("two slaves are called {}", slave.name));
        }
        if slaves.iter().any(|other| other.address == slave.address) {
            return Err(format!("{} is given twice", slave.address));
        }
        slaves.push(slave);
    }
    Ok(slaves)
}

/// A source needs a log, another name than this server's, and somebody to log in as.
pub(crate) fn check(
    reader: &mut Reader,
    sources: &Sources,
    (own_name, has_log): (&str, bool),
    (has_password, tls): (bool, Option<&Tls>),
) {
    const KEY: &str = "Sources";
    if sources.slaves.is_empty() {
        return;
    }
    if sources.slaves.iter().any(|slave| slave.name == own_name) {
        let message = format!("source and slave are both called {own_name}");
        reader.problem(Replication, KEY, message);
    }
    if !has_log && !reader.is_faulty(crate::keys::Section::ForwardLog, "FwLog") {
        reader.problem(
            Replication,
            KEY,
            "Sources needs FwLog: what is sent is the forward log",
        );
    }
    let has_login = sources.config.is_some()
        || has_password
        || tls.is_some()
        || reader.is_faulty(Replication, "SourcesConfig")
        || reader.is_faulty(Replication, "PeerPasswordFile")
        || reader.is_faulty(Server, "TlsCert");
    if !has_login {
        reader.problem(
            Replication,
            KEY,
            "Sources needs PeerPasswordFile in [Replication]: the file with the password of PeerUser on the slaves (or SourcesConfig, a file as of dbrepl -C)",
        );
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::Config;

    fn config(replication: &str) -> Result<Sources, String> {
        let text = format!(
            "[Server]\nDataDir = /data\nInstance = north\n[ForwardLog]\nFwLog = log/fw-%N\n[Replication]\n{replication}\n"
        );
        let config = Config::parse(Path::new("/etc/eloqdb.cfg"), &text);
        let config = config.map_err(|error| error.to_string())?;
        Ok(config.replication.sources)
    }

    #[test]
    fn each_slave_has_a_name_and_an_address() {
        let sources =
            config("PeerPasswordFile = pw\nSources = south@south.example.com:8102, west@:9000\n")
                .unwrap();
        let shown: Vec<String> = sources.slaves.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            ["south@south.example.com:8102", "west@127.0.0.1:9000"]
        );
        assert_eq!((sources.limit, sources.config), (256, None));
        assert_eq!(config("").unwrap().slaves, []);
        let own = config("SourcesConfig = repl.cfg\nSources = west@:9000\nMaxSources = 1").unwrap();
        assert_eq!(own.config.as_deref(), Some(Path::new("/etc/repl.cfg")));
    }

    #[test]
    fn what_cannot_be_a_source_is_refused() {
        for (text, said) in [
            ("Sources = south:8102", "is not NAME@host:service"),
            (
                "Sources = a-name-that-is-long@s:1",
                "is not an instance name",
            ),
            (
                "Sources = south@s:1, south@t:1",
                "two slaves are called south",
            ),
            ("Sources = south@s:1, west@s:1", "s:1 is given twice"),
            (
                "Sources = north@s:1",
                "source and slave are both called north",
            ),
            (
                "Sources = a@s:1, b@s:2\nMaxSources = 1",
                "there are 2 sources (MaxSources = 1)",
            ),
            ("MaxSources = 0", "at least 1 is needed"),
        ] {
            let told = config(&format!("PeerPasswordFile = pw\n{text}")).unwrap_err();
            assert!(told.contains(said), "{text}: {told}");
        }
        let told = config("Sources = south@s:1").unwrap_err();
        assert!(told.contains("Sources needs PeerPasswordFile"), "{told}");
        let text =
            "[Server]\nDataDir = /d\n[Replication]\nPeerPasswordFile = pw\nSources = south@s:1\n";
        let told = Config::parse(Path::new("/etc/eloqdb.cfg"), text)
            .unwrap_err()
            .to_string();
        assert!(told.contains("Sources needs FwLog"), "{told}");
    }
}
