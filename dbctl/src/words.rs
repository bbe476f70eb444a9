//! Command words: how they are split from a line.

/// Splits a line at blanks. Single or double quotes hold blanks together; a doubled quote inside
/// stands for one. An error names what is not closed.
pub(crate) fn split(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\'' | '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match letters.next() {
                        None => return Err(format!("the closing {letter} is missing")),
                        Some(next) if next != letter => word.push(next),
                        Some(_) if letters.next_if_eq(&letter).is_some() => word.push(letter),
                        Some(_) => break,
                    }
                }
            }
            _ if letter.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use peers::command::join;

    use super::*;

    #[test]
    fn quotes_hold_a_word_together() {
        let words = split("  user create 'a b'  \"c'd\" '' 'it''s'\t").unwrap();
        assert_eq!(words, ["user", "create", "a b", "c'd", "", "it's"]);
        assert_eq!(split("   ").unwrap(), Vec::<String>::new());
        assert!(split("say 'x").is_err());
    }

    #[test]
    fn joined_words_are_split_into_the_same_words() {
        let words = [
            "user",
            "create",
            "o'hara",
            "a b",
            "",
            "SCRAM-SHA-256$4096:x+/=$y:z",
        ];
        assert_eq!(split(&join(&words)).unwrap(), words);
    }
}
