//! Compression of blocks for the way between two servers; what is stored stays as it was.

use bytes::Bytes;

use crate::ProtocolError;

/// Fast enough for a fast network, and still worth it on a slow one.
const LEVEL: i32 = 1;

/// The compressed form, or `None` when it isn't at least an eighth smaller.
pub(crate) fn pack(blocks: &[u8]) -> Option<Bytes> {
    let packed = zstd::bulk::compress(blocks, LEVEL).ok()?;
    (packed.len() < blocks.len() - blocks.len() / 8).then(|| Bytes::from(packed))
}

/// The original of exactly `length` bytes; the caller has held `length` against the limit.
pub(crate) fn unpack(packed: &[u8], length: usize) -> Result<Bytes, ProtocolError> {
    let blocks = zstd::bulk::decompress(packed, length)
        .map_err(|error| ProtocolError::Unpack(error.to_string()))?;
    if blocks.len() != length {
        return Err(ProtocolError::Unpack(format!(
            "{} bytes, not {length}",
            blocks.len()
        )));
    }
    Ok(Bytes::from(blocks))
}
