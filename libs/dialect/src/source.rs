//! The text of a statement with its tokens, and the splices made to it.

use std::ops::Range;

use pgtypes::SqlState;

use crate::error::DialectError;
use crate::lexer::{self, Kind, Token};
use crate::literal;

/// Parentheses and brackets may nest this deep.
const MAX_NESTING: usize = 200;

/// A statement, its tokens, and the partner of each parenthesis. Token indices past the end are
/// answered as an empty token, so that look-ahead needs no checks.
pub(crate) struct Source<'a> {
    pub(crate) sql: &'a str,
    pub(crate) tokens: Vec<Token>,
    partner: Vec<usize>,
}

impl<'a> Source<'a> {
    pub(crate) fn new(sql: &'a str) -> Result<Self, DialectError> {
        let mut tokens = lexer::tokens(sql)?;
        while tokens
            .last()
            .is_some_and(|last| &sql[last.start..last.end] == ";")
        {
            tokens.pop();
        }
        let partner = partners(sql, &tokens)?;
        Ok(Self {
            sql,
            tokens,
            partner,
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.tokens.len()
    }

    pub(crate) fn text(&self, at: usize) -> &'a str {
        self.tokens
            .get(at)
            .map_or("", |token| &self.sql[token.start..token.end])
    }

    pub(crate) fn kind(&self, at: usize) -> Option<Kind> {
        self.tokens.get(at).map(|token| token.kind)
    }

    /// Whether the token is this keyword (upper or lower case, without quotes).
    pub(crate) fn is(&self, at: usize, keyword: &str) -> bool {
        self.kind(at) == Some(Kind::Word) && self.text(at).eq_ignore_ascii_case(keyword)
    }

    /// Whether the tokens from `at` are these keywords.
    pub(crate) fn are(&self, at: usize, keywords: &[&str]) -> bool {
        keywords
            .iter()
            .enumerate()
            .all(|(ahead, keyword)| self.is(at + ahead, keyword))
    }

    pub(crate) fn is_any(&self, at: usize, keywords: &[&str]) -> bool {
        keywords.iter().any(|keyword| self.is(at, keyword))
    }

    /// Whether the token is this punctuation or operator.
    pub(crate) fn sign(&self, at: usize, text: &str) -> bool {
        matches!(self.kind(at), Some(Kind::Punctuation | Kind::Operator)) && self.text(at) == text
    }

    /// The token that closes the parenthesis or bracket at `at` (or opens the one that ends there).
    pub(crate) fn partner(&self, at: usize) -> usize {
        self.partner.get(at).copied().unwrap_or(at)
    }

    /// A name: quoted, or a word in lower case.
    pub(crate) fn name(&self, at: usize) -> Option<String> {
        match self.kind(at)? {
            Kind::Word => Some(self.text(at).to_ascii_lowercase()),
            Kind::Quoted => Some(literal::unquote_name(self.text(at))),
            Kind::Unicode => literal::unicode_name(self.text(at)),
            _ => None,
        }
    }

    /// The value of a string literal.
    pub(crate) fn string(&self, at: usize) -> Result<Option<String>, DialectError> {
        match self.kind(at) {
            Some(kind) => literal::string_value(kind, self.text(at))
                .map_err(|error| error.at(self.sql, self.start(at))),
            None => Ok(None),
        }
    }

    /// The byte offset where a token begins; the end of the last one past the end.
    pub(crate) fn start(&self, at: usize) -> usize {
        self.tokens.get(at).map_or_else(
            || self.tokens.last().map_or(0, |last| last.end),
            |token| token.start,
        )
    }

    /// The byte offset where token `at - 1` ends.
    pub(crate) fn end_before(&self, at: usize) -> usize {
        at.checked_sub(1)
            .and_then(|before| self.tokens.get(before))
            .map_or_else(
                || if at == 0 { 0 } else { self.sql.len() },
                |token| token.end,
            )
    }

    /// The text of tokens `from..to`.
    pub(crate) fn slice(&self, from: usize, to: usize) -> &'a str {
        if from >= to {
            return "";
        }
        self.sql
            .get(self.start(from)..self.end_before(to))
            .unwrap_or("")
    }

    /// 42601 at a token.
    pub(crate) fn syntax(&self, at: usize) -> DialectError {
        DialectError::syntax(self.text(at)).at(self.sql, self.start(at))
    }

    /// 0A000 at a token.
    pub(crate) fn unsupported(&self, at: usize, feature: &str) -> DialectError {
        DialectError::unsupported(feature).at(self.sql, self.start(at))
    }

    /// Any error at a token.
    pub(crate) fn error(
        &self,
        at: usize,
        sqlstate: SqlState,
        message: impl Into<String>,
    ) -> DialectError {
        DialectError::new(sqlstate, message).at(self.sql, self.start(at))
    }
}

fn partners(sql: &str, tokens: &[Token]) -> Result<Vec<usize>, DialectError> {
    let mut partner: Vec<usize> = (0..tokens.len()).collect();
    let mut open: Vec<usize> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if token.kind != Kind::Punctuation {
            continue;
        }
        let text = &sql[token.start..token.end];
        match text {
            "(" | "[" => {
                if open.len() >= MAX_NESTING {
                    let error = DialectError::new(
                        SqlState::STATEMENT_TOO_COMPLEX,
                        "statement is nested too deeply",
                    );
                    return Err(error.at(sql, token.start));
                }
                open.push(at);
            }
            ")" | "]" => {
                let opened = open.pop().filter(|&opened| {
                    let opener = sql.as_bytes().get(tokens[opened].start);
                    (opener == Some(&b'(')) == (text == ")")
                });
                let Some(opened) = opened else {
                    return Err(DialectError::syntax(text).at(sql, token.start));
                };
                partner[opened] = at;
                partner[at] = opened;
            }
            _ => {}
        }
    }
    if open.is_empty() {
        Ok(partner)
    } else {
        Err(DialectError::syntax("").at(sql, sql.trim_end().len()))
    }
}

/// Where a splice stands among others at the same offset: what closes comes first, then what opens, then the
/// replaced text itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    After,
    Before,
    Instead,
}

#[derive(Debug, Clone)]
struct Edit {
    start: usize,
    end: usize,
    place: Place,
    text: String,
}

/// Splices, in byte offsets of the statement's text.
#[derive(Debug, Default)]
pub(crate) struct Edits {
    edits: Vec<Edit>,
}

impl Edits {
    /// Opens something before offset `at`; a later call at the same offset goes further out.
    pub(crate) fn before(&mut self, at: usize, text: impl Into<String>) {
        self.edits.push(Edit {
            start: at,
            end: at,
            place: Place::Before,
            text: text.into(),
        });
    }

    /// Closes something at offset `at`; a later call at the same offset goes further out.
    pub(crate) fn after(&mut self, at: usize, text: impl Into<String>) {
        self.edits.push(Edit {
            start: at,
            end: at,
            place: Place::After,
            text: text.into(),
        });
    }

    /// Replaces a range. An enclosing range wins, and splices within it are lost.
    pub(crate) fn replace(&mut self, range: Range<usize>, text: impl Into<String>) {
        let Range { start, end } = range;
        self.edits.push(Edit {
            start,
            end,
            place: Place::Instead,
            text: text.into(),
        });
    }

    /// The text of a range with the splices that lie within it.
    pub(crate) fn render(&self, sql: &str, range: Range<usize>) -> String {
        let inside = |edit: &&Edit| edit.start >= range.start && edit.end <= range.end;
        let mut ordered: Vec<(usize, &Edit)> =
            self.edits.iter().filter(inside).enumerate().collect();
        ordered.sort_by(|(a_order, a), (b_order, b)| {
            let order = match a.place {
                Place::After => a_order.cmp(b_order),
                Place::Before => b_order.cmp(a_order),
                Place::Instead => b.end.cmp(&a.end).then(b_order.cmp(a_order)),
            };
            a.start
                .cmp(&b.start)
                .then(a.place.cmp(&b.place))
                .then(order)
        });
        let mut out = String::with_capacity(range.len() + range.len() / 8);
        let mut at = range.start;
        for (_, edit) in ordered {
            if edit.start < at {
                continue;
            }
            out.push_str(sql.get(at..edit.start).unwrap_or(""));
            out.push_str(&edit.text);
            at = edit.end;
        }
        out.push_str(sql.get(at..range.end).unwrap_or(""));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splices_at_one_offset_nest() {
        let mut edits = Edits::default();
        edits.before(0, "f(");
        edits.after(1, ")");
        edits.before(0, "g(");
        edits.after(1, ")");
        edits.replace(0..1, "x");
        edits.before(1, "[");
        assert_eq!(edits.render("ab", 0..2), "g(f(x))[b");
    }

    #[test]
    fn an_enclosing_replacement_wins() {
        let mut edits = Edits::default();
        edits.replace(2..3, "X");
        edits.replace(1..4, "-");
        assert_eq!(edits.render("abcdef", 0..6), "a-ef");
        assert_eq!(edits.render("abcdef", 2..3), "X");
    }

    #[test]
    fn parentheses_must_match() {
        assert!(Source::new("(a[b)]").is_err());
        assert!(Source::new("((a)").is_err());
        assert_eq!(
            Source::new("(a(b))").map(|source| source.partner(0)).ok(),
            Some(5)
        );
        let error = Source::new(&"(".repeat(100_000))
            .err()
            .map(|error| error.sqlstate);
        assert_eq!(error, Some(SqlState::STATEMENT_TOO_COMPLEX));
    }
}
