//! The command line of the dbrepl that the sources run in.

use std::env;
use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use dbconfig::Config;

/// Variables that would change what it does: its options come from the configuration alone. The last one is the
/// server's way to systemd.
const NOT_ITS_OWN: [&str; 6] = [
    "EQ_CONFIG",
    "EQ_DBSERVER",
    "EQ_DBUSER",
    "EQ_DBPASSWORD",
    "EQ_SOURCEPASSWORD",
    "NOTIFY_SOCKET",
];

/// A program, and its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Program {
    path: PathBuf,
    words: Vec<OsString>,
}

impl Program {
    /// The dbrepl that lies beside this server, for its configuration.
    pub(crate) fn of(config: &Config) -> Self {
        // Where the own place can't be told, the system looks for it.
        let own = env::current_exe().ok();
        let path = own.map_or_else(|| PathBuf::from(NAME), |own| own.with_file_name(NAME));
        let words = words(config);
        Self { path, words }
    }

    /// Where it lies.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A process that speaks over pipes. It is in a group of its own: what a terminal sends to the server is not for it.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command
            .args(&self.words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        for variable in NOT_ITS_OWN {
            command.env_remove(variable);
        }
        command
    }
}

const NAME: &str = "dbrepl";

/// `SourcesConfig` says all, where there is one.
fn words(config: &Config) -> Vec<OsString> {
    let mut words: Vec<OsString> = vec!["--managed".into(), "--config".into()];
    words.push(config.path.clone().into());
    let mut option = |name: &str, value: OsString| words.extend([name.into(), value]);
    let replication = &config.replication;
    if let Some(file) = &replication.sources.config {
        option("--replication-config", file.clone().into());
        return words;
    }
    let login = &replication.peer_login;
    option("--user", login.user.clone().into());
    if let Some(file) = &login.password_file {
        option("--password-file", file.clone().into());
    }
    option("--tls", replication.redirect_tls.into());
    if let Some(file) = &replication.redirect_tls_ca {
        option("--ca-file", file.clone().into());
    }
    if let Some(tls) = &config.server.tls {
        option("--cert-file", tls.certificate.clone().into());
        option("--key-file", tls.key.clone().into());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words_of(text: &str) -> String {
        let text =
            format!("[Server]\nDataDir = /data\nInstance = north\n{text}\nSources = west@:1\n");
        let config = Config::parse(Path::new("/etc/eloqdb.cfg"), &text).unwrap();
        words(&config).join(" ".as_ref()).into_string().unwrap()
    }

    #[test]
    fn its_options_come_from_the_configuration_of_the_server_or_from_a_file_of_their_own() {
        let login = "TlsCert = c.pem\nTlsKey = k.pem\n[ForwardLog]\nFwLog = l/fw-%N\n[Replication]\nPeerUser = repl\nPeerPasswordFile = pw\nRedirectTls = verify-full\nRedirectTlsCa = ca.pem";
        assert_eq!(
            words_of(login),
            "--managed --config /etc/eloqdb.cfg --user repl --password-file /etc/pw --tls verify-full --ca-file /etc/ca.pem --cert-file /etc/c.pem --key-file /etc/k.pem"
        );
        let file = "[ForwardLog]\nFwLog = l/fw-%N\n[Replication]\nSourcesConfig = repl.cfg";
        assert_eq!(
            words_of(file),
            "--managed --config /etc/eloqdb.cfg --replication-config /etc/repl.cfg"
        );
    }
}
