//! A file whose first line is a password.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::config::Config;
use crate::error::{ConfigError, Problem};
use crate::replication::ReplicationConfig;

/// A file with a password, or that names one, which a server reads when it is needed, and which may come later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LateFile<'a> {
    /// The key that names it.
    pub key: &'static str,
    /// Where it is.
    pub path: &'a Path,
    kind: Kind,
    /// What is not possible without it.
    without: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Its first line is a password.
    Password,
    /// The options of a dbrepl, which may name a password file.
    Options,
}

impl LateFile<'_> {
    /// Errors: what is not possible, and what is wrong with the file, or with the password file that it names.
    pub fn check(&self) -> Result<(), String> {
        let failed = |why| format!("{} ({}): {why}", self.without, self.key);
        let password_file = match self.kind {
            Kind::Password => Some(self.path.to_owned()),
            Kind::Options => {
                let options = ReplicationConfig::load(self.path);
                options
                    .map_err(|why| failed(why.to_string()))?
                    .password_file
            }
        };
        let read = password_file.map_or(Ok(()), |path| read(&path).map(drop));
        read.map_err(failed)
    }
}

impl Config {
    /// The files with passwords that this server reads when it needs them, or has its dbrepl read.
    pub fn late_password_files(&self) -> Vec<LateFile<'_>> {
        let forward = self.replication.forward_writes.as_ref();
        let forward = forward.map(|forward| LateFile {
            key: "ForwardPasswordFile",
            path: &forward.password_file,
            kind: Kind::Password,
            without: "writes can't be forwarded",
        });
        let peer = self.replication.peer_login.password_file.as_deref();
        let peer = peer.map(|path| LateFile {
            key: "PeerPasswordFile",
            path,
            kind: Kind::Password,
            without: "sources and whatever else asks other servers can't log in there",
        });
        let sources = self.replication.sources.config.as_deref();
        let sources = sources.map(|path| LateFile {
            key: "SourcesConfig",
            path,
            kind: Kind::Options,
            without: "sources can't log in on their slaves",
        });
        forward.into_iter().chain(peer).chain(sources).collect()
    }
}

/// The password in the file. An error says what is wrong with the file, and nothing of its content.
pub fn read(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let failed = |error: std::io::Error| format!("can't read the password file {shown}: {error}");
    let mut file = File::open(path).map_err(failed)?;
    if let Some(mode) = open_to(&file).map_err(failed)? {
        return Err(format!("the password file {shown} {}", closing(mode)));
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(failed)?;
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(line.to_owned()),
        _ => Err(format!(
            "the first line of the password file {shown} is empty"
        )),
    }
}

/// The mode of a file that its group or everybody can read or write: it holds no secret. The rule is that of
/// PostgreSQL's `.pgpass`.
pub(crate) fn open_to(file: &File) -> std::io::Result<Option<u32>> {
    let mode = file.metadata()?.mode() & 0o777;
    Ok((mode & 0o077 != 0).then_some(mode))
}

/// What is wrong with a file of this mode, and what to do.
pub(crate) fn closing(mode: u32) -> String {
    format!("is open to others (mode {mode:o}); close it with chmod 600")
}

/// A file with a password is a password file.
pub(crate) fn refuse_open(path: &Path) -> Result<(), ConfigError> {
    let open = File::open(path).and_then(|file| open_to(&file));
    let open = open.map_err(|reason| ConfigError::Read {
        path: path.to_owned(),
        reason,
    })?;
    let Some(mode) = open else { return Ok(()) };
    Err(ConfigError::Invalid {
        path: path.to_owned(),
        problems: vec![Problem {
            line: None,
            message: format!("has a password, and {}", closing(mode)),
        }],
    })
}

#[cfg(test)]
mod tests {
    use std::fs::{Permissions, set_permissions};
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_is_wrong_with_a_file_that_is_read_later_is_told_with_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("eloqdb.cfg");
        let text = "[Server]\nDataDir = /data\n[Replication]\nPeerPasswordFile = pw\nPeers = n:1\n";
        let config = Config::parse(&path, text).unwrap();
        let files = config.late_password_files();
        let [file] = files.as_slice() else {
            panic!("{files:?}");
        };
        let told = file.check().unwrap_err();
        assert!(
            told.contains("(PeerPasswordFile): can't read the password file"),
            "{told}"
        );
        let mut made = tempfile::Builder::new();
        let made = made.prefix("pw").rand_bytes(0).tempfile_in(folder.path());
        made.as_ref().unwrap().write_all(b"secret").unwrap();
        assert_eq!(file.check(), Ok(()));
        set_permissions(file.path, Permissions::from_mode(0o644)).unwrap();
        assert!(file.check().unwrap_err().contains("is open to others"));
    }

    #[test]
    fn the_password_file_that_the_options_of_sources_name_is_looked_at_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("eloqdb.cfg");
        let text = "[Server]\nDataDir = /data\n[Replication]\nSourcesConfig = repl.cfg\n";
        let config = Config::parse(&path, text).unwrap();
        let check = || {
            let files = config.late_password_files();
            assert_eq!((files.len(), files[0].key), (1, "SourcesConfig"));
            files[0].check()
        };
        let made = |name: &str, text: &str| {
            let mut made = tempfile::Builder::new();
            let made = made.prefix(name).rand_bytes(0).tempfile_in(folder.path());
            let mut made = made.unwrap();
            made.write_all(text.as_bytes()).unwrap();
            made
        };
        assert!(check().unwrap_err().contains("repl.cfg"));
        let _options = made("repl.cfg", "[dbrepl]\nuser = repl\npassword-file = pw\n");
        let told = check().unwrap_err();
        assert!(
            told.starts_with(
                "sources can't log in on their slaves (SourcesConfig): can't read the password file"
            ),
            "{told}"
        );
        let _password = made("pw", "secret\n");
        assert_eq!(check(), Ok(()));
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"secret\nmore").unwrap();
        let path = file.path();
        assert_eq!(read(path).unwrap(), "secret");
        for mode in [0o644, 0o640, 0o620, 0o602] {
            set_permissions(path, Permissions::from_mode(mode)).unwrap();
            let refused = read(path).unwrap_err();
            assert!(refused.contains(&format!("mode {mode:o}")), "{refused}");
            assert!(!refused.contains("secret"), "{refused}");
        }
    }
}
