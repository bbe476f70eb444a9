//! The words of the commands about sources.

use std::path::PathBuf;
use std::time::Duration;

use dbconfig::{ConnectParams, HostService, instance, value};
use rustix::fs::OFlags;

use crate::control_plane::Call;
use crate::control_plane::transfer::absolute;
use crate::error::EngineError;

/// What a source has to be fed as: an assertion about this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum As {
    /// The one that takes writes.
    Root,
    /// A slave that passes its log on.
    Propagating,
}

/// The options of one command, and what stands between them.
#[derive(Debug, Default)]
pub(super) struct Words<'a> {
    /// Name, address, file, in order.
    pub(super) bare: Vec<&'a str>,
    pub(super) passive: bool,
    pub(super) auto: bool,
    pub(super) role: Option<As>,
    pub(super) log_file: Option<PathBuf>,
    pub(super) connect: Option<String>,
    pub(super) timeout: Option<Duration>,
    pub(super) update_only: bool,
}

impl<'a> Words<'a> {
    /// Reads the words of a call; those that are not in `known` are refused with the usage.
    pub(super) fn read(call: &Call<'a>, usage: &str, known: &[&str]) -> Result<Self, EngineError> {
        let wrong = || EngineError::Usage(format!("usage: {usage}"));
        let mut words = Self::default();
        let mut rest = call.arguments.iter().copied();
        while let Some(word) = rest.next() {
            if !word.starts_with("--") {
                words.bare.push(word);
                continue;
            }
            let (name, given) = match word.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (word, None),
            };
            if name == "--update" {
                return Err(EngineError::Usage("--update is a word of before: say --root on the root, --propagate on a slave that feeds others".into()));
            }
            if !known.contains(&name) {
                return Err(wrong());
            }
            let mut value = || given.or_else(|| rest.next()).ok_or_else(wrong);
            match name {
                "--timeout" => words.timeout = Some(timeout(value()?)?),
                "--log-file" => words.log_file = Some(log_file(value()?)?),
                "--connect-params" => words.connect = Some(connect(value()?)?),
                _ if given.is_some() => return Err(wrong()),
                "--passive" => words.passive = true,
                "--auto" => words.auto = true,
                "--updateonly" => words.update_only = true,
                "--root" | "--propagate" => {
                    let role = if name == "--root" {
                        As::Root
                    } else {
                        As::Propagating
                    };
                    if words
                        .role
                        .replace(role)
                        .is_some_and(|before| before != role)
                    {
                        return Err(EngineError::Usage(
                            "--root and --propagate exclude each other".into(),
                        ));
                    }
                }
                _ => return Err(wrong()),
            }
        }
        Ok(words)
    }

    /// The name of the slave, which stands first, and what follows it.
    pub(super) fn named(&self) -> Result<(&'a str, &[&'a str]), EngineError> {
        match self.bare.split_first() {
            Some((name, rest)) => Ok((checked_name(name)?, rest)),
            None => Err(EngineError::Usage(
                "no secondary named: give its name, or set EQ_INSTSECONDARY".into(),
            )),
        }
    }
}

/// A name that an instance can have.
pub(super) fn checked_name(name: &str) -> Result<&str, EngineError> {
    if instance::checked(name).is_ok() {
        return Ok(name);
    }
    let shown: String = name.chars().take(40).collect();
    Err(EngineError::InstanceName(format!(
        "\"{shown}\" is not an instance name; write 1 to {} letters, digits, -, _ or .",
        instance::MAX_INSTANCE_CHARS
    )))
}

/// Where a slave is; with its port, whatever name that has.
pub(super) fn address(text: &str) -> Result<String, EngineError> {
    let address: HostService = text.parse().map_err(EngineError::Usage)?;
    let port = address.service.resolve();
    match port.map_err(|why| EngineError::Usage(why.to_string()))? {
        0 => Err(EngineError::Usage(format!("{text} needs a port"))),
        _ => Ok(address.to_string()),
    }
}

/// A number alone is seconds.
fn timeout(text: &str) -> Result<Duration, EngineError> {
    match text.parse() {
        Ok(seconds) => Ok(Duration::from_secs(seconds)),
        Err(_) => value::duration(text).map_err(EngineError::Usage),
    }
}

fn connect(text: &str) -> Result<String, EngineError> {
    let params: ConnectParams = text.parse().map_err(EngineError::Usage)?;
    Ok(params.to_string())
}

/// A file of the server that lines can be added to: a new one, or one that has such lines already. Whoever operates the
/// server must not write into any other file that its user may write.
pub(super) fn log_file(text: &str) -> Result<PathBuf, EngineError> {
    use std::os::unix::fs::OpenOptionsExt as _;
    absolute(text)?;
    let path = PathBuf::from(text);
    // Tried here, so that whoever gives the command hears what is wrong with it.
    let opened = std::fs::OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o640)
        .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed())
        .open(&path);
    match opened.and_then(|file| is_log(&file)) {
        Ok(true) => Ok(path),
        Ok(false) => Err(EngineError::state(
            format!(
                "{} is there already, and is no log of a source",
                path.display()
            ),
            "Name a file that does not exist yet, or one that such lines are in.",
        )),
        Err(error) => Err(EngineError::file("open the log file", path, &error)),
    }
}

/// Whether a file is empty, or begins with a line that has its time in front.
fn is_log(file: &std::fs::File) -> std::io::Result<bool> {
    use std::io::Read as _;
    if !file.metadata()?.is_file() {
        return Ok(false);
    }
    let mut begin = Vec::new();
    file.take(PATTERN.len() as u64).read_to_end(&mut begin)?;
    let fits = |(found, pattern): (&u8, &u8)| match pattern {
        b'0' => found.is_ascii_digit(),
        other => found == other,
    };
    let is_dated = begin.len() == PATTERN.len() && begin.iter().zip(PATTERN).all(fits);
    Ok(begin.is_empty() || is_dated)
}

/// How each line begins; a zero is any digit.
const PATTERN: &[u8] = b"0000-00-00T00:00:00";

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "nothing of a test is durable")]
    fn a_log_file_is_a_new_file_or_one_of_dated_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let refused = |path: &PathBuf| {
            let told = log_file(path.to_str().unwrap());
            told.err().map(|error| error.to_string())
        };
        let new = path("new.log");
        assert_eq!(refused(&new), None);
        assert_eq!(refused(&new), None);
        fs::write(&new, "2026-11-30T10:00:00.000000Z R0: connected\n").unwrap();
        assert_eq!(refused(&new), None);
        for (name, content) in [
            ("system.db", "SQLite format 3\0".to_owned()),
            ("authorized_keys", "ssh-ed25519 AAAA root@db1\n".to_owned()),
            ("short", "2026".to_owned()),
        ] {
            let file = path(name);
            fs::write(&file, &content).unwrap();
            let told = refused(&file).expect("a refusal");
            assert!(told.contains("is no log of a source"), "{told}");
            assert_eq!(fs::read_to_string(&file).unwrap(), content);
        }
        let link = path("link");
        std::os::unix::fs::symlink(&new, &link).unwrap();
        assert!(refused(&link).is_some());
        assert!(refused(&folder.path().to_path_buf()).is_some());
    }
}
