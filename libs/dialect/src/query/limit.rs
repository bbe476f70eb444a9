//! What follows a query: ORDER BY, LIMIT, OFFSET, FETCH, FOR UPDATE.

use pgtypes::PgType;

use crate::error::DialectError;
use crate::expr::{Expr, Form, level};
use crate::lexer::Kind;
use crate::translator::{Column, Translator};

/// LIMIT and OFFSET as they are collected, with their texts.
#[derive(Default)]
struct Bounds {
    limit: Option<String>,
    offset: Option<String>,
    /// Written as SQLite writes it: LIMIT n [OFFSET m].
    native: bool,
}

impl Translator<'_> {
    /// Everything after the last member of a query; gives the token after it.
    pub(crate) fn tail(
        &mut self,
        at: usize,
        end: usize,
        columns: &[Column],
    ) -> Result<usize, DialectError> {
        let mut at = at;
        if self.src.are(at, &["ORDER", "BY"]) && at < end {
            at = self.order_by(at + 2, end, columns)?;
        }
        let start = at;
        let mut bounds = Bounds {
            native: true,
            ..Bounds::default()
        };
        loop {
            if at >= end {
                break;
            }
            at = match self.src.text(at).to_ascii_lowercase().as_str() {
                "limit" => self.limit(at, end, &mut bounds)?,
                "offset" => self.offset(at, end, &mut bounds)?,
                "fetch" => self.fetch_first(at, end, &mut bounds)?,
                "for" => self.for_update(at, end)?,
                _ => break,
            };
        }
        if !bounds.native {
            let limit = bounds.limit.as_deref().unwrap_or("-1");
            let mut text = format!("LIMIT {limit}");
            if let Some(offset) = &bounds.offset {
                text.push_str(" OFFSET ");
                text.push_str(offset);
            }
            self.replace(start, at, text);
        }
        Ok(at)
    }

    /// Sort terms. NULL sorts after all values in PostgreSQL and before them in SQLite: terms that may be NULL and
    /// do not say NULLS FIRST or LAST are given PostgreSQL's order.
    pub(crate) fn order_by(
        &mut self,
        at: usize,
        end: usize,
        columns: &[Column],
    ) -> Result<usize, DialectError> {
        let mut at = at;
        loop {
            let term = self.expr(at, end)?;
            at = term.to;
            if self.src.is(at, "USING") {
                return Err(self.src.unsupported(at, "ORDER BY … USING"));
            }
            let descending = self.src.is(at, "DESC") && at < end;
            if self.src.is_any(at, &["ASC", "DESC"]) && at < end {
                at += 1;
            }
            if self.src.is(at, "NULLS") && at < end {
                at += 2;
            } else if !self.is_never_null(&term, columns) {
                self.after(
                    at,
                    if descending {
                        " NULLS FIRST"
                    } else {
                        " NULLS LAST"
                    },
                );
            }
            if !self.src.sign(at, ",") || at >= end {
                return Ok(at);
            }
            at += 1;
        }
    }

    fn is_never_null(&self, term: &Expr, columns: &[Column]) -> bool {
        if term.form == Form::Number && term.to == term.from + 1 {
            let ordinal = self.src.text(term.from).parse::<usize>().unwrap_or(0);
            return ordinal
                .checked_sub(1)
                .and_then(|index| columns.get(index))
                .is_some_and(|column| column.not_null);
        }
        if term.form == Form::Column && term.to == term.from + 1 {
            // A name of the select list goes before a column of that name.
            let named = columns.iter().find(|column| column.name == term.name);
            return named.map_or(term.not_null, |column| column.not_null);
        }
        term.not_null
    }

    fn limit(&mut self, at: usize, end: usize, bounds: &mut Bounds) -> Result<usize, DialectError> {
        if self.src.is_any(at + 1, &["ALL", "NULL"]) {
            self.replace(at + 1, at + 2, "-1");
            bounds.native &= bounds.offset.is_none();
            return Ok(at + 2);
        }
        let (text, to) = self.bound(at + 1, end)?;
        bounds.native &= bounds.offset.is_none();
        bounds.limit = Some(text);
        if self.src.sign(to, ",") && to < end {
            let (_, to) = self.bound(to + 1, end)?;
            return Ok(to);
        }
        Ok(to)
    }

    fn offset(
        &mut self,
        at: usize,
        end: usize,
        bounds: &mut Bounds,
    ) -> Result<usize, DialectError> {
        let (text, mut to) = self.bound(at + 1, end)?;
        let all = at > 0 && self.src.is_any(at - 1, &["ALL", "NULL"]);
        bounds.native &= bounds.limit.is_some() || all;
        bounds.offset = Some(text);
        if self.src.is_any(to, &["ROW", "ROWS"]) && to < end {
            bounds.native = false;
            to += 1;
        }
        Ok(to)
    }

    fn fetch_first(
        &mut self,
        at: usize,
        end: usize,
        bounds: &mut Bounds,
    ) -> Result<usize, DialectError> {
        if !self.src.is_any(at + 1, &["FIRST", "NEXT"]) {
            return Err(self.src.syntax(at + 1));
        }
        let (text, to) = if self.src.is_any(at + 2, &["ROW", "ROWS"]) {
            ("1".to_owned(), at + 2)
        } else {
            self.bound(at + 2, end)?
        };
        if self.src.are(to + 1, &["WITH", "TIES"]) {
            return Err(self.src.unsupported(to + 1, "WITH TIES"));
        }
        if !self.src.is_any(to, &["ROW", "ROWS"]) || !self.src.is(to + 1, "ONLY") {
            return Err(self.src.syntax(to));
        }
        bounds.limit = Some(text);
        bounds.native = false;
        Ok(to + 2)
    }

    /// A number of rows: its text, and the token after it.
    fn bound(&mut self, at: usize, end: usize) -> Result<(String, usize), DialectError> {
        let mark = self.edits.mark();
        let expr = self.operand(at, end, level::LOWEST)?;
        self.default_parameter(&expr, PgType::Int8);
        Ok((self.rendered(mark, expr.from, expr.to), expr.to))
    }

    /// FOR UPDATE, NO KEY UPDATE, SHARE, KEY SHARE [OF …] [NOWAIT | SKIP LOCKED]: dropped, and noted.
    fn for_update(&mut self, at: usize, end: usize) -> Result<usize, DialectError> {
        let mut to = at + 1;
        while self.src.is_any(to, &["NO", "KEY"]) {
            to += 1;
        }
        if !self.src.is_any(to, &["UPDATE", "SHARE", "READ"]) {
            return Err(self.src.syntax(to));
        }
        self.locks_rows |= !self.src.is(to, "READ");
        to += 1;
        if self.src.is(to, "ONLY") {
            to += 1;
        }
        if self.src.is(to, "OF") {
            to += 2;
            while self.src.sign(to, ",") || self.src.sign(to, ".") {
                to += 2;
            }
        }
        if self.src.is(to, "NOWAIT") {
            to += 1;
        } else if self.src.are(to, &["SKIP", "LOCKED"]) {
            to += 2;
        }
        if to > end || (to < end && self.src.kind(to) != Some(Kind::Word)) {
            return Err(self.src.syntax(to));
        }
        self.remove(at, to);
        Ok(to)
    }
}
