//! What texts that differ in their numbers have in common.
//!
//! Clients of the simple protocol write their values into the text, so that each text is new and would be translated
//! anew. A whole number that is compared with something, or a value of INSERT … VALUES, is an operand of type `integer`
//! whatever stands around it, as a parameter of that type is; other places of a number say more (a position in ORDER BY,
//! a length, a limit), and stay as they are.

use crate::lexer::{Kind, Lexer, Token};
use crate::sequence::Sequences;
use crate::statement::Statement;

/// A longer text is translated for itself.
const MAX_LEN: usize = 4096;
/// Statements that rows come from or go to.
const VERBS: [&str; 5] = ["select", "insert", "update", "delete", "with"];
const COMPARISONS: [&str; 7] = ["=", "<", ">", "<=", ">=", "<>", "!="];
/// Words in a text that mean another time with each statement.
const MOMENTS: [&str; 4] = ["now", "today", "tomorrow", "yesterday"];

/// A statement whose numbers are parameters.
#[derive(Debug, PartialEq, Eq)]
pub struct Template {
    /// The text, with `$1`, `$2` … in the place of numbers.
    pub text: String,
    /// The numbers.
    pub values: Vec<i32>,
}

impl Template {
    /// Of a text that is one statement; `None` where texts like it can't be known by it.
    pub fn of(sql: &str) -> Option<Self> {
        if sql.len() > MAX_LEN {
            return None;
        }
        let tokens = tokens(sql)?;
        let first = tokens.first().map(|token| slice(sql, *token))?;
        if !VERBS.iter().any(|verb| first.eq_ignore_ascii_case(verb)) {
            return None;
        }
        let is_insert = first.eq_ignore_ascii_case("insert");
        let mut template = Self {
            text: String::with_capacity(sql.len() + 8),
            values: Vec::new(),
        };
        let mut copied = 0;
        let mut place = Place::default();
        for (index, token) in tokens.iter().enumerate() {
            let text = slice(sql, *token);
            let before = index.checked_sub(1).and_then(|before| tokens.get(before));
            let before = before.map_or("", |before| slice(sql, *before));
            let after = tokens.get(index + 1).map_or("", |after| slice(sql, *after));
            place.pass(token.kind, text);
            if token.kind != Kind::Integer {
                continue;
            }
            let is_value = is_insert && place.is_in_row() && is_alone(before, after);
            if !is_value && !COMPARISONS.contains(&before) {
                continue;
            }
            let Ok(number) = text.parse() else {
                continue;
            };
            template.values.push(number);
            template.text.push_str(sql.get(copied..token.start)?);
            template.text.push('$');
            template.text.push_str(&template.values.len().to_string());
            copied = token.end;
        }
        template.text.push_str(sql.get(copied..)?);
        Some(template)
    }
}

/// Whether the translation of a template may run with these numbers. One that a smallint does not hold must be seen by the
/// translation, which refuses it before a sequence is drawn from.
pub fn stands_for(statement: &Statement, values: &[i32]) -> bool {
    let is_small = |value: &i32| i16::try_from(*value).is_ok();
    statement.sequences == Sequences::None
        || values.iter().all(is_small)
        || !statement
            .sqlite
            .iter()
            .any(|text| text.contains("pg_i4toi2(?"))
}

/// How deep in parentheses a token is, and since when the text is at VALUES.
#[derive(Default)]
struct Place {
    depth: usize,
    at_values: bool,
}

impl Place {
    fn pass(&mut self, kind: Kind, text: &str) {
        match (kind, text) {
            (Kind::Punctuation, "(") => self.depth += 1,
            (Kind::Punctuation, ")") => self.depth = self.depth.saturating_sub(1),
            (Kind::Word, word) if self.depth == 0 => {
                self.at_values = word.eq_ignore_ascii_case("values");
            }
            _ => {}
        }
    }

    fn is_in_row(&self) -> bool {
        self.at_values && self.depth == 1
    }
}

fn is_alone(before: &str, after: &str) -> bool {
    matches!(before, "(" | ",") && matches!(after, ")" | ",")
}

fn slice(sql: &str, token: Token) -> &str {
    sql.get(token.start..token.end).unwrap_or_default()
}

/// The tokens of a text that is one statement, without parameters and without texts that may be a moment.
fn tokens(sql: &str) -> Option<Vec<Token>> {
    let mut lexer = Lexer::new(sql);
    let mut tokens: Vec<Token> = Vec::with_capacity(32);
    let mut ended = false;
    while let Some(token) = lexer.next().ok()? {
        let text = slice(sql, token);
        match token.kind {
            _ if ended => return None,
            Kind::Punctuation if text == ";" => ended = true,
            Kind::Text if !is_moment(text) => tokens.push(token),
            Kind::Parameter
            | Kind::Text
            | Kind::Escape
            | Kind::National
            | Kind::Bits
            | Kind::Hex
            | Kind::Dollar
            | Kind::Unicode => return None,
            Kind::Word
            | Kind::Quoted
            | Kind::Integer
            | Kind::Decimal
            | Kind::Punctuation
            | Kind::Operator => tokens.push(token),
        }
    }
    Some(tokens)
}

fn is_moment(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    MOMENTS.iter().any(|moment| text.contains(moment))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statement::StatementKind;

    fn of(sql: &str) -> Option<(String, Vec<i32>)> {
        Template::of(sql).map(|template| (template.text, template.values))
    }

    #[test]
    fn numbers_that_are_compared_and_values_of_rows_are_parameters() {
        assert_eq!(
            of("SELECT a FROM t WHERE id = 15 AND b<7;"),
            Some((
                "SELECT a FROM t WHERE id = $1 AND b<$2;".into(),
                vec![15, 7]
            ))
        );
        assert_eq!(
            of("INSERT INTO t (a, b) VALUES (1, 'x'), (2, f(3))"),
            Some((
                "INSERT INTO t (a, b) VALUES ($1, 'x'), ($2, f(3))".into(),
                vec![1, 2]
            ))
        );
        assert_eq!(
            of("UPDATE t SET a = a + -5 WHERE id = 3"),
            Some(("UPDATE t SET a = a + -5 WHERE id = $1".into(), vec![3]))
        );
    }

    #[test]
    fn a_number_that_may_be_more_than_an_operand_stays() {
        for sql in [
            "SELECT 1, 2 FROM t ORDER BY 1, 2 LIMIT 3 OFFSET 4",
            "SELECT a::numeric(10,2), substr(b, 1, 2) FROM t GROUP BY 1",
            "SELECT a FROM t WHERE id = 3000000000 AND b = -1 AND c = 1.5",
            "INSERT INTO t SELECT 1, 2",
            "SELECT a FROM t WHERE b IN (1, 2)",
        ] {
            assert_eq!(of(sql), Some((sql.to_owned(), Vec::new())), "{sql}");
        }
    }

    #[test]
    fn what_another_text_could_not_stand_for_has_no_template() {
        for sql in [
            "CREATE TABLE t (a int CHECK (a > 5))",
            "SELECT 1; SELECT 2",
            "SELECT $1 = 5",
            "SELECT a FROM t WHERE d = 'Today'",
            "SELECT E'\\n' = 5",
            "SELECT 'open",
            "",
        ] {
            assert_eq!(of(sql), None, "{sql}");
        }
    }

    #[test]
    fn a_number_too_large_for_a_smallint_is_translated_for_itself_where_a_sequence_is_drawn_from() {
        let statement = |text: &str, sequences| Statement {
            sqlite: vec![text.to_owned()],
            sequences,
            ..Statement::session(StatementKind::Dml, "INSERT")
        };
        let small = "INSERT INTO t VALUES (pg_i4toi2(?1))";
        for (text, sequences, value, stands) in [
            (small, Sequences::Any, 32_768, false),
            (small, Sequences::Any, 32_767, true),
            (small, Sequences::None, 32_768, true),
            ("INSERT INTO t VALUES (?1)", Sequences::Any, 32_768, true),
        ] {
            let statement = statement(text, sequences);
            assert_eq!(
                stands_for(&statement, &[1, value]),
                stands,
                "{text} {value}"
            );
        }
    }
}
