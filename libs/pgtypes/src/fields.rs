//! A date or a time cut into fields by what they look like, as PostgreSQL's
//! `ParseDateTime` does. What a field means depends on its neighbours and comes later.

/// The longest text that is looked at.
const MAX_BYTES: usize = 128;

/// What a field looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `2024`, `20240131`, `5.5`.
    Number,
    /// `2024-01-31`, `31-jan-2024`, also `america/new_york`.
    Date,
    /// `10:00`, `10:00:00.5`.
    Time,
    /// `+02`, `-05:30`, also a number with a sign.
    Signed,
    /// Letters.
    Word,
    /// Letters behind a sign: `-infinity`.
    SignedWord,
}

/// A piece of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Field<'a> {
    pub(crate) kind: Kind,
    /// With the sign, if there is one.
    pub(crate) text: &'a str,
}

impl Field<'_> {
    pub(crate) fn starts_with_digit(&self) -> bool {
        self.text.starts_with(|c: char| c.is_ascii_digit())
    }
}

/// Cuts a text, which is in lower case. `is_word`: known words do not run on into digits, as the
/// `t` of `t10:00`. `None` where a character can't begin a field.
pub(crate) fn fields(text: &str, is_word: impl Fn(&str) -> bool) -> Option<Vec<Field<'_>>> {
    if text.len() > MAX_BYTES {
        return None;
    }
    let mut cutter = Cutter { text, at: 0 };
    let mut fields = Vec::new();
    loop {
        cutter.run(|b| b.is_ascii_whitespace());
        let start = cutter.at;
        let Some(first) = cutter.peek() else {
            return Some(fields);
        };
        let kind = match first {
            b'0'..=b'9' => cutter.number(),
            b'.' => {
                cutter.at += 1;
                cutter.run(|b| b.is_ascii_digit());
                Kind::Number
            }
            b'a'..=b'z' => cutter.word(&is_word),
            b'+' | b'-' => cutter.signed()?,
            _ if first.is_ascii_punctuation() => {
                cutter.at += 1;
                continue;
            }
            _ => return None,
        };
        let text = text.get(start..cutter.at)?;
        fields.push(Field { kind, text });
    }
}

struct Cutter<'a> {
    text: &'a str,
    at: usize,
}

impl Cutter<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn run(&mut self, wanted: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(&wanted) {
            self.at += 1;
        }
    }

    fn number(&mut self) -> Kind {
        self.run(|b| b.is_ascii_digit());
        let separator = match self.peek() {
            Some(b':') => {
                self.run(|b| b.is_ascii_digit() || matches!(b, b':' | b'.'));
                return Kind::Time;
            }
            Some(separator @ (b'-' | b'/' | b'.')) => separator,
            _ => return Kind::Number,
        };
        self.at += 1;
        if !self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.run(|b| b.is_ascii_alphanumeric() || b == separator);
            return Kind::Date;
        }
        self.run(|b| b.is_ascii_digit());
        if self.peek() == Some(separator) {
            self.run(|b| b.is_ascii_digit() || b == separator);
            Kind::Date
        } else if separator == b'.' {
            Kind::Number
        } else {
            Kind::Date
        }
    }

    fn word(&mut self, is_word: impl Fn(&str) -> bool) -> Kind {
        let start = self.at;
        self.run(|b| b.is_ascii_lowercase());
        let letters = self.text.get(start..self.at).unwrap_or_default();
        let runs_on = match self.peek() {
            Some(b'-' | b'/' | b'.') => true,
            Some(b'+' | b'0'..=b'9') => !is_word(letters),
            _ => false,
        };
        if !runs_on {
            return Kind::Word;
        }
        self.run(|b| {
            b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'/' | b'_' | b'.' | b':')
        });
        Kind::Date
    }

    fn signed(&mut self) -> Option<Kind> {
        self.at += 1;
        self.run(|b| b.is_ascii_whitespace());
        match self.peek()? {
            b'0'..=b'9' => {
                self.run(|b| b.is_ascii_digit() || matches!(b, b':' | b'.' | b'-'));
                Some(Kind::Signed)
            }
            b'a'..=b'z' => {
                self.run(|b| b.is_ascii_lowercase());
                Some(Kind::SignedWord)
            }
            _ => None,
        }
    }
}
