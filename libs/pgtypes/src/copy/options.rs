//! The options of a COPY statement.

use crate::{Format, SqlState, ValueError};

/// How rows are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CopyFormat {
    /// Tabs between fields, backslash sequences.
    #[default]
    Text,
    /// Commas between fields, quotes where needed.
    Csv,
    /// Fields in their binary form, each behind its length.
    Binary,
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

    /// FORMAT binary, which has no options of its own.
    pub fn binary() -> Self {
        Self {
            format: CopyFormat::Binary,
            ..Self::text()
        }
    }

    /// The form in which fields stand in the stream.
    pub fn value_format(&self) -> Format {
        match self.format {
            CopyFormat::Text | CopyFormat::Csv => Format::Text,
            CopyFormat::Binary => Format::Binary,
        }
    }

    /// Refuses options that would make a stream nobody can read, in PostgreSQL's words.
    pub fn check(&self) -> Result<(), ValueError> {
        if self.format == CopyFormat::Binary {
            return self.check_binary();
        }
        let line_end = |byte: u8| matches!(byte, b'\n' | b'\r');
        if self.delimiter == 0 || !self.delimiter.is_ascii() {
            return unsupported("COPY delimiter must be a single one-byte character");
        }
        if line_end(self.delimiter) {
            return invalid("COPY delimiter cannot be newline or carriage return");
        }
        if self.null.bytes().any(line_end) {
            return invalid("COPY null representation cannot use newline or carriage return");
        }
        if self.format == CopyFormat::Text {
            self.check_text()?;
        }
        if self.null.bytes().any(|byte| byte == self.delimiter) {
            return unsupported("COPY delimiter must not appear in the NULL specification");
        }
        if self.format == CopyFormat::Csv {
            self.check_csv()
        } else {
            Ok(())
        }
    }

    /// [`CopyOptions::check`], and refuses options of COPY TO.
    pub(super) fn check_in(&self) -> Result<(), ValueError> {
        self.check()?;
        match self.force_quote {
            Force::None => Ok(()),
            _ => unsupported("COPY force quote only available using COPY TO"),
        }
    }

    /// [`CopyOptions::check`], and refuses options of COPY FROM.
    pub(super) fn check_out(&self) -> Result<(), ValueError> {
        self.check()?;
        if self.force_not_null != Force::None {
            return unsupported("COPY force not null only available using COPY FROM");
        }
        if self.force_null != Force::None {
            return unsupported("COPY force null only available using COPY FROM");
        }
        Ok(())
    }

    fn check_binary(&self) -> Result<(), ValueError> {
        if self.header != Header::None {
            return unsupported("cannot specify HEADER in BINARY mode");
        }
        self.refuse_csv_options()
    }

    fn check_text(&self) -> Result<(), ValueError> {
        let delimiter = self.delimiter;
        if delimiter.is_ascii_lowercase()
            || delimiter.is_ascii_digit()
            || b"\\.".contains(&delimiter)
        {
            return invalid(format!(
                "COPY delimiter cannot be \"{}\"",
                char::from(delimiter)
            ));
        }
        self.refuse_csv_options()
    }

    fn refuse_csv_options(&self) -> Result<(), ValueError> {
        let csv_only = [
            (&self.force_quote, "force quote"),
            (&self.force_not_null, "force not null"),
            (&self.force_null, "force null"),
        ];
        match csv_only
            .into_iter()
            .find(|(force, _)| **force != Force::None)
        {
            Some((_, name)) => unsupported(format!("COPY {name} available only in CSV mode")),
            None => Ok(()),
        }
    }

    fn check_csv(&self) -> Result<(), ValueError> {
        if self.quote == 0 || !self.quote.is_ascii() {
            return unsupported("COPY quote must be a single one-byte character");
        }
        if self.escape == 0 || !self.escape.is_ascii() {
            return unsupported("COPY escape must be a single one-byte character");
        }
        if self.delimiter == self.quote {
            return invalid("COPY delimiter and quote must be different");
        }
        if self.null.bytes().any(|byte| byte == self.quote) {
            return unsupported("CSV quote character must not appear in the NULL specification");
        }
        Ok(())
    }
}

fn invalid(message: impl Into<String>) -> Result<(), ValueError> {
    Err(ValueError::new(SqlState::INVALID_PARAMETER_VALUE, message))
}

fn unsupported(message: impl Into<String>) -> Result<(), ValueError> {
    Err(ValueError::new(SqlState::FEATURE_NOT_SUPPORTED, message))
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
                "COPY delimiter must not appear in the NULL specification",
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
    }

    #[test]
    fn options_of_csv_are_refused_elsewhere() {
        let forced = CopyOptions {
            force_null: Force::All,
            ..CopyOptions::text()
        };
        assert_eq!(
            refusal(&forced),
            "COPY force null available only in CSV mode"
        );
        let forced = CopyOptions {
            force_quote: Force::All,
            ..CopyOptions::binary()
        };
        assert_eq!(
            forced.check().unwrap_err().sqlstate,
            SqlState::FEATURE_NOT_SUPPORTED
        );
    }

    #[test]
    fn options_of_the_other_direction_are_refused() {
        let quote = CopyOptions {
            force_quote: Force::All,
            ..CopyOptions::csv()
        };
        assert_eq!(quote.check_out(), Ok(()));
        assert_eq!(
            quote.check_in().unwrap_err().message,
            "COPY force quote only available using COPY TO"
        );
        let null = CopyOptions {
            force_null: Force::All,
            ..CopyOptions::csv()
        };
        assert_eq!(null.check_in(), Ok(()));
        assert_eq!(
            null.check_out().unwrap_err().message,
            "COPY force null only available using COPY FROM"
        );
    }
}
