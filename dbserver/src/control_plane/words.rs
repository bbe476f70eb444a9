//! A command line as words: blanks separate, quotes of either kind keep together, a doubled quote
//! stands for itself.

use crate::error::EngineError;

/// Splits the text.
pub(crate) fn split(text: &str) -> Result<Vec<String>, EngineError> {
    let mut words = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(&next) = chars.peek() {
        if next.is_whitespace() || next == ';' {
            chars.next();
            continue;
        }
        let mut word = String::new();
        while let Some(&c) = chars.peek() {
            if c.is_whitespace() {
                break;
            }
            chars.next();
            if c == '\'' || c == '"' {
                quoted(&mut chars, c, &mut word)?;
            } else {
                word.push(c);
            }
        }
        words.push(word);
    }
    Ok(words)
}

fn quoted(
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
    quote: char,
    word: &mut String,
) -> Result<(), EngineError> {
    while let Some(c) = chars.next() {
        if c != quote {
            word.push(c);
        } else if chars.peek() == Some(&quote) {
            chars.next();
            word.push(quote);
        } else {
            return Ok(());
        }
    }
    Err(EngineError::Usage(format!("a {quote} is not closed")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_keep_words_together() {
        assert_eq!(
            split("database  create shop ").unwrap(),
            ["database", "create", "shop"]
        );
        assert_eq!(
            split("drop \"my shop\" 'it''s'").unwrap(),
            ["drop", "my shop", "it's"]
        );
        assert_eq!(split("  ").unwrap(), Vec::<String>::new());
        assert_eq!(split("x ''").unwrap(), ["x", ""]);
        assert!(split("x 'y").is_err());
    }
}
