//! What is wished of a source, and of what feeds this server: durable beside the slots.

use std::io;
use std::path::{Path, PathBuf};

use dbconfig::ARCHIVE_NAMES;
use dbproto::managed::Stats;
use disk::Disk;
use fwlog::sealed_text::{self, Body};
use fwlog::{Position, Timestamp};
use serde::{Deserialize, Serialize};

use crate::error::EngineError;

/// The version of the file that this server reads and writes.
const VERSION: &str = "1";

/// What is wished of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Wish {
    /// It sends the log.
    Ship,
    /// It sends nothing until it is activated; with `auto` that is also when this server becomes the root.
    Passive {
        /// See above.
        auto: bool,
    },
    /// It does not run.
    Rest,
}

/// A source: a slave, and how it is to be fed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Definition {
    /// Name of the slave's instance.
    pub(crate) name: String,
    /// Where it is, `host:service`.
    pub(crate) address: String,
    /// What is wished.
    pub(crate) wish: Wish,
    /// It stands in `Sources`.
    pub(crate) configured: bool,
    /// Where lines about it go; none = to the log of the server.
    pub(crate) log_file: Option<PathBuf>,
    /// Statistics; none = off.
    pub(crate) stats: Option<Stats>,
    /// How the slave is reached, as the six numbers; none = as `SourcesConfig` says.
    pub(crate) connect: Option<String>,
}

impl Definition {
    /// Whether it is a repository that the log is archived in, and no slave.
    pub(crate) fn is_archive(&self) -> bool {
        self.name.starts_with(ARCHIVE_NAMES)
    }

    /// One that is to run, with nothing else said.
    pub(crate) fn new(name: &str, address: &str) -> Self {
        Self {
            name: name.to_owned(),
            address: address.to_owned(),
            wish: Wish::Ship,
            configured: false,
            log_file: None,
            stats: None,
            connect: None,
        }
    }
}

/// What operators have said of those who feed this server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Receiver {
    /// No dbrepl is let in, since then.
    pub(crate) shut: Option<Said>,
    /// Nothing is applied, since then.
    pub(crate) held: Option<Said>,
    /// Up to there it was applied when something came that is held: a restart applies no more.
    held_at: Option<String>,
    /// What comes is told in the log.
    pub(crate) stats: bool,
}

impl Receiver {
    /// Where a slave that is held stands, where that is known.
    pub(crate) fn held_at(&self) -> Option<Position> {
        let at = self.held_at.as_ref().filter(|_| self.held.is_some())?;
        at.parse().ok()
    }

    /// A root holds nothing.
    pub(crate) fn forget_held(&mut self) {
        (self.held, self.held_at) = (None, None);
    }

    /// It stands there.
    pub(crate) fn stand_at(&mut self, at: Option<Position>) {
        self.held_at = at.map(|at| at.to_string());
    }
}

/// When an operator has said something, and who that was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Said {
    /// When, in microseconds.
    at: u64,
    /// Who.
    pub(crate) by: String,
}

impl Said {
    /// At this time.
    pub(crate) fn new(at: Timestamp, by: &str) -> Self {
        Self {
            at: at.micros(),
            by: by.to_owned(),
        }
    }

    /// When.
    pub(crate) fn at(&self) -> Timestamp {
        Timestamp::from_micros(self.at)
    }
}

/// All that the file has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Wishes {
    /// The sources, by name.
    pub(crate) sources: Vec<Definition>,
    /// Those who feed this server.
    pub(crate) receiver: Receiver,
}

impl Wishes {
    /// Reads the file; nothing where there is none. The error says what is wrong with it.
    pub(crate) fn read(disk: &Disk, path: &Path) -> Result<Self, String> {
        let content = match disk.read(path) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(format!("can't read {}: {error}", path.display())),
        };
        let text = String::from_utf8(content).map_err(|_| "it is not text".to_owned());
        text.and_then(|text| Self::parse(&text))
            .map_err(|why| format!("{} is damaged: {why}", path.display()))
    }

    /// Replaces the file durably.
    pub(crate) fn write(&self, disk: &Disk, path: &Path) -> Result<(), EngineError> {
        disk.write_atomic(path, self.to_text()?.as_bytes(), 0o600)
            .map_err(|error| EngineError::file("write", path, &error))
    }

    fn to_text(&self) -> Result<String, EngineError> {
        let json = |value: serde_json::Result<String>| {
            value.map_err(|error| EngineError::Internal(error.to_string()))
        };
        let mut body = Body::default();
        body.line("version", VERSION);
        for source in &self.sources {
            body.line("source", json(serde_json::to_string(source))?);
        }
        body.line("receiver", json(serde_json::to_string(&self.receiver))?);
        Ok(body.seal())
    }

    fn parse(text: &str) -> Result<Self, String> {
        let body = sealed_text::open(text)?;
        let mut wishes = Self::default();
        let mut entries = sealed_text::entries(body);
        match entries.next().transpose()? {
            Some(("version", VERSION)) => {}
            Some(("version", other)) => {
                return Err(format!("{other}; this server reads {VERSION}"));
            }
            _ => return Err("it has no version".to_owned()),
        }
        for entry in entries {
            let (key, value) = entry?;
            let odd = |error: serde_json::Error| format!("'{value}': {error}");
            match key {
                "source" => wishes
                    .sources
                    .push(serde_json::from_str(value).map_err(odd)?),
                "receiver" => wishes.receiver = serde_json::from_str(value).map_err(odd)?,
                other => return Err(format!("odd line '{other}'")),
            }
        }
        Ok(wishes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_read_back_and_no_byte_of_them_may_be_another() {
        let mut west = Definition::new("west", "[::1]:8102");
        west.wish = Wish::Passive { auto: true };
        west.log_file = Some("/var/log/a = \"b\"\n".into());
        west.stats = Some(Stats::default());
        west.connect = Some("5,500,5".to_owned());
        let mut east = Definition::new("east", "east:8102");
        (east.wish, east.configured) = (Wish::Rest, true);
        let wishes = Wishes {
            sources: vec![east, west],
            receiver: Receiver {
                shut: None,
                held: Some(Said::new(Timestamp::from_micros(7), "o'hara = x")),
                held_at: Some("12-3:184320".to_owned()),
                stats: true,
            },
        };
        let text = wishes.to_text().unwrap();
        let at = wishes.receiver.held_at().map(|at| at.to_string());
        assert_eq!(at.as_deref(), Some("12-3:184320"));
        assert_eq!(Wishes::parse(&text), Ok(wishes));
        for at in 0..text.len() {
            let mut other = text.clone().into_bytes();
            other[at] ^= 1;
            let other = String::from_utf8(other).unwrap();
            assert!(Wishes::parse(&other).is_err(), "{other}");
            assert!(Wishes::parse(&text[..at]).is_err(), "{at}");
        }
    }

    #[test]
    fn a_later_version_is_named() {
        let mut body = Body::default();
        body.line("version", "2");
        let told = Wishes::parse(&body.seal()).unwrap_err();
        assert_eq!(told, "2; this server reads 1");
    }
}
