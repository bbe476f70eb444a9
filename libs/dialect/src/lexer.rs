//! One lexer for both spellings: PostgreSQL's tokens with byte offsets, blanks and comments left out.

use pgtypes::SqlState;

use crate::error::DialectError;

/// What a token is. The text is looked up by the offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name or keyword without quotes.
    Word,
    /// `"name"`
    Quoted,
    /// `'text'`
    Text,
    /// `E'text'`
    Escape,
    /// `N'text'`: the prefix means nothing.
    National,
    /// `B'01'`
    Bits,
    /// `X'ff'`
    Hex,
    /// `$tag$text$tag$`
    Dollar,
    /// `U&'text'` and `U&"name"`
    Unicode,
    /// `12`
    Integer,
    /// `1.5`, `1e5`, `.5`
    Decimal,
    /// `$1`
    Parameter,
    /// `( ) [ ] , ; .` and `:` alone
    Punctuation,
    /// A run of operator characters, `::`, `:=`, `?`
    Operator,
}

/// A token: `sql[start..end]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// Statements longer than this are refused (SQLite's own limit is 1,000,000,000 bytes).
pub(crate) const MAX_STATEMENT_LEN: usize = 256 * 1024 * 1024;

/// All tokens of a text.
pub(crate) fn tokens(sql: &str) -> Result<Vec<Token>, DialectError> {
    if sql.len() > MAX_STATEMENT_LEN {
        return Err(DialectError::new(
            SqlState::STATEMENT_TOO_COMPLEX,
            "statement is too long",
        ));
    }
    let mut lexer = Lexer {
        sql,
        bytes: sql.as_bytes(),
        at: 0,
    };
    let mut tokens = Vec::with_capacity(sql.len() / 5);
    while let Some(token) = lexer.next()? {
        tokens.push(token);
    }
    Ok(tokens)
}

pub(crate) struct Lexer<'a> {
    sql: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(sql: &'a str) -> Self {
        Self {
            sql,
            bytes: sql.as_bytes(),
            at: 0,
        }
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn fail(&self, message: &str, start: usize) -> DialectError {
        DialectError::new(SqlState::SYNTAX_ERROR, message).at(self.sql, start)
    }

    pub(crate) fn next(&mut self) -> Result<Option<Token>, DialectError> {
        self.skip_blanks()?;
        let start = self.at;
        if start >= self.bytes.len() {
            return Ok(None);
        }
        let kind = match self.peek(0) {
            b'\'' => self.text(false, start).map(|()| Kind::Text)?,
            b'"' => self.quoted(start).map(|()| Kind::Quoted)?,
            b'`' => self.backtick(start).map(|()| Kind::Quoted)?,
            b'e' | b'E' if self.peek(1) == b'\'' => self.prefixed(1, true, start, Kind::Escape)?,
            b'n' | b'N' if self.peek(1) == b'\'' => {
                self.prefixed(1, false, start, Kind::National)?
            }
            b'b' | b'B' if self.peek(1) == b'\'' => self.prefixed(1, false, start, Kind::Bits)?,
            b'x' | b'X' if self.peek(1) == b'\'' => self.prefixed(1, false, start, Kind::Hex)?,
            b'u' | b'U' if self.peek(1) == b'&' && self.peek(2) == b'\'' => {
                self.prefixed(2, false, start, Kind::Unicode)?
            }
            b'u' | b'U' if self.peek(1) == b'&' && self.peek(2) == b'"' => {
                self.at += 2;
                self.quoted(start).map(|()| Kind::Unicode)?
            }
            b'$' => self.dollar(start)?,
            b'0'..=b'9' => self.number(),
            b'.' if self.peek(1).is_ascii_digit() => self.number(),
            c if is_word_start(c) => {
                while is_word(self.peek(0)) {
                    self.at += 1;
                }
                Kind::Word
            }
            b'(' | b')' | b'[' | b']' | b',' | b';' | b'.' => {
                self.at += 1;
                Kind::Punctuation
            }
            b':' => self.colon(),
            c if is_operator(c) => {
                self.operator();
                Kind::Operator
            }
            _ => {
                let width = self.sql[start..].chars().next().map_or(1, char::len_utf8);
                let near = self.sql.get(start..start + width).unwrap_or("");
                return Err(DialectError::syntax(near).at(self.sql, start));
            }
        };
        Ok(Some(Token {
            kind,
            start,
            end: self.at,
        }))
    }

    fn colon(&mut self) -> Kind {
        self.at += 1;
        if matches!(self.peek(0), b':' | b'=') {
            self.at += 1;
            return Kind::Operator;
        }
        Kind::Punctuation
    }

    fn skip_blanks(&mut self) -> Result<(), DialectError> {
        loop {
            match self.peek(0) {
                b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c => self.at += 1,
                b'-' if self.peek(1) == b'-' => self.skip_line(),
                b'/' if self.peek(1) == b'*' => self.skip_comment()?,
                0xef if self.at == 0 && self.sql.starts_with('\u{feff}') => self.at += 3,
                _ => return Ok(()),
            }
        }
    }

    fn skip_line(&mut self) {
        while self.at < self.bytes.len() && self.peek(0) != b'\n' {
            self.at += 1;
        }
    }

    /// PostgreSQL's block comments nest.
    fn skip_comment(&mut self) -> Result<(), DialectError> {
        let start = self.at;
        let mut depth = 0_usize;
        while self.at < self.bytes.len() {
            if self.peek(0) == b'/' && self.peek(1) == b'*' {
                depth += 1;
                self.at += 2;
            } else if self.peek(0) == b'*' && self.peek(1) == b'/' {
                depth -= 1;
                self.at += 2;
                if depth == 0 {
                    return Ok(());
                }
            } else {
                self.at += 1;
            }
        }
        Err(self.fail("unterminated /* comment", start))
    }

    fn prefixed(
        &mut self,
        prefix: usize,
        escapes: bool,
        start: usize,
        kind: Kind,
    ) -> Result<Kind, DialectError> {
        self.at += prefix;
        self.text(escapes, start)?;
        Ok(kind)
    }

    fn text(&mut self, escapes: bool, start: usize) -> Result<(), DialectError> {
        self.at += 1;
        while self.at < self.bytes.len() {
            match self.peek(0) {
                b'\'' if self.peek(1) == b'\'' => self.at += 2,
                b'\'' => {
                    self.at += 1;
                    return Ok(());
                }
                b'\\' if escapes => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at = self.bytes.len();
        Err(self.fail("unterminated quoted string", start))
    }

    fn quoted(&mut self, start: usize) -> Result<(), DialectError> {
        self.until_quote(b'"', start)
    }

    fn backtick(&mut self, start: usize) -> Result<(), DialectError> {
        self.until_quote(b'`', start)
    }

    fn until_quote(&mut self, quote: u8, start: usize) -> Result<(), DialectError> {
        self.at += 1;
        while self.at < self.bytes.len() {
            if self.peek(0) == quote && self.peek(1) == quote {
                self.at += 2;
            } else if self.peek(0) == quote {
                self.at += 1;
                if self.at - start == 2 {
                    return Err(self.fail("zero-length delimited identifier", start));
                }
                return Ok(());
            } else {
                self.at += 1;
            }
        }
        Err(self.fail("unterminated quoted identifier", start))
    }

    fn dollar(&mut self, start: usize) -> Result<Kind, DialectError> {
        if self.peek(1).is_ascii_digit() {
            self.at += 1;
            while self.peek(0).is_ascii_digit() {
                self.at += 1;
            }
            return Ok(Kind::Parameter);
        }
        let mut end = self.at + 1;
        while self
            .bytes
            .get(end)
            .is_some_and(|c| is_word(*c) && *c != b'$')
        {
            end += 1;
        }
        if self.bytes.get(end) != Some(&b'$') {
            return Err(DialectError::syntax("$").at(self.sql, start));
        }
        let tag = &self.sql[start..=end];
        let body = end + 1;
        match self.sql[body..].find(tag) {
            Some(length) => {
                self.at = body + length + tag.len();
                Ok(Kind::Dollar)
            }
            None => Err(self.fail("unterminated dollar-quoted string", start)),
        }
    }

    fn number(&mut self) -> Kind {
        let mut kind = Kind::Integer;
        if self.peek(0) == b'0'
            && matches!(self.peek(1), b'x' | b'X')
            && self.peek(2).is_ascii_hexdigit()
        {
            self.at += 2;
            while self.peek(0).is_ascii_hexdigit() {
                self.at += 1;
            }
            return Kind::Integer;
        }
        self.digits();
        if self.peek(0) == b'.' && self.peek(1) != b'.' {
            kind = Kind::Decimal;
            self.at += 1;
            self.digits();
        }
        if matches!(self.peek(0), b'e' | b'E') {
            let sign = usize::from(matches!(self.peek(1), b'+' | b'-'));
            if self.peek(1 + sign).is_ascii_digit() {
                kind = Kind::Decimal;
                self.at += 1 + sign;
                self.digits();
            }
        }
        kind
    }

    fn digits(&mut self) {
        while self.peek(0).is_ascii_digit()
            || (self.peek(0) == b'_' && self.peek(1).is_ascii_digit())
        {
            self.at += 1;
        }
    }

    /// PostgreSQL's rule: the longest run, cut before a comment, and without a trailing + or - unless the run holds
    /// one of `~ ! @ # % ^ & | ? ` and backquote.
    fn operator(&mut self) {
        let start = self.at;
        while is_operator(self.peek(0)) {
            let comment = matches!((self.peek(0), self.peek(1)), (b'-', b'-') | (b'/', b'*'));
            if comment && self.at > start {
                break;
            }
            self.at += 1;
        }
        let run = &self.bytes[start..self.at];
        let special = run.iter().any(|c| b"~!@#%^&|?".contains(c));
        while !special && self.at - start > 1 && matches!(self.bytes[self.at - 1], b'+' | b'-') {
            self.at -= 1;
        }
    }
}

fn is_operator(c: u8) -> bool {
    b"+-*/<>=~!@#%^&|?".contains(&c)
}

fn is_word_start(c: u8) -> bool {
    c.is_ascii_alphabetic() || c == b'_' || c >= 0x80
}

fn is_word(c: u8) -> bool {
    is_word_start(c) || c.is_ascii_digit() || c == b'$'
}
