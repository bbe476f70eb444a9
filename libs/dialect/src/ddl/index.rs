//! CREATE INDEX.

use crate::analysis::Purpose;
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
    translator.push_table(&table, &table);
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
            // The old reader finds the end of the term.
            let mut probe = Translator::new(self.src, self.schema);
            probe.scopes.clone_from(&self.scopes);
            let term = probe.expr(at, close)?;
            names.push(term.name.clone().unwrap_or_else(|| "expr".to_owned()));
            if term.to > at + 1 {
                self.typed(at, term.to, Purpose::IndexTerm)?;
            }
            at = term.to;
            if at < close && self.src.name(at).is_some_and(|name| name.ends_with("_ops")) {
                self.remove(at, at + 1);
                at += 1;
            }
            if self.src.is_any(at, &["ASC", "DESC"]) {
                at += 1;
            }
            if self.src.is(at, "NULLS") {
                self.remove(at, at + 2);
                at += 2;
            }
            if at < close && !self.src.sign(at, ",") {
                return Err(self.src.syntax(at));
            }
            at += 1;
        }
        Ok(names)
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

/// The name of an index, and the text of its columns, from its `sqlite_schema` text; `None` if it is not unique.
pub(crate) fn index_columns(sql: &str) -> Option<(String, String)> {
    let src = Source::new(sql).ok()?;
    if !src.are(0, &["CREATE", "UNIQUE", "INDEX"]) {
        return None;
    }
    let at = if src.are(3, &["IF", "NOT", "EXISTS"]) {
        6
    } else {
        3
    };
    let name = src.name(at)?;
    let open = (at..src.len()).find(|token| src.sign(*token, "("))?;
    Some((name, src.slice(open + 1, src.partner(open)).to_owned()))
}
