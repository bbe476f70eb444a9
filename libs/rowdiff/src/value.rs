//! Values as they are stored.

/// A value, in one of the five kinds that SQLite stores.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// A signed integer of 64 bits.
    Integer(i64),
    /// A binary floating point number.
    Real(f64),
    /// Text: UTF-8, unless somebody has stored bytes that are none.
    Text(Vec<u8>),
    /// Bytes.
    Blob(Vec<u8>),
}

impl Value {
    /// Appends bytes that are the same for equal values of one kind, and different otherwise.
    pub(crate) fn put_identity(&self, out: &mut Vec<u8>) {
        let mut put = |kind: u8, bytes: &[u8]| {
            out.push(kind);
            out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
            out.extend_from_slice(bytes);
        };
        match self {
            Self::Null => put(0, &[]),
            Self::Integer(value) => put(1, &value.to_le_bytes()),
            Self::Real(value) => put(2, &value.to_bits().to_le_bytes()),
            Self::Text(bytes) => put(3, bytes),
            Self::Blob(bytes) => put(4, bytes),
        }
    }
}
