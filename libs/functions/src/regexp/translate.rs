//! PostgreSQL's advanced regular expressions in the notation of the crate regex.

use std::iter::Peekable;
use std::str::Chars;

use pgtypes::{SqlState, ValueError};

use crate::error::fail;
use crate::regexp::cache::invalid;
use crate::regexp::flags::Flags;

/// What is no digit; digits are those of ASCII.
const NO_DIGIT: &str = "[^0-9]";
/// What words are made of: an accent that stands for itself is not among it.
const WORD: &str = "[\\p{Alphabetic}\\p{Nd}_]";
const NO_WORD: &str = "[^\\p{Alphabetic}\\p{Nd}_]";

/// The expression, and the flags with the options that stand at its beginning.
pub(super) fn translate(pattern: &str, flags: Flags) -> Result<(String, Flags), ValueError> {
    let mut flags = flags;
    if flags.literal {
        return Ok((regex::escape(pattern), flags));
    }
    let mut rest = pattern;
    if let Some(behind) = rest.strip_prefix("***") {
        match behind.chars().next() {
            Some('=') => {
                let text = behind.get(1..).unwrap_or_default();
                return Ok((regex::escape(text), flags));
            }
            Some(':') => rest = behind.get(1..).unwrap_or_default(),
            _ => return Err(invalid("quantifier operand invalid")),
        }
    }
    if let Some(options) = rest.strip_prefix("(?")
        && options.starts_with(|c: char| c.is_ascii_alphabetic())
        && let Some((options, behind)) = options.split_once(')')
    {
        for letter in options.chars() {
            if !flags.option(letter) {
                return Err(invalid("invalid embedded option"));
            }
        }
        rest = behind;
    }
    if flags.literal {
        return Ok((regex::escape(rest), flags));
    }
    if flags.other_kind {
        return unsupported("basic and extended regular expressions are");
    }
    let mut translator = Translator {
        rest: rest.chars().peekable(),
        out: String::with_capacity(rest.len() + 8),
        flags,
        begins: true,
    };
    translator.run()?;
    Ok((translator.out, flags))
}

/// PostgreSQL has room for more than there are characters.
const LAST_CODE: u32 = 0x7fff_fffe;

/// The class that a letter behind a backslash stands for, by itself and among others in brackets.
fn class_letter(letter: char) -> Option<&'static str> {
    Some(match letter {
        'd' => "[0-9]",
        'D' => NO_DIGIT,
        'w' => WORD,
        'W' => NO_WORD,
        's' => "\\s",
        'S' => "\\S",
        _ => return None,
    })
}

fn unsupported<T>(what: &str) -> Result<T, ValueError> {
    fail(
        SqlState::FEATURE_NOT_SUPPORTED,
        format!("{what} not supported"),
    )
}

struct Translator<'a> {
    rest: Peekable<Chars<'a>>,
    out: String,
    flags: Flags,
    /// Nothing that a quantifier could repeat comes before.
    begins: bool,
}

impl Translator<'_> {
    fn run(&mut self) -> Result<(), ValueError> {
        while let Some(c) = self.rest.next() {
            let begins = std::mem::take(&mut self.begins);
            match c {
                '\\' => self.escape()?,
                '[' => self.bracket()?,
                '(' => {
                    self.group()?;
                    self.begins = true;
                }
                '|' | '^' => {
                    self.out.push(c);
                    self.begins = true;
                }
                '*' | '+' | '?' if begins => return Err(invalid("quantifier operand invalid")),
                '*' | '+' | '?' => {
                    self.out.push(c);
                    self.quantified();
                }
                '{' if self.rest.peek().is_some_and(char::is_ascii_digit) => {
                    if begins {
                        return Err(invalid("quantifier operand invalid"));
                    }
                    self.out.push('{');
                    while let Some(c) = self.rest.next_if(|c| *c != '}') {
                        self.out.push(c);
                    }
                    self.out.extend(self.rest.next());
                    self.quantified();
                }
                '{' => self.out.push_str("\\{"),
                c if self.flags.expanded && c.is_whitespace() => self.begins = begins,
                '#' if self.flags.expanded => {
                    self.rest.by_ref().find(|c| *c == '\n');
                    self.begins = begins;
                }
                '$' if !self.flags.lines => self.out.push_str("\\z"),
                c => self.out.push(c),
            }
        }
        Ok(())
    }

    /// Behind a quantifier, which may not be repeated itself.
    fn quantified(&mut self) {
        self.out.extend(self.rest.next_if_eq(&'?'));
        self.begins = true;
    }

    fn group(&mut self) -> Result<(), ValueError> {
        self.out.push('(');
        if self.rest.next_if_eq(&'?').is_none() {
            return Ok(());
        }
        match self.rest.next() {
            Some(':') => self.out.push_str("?:"),
            Some('#') => {
                // A comment.
                self.rest.by_ref().find(|c| *c == ')');
                self.out.pop();
            }
            Some('=' | '!' | '<') => {
                return unsupported("lookahead and lookbehind constraints are");
            }
            _ => return Err(invalid("quantifier operand invalid")),
        }
        Ok(())
    }

    /// So many hexadecimal digits, or as many as there are up to that.
    fn hexadecimal(&mut self, least: usize, most: usize) -> Result<char, ValueError> {
        let mut code = 0_u32;
        let mut count = 0;
        while count < most
            && let Some(digit) = self.rest.peek().and_then(|c| c.to_digit(16))
        {
            code = code.wrapping_mul(16).wrapping_add(digit);
            self.rest.next();
            count += 1;
        }
        if count < least || code > LAST_CODE {
            return Err(invalid("invalid escape \\ sequence"));
        }
        // What is no character stands for one that no text has.
        Ok(char::from_u32(code).unwrap_or(char::MAX))
    }

    /// The character that an escape stands for, if it is one.
    fn character(&mut self, c: char) -> Result<Option<char>, ValueError> {
        Ok(Some(match c {
            'a' => '\u{7}',
            'b' => '\u{8}',
            'B' => '\\',
            'c' => {
                let c = self.rest.next().unwrap_or('@');
                char::from_u32(u32::from(c) & 0x1f).unwrap_or('\0')
            }
            'e' => '\u{1b}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            'u' => self.hexadecimal(4, 4)?,
            'U' => self.hexadecimal(8, 8)?,
            'x' => self.hexadecimal(1, 255)?,
            '0' => {
                let mut code = 0;
                for _ in 0..2 {
                    match self.rest.peek().and_then(|c| c.to_digit(8)) {
                        Some(digit) => {
                            code = code * 8 + digit;
                            self.rest.next();
                        }
                        None => break,
                    }
                }
                char::from_u32(code).unwrap_or('\0')
            }
            c if !c.is_ascii_alphanumeric() => c,
            _ => return Ok(None),
        }))
    }

    fn escape(&mut self) -> Result<(), ValueError> {
        let Some(c) = self.rest.next() else {
            return Err(invalid("invalid escape \\ sequence"));
        };
        let constraint = match c {
            'm' => Some("\\b{start}"),
            'M' => Some("\\b{end}"),
            'y' => Some("\\b"),
            'Y' => Some("\\B"),
            'A' => Some("\\A"),
            'Z' => Some("\\z"),
            _ => class_letter(c),
        };
        if let Some(text) = constraint {
            self.out.push_str(text);
            return Ok(());
        }
        if matches!(c, '1'..='9') {
            return unsupported("back references in regular expressions are");
        }
        match self.character(c)? {
            Some(c) => self.put_literal(c),
            None => return Err(invalid("invalid escape \\ sequence")),
        }
        Ok(())
    }

    fn put_literal(&mut self, c: char) {
        let mut buffer = [0; 4];
        self.out
            .push_str(&regex::escape(c.encode_utf8(&mut buffer)));
    }

    /// A character within brackets, where other ones mean something than outside.
    fn put_member(&mut self, c: char) {
        if matches!(c, '[' | ']' | '\\' | '^' | '-' | '&' | '~' | '#') {
            self.out.push('\\');
        }
        self.out.push(c);
    }

    fn bracket(&mut self) -> Result<(), ValueError> {
        let unbalanced = || invalid("brackets [] not balanced");
        let rest: String = self.rest.clone().take(6).collect();
        for (constraint, text) in [("[:<:]]", "\\b{start}"), ("[:>:]]", "\\b{end}")] {
            if rest == constraint {
                self.rest.nth(constraint.len() - 1);
                self.out.push_str(text);
                return Ok(());
            }
        }
        self.out.push('[');
        if self.rest.next_if_eq(&'^').is_some() {
            self.out.push('^');
            if self.flags.dot_stops {
                self.out.push_str("\\n");
            }
        }
        let mut first = true;
        loop {
            let c = self.rest.next().ok_or_else(unbalanced)?;
            match c {
                ']' if !first => break,
                '[' if matches!(self.rest.peek(), Some(':' | '.' | '=')) => self.class()?,
                '\\' => self.member_escape()?,
                '-' if !first && self.rest.peek() != Some(&']') => self.out.push('-'),
                c => self.put_member(c),
            }
            first = false;
        }
        self.out.push(']');
        Ok(())
    }

    /// `[:alpha:]`, `[.x.]` or `[=x=]`, of which the opening bracket has been read.
    fn class(&mut self) -> Result<(), ValueError> {
        let unbalanced = || invalid("brackets [] not balanced");
        let kind = self.rest.next().ok_or_else(unbalanced)?;
        let mut name = String::new();
        loop {
            let c = self.rest.next().ok_or_else(unbalanced)?;
            if c == kind && self.rest.next_if_eq(&']').is_some() {
                break;
            }
            name.push(c);
        }
        if kind != ':' {
            let mut chars = name.chars();
            return match (chars.next(), chars.next()) {
                (Some(c), None) => {
                    self.put_member(c);
                    Ok(())
                }
                _ => Err(invalid("invalid collating element")),
            };
        }
        let class = match name.as_str() {
            // To the C library, digits of other scripts are letters.
            "alpha" => "\\p{Alphabetic}[\\p{Nd}--[0-9]]",
            "digit" => "0-9",
            "alnum" => "\\p{Alphabetic}\\p{Nd}",
            "upper" => "\\p{Uppercase}",
            "lower" => "\\p{Lowercase}",
            "space" => "\\s",
            "blank" => " \\t",
            "punct" => "[:punct:]",
            "cntrl" => "[:cntrl:]",
            "xdigit" => "0-9A-Fa-f",
            "print" => "\\PC",
            "graph" => "[:graph:]",
            "word" => "\\p{Alphabetic}\\p{Nd}_",
            "ascii" => "\\x00-\\x7f",
            _ => return Err(invalid("invalid character class")),
        };
        if matches!(class.as_bytes().first(), Some(b'[')) {
            self.out.push_str(&format!("[{class}]"));
        } else {
            self.out.push_str(class);
        }
        Ok(())
    }

    fn member_escape(&mut self) -> Result<(), ValueError> {
        let wrong = || invalid("invalid escape \\ sequence");
        let c = self.rest.next().ok_or_else(wrong)?;
        if let Some(class) = class_letter(c) {
            self.out.push_str(class);
            return Ok(());
        }
        let c = self.character(c)?.ok_or_else(wrong)?;
        self.put_member(c);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_those_of_the_c_library() {
        for (pattern, text, found) in [
            (r"^\w+$", "e\u{301}", false),
            (r"^\w+$", "aß_9\u{663}", true),
            (r"\W", "e\u{301}", true),
            (r"\d", "\u{663}", false),
            (r"[\D]", "\u{663}", true),
            (r"[[:digit:]]", "\u{663}", false),
            (r"^[[:alpha:]]$", "\u{663}", true),
            (r"[[:alpha:]]", "7", false),
            (r"^[x\w-]+$", "a-x", true),
        ] {
            let (expression, _) = translate(pattern, Flags::default()).unwrap();
            let expression = regex::Regex::new(&expression).unwrap();
            assert_eq!(expression.is_match(text), found, "{pattern} {text}");
        }
    }
}
