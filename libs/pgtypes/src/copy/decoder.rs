//! From a stream of bytes to rows.

use super::binary::BinaryRows;
use super::error::CopyError;
use super::line_rows::LineRows;
use super::options::{CopyFormat, CopyOptions};
use super::row::{Fields, Row};
use crate::{Format, ValueError};

/// Longest line, or row in binary form, that a decoder takes unless told otherwise: 256 MiB.
pub const DEFAULT_MAX_LINE_BYTES: usize = 256 << 20;

/// Reads rows from a COPY stream that arrives in pieces.
///
/// ```
/// use pgtypes::copy::{CopyOptions, Decoder};
///
/// let mut decoder = Decoder::new(CopyOptions::text(), vec!["id".into(), "name".into()])?;
/// decoder.feed(b"1\tA");
/// assert!(decoder.next_row()?.is_none());
/// decoder.feed(b"da\n2\t\\N\n");
/// assert_eq!(decoder.next_row()?.unwrap().get(1), Some(&b"Ada"[..]));
/// assert_eq!(decoder.next_row()?.unwrap().get(1), None);
/// decoder.finish();
/// assert!(decoder.next_row()?.is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Decoder {
    columns: Vec<String>,
    source: Source,
    fields: Fields,
    value_format: Format,
    failure: Option<CopyError>,
}

#[derive(Debug)]
enum Source {
    Lines(LineRows),
    Binary(BinaryRows),
}

impl Decoder {
    /// A decoder for these columns. Refuses options that contradict each other.
    pub fn new(options: CopyOptions, columns: Vec<String>) -> Result<Self, ValueError> {
        Self::with_max_line_bytes(options, columns, DEFAULT_MAX_LINE_BYTES)
    }

    /// The same with another limit for the length of a line, or of a row in binary form.
    pub fn with_max_line_bytes(
        options: CopyOptions,
        columns: Vec<String>,
        max_line_bytes: usize,
    ) -> Result<Self, ValueError> {
        options.check_in()?;
        Ok(Self {
            columns,
            value_format: options.value_format(),
            source: match options.format {
                CopyFormat::Binary => Source::Binary(BinaryRows::new(max_line_bytes)),
                _ => Source::Lines(LineRows::new(options, max_line_bytes)),
            },
            fields: Fields::default(),
            failure: None,
        })
    }

    /// The form of the fields, for [`decode`](crate::decode).
    pub fn value_format(&self) -> Format {
        self.value_format
    }

    /// Takes the next piece of the stream. Read all rows before the next piece comes: what is not
    /// read is kept.
    pub fn feed(&mut self, chunk: &[u8]) {
        match &mut self.source {
            Source::Lines(rows) => rows.feed(chunk),
            Source::Binary(rows) => rows.feed(chunk),
        }
    }

    /// Says that nothing more comes: a last line without an end counts as a line.
    pub fn finish(&mut self) {
        match &mut self.source {
            Source::Lines(rows) => rows.finish(),
            Source::Binary(rows) => rows.finish(),
        }
    }

    /// The next row; `None` when more input is needed, and at the end.
    ///
    /// The first error is final: every later call gives it again.
    pub fn next_row(&mut self) -> Result<Option<Row<'_>>, CopyError> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        let advanced = match &mut self.source {
            Source::Lines(rows) => rows.advance(&self.columns, &mut self.fields),
            Source::Binary(rows) => rows.advance(&self.columns, &mut self.fields),
        };
        match advanced {
            Ok(true) => Ok(Some(Row::new(&self.fields))),
            Ok(false) => Ok(None),
            Err(error) => {
                self.failure = Some(error.clone());
                Err(error)
            }
        }
    }

    /// The line of the row that was given last, counted from 1; in binary form its number.
    pub fn line(&self) -> u64 {
        match &self.source {
            Source::Lines(rows) => rows.line(),
            Source::Binary(rows) => rows.row(),
        }
    }

    /// The context line for the client of an error about the last row as a whole: `COPY t, line 3: "1,x"`.
    pub fn context(&self, table: &str) -> String {
        let row = match &self.source {
            Source::Lines(rows) => Some(rows.row()),
            Source::Binary(_) => None,
        };
        CopyError::format("").at(self.line(), row).context(table)
    }

    /// The error of a field of the last row that is no value of its column's type.
    pub fn value_error(&self, error: ValueError, column: usize) -> CopyError {
        let name = self.columns.get(column).map_or("?", String::as_str);
        let shown = match self.value_format {
            Format::Text => self.fields.get(column),
            Format::Binary => None,
        };
        CopyError::value(error, self.line(), name, shown)
    }
}
