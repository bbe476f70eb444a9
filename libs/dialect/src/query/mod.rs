//! SELECT, VALUES, WITH and set operations.

mod distinct_on;
mod from;
mod limit;
mod select;
mod unnest;

use std::rc::Rc;

use crate::error::DialectError;
use crate::expr::primary::merged;
use crate::query::distinct_on::DistinctOn;
use crate::translator::{Column, ScopeTable, Translator};

/// A query that was read.
#[derive(Debug, Default)]
pub(crate) struct Query {
    /// The token after it.
    pub(crate) to: usize,
    pub(crate) columns: Vec<Column>,
    /// `*` over a table that is not known: the columns are not all there.
    pub(crate) incomplete: bool,
    /// Ends in a FROM clause, where SQLite would take ON CONFLICT for a join's ON.
    pub(crate) open_from: bool,
    /// SELECT DISTINCT ON, which is spelled when its ORDER BY has been read.
    pub(crate) distinct_on: Option<DistinctOn>,
}

impl Translator<'_> {
    /// Whether a query begins at a token.
    pub(crate) fn is_query(&self, at: usize) -> bool {
        let mut at = at;
        while self.src.sign(at, "(") {
            at += 1;
        }
        self.src.is_any(at, &["SELECT", "VALUES", "WITH"])
            || (self.src.is(at, "TABLE") && !self.src.sign(at + 1, "."))
    }

    /// A query that fills `at..close`, in a scope of its own.
    pub(crate) fn subquery(
        &mut self,
        at: usize,
        close: usize,
    ) -> Result<Vec<Column>, DialectError> {
        let query = self.query(at, close)?;
        if query.to != close {
            return Err(self.src.syntax(query.to));
        }
        Ok(query.columns)
    }

    /// A query with everything that may follow it, up to `end`.
    pub(crate) fn query(&mut self, at: usize, end: usize) -> Result<Query, DialectError> {
        self.enter(at)?;
        let ctes = self.ctes.len();
        let series = self.series.take();
        let start = if self.src.is(at, "WITH") {
            self.with(at, end)?
        } else {
            at
        };
        let query = self.compound(start, end)?;
        self.series = series;
        self.ctes.truncate(ctes);
        self.leave();
        Ok(query)
    }

    /// WITH [RECURSIVE] name [(columns)] AS [NOT MATERIALIZED] (query), …; gives the token after it.
    pub(crate) fn with(&mut self, at: usize, end: usize) -> Result<usize, DialectError> {
        let mut at = at + 1;
        let recursive = self.src.is(at, "RECURSIVE");
        at += usize::from(recursive);
        loop {
            let name = self.src.name(at).ok_or_else(|| self.src.syntax(at))?;
            at += 1;
            let mut names = None;
            if self.src.sign(at, "(") {
                let close = self.src.partner(at);
                names = Some(self.names(at + 1, close)?);
                at = close + 1;
            }
            if !self.src.is(at, "AS") {
                return Err(self.src.syntax(at));
            }
            at += 1;
            at += usize::from(self.src.is(at, "NOT"));
            at += usize::from(self.src.is(at, "MATERIALIZED"));
            if !self.src.sign(at, "(") {
                return Err(self.src.syntax(at));
            }
            let close = self.src.partner(at);
            if self
                .src
                .is_any(at + 1, &["INSERT", "UPDATE", "DELETE", "MERGE"])
            {
                return Err(self
                    .src
                    .unsupported(at + 1, "a data-modifying statement in WITH"));
            }
            if recursive {
                let columns = names.as_ref().map(|names| renamed(names, &[]));
                self.ctes.push(ScopeTable {
                    alias: name.clone(),
                    columns,
                });
            }
            let query = self.query(at + 1, close)?;
            if query.to != close {
                return Err(self.src.syntax(query.to));
            }
            if recursive {
                self.ctes.pop();
            }
            let columns = match (&names, query.incomplete) {
                (Some(names), _) => Some(renamed(names, &query.columns)),
                (None, false) => Some(query.columns.into()),
                (None, true) => None,
            };
            self.ctes.push(ScopeTable {
                alias: name,
                columns,
            });
            at = close + 1;
            if !self.src.sign(at, ",") || at >= end {
                return Ok(at);
            }
            at += 1;
        }
    }

    /// Names separated by commas that fill `at..close`.
    pub(crate) fn names(&self, at: usize, close: usize) -> Result<Vec<String>, DialectError> {
        let mut names = Vec::new();
        let mut at = at;
        while at < close {
            names.push(self.src.name(at).ok_or_else(|| self.src.syntax(at))?);
            at += 1;
            if at < close && !self.src.sign(at, ",") {
                return Err(self.src.syntax(at));
            }
            at += 1;
        }
        Ok(names)
    }

    /// Members joined by UNION and the like, then ORDER BY, LIMIT, locking.
    fn compound(&mut self, at: usize, end: usize) -> Result<Query, DialectError> {
        let mut query = self.member(at, end)?;
        let mut members = 1;
        while query.to < end && self.src.is_any(query.to, &["UNION", "INTERSECT", "EXCEPT"]) {
            self.scopes.pop();
            let mut next = query.to + 1;
            if self.src.is(next, "ALL") {
                if !self.src.is(query.to, "UNION") {
                    return Err(self
                        .src
                        .unsupported(query.to, &format!("{} ALL", self.src.text(query.to))));
                }
                next += 1;
            } else if self.src.is(next, "DISTINCT") {
                self.remove(next, next + 1);
                next += 1;
            }
            let right = self.member(next, end)?;
            for (column, other) in query.columns.iter_mut().zip(&right.columns) {
                column.not_null &= other.not_null;
                column.ty = merged(column.ty, other.ty);
            }
            query.to = right.to;
            query.open_from = right.open_from;
            members += 1;
        }
        if members > 1 {
            self.scopes.pop();
            self.scopes.push(crate::translator::Scope::default());
        }
        let mark = self.edits.mark();
        let to = self.tail(query.to, end, &query.columns)?;
        if let Some(distinct) = query.distinct_on.take() {
            if members > 1 {
                return Err(self
                    .src
                    .unsupported(at, "SELECT DISTINCT ON within UNION and the like"));
            }
            self.distinct_on(&distinct, &query, mark, (query.to, end))?;
        }
        if to != query.to {
            query.open_from = false;
        }
        query.to = to;
        self.scopes.pop();
        Ok(query)
    }

    /// One member of a compound; its scope stays for ORDER BY.
    fn member(&mut self, at: usize, end: usize) -> Result<Query, DialectError> {
        if self.src.sign(at, "(") {
            let close = self.src.partner(at);
            let query = self.query(at + 1, close)?;
            if query.to != close {
                return Err(self.src.syntax(query.to));
            }
            self.before(at, "SELECT * FROM ");
            self.scopes.push(crate::translator::Scope::default());
            return Ok(Query {
                to: close + 1,
                open_from: true,
                ..query
            });
        }
        match self.src.text(at).to_ascii_lowercase().as_str() {
            "select" => self.select(at, end),
            "values" => self.values(at, end),
            "table" => self.table_command(at, end),
            _ => Err(self.src.syntax(at)),
        }
    }

    /// VALUES (…), (…): columns are named `column1` and so on, as in SQLite.
    fn values(&mut self, at: usize, end: usize) -> Result<Query, DialectError> {
        let mut to = at + 1;
        let mut columns: Vec<Column> = Vec::new();
        loop {
            if !self.src.sign(to, "(") || to >= end {
                return Err(self.src.syntax(to));
            }
            let close = self.src.partner(to);
            for (index, item) in self.list(to + 1, close)?.iter().enumerate() {
                let ty = self.type_of(item);
                if let Some(column) = columns.get_mut(index) {
                    column.ty = merged(column.ty.take(), ty);
                } else {
                    columns.push(Column {
                        name: Some(format!("column{}", index + 1)),
                        ty,
                        not_null: false,
                    });
                }
            }
            to = close + 1;
            if !self.src.sign(to, ",") || to >= end {
                self.scopes.push(crate::translator::Scope::default());
                return Ok(Query {
                    to,
                    columns,
                    ..Query::default()
                });
            }
            to += 1;
        }
    }

    /// TABLE name
    fn table_command(&mut self, at: usize, end: usize) -> Result<Query, DialectError> {
        self.replace(at, at + 1, "SELECT * FROM");
        let (name, to) = self.table_name(at + 1, end)?;
        let columns = self.table_columns(&name);
        let alias = name;
        self.scopes.push(crate::translator::Scope {
            tables: vec![ScopeTable {
                alias,
                columns: columns.clone(),
            }],
            ..crate::translator::Scope::default()
        });
        let incomplete = columns.is_none();
        let columns = columns.map(|columns| columns.to_vec()).unwrap_or_default();
        Ok(Query {
            to,
            columns,
            incomplete,
            open_from: true,
            distinct_on: None,
        })
    }
}

/// Columns under other names.
pub(crate) fn renamed(names: &[String], columns: &[Column]) -> Rc<[Column]> {
    let longest = names.len().max(columns.len());
    (0..longest)
        .map(|index| {
            let column = columns.get(index).cloned().unwrap_or_default();
            let name = names.get(index).cloned().or(column.name);
            Column { name, ..column }
        })
        .collect()
}
