//! Reading JSON (RFC 8259), with PostgreSQL's errors.

use crate::json::text::Text;
use crate::json::token::Tokens;
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

/// Reads a document.
pub fn document(text: &str) -> Result<Node<'_>, ValueError> {
    read(text)
}

/// Reads a document and makes something of it.
pub(super) fn read<'a, T: Build<'a>>(text: &'a str) -> Result<T, ValueError> {
    let mut tokens = Tokens::new(text);
    // What is open, the innermost last. A list of its own instead of recursion, so that no text can
    // use up the thread's stack.
    let mut open: Vec<Open<'a, T>> = Vec::new();
    let mut expected = "Expected JSON value";
    loop {
        tokens.skip_blanks();
        if open.len() >= MAX_DEPTH && matches!(tokens.peek(), Some(b'[' | b'{')) {
            return Err(ValueError::new(
                SqlState::STATEMENT_TOO_COMPLEX,
                format!("JSON is nested deeper than {MAX_DEPTH} levels"),
            ));
        }
        let start = tokens.at;
        let value = match tokens.begin(expected)? {
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
        let mut built = T::build(value, tokens.since(start))?;
        loop {
            let Some(mut container) = open.pop() else {
                tokens.skip_blanks();
                if tokens.at < text.len() {
                    return Err(tokens.unexpected("Expected end of input"));
                }
                return Ok(built);
            };
            if tokens.goes_on(&mut container.content, built)? {
                open.push(container);
                expected = "Expected JSON value";
                break;
            }
            let value = match container.content {
                Content::Array(elements) => Value::Array(elements),
                Content::Object(members, _) => Value::Object(members),
            };
            built = T::build(value, tokens.since(container.start))?;
        }
    }
}

impl<'a> Tokens<'a> {
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
