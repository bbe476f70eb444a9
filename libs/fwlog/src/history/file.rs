//! The files of the history: `DataDir/history`, and `fw.history` beside the log, for dbrepl.
//!
//! ```text
//!  version = 1
//!  instance = <id> <boot nonce> <name>            in fw.history alone: whose log it is
//!  generation = <a line of the branch>            the oldest first
//!  abandoned = <where it was left> <hash> <line>
//!  blake3 = <of all before it>
//! ```

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use disk::Disk;

use crate::history::{Abandoned, History, HistoryLine};
use crate::instances::Speaker;
use crate::position::LogPoint;
use crate::sealed_text::{self, Body, SealedFile, SealedFileError};

/// Name of the history in DataDir.
pub const HISTORY_FILE: &str = "history";
/// Name of its copy beside the log.
pub const SERVED_HISTORY_FILE: &str = "fw.history";

const FILE: SealedFile = SealedFile {
    what: "history",
    version: 1,
};

impl History {
    /// Reads the file; `None` where there is none.
    pub fn read(disk: &Disk, path: &Path) -> Result<Option<Self>, SealedFileError> {
        FILE.read(disk, path, |lines| {
            let mut history = Self::default();
            for (key, value) in lines {
                history.take_line(key, value)?;
            }
            Ok(history)
        })
    }

    /// Replaces the file durably.
    pub fn write(&self, disk: &Disk, path: &Path) -> Result<(), SealedFileError> {
        let mut body = FILE.begin();
        self.put(&mut body);
        sealed_text::replace(disk, path, body, 0o600)
    }

    fn put(&self, body: &mut Body) {
        for line in self.branch() {
            body.line("generation", line);
        }
        for left in self.abandoned() {
            body.line("abandoned", left);
        }
    }

    fn take_line(&mut self, key: &str, value: &str) -> Result<(), String> {
        match key {
            "generation" => {
                let line: HistoryLine = value.parse()?;
                if let Some(newest) = self.newest().map(|newest| newest.number)
                    && newest >= line.number
                {
                    return Err(format!(
                        "a history record of generation {} stands behind one of {newest}",
                        line.number
                    ));
                }
                self.branch.push(line);
            }
            "abandoned" => self.abandoned.push(value.parse()?),
            _ => return Err(format!("odd line '{key} = {value}'")),
        }
        Ok(())
    }
}

/// The history of a log together with the instance that serves it: what `fw.history` has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedHistory {
    /// The server whose log it is.
    pub speaker: Speaker,
    /// Its history.
    pub history: History,
}

impl ServedHistory {
    /// Reads the file; `None` where there is none.
    pub fn read(disk: &Disk, path: &Path) -> Result<Option<Self>, SealedFileError> {
        FILE.read(disk, path, |lines| {
            let (mut history, mut speaker) = (History::default(), None);
            for (key, value) in lines {
                match *key {
                    "instance" => speaker = Some(value.parse()?),
                    _ => history.take_line(key, value)?,
                }
            }
            let speaker = speaker.ok_or("it does not say whose log it is")?;
            Ok(Self { speaker, history })
        })
    }

    /// Replaces the file durably, with this mode.
    pub fn write(&self, disk: &Disk, path: &Path, mode: u32) -> Result<(), SealedFileError> {
        let mut body = FILE.begin();
        body.line("instance", &self.speaker);
        self.history.put(&mut body);
        sealed_text::replace(disk, path, body, mode)
    }
}

impl fmt::Display for Abandoned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LogPoint { position, hash } = self.end;
        write!(f, "{position} {hash} {}", self.line)
    }
}

impl FromStr for Abandoned {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let odd = || format!("odd branch '{text}'");
        let mut words = text.splitn(3, ' ');
        let mut next = || words.next().ok_or_else(odd);
        let position = next()?.parse().map_err(|_| odd())?;
        let hash = next()?.parse().map_err(|_| odd())?;
        Ok(Self {
            line: next()?.parse()?,
            end: LogPoint::new(position, hash),
        })
    }
}
