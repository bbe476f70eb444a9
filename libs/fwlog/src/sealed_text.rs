//! Small files of `key = value` lines whose last line is the hash of all before it: a file that is cut off or altered is
//! told from one that is whole.

use std::fmt::{self, Write as _};
use std::io;
use std::path::{Path, PathBuf};

use disk::Disk;

use crate::timestamp::Timestamp;

/// The lines of a file before its hash.
#[derive(Debug, Default)]
pub struct Body(String);

impl Body {
    /// Adds a line.
    pub fn line(&mut self, key: &str, value: impl fmt::Display) {
        // Writing to a String cannot fail.
        writeln!(self.0, "{key} = {value}").expect("a String takes all");
    }

    /// The whole file.
    pub fn seal(mut self) -> String {
        let hash = blake3::hash(self.0.as_bytes());
        self.line("blake3", hash.to_hex());
        self.0
    }
}

/// The lines before the hash, when that fits them.
pub fn open(text: &str) -> Result<&str, &'static str> {
    let hash_line = text
        .rfind("blake3 = ")
        .ok_or("its last line, the hash, is missing: the file is cut off")?;
    let (body, hash_line) = text.split_at(hash_line);
    let stored = hash_line
        .strip_prefix("blake3 = ")
        .and_then(|rest| rest.strip_suffix('\n'))
        .ok_or("its last line is cut off")?;
    if blake3::hash(body.as_bytes()).to_hex().as_str() == stored {
        Ok(body)
    } else {
        Err("its hash does not fit its content")
    }
}

/// The key and the value of each line.
pub fn entries(body: &str) -> impl Iterator<Item = Result<(&str, &str), String>> {
    let pair = |line| str::split_once(line, " = ").ok_or_else(|| format!("odd line '{line}'"));
    body.lines().map(pair)
}

/// A file of this kind whose first line is its version.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SealedFile {
    /// What it is, for messages.
    pub(crate) what: &'static str,
    /// The version that is read and written.
    pub(crate) version: u32,
}

/// Why such a file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum SealedFileError {
    /// It can't be read or written.
    #[error("cannot {during} {}: {}", path.display(), disk::reason(error))]
    Io {
        /// What was done.
        during: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// It is not what was written.
    #[error("{what} file {} is damaged: {why}", path.display())]
    Damaged {
        /// What it is.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Another version has written it.
    #[error("{what} file {} has format {found}; this server reads {reads}", path.display())]
    Version {
        /// What it is.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The one that is read.
        reads: u32,
    },
}

impl SealedFile {
    /// Reads the file and has its lines read behind the version, each as key and value.
    pub(crate) fn read<T>(
        &self,
        disk: &Disk,
        path: &Path,
        parse: impl FnOnce(&[(&str, &str)]) -> Result<T, String>,
    ) -> Result<Option<T>, SealedFileError> {
        let content = match disk.read(path) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("read", path, error)),
        };
        let damaged = |why: String| SealedFileError::Damaged {
            what: self.what,
            path: path.to_owned(),
            why,
        };
        let text = String::from_utf8(content).map_err(|_| damaged("it is not text".into()))?;
        let body = open(&text).map_err(|why| damaged(why.into()))?;
        let lines: Result<Vec<_>, _> = entries(body).collect();
        let lines = lines.map_err(damaged)?;
        let found = match lines.split_first() {
            Some((("version", version), rest)) => version.parse().ok().zip(Some(rest)),
            _ => None,
        };
        let (found, rest) = found.ok_or_else(|| damaged("it has no version".into()))?;
        if found != self.version {
            return Err(SealedFileError::Version {
                what: self.what,
                path: path.to_owned(),
                found,
                reads: self.version,
            });
        }
        parse(rest).map(Some).map_err(damaged)
    }

    /// The first line of a file.
    pub(crate) fn begin(&self) -> Body {
        let mut body = Body::default();
        body.line("version", self.version);
        body
    }
}

/// Replaces the file durably.
pub(crate) fn replace(
    disk: &Disk,
    path: &Path,
    body: Body,
    mode: u32,
) -> Result<(), SealedFileError> {
    disk.write_atomic(path, body.seal().as_bytes(), mode)
        .map_err(|error| failed("write", path, error))
}

/// Gives a file another name, with the time behind its own: nothing of it is lost.
pub fn set_aside(disk: &Disk, path: &Path, now: Timestamp) -> io::Result<PathBuf> {
    let time: String = now.to_string();
    let time: String = time.chars().filter(char::is_ascii_alphanumeric).collect();
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{time}"));
    let aside = path.with_file_name(name);
    disk.rename(path, &aside)?;
    Ok(aside)
}

fn failed(during: &'static str, path: &Path, error: io::Error) -> SealedFileError {
    SealedFileError::Io {
        during,
        path: path.to_owned(),
        error,
    }
}
