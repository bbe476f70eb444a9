//! INSERT, UPDATE, DELETE, TRUNCATE.

mod on_conflict;

use pgtypes::SqlState;

use crate::error::DialectError;
use crate::expr::{Form, fit, level};
use crate::literal::quote_name;
use crate::query::Query;
use crate::schema::ColumnInfo;
use crate::statement::{CommandTag, Statement, StatementKind};
use crate::translator::{Column, Translator};

/// What a data-modifying statement gives back.
#[derive(Default)]
pub(crate) struct Returned {
    columns: Vec<Column>,
    incomplete: bool,
    returning: bool,
}

impl Translator<'_> {
    /// INSERT, UPDATE or DELETE at `at` (WITH was read before).
    pub(crate) fn dml(&mut self, at: usize) -> Result<Statement, DialectError> {
        let end = self.src.len();
        let (tag, returned) = match self.src.text(at).to_ascii_lowercase().as_str() {
            "insert" | "replace" => (CommandTag::Insert, self.insert(at, end)?),
            "update" => (CommandTag::Update, self.update(at, end)?),
            _ => (CommandTag::Delete, self.delete(at, end)?),
        };
        let columns = if returned.incomplete {
            Vec::new()
        } else {
            returned.columns
        };
        Ok(Statement {
            tag,
            writes: true,
            returning: returned.returning,
            columns: columns.into_iter().map(|column| column.ty).collect(),
            ..Statement::session(StatementKind::Dml, "")
        })
    }

    fn insert(&mut self, at: usize, end: usize) -> Result<Returned, DialectError> {
        let mut at = at + 1;
        if self.src.is(at, "OR") {
            at += 2;
        }
        if !self.src.is(at, "INTO") {
            return Err(self.src.syntax(at));
        }
        let (table, mut to) = self.table_name(at + 1, end)?;
        let mut alias = table.clone();
        if self.src.is(to, "AS") {
            alias = self
                .src
                .name(to + 1)
                .ok_or_else(|| self.src.syntax(to + 1))?;
            to += 2;
        }
        let columns = self.schema.columns(&table);
        let mut names = None;
        if self.src.sign(to, "(") && !self.is_query(to + 1) {
            let close = self.src.partner(to);
            names = Some(self.names(to + 1, close)?);
            to = close + 1;
        }
        if self.src.is(to, "OVERRIDING") {
            self.remove(to, to + 3);
            to += 3;
        }
        let targets = self.targets(&table, columns.as_deref(), names.as_deref(), to)?;
        let generated = columns.as_ref().is_some_and(|all| {
            all.iter().any(|column| {
                column.identity.is_some()
                    && !targets
                        .iter()
                        .flatten()
                        .any(|target| target.name == column.name)
            })
        });
        to = self.insert_source(to, end, &targets)?;
        self.push_table(&alias, &table);
        if self.src.are(to, &["ON", "CONFLICT"]) {
            to = self.on_conflict(to, end, &table)?;
        }
        let returned = self.returning(to, end)?;
        self.scopes.pop();
        self.repeatable &= !(returned.returning && generated);
        Ok(returned)
    }

    /// The columns that values are stored in, in their order; empty when the table is not known.
    fn targets(
        &self,
        table: &str,
        columns: Option<&[ColumnInfo]>,
        names: Option<&[String]>,
        at: usize,
    ) -> Result<Vec<Option<ColumnInfo>>, DialectError> {
        let Some(columns) = columns else {
            return Ok(Vec::new());
        };
        let Some(names) = names else {
            return Ok(columns.iter().cloned().map(Some).collect());
        };
        let find = |name: &String| {
            let found = columns
                .iter()
                .find(|column| column.name.eq_ignore_ascii_case(name))
                .cloned();
            let rowid = matches!(name.as_str(), "rowid" | "oid" | "_rowid_");
            if found.is_none() && !rowid {
                let message = format!("column \"{name}\" of relation \"{table}\" does not exist");
                return Err(self.src.error(at, SqlState::UNDEFINED_COLUMN, message));
            }
            Ok(found)
        };
        names.iter().map(find).collect()
    }

    /// DEFAULT VALUES, VALUES or a query.
    fn insert_source(
        &mut self,
        at: usize,
        end: usize,
        targets: &[Option<ColumnInfo>],
    ) -> Result<usize, DialectError> {
        if self.src.are(at, &["DEFAULT", "VALUES"]) {
            return Ok(at + 2);
        }
        if !self.src.is(at, "VALUES") {
            let query = self.query(at, end)?;
            let conflict = self.src.are(query.to, &["ON", "CONFLICT"]);
            if !self.convert_rows(at, &query, targets) && query.open_from && conflict {
                self.after(query.to, " WHERE true");
            }
            return Ok(query.to);
        }
        let mut at = at + 1;
        loop {
            if !self.src.sign(at, "(") || at >= end {
                return Err(self.src.syntax(at));
            }
            let close = self.src.partner(at);
            self.in_values = true;
            let values = self.list(at + 1, close)?;
            self.in_values = false;
            if !targets.is_empty() && values.len() > targets.len() {
                let message = "INSERT has more expressions than target columns";
                return Err(self.src.error(at + 1, SqlState::SYNTAX_ERROR, message));
            }
            for (value, target) in values.iter().zip(targets) {
                if value.form == Form::Default {
                    self.default_value(value.from, target.as_ref());
                } else if let Some(ty) =
                    target.as_ref().and_then(|target| target.type_name.as_ref())
                {
                    self.assign(value, ty)?;
                }
            }
            at = close + 1;
            if !self.src.sign(at, ",") || at >= end {
                return Ok(at);
            }
            at += 1;
        }
    }

    /// Rows of a query on their way into a table: the columns whose types ask for it pass through a conversion. Gives
    /// whether there were any.
    fn convert_rows(&mut self, at: usize, query: &Query, targets: &[Option<ColumnInfo>]) -> bool {
        if query.incomplete || query.columns.len() > targets.len() {
            return false;
        }
        let names: Vec<String> = (1..=query.columns.len()).map(|n| format!("c{n}")).collect();
        let mut any = false;
        let mut values = Vec::with_capacity(names.len());
        for ((name, column), target) in names.iter().zip(&query.columns).zip(targets) {
            let ty = target.as_ref().and_then(|target| target.type_name.as_ref());
            let stored = ty.and_then(|ty| fit::stored(name, column.ty.as_ref(), ty));
            any |= stored.is_some();
            values.push(stored.unwrap_or_else(|| name.clone()));
        }
        if any {
            let names = names.join(",");
            self.before(at, format!("WITH eq_rows({names}) AS ("));
            let values = values.join(",");
            self.after(
                query.to,
                format!(") SELECT {values} FROM eq_rows WHERE true"),
            );
        }
        any
    }

    /// SQLite has no DEFAULT among values: the default itself takes its place.
    fn default_value(&mut self, at: usize, target: Option<&ColumnInfo>) {
        let text = target
            .and_then(|column| column.default.as_deref())
            .map_or("NULL".to_owned(), |text| format!("({text})"));
        self.replace(at, at + 1, text);
    }

    /// `column = value, (a, b) = (x, y)` of SET; gives the token after them.
    fn assignments(&mut self, at: usize, end: usize, table: &str) -> Result<usize, DialectError> {
        let columns = self.schema.columns(table);
        let find = |name: &str| {
            columns.as_ref().and_then(|all| {
                all.iter()
                    .find(|column| column.name.eq_ignore_ascii_case(name))
            })
        };
        let mut at = at;
        loop {
            if self.src.sign(at, "(") {
                let close = self.src.partner(at);
                let names = self.names(at + 1, close)?;
                if !self.src.sign(close + 1, "=") {
                    return Err(self.src.syntax(close + 1));
                }
                let mut open = close + 2;
                if self.src.is(open, "ROW") {
                    self.remove(open, open + 1);
                    open += 1;
                }
                at = self.row_assignment(open, end, &names, &find)?;
            } else {
                let name = self.src.name(at).ok_or_else(|| self.src.syntax(at))?;
                let target = find(&name);
                if target.is_none() && columns.is_some() {
                    let message =
                        format!("column \"{name}\" of relation \"{table}\" does not exist");
                    return Err(self.src.error(at, SqlState::UNDEFINED_COLUMN, message));
                }
                if !self.src.sign(at + 1, "=") {
                    return Err(self.src.syntax(at + 1));
                }
                let value = self.operand(at + 2, end, level::LOWEST)?;
                if value.form == Form::Default {
                    self.default_value(value.from, target);
                } else if let Some(ty) = target.and_then(|target| target.type_name.as_ref()) {
                    self.assign(&value, ty)?;
                }
                at = value.to;
            }
            if !self.src.sign(at, ",") || at >= end {
                return Ok(at);
            }
            at += 1;
        }
    }

    fn row_assignment<'c>(
        &mut self,
        open: usize,
        end: usize,
        names: &[String],
        find: &dyn Fn(&str) -> Option<&'c ColumnInfo>,
    ) -> Result<usize, DialectError> {
        if !self.src.sign(open, "(") || open >= end {
            return Err(self.src.syntax(open));
        }
        let close = self.src.partner(open);
        if self.is_query(open + 1) {
            self.subquery(open + 1, close)?;
            return Ok(close + 1);
        }
        let values = self.list(open + 1, close)?;
        for (value, name) in values.iter().zip(names) {
            let target = find(name);
            if value.form == Form::Default {
                self.default_value(value.from, target);
            } else if let Some(ty) = target.and_then(|target| target.type_name.as_ref()) {
                self.assign(value, ty)?;
            }
        }
        Ok(close + 1)
    }

    /// The table of UPDATE or DELETE: name, alias, the token after it.
    fn target_table(
        &mut self,
        at: usize,
        end: usize,
    ) -> Result<(String, String, usize), DialectError> {
        let mut at = at;
        if self.src.is(at, "ONLY") {
            self.remove(at, at + 1);
            at += 1;
        }
        let (table, mut to) = self.table_name(at, end)?;
        if self.src.sign(to, "*") {
            self.remove(to, to + 1);
            to += 1;
        }
        let mut alias = table.clone();
        if self.src.is(to, "AS") && to < end {
            alias = self
                .src
                .name(to + 1)
                .ok_or_else(|| self.src.syntax(to + 1))?;
            to += 2;
        } else if to < end
            && !self.src.is_any(
                to,
                &[
                    "SET",
                    "USING",
                    "WHERE",
                    "RETURNING",
                    "ORDER",
                    "LIMIT",
                    "INDEXED",
                    "NOT",
                ],
            )
        {
            alias = self.src.name(to).ok_or_else(|| self.src.syntax(to))?;
            self.before(to, "AS ");
            to += 1;
        }
        Ok((table, alias, to))
    }

    fn update(&mut self, at: usize, end: usize) -> Result<Returned, DialectError> {
        let mut at = at + 1;
        if self.src.is(at, "OR") {
            at += 2;
        }
        let (table, alias, to) = self.target_table(at, end)?;
        if !self.src.is(to, "SET") {
            return Err(self.src.syntax(to));
        }
        self.push_table(&alias, &table);
        let from = self.find_from(to + 1, end);
        let after_from = match from {
            Some(from) => self.table_list(from + 1, end)?,
            None => to + 1,
        };
        let mut next = self.assignments(to + 1, from.unwrap_or(end), &table)?;
        if let Some(from) = from {
            if next != from {
                return Err(self.src.syntax(next));
            }
            next = after_from;
        }
        next = self.where_clause(next, end)?;
        let returned = self.returning(next, end)?;
        self.scopes.pop();
        Ok(returned)
    }

    /// FROM of UPDATE, outside of parentheses.
    fn find_from(&self, at: usize, end: usize) -> Option<usize> {
        let mut at = at;
        while at < end {
            if self.src.sign(at, "(") {
                at = self.src.partner(at);
            } else if self.src.is_any(at, &["WHERE", "RETURNING"]) {
                return None;
            } else if self.src.is(at, "FROM") && !self.src.is(at - 1, "DISTINCT") {
                return Some(at);
            }
            at += 1;
        }
        None
    }

    fn where_clause(&mut self, at: usize, end: usize) -> Result<usize, DialectError> {
        if !self.src.is(at, "WHERE") || at >= end {
            return Ok(at);
        }
        if self.src.are(at + 1, &["CURRENT", "OF"]) {
            return Err(self.src.unsupported(at + 1, "WHERE CURRENT OF"));
        }
        Ok(self.expr(at + 1, end)?.to)
    }

    fn delete(&mut self, at: usize, end: usize) -> Result<Returned, DialectError> {
        if !self.src.is(at + 1, "FROM") {
            return Err(self.src.syntax(at + 1));
        }
        let (table, alias, to) = self.target_table(at + 2, end)?;
        self.push_table(&alias, &table);
        let mut next = to;
        if self.src.is(to, "USING") && to < end {
            // SQLite has no USING here: the rows are found by a join.
            next = self.table_list(to + 1, end)?;
            let (table, alias) = (quote_name(&table), quote_name(&alias));
            self.replace(
                at + 2,
                to + 1,
                format!("{table} WHERE rowid IN (SELECT {alias}.rowid FROM {table} AS {alias},"),
            );
            next = self.where_clause(next, end)?;
            self.after(next, ")");
        } else {
            next = self.where_clause(next, end)?;
        }
        let returned = self.returning(next, end)?;
        self.scopes.pop();
        Ok(returned)
    }

    /// RETURNING, and nothing behind it.
    fn returning(&mut self, at: usize, end: usize) -> Result<Returned, DialectError> {
        self.unqualify_returning(at, end);
        if at >= end {
            return Ok(Returned::default());
        }
        if !self.src.is(at, "RETURNING") {
            return Err(self.src.syntax(at));
        }
        let mut query = Query::default();
        self.select_list(at + 1, end, &mut query)?;
        Ok(Returned {
            columns: query.columns,
            incomplete: query.incomplete,
            returning: true,
        })
    }

    /// SQLite knows the changed row by the table's name only, not by its alias.
    fn unqualify_returning(&mut self, at: usize, end: usize) {
        let scope = self.scopes.last().and_then(|scope| scope.tables.first());
        let Some(alias) = scope.map(|table| table.alias.clone()) else {
            return;
        };
        let mut at = at;
        while at < end {
            if self.src.sign(at, "(") && self.is_query(at + 1) {
                at = self.src.partner(at);
            } else if self.src.sign(at + 1, ".")
                && !self.src.sign(at + 2, "*")
                && self
                    .src
                    .name(at)
                    .is_some_and(|name| name.eq_ignore_ascii_case(&alias))
            {
                self.remove(at, at + 2);
                at += 2;
            }
            at += 1;
        }
    }
}
