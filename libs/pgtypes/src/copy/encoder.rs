//! From rows to bytes.

use bytes::{BufMut, BytesMut};

use super::options::{CopyFormat, CopyOptions, Header};
use super::{binary, csv, text};
use crate::{Context, Format, PgType, SqlState, SqlValueRef, ValueError, encode_in};

/// Writes rows in a COPY format, each into the buffer that the caller gives: first
/// [`header`](Self::header), then every value, then [`finish`](Self::finish).
///
/// ```
/// use bytes::BytesMut;
/// use pgtypes::copy::{CopyOptions, Encoder};
/// use pgtypes::{PgType, SqlValueRef};
///
/// let mut encoder = Encoder::new(CopyOptions::csv(), 2)?;
/// let mut out = BytesMut::new();
/// encoder.header(["ok", "note"], &mut out);
/// encoder.value(SqlValueRef::Integer(1), &PgType::Bool, &mut out)?;
/// encoder.value(SqlValueRef::Text("a, b"), &PgType::Text, &mut out)?;
/// encoder.finish(&mut out);
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
        options.check_out()?;
        Ok(Self {
            options,
            columns,
            column: 0,
            scratch: BytesMut::new(),
        })
    }

    /// Writes what stands in front of the rows: the line of column names, if the options ask for
    /// one; in binary form the signature.
    pub fn header<'a>(&mut self, names: impl IntoIterator<Item = &'a str>, out: &mut BytesMut) {
        if self.options.format == CopyFormat::Binary {
            binary::put_header(out);
        }
        if self.options.header == Header::None {
            return;
        }
        for name in names {
            self.write(Some(name.as_bytes()), false, out);
        }
    }

    /// Writes what stands behind the rows: in binary form the end marker, else nothing.
    pub fn finish(&mut self, out: &mut BytesMut) {
        if self.options.format == CopyFormat::Binary {
            binary::put_trailer(out);
        }
    }

    /// Writes the next value of a row; after the last column comes the end of the line.
    ///
    /// Errors: in binary form those of [`encode`](crate::encode), and 54000 for a value beyond
    /// 2 GiB.
    pub fn value(
        &mut self,
        value: SqlValueRef<'_>,
        ty: &PgType,
        out: &mut BytesMut,
    ) -> Result<(), ValueError> {
        self.value_in(value, ty, Context::standard(), out)
    }

    /// The same with the settings of a session.
    pub fn value_in(
        &mut self,
        value: SqlValueRef<'_>,
        ty: &PgType,
        context: &Context,
        out: &mut BytesMut,
    ) -> Result<(), ValueError> {
        if value.is_null() {
            self.field(None, out);
            return Ok(());
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        let encoded = encode_in(
            value,
            ty,
            self.options.value_format(),
            context,
            &mut scratch,
        )
        .and_then(|()| self.check_length(scratch.len()));
        if encoded.is_ok() {
            self.field(Some(&scratch), out);
        }
        self.scratch = scratch;
        encoded
    }

    fn check_length(&self, length: usize) -> Result<(), ValueError> {
        if self.options.value_format() == Format::Binary && i32::try_from(length).is_err() {
            return Err(ValueError::new(
                SqlState::PROGRAM_LIMIT_EXCEEDED,
                "value is longer than 2 GiB",
            ));
        }
        Ok(())
    }

    /// Writes the next field of a row, already in the form of the format; `None` is NULL.
    pub fn field(&mut self, field: Option<&[u8]>, out: &mut BytesMut) {
        let forced = self.options.force_quote.covers(self.column);
        self.write(field, forced, out);
    }

    /// Writes a row that has no columns.
    pub fn empty_row(&mut self, out: &mut BytesMut) {
        match self.options.format {
            CopyFormat::Binary => out.put_i16(0),
            CopyFormat::Text | CopyFormat::Csv => out.put_u8(b'\n'),
        }
    }

    fn write(&mut self, field: Option<&[u8]>, forced: bool, out: &mut BytesMut) {
        let first = self.column == 0;
        self.column += 1;
        let last = self.column >= self.columns;
        if last {
            self.column = 0;
        }
        if self.options.format == CopyFormat::Binary {
            if first {
                out.put_i16(i16::try_from(self.columns).unwrap_or(i16::MAX));
            }
            out.put_i32(field.map_or(-1, |field| i32::try_from(field.len()).unwrap_or(0)));
            out.extend_from_slice(field.unwrap_or_default());
            return;
        }
        if !first {
            out.put_u8(self.options.delimiter);
        }
        match (field, self.options.format) {
            (None, _) => out.extend_from_slice(self.options.null.as_bytes()),
            (Some(field), CopyFormat::Csv) => {
                csv::quote(field, forced, self.columns == 1, &self.options, out);
            }
            (Some(field), _) => text::escape(field, &self.options, out),
        }
        if last {
            out.put_u8(b'\n');
        }
    }
}
