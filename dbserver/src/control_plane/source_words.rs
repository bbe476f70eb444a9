//! The words of the commands about sources.

use std::path::PathBuf;
use std::time::Duration;

use dbconfig::{ConnectParams, HostService, instance, value};

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

/// A file of the server that lines can be added to.
pub(super) fn log_file(text: &str) -> Result<PathBuf, EngineError> {
    use std::os::unix::fs::OpenOptionsExt as _;
    absolute(text)?;
    let path = PathBuf::from(text);
    // Tried here, so that whoever gives the command hears what is wrong with it.
    let opened = std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o640)
        .open(&path);
    match opened {
        Ok(_) => Ok(path),
        Err(error) => Err(EngineError::file("open the log file", path, &error)),
    }
}
