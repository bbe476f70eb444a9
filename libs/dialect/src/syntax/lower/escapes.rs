//! Escapes in strings and names: backslashes and Unicode's numbers.

use pgtypes::SqlState;
use squawk_parser::SyntaxKind::*;

use super::literal::not_utf8;
use super::names::unquote;
use super::{Lowering, Result};
use crate::DialectError;
use crate::syntax::fault;
use crate::syntax::tree::Node;

/// The reading of a string with backslash escapes.
struct Escapes<'a> {
    sql: &'a str,
    inner: &'a str,
    /// Where `inner` begins in the statement.
    base: usize,
    at: usize,
    out: Vec<u8>,
    /// The first half of a surrogate pair.
    high: Option<u32>,
}

impl Escapes<'_> {
    fn fault(&self, from: usize, to: usize, message: &str) -> DialectError {
        fault::near(
            self.sql,
            self.base + from,
            (self.base + to).min(self.sql.len()),
            message,
        )
    }

    /// One character or escape; whether there was any.
    fn step(&mut self) -> Result<bool> {
        let rest = self.inner.as_bytes().get(self.at..).unwrap_or_default();
        let pair = matches!(rest, [b'\\', b'u' | b'U', ..]);
        if self.high.is_some() && !pair && !rest.is_empty() {
            let length = self
                .inner
                .get(self.at..)
                .and_then(|rest| rest.chars().next());
            let end = self.at + length.map_or(1, char::len_utf8);
            return Err(self.fault(self.at, end, "invalid Unicode surrogate pair"));
        }
        match rest {
            [] => return Ok(false),
            [b'\'', b'\'', ..] => self.push(b"'", 2),
            [b'\\', b'b', ..] => self.push(&[8], 2),
            [b'\\', b'f', ..] => self.push(&[12], 2),
            [b'\\', b'n', ..] => self.push(b"\n", 2),
            [b'\\', b'r', ..] => self.push(b"\r", 2),
            [b'\\', b't', ..] => self.push(b"\t", 2),
            [b'\\', b'u', ..] => self.unicode(4)?,
            [b'\\', b'U', ..] => self.unicode(8)?,
            [b'\\', b'x', digits @ ..] if digits.first().is_some_and(u8::is_ascii_hexdigit) => {
                let (value, length) = number(digits, 16, 2);
                self.push(&[low_byte(value)], 2 + length);
            }
            [b'\\', digits @ ..] if matches!(digits.first(), Some(b'0'..=b'7')) => {
                let (value, length) = number(digits, 8, 3);
                self.push(&[low_byte(value)], 1 + length);
            }
            [b'\\', byte, ..] => self.push(&[*byte], 2),
            [byte, ..] => self.push(&[*byte], 1),
        }
        Ok(true)
    }

    fn push(&mut self, bytes: &[u8], length: usize) {
        self.out.extend_from_slice(bytes);
        self.at += length;
    }

    fn unicode(&mut self, digits: usize) -> Result<()> {
        let rest = self.inner.as_bytes().get(self.at + 2..).unwrap_or_default();
        let (value, length) = number(rest, 16, digits);
        if length < digits {
            return Err(DialectError::new(
                SqlState::INVALID_ESCAPE_SEQUENCE,
                "invalid Unicode escape",
            )
            .at(self.sql, self.base + self.at)
            .hint("Unicode escapes must be \\uXXXX or \\UXXXXXXXX."));
        }
        let end = self.at + 2 + digits;
        match combine(&mut self.high, value) {
            Ok(Some(char)) => self
                .out
                .extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
            Ok(None) => {}
            Err(message) => return Err(self.fault(self.at, end, message)),
        }
        self.at = end;
        Ok(())
    }
}

fn low_byte(value: u32) -> u8 {
    u8::try_from(value & 0xff).unwrap_or_default()
}

/// Up to `most` digits of a base: their value and their number.
fn number(bytes: &[u8], base: u32, most: usize) -> (u32, usize) {
    let mut value = 0_u32;
    let mut length = 0;
    for byte in bytes.iter().take(most) {
        let Some(digit) = char::from(*byte).to_digit(base) else {
            break;
        };
        value = value.wrapping_mul(base).wrapping_add(digit);
        length += 1;
    }
    (value, length)
}

/// Takes a code point or half of a surrogate pair.
fn combine(high: &mut Option<u32>, value: u32) -> std::result::Result<Option<char>, &'static str> {
    match (high.take(), value) {
        (None, 0xd800..=0xdbff) => {
            *high = Some(value);
            Ok(None)
        }
        (Some(first), 0xdc00..=0xdfff) => {
            let code = 0x1_0000 + ((first - 0xd800) << 10) + (value - 0xdc00);
            Ok(char::from_u32(code))
        }
        (Some(_), _) | (None, 0xdc00..=0xdfff) => Err("invalid Unicode surrogate pair"),
        (None, 0) => Err("invalid Unicode escape value"),
        (None, value) => char::from_u32(value)
            .map(Some)
            .ok_or("invalid Unicode escape value"),
    }
}

impl Lowering<'_> {
    /// A string with backslash escapes; `skip` bytes stand before its text.
    pub(super) fn escaped(&self, token: Node<'_>, skip: usize) -> Result<String> {
        let raw = token.text();
        let inner = raw
            .get(skip..raw.len().saturating_sub(1))
            .unwrap_or_default();
        let mut reader = Escapes {
            sql: self.sql,
            inner,
            base: token.start() + skip,
            at: 0,
            out: Vec::with_capacity(inner.len()),
            high: None,
        };
        while reader.step()? {}
        if reader.high.is_some() {
            return Err(reader.fault(reader.at, reader.at + 1, "invalid Unicode surrogate pair"));
        }
        String::from_utf8(reader.out).map_err(|error| {
            let bytes = error.as_bytes();
            let from = error.utf8_error().valid_up_to();
            let length = error.utf8_error().error_len().unwrap_or(1);
            let bad = bytes.get(from..from + length.max(1)).unwrap_or_default();
            not_utf8(bad).at(self.sql, token.start())
        })
    }

    /// `U&'…'` or `U&"…"` with its UESCAPE, which stands in the node after the token.
    pub(super) fn unicode_text(&self, token: Node<'_>, node: Node<'_>) -> Result<String> {
        let raw = token.text();
        let quote = if raw.as_bytes().get(2) == Some(&b'"') {
            '"'
        } else {
            '\''
        };
        let mut text = unquote(raw.get(2..).unwrap_or_default(), quote);
        let mut escape = '\\';
        let mut uescape = false;
        let mut end = token.end();
        for part in node
            .children()
            .skip_while(|part| part.start() <= token.start())
        {
            if part.kind() == UESCAPE_KW {
                uescape = true;
            } else if uescape {
                escape = self.escape_character(part)?;
            } else {
                self.check_continuation(end, part)?;
                end = part.end();
                text.push_str(&unquote(part.text(), '\''));
            }
        }
        self.undo_unicode(&text, escape, token)
    }

    fn escape_character(&self, part: Node<'_>) -> Result<char> {
        let text = unquote(part.text(), '\'');
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (Some(char), None)
                if char.is_ascii()
                    && !char.is_ascii_hexdigit()
                    && !matches!(char, '+' | '\'' | '"')
                    && !char.is_ascii_whitespace() =>
            {
                Ok(char)
            }
            _ => Err(fault::near(
                self.sql,
                part.start(),
                part.end(),
                "invalid Unicode escape character",
            )),
        }
    }

    fn undo_unicode(&self, text: &str, escape: char, token: Node<'_>) -> Result<String> {
        // the text begins after U&' ; with doubled quotes before it the place is off by those
        let place = |offset: usize| token.start() + 3 + offset;
        let mut out = String::with_capacity(text.len());
        let mut high = None;
        let mut at = 0;
        while let Some(char) = text.get(at..).and_then(|rest| rest.chars().next()) {
            let rest = text
                .get(at + char.len_utf8()..)
                .unwrap_or_default()
                .as_bytes();
            let escaped = char == escape && rest.first().copied().map(char::from) != Some(escape);
            if !escaped {
                if high.is_some() {
                    return Err(fault::syntax_words(
                        self.sql,
                        place(at),
                        "invalid Unicode surrogate pair",
                    ));
                }
                out.push(char);
                at += char.len_utf8() * if char == escape { 2 } else { 1 };
                continue;
            }
            let long = rest.first() == Some(&b'+');
            let want = if long { 6 } else { 4 };
            let digits = rest.get(usize::from(long)..).unwrap_or_default();
            let (value, length) = number(digits, 16, want);
            if length < want {
                return Err(
                    DialectError::new(SqlState::SYNTAX_ERROR, "invalid Unicode escape")
                        .at(self.sql, place(at))
                        .hint("Unicode escapes must be \\XXXX or \\+XXXXXX."),
                );
            }
            match combine(&mut high, value) {
                Ok(char) => out.extend(char),
                Err(message) => return Err(fault::syntax_words(self.sql, place(at), message)),
            }
            at += 1 + usize::from(long) + want;
        }
        if high.is_some() {
            return Err(fault::syntax_words(
                self.sql,
                place(at),
                "invalid Unicode surrogate pair",
            ));
        }
        Ok(out)
    }
}
