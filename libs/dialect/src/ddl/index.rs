//! CREATE INDEX.

use crate::analysis::{self, Purpose};
use crate::ddl::{layout, typed};
use crate::error::DialectError;
use crate::literal::quote_name;
use crate::schema::SchemaView;
use crate::source::Source;
use crate::statement::{Statement, StatementKind};
use crate::translator::Translator;

/// CREATE [UNIQUE] INDEX [CONCURRENTLY] [[IF NOT EXISTS] name] ON [ONLY] table [USING method] (…) [INCLUDE (…)]
/// [WITH (…)] [TABLESPACE t] [WHERE …]; INDEX at `at`.
pub(crate) fn create(
    src: &Source<'_>,
    schema: &dyn SchemaView,
    at: usize,
) -> Result<Statement, DialectError> {
    let mut translator = Translator::new(src, schema);
    let mut next = at + 1;
    if src.is(next, "CONCURRENTLY") {
        translator.remove(next, next + 1);
        next += 1;
    }
    if src.are(next, &["IF", "NOT", "EXISTS"]) {
        next += 3;
    }
    let mut unnamed = None;
    if src.is(next, "ON") {
        unnamed = Some(next);
    } else {
        let (_, to) = translator.table_name(next, src.len())?;
        next = to;
    }
    if !src.is(next, "ON") {
        return Err(src.syntax(next));
    }
    next += 1;
    if src.is(next, "ONLY") {
        translator.remove(next, next + 1);
        next += 1;
    }
    let (table, mut open) = translator.table_name(next, src.len())?;
    if src.is(open, "USING") {
        if !src.is_any(open + 1, &["btree", "hash"]) {
            return Err(src.unsupported(
                open + 1,
                &format!("index method \"{}\"", src.text(open + 1)),
            ));
        }
        translator.remove(open, open + 2);
        open += 2;
    }
    if !src.sign(open, "(") {
        return Err(src.syntax(open));
    }
    let close = src.partner(open);
    translator.about(&table);
    let names = translator.index_terms(open + 1, close)?;
    if let Some(on) = unnamed {
        let name = format!("{table}_{}_idx", names.join("_"));
        translator.before(on, format!("{} ", quote_name(&name)));
    }
    translator.index_tail(close + 1)?;
    let statement = Statement {
        writes: true,
        ..Statement::session(StatementKind::Ddl, "CREATE INDEX")
    };
    Ok(translator.finish(statement))
}

impl Translator<'_> {
    /// Index terms: expressions, with operator classes and NULLS FIRST or LAST dropped. Gives names for the index.
    fn index_terms(&mut self, at: usize, close: usize) -> Result<Vec<String>, DialectError> {
        let mut names = Vec::new();
        let mut at = at;
        while at < close {
            let end = layout::item_end(self.src, at, close);
            let to = self.term_end(at, end);
            if to <= at {
                return Err(self.src.syntax(at));
            }
            if let Some(column) = self.src.name(at).filter(|_| to == at + 1) {
                names.push(column);
            } else {
                names.push(self.term_name(at, to));
                self.typed(at, to, Purpose::IndexTerm)?;
            }
            at = end + 1;
        }
        Ok(names)
    }

    /// The end of a term's expression; what SQLite does not know behind it is dropped.
    fn term_end(&mut self, at: usize, end: usize) -> usize {
        let mut to = end;
        if to >= at + 2
            && self.src.is(to - 2, "NULLS")
            && self.src.is_any(to - 1, &["FIRST", "LAST"])
        {
            self.remove(to - 2, to);
            to -= 2;
        }
        if to > at && self.src.is_any(to - 1, &["ASC", "DESC"]) {
            to -= 1;
        }
        let class = to > at + 1
            && self
                .src
                .name(to - 1)
                .is_some_and(|name| name.ends_with("_ops"));
        if class {
            self.remove(to - 1, to);
            to -= 1;
        }
        to
    }

    /// What an expression would be called as a column; `expr` where that says nothing.
    fn term_name(&self, from: usize, to: usize) -> String {
        let text = format!("SELECT {}", self.src.slice(from, to));
        let name = typed::only_expression(&text).ok().flatten();
        match name.map(|expr| analysis::column_name(&expr)) {
            Some(name) if name != "?column?" => name,
            _ => "expr".to_owned(),
        }
    }

    fn index_tail(&mut self, at: usize) -> Result<(), DialectError> {
        let mut at = at;
        while at < self.src.len() {
            let start = at;
            match self.src.text(at).to_ascii_lowercase().as_str() {
                "include" | "with" if self.src.sign(at + 1, "(") => {
                    at = self.src.partner(at + 1) + 1;
                }
                "tablespace" => at += 2,
                "where" => {
                    self.typed(at + 1, self.src.len(), Purpose::IndexCondition)?;
                    return Ok(());
                }
                "nulls" if self.src.is(at + 1, "DISTINCT") => at += 2,
                "nulls" => return Err(self.src.unsupported(at, "NULLS NOT DISTINCT")),
                _ => return Err(self.src.syntax(at)),
            }
            self.remove(start, at);
        }
        Ok(())
    }
}
