//! Reading JSON (RFC 8259), with PostgreSQL's errors.

use crate::error::{EXCERPT_CHARS, excerpt};
use crate::{SqlState, ValueError};

/// How deep arrays and objects may stand in each other.
const MAX_DEPTH: usize = 1000;

/// A value with the text that it was read from.
#[derive(Debug)]
pub struct Node<'a> {
    /// What it is.
    pub value: Value<'a>,
    /// Its text, as it was written.
    pub text: &'a str,
}

/// What a value is, its parts being what a [`Build`] made of them.
#[derive(Debug)]
pub enum Value<'a, T = Node<'a>> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// The digits are the value's text.
    Number,
    /// A string.
    String(Text<'a>),
    /// Elements.
    Array(Vec<T>),
    /// Members, as they were written: a key may occur twice.
    Object(Vec<(Text<'a>, T)>),
}

/// What is made of the values of a document while it is read, the inner ones first.
pub(super) trait Build<'a>: Sized {
    /// From a value and its text.
    fn build(value: Value<'a, Self>, text: &'a str) -> Result<Self, ValueError>;
}

impl<'a> Build<'a> for Node<'a> {
    fn build(value: Value<'a>, text: &'a str) -> Result<Self, ValueError> {
        Ok(Self { value, text })
    }
}

/// To find out only whether a text is JSON.
impl<'a> Build<'a> for () {
    fn build(_: Value<'a, Self>, _: &'a str) -> Result<Self, ValueError> {
        Ok(())
    }
}

/// A string between its quotes, with its escapes; their form was checked.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a>(&'a str);

/// Reads a document.
pub fn document(text: &str) -> Result<Node<'_>, ValueError> {
    read(text)
}

/// Reads a document and makes something of it.
pub(super) fn read<'a, T: Build<'a>>(text: &'a str) -> Result<T, ValueError> {
    let mut parser = Parser { text, at: 0 };
    // What is open, the innermost last. A list of its own instead of recursion, so that no text can
    // use up the thread's stack.
    let mut open: Vec<Open<'a, T>> = Vec::new();
    let mut expected = "Expected JSON value";
    loop {
        parser.skip_blanks();
        if open.len() >= MAX_DEPTH && matches!(parser.peek(), Some(b'[' | b'{')) {
            return Err(ValueError::new(
                SqlState::STATEMENT_TOO_COMPLEX,
                format!("JSON is nested deeper than {MAX_DEPTH} levels"),
            ));
        }
        let start = parser.at;
        let value = match parser.begin(expected)? {
            Begun::Value(value) => value,
            Begun::Container(content) => {
                expected = match content {
                    Content::Array(_) => "Expected array element or \"]\"",
                    Content::Object(..) => "Expected JSON value",
                };
                open.push(Open { start, content });
                continue;
            }
        };
        let mut built = T::build(value, parser.since(start))?;
        loop {
            let Some(mut container) = open.pop() else {
                parser.skip_blanks();
                if parser.at < text.len() {
                    return Err(parser.unexpected("Expected end of input"));
                }
                return Ok(built);
            };
            if parser.goes_on(&mut container.content, built)? {
                open.push(container);
                expected = "Expected JSON value";
                break;
            }
            let value = match container.content {
                Content::Array(elements) => Value::Array(elements),
                Content::Object(members, _) => Value::Object(members),
            };
            built = T::build(value, parser.since(container.start))?;
        }
    }
}

/// An array or object whose end was not read yet.
struct Open<'a, T> {
    start: usize,
    content: Content<'a, T>,
}

enum Content<'a, T> {
    Array(Vec<T>),
    /// With the key of the member that comes next.
    Object(Vec<(Text<'a>, T)>, Text<'a>),
}

/// What the beginning of a value turned out to be.
enum Begun<'a, T> {
    Value(Value<'a, T>),
    /// One that is not empty.
    Container(Content<'a, T>),
}

/// `Token … is invalid.`
fn invalid_token(token: &str) -> ValueError {
    let token = excerpt(token, EXCERPT_CHARS);
    syntax(format!("Token \"{token}\" is invalid."))
}

/// A letter, a digit or what else continues a word.
fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii()
}

fn syntax(detail: impl Into<String>) -> ValueError {
    ValueError::new(
        SqlState::INVALID_TEXT_REPRESENTATION,
        "invalid input syntax for type json",
    )
    .with_detail(detail)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// The error for what stands here in place of what was expected.
    fn unexpected(&self, expected: &str) -> ValueError {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return syntax("The input string ended unexpectedly.");
        };
        let mut probe = Parser {
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

    fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// Reads a value, or of an array or object that is not empty what stands before its first part.
    fn begin<T>(&mut self, expected: &str) -> Result<Begun<'a, T>, ValueError> {
        Ok(Begun::Value(match self.peek() {
            Some(b'{') => {
                self.at += 1;
                if self.take(b'}') {
                    return Ok(Begun::Value(Value::Object(Vec::new())));
                }
                let key = self.key("Expected string or \"}\"")?;
                return Ok(Begun::Container(Content::Object(Vec::new(), key)));
            }
            Some(b'[') => {
                self.at += 1;
                if self.take(b']') {
                    return Ok(Begun::Value(Value::Array(Vec::new())));
                }
                return Ok(Begun::Container(Content::Array(Vec::new())));
            }
            Some(b'"') => Value::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                Value::Number
            }
            _ => self.word(expected)?,
        }))
    }

    /// Adds a part to a container; `false` when the container ends behind it.
    fn goes_on<T>(&mut self, content: &mut Content<'a, T>, part: T) -> Result<bool, ValueError> {
        match content {
            Content::Array(elements) => {
                elements.push(part);
                if self.take(b']') {
                    return Ok(false);
                }
                if !self.take(b',') {
                    return Err(self.unexpected("Expected \",\" or \"]\""));
                }
            }
            Content::Object(members, key) => {
                members.push((*key, part));
                if self.take(b'}') {
                    return Ok(false);
                }
                if !self.take(b',') {
                    return Err(self.unexpected("Expected \",\" or \"}\""));
                }
                *key = self.key("Expected string")?;
            }
        }
        Ok(true)
    }

    /// Reads a key and the colon behind it.
    fn key(&mut self, expected: &str) -> Result<Text<'a>, ValueError> {
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

    fn word<T>(&mut self, expected: &str) -> Result<Value<'a, T>, ValueError> {
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

    fn take(&mut self, byte: u8) -> bool {
        self.skip_blanks();
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn string(&mut self) -> Result<Text<'a>, ValueError> {
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

    fn number(&mut self) -> Result<(), ValueError> {
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

impl Text<'_> {
    /// The characters without escapes; 22P05 for what no text can hold.
    pub fn into_text(self) -> Result<String, ValueError> {
        let mut out = String::with_capacity(self.0.len());
        let mut rest = self.0;
        let mut high: Option<u32> = None;
        while let Some(at) = rest.find('\\') {
            let (plain, escape) = rest.split_at(at);
            if high.is_some() && !plain.is_empty() {
                return Err(lone_surrogate());
            }
            out.push_str(plain);
            let kind = escape.as_bytes().get(1).copied().unwrap_or(b'"');
            if kind == b'u' {
                let digits = escape.get(2..6).unwrap_or_default();
                let code = u32::from_str_radix(digits, 16).unwrap_or(0);
                put_code(code, &mut high, &mut out)?;
                rest = escape.get(6..).unwrap_or_default();
                continue;
            }
            if high.is_some() {
                return Err(lone_surrogate());
            }
            out.push(match kind {
                b'b' => '\u{8}',
                b'f' => '\u{c}',
                b'n' => '\n',
                b'r' => '\r',
                b't' => '\t',
                other => char::from(other),
            });
            rest = escape.get(2..).unwrap_or_default();
        }
        if high.is_some() {
            return Err(lone_surrogate());
        }
        out.push_str(rest);
        Ok(out)
    }
}

fn lone_surrogate() -> ValueError {
    syntax("Unicode low surrogate must follow a high surrogate.")
}

/// Takes in a code unit of UTF-16.
fn put_code(code: u32, high: &mut Option<u32>, out: &mut String) -> Result<(), ValueError> {
    match (code, high.take()) {
        (0xd800..=0xdbff, None) => *high = Some(code),
        (0xd800..=0xdbff, Some(_)) => {
            return Err(syntax(
                "Unicode high surrogate must not follow a high surrogate.",
            ));
        }
        (0xdc00..=0xdfff, Some(first)) => {
            let code = 0x10000 + ((first & 0x3ff) << 10) + (code & 0x3ff);
            out.extend(char::from_u32(code));
        }
        (0xdc00..=0xdfff, None) | (_, Some(_)) => return Err(lone_surrogate()),
        (0, None) => {
            return Err(ValueError::new(
                SqlState::UNTRANSLATABLE_CHARACTER,
                "unsupported Unicode escape sequence",
            )
            .with_detail("\\u0000 cannot be converted to text."));
        }
        (code, None) => out.extend(char::from_u32(code)),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{MAX_DEPTH, document};
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
            "\"\\u0000\\ud83d\"",
        ] {
            assert!(document(text).is_ok(), "{text}");
        }
    }

    /// Details of PostgreSQL 15.
    #[test]
    fn anything_else_is_refused_with_what_was_expected() {
        for (text, detail) in [
            ("[1,]", r#"Expected JSON value, but found "]"."#),
            (r#"{"a":1,}"#, r#"Expected string, but found "}"."#),
            ("", "The input string ended unexpectedly."),
            (" ", "The input string ended unexpectedly."),
            ("[1,2", "The input string ended unexpectedly."),
            ("\"a\nb\"", "Character with value 0x0a must be escaped."),
            ("01", r#"Token "01" is invalid."#),
            ("1.", r#"Token "1." is invalid."#),
            ("-", r#"Token "-" is invalid."#),
            ("1a", r#"Token "1a" is invalid."#),
            ("tru", r#"Token "tru" is invalid."#),
            ("nullx", r#"Token "nullx" is invalid."#),
            ("{a:1}", r#"Token "a" is invalid."#),
            ("@", r#"Token "@" is invalid."#),
            ("'a'", r#"Token "'" is invalid."#),
            ("\"abc", r#"Token ""abc" is invalid."#),
            ("\"\\", r#"Token ""\" is invalid."#),
            (r#""\x""#, r#"Escape sequence "\x" is invalid."#),
            (
                r#""\u12""#,
                r#""\u" must be followed by four hexadecimal digits."#,
            ),
            ("[1 2]", r#"Expected "," or "]", but found "2"."#),
            ("[}", r#"Expected array element or "]", but found "}"."#),
            ("]", r#"Expected JSON value, but found "]"."#),
            (r#"{"a" 1}"#, r#"Expected ":", but found "1"."#),
            (r#"{"a":1 "b"}"#, r#"Expected "," or "}", but found ""b""."#),
            ("{1:2}", r#"Expected string or "}", but found "1"."#),
            (r#"{"a":1,2}"#, r#"Expected string, but found "2"."#),
            ("1 2", r#"Expected end of input, but found "2"."#),
        ] {
            let error = document(text).unwrap_err();
            assert_eq!(error.sqlstate, SqlState::INVALID_TEXT_REPRESENTATION);
            assert_eq!(error.message, "invalid input syntax for type json");
            assert_eq!(error.detail.as_deref(), Some(detail), "{text}");
        }
    }

    #[test]
    fn depth_is_limited() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(document(&nested(MAX_DEPTH)).is_ok());
        let error = document(&nested(MAX_DEPTH + 1)).err().unwrap();
        assert_eq!(error.sqlstate, SqlState::STATEMENT_TOO_COMPLEX);
        assert!(document(&"[".repeat(1_000_000)).is_err());
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in "[\\[\\]{}\",:0-9eE.+\\\\utrf é-]{0,40}") {
            if let Err(error) = document(&text) {
                prop_assert!(!error.message.is_empty());
            }
        }
    }
}
