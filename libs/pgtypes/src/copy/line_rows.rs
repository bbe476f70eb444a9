//! Rows of the two formats that have lines.

use std::ops::Range;

use super::error::CopyError;
use super::lines::{Found, Lines};
use super::options::{CopyFormat, CopyOptions, Header};
use super::row::Fields;
use super::{csv, text};

/// Reads lines and takes them apart.
#[derive(Debug)]
pub(super) struct LineRows {
    options: CopyOptions,
    lines: Lines,
    header_pending: bool,
    /// Where the line of the last row is.
    row: Range<usize>,
}

impl LineRows {
    pub(super) fn new(options: CopyOptions, max_line_bytes: usize) -> Self {
        Self {
            lines: Lines::new(&options, max_line_bytes),
            header_pending: options.header != Header::None,
            options,
            row: 0..0,
        }
    }

    pub(super) fn feed(&mut self, chunk: &[u8]) {
        self.lines.feed(chunk);
    }

    pub(super) fn finish(&mut self) {
        self.lines.finish();
    }

    pub(super) fn line(&self) -> u64 {
        self.lines.number()
    }

    /// The line of the row that was given last.
    pub(super) fn row(&self) -> &[u8] {
        self.lines.bytes(self.row.clone())
    }

    /// Reads the next row into `fields`; `false` when there is none.
    pub(super) fn advance(
        &mut self,
        columns: &[String],
        fields: &mut Fields,
    ) -> Result<bool, CopyError> {
        loop {
            let Found::Line(range) = self.lines.find()? else {
                return Ok(false);
            };
            let header = std::mem::take(&mut self.header_pending);
            if header && self.options.header == Header::Present {
                continue;
            }
            fields.clear();
            self.split(range.clone(), columns.len(), fields)
                .and_then(|()| {
                    if header {
                        self.check_header(columns, fields)
                    } else {
                        check_count(columns, fields)
                    }
                })
                .map_err(|error| error.at(self.line(), Some(self.lines.bytes(range.clone()))))?;
            if !header {
                self.row = range;
                return Ok(true);
            }
        }
    }

    fn split(
        &self,
        range: Range<usize>,
        columns: usize,
        fields: &mut Fields,
    ) -> Result<(), CopyError> {
        let line = self.lines.bytes(range);
        if line.is_empty() && columns == 0 {
            return Ok(()); // A row without columns is an empty line.
        }
        if self.options.format == CopyFormat::Csv {
            return csv::split(line, &self.options, fields);
        }
        text::split(line, &self.options, fields);
        Ok(())
    }

    fn check_header(&self, columns: &[String], fields: &Fields) -> Result<(), CopyError> {
        let (got, expected) = (fields.len(), columns.len());
        if got != expected {
            return Err(CopyError::format(format!(
                "wrong number of fields in header line: got {got}, expected {expected}"
            )));
        }
        for (column, name) in columns.iter().enumerate() {
            let field = fields.get(column);
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

fn check_count(columns: &[String], fields: &Fields) -> Result<(), CopyError> {
    if fields.len() > columns.len() {
        return Err(CopyError::format("extra data after last expected column"));
    }
    match columns.get(fields.len()) {
        None => Ok(()),
        Some(name) => Err(CopyError::format(format!(
            "missing data for column \"{name}\""
        ))),
    }
}
