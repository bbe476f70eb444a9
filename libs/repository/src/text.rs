//! Objects of `key = value` lines: the first is the format, the last the hash of all before it.

use std::fmt;
use std::str::FromStr;

use fwlog::sealed_text::{self, Body};

use crate::error::ArchiveError;

/// The format of all objects that are text.
pub(crate) const FORMAT: u32 = 1;

/// The first line of an object.
pub(crate) fn begin() -> Body {
    let mut body = Body::default();
    body.line("format", FORMAT);
    body
}

/// The lines of an object that is whole.
pub(crate) struct Lines<'a> {
    name: &'a dyn fmt::Display,
    lines: Vec<(String, String)>,
}

impl<'a> Lines<'a> {
    /// Proves the bytes of an object by its last line.
    pub(crate) fn read(name: &'a dyn fmt::Display, bytes: &[u8]) -> Result<Self, ArchiveError> {
        let damaged = |why: &dyn ToString| ArchiveError::damaged(name, why.to_string());
        let text = std::str::from_utf8(bytes).map_err(|_| damaged(&"it is not text"))?;
        let body = sealed_text::open(text).map_err(|why| damaged(&why))?;
        let mut lines = Vec::new();
        for entry in sealed_text::entries(body) {
            let (key, value) = entry.map_err(|why| damaged(&why))?;
            lines.push((key.to_owned(), value.to_owned()));
        }
        let read = Self { name, lines };
        match read.get::<u32>("format")? {
            FORMAT => Ok(read),
            other => Err(ArchiveError::Newer {
                name: name.to_string(),
                why: format!("format {other}"),
            }),
        }
    }

    pub(crate) fn text(&self, key: &str) -> Result<&str, ArchiveError> {
        let line = self.lines.iter().find(|(known, _)| known == key);
        line.map(|(_, value)| value.as_str())
            .ok_or_else(|| ArchiveError::damaged(self.name, format!("it has no line '{key}'")))
    }

    /// The values of all lines with this key, in order.
    pub(crate) fn all<T: FromStr>(&self, key: &str) -> Result<Vec<T>, ArchiveError> {
        let lines = self.lines.iter().filter(|(known, _)| known == key);
        lines
            .map(|(_, value)| value.parse().map_err(|_| self.odd(key, value)))
            .collect()
    }

    /// The value of a line that need not be there.
    pub(crate) fn optional<T: FromStr>(&self, key: &str) -> Result<Option<T>, ArchiveError> {
        let line = self.lines.iter().find(|(known, _)| known == key);
        line.map(|(_, value)| value.parse().map_err(|_| self.odd(key, value)))
            .transpose()
    }

    fn odd(&self, key: &str, value: &str) -> ArchiveError {
        ArchiveError::damaged(self.name, format!("it has an odd line '{key} = {value}'"))
    }

    pub(crate) fn get<T: FromStr>(&self, key: &str) -> Result<T, ArchiveError> {
        let value = self.text(key)?;
        value.parse().map_err(|_| self.odd(key, value))
    }
}
