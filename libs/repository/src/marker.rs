//! What makes a store a repository: an object that says how it is to be used.

use crate::error::ArchiveError;
use crate::name::ObjectName;
use crate::text::{Lines, begin};

/// Longest name of a repository.
pub const MAX_NAME: usize = 32;

/// What is said of a repository as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    /// Its name, under which servers keep their log for it.
    pub name: String,
    /// Whether the store puts an object only where there is none. Of one that does not there is one writer at a time.
    pub conditional_put: bool,
}

impl Marker {
    /// Of a repository with this name: letters, digits, `-`, `_`.
    pub fn new(name: &str) -> Result<Self, String> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if !(1..=MAX_NAME).contains(&name.len()) || !name.chars().all(is_plain) {
            return Err(format!(
                "'{name}' is no name of a repository: 1 to {MAX_NAME} letters, digits, - and _"
            ));
        }
        Ok(Self {
            name: name.to_owned(),
            conditional_put: true,
        })
    }

    /// The object.
    pub fn encode(&self) -> Vec<u8> {
        let mut body = begin();
        body.line("name", &self.name);
        let conditional = if self.conditional_put { "yes" } else { "no" };
        body.line("conditional_put", conditional);
        body.line("encryption", "none");
        body.seal().into_bytes()
    }

    /// Reads the object. A repository that is to be used in a way that this version does not know is refused.
    pub fn decode(bytes: &[u8]) -> Result<Self, ArchiveError> {
        let name = ObjectName::Marker;
        let lines = Lines::read(&name, bytes)?;
        for (key, known) in [
            ("conditional_put", &["yes", "no"][..]),
            ("encryption", &["none"]),
        ] {
            let value = lines.text(key)?;
            if !known.contains(&value) {
                return Err(ArchiveError::Newer {
                    name: name.to_string(),
                    why: format!("{key} = {value}"),
                });
            }
        }
        let named = Self::new(lines.text("name")?);
        Ok(Self {
            conditional_put: lines.text("conditional_put")? == "yes",
            ..named.map_err(|why| ArchiveError::damaged(name, why))?
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_reads_back_and_every_flipped_byte_is_noticed() {
        let marker = Marker::new("off-site_2").unwrap();
        let good = marker.encode();
        assert_eq!(Marker::decode(&good), Ok(marker));
        for index in 0..good.len() {
            let mut bad = good.clone();
            bad[index] ^= 1;
            assert!(Marker::decode(&bad).is_err(), "byte {index}");
            assert!(Marker::decode(&good[..index]).is_err(), "{index} bytes");
        }
    }

    #[test]
    fn a_store_for_one_writer_is_told() {
        let mut marker = Marker::new("x").unwrap();
        marker.conditional_put = false;
        assert_eq!(Marker::decode(&marker.encode()), Ok(marker));
    }

    #[test]
    fn what_this_version_cannot_do_is_refused_by_name() {
        let mut body = begin();
        body.line("name", "x");
        body.line("conditional_put", "yes");
        body.line("encryption", "age");
        let refused = Marker::decode(body.seal().as_bytes()).unwrap_err();
        assert!(
            refused.to_string().contains("encryption = age"),
            "{refused}"
        );
        for name in ["", "a/b", "a b", "..", &"x".repeat(33)] {
            assert!(Marker::new(name).is_err(), "{name}");
        }
    }
}
