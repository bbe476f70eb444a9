//! The state of one definition's translation: splices, and the table that is being defined.

use std::rc::Rc;

use pgtypes::{PgType, SqlState};

use crate::error::DialectError;
use crate::lexer::Kind;
use crate::pg_catalog;
use crate::schema::{ColumnInfo, SchemaView};
use crate::source::{Edits, Source};
use crate::statement::{Notice, Statement};

/// Words that name no table without quotes.
const RESERVED: &[&str] = &[
    "and",
    "as",
    "asc",
    "between",
    "collate",
    "cross",
    "desc",
    "distinct",
    "else",
    "end",
    "except",
    "fetch",
    "for",
    "from",
    "full",
    "group",
    "having",
    "ilike",
    "in",
    "inner",
    "intersect",
    "into",
    "is",
    "isnull",
    "join",
    "like",
    "limit",
    "natural",
    "notnull",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "outer",
    "returning",
    "select",
    "similar",
    "then",
    "to",
    "union",
    "using",
    "values",
    "when",
    "where",
    "window",
    "with",
];

/// A column that an expression of the definition may name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) ty: Option<PgType>,
    pub(crate) not_null: bool,
}

impl From<&ColumnInfo> for Column {
    fn from(info: &ColumnInfo) -> Self {
        Self {
            name: info.name.clone(),
            ty: info.type_name,
            not_null: info.not_null,
        }
    }
}

/// The table that a definition is about.
#[derive(Debug, Clone)]
pub(crate) struct DefinedTable {
    pub(crate) name: String,
    /// In their order; none if they are not known.
    pub(crate) columns: Rc<[Column]>,
}

/// A definition on its way to SQLite's text.
pub(crate) struct Translator<'a> {
    pub(crate) src: &'a Source<'a>,
    pub(crate) schema: &'a dyn SchemaView,
    pub(crate) edits: Edits,
    pub(crate) table: Option<DefinedTable>,
    pub(crate) notices: Vec<Notice>,
    /// Names given to CHECK constraints of the table being defined.
    pub(crate) check_names: Vec<String>,
    /// Statements to run before this one (sequences).
    pub(crate) first: Vec<String>,
}

impl<'a> Translator<'a> {
    pub(crate) fn new(src: &'a Source<'a>, schema: &'a dyn SchemaView) -> Self {
        Self {
            src,
            schema,
            edits: Edits::default(),
            table: None,
            notices: Vec::new(),
            check_names: Vec::new(),
            first: Vec::new(),
        }
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

    /// The translated text of tokens `from..to`.
    pub(crate) fn rendered(&self, from: usize, to: usize) -> String {
        if from >= to {
            return String::new();
        }
        let range = self.src.start(from)..self.src.end_before(to);
        self.edits.render(self.src.sql, range)
    }

    /// Lets expressions name the columns of a table of the schema.
    pub(crate) fn about(&mut self, name: &str) {
        let columns = self.schema.columns(name).unwrap_or_default();
        self.table = Some(DefinedTable {
            name: name.to_owned(),
            columns: columns.iter().map(Column::from).collect(),
        });
    }

    /// The name of a table, whose schema is dropped, and the token after it.
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
        if self.src.kind(at) == Some(Kind::Word) && RESERVED.contains(&name.as_str()) {
            return Err(self.src.syntax(at));
        }
        let mut schema = None;
        while self.src.sign(last + 1, ".") {
            last += 2;
            schema = Some(name);
            name = self.src.name(last).ok_or_else(|| self.src.syntax(last))?;
        }
        match schema.as_deref() {
            Some("temp" | "pg_temp") => self.replace(at, last - 1, "temp"),
            Some("public" | "main") => self.remove(at, last),
            Some("pg_catalog" | "information_schema") => {
                return Err(self.system_catalog(at, last, schema.as_deref(), &name));
            }
            Some(schema) => {
                let message = format!("schema \"{schema}\" does not exist");
                return Err(self.src.error(at, SqlState::INVALID_SCHEMA_NAME, message));
            }
            None if pg_catalog::find_table(None, &name).is_some() => {
                return Err(self.system_catalog(at, last, None, &name));
            }
            None => {}
        }
        Ok((name, last + 1))
    }

    /// What the catalog says can't be changed.
    fn system_catalog(
        &self,
        at: usize,
        last: usize,
        schema: Option<&str>,
        name: &str,
    ) -> DialectError {
        if pg_catalog::find_table(schema, name).is_none() {
            let written = self.src.slice(at, last + 1);
            let message = format!("relation \"{written}\" does not exist");
            return self.src.error(at, SqlState::UNDEFINED_TABLE, message);
        }
        let message = format!("permission denied: \"{name}\" is a system catalog");
        DialectError::new(SqlState::INSUFFICIENT_PRIVILEGE, message)
    }

    /// Names with commas between them.
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

    /// The translated statement, completed by the caller.
    pub(crate) fn finish(mut self, statement: Statement) -> Statement {
        let text = self.rendered(0, self.src.len());
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
            notices: self.notices,
            ..statement
        }
    }
}
