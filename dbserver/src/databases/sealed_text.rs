//! Small files of `key = value` lines whose last line is the hash of all before it: a file that is cut off or altered is
//! told from one that is whole.

use std::fmt::{self, Write as _};

/// The lines of a file before its hash.
#[derive(Debug, Default)]
pub(crate) struct Body(String);

impl Body {
    /// Adds a line.
    pub(crate) fn line(&mut self, key: &str, value: impl fmt::Display) {
        // Writing to a String cannot fail.
        writeln!(self.0, "{key} = {value}").expect("a String takes all");
    }

    /// The whole file.
    pub(crate) fn seal(mut self) -> String {
        let hash = blake3::hash(self.0.as_bytes());
        self.line("blake3", hash.to_hex());
        self.0
    }
}

/// The lines before the hash, when that fits them.
pub(crate) fn open(text: &str) -> Result<&str, &'static str> {
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
