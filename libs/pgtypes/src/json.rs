//! Types `json` and `jsonb`: is a text JSON? (RFC 8259)

use crate::{SqlState, ValueError};

/// How deep arrays and objects may stand in each other; SQLite's own functions take no more.
const MAX_DEPTH: usize = 1000;

/// Refuses what is not JSON.
pub(crate) fn check(text: &str) -> Result<(), ValueError> {
    let mut checker = Checker {
        rest: text.as_bytes(),
        open: Vec::new(),
    };
    match checker.document() {
        Ok(()) => Ok(()),
        Err(Problem::Syntax) => Err(ValueError::new(
            SqlState::INVALID_TEXT_REPRESENTATION,
            "invalid input syntax for type json",
        )
        .with_detail(checker.place())),
        Err(Problem::Depth) => Err(ValueError::new(
            SqlState::STATEMENT_TOO_COMPLEX,
            format!("JSON is nested deeper than {MAX_DEPTH} levels"),
        )),
    }
}

#[derive(Clone, Copy, Debug)]
enum Problem {
    Syntax,
    Depth,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Container {
    Array,
    Object,
}

struct Checker<'a> {
    rest: &'a [u8],
    /// What is open, the innermost last. A list of its own instead of recursion, so that no text
    /// can use up the thread's stack.
    open: Vec<Container>,
}

impl Checker<'_> {
    fn document(&mut self) -> Result<(), Problem> {
        loop {
            // Here a value is due, unless it opened a container that is closed at once.
            if self.value()? && !self.after_value()? {
                break;
            }
        }
        self.skip_blanks();
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(Problem::Syntax)
        }
    }

    /// Reads a value. `false`: it opened a container, and its first element is due.
    fn value(&mut self) -> Result<bool, Problem> {
        self.skip_blanks();
        match self.rest.first() {
            Some(b'{') => self.begin(Container::Object, b'}'),
            Some(b'[') => self.begin(Container::Array, b']'),
            Some(b'"') => self.string().map(|()| true),
            Some(b'-' | b'0'..=b'9') => self.number().map(|()| true),
            _ => {
                let word = [&b"true"[..], b"false", b"null"]
                    .into_iter()
                    .find(|word| self.rest.starts_with(word))
                    .ok_or(Problem::Syntax)?;
                self.skip(word.len());
                Ok(true)
            }
        }
    }

    fn begin(&mut self, container: Container, end: u8) -> Result<bool, Problem> {
        self.skip(1);
        self.skip_blanks();
        if self.take(end) {
            return Ok(true);
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(Problem::Depth);
        }
        self.open.push(container);
        if container == Container::Object {
            self.key()?;
        }
        Ok(false)
    }

    /// Reads what follows a value: `true` when another one is due.
    fn after_value(&mut self) -> Result<bool, Problem> {
        while let Some(container) = self.open.last().copied() {
            self.skip_blanks();
            let end = if container == Container::Array {
                b']'
            } else {
                b'}'
            };
            if self.take(end) {
                self.open.pop();
                continue;
            }
            self.expect(b',')?;
            if container == Container::Object {
                self.key()?;
            }
            return Ok(true);
        }
        Ok(false)
    }

    fn key(&mut self) -> Result<(), Problem> {
        self.skip_blanks();
        self.string()?;
        self.skip_blanks();
        self.expect(b':')
    }

    fn string(&mut self) -> Result<(), Problem> {
        self.expect(b'"')?;
        loop {
            let (&byte, rest) = self.rest.split_first().ok_or(Problem::Syntax)?;
            match byte {
                b'"' => {
                    self.rest = rest;
                    return Ok(());
                }
                b'\\' => self.rest = after_escape(rest).ok_or(Problem::Syntax)?,
                0..=0x1f => return Err(Problem::Syntax),
                _ => self.rest = rest,
            }
        }
    }

    fn number(&mut self) -> Result<(), Problem> {
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _signed = self.take(b'-') || self.take(b'+');
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Problem> {
        let count = self.rest.iter().take_while(|b| b.is_ascii_digit()).count();
        self.skip(count);
        if count == 0 {
            Err(Problem::Syntax)
        } else {
            Ok(())
        }
    }

    fn skip_blanks(&mut self) {
        let blanks = self
            .rest
            .iter()
            .take_while(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\r'));
        self.skip(blanks.count());
    }

    fn skip(&mut self, count: usize) {
        self.rest = self.rest.get(count..).unwrap_or_default();
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.rest.first() == Some(&byte);
        if found {
            self.skip(1);
        }
        found
    }

    fn expect(&mut self, byte: u8) -> Result<(), Problem> {
        if self.take(byte) {
            Ok(())
        } else {
            Err(Problem::Syntax)
        }
    }

    /// Where the text stops to be JSON.
    fn place(&self) -> String {
        let token: String = String::from_utf8_lossy(self.rest.get(..40).unwrap_or(self.rest))
            .chars()
            .take_while(|c| !c.is_control())
            .take(10)
            .collect();
        if token.is_empty() {
            "The input string ended unexpectedly.".to_owned()
        } else {
            format!("Text at or near \"{token}\" is invalid.")
        }
    }
}

/// What follows the character that was escaped.
fn after_escape(rest: &[u8]) -> Option<&[u8]> {
    match rest {
        [
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't',
            rest @ ..,
        ] => Some(rest),
        [b'u', a, b, c, d, rest @ ..] => [a, b, c, d]
            .into_iter()
            .all(u8::is_ascii_hexdigit)
            .then_some(rest),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{MAX_DEPTH, check};
    use crate::SqlState;

    #[test]
    fn json_is_accepted() {
        for text in [
            "null",
            " true ",
            "-0.5e+10",
            "0",
            "\"a\\u00e9\\n\\\"\"",
            "[]",
            "{}",
            "[1, [2, [], {}], {\"a\": [3]}]",
            "{\"a\":1,\"b\":{\"c\":null}}\n",
            "\"größe\"",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            " ",
            "nul",
            "01",
            "1.",
            ".5",
            "+1",
            "1e",
            "'a'",
            "\"a",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\n\"",
            "[1,]",
            "[1 2]",
            "[",
            "]",
            "{\"a\"}",
            "{\"a\":}",
            "{a:1}",
            "{\"a\":1,}",
            "{} {}",
            "[}",
            "NaN",
        ] {
            let error = check(text).unwrap_err();
            assert_eq!(
                error.sqlstate,
                SqlState::INVALID_TEXT_REPRESENTATION,
                "{text}"
            );
            assert_eq!(error.message, "invalid input syntax for type json");
        }
    }

    #[test]
    fn depth_is_limited() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert_eq!(check(&nested(MAX_DEPTH)), Ok(()));
        let error = check(&nested(MAX_DEPTH + 2)).unwrap_err();
        assert_eq!(error.sqlstate, SqlState::STATEMENT_TOO_COMPLEX);
        assert!(check(&"[".repeat(1_000_000)).is_err());
    }

    proptest! {
        #[test]
        fn checking_never_panics(text in "[\\[\\]{}\",:0-9eE.+\\\\utrf -]{0,40}") {
            if let Err(error) = check(&text) {
                prop_assert!(!error.message.is_empty());
            }
        }
    }
}
