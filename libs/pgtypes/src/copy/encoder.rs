//! From rows to bytes.

use bytes::{BufMut, BytesMut};

use super::options::{CopyFormat, CopyOptions, Header};
use super::{csv, text};
use crate::{Format, PgType, SqlValueRef, ValueError, encode};

/// Writes rows in a COPY format, each into the buffer that the caller gives.
///
/// ```
/// use bytes::BytesMut;
/// use pgtypes::copy::{CopyOptions, Encoder};
/// use pgtypes::{PgType, SqlValueRef};
///
/// let mut encoder = Encoder::new(CopyOptions::csv(), 2)?;
/// let mut out = BytesMut::new();
/// encoder.value(SqlValueRef::Integer(1), &PgType::Bool, &mut out)?;
/// encoder.value(SqlValueRef::Text("a, b"), &PgType::Text, &mut out)?;
/// assert_eq!(out, &b"t,\"a, b\"\n"[..]);
/// # Ok::<(), pgtypes::ValueError>(())
/// ```
#[derive(Debug)]
pub struct Encoder {
    options: CopyOptions,
    columns: usize,
    /// The column that comes next.
    column: usize,
    scratch: BytesMut,
}

impl Encoder {
    /// An encoder for rows of so many columns. Refuses options that contradict each other.
    pub fn new(options: CopyOptions, columns: usize) -> Result<Self, ValueError> {
        options.check()?;
        Ok(Self {
            options,
            columns,
            column: 0,
            scratch: BytesMut::new(),
        })
    }

    /// Writes the line of column names, if the options ask for one.
    pub fn header<'a>(&mut self, names: impl IntoIterator<Item = &'a str>, out: &mut BytesMut) {
        if self.options.header == Header::None {
            return;
        }
        for name in names {
            self.write(Some(name.as_bytes()), false, out);
        }
    }

    /// Writes the next value of a row; after the last column comes the end of the line.
    pub fn value(
        &mut self,
        value: SqlValueRef<'_>,
        ty: &PgType,
        out: &mut BytesMut,
    ) -> Result<(), ValueError> {
        if value.is_null() {
            self.field(None, out);
            return Ok(());
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        let encoded = encode(value, ty, Format::Text, &mut scratch);
        if encoded.is_ok() {
            self.field(Some(&scratch), out);
        }
        self.scratch = scratch;
        encoded
    }

    /// Writes the next field of a row, already in text form; `None` is NULL.
    pub fn field(&mut self, field: Option<&[u8]>, out: &mut BytesMut) {
        let forced = self.options.force_quote.covers(self.column);
        self.write(field, forced, out);
    }

    fn write(&mut self, field: Option<&[u8]>, forced: bool, out: &mut BytesMut) {
        if self.column > 0 {
            out.put_u8(self.options.delimiter);
        }
        match (field, self.options.format) {
            (None, _) => out.extend_from_slice(self.options.null.as_bytes()),
            (Some(field), CopyFormat::Text) => text::escape(field, &self.options, out),
            (Some(field), CopyFormat::Csv) => {
                csv::quote(field, forced, self.columns == 1, &self.options, out);
            }
        }
        self.column += 1;
        if self.column >= self.columns {
            self.column = 0;
            out.put_u8(b'\n');
        }
    }

    /// Writes the end of a row that has no columns.
    pub fn empty_row(&mut self, out: &mut BytesMut) {
        out.put_u8(b'\n');
    }
}
