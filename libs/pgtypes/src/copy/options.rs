//! The options of a COPY statement.

use crate::{SqlState, ValueError};

/// How rows are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CopyFormat {
    /// Tabs between fields, backslash sequences.
    #[default]
    Text,
    /// Commas between fields, quotes where needed.
    Csv,
}

/// What the first line is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Header {
    /// A row like the others.
    #[default]
    None,
    /// Column names; skipped on the way in.
    Present,
    /// Column names, which on the way in must be those of the table.
    Match,
}

/// The columns that a FORCE option names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Force {
    /// None.
    #[default]
    None,
    /// All, `*`.
    All,
    /// These, counted from 0 in the order of the copied columns.
    Columns(Vec<usize>),
}

impl Force {
    /// Whether the option holds for a column.
    pub fn covers(&self, column: usize) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Columns(columns) => columns.contains(&column),
        }
    }
}

/// The options of a COPY statement. `default()` is what COPY without options does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyOptions {
    /// FORMAT.
    pub format: CopyFormat,
    /// DELIMITER, one byte; default tab, in CSV a comma.
    pub delimiter: u8,
    /// NULL; default `\N`, in CSV nothing.
    pub null: String,
    /// HEADER.
    pub header: Header,
    /// QUOTE (CSV only), one byte; default `"`.
    pub quote: u8,
    /// ESCAPE (CSV only), one byte; default the quote.
    pub escape: u8,
    /// `FORCE_QUOTE` (CSV out).
    pub force_quote: Force,
    /// `FORCE_NOT_NULL` (CSV in).
    pub force_not_null: Force,
    /// `FORCE_NULL` (CSV in).
    pub force_null: Force,
}

impl Default for CopyOptions {
    fn default() -> Self {
        Self::text()
    }
}

impl CopyOptions {
    /// The defaults of FORMAT text.
    pub fn text() -> Self {
        Self {
            format: CopyFormat::Text,
            delimiter: b'\t',
            null: "\\N".to_owned(),
            header: Header::None,
            quote: b'"',
            escape: b'"',
            force_quote: Force::None,
            force_not_null: Force::None,
            force_null: Force::None,
        }
    }

    /// The defaults of FORMAT csv.
    pub fn csv() -> Self {
        Self {
            format: CopyFormat::Csv,
            delimiter: b',',
            null: String::new(),
            ..Self::text()
        }
    }

    /// Refuses options that would make a file nobody can read, in PostgreSQL's words.
    pub fn check(&self) -> Result<(), ValueError> {
        let refuse = |message: &str| {
            Err(ValueError::new(
                SqlState::INVALID_PARAMETER_VALUE,
                message.to_owned(),
            ))
        };
        let line_end = |byte: u8| matches!(byte, b'\n' | b'\r');
        if self.delimiter == 0 || !self.delimiter.is_ascii() {
            return refuse("COPY delimiter must be a single one-byte character");
        }
        if line_end(self.delimiter) {
            return refuse("COPY delimiter cannot be newline or carriage return");
        }
        if self.null.bytes().any(line_end) {
            return refuse("COPY null representation cannot use newline or carriage return");
        }
        if self.null.bytes().any(|byte| byte == self.delimiter) {
            return refuse("COPY delimiter character must not appear in the NULL specification");
        }
        match self.format {
            CopyFormat::Text => self.check_text(),
            CopyFormat::Csv => self.check_csv(),
        }
    }

    fn check_text(&self) -> Result<(), ValueError> {
        let delimiter = self.delimiter;
        if delimiter.is_ascii_lowercase()
            || delimiter.is_ascii_digit()
            || b"\\.".contains(&delimiter)
        {
            return Err(ValueError::new(
                SqlState::INVALID_PARAMETER_VALUE,
                format!("COPY delimiter cannot be \"{}\"", char::from(delimiter)),
            ));
        }
        let csv_only = [
            (&self.force_quote, "force quote"),
            (&self.force_not_null, "force not null"),
            (&self.force_null, "force null"),
        ];
        for (force, name) in csv_only {
            if *force != Force::None {
                return Err(ValueError::new(
                    SqlState::FEATURE_NOT_SUPPORTED,
                    format!("COPY {name} available only in CSV mode"),
                ));
            }
        }
        Ok(())
    }

    fn check_csv(&self) -> Result<(), ValueError> {
        let refuse = |message: &str| {
            Err(ValueError::new(
                SqlState::INVALID_PARAMETER_VALUE,
                message.to_owned(),
            ))
        };
        if self.quote == 0 || !self.quote.is_ascii() {
            return refuse("COPY quote must be a single one-byte character");
        }
        if self.escape == 0 || !self.escape.is_ascii() {
            return refuse("COPY escape must be a single one-byte character");
        }
        if self.delimiter == self.quote {
            return refuse("COPY delimiter and quote must be different");
        }
        if self.null.bytes().any(|byte| byte == self.quote) {
            return refuse("CSV quote character must not appear in the NULL specification");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{CopyOptions, Force};
    use crate::SqlState;

    fn refusal(options: &CopyOptions) -> String {
        options.check().unwrap_err().message
    }

    #[test]
    fn the_defaults_are_good() {
        assert_eq!(CopyOptions::default().check(), Ok(()));
        assert_eq!(CopyOptions::csv().check(), Ok(()));
    }

    #[test]
    fn options_that_contradict_each_other_are_refused() {
        let cases = [
            (
                CopyOptions {
                    delimiter: b'\n',
                    ..CopyOptions::text()
                },
                "COPY delimiter cannot be newline or carriage return",
            ),
            (
                CopyOptions {
                    delimiter: b'a',
                    ..CopyOptions::text()
                },
                "COPY delimiter cannot be \"a\"",
            ),
            (
                CopyOptions {
                    null: "\r".into(),
                    ..CopyOptions::text()
                },
                "COPY null representation cannot use newline or carriage return",
            ),
            (
                CopyOptions {
                    null: "a|b".into(),
                    delimiter: b'|',
                    ..CopyOptions::text()
                },
                "COPY delimiter character must not appear in the NULL specification",
            ),
            (
                CopyOptions {
                    delimiter: b'"',
                    ..CopyOptions::csv()
                },
                "COPY delimiter and quote must be different",
            ),
            (
                CopyOptions {
                    null: "\"\"".into(),
                    ..CopyOptions::csv()
                },
                "CSV quote character must not appear in the NULL specification",
            ),
            (
                CopyOptions {
                    escape: 0xe4,
                    ..CopyOptions::csv()
                },
                "COPY escape must be a single one-byte character",
            ),
        ];
        for (options, message) in cases {
            assert_eq!(refusal(&options), message);
        }
        let forced = CopyOptions {
            force_null: Force::All,
            ..CopyOptions::text()
        };
        assert_eq!(
            forced.check().unwrap_err().sqlstate,
            SqlState::FEATURE_NOT_SUPPORTED
        );
    }
}
