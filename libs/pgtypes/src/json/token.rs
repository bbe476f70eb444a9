//! The pieces of a JSON document (RFC 8259), with PostgreSQL's errors.

use crate::ValueError;
use crate::error::{EXCERPT_CHARS, excerpt};
use crate::json::parse::Value;
use crate::json::text::{Text, syntax};

/// `Token … is invalid.`
fn invalid_token(token: &str) -> ValueError {
    let token = excerpt(token, EXCERPT_CHARS);
    syntax(format!("Token \"{token}\" is invalid."))
}

/// A letter, a digit or what else continues a word.
fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii()
}

/// Reads the pieces of a document, one behind the other.
pub(super) struct Tokens<'a> {
    text: &'a str,
    pub(super) at: usize,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub(super) fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// The error for what stands here in place of what was expected.
    pub(super) fn unexpected(&self, expected: &str) -> ValueError {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return syntax("The input string ended unexpectedly.");
        };
        let mut probe = Tokens {
            text: self.text,
            at: self.at,
        };
        let token = match first {
            '{' | '}' | '[' | ']' | ',' | ':' => rest.get(..1).unwrap_or_default(),
            '"' => match probe.string() {
                Ok(_) => self.text.get(self.at..probe.at).unwrap_or_default(),
                Err(error) => return error,
            },
            '-' | '0'..='9' => match probe.number() {
                Ok(()) => self.text.get(self.at..probe.at).unwrap_or_default(),
                Err(error) => return error,
            },
            first => {
                let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                let word = rest.get(..end.max(first.len_utf8())).unwrap_or_default();
                if !matches!(word, "true" | "false" | "null") {
                    return invalid_token(word);
                }
                word
            }
        };
        let token = excerpt(token, EXCERPT_CHARS);
        syntax(format!("{expected}, but found \"{token}\"."))
    }

    pub(super) fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// Reads a key and the colon behind it.
    pub(super) fn key(&mut self, expected: &str) -> Result<Text<'a>, ValueError> {
        self.skip_blanks();
        if self.peek() != Some(b'"') {
            return Err(self.unexpected(expected));
        }
        let key = self.string()?;
        if !self.take(b':') {
            return Err(self.unexpected("Expected \":\""));
        }
        Ok(key)
    }

    pub(super) fn word<T>(&mut self, expected: &str) -> Result<Value<'a, T>, ValueError> {
        let rest = self.rest();
        let word = rest
            .get(..rest.find(|c| !is_word(c)).unwrap_or(rest.len()))
            .unwrap_or_default();
        let value = match word {
            "null" => Value::Null,
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => return Err(self.unexpected(expected)),
        };
        self.at += word.len();
        Ok(value)
    }

    pub(super) fn take(&mut self, byte: u8) -> bool {
        self.skip_blanks();
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    pub(super) fn string(&mut self) -> Result<Text<'a>, ValueError> {
        self.at += 1;
        let start = self.at;
        loop {
            let Some(byte) = self.peek() else {
                let from = self.text.get(start.saturating_sub(1)..).unwrap_or_default();
                return Err(invalid_token(from));
            };
            match byte {
                b'"' => {
                    let inner = self.text.get(start..self.at).unwrap_or_default();
                    self.at += 1;
                    return Ok(Text(inner));
                }
                b'\\' => self.escape(start)?,
                0..0x20 => {
                    return Err(syntax(format!(
                        "Character with value 0x{byte:02x} must be escaped."
                    )));
                }
                _ => self.at += 1,
            }
        }
    }

    fn escape(&mut self, start: usize) -> Result<(), ValueError> {
        let behind = self.text.get(self.at + 1..).unwrap_or_default();
        match behind.chars().next() {
            Some('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't') => self.at += 2,
            Some('u') => {
                let digits = behind.get(1..5).unwrap_or_default();
                let hex = |byte: u8| byte.is_ascii_hexdigit();
                if digits.len() < 4 || !digits.bytes().all(hex) {
                    return Err(syntax(
                        "\"\\u\" must be followed by four hexadecimal digits.",
                    ));
                }
                self.at += 6;
            }
            Some(other) => {
                return Err(syntax(format!("Escape sequence \"\\{other}\" is invalid.")));
            }
            None => {
                let from = self.text.get(start.saturating_sub(1)..).unwrap_or_default();
                return Err(invalid_token(from));
            }
        }
        Ok(())
    }

    fn digits(&mut self) -> bool {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at > start
    }

    pub(super) fn number(&mut self) -> Result<(), ValueError> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        let mut good = if self.peek() == Some(b'0') {
            self.at += 1;
            true
        } else {
            self.digits()
        };
        if good && self.peek() == Some(b'.') {
            self.at += 1;
            good = self.digits();
        }
        if good && matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            good = self.digits();
        }
        // What follows at once belongs to the token.
        let rest = self.rest();
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        if !good || end > 0 {
            let token = self.text.get(start..self.at + end).unwrap_or_default();
            return Err(invalid_token(token));
        }
        Ok(())
    }
}
