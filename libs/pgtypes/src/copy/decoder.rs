//! From a stream of bytes to rows.

use std::ops::Range;

use super::error::CopyError;
use super::lines::{Found, Lines};
use super::options::{CopyFormat, CopyOptions, Header};
use super::row::{Fields, Row};
use super::{csv, text};
use crate::ValueError;

/// Longest line a decoder takes unless told otherwise: 256 MiB.
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
    options: CopyOptions,
    columns: Vec<String>,
    lines: Lines,
    fields: Fields,
    header_pending: bool,
    failure: Option<CopyError>,
}

impl Decoder {
    /// A decoder for these columns. Refuses options that contradict each other.
    pub fn new(options: CopyOptions, columns: Vec<String>) -> Result<Self, ValueError> {
        Self::with_max_line_bytes(options, columns, DEFAULT_MAX_LINE_BYTES)
    }

    /// The same with another limit for the length of a line.
    pub fn with_max_line_bytes(
        options: CopyOptions,
        columns: Vec<String>,
        max_line_bytes: usize,
    ) -> Result<Self, ValueError> {
        options.check()?;
        Ok(Self {
            lines: Lines::new(&options, max_line_bytes),
            header_pending: options.header != Header::None,
            options,
            columns,
            fields: Fields::default(),
            failure: None,
        })
    }

    /// Takes the next piece of the stream. Read all rows before the next piece comes: what is not
    /// read is kept.
    pub fn feed(&mut self, chunk: &[u8]) {
        self.lines.feed(chunk);
    }

    /// Says that nothing more comes: a last line without an end counts as a line.
    pub fn finish(&mut self) {
        self.lines.finish();
    }

    /// The next row; `None` when more input is needed, and at the end.
    ///
    /// The first error is final: every later call gives it again.
    pub fn next_row(&mut self) -> Result<Option<Row<'_>>, CopyError> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        match self.advance() {
            Ok(true) => Ok(Some(Row::new(&self.fields))),
            Ok(false) => Ok(None),
            Err(error) => {
                self.failure = Some(error.clone());
                Err(error)
            }
        }
    }

    /// The line of the row that was given last, counted from 1.
    pub fn line(&self) -> u64 {
        self.lines.number()
    }

    /// The error of a field of the last row that is no value of its column's type.
    pub fn value_error(&self, error: ValueError, column: usize) -> CopyError {
        let name = self.columns.get(column).map_or("?", String::as_str);
        CopyError::value(error, self.line(), name, self.fields.get(column))
    }

    /// Reads the next row into `fields`; `false` when there is none.
    fn advance(&mut self) -> Result<bool, CopyError> {
        loop {
            let Found::Line(range) = self.lines.find()? else {
                return Ok(false);
            };
            let at = self.lines.number();
            if self.header_pending && self.options.header == Header::Present {
                self.header_pending = false;
                continue;
            }
            self.fields.clear();
            self.split(&range)
                .map_err(|error| error.at(at, Some(self.lines.bytes(range.clone()))))?;
            if !self.header_pending {
                return Ok(true);
            }
            self.header_pending = false;
        }
    }

    /// Takes a line apart and checks that it is a row of the table, or its header.
    fn split(&mut self, range: &Range<usize>) -> Result<(), CopyError> {
        let line = self.lines.bytes(range.clone());
        // A row without columns is an empty line.
        if !(line.is_empty() && self.columns.is_empty()) {
            match self.options.format {
                CopyFormat::Text => text::split(line, &self.options, &mut self.fields),
                CopyFormat::Csv => csv::split(line, &self.options, &mut self.fields)?,
            }
        }
        if self.header_pending {
            self.check_header()
        } else {
            self.check_count()
        }
    }

    fn check_count(&self) -> Result<(), CopyError> {
        if self.fields.len() > self.columns.len() {
            return Err(CopyError::format("extra data after last expected column"));
        }
        match self.columns.get(self.fields.len()) {
            None => Ok(()),
            Some(name) => Err(CopyError::format(format!(
                "missing data for column \"{name}\""
            ))),
        }
    }

    fn check_header(&self) -> Result<(), CopyError> {
        let (got, expected) = (self.fields.len(), self.columns.len());
        if got != expected {
            return Err(CopyError::format(format!(
                "wrong number of fields in header line: got {got}, expected {expected}"
            )));
        }
        for (column, name) in self.columns.iter().enumerate() {
            let field = self.fields.get(column);
            if field != Some(name.as_bytes()) {
                let got = field.map_or_else(
                    || format!("null value (\"{}\")", self.options.null),
                    |field| format!("\"{}\"", String::from_utf8_lossy(field)),
                );
                return Err(CopyError::format(format!(
                    "column name mismatch in header line field {}: got {got}, expected \"{name}\"",
                    column + 1
                )));
            }
        }
        Ok(())
    }
}
