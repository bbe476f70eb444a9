//! The chain of hashes that proves a history.

use std::fmt;
use std::str::FromStr;

use crate::identity::ParseHexError;

/// Size of a chain hash in bytes.
pub const CHAIN_HASH_SIZE: usize = 32;

/// BLAKE3 over everything that was written before a position.
///
/// ```text
/// start of a segment   blake3(chain hash at the end of the previous segment ‖ header)
/// end of a block       blake3(chain hash before it ‖ head up to its chain hash ‖ payload)
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChainHash([u8; CHAIN_HASH_SIZE]);

impl ChainHash {
    /// What the chain of a fresh environment begins with.
    pub const ZERO: Self = Self([0; CHAIN_HASH_SIZE]);

    /// The hash with these bytes.
    pub const fn from_bytes(bytes: [u8; CHAIN_HASH_SIZE]) -> Self {
        Self(bytes)
    }

    /// The bytes of the hash, as they stand in files and messages.
    pub const fn to_bytes(self) -> [u8; CHAIN_HASH_SIZE] {
        self.0
    }

    /// The next link: this hash followed by `head` and `payload`.
    #[must_use]
    pub(crate) fn link(self, head: &[u8], payload: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.0).update(head).update(payload);
        Self(hasher.finalize().into())
    }
}

impl fmt::Display for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChainHash({self})")
    }
}

impl FromStr for ChainHash {
    type Err = ParseHexError;

    fn from_str(text: &str) -> Result<Self, ParseHexError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| ParseHexError { digits: 64 })?;
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_hash_reads_back_what_it_prints() {
        let hash = ChainHash::ZERO.link(b"head", b"payload");
        assert_eq!(hash.to_string().parse(), Ok(hash));
        assert_eq!(hash.to_string().len(), 64);
    }

    #[test]
    fn each_link_depends_on_all_before_it() {
        let one = ChainHash::ZERO.link(b"h", b"a");
        let other = ChainHash::ZERO.link(b"h", b"b");
        assert_ne!(one.link(b"h", b"c"), other.link(b"h", b"c"));
    }
}
