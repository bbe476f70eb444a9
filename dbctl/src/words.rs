//! Command words: how they are split from a line, and how they are sent to the server.

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

/// The words as one command of the server; what is not plain stands in single quotes.
pub(crate) fn join(words: &[impl AsRef<str>]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| quoted(word.as_ref())).collect();
    quoted.join(" ")
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:+,@%*".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    literal(word)
}

/// The text as a string of SQL.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn plain_words_stay_plain_and_verifiers_are_quoted() {
        assert_eq!(
            join(&["database", "create", "shop_1"]),
            "database create shop_1"
        );
        assert_eq!(join(&["SCRAM-SHA-256$1:a$b:c"]), "'SCRAM-SHA-256$1:a$b:c'");
        assert_eq!(literal("it's"), "'it''s'");
    }
}
