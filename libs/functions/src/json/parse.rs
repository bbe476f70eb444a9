//! Reading JSON (RFC 8259), with PostgreSQL's errors.

use pgtypes::{SqlState, ValueError};

/// How deep arrays and objects may stand in each other.
const MAX_DEPTH: usize = 1000;

/// A value with the text that it was read from.
#[derive(Debug)]
pub(crate) struct Node<'a> {
    /// What it is.
    pub(crate) value: Value<'a>,
    /// Its text, as it was written.
    pub(crate) text: &'a str,
}

/// What a value is.
#[derive(Debug)]
pub(crate) enum Value<'a> {
    Null,
    Bool(bool),
    /// The digits are the node's text.
    Number,
    String(Text<'a>),
    Array(Vec<Node<'a>>),
    Object(Vec<(Text<'a>, Node<'a>)>),
}

/// A string between its quotes, with its escapes; their form was checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text<'a>(&'a str);

/// Reads a document.
pub(crate) fn document(text: &str) -> Result<Node<'_>, ValueError> {
    let mut parser = Parser {
        text,
        at: 0,
        depth: 0,
    };
    let node = parser.value("Expected JSON value")?;
    parser.skip_blanks();
    if parser.at < text.len() {
        return Err(parser.unexpected("Expected end of input"));
    }
    Ok(node)
}

/// Reads a document whose strings a text can hold.
pub(crate) fn checked(text: &str) -> Result<Node<'_>, ValueError> {
    fn check(node: &Node<'_>) -> Result<(), ValueError> {
        match &node.value {
            Value::String(text) => text.into_text().map(drop),
            Value::Array(elements) => elements.iter().try_for_each(check),
            Value::Object(members) => members
                .iter()
                .try_for_each(|(key, value)| key.into_text().and_then(|_| check(value))),
            _ => Ok(()),
        }
    }
    let node = document(text)?;
    check(&node)?;
    Ok(node)
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
    depth: usize,
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
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii();
        let mut probe = Parser {
            text: self.text,
            at: self.at,
            depth: 0,
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
                    return syntax(format!("Token \"{word}\" is invalid."));
                }
                word
            }
        };
        syntax(format!("{expected}, but found \"{token}\"."))
    }

    fn value(&mut self, expected: &str) -> Result<Node<'a>, ValueError> {
        self.skip_blanks();
        let start = self.at;
        let value = match self.peek() {
            Some(b'{') => self.nested(Self::object)?,
            Some(b'[') => self.nested(Self::array)?,
            Some(b'"') => Value::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                Value::Number
            }
            _ => self.word(expected)?,
        };
        let text = self.text.get(start..self.at).unwrap_or_default();
        Ok(Node { value, text })
    }

    fn word(&mut self, expected: &str) -> Result<Value<'a>, ValueError> {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii();
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

    fn nested(
        &mut self,
        read: fn(&mut Self) -> Result<Value<'a>, ValueError>,
    ) -> Result<Value<'a>, ValueError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(ValueError::new(
                SqlState::STATEMENT_TOO_COMPLEX,
                format!("JSON is nested deeper than {MAX_DEPTH} levels"),
            ));
        }
        self.at += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn take(&mut self, byte: u8) -> bool {
        self.skip_blanks();
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn array(&mut self) -> Result<Value<'a>, ValueError> {
        let mut elements = Vec::new();
        if self.take(b']') {
            return Ok(Value::Array(elements));
        }
        let mut expected = "Expected array element or \"]\"";
        loop {
            elements.push(self.value(expected)?);
            expected = "Expected JSON value";
            if self.take(b']') {
                return Ok(Value::Array(elements));
            }
            if !self.take(b',') {
                return Err(self.unexpected("Expected \",\" or \"]\""));
            }
        }
    }

    fn object(&mut self) -> Result<Value<'a>, ValueError> {
        let mut members = Vec::new();
        if self.take(b'}') {
            return Ok(Value::Object(members));
        }
        let mut expected = "Expected string or \"}\"";
        loop {
            self.skip_blanks();
            if self.peek() != Some(b'"') {
                return Err(self.unexpected(expected));
            }
            expected = "Expected string";
            let key = self.string()?;
            if !self.take(b':') {
                return Err(self.unexpected("Expected \":\""));
            }
            members.push((key, self.value("Expected JSON value")?));
            if self.take(b'}') {
                return Ok(Value::Object(members));
            }
            if !self.take(b',') {
                return Err(self.unexpected("Expected \",\" or \"}\""));
            }
        }
    }

    fn string(&mut self) -> Result<Text<'a>, ValueError> {
        self.at += 1;
        let start = self.at;
        loop {
            let Some(byte) = self.peek() else {
                let from = self.text.get(start.saturating_sub(1)..).unwrap_or_default();
                return Err(syntax(format!("Token \"{from}\" is invalid.")));
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
                return Err(syntax(format!("Token \"{from}\" is invalid.")));
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
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii();
        let rest = self.rest();
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        if !good || end > 0 {
            let token = self.text.get(start..self.at + end).unwrap_or_default();
            return Err(syntax(format!("Token \"{token}\" is invalid.")));
        }
        Ok(())
    }
}

impl Text<'_> {
    /// The characters without escapes; 22P05 for what no text can hold.
    pub(crate) fn into_text(self) -> Result<String, ValueError> {
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
