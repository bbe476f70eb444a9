//! The options of COPY.

/// COPY's formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyFormat {
    /// Tab separated, backslash escapes.
    Text,
    /// RFC 4180 as PostgreSQL reads it.
    Csv,
    /// PostgreSQL's binary format.
    Binary,
}

/// Whether the first line holds names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyHeader {
    /// No header line.
    No,
    /// Skipped on input, written on output.
    Yes,
    /// As `Yes`, and the names must match on input.
    Match,
}

/// The columns that a FORCE_ option names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ColumnSet {
    /// No column.
    #[default]
    None,
    /// `*`
    All,
    /// These.
    Some(Vec<String>),
}

/// Options of COPY, defaults filled in for the format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyOptions {
    /// FORMAT
    pub format: CopyFormat,
    /// DELIMITER, one byte
    pub delimiter: u8,
    /// NULL
    pub null: String,
    /// HEADER
    pub header: CopyHeader,
    /// QUOTE, one byte (csv)
    pub quote: u8,
    /// ESCAPE, one byte (csv)
    pub escape: u8,
    /// `FORCE_QUOTE` (csv, output)
    pub force_quote: ColumnSet,
    /// `FORCE_NOT_NULL` (csv, input)
    pub force_not_null: ColumnSet,
    /// `FORCE_NULL` (csv, input)
    pub force_null: ColumnSet,
    /// FREEZE is accepted and means nothing; ENCODING other than UTF8 is refused.
    pub freeze: bool,
}
