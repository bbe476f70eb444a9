//! FROM: tables, joins, subqueries and functions as tables.

use std::rc::Rc;

use pgtypes::SqlState;

use crate::error::DialectError;
use crate::expr::primary::is_reserved;
use crate::lexer::Kind;
use crate::literal::quote_name;
use crate::query::renamed;
use crate::translator::{Column, Scope, ScopeTable, Translator};

/// Words that follow a table and so are not its alias.
const AFTER_TABLE: &[&str] = &[
    "join",
    "inner",
    "left",
    "right",
    "full",
    "cross",
    "natural",
    "on",
    "using",
    "where",
    "group",
    "having",
    "order",
    "limit",
    "offset",
    "fetch",
    "for",
    "union",
    "intersect",
    "except",
    "window",
    "returning",
    "set",
    "tablesample",
    "indexed",
    "not",
    "values",
    "default",
    "select",
    "overriding",
    "end",
];

/// An alias and its column names, if they are there.
struct Alias {
    name: Option<String>,
    names: Vec<String>,
    /// The token before `(`, where the names begin.
    names_at: usize,
    to: usize,
}

impl Translator<'_> {
    /// What follows FROM (or USING, or a comma); gives the token after it.
    pub(crate) fn table_list(&mut self, at: usize, end: usize) -> Result<usize, DialectError> {
        self.enter(at)?;
        let mut at = self.table_item(at, end)?;
        while at < end {
            if self.src.sign(at, ",") {
                at = self.table_item(at + 1, end)?;
                continue;
            }
            let Some(join) = self.join_words(at) else {
                break;
            };
            at = self.table_item(join, end)?;
            if self.src.is(at, "ON") && at < end {
                let condition = self.expr(at + 1, end)?;
                at = condition.to;
            } else if self.src.is(at, "USING") && self.src.sign(at + 1, "(") {
                at = self.src.partner(at + 1) + 1;
                if let Some(scope) = self.scopes.last_mut() {
                    scope.merged = true;
                }
            }
        }
        self.leave();
        Ok(at)
    }

    /// Skips `[NATURAL] [LEFT [OUTER]] JOIN`.
    fn join_words(&mut self, at: usize) -> Option<usize> {
        let mut to = at;
        while self.src.is_any(
            to,
            &[
                "NATURAL", "INNER", "LEFT", "RIGHT", "FULL", "OUTER", "CROSS",
            ],
        ) {
            if let Some(scope) = self.scopes.last_mut() {
                scope.merged |= self.src.is(to, "NATURAL");
                scope.outer_join |= self.src.is_any(to, &["LEFT", "RIGHT", "FULL"]);
            }
            to += 1;
        }
        self.src.is(to, "JOIN").then_some(to + 1)
    }

    fn table_item(&mut self, at: usize, end: usize) -> Result<usize, DialectError> {
        if at >= end {
            return Err(self.src.syntax(at));
        }
        if self.src.is(at, "LATERAL") {
            return Err(self.src.unsupported(at, "LATERAL"));
        }
        if self.src.are(at, &["ROWS", "FROM"]) {
            return Err(self.src.unsupported(at, "ROWS FROM"));
        }
        if self.src.sign(at, "(") {
            let close = self.src.partner(at);
            if self.is_query(at + 1) && self.query_in_parentheses(at + 1, close) {
                return self.derived_table(at, close, end);
            }
            let to = self.table_list(at + 1, close)?;
            return if to == close {
                Ok(close + 1)
            } else {
                Err(self.src.syntax(to))
            };
        }
        if self.is_table_function(at) {
            return self.table_function(at, end);
        }
        let only = self.src.is(at, "ONLY") && !self.src.sign(at + 1, ".");
        let start = at + usize::from(only);
        if only {
            self.remove(at, at + 1);
        }
        let (name, mut to) = self.table_name(start, end)?;
        if self.src.sign(to, "*") {
            self.remove(to, to + 1);
            to += 1;
        }
        let alias = self.table_alias(to, end)?;
        if self.src.is(alias.to, "TABLESAMPLE") {
            return Err(self.src.unsupported(alias.to, "TABLESAMPLE"));
        }
        let columns = self.table_columns(&name);
        if !alias.names.is_empty() {
            return Err(self
                .src
                .unsupported(alias.names_at, "a column list behind a table's alias"));
        }
        self.in_scope(alias.name.unwrap_or(name), columns);
        Ok(alias.to)
    }

    fn in_scope(&mut self, alias: String, columns: Option<Rc<[Column]>>) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.tables.push(ScopeTable { alias, columns });
        }
    }

    /// `((SELECT …) UNION …)` is a query, `((SELECT …) AS a JOIN b)` a join.
    fn query_in_parentheses(&self, at: usize, close: usize) -> bool {
        if !self.src.sign(at, "(") {
            return true;
        }
        let next = self.src.partner(at) + 1;
        let tail = [
            "UNION",
            "INTERSECT",
            "EXCEPT",
            "ORDER",
            "LIMIT",
            "OFFSET",
            "FETCH",
        ];
        next == close || self.src.is_any(next, &tail)
    }

    /// `( query ) [AS] alias [(columns)]`
    fn derived_table(
        &mut self,
        at: usize,
        close: usize,
        end: usize,
    ) -> Result<usize, DialectError> {
        let hidden = self.scopes.pop().unwrap_or_default();
        let query = self.query(at + 1, close)?;
        self.scopes.push(hidden);
        if query.to != close {
            return Err(self.src.syntax(query.to));
        }
        let alias = self.table_alias(close + 1, end)?;
        let mut columns = if query.incomplete {
            None
        } else {
            Some(query.columns.clone().into())
        };
        if let (Some(name), false) = (&alias.name, alias.names.is_empty()) {
            let names: Vec<String> = alias.names.iter().map(|name| quote_name(name)).collect();
            self.before(
                at,
                format!("(WITH {}({}) AS ", quote_name(name), names.join(",")),
            );
            self.after(close + 1, format!(" SELECT * FROM {})", quote_name(name)));
            self.remove(alias.names_at, alias.to);
            columns = Some(renamed(&alias.names, &query.columns));
        }
        self.in_scope(alias.name.unwrap_or_default(), columns);
        Ok(alias.to)
    }

    fn is_table_function(&self, at: usize) -> bool {
        let mut last = at;
        while self.src.sign(last + 1, ".") {
            last += 2;
        }
        self.src.sign(last + 1, "(")
            && matches!(self.src.kind(last), Some(Kind::Word | Kind::Quoted))
    }

    fn table_function(&mut self, at: usize, end: usize) -> Result<usize, DialectError> {
        let mut last = at;
        while self.src.sign(last + 1, ".") {
            last += 2;
        }
        self.remove(at, last);
        let name = self.src.name(last).ok_or_else(|| self.src.syntax(last))?;
        let close = self.src.partner(last + 1);
        if self.src.are(close + 1, &["WITH", "ORDINALITY"]) {
            return Err(self.src.unsupported(close + 1, "WITH ORDINALITY"));
        }
        let alias = self.table_alias(close + 1, end)?;
        let shown = alias.name.clone().unwrap_or_else(|| name.clone());
        if name == "generate_series" {
            let column = alias
                .names
                .first()
                .cloned()
                .unwrap_or_else(|| shown.clone());
            let (table, ty) = self.series_table(last, &shown, &column)?;
            let column = Column {
                name: Some(column),
                ty,
                not_null: true,
            };
            self.replace(at, alias.to, table);
            self.in_scope(shown, Some(vec![column].into()));
            return Ok(alias.to);
        }
        if name == "unnest" {
            let place = (at, alias.to);
            let single = alias.names.is_empty() && alias.name.is_some();
            let column = if single { &shown } else { &name };
            let (table, columns) = self.unnest_table(last, column, &alias.names)?;
            return Ok(self.put_table(place, &table, shown, columns));
        }
        if matches!(
            name.as_str(),
            "json_each" | "json_tree" | "jsonb_each" | "jsonb_tree" | "pragma_table_info"
        ) {
            self.list(last + 2, close)?;
            self.in_scope(shown, None);
            return Ok(alias.to);
        }
        if matches!(
            name.as_str(),
            "regexp_split_to_table" | "string_to_table" | "jsonb_array_elements"
        ) {
            return Err(self.src.unsupported(last, &format!("{name}() in FROM")));
        }
        // A scalar function as a table of one row.
        self.list(last + 2, close)?;
        let column = alias
            .names
            .first()
            .cloned()
            .unwrap_or_else(|| shown.clone());
        self.before(last, "(SELECT ");
        self.after(close + 1, format!(" AS {})", quote_name(&column)));
        if alias.name.is_none() {
            self.after(close + 1, format!(" AS {}", quote_name(&shown)));
        }
        if !alias.names.is_empty() {
            self.remove(alias.names_at, alias.to);
        }
        let column = Column {
            name: Some(column),
            ..Column::default()
        };
        self.in_scope(shown, Some(vec![column].into()));
        Ok(alias.to)
    }

    /// Puts a query in place of tokens `place.0..place.1`; gives the token after them.
    fn put_table(
        &mut self,
        place: (usize, usize),
        table: &str,
        shown: String,
        columns: Vec<Column>,
    ) -> usize {
        let text = format!("{table} AS {}", quote_name(&shown));
        self.replace(place.0, place.1, text);
        self.in_scope(shown, Some(columns.into()));
        place.1
    }

    /// `[schema.]table`: the name, with the schema removed, and the token after it.
    pub(crate) fn table_name(
        &mut self,
        at: usize,
        end: usize,
    ) -> Result<(String, usize), DialectError> {
        let mut last = at;
        let mut name = self
            .src
            .name(last)
            .filter(|_| at < end)
            .ok_or_else(|| self.src.syntax(at))?;
        if self.src.kind(at) == Some(Kind::Word) && is_reserved(&name) {
            return Err(self.src.syntax(at));
        }
        let mut schema = None;
        while self.src.sign(last + 1, ".") {
            last += 2;
            schema = Some(name);
            name = self.src.name(last).ok_or_else(|| self.src.syntax(last))?;
        }
        match schema.as_deref() {
            Some("information_schema") => {
                let table = format!("information_schema_{name}");
                self.catalog = true;
                self.replace(at, last + 1, &table);
                if !crate::pg_catalog::has_table(&table) {
                    return Err(missing(&format!("information_schema.{name}"))
                        .at(self.src.sql, self.src.start(at)));
                }
                return Ok((table, last + 1));
            }
            Some("temp" | "pg_temp") => self.replace(at, last - 1, "temp"),
            Some(schema) if crate::expr::primary::is_schema(schema) => self.remove(at, last),
            Some(schema) => {
                let message = format!("schema \"{schema}\" does not exist");
                return Err(self.src.error(at, SqlState::INVALID_SCHEMA_NAME, message));
            }
            None => {}
        }
        if crate::pg_catalog::has_table(&name) {
            self.catalog = true;
        } else if schema.as_deref() == Some("pg_catalog") {
            return Err(missing(&format!("pg_catalog.{name}")).at(self.src.sql, self.src.start(at)));
        }
        Ok((name, last + 1))
    }

    /// `[AS] alias [(columns)]` at a token.
    fn table_alias(&mut self, at: usize, end: usize) -> Result<Alias, DialectError> {
        let mut to = at;
        let explicit = self.src.is(to, "AS") && to < end;
        to += usize::from(explicit);
        let word = self.src.text(to).to_ascii_lowercase();
        let usable = to < end
            && match self.src.kind(to) {
                Some(Kind::Quoted) => true,
                Some(Kind::Word) => {
                    explicit || !(AFTER_TABLE.contains(&word.as_str()) || is_reserved(&word))
                }
                _ => false,
            };
        if !usable {
            return if explicit {
                Err(self.src.syntax(to))
            } else {
                Ok(Alias {
                    name: None,
                    names: Vec::new(),
                    names_at: at,
                    to: at,
                })
            };
        }
        let name = self.src.name(to);
        if (!explicit || is_reserved(&word))
            && let Some(name) = name
                .as_ref()
                .filter(|_| self.src.kind(to) == Some(Kind::Word))
        {
            self.replace(
                to,
                to + 1,
                format!("{}{}", if explicit { "" } else { "AS " }, quote_name(name)),
            );
        }
        to += 1;
        let names_at = to;
        let mut names = Vec::new();
        if self.src.sign(to, "(") && to < end {
            let close = self.src.partner(to);
            names = self.names(to + 1, close)?;
            to = close + 1;
        }
        Ok(Alias {
            name,
            names,
            names_at,
            to,
        })
    }

    /// The scope of a single table, as UPDATE and DELETE have it.
    pub(crate) fn push_table(&mut self, alias: &str, name: &str) {
        let columns = self.table_columns(name);
        let tables = vec![ScopeTable {
            alias: alias.to_owned(),
            columns,
        }];
        self.scopes.push(Scope {
            tables,
            ..Scope::default()
        });
    }
}

fn missing(name: &str) -> DialectError {
    DialectError::new(
        SqlState::UNDEFINED_TABLE,
        format!("relation \"{name}\" does not exist"),
    )
}
