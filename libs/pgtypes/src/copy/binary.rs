//! FORMAT binary.
//!
//! ```text
//! | signature, 11 | flags, 4 | length n, 4 | extension, n | row ... | -1, 2 |
//! row: | number of fields, 2 | length, 4 | bytes | ... a length of -1 is NULL
//! ```
//!
//! Numbers have their high byte first.

use bytes::{Buf, BufMut, BytesMut};

use super::error::CopyError;
use super::row::Fields;
use crate::SqlState;

/// It shows whether the stream was changed on its way, by a conversion of line ends for example.
const SIGNATURE: &[u8; 11] = b"PGCOPY\n\xff\r\n\0";
/// Flags from this bit on change the format; a reader that does not know one must refuse.
const CRITICAL_FLAGS: u32 = 0xffff_0000;
/// Length of signature, flags and length of the extension.
const HEADER_BYTES: usize = SIGNATURE.len() + 8;

/// Writes what stands in front of the rows.
pub(super) fn put_header(out: &mut BytesMut) {
    out.put_slice(SIGNATURE);
    out.put_u32(0);
    out.put_u32(0);
}

/// Writes what stands behind the rows.
pub(super) fn put_trailer(out: &mut BytesMut) {
    out.put_i16(-1);
}

/// Where in the stream the reader is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Header,
    Rows,
    BehindTrailer,
}

/// Reads rows in binary form.
#[derive(Debug)]
pub(super) struct BinaryRows {
    buffer: BytesMut,
    place: Place,
    finished: bool,
    row: u64,
    max_row_bytes: usize,
}

impl BinaryRows {
    pub(super) fn new(max_row_bytes: usize) -> Self {
        Self {
            buffer: BytesMut::new(),
            place: Place::Header,
            finished: false,
            row: 0,
            max_row_bytes,
        }
    }

    pub(super) fn feed(&mut self, chunk: &[u8]) {
        self.buffer.extend_from_slice(chunk);
    }

    pub(super) fn finish(&mut self) {
        self.finished = true;
    }

    pub(super) fn row(&self) -> u64 {
        self.row
    }

    /// Reads the next row into `fields`; `false` when there is none.
    pub(super) fn advance(
        &mut self,
        columns: &[String],
        fields: &mut Fields,
    ) -> Result<bool, CopyError> {
        if self.place == Place::Header && !self.header().map_err(|e| e.at(self.row, None))? {
            return Ok(false);
        }
        fields.clear();
        if self.place == Place::BehindTrailer {
            return self.end().map_err(|error| error.at(self.row, None));
        }
        match measure(&self.buffer, columns.len()) {
            Ok(Progress::Row(length)) => {
                split(self.buffer.get(..length).unwrap_or_default(), fields);
                self.buffer.advance(length);
                self.row += 1;
                Ok(true)
            }
            Ok(Progress::Trailer(length)) => {
                self.buffer.advance(length);
                self.place = Place::BehindTrailer;
                self.end().map_err(|error| error.at(self.row + 1, None))
            }
            Ok(Progress::NeedMore) => self.need_more().map_err(|e| e.at(self.row + 1, None)),
            Err(error) => Err(error.at(self.row + 1, None)),
        }
    }

    /// `false` when the header is not here yet.
    fn header(&mut self) -> Result<bool, CopyError> {
        let signature = self.buffer.get(..SIGNATURE.len()).unwrap_or(&self.buffer);
        if !SIGNATURE.starts_with(signature) {
            return Err(CopyError::format("COPY file signature not recognized"));
        }
        let Some(mut rest) = self.buffer.get(SIGNATURE.len()..HEADER_BYTES) else {
            if self.finished {
                return Err(CopyError::format(
                    "invalid COPY file header (missing flags)",
                ));
            }
            return Ok(false);
        };
        if rest.get_u32() & CRITICAL_FLAGS != 0 {
            return Err(CopyError::format(
                "unrecognized critical flags in COPY file header",
            ));
        }
        let extension = usize::try_from(rest.get_u32()).unwrap_or(usize::MAX);
        if extension > self.max_row_bytes {
            return Err(CopyError::format("invalid COPY file header (wrong length)"));
        }
        if self.buffer.len() - HEADER_BYTES < extension {
            return self.need_more();
        }
        self.buffer.advance(HEADER_BYTES + extension);
        self.place = Place::Rows;
        Ok(true)
    }

    fn end(&self) -> Result<bool, CopyError> {
        if self.buffer.is_empty() {
            return Ok(false);
        }
        Err(CopyError::format("received copy data after EOF marker"))
    }

    /// A piece of a row: more may come, unless there is too much of it or the stream has ended.
    fn need_more(&self) -> Result<bool, CopyError> {
        if self.buffer.len() > self.max_row_bytes {
            let mut error =
                CopyError::format(format!("row is longer than {} bytes", self.max_row_bytes));
            error.sqlstate = SqlState::PROGRAM_LIMIT_EXCEEDED;
            return Err(error);
        }
        if self.finished && !self.buffer.is_empty() {
            return Err(CopyError::format("unexpected EOF in COPY data"));
        }
        Ok(false)
    }
}

/// What a buffer begins with.
enum Progress {
    /// A row of so many bytes.
    Row(usize),
    /// The end marker, of so many bytes.
    Trailer(usize),
    NeedMore,
}

/// Looks how far the first row goes. Nothing is copied: a large row is looked at with each piece
/// of it that comes.
fn measure(buffer: &[u8], columns: usize) -> Result<Progress, CopyError> {
    let mut rest = buffer;
    let Ok(count) = rest.try_get_i16() else {
        return Ok(Progress::NeedMore);
    };
    if count == -1 {
        return Ok(Progress::Trailer(buffer.len() - rest.len()));
    }
    if usize::try_from(count) != Ok(columns) {
        return Err(CopyError::format(format!(
            "row field count is {count}, expected {columns}"
        )));
    }
    for _ in 0..columns {
        let Ok(length) = rest.try_get_i32() else {
            return Ok(Progress::NeedMore);
        };
        if length == -1 {
            continue;
        }
        let length =
            usize::try_from(length).map_err(|_| CopyError::format("invalid field size"))?;
        let Some(behind) = rest.get(length..) else {
            return Ok(Progress::NeedMore);
        };
        rest = behind;
    }
    Ok(Progress::Row(buffer.len() - rest.len()))
}

/// Takes apart what [`measure`] found to be a row.
fn split(row: &[u8], fields: &mut Fields) {
    let mut rest = row.get(2..).unwrap_or_default();
    while let Ok(length) = rest.try_get_i32() {
        let length = usize::try_from(length).ok();
        let (field, behind) = rest
            .split_at_checked(length.unwrap_or(0))
            .unwrap_or_default();
        fields.extend(field);
        fields.end_field(length.is_none());
        rest = behind;
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use proptest::prelude::*;

    use crate::copy::{CopyError, CopyOptions, Decoder, Encoder};
    use crate::{PgType, SqlState, SqlValueRef};

    /// Header, rows (1, 'ab') and (NULL, ''), trailer: as PostgreSQL 15 writes them.
    const STREAM: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0\
        \0\x02\0\0\0\x04\0\0\0\x01\0\0\0\x02ab\
        \0\x02\xff\xff\xff\xff\0\0\0\0\
        \xff\xff";

    type Rows = Vec<Vec<Option<Vec<u8>>>>;

    fn read(stream: &[u8], chunk: usize) -> Result<Rows, CopyError> {
        let names = vec!["a".to_owned(), "b".to_owned()];
        let mut decoder = Decoder::with_max_line_bytes(CopyOptions::binary(), names, 1000).unwrap();
        let mut rows = Vec::new();
        for piece in stream.chunks(chunk) {
            decoder.feed(piece);
            while let Some(row) = decoder.next_row()? {
                rows.push(row.iter().map(|field| field.map(<[u8]>::to_vec)).collect());
            }
        }
        decoder.finish();
        assert!(decoder.next_row()?.is_none());
        Ok(rows)
    }

    #[test]
    fn rows_are_read_however_the_stream_is_cut() {
        let one = vec![Some(vec![0, 0, 0, 1]), Some(b"ab".to_vec())];
        let two = vec![None, Some(Vec::new())];
        for chunk in 1..=STREAM.len() {
            assert_eq!(read(STREAM, chunk).unwrap(), [one.clone(), two.clone()]);
        }
        // The end marker may be missing.
        assert_eq!(read(&STREAM[..STREAM.len() - 2], 7).unwrap(), [one, two]);
    }

    #[test]
    fn rows_are_written_as_postgresql_writes_them() {
        let mut encoder = Encoder::new(CopyOptions::binary(), 2).unwrap();
        let mut out = BytesMut::new();
        encoder.header(["a", "b"], &mut out);
        encoder
            .value(SqlValueRef::Integer(1), &PgType::Int4, &mut out)
            .unwrap();
        encoder
            .value(SqlValueRef::Text("ab"), &PgType::Text, &mut out)
            .unwrap();
        encoder
            .value(SqlValueRef::Null, &PgType::Int4, &mut out)
            .unwrap();
        encoder
            .value(SqlValueRef::Text(""), &PgType::Text, &mut out)
            .unwrap();
        encoder.finish(&mut out);
        assert_eq!(out, STREAM);
    }

    #[test]
    fn damaged_streams_are_refused() {
        let damaged = |at: usize, byte: u8| {
            let mut stream = STREAM.to_vec();
            stream[at] = byte;
            read(&stream, 5).unwrap_err()
        };
        assert_eq!(
            damaged(6, b' ').message,
            "COPY file signature not recognized"
        );
        assert_eq!(
            damaged(12, 1).message,
            "unrecognized critical flags in COPY file header"
        );
        assert_eq!(
            damaged(15, 1).message,
            "invalid COPY file header (wrong length)"
        );
        assert_eq!(damaged(20, 3).message, "row field count is 3, expected 2");
        assert_eq!(damaged(21, 0x80).message, "invalid field size");
        let cut = read(&STREAM[..STREAM.len() - 3], 5).unwrap_err();
        assert_eq!(cut.message, "unexpected EOF in COPY data");
        assert_eq!(cut.context("t"), "COPY t, line 2");
        let longer = [STREAM, b"x"].concat();
        assert_eq!(
            read(&longer, 5).unwrap_err().message,
            "received copy data after EOF marker"
        );
    }

    #[test]
    fn a_row_is_limited() {
        let mut stream = STREAM[..21].to_vec();
        stream.extend_from_slice(&[0x7f, 0, 0, 0]);
        stream.extend_from_slice(&[0; 2000]);
        assert_eq!(
            read(&stream, 100).unwrap_err().sqlstate,
            SqlState::PROGRAM_LIMIT_EXCEEDED
        );
    }

    proptest! {
        #[test]
        fn any_bytes_do_no_harm(bytes: Vec<u8>, chunk in 1_usize..9) {
            let stream = [&STREAM[..19], &bytes].concat();
            if let Ok(rows) = read(&stream, chunk) {
                prop_assert!(rows.len() <= bytes.len());
            }
        }
    }
}
