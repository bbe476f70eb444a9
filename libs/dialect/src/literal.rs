//! String literals and quoted names: their values, and SQLite's spelling of a value.

use pgtypes::SqlState;

use crate::error::DialectError;
use crate::lexer::Kind;

/// `'it''s'`
pub(crate) fn quote(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

/// `"a""b"`
pub(crate) fn quote_name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The name inside `"..."` or backquotes.
pub(crate) fn unquote_name(text: &str) -> String {
    let quote = text.get(..1).unwrap_or("\"");
    let inner = text.get(1..text.len().saturating_sub(1)).unwrap_or("");
    inner.replace(&format!("{quote}{quote}"), quote)
}

/// The name up to the closing quote, and what follows it; `text` begins behind the opening one. A doubled quote is one.
pub fn quoted_part(text: &str) -> Option<(String, &str)> {
    let mut part = String::new();
    let mut rest = text;
    loop {
        let (before, after) = rest.split_once('"')?;
        part.push_str(before);
        match after.strip_prefix('"') {
            Some(after) => {
                part.push('"');
                rest = after;
            }
            None => return Some((part, after)),
        }
    }
}

/// The name of `U&"..."`.
pub(crate) fn unicode_name(text: &str) -> Option<String> {
    let quoted = text.get(2..).filter(|rest| rest.starts_with('"'))?;
    unicode(&unquote_name(quoted)).ok()
}

/// The value of a string literal of any kind; `None` for a token that is not one.
pub(crate) fn string_value(kind: Kind, text: &str) -> Result<Option<String>, DialectError> {
    Ok(Some(match kind {
        Kind::Text => plain(text),
        Kind::National => plain(text.get(1..).unwrap_or("")),
        Kind::Escape => escaped(text.get(2..text.len().saturating_sub(1)).unwrap_or(""))?,
        Kind::Dollar => {
            let tag = text
                .get(1..)
                .and_then(|rest| rest.find('$'))
                .map_or(0, |at| at + 2);
            text.get(tag..text.len().saturating_sub(tag))
                .unwrap_or("")
                .to_owned()
        }
        Kind::Unicode if text.get(2..3) == Some("'") => {
            unicode(&plain(text.get(2..).unwrap_or("")))?
        }
        _ => return Ok(None),
    }))
}

fn plain(text: &str) -> String {
    text.get(1..text.len().saturating_sub(1))
        .unwrap_or("")
        .replace("''", "'")
}

/// The body of `E'...'`.
fn escaped(body: &str) -> Result<String, DialectError> {
    let mut bytes: Vec<u8> = Vec::with_capacity(body.len());
    let mut chars = body.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\'' {
            chars.next();
        }
        if c != '\\' {
            push(&mut bytes, c);
            continue;
        }
        match chars.next() {
            Some('b') => bytes.push(8),
            Some('f') => bytes.push(12),
            Some('n') => bytes.push(b'\n'),
            Some('r') => bytes.push(b'\r'),
            Some('t') => bytes.push(b'\t'),
            Some('x') => {
                let digits = take(&mut chars, 2, 16);
                match u8::from_str_radix(&digits, 16) {
                    Ok(byte) => bytes.push(byte),
                    Err(_) => bytes.push(b'x'),
                }
            }
            Some(c @ '0'..='7') => {
                let digits = format!("{c}{}", take(&mut chars, 2, 8));
                let value = u32::from_str_radix(&digits, 8).unwrap_or(0) & 0xff;
                bytes.push(u8::try_from(value).unwrap_or(0));
            }
            Some(c @ ('u' | 'U')) => {
                let width = if c == 'u' { 4 } else { 8 };
                let digits = take(&mut chars, width, 16);
                let value = u32::from_str_radix(&digits, 16)
                    .ok()
                    .filter(|_| digits.len() == width);
                let c = value.and_then(char::from_u32).ok_or_else(invalid_escape)?;
                push(&mut bytes, c);
            }
            Some(c) => push(&mut bytes, c),
            None => {}
        }
    }
    if bytes.contains(&0) {
        return Err(invalid_bytes());
    }
    String::from_utf8(bytes).map_err(|_| invalid_bytes())
}

fn invalid_escape() -> DialectError {
    DialectError::new(SqlState::INVALID_ESCAPE_SEQUENCE, "invalid Unicode escape")
}

fn invalid_bytes() -> DialectError {
    DialectError::new(
        SqlState::CHARACTER_NOT_IN_REPERTOIRE,
        "invalid byte sequence for encoding \"UTF8\"",
    )
}

fn push(bytes: &mut Vec<u8>, c: char) {
    bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

fn take(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, limit: usize, radix: u32) -> String {
    let mut digits = String::new();
    while digits.len() < limit {
        match chars.next_if(|c| c.is_digit(radix)) {
            Some(c) => digits.push(c),
            None => break,
        }
    }
    digits
}

/// `\XXXX` and `\+XXXXXX` of `U&'...'`.
fn unicode(body: &str) -> Result<String, DialectError> {
    let mut out = String::with_capacity(body.len());
    let mut chars = body.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
        } else if chars.next_if_eq(&'\\').is_some() {
            out.push('\\');
        } else {
            let width = if chars.next_if_eq(&'+').is_some() {
                6
            } else {
                4
            };
            let digits = take(&mut chars, width, 16);
            let value = u32::from_str_radix(&digits, 16)
                .ok()
                .filter(|_| digits.len() == width);
            let c = value.and_then(char::from_u32).filter(|c| *c != '\0');
            out.push(c.ok_or_else(|| {
                DialectError::new(SqlState::SYNTAX_ERROR, "invalid Unicode escape")
            })?);
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(kind: Kind, text: &str) -> String {
        string_value(kind, text).unwrap().unwrap()
    }

    #[test]
    fn every_kind_of_string_has_its_value() {
        assert_eq!(value(Kind::Text, "'it''s'"), "it's");
        assert_eq!(value(Kind::National, "N'it''s'"), "it's");
        assert_eq!(
            value(Kind::Escape, r"E'a\nb\'c''d\x41\101\u00e9\\'"),
            "a\nb'c'dAA\u{e9}\\"
        );
        assert_eq!(value(Kind::Dollar, "$tag$it's $x$tag$"), "it's $x");
        assert_eq!(value(Kind::Dollar, "$$x$$"), "x");
        assert_eq!(value(Kind::Unicode, r"U&'d\0061t\+000061'"), "data");
    }

    #[test]
    fn bytes_that_are_not_text_are_refused() {
        assert!(string_value(Kind::Escape, r"E'\xff'").is_err());
        assert!(string_value(Kind::Escape, r"E'\000'").is_err());
        assert!(string_value(Kind::Escape, r"E'\u12'").is_err());
    }

    #[test]
    fn quoting_is_undone_by_unquoting() {
        assert_eq!(unquote_name(&quote_name("a\"b")), "a\"b");
        assert_eq!(value(Kind::Text, &quote("a'b")), "a'b");
    }
}
