//! Where PostgreSQL's scanner and grammar find fault, and its words for it.

use pgtypes::SqlState;

use crate::DialectError;

/// The bytes of operators.
const OPERATOR: &[u8] = b"+-*/<>=~!@#%^&|`?";

/// Skips blanks and comments.
pub(super) fn skip_blanks(sql: &str, mut at: usize) -> usize {
    let bytes = sql.as_bytes();
    loop {
        match bytes.get(at..) {
            Some([b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c, ..]) => at += 1,
            Some([b'-', b'-', rest @ ..]) => {
                at += 2 + rest
                    .iter()
                    .position(|byte| matches!(byte, b'\n' | b'\r'))
                    .unwrap_or(rest.len());
            }
            Some([b'/', b'*', ..]) => match comment_end(bytes, at) {
                Some(end) => at = end,
                None => return at,
            },
            _ => return at,
        }
    }
}

/// The byte after a comment that begins at `at`; comments nest.
fn comment_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    loop {
        match bytes.get(at..)? {
            [b'/', b'*', ..] => {
                depth += 1;
                at += 2;
            }
            [b'*', b'/', ..] => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return Some(at);
                }
            }
            [] => return None,
            _ => at += 1,
        }
    }
}

/// `syntax error at or near` the token at `offset`, or at the first one after it; what the scanner finds fault with
/// there is told in the scanner's words.
pub(super) fn syntax(sql: &str, offset: usize) -> DialectError {
    let at = skip_blanks(sql, offset);
    match scan(sql, at) {
        Ok(end) => DialectError::syntax(sql.get(at..end).unwrap_or_default()).at(sql, at),
        Err(error) => error,
    }
}

/// What one pass over a statement's tokens tells.
pub(super) struct Survey {
    /// There is no token.
    pub(super) empty: bool,
    /// The first token that nests too deeply, if there is one.
    pub(super) too_deep: Option<usize>,
    /// The first fault that the scanner finds.
    pub(super) fault: Option<DialectError>,
}

/// How deep parentheses and CASE may nest before the parser, which takes up to 800 bytes of stack for each level.
const MAX_OPEN: usize = 1000;
/// How many tokens may stand in a row without a comma, AND or OR, not counting what parentheses hold: the parser nests some operators.
const MAX_RUN: usize = 4000;
/// How many BETWEEN may stand in a row without a comma.
const MAX_BETWEEN: usize = 1000;

/// Counts what may nest.
#[derive(Default)]
struct Nesting {
    /// What was counted before each parenthesis that is open.
    outer: Vec<(usize, usize)>,
    cases: usize,
    run: usize,
    between: usize,
}

impl Nesting {
    /// Takes a token; whether there is too much of anything now.
    fn take(&mut self, token: &str) -> bool {
        self.run += 1;
        match token.as_bytes() {
            [b'(' | b'['] => {
                self.outer.push((self.run, self.between));
                (self.run, self.between) = (0, 0);
            }
            [b')' | b']'] => (self.run, self.between) = self.outer.pop().unwrap_or_default(),
            [b','] => (self.run, self.between) = (0, 0),
            [b'o' | b'O', b'r' | b'R'] => self.run = 0,
            [b'a' | b'A', _, _] if token.eq_ignore_ascii_case("AND") => self.run = 0,
            [b'c' | b'C', _, _, _] if token.eq_ignore_ascii_case("CASE") => self.cases += 1,
            [b'e' | b'E', _, _] if token.eq_ignore_ascii_case("END") => {
                self.cases = self.cases.saturating_sub(1);
            }
            [b'b' | b'B', ..] if token.eq_ignore_ascii_case("BETWEEN") => self.between += 1,
            _ => {}
        }
        self.outer.len() + self.cases > MAX_OPEN || self.run > MAX_RUN || self.between > MAX_BETWEEN
    }
}

/// Whether a place is inside a token, as what the body of a function says is.
pub(super) fn is_inside_token(sql: &str, offset: usize) -> bool {
    let mut at = skip_blanks(sql, 0);
    while at < offset {
        match scan(sql, at) {
            Ok(end) if end > offset => return true,
            Ok(end) if end > at => at = skip_blanks(sql, end),
            _ => return false,
        }
    }
    false
}

/// Reads all tokens of a statement.
pub(super) fn survey(sql: &str) -> Survey {
    let mut survey = Survey {
        empty: true,
        too_deep: None,
        fault: None,
    };
    let mut nesting = Nesting::default();
    let mut at = skip_blanks(sql, 0);
    while at < sql.len() {
        survey.empty = false;
        match scan(sql, at) {
            Ok(end) => {
                if nesting.take(sql.get(at..end).unwrap_or_default()) {
                    survey.too_deep = Some(at);
                    return survey;
                }
                at = skip_blanks(sql, end.max(at + 1));
            }
            Err(error) => {
                survey.fault = Some(error);
                return survey;
            }
        }
    }
    survey
}

/// The end of the token at `at`, which is no blank.
pub(super) fn scan(sql: &str, at: usize) -> Result<usize, DialectError> {
    let bytes = sql.as_bytes();
    let rest = bytes.get(at..).unwrap_or_default();
    match rest {
        [] => Ok(at),
        [b'/', b'*', ..] => Err(rest_of(sql, at, "unterminated /* comment")),
        [b'\'', ..] => quoted(sql, at, at, false, "unterminated quoted string"),
        [b'n' | b'N', b'\'', ..] => quoted(sql, at, at + 1, false, "unterminated quoted string"),
        [b'e' | b'E', b'\'', ..] => quoted(sql, at, at + 1, true, "unterminated quoted string"),
        [b'b' | b'B', b'\'', ..] => {
            quoted(sql, at, at + 1, false, "unterminated bit string literal")
        }
        [b'x' | b'X', b'\'', ..] => quoted(
            sql,
            at,
            at + 1,
            false,
            "unterminated hexadecimal string literal",
        ),
        [b'u' | b'U', b'&', b'\'', ..] => {
            quoted(sql, at, at + 2, false, "unterminated quoted string")
        }
        [b'u' | b'U', b'&', b'"', ..] => identifier(sql, at, at + 2),
        [b'"', ..] => identifier(sql, at, at),
        [b'$', b'0'..=b'9', ..] => parameter(sql, at),
        [b'$', ..] => dollar_quoted(sql, at),
        [b'0'..=b'9', ..] | [b'.', b'0'..=b'9', ..] => number(sql, at),
        [b':', b':' | b'=', ..] | [b'.', b'.', ..] => Ok(at + 2),
        [byte, ..] if OPERATOR.contains(byte) => Ok(operator_end(bytes, at)),
        [byte, ..] if is_word_start(*byte) => Ok(word_end(bytes, at)),
        _ => Ok(at
            + sql
                .get(at..)
                .and_then(|rest| rest.chars().next())
                .map_or(1, char::len_utf8)),
    }
}

/// An error that points at `at` and shows all that follows.
fn rest_of(sql: &str, at: usize, message: &str) -> DialectError {
    near(sql, at, sql.len(), message)
}

/// An error that points at `at` and shows the text up to `end`.
pub(super) fn near(sql: &str, at: usize, end: usize, message: &str) -> DialectError {
    let text = sql.get(at..end).unwrap_or_default();
    DialectError::new(
        SqlState::SYNTAX_ERROR,
        format!("{message} at or near \"{text}\""),
    )
    .at(sql, at)
}

/// The end of a string whose quote is at `open`.
fn quoted(
    sql: &str,
    start: usize,
    open: usize,
    escapes: bool,
    fault: &str,
) -> Result<usize, DialectError> {
    let bytes = sql.as_bytes();
    let quote = bytes.get(open).copied().unwrap_or(b'\'');
    let mut at = open + 1;
    loop {
        match bytes.get(at..).unwrap_or_default() {
            [] => return Err(rest_of(sql, start, fault)),
            [b'\\', _, ..] if escapes => at += 2,
            [first, second, ..] if *first == quote && *second == quote => at += 2,
            [first, ..] if *first == quote => return Ok(at + 1),
            _ => at += 1,
        }
    }
}

fn identifier(sql: &str, start: usize, open: usize) -> Result<usize, DialectError> {
    let end = quoted(sql, start, open, false, "unterminated quoted identifier")?;
    if end == open + 2 {
        return Err(near(sql, start, end, "zero-length delimited identifier"));
    }
    Ok(end)
}

fn parameter(sql: &str, at: usize) -> Result<usize, DialectError> {
    let bytes = sql.as_bytes();
    let end = digits_end(bytes, at + 1);
    if bytes.get(end).copied().is_some_and(is_word_start) {
        return Err(near(
            sql,
            at,
            word_end(bytes, end),
            "trailing junk after parameter",
        ));
    }
    Ok(end)
}

fn digits_end(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    at
}

fn number(sql: &str, at: usize) -> Result<usize, DialectError> {
    let bytes = sql.as_bytes();
    let mut end = digits_end(bytes, at);
    if bytes.get(end) == Some(&b'.') && bytes.get(end + 1) != Some(&b'.') {
        end = digits_end(bytes, end + 1);
    }
    if let Some([b'e' | b'E', rest @ ..]) = bytes.get(end..) {
        let sign = usize::from(matches!(rest.first(), Some(b'+' | b'-')));
        let exponent = digits_end(bytes, end + 1 + sign);
        if exponent == end + 1 + sign {
            // the exponent has no digits: the letter and its sign are the junk
            return Err(near(
                sql,
                at,
                end + 1 + sign,
                "trailing junk after numeric literal",
            ));
        }
        end = exponent;
    }
    if bytes.get(end).copied().is_some_and(is_word_start) {
        return Err(near(
            sql,
            at,
            word_end(bytes, end),
            "trailing junk after numeric literal",
        ));
    }
    Ok(end)
}

fn dollar_quoted(sql: &str, at: usize) -> Result<usize, DialectError> {
    let bytes = sql.as_bytes();
    let mut end = at + 1;
    if bytes.get(end).copied().is_some_and(is_word_start) {
        while bytes
            .get(end)
            .is_some_and(|byte| is_word_start(*byte) || byte.is_ascii_digit())
        {
            end += 1;
        }
    }
    if bytes.get(end) != Some(&b'$') {
        return Ok(at + 1);
    }
    let tag = sql.get(at..=end).unwrap_or_default();
    match sql.get(end + 1..).and_then(|body| body.find(tag)) {
        Some(length) => Ok(end + 1 + length + tag.len()),
        None => Err(rest_of(sql, at, "unterminated dollar-quoted string")),
    }
}

/// The longest operator at `at`, without a comment in it, and without a sign at its end unless it has one of the
/// characters that make it unmistakable.
fn operator_end(bytes: &[u8], at: usize) -> usize {
    let mut end = at;
    while let Some(byte) = bytes.get(end)
        && OPERATOR.contains(byte)
    {
        if end > at && matches!(bytes.get(end..), Some([b'-', b'-', ..] | [b'/', b'*', ..])) {
            break;
        }
        end += 1;
    }
    let text = bytes.get(at..end).unwrap_or_default();
    if !text.iter().any(|byte| b"~!@#%^&|`?".contains(byte)) {
        while end > at + 1 && matches!(bytes.get(end - 1), Some(b'+' | b'-')) {
            end -= 1;
        }
    }
    end
}

fn is_word_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || !byte.is_ascii()
}

fn word_end(bytes: &[u8], mut at: usize) -> usize {
    while bytes
        .get(at)
        .is_some_and(|byte| is_word_start(*byte) || byte.is_ascii_digit() || *byte == b'$')
    {
        at += 1;
    }
    at
}

/// 42601 in other words.
pub(super) fn syntax_words(sql: &str, at: usize, message: &str) -> DialectError {
    DialectError::new(SqlState::SYNTAX_ERROR, message).at(sql, at)
}
