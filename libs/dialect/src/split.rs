//! The statements of a simple query.

use std::ops::Range;

use crate::lexer::{Kind, Lexer, Token};

/// Byte ranges of the statements of a text, without the semicolons. Empty statements (blanks, comments) are left out, so
/// an empty result is an empty query. A text that does not lex is the rest in one piece: [`crate::analyze`] names
/// the fault, after the statements before it ran.
pub fn split(sql: &str) -> Vec<Range<usize>> {
    let mut lexer = Lexer::new(sql);
    let mut statements = Vec::new();
    let mut current = Current::default();
    loop {
        match lexer.next() {
            Ok(Some(token)) => {
                let text = &sql[token.start..token.end];
                if text == ";" && token.kind == Kind::Punctuation && current.may_end() {
                    statements.extend(current.finish());
                } else {
                    current.take(token, text);
                }
            }
            Ok(None) => {
                statements.extend(current.finish());
                return statements;
            }
            Err(_) => {
                let start = current.range.map_or_else(
                    || statements.last().map_or(0, |last: &Range<usize>| last.end),
                    |range| range.0,
                );
                let start = skip_semicolon(sql, start);
                statements.push(start..sql.len());
                return statements;
            }
        }
    }
}

/// The range of an unlexable rest begins after the semicolon of its predecessor.
fn skip_semicolon(sql: &str, start: usize) -> usize {
    let rest = &sql[start..];
    let trimmed = rest.trim_start();
    if trimmed.starts_with(';') {
        start + rest.len() - trimmed.len() + 1
    } else {
        start
    }
}

/// The statement being collected, and whether it is a trigger's body, whose semicolons do not end it.
#[derive(Default)]
struct Current {
    range: Option<(usize, usize)>,
    words: Vec<String>,
    blocks: usize,
    parens: usize,
}

impl Current {
    fn take(&mut self, token: Token, text: &str) {
        self.range = Some((self.range.map_or(token.start, |range| range.0), token.end));
        match text {
            "(" => self.parens += 1,
            ")" => self.parens = self.parens.saturating_sub(1),
            _ => {}
        }
        if token.kind != Kind::Word {
            return;
        }
        if self.words.len() < 4 {
            self.words.push(text.to_ascii_uppercase());
        }
        if !self.is_trigger() {
            return;
        }
        if text.eq_ignore_ascii_case("BEGIN") && self.blocks == 0
            || text.eq_ignore_ascii_case("CASE")
        {
            self.blocks += 1;
        } else if text.eq_ignore_ascii_case("END") {
            self.blocks = self.blocks.saturating_sub(1);
        }
    }

    fn is_trigger(&self) -> bool {
        let mut words = self.words.iter().map(String::as_str);
        words.next() == Some("CREATE") && words.any(|word| word == "TRIGGER")
    }

    /// A rule or trigger holds statements; in parentheses a semicolon is part of CREATE RULE … DO ( … ).
    fn may_end(&self) -> bool {
        self.blocks == 0
            && (self.parens == 0 || self.words.get(1).is_none_or(|word| word != "RULE"))
    }

    fn finish(&mut self) -> Option<Range<usize>> {
        let range = std::mem::take(self).range;
        range.map(|(start, end)| start..end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(sql: &str) -> Vec<&str> {
        split(sql).into_iter().map(|range| &sql[range]).collect()
    }

    #[test]
    fn semicolons_in_quotes_and_comments_do_not_end_a_statement() {
        assert_eq!(
            parts("SELECT ';'; SELECT \"a;b\" -- ;\n; SELECT $x$;$x$ /* ; /* ; */ ; */;;"),
            ["SELECT ';'", "SELECT \"a;b\"", "SELECT $x$;$x$"]
        );
        assert_eq!(
            parts("SELECT E'\\';' ; SELECT 2"),
            ["SELECT E'\\';'", "SELECT 2"]
        );
    }

    #[test]
    fn a_text_without_statements_is_empty() {
        assert!(parts("").is_empty());
        assert!(parts(" ; -- x\n ;/* */").is_empty());
    }

    #[test]
    fn a_triggers_body_stays_whole() {
        let trigger = "CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE b SET c = CASE WHEN 1 THEN 2 END; DELETE FROM d; END";
        assert_eq!(
            parts(&format!("{trigger}; SELECT 1")),
            [trigger, "SELECT 1"]
        );
    }

    #[test]
    fn what_does_not_lex_is_the_last_statement() {
        assert_eq!(
            parts("SELECT 1; SELECT 'open"),
            ["SELECT 1", "SELECT 'open"]
        );
        assert_eq!(
            parts("SELECT 1; 'open; x").last().copied(),
            Some(" 'open; x")
        );
    }
}
