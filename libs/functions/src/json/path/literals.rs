//! String literals of a path, between PostgreSQL's escapes, the library's, and none.
//!
//! The library reads few escapes and prints none, so what it prints of `"\""` ends too early. So a path is written twice: once as
//! the library reads it, to be followed, and once with a mark in the place of each literal that has an escape, to be printed and
//! judged.

use std::fmt::Write as _;

use pgtypes::json::quoted;
use pgtypes::{SqlState, ValueError};

use crate::error::fail;

/// Begins a mark. A space follows, which no name without quotes has, and each literal with this character is marked itself, so a
/// mark is taken for nothing else.
const MARK: char = '\u{FDD0}';

/// A path, and its literals aside.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Literals {
    /// The path with the escapes that the library reads.
    pub(super) readable: String,
    /// The path with marks.
    pub(super) marked: String,
    /// What each mark stands for, as PostgreSQL prints it, quotes included.
    shown: Vec<String>,
}

impl Literals {
    /// Takes the literals out of a path.
    ///
    /// Errors: 42601 for an escape or a quote that is not ended, 22P05 for the character zero, 0A000 for control characters that
    /// the library does not read.
    pub(super) fn of(path: &str) -> Result<Self, ValueError> {
        let mut out = Self::default();
        let mut rest = path;
        while let Some((before, behind)) = rest.split_once('"') {
            out.readable.push_str(before);
            out.marked.push_str(before);
            let (literal, end) = literal(behind)?;
            let raw = behind.get(..end).unwrap_or_default();
            rest = behind.get(end + 1..).unwrap_or_default();
            out.readable.push_str(&readable(&literal)?);
            if raw.contains(['\\', MARK]) {
                let _infallible = write!(out.marked, "\"{MARK} {}\"", out.shown.len());
                out.shown.push(quoted(&literal));
            } else {
                let _infallible = write!(out.marked, "\"{raw}\"");
            }
        }
        out.readable.push_str(rest);
        out.marked.push_str(rest);
        Ok(out)
    }

    /// A printed path with its literals in the place of the marks.
    pub(super) fn unmarked(&self, printed: &str) -> String {
        let mut out = String::with_capacity(printed.len());
        let mut rest = printed;
        let begin = format!("\"{MARK} ");
        while let Some((before, behind)) = rest.split_once(&begin) {
            out.push_str(before);
            let (number, behind) = behind.split_once('"').unwrap_or((behind, ""));
            let shown = number.parse().ok().and_then(|at: usize| self.shown.get(at));
            debug_assert!(shown.is_some(), "a mark without a literal: {number}");
            out.push_str(shown.map_or("", String::as_str));
            rest = behind;
        }
        out.push_str(rest);
        out
    }
}

/// What a literal says, and how long it is without its last quote.
fn literal(text: &str) -> Result<(String, usize), ValueError> {
    let mut said = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((said, at)),
            '\\' => {
                let behind = text.get(at + 1..).unwrap_or_default();
                let (c, length) = escaped(behind)?;
                said.push(c);
                let end = at + 1 + length;
                while chars.clone().next().is_some_and(|(at, _)| at < end) {
                    chars.next();
                }
            }
            _ => said.push(c),
        }
    }
    fail(
        SqlState::SYNTAX_ERROR,
        "unterminated quoted string at end of jsonpath input".to_owned(),
    )
}

/// The character of an escape, and how many bytes it has behind the backslash.
fn escaped(text: &str) -> Result<(char, usize), ValueError> {
    let Some(c) = text.chars().next() else {
        let message = "unterminated quoted string at end of jsonpath input";
        return fail(SqlState::SYNTAX_ERROR, message.to_owned());
    };
    Ok(match c {
        'b' => ('\u{8}', 1),
        'f' => ('\u{c}', 1),
        'n' => ('\n', 1),
        'r' => ('\r', 1),
        't' => ('\t', 1),
        'v' => ('\u{b}', 1),
        'x' => {
            let code = digits(text, 1, 2).ok_or_else(|| invalid("hexadecimal character"))?;
            (character(code)?, 3)
        }
        'u' => unicode(text)?,
        other => (other, other.len_utf8()),
    })
}

/// The character of `uXXXX`, of two of them that are a pair of surrogates, or of `u{X…}`.
fn unicode(text: &str) -> Result<(char, usize), ValueError> {
    if let Some(braced) = text.strip_prefix("u{") {
        let inner = braced.split_once('}').map(|(inner, _)| inner);
        let inner = inner.filter(|inner| (1..=6).contains(&inner.len()));
        let code = inner.and_then(|inner| digits(inner, 0, inner.len()).map(|c| (c, inner.len())));
        let (code, length) = code.ok_or_else(|| invalid("Unicode escape"))?;
        return Ok((character(code)?, length + 3));
    }
    let first = digits(text, 1, 4).ok_or_else(|| invalid("Unicode escape"))?;
    if !(0xD800..0xDC00).contains(&first) {
        return Ok((character(first)?, 5));
    }
    let pair = text.get(5..7) == Some("\\u");
    let second = digits(text, 7, 4).filter(|second| pair && (0xDC00..0xE000).contains(second));
    let second = second.ok_or_else(|| {
        let message = "invalid input syntax for type jsonpath".to_owned();
        ValueError::new(SqlState::INVALID_TEXT_REPRESENTATION, message)
            .with_detail("Unicode low surrogate must follow a high surrogate.")
    })?;
    let code = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
    Ok((character(code)?, 11))
}

/// The number that `count` hexadecimal digits from `from` on are.
fn digits(text: &str, from: usize, count: usize) -> Option<u32> {
    let digits = text.get(from..from + count)?;
    let all = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if all {
        u32::from_str_radix(digits, 16).ok()
    } else {
        None
    }
}

fn character(code: u32) -> Result<char, ValueError> {
    if code == 0 {
        let message = "unsupported Unicode escape sequence".to_owned();
        return Err(ValueError::new(SqlState::UNTRANSLATABLE_CHARACTER, message)
            .with_detail("\\u0000 cannot be converted to text."));
    }
    char::from_u32(code).ok_or_else(|| invalid("Unicode escape"))
}

fn invalid(what: &str) -> ValueError {
    let message = format!("invalid {what} sequence of jsonpath input");
    ValueError::new(SqlState::SYNTAX_ERROR, message)
}

/// A literal with the escapes that the library reads.
fn readable(literal: &str) -> Result<String, ValueError> {
    let mut out = String::with_capacity(literal.len() + 2);
    out.push('"');
    for c in literal.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\u{1f}' => {
                let message = "this control character in a jsonpath is not supported";
                return fail(SqlState::FEATURE_NOT_SUPPORTED, message.to_owned());
            }
            other => out.push(other),
        }
    }
    out.push('"');
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_escape_is_read_as_postgresql_reads_it() {
        for (raw, said) in [
            (r"\b\f\n\r\t", "\u{8}\u{c}\n\r\t"),
            (r#"\"\\\/\'\q"#, "\"\\/'q"),
            (r"\x41\u0042\u{43}\u{1F600}", "ABC\u{1F600}"),
            (r"\uD83D\uDE00", "\u{1F600}"),
        ] {
            let (literal, end) = literal(&format!("{raw}\" behind")).unwrap();
            assert_eq!((literal.as_str(), end), (said, raw.len()), "{raw}");
        }
        for raw in [
            r"\u00",
            r"\uD83D",
            r"\uD83Dx",
            r"\x4",
            r"\u{}",
            r"\u{110000}",
            r"\u0000",
            "\\",
            "a",
        ] {
            assert!(literal(raw).is_err(), "{raw}");
            assert!(Literals::of(&format!("$.\"{raw}")).is_err(), "{raw}");
        }
    }

    #[test]
    fn marks_come_back_as_what_they_stand_for() {
        let path = "$.\"\\\"a\" ? (@.b == \"\u{FDD0} 7\" && @.\u{FDD0}0 == \"c\")";
        let literals = Literals::of(path).unwrap();
        assert_eq!(
            literals.marked,
            "$.\"\u{FDD0} 0\" ? (@.b == \"\u{FDD0} 1\" && @.\u{FDD0}0 == \"c\")"
        );
        assert_eq!(literals.unmarked(&literals.marked), path);
    }
}
