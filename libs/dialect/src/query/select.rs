//! One SELECT: list, FROM, WHERE, GROUP BY, HAVING, WINDOW.

use pgtypes::{PgType, SqlState};

use crate::error::DialectError;
use crate::expr::primary::is_reserved;
use crate::expr::{Expr, Form};
use crate::lexer::Kind;
use crate::literal::quote_name;
use crate::query::Query;
use crate::translator::{Column, Scope, Translator};

/// Words that end a select list or a clause.
const CLAUSES: &[&str] = &[
    "FROM",
    "WHERE",
    "GROUP",
    "HAVING",
    "WINDOW",
    "ORDER",
    "LIMIT",
    "OFFSET",
    "FETCH",
    "FOR",
    "UNION",
    "INTERSECT",
    "EXCEPT",
    "INTO",
];

impl Translator<'_> {
    /// SELECT at `at`; pushes its scope.
    pub(crate) fn select(&mut self, at: usize, end: usize) -> Result<Query, DialectError> {
        let mut list = at + 1;
        let mut on = None;
        if self.src.is(list, "DISTINCT") {
            list += 1;
            if self.src.is(list, "ON") && self.src.sign(list + 1, "(") {
                on = Some(list + 1);
                list = self.src.partner(list + 1) + 1;
            }
        } else if self.src.is(list, "ALL") {
            list += 1;
        }
        let stop = self.clause_after(list, end);
        self.scopes.push(Scope::default());
        let outer = std::mem::take(&mut self.aggregate);
        if self.src.is(stop, "INTO") && stop < end {
            return Err(self
                .src
                .unsupported(stop, "SELECT INTO")
                .hint("use CREATE TABLE AS"));
        }
        let has_from = stop < end && self.src.is(stop, "FROM");
        let after_from = if has_from {
            self.table_list(stop + 1, end)?
        } else {
            stop
        };
        let mut query = Query {
            to: after_from,
            open_from: has_from,
            ..Query::default()
        };
        if list == stop {
            // PostgreSQL allows an empty list; one NULL column is the nearest.
            self.after(list, " NULL");
        } else {
            self.select_list(list, stop, &mut query)?;
        }
        self.place_series(stop, has_from);
        if let Some(open) = on {
            query.distinct_on = Some(self.read_distinct_on(at, open, (list, stop))?);
        }
        self.clauses(&mut query, end)?;
        self.aggregate = outer;
        Ok(query)
    }

    /// The series of the select list joins the FROM clause.
    fn place_series(&mut self, stop: usize, has_from: bool) {
        let Some(series) = self.series.take() else {
            return;
        };
        if has_from {
            self.after(stop + 1, format!(" {series} CROSS JOIN "));
        } else {
            self.after(stop, format!(" FROM {series}"));
        }
    }

    /// The next clause keyword outside of parentheses; IS DISTINCT FROM, EXTRACT's FROM and the like are not one.
    fn clause_after(&self, at: usize, end: usize) -> usize {
        let mut at = at;
        while at < end {
            if self.src.sign(at, "(") || self.src.sign(at, "[") {
                at = self.src.partner(at) + 1;
                continue;
            }
            let qualified = at > 0 && self.src.sign(at - 1, ".");
            let distinct = at > 0 && self.src.is(at - 1, "DISTINCT") && self.src.is(at, "FROM");
            let alias = at > 0 && self.src.is(at - 1, "AS");
            let word = self.src.kind(at) == Some(Kind::Word);
            if word && !qualified && !distinct && !alias && self.src.is_any(at, CLAUSES) {
                return at;
            }
            at += 1;
        }
        end
    }

    /// The list between SELECT (or RETURNING) and the next clause; PostgreSQL's column names are added where SQLite
    /// would show the expression's text.
    pub(crate) fn select_list(
        &mut self,
        at: usize,
        stop: usize,
        query: &mut Query,
    ) -> Result<(), DialectError> {
        let mut at = at;
        let mut bare: Option<Expr> = None;
        loop {
            let item = self.expr(at, stop)?;
            if item.form == Form::Column && self.is_own_column(&item) {
                bare = bare.or(Some(item.clone()));
            }
            at = item.to;
            if item.form == Form::Star {
                self.star(&item, query);
            } else {
                let (name, to) = self.alias(&item, stop)?;
                at = to;
                let column = Column {
                    name: Some(name),
                    ty: self.item_type(&item),
                    not_null: item.not_null,
                };
                query.columns.push(column);
            }
            if at >= stop {
                return self.check_grouping(stop, bare.as_ref());
            }
            if !self.src.sign(at, ",") {
                return Err(self.src.syntax(at));
            }
            at += 1;
        }
    }

    /// Whether a column belongs to a table of this query, not to one around it.
    fn is_own_column(&self, item: &Expr) -> bool {
        let name = item.name.as_deref();
        let columns = self
            .scopes
            .last()
            .into_iter()
            .flat_map(|scope| &scope.tables);
        columns
            .filter_map(|table| table.columns.as_deref())
            .flatten()
            .any(|column| column.name.as_deref() == name)
    }

    /// A column beside an aggregate needs GROUP BY: SQLite would show it of any row.
    fn check_grouping(&self, stop: usize, bare: Option<&Expr>) -> Result<(), DialectError> {
        let Some(column) = bare.filter(|_| self.aggregate) else {
            return Ok(());
        };
        let mut at = stop;
        while at < self.src.len() && !self.src.sign(at, ")") {
            if self.src.are(at, &["GROUP", "BY"]) {
                return Ok(());
            }
            if self.src.is_any(at, &["UNION", "INTERSECT", "EXCEPT"]) {
                break;
            }
            at = if self.src.sign(at, "(") {
                self.src.partner(at)
            } else {
                at
            } + 1;
        }
        let message = format!(
            "column \"{}\" must appear in the GROUP BY clause or be used in an aggregate function",
            self.src.slice(column.from, column.to)
        );
        Err(self
            .src
            .error(column.from, SqlState::GROUPING_ERROR, message))
    }

    fn item_type(&mut self, item: &Expr) -> Option<PgType> {
        match item.form {
            Form::Literal => Some(PgType::Text),
            Form::Parameter(number) => {
                // A lone parameter is text, as in PostgreSQL.
                self.set_parameter(number, &PgType::Text);
                self.parameter_type(number)
            }
            _ => item.ty,
        }
    }

    /// `AS name`, a bare name, or the name that PostgreSQL would give. Gives the name and the token after it.
    fn alias(&mut self, item: &Expr, stop: usize) -> Result<(String, usize), DialectError> {
        let at = item.to;
        if self.src.is(at, "AS") && at < stop {
            let name = match self.src.name(at + 1) {
                Some(name) => name,
                None => self
                    .src
                    .string(at + 1)?
                    .ok_or_else(|| self.src.syntax(at + 1))?,
            };
            if self.src.kind(at + 1) == Some(Kind::Word)
                && (is_reserved(&name) || name != self.src.text(at + 1))
            {
                self.replace(at + 1, at + 2, quote_name(&name));
            }
            return Ok((name, at + 2));
        }
        if at < stop && !self.src.sign(at, ",") {
            let name = self
                .src
                .name(at)
                .filter(|_| !is_reserved(self.src.text(at)));
            let name = name.ok_or_else(|| self.src.syntax(at))?;
            self.replace(at, at + 1, format!("AS {}", quote_name(&name)));
            return Ok((name, at + 1));
        }
        let name = item.name.clone().unwrap_or_else(|| "?column?".to_owned());
        if item.form != Form::Column {
            self.after(at, format!(" AS {}", quote_name(&name)));
        }
        Ok((name, at))
    }

    fn star(&mut self, item: &Expr, query: &mut Query) {
        let table = if item.to > item.from + 1 {
            self.src.name(item.to - 3)
        } else {
            None
        };
        let Some(scope) = self.scopes.last() else {
            return;
        };
        let mut found = false;
        for candidate in &scope.tables {
            if table
                .as_ref()
                .is_some_and(|table| !candidate.alias.eq_ignore_ascii_case(table))
            {
                continue;
            }
            found = true;
            match &candidate.columns {
                Some(columns) => query.columns.extend(columns.iter().map(|column| Column {
                    not_null: column.not_null && !scope.outer_join,
                    ..column.clone()
                })),
                None => query.incomplete = true,
            }
        }
        // With USING or NATURAL a column is shown once: the number of columns is not known here.
        query.incomplete |= !found || (scope.merged && table.is_none());
    }

    /// WHERE, GROUP BY, HAVING, WINDOW.
    fn clauses(&mut self, query: &mut Query, end: usize) -> Result<(), DialectError> {
        let from = query.to;
        if self.src.is(query.to, "WHERE") && query.to < end {
            let condition = self.expr(query.to + 1, end)?;
            self.default_parameter(&condition, PgType::Bool);
            query.to = condition.to;
        }
        if self.src.are(query.to, &["GROUP", "BY"]) && query.to < end {
            query.to = self.group_by(query.to + 2, end)?;
        }
        if self.src.is(query.to, "HAVING") && query.to < end {
            query.to = self.expr(query.to + 1, end)?.to;
        }
        if self.src.is(query.to, "WINDOW") && query.to < end {
            let mut at = query.to + 1;
            loop {
                if !self.src.is(at + 1, "AS") || !self.src.sign(at + 2, "(") {
                    return Err(self.src.syntax(at + 1));
                }
                let close = self.src.partner(at + 2);
                self.window(at + 3, close)?;
                at = close + 1;
                if !self.src.sign(at, ",") || at >= end {
                    break;
                }
                at += 1;
            }
            query.to = at;
        }
        query.open_from &= query.to == from;
        Ok(())
    }

    fn group_by(&mut self, at: usize, end: usize) -> Result<usize, DialectError> {
        let mut at = at;
        loop {
            if self.src.is_any(at, &["ROLLUP", "CUBE", "GROUPING"])
                && (self.src.sign(at + 1, "(") || self.src.is(at + 1, "SETS"))
            {
                return Err(self.src.unsupported(
                    at,
                    &format!("GROUP BY {}", self.src.text(at).to_ascii_uppercase()),
                ));
            }
            at = self.expr(at, end)?.to;
            if !self.src.sign(at, ",") || at >= end {
                return Ok(at);
            }
            at += 1;
        }
    }
}
