//! A command of the server as an SQL statement.

/// The statement of a command. `json`: the answer is one row with the one column `json`.
pub fn statement(words: &[impl AsRef<str>], json: bool) -> String {
    let json = if json { "--json " } else { "" };
    format!("DBCTL {}", literal(&format!("{json}{}", join(words))))
}

/// The words as one command of the server; what is not plain stands in single quotes.
pub fn join(words: &[impl AsRef<str>]) -> String {
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
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_words_stay_plain_and_verifiers_are_quoted() {
        assert_eq!(
            join(&["database", "create", "shop_1"]),
            "database create shop_1"
        );
        assert_eq!(join(&["SCRAM-SHA-256$1:a$b:c"]), "'SCRAM-SHA-256$1:a$b:c'");
        assert_eq!(literal("it's"), "'it''s'");
    }

    #[test]
    fn words_are_quoted_for_the_command_and_then_for_sql() {
        let words = |text: &str| text.split('|').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(
            statement(&words("forwardlog|status"), false),
            "DBCTL 'forwardlog status'"
        );
        assert_eq!(
            statement(&words("user|create|o'hara"), true),
            "DBCTL '--json user create ''o''''hara'''"
        );
    }
}
