//! The state of one translation: splices, parameter types, names in scope.

use std::rc::Rc;

use pgtypes::{PgType, SqlState};

use crate::error::DialectError;
use crate::schema::{ColumnInfo, SchemaView};
use crate::source::{Edits, Source};
use crate::statement::{Notice, Statement};

/// Expressions and queries may nest this deep, so that recursion needs less than a thread's stack.
const MAX_DEPTH: usize = 100;
/// SQLite's default limit of variable numbers.
const MAX_PARAMETER: usize = 32_766;

/// A column that a query gives, or a name in scope stands for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Column {
    pub(crate) name: Option<String>,
    pub(crate) ty: Option<PgType>,
    pub(crate) not_null: bool,
}

impl From<&ColumnInfo> for Column {
    fn from(info: &ColumnInfo) -> Self {
        Self {
            name: Some(info.name.clone()),
            ty: info.type_name,
            not_null: info.not_null,
        }
    }
}

/// A table under its name in a query; `columns` is `None` when they are not known.
#[derive(Debug, Clone)]
pub(crate) struct ScopeTable {
    pub(crate) alias: String,
    pub(crate) columns: Option<Rc<[Column]>>,
}

/// The tables of one query level.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope {
    pub(crate) tables: Vec<ScopeTable>,
    /// An outer join may make any column NULL.
    pub(crate) outer_join: bool,
    /// USING or NATURAL shows some columns once.
    pub(crate) merged: bool,
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts about a statement"
)]
pub(crate) struct Translator<'a> {
    pub(crate) src: &'a Source<'a>,
    pub(crate) schema: &'a dyn SchemaView,
    pub(crate) edits: Edits,
    pub(crate) parameters: Vec<Option<PgType>>,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) ctes: Vec<ScopeTable>,
    /// The call of `generate_series` that the select list being read holds, as a table.
    pub(crate) series: Option<String>,
    /// Between the parentheses of INSERT … VALUES.
    pub(crate) in_values: bool,
    pub(crate) repeatable: bool,
    pub(crate) catalog: bool,
    pub(crate) locks_rows: bool,
    pub(crate) notices: Vec<Notice>,
    /// An aggregate was called in the query being read.
    pub(crate) aggregate: bool,
    /// Names given to CHECK constraints of the table being defined.
    pub(crate) check_names: Vec<String>,
    /// Statements to run before this one (sequences).
    pub(crate) first: Vec<String>,
    pub(crate) depth: usize,
}

impl<'a> Translator<'a> {
    pub(crate) fn new(src: &'a Source<'a>, schema: &'a dyn SchemaView) -> Self {
        Self {
            src,
            schema,
            edits: Edits::default(),
            parameters: Vec::new(),
            scopes: Vec::new(),
            ctes: Vec::new(),
            series: None,
            in_values: false,
            repeatable: true,
            catalog: false,
            locks_rows: false,
            notices: Vec::new(),
            aggregate: false,
            check_names: Vec::new(),
            first: Vec::new(),
            depth: 0,
        }
    }

    /// Counts one level of nesting; the caller takes it back with [`Self::leave`].
    pub(crate) fn enter(&mut self, at: usize) -> Result<(), DialectError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.src.error(
                at,
                SqlState::STATEMENT_TOO_COMPLEX,
                "statement is nested too deeply",
            ));
        }
        Ok(())
    }

    pub(crate) fn leave(&mut self) {
        self.depth -= 1;
    }

    /// The number of `$n`, with room made for its type.
    pub(crate) fn parameter(&mut self, at: usize) -> Result<usize, DialectError> {
        let number = self
            .src
            .text(at)
            .trim_start_matches('$')
            .parse::<usize>()
            .unwrap_or(0);
        if number == 0 || number > MAX_PARAMETER {
            let message = format!("there is no parameter {}", self.src.text(at));
            return Err(self.src.error(at, SqlState::UNDEFINED_PARAMETER, message));
        }
        if self.parameters.len() < number {
            self.parameters.resize(number, None);
        }
        Ok(number)
    }

    /// Gives a parameter its type, unless it has one.
    pub(crate) fn set_parameter(&mut self, number: usize, ty: &PgType) {
        if let Some(slot @ None) = self.parameters.get_mut(number - 1) {
            *slot = Some(*ty);
        }
    }

    pub(crate) fn parameter_type(&self, number: usize) -> Option<PgType> {
        self.parameters.get(number - 1).copied().flatten()
    }

    /// Replaces tokens `from..to`.
    pub(crate) fn replace(&mut self, from: usize, to: usize, text: impl Into<String>) {
        let range = self.src.start(from)..self.src.end_before(to);
        self.edits.replace(range, text);
    }

    /// Removes tokens `from..to`.
    pub(crate) fn remove(&mut self, from: usize, to: usize) {
        if from < to {
            self.replace(from, to, "");
        }
    }

    pub(crate) fn before(&mut self, at: usize, text: impl Into<String>) {
        self.edits.before(self.src.start(at), text);
    }

    /// Closes something after token `to - 1`.
    pub(crate) fn after(&mut self, to: usize, text: impl Into<String>) {
        self.edits.after(self.src.end_before(to), text);
    }

    /// The translated text of tokens `from..to`, with the splices since `mark`.
    pub(crate) fn rendered(&self, mark: usize, from: usize, to: usize) -> String {
        if from >= to {
            return String::new();
        }
        let range = self.src.start(from)..self.src.end_before(to);
        self.edits.render_since(mark, self.src.sql, range)
    }

    /// The columns of a table: of a common table expression, else of the schema.
    pub(crate) fn table_columns(&self, name: &str) -> Option<Rc<[Column]>> {
        if let Some(cte) = self.ctes.iter().rev().find(|cte| cte.alias == name) {
            return cte.columns.clone();
        }
        if let Some(columns) = crate::pg_catalog::columns(name) {
            return Some(columns.into());
        }
        self.schema
            .columns(name)
            .map(|columns| columns.iter().map(Column::from).collect())
    }

    /// What a column name means: the innermost scope that knows it decides.
    pub(crate) fn resolve(&self, table: Option<&str>, column: &str) -> Option<Column> {
        for scope in self.scopes.iter().rev() {
            for candidate in &scope.tables {
                if table.is_some_and(|table| !candidate.alias.eq_ignore_ascii_case(table)) {
                    continue;
                }
                let named = |found: &&Column| {
                    found
                        .name
                        .as_deref()
                        .is_some_and(|name| name.eq_ignore_ascii_case(column))
                };
                if let Some(found) = candidate
                    .columns
                    .as_ref()
                    .and_then(|all| all.iter().find(named))
                {
                    let not_null = found.not_null && !scope.outer_join;
                    return Some(Column {
                        not_null,
                        ..found.clone()
                    });
                }
                if table.is_some() {
                    return None;
                }
            }
        }
        None
    }

    /// The translated statement, completed by the caller.
    pub(crate) fn finish(mut self, statement: Statement) -> Statement {
        let text = self
            .edits
            .render(self.src.sql, 0..self.src.end_before(self.src.len()));
        let mut sqlite = std::mem::take(&mut self.first);
        sqlite.push(text);
        let writes = statement.writes || sqlite.len() > 1;
        self.finish_with(
            sqlite,
            Statement {
                writes,
                ..statement
            },
        )
    }

    pub(crate) fn finish_with(self, sqlite: Vec<String>, statement: Statement) -> Statement {
        Statement {
            sqlite,
            parameters: self.parameters,
            catalog: self.catalog,
            locks_rows: self.locks_rows,
            notices: self.notices,
            ..statement
        }
    }
}
