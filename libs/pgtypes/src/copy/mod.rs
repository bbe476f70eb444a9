//! The formats of COPY: `text`, `csv` and `binary`, both ways.
//!
//! The [`Decoder`] is fed with the bytes of `CopyData` messages, cut anywhere, and gives one [`Row`]
//! after another. The [`Encoder`] writes rows into a buffer. Fields are bytes in the text or
//! binary form of their type, for [`decode`](crate::decode) and from [`encode`](crate::encode).

mod binary;
mod csv;
mod decoder;
mod encoder;
mod error;
mod line_rows;
mod lines;
mod options;
mod row;
#[cfg(test)]
mod tests;
mod text;

pub use self::decoder::{DEFAULT_MAX_LINE_BYTES, Decoder};
pub use self::encoder::Encoder;
pub use self::error::CopyError;
pub use self::options::{CopyFormat, CopyOptions, Force, Header};
pub use self::row::Row;
