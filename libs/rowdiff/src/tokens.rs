//! The words of a definition, as SQLite reads them.

use std::ops::Range;

/// One word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    /// The word without its quotes; of a blob its digits.
    pub(crate) text: String,
    /// Where it stands.
    pub(crate) at: Range<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A keyword or a plain name.
    Word,
    /// A name in quotes of any kind but the single ones.
    Quoted,
    /// A string.
    Text,
    /// `x'…'`.
    Blob,
    Number,
    /// Anything else, one character.
    Sign,
}

impl Token {
    /// Whether it is this keyword.
    pub(crate) fn is(&self, keyword: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(keyword)
    }

    /// Whether it is this character.
    pub(crate) fn is_sign(&self, sign: &str) -> bool {
        self.kind == Kind::Sign && self.text == sign
    }

    /// Whether it can be a name: SQLite takes strings for names, too.
    pub(crate) fn is_name(&self) -> bool {
        matches!(self.kind, Kind::Word | Kind::Quoted | Kind::Text)
    }
}

/// The words of a text; `None` where a quote does not end.
pub(crate) fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let first = rest.chars().next()?;
        if let Some(length) = space(rest) {
            at += length;
            continue;
        }
        let (kind, word, length) = match first {
            '\'' => quoted(rest, '\'', Kind::Text)?,
            '"' | '`' => quoted(rest, first, Kind::Quoted)?,
            '[' => {
                let end = rest.find(']')?;
                (Kind::Quoted, rest.get(1..end)?.to_owned(), end + 1)
            }
            'x' | 'X' if rest.get(1..2) == Some("'") => {
                let (_, digits, length) = quoted(rest.get(1..)?, '\'', Kind::Blob)?;
                (Kind::Blob, digits, length + 1)
            }
            '0'..='9' => number(rest),
            '.' if rest
                .get(1..)
                .is_some_and(|r| r.starts_with(|c: char| c.is_ascii_digit())) =>
            {
                number(rest)
            }
            _ if is_letter(first) => {
                let end = rest.find(|c| !is_letter(c) && !c.is_ascii_digit() && c != '$');
                let word = rest.get(..end.unwrap_or(rest.len()))?;
                (Kind::Word, word.to_owned(), word.len())
            }
            _ => (Kind::Sign, first.to_string(), first.len_utf8()),
        };
        tokens.push(Token {
            kind,
            text: word,
            at: at..at + length,
        });
        at += length;
    }
    Some(tokens)
}

fn is_letter(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || !c.is_ascii()
}

/// The length of the blank or comment that a text begins with. A comment that does not end goes to the end.
fn space(rest: &str) -> Option<usize> {
    let blanks = rest.len()
        - rest
            .trim_start_matches([' ', '\t', '\n', '\r', '\x0c'])
            .len();
    if blanks > 0 {
        return Some(blanks);
    }
    if rest.starts_with("--") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    let comment = rest.strip_prefix("/*")?;
    Some(comment.find("*/").map_or(rest.len(), |end| end + 4))
}

/// A word in quotes, in which a quote is written twice.
fn quoted(rest: &str, quote: char, kind: Kind) -> Option<(Kind, String, usize)> {
    let mut word = String::new();
    let mut left = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = left.next() {
        if c != quote {
            word.push(c);
        } else if left.next_if(|(_, next)| *next == quote).is_some() {
            word.push(quote);
        } else {
            return Some((kind, word, at + 1));
        }
    }
    None
}

fn number(rest: &str) -> (Kind, String, usize) {
    let mut last = ' ';
    let hexadecimal = rest.starts_with("0x") || rest.starts_with("0X");
    let end = rest.find(|c: char| {
        let sign = matches!(c, '+' | '-') && matches!(last, 'e' | 'E') && !hexadecimal;
        let part = c.is_ascii_alphanumeric() || matches!(c, '.' | '_') || sign;
        last = c;
        !part
    });
    let word = rest.get(..end.unwrap_or(rest.len())).unwrap_or(rest);
    (Kind::Number, word.to_owned(), word.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let tokens = tokens(text).unwrap();
        tokens.into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn names_have_quotes_of_four_kinds() {
        assert_eq!(
            words("\"a \"\"b\" [c d] `e``f` 'g''h' ü1$ x'0aFF'"),
            ["a \"b", "c d", "e`f", "g'h", "ü1$", "0aFF"]
        );
    }

    #[test]
    fn comments_are_no_words() {
        assert_eq!(words("a--b,\nc/* d */e/**/-f--"), ["a", "c", "e", "-", "f"]);
    }

    #[test]
    fn numbers_have_all_their_signs() {
        assert_eq!(words("1.5e-3-.5+0x1F"), ["1.5e-3", "-", ".5", "+", "0x1F"]);
    }

    #[test]
    fn an_open_quote_is_no_text() {
        assert_eq!(tokens("a 'b"), None);
        assert_eq!(tokens("[b"), None);
    }
}
