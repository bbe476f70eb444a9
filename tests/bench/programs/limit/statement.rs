//! What a statement is for a server that knows no SQL: its first word.

/// The kinds that are answered differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Statement {
    /// Begins a transaction.
    Begin,
    /// Ends it: the log is synced.
    Commit,
    /// Has one row of one column.
    Select,
    /// Changes a row; outside a transaction the log is synced.
    Write,
    /// Anything else.
    Other,
}

impl Statement {
    /// By the first word, in any case.
    pub(crate) fn of(text: &[u8]) -> Self {
        let text = text.trim_ascii_start();
        let end = text.iter().position(|byte| !byte.is_ascii_alphabetic());
        let word = text.get(..end.unwrap_or(text.len())).unwrap_or_default();
        match word.to_ascii_lowercase().as_slice() {
            b"begin" | b"start" => Self::Begin,
            b"commit" | b"end" => Self::Commit,
            b"select" => Self::Select,
            b"update" | b"insert" | b"delete" => Self::Write,
            _ => Self::Other,
        }
    }

    /// What the client is told when it is done.
    pub(crate) fn tag(self) -> &'static [u8] {
        match self {
            Self::Begin => b"BEGIN\0",
            Self::Commit => b"COMMIT\0",
            Self::Select => b"SELECT 1\0",
            Self::Write => b"UPDATE 1\0",
            Self::Other => b"SELECT 0\0",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_says_what_a_statement_is() {
        assert_eq!(Statement::of(b"BEGIN;"), Statement::Begin);
        assert_eq!(Statement::of(b"  commit"), Statement::Commit);
        assert_eq!(
            Statement::of(b"UPDATE accounts SET balance = 1"),
            Statement::Write
        );
        assert_eq!(Statement::of(b"Select 1"), Statement::Select);
        assert_eq!(Statement::of(b""), Statement::Other);
    }
}
