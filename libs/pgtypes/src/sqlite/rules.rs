//! What SQLite's messages mean: the table in `messages.txt`.

use std::sync::LazyLock;

use super::Failure;
use crate::SqlState;

const TABLE: &str = include_str!("messages.txt");

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| rules(TABLE).flatten().collect());

struct Rule {
    sqlstate: SqlState,
    pattern: &'static str,
    words: &'static str,
}

/// The rules of a table; `None` for a line that is none. A test holds that there is no such line.
fn rules(table: &'static str) -> impl Iterator<Item = Option<Rule>> {
    table
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let mut parts = line.split(" | ");
            let sqlstate = SqlState::from_code(parts.next()?)?;
            Some(Rule {
                sqlstate,
                pattern: parts.next()?,
                words: parts.next()?,
            })
        })
}

/// Translates a message; `None` for one that no rule knows.
pub(super) fn by_message(message: &str) -> Option<Failure> {
    RULES.iter().find_map(|rule| apply(rule, message))
}

fn apply(rule: &Rule, message: &str) -> Option<Failure> {
    let found = capture(rule.pattern, message)?;
    let mut words = rule.words.to_owned();
    for (at, text) in found.iter().enumerate() {
        words = words.replace(&format!("{{{at}}}"), &plain_name(text));
    }
    // PostgreSQL quotes a name unless it is qualified.
    if rule.sqlstate == SqlState::UNDEFINED_COLUMN
        && let [name] = found.as_slice()
        && plain_name(name).contains('.')
    {
        words = words.replace('"', "");
    }
    let mut failure = Failure::new(rule.sqlstate, words);
    if rule.sqlstate == SqlState::UNDEFINED_FUNCTION {
        failure.hint = Some(
            "No function matches the given name and argument types. \
             You might need to add explicit type casts."
                .to_owned(),
        );
    }
    Some(failure)
}

/// A name as the schema has it: without the quotes that were around it in the statement, and
/// without the name of the one schema there is.
fn plain_name(name: &str) -> String {
    let name = name.strip_prefix("main.").unwrap_or(name);
    let quoted = [('"', '"'), ('`', '`'), ('[', ']')]
        .into_iter()
        .find_map(|(open, close)| name.strip_prefix(open)?.strip_suffix(close));
    // SQLite writes types in capitals, PostgreSQL does not.
    match quoted.unwrap_or(name) {
        "INTEGER" | "INT" => "integer".to_owned(),
        "TEXT" => "text".to_owned(),
        "REAL" => "real".to_owned(),
        "BLOB" => "bytea".to_owned(),
        other => other.to_owned(),
    }
}

/// What the `{}` of a pattern stand for, if a text has its form.
fn capture<'a>(pattern: &str, text: &'a str) -> Option<Vec<&'a str>> {
    let mut pieces = pattern.split("{}");
    let mut rest = text.strip_prefix(pieces.next()?)?;
    let mut found = Vec::new();
    let mut pieces = pieces.peekable();
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            // The last piece must end the text.
            found.push(rest.strip_suffix(piece)?);
            return Some(found);
        }
        let (before, behind) = rest.split_once(piece)?;
        found.push(before);
        rest = behind;
    }
    rest.is_empty().then_some(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::failure;
    use super::{RULES, TABLE, capture, rules};

    fn check(cases: &[(&str, &str, &str)]) {
        for (message, sqlstate, words) in cases {
            let failure = failure(1, 1, message);
            assert_eq!(failure.sqlstate.as_str(), *sqlstate, "{message}");
            assert_eq!(failure.message, *words);
        }
    }

    #[test]
    fn what_is_missing_or_misspelled_is_told_in_postgresqls_words() {
        check(&[
            (
                "no such table: orders",
                "42P01",
                "relation \"orders\" does not exist",
            ),
            (
                "no such table: main.orders",
                "42P01",
                "relation \"orders\" does not exist",
            ),
            (
                "no such column: price",
                "42703",
                "column \"price\" does not exist",
            ),
            (
                "no such column: o.price",
                "42703",
                "column o.price does not exist",
            ),
            (
                "no such column: \"x\" - should this be a string literal in single-quotes?",
                "42703",
                "column \"x\" does not exist",
            ),
            (
                "table orders has no column named price",
                "42703",
                "column \"price\" of relation \"orders\" does not exist",
            ),
            (
                "no such function: frobnicate",
                "42883",
                "function frobnicate does not exist",
            ),
            (
                "wrong number of arguments to function abs()",
                "42883",
                "function abs does not exist with this number of arguments",
            ),
            (
                "ambiguous column name: id",
                "42702",
                "column reference \"id\" is ambiguous",
            ),
            (
                "near \"SELEC\": syntax error",
                "42601",
                "syntax error at or near \"SELEC\"",
            ),
            (
                "near \"\"\": syntax error",
                "42601",
                "syntax error at or near \"\"\"",
            ),
            ("incomplete input", "42601", "syntax error at end of input"),
        ]);
    }

    #[test]
    fn what_exists_already_is_told_in_postgresqls_words() {
        check(&[
            (
                "table \"orders\" already exists",
                "42P07",
                "relation \"orders\" already exists",
            ),
            (
                "there is already a table named t",
                "42P07",
                "relation \"t\" already exists",
            ),
            (
                "duplicate column name: a",
                "42701",
                "column \"a\" specified more than once",
            ),
            (
                "no such savepoint: s",
                "3B001",
                "savepoint \"s\" does not exist",
            ),
            (
                "misuse of aggregate: sum()",
                "42803",
                "aggregate function sum is not allowed here",
            ),
            (
                "table t has 2 columns but 3 values were supplied",
                "42601",
                "INSERT has 3 expressions but relation \"t\" has 2 columns",
            ),
            (
                "1st ORDER BY term out of range - should be between 1 and 2",
                "42P10",
                "1st ORDER BY position is not in select list",
            ),
        ]);
    }

    #[test]
    fn the_rest_is_told_in_postgresqls_words() {
        check(&[
            (
                "cannot commit - no transaction is active",
                "25P01",
                "there is no transaction in progress",
            ),
            (
                "foreign key mismatch - \"lines\" referencing \"orders\"",
                "42830",
                "there is no unique constraint matching given keys for referenced table \"orders\"",
            ),
            (
                "access to t.c is prohibited",
                "42501",
                "permission denied for t.c",
            ),
            (
                "too many columns in result set",
                "54011",
                "too many columns in result set",
            ),
            ("too many SQL variables", "54000", "too many SQL variables"),
            ("integer overflow", "22003", "bigint out of range"),
            (
                "malformed JSON",
                "22P02",
                "invalid input syntax for type json",
            ),
        ]);
    }

    #[test]
    fn every_line_of_the_table_is_a_rule_that_nothing_before_it_hides() {
        for (rule, line) in rules(TABLE).zip(TABLE.lines().filter(|l| l.contains('|')).skip(1)) {
            assert!(rule.is_some(), "{line}");
        }
        for rule in RULES.iter() {
            let example = rule.pattern.replace("{}", "x");
            let first = RULES
                .iter()
                .find(|other| capture(other.pattern, &example).is_some());
            assert_eq!(first.map(|first| first.pattern), Some(rule.pattern));
        }
    }

    #[test]
    fn a_pattern_must_cover_the_whole_message() {
        assert_eq!(capture("a {} c", "a b c"), Some(vec!["b"]));
        assert_eq!(capture("a {} c {} e", "a b c d e"), Some(vec!["b", "d"]));
        assert_eq!(capture("a", "a b"), None);
        assert_eq!(capture("{} c", "a b"), None);
        assert_eq!(capture("a {} b {}", "a x"), None);
    }

    proptest! {
        #[test]
        fn any_message_is_translated_or_passed_on(message in ".{0,60}", code: i32, extended: i32) {
            prop_assert_eq!(failure(code, extended, &message).sqlstate.as_str().len(), 5);
        }
    }
}
