//! A translated statement with what the protocol needs to know about it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use dialect::{CommandTag, Origin, OriginTable, SchemaView, Statement, StatementKind};
use pgtypes::{Format, Oid, PgType, SqlValue, decode};

use crate::failure::Failure;
use crate::session::explain;
use crate::session::mapping;
use crate::session::relations;
use crate::session::rights::Mark;
use crate::session::schema::View;
use crate::session::sqlite::Sqlite;

/// A column of a result.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type; `Unknown` where neither the statement nor the schema says one.
    pub ty: PgType,
    /// The table and the column of it that it is, by their numbers in the catalog; zero where it is none.
    pub origin: (u32, u16),
}

/// Where a column comes from makes no other result of it.
impl PartialEq for Column {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.ty == other.ty
    }
}

impl Column {
    /// A column of text, as the server's own results have.
    pub fn text(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ty: PgType::Text,
            origin: NO_TABLE,
        }
    }
}

/// The origin of what is computed.
pub const NO_TABLE: (u32, u16) = (0, 0);

fn number_of(sqlite: &Sqlite, origin: &Origin) -> (u32, u16) {
    let table = match &origin.table {
        OriginTable::Catalog(oid) => Some(*oid),
        OriginTable::Table(name) => relations::number(sqlite, name),
        OriginTable::Temporary(_) => None,
    };
    table.map_or(NO_TABLE, |table| (table, origin.column))
}

/// A type into which not every value of its kind goes.
fn is_limited(ty: &PgType) -> bool {
    matches!(
        ty,
        PgType::Int2
            | PgType::Int4
            | PgType::Numeric {
                precision: Some(_),
                ..
            }
            | PgType::Varchar(Some(_))
            | PgType::Bpchar(Some(_))
            | PgType::Time(Some(_))
            | PgType::Timetz(Some(_))
            | PgType::Timestamp(Some(_))
            | PgType::Timestamptz(Some(_))
            | PgType::Interval(Some(_))
    )
}

/// The columns of a result, shared by statement, portal and cursor.
pub type Columns = Rc<[Column]>;

/// A statement of a client, analyzed.
#[derive(Debug)]
pub struct Prepared {
    /// The client's text.
    pub source: String,
    /// What it is.
    pub statement: Statement,
    /// The type of each parameter.
    pub parameters: Vec<PgType>,
    /// Where the client gave a type of its own: the limits of the column that the value goes to.
    pub limits: Vec<Option<PgType>>,
    /// The types as the client is told: its own numbers where it gave some.
    pub parameter_oids: Vec<u32>,
    /// The generation of the schema that it was translated with.
    pub generation: u64,
    /// The master has described it, since this server could not translate it: it is about what was made in a transaction
    /// that the master runs.
    told_by_master: bool,
    /// By what it was last judged, and allowed to the session's role.
    pub(super) judged: Cell<Option<Mark>>,
    /// The columns, and the generation of the schema that they are of.
    columns: RefCell<Option<(u64, Columns)>>,
}

impl Prepared {
    /// Whether no table or column had a part in its translation: it is the same on every schema.
    pub fn is_of_no_schema(&self) -> bool {
        matches!(
            self.statement.kind,
            StatementKind::Begin { .. }
                | StatementKind::Commit { .. }
                | StatementKind::Rollback { .. }
                | StatementKind::Empty
        )
    }

    /// Puts the client's parameter types over those that were inferred.
    pub fn new(source: &str, statement: Statement, oids: &[u32]) -> Self {
        let count = statement.parameters.len().max(oids.len());
        let mut parameters = Vec::with_capacity(count);
        let mut limits = Vec::new();
        let mut parameter_oids = Vec::with_capacity(count);
        for index in 0..count {
            let told = oids.get(index).copied().filter(|oid| *oid != 0);
            let inferred = statement.parameters.get(index).copied().flatten();
            if told.is_some() {
                limits.resize(count, None);
                limits[index] = inferred.filter(is_limited);
            }
            let ty = match told {
                Some(_) if matches!(inferred, Some(PgType::Composed(..))) => {
                    inferred.unwrap_or(PgType::Text)
                }
                // A type that is not known here comes and goes as text.
                Some(oid) => {
                    PgType::from_oid(Oid::new(oid), -1).map_or(PgType::Text, PgType::sent_as)
                }
                None => inferred.map_or(PgType::Text, PgType::sent_as),
            };
            let ty = if ty == PgType::Unknown {
                PgType::Text
            } else {
                ty
            };
            parameter_oids.push(told.unwrap_or_else(|| ty.oid().get()));
            parameters.push(ty);
        }
        let source = source.to_owned();
        Self {
            source,
            statement,
            parameters,
            limits,
            parameter_oids,
            generation: 0,
            told_by_master: false,
            judged: Cell::new(None),
            columns: RefCell::new(None),
        }
    }

    /// A statement that the master has described: the types of its parameters and the columns of its result. As soon
    /// as its transaction is over, it is translated here.
    pub fn told_by_master(source: &str, oids: &[u32], columns: Option<Columns>) -> Self {
        let statement = Statement {
            writes: true,
            returning: columns.is_some(),
            ..Statement::session(StatementKind::Dml, "")
        };
        let mut prepared = Self::new(source, statement, oids);
        prepared.generation = u64::MAX;
        *prepared.columns.borrow_mut() = columns.map(|columns| (u64::MAX, columns));
        prepared.told_by_master = true;
        prepared
    }

    /// Whether the master has described it.
    pub fn is_told_by_master(&self) -> bool {
        self.told_by_master
    }

    /// Values of an older translation within the limits of the columns that they go to now.
    pub fn all_limited(&self, values: &[SqlValue]) -> Result<Vec<SqlValue>, Failure> {
        let values = values.iter().cloned().enumerate();
        values
            .map(|(index, value)| self.limited(index, value))
            .collect()
    }

    /// A parameter's value within the limits of the column that it goes to, when the client said another type.
    pub fn limited(&self, index: usize, value: SqlValue) -> Result<SqlValue, Failure> {
        let Some(Some(limit)) = self.limits.get(index) else {
            return Ok(value);
        };
        let text = match &value {
            SqlValue::Integer(number) => number.to_string(),
            SqlValue::Real(number) if matches!(limit, PgType::Numeric { .. }) => number.to_string(),
            SqlValue::Text(text) => text.clone(),
            _ => return Ok(value),
        };
        Ok(decode(text.as_bytes(), limit, Format::Text)?)
    }

    /// Whether the rows that it changes do not tell what it does, so that it can't be carried over to a newer commit.
    pub fn is_opaque(&self) -> bool {
        let statement = &self.statement;
        statement.moves_rows
            || !statement.clears.is_empty()
            || statement.catalog
            || statement.sqlite.len() > 1
            || !statement.before.is_empty()
    }

    /// The command as a refusal names it: `INSERT`, `CREATE TABLE`.
    pub fn command(&self) -> &'static str {
        match self.statement.tag {
            CommandTag::Select
                if self.statement.writes && self.statement.before.is_empty() && self.has_rows() =>
            {
                "nextval()"
            }
            tag => command(tag),
        }
    }

    /// The commands of the changes in its WITH.
    pub fn commands_before(&self) -> impl Iterator<Item = &'static str> {
        self.statement
            .before
            .iter()
            .map(|change| command(change.tag))
    }

    /// The text that gives the result: SQLite's last.
    pub fn text(&self) -> &str {
        self.statement.sqlite.last().map_or("", String::as_str)
    }

    /// Whether SQLite gives rows for it.
    pub fn has_rows(&self) -> bool {
        match self.statement.kind {
            StatementKind::Query
            | StatementKind::Explain(_)
            | StatementKind::CopyOut { .. }
            | StatementKind::DeclareCursor { .. } => true,
            StatementKind::Dml => self.statement.returning,
            _ => false,
        }
    }

    /// The columns, if they were asked for since the schema last moved.
    pub fn columns(&self, sqlite: &Sqlite) -> Option<Columns> {
        if self.told_by_master {
            return self.last_columns();
        }
        let known = self.columns.borrow();
        let (generation, columns) = known.as_ref()?;
        (*generation == sqlite.schema().generation()).then(|| Rc::clone(columns))
    }

    /// The columns as they were last asked for.
    pub fn last_columns(&self) -> Option<Columns> {
        let known = self.columns.borrow();
        known.as_ref().map(|(_, columns)| Rc::clone(columns))
    }

    /// Takes the columns from SQLite's statement as it is now.
    pub fn describe(&self, sqlite: &Sqlite, statement: &rusqlite::Statement<'_>) -> Columns {
        let columns = self.columns_of(sqlite, statement);
        if sqlite.schema().is_sound() {
            let generation = sqlite.schema().generation();
            *self.columns.borrow_mut() = Some((generation, Rc::clone(&columns)));
        }
        columns
    }

    /// The columns before execution; prepares SQLite's statement when they are not known.
    pub fn describe_now(&self, sqlite: &Sqlite) -> Result<Columns, Failure> {
        match self.columns(sqlite) {
            Some(known) => Ok(known),
            None => Ok(self.describe(sqlite, &*sqlite.prepare(self.text())?)),
        }
    }

    fn columns_of(&self, sqlite: &Sqlite, statement: &rusqlite::Statement<'_>) -> Columns {
        if let StatementKind::Explain(explain) = &self.statement.kind {
            return explain::columns(explain);
        }
        if self.statement.without_columns {
            return [].into();
        }
        let view = View::new(sqlite);
        let known = &self.statement.columns;
        let known_origins = &self.statement.origins;
        let count = statement.column_count();
        // What was translated only keeps the names of types and tables as texts.
        let typed = !self.statement.names.is_empty();
        let said = |index: usize| {
            let ty = known.get(index).copied().flatten()?;
            let ty = if typed { ty } else { ty.sent_as() };
            (known.len() == count).then_some(ty)
        };
        let origins = statement.columns_with_metadata();
        let declared = statement.columns();
        declared
            .zip(origins)
            .enumerate()
            .map(|(index, (column, origin))| {
                let stored = || {
                    let found = view.columns(origin.table_name()?)?;
                    let name = origin.origin_name()?;
                    let info = found
                        .into_iter()
                        .find(|c| c.name.eq_ignore_ascii_case(name))?;
                    info.type_name.map(PgType::sent_as)
                };
                let ty = said(index)
                    .or_else(stored)
                    .unwrap_or_else(|| mapping::declared_type(column.decl_type()));
                let name = self.statement.names.get(index);
                Column {
                    name: name.map_or_else(|| column.name().to_owned(), Clone::clone),
                    ty,
                    origin: known_origins
                        .get(index)
                        .and_then(Option::as_ref)
                        .map_or(NO_TABLE, |origin| number_of(sqlite, origin)),
                }
            })
            .collect()
    }
}

/// What a refusal calls a command with this tag.
fn command(tag: CommandTag) -> &'static str {
    match tag {
        CommandTag::Select => "SELECT",
        CommandTag::Insert => "INSERT",
        CommandTag::Update => "UPDATE",
        CommandTag::Delete => "DELETE",
        CommandTag::Copy => "COPY FROM",
        CommandTag::Fetch => "FETCH",
        CommandTag::Fixed(tag) => tag,
    }
}
