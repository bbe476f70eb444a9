//! The seal: what ends a segment for good.

use crate::chain::ChainHash;
use crate::damage::Damage;
use crate::fixed_fields::FixedFields;
use crate::layout::seal as at;
use crate::numbers::CommitNumber;

/// Size of a seal in bytes.
pub const SEAL_SIZE: usize = at::SIZE;

/// The fields of a seal. All of them follow from the segment before it, so whoever seals the same
/// segment writes the same bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seal {
    /// Bytes of the segment before the seal: header and blocks.
    pub length: u64,
    /// First commit of the segment: the one after the newest commit before it.
    pub first_commit: CommitNumber,
    /// Newest commit at the end of the segment.
    pub last_commit: CommitNumber,
    /// Chain hash at the end of the segment.
    pub chain: ChainHash,
}

impl Seal {
    /// The bytes of the seal.
    pub fn encode(&self) -> [u8; SEAL_SIZE] {
        let mut fields = FixedFields::blank();
        fields
            .put(at::MARK_AT, &at::MARK_BYTES)
            .put_u64(at::LENGTH_AT, self.length)
            .put_u64(at::FIRST_COMMIT_AT, self.first_commit.get())
            .put_u64(at::LAST_COMMIT_AT, self.last_commit.get())
            .put(at::CHAIN_AT, &self.chain.to_bytes())
            .put_crc(at::CRC_AT);
        fields.0
    }

    /// Reads the seal at the start of `bytes`.
    pub fn decode(bytes: &[u8]) -> Result<Self, Damage> {
        let fields =
            FixedFields::<SEAL_SIZE>(*bytes.first_chunk().ok_or(Damage::CutShort("seal"))?);
        if fields.array(at::MARK_AT) != at::MARK_BYTES {
            return Err(Damage::Unrecognized);
        }
        if !fields.crc_matches(at::CRC_AT) {
            return Err(Damage::Checksum("seal"));
        }
        Ok(Self {
            length: fields.u64(at::LENGTH_AT),
            first_commit: CommitNumber::new(fields.u64(at::FIRST_COMMIT_AT)),
            last_commit: CommitNumber::new(fields.u64(at::LAST_COMMIT_AT)),
            chain: ChainHash::from_bytes(fields.array(at::CHAIN_AT)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_reads_back_and_every_flipped_byte_is_noticed() {
        let seal = Seal {
            length: 4711,
            first_commit: CommitNumber::new(3),
            last_commit: CommitNumber::new(9),
            chain: ChainHash::ZERO.link(b"a", b"b"),
        };
        let good = seal.encode();
        assert_eq!(Seal::decode(&good), Ok(seal));
        for index in 0..good.len() {
            let mut bad = good;
            bad[index] ^= 0x80;
            assert!(Seal::decode(&bad).is_err(), "byte {index}");
        }
    }
}
