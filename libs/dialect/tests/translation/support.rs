//! An SQLite database behind the translation, as the server would run it.

use std::sync::{Arc, Mutex};

use dialect::catalog::TypeId;
use dialect::pg_catalog::{CatalogFunction, Objects};
use dialect::{
    DialectError, Needs, REQUIRED_PRAGMAS, SchemaView, Sequences, Statement, StatementKind,
    analyze, pg_catalog, split,
};
use pgtypes::{PgType, SqlState, SqlValue, SqlValueRef, ValueError};
use rusqlite::Connection;
use rusqlite::functions::Context;

use crate::functions::{Answer, arguments, flags, refused, stored};
use crate::{functions, session};

pub(crate) struct Database {
    pub(crate) connection: Connection,
    sequences: Arc<Mutex<session::Sequences>>,
    objects: Arc<Mutex<Objects>>,
}

/// A function that looks objects of the catalog up.
fn call(
    function: &CatalogFunction,
    objects: &Mutex<Objects>,
    context: &Context<'_>,
) -> rusqlite::Result<Answer> {
    let arguments: Vec<SqlValue> = arguments(context).iter().map(owned).collect();
    if function.strict && arguments.contains(&SqlValue::Null) {
        return Ok(Answer(SqlValue::Null));
    }
    (function.run)(&objects.lock().unwrap(), &arguments)
        .map(Answer)
        .map_err(|error| refused(&ValueError::new(error.sqlstate, error.message)))
}

fn owned(value: &SqlValueRef<'_>) -> SqlValue {
    match *value {
        SqlValueRef::Null => SqlValue::Null,
        SqlValueRef::Integer(number) => SqlValue::Integer(number),
        SqlValueRef::Real(number) => SqlValue::Real(number),
        SqlValueRef::Text(text) => SqlValue::Text(text.to_owned()),
        SqlValueRef::Blob(bytes) => SqlValue::Blob(bytes.to_vec()),
    }
}

/// An error as tests read it: SQLSTATE and message.
pub(crate) fn said(sqlstate: SqlState, message: &str) -> String {
    format!("{sqlstate} {message}")
}

fn by_translation(error: &DialectError) -> String {
    said(error.sqlstate, &error.message)
}

/// What a client is told of SQLite's error.
fn by_sqlite(error: &rusqlite::Error) -> String {
    let (code, message) = match error {
        rusqlite::Error::SqliteFailure(code, message) => (code, message.clone()),
        rusqlite::Error::SqlInputError { error, msg, .. } => (error, Some(msg.clone())),
        other => return other.to_string(),
    };
    let message = message.unwrap_or_else(|| code.to_string());
    let failure = pgtypes::sqlite::failure(code.extended_code, code.extended_code, &message);
    said(failure.sqlstate, &failure.message)
}

impl Database {
    pub(crate) fn new() -> Self {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch("PRAGMA foreign_keys = ON")
            .unwrap();
        for pragma in REQUIRED_PRAGMAS {
            connection.execute_batch(pragma).unwrap();
        }
        let objects = Arc::<Mutex<Objects>>::default();
        for function in pg_catalog::functions() {
            let known = Arc::clone(&objects);
            let run = move |context: &Context<'_>| call(function, &known, context);
            connection
                .create_scalar_function(function.name, function.arguments, flags(true), run)
                .unwrap();
        }
        functions::register(&connection).unwrap();
        let sequences = Arc::default();
        session::register(&connection, &sequences).unwrap();
        Self {
            connection,
            sequences,
            objects,
        }
    }

    pub(crate) fn analyze(&self, sql: &str) -> Statement {
        analyze(sql, self).unwrap_or_else(|error| panic!("{error}\n{sql}"))
    }

    /// Runs statements, none of which may fail.
    pub(crate) fn run(&self, sql: &str) {
        for range in split(sql) {
            let text = &sql[range];
            self.execute(text)
                .unwrap_or_else(|error| panic!("{error}\n{text}\n{:?}", self.analyze(text).sqlite));
        }
    }

    pub(crate) fn execute(&self, sql: &str) -> Result<(), String> {
        let statement = analyze(sql, self).map_err(|error| by_translation(&error))?;
        for check in &statement.first {
            let mut query = self.connection.prepare(&check.query).unwrap();
            if query.exists([]).unwrap() {
                return Err(said(check.violation.sqlstate, &check.violation.message));
            }
        }
        if !statement.parts.is_empty() {
            return statement
                .parts
                .iter()
                .try_for_each(|part| self.execute(part));
        }
        if let Some(needs) = &statement.needs {
            return self.with_needs(&statement, needs);
        }
        self.make_ready(&statement);
        if statement.sqlite.is_empty() {
            return Ok(());
        }
        self.batch("SAVEPOINT statement").unwrap();
        for text in &statement.sqlite {
            if let Err(error) = self.batch(text) {
                self.batch("ROLLBACK TO statement; RELEASE statement")
                    .unwrap();
                return Err(error);
            }
        }
        self.batch("RELEASE statement")
    }

    fn batch(&self, sql: &str) -> Result<(), String> {
        self.connection
            .execute_batch(sql)
            .map_err(|error| by_sqlite(&error))
    }

    /// What a statement relies on is there.
    fn make_ready(&self, statement: &Statement) {
        if statement.catalog {
            self.fill_catalog();
        }
        if statement.sequences != Sequences::None {
            let mut sequences = self.sequences.lock().unwrap();
            sequences.read(&self.connection).unwrap();
        }
    }

    fn with_needs(&self, statement: &Statement, needs: &Needs) -> Result<(), String> {
        let (Needs::SchemaRebuild { checks, .. } | Needs::SchemaEdit { checks, .. }) = needs;
        self.batch("BEGIN")?;
        let changed = self.change(statement, needs).and_then(|()| {
            for check in checks {
                let mut query = self
                    .connection
                    .prepare(&check.query)
                    .map_err(|error| by_sqlite(&error))?;
                if query.exists([]).map_err(|error| by_sqlite(&error))? {
                    return Err(said(check.violation.sqlstate, &check.violation.message));
                }
            }
            Ok(())
        });
        self.batch(if changed.is_err() {
            "ROLLBACK"
        } else {
            "COMMIT"
        })?;
        changed
    }

    fn change(&self, statement: &Statement, needs: &Needs) -> Result<(), String> {
        for text in &statement.sqlite {
            self.batch(text)?;
        }
        self.batch("PRAGMA writable_schema = ON")?;
        match needs {
            Needs::SchemaEdit {
                place, table, sql, ..
            } => {
                self.connection
                    .execute(&Needs::schema_edit(place), [sql, table])
                    .unwrap();
            }
            Needs::SchemaRebuild { swap, .. } => {
                for text in swap {
                    self.batch(text)?;
                }
            }
        }
        let version = self.raw("PRAGMA schema_version").parse::<i64>().unwrap() + 1;
        self.batch(&format!(
            "PRAGMA schema_version = {version}; PRAGMA writable_schema = RESET"
        ))?;
        if let Needs::SchemaRebuild { after, .. } = needs {
            for text in after {
                self.batch(text)?;
            }
        }
        Ok(())
    }

    /// Rows of a query as a client reads them, `|` between columns.
    pub(crate) fn rows(&self, sql: &str) -> Vec<String> {
        self.try_rows(sql)
            .unwrap_or_else(|error| panic!("{error}\n{sql}\n{:?}", self.analyze(sql).sqlite))
    }

    pub(crate) fn try_rows(&self, sql: &str) -> Result<Vec<String>, String> {
        let statement = analyze(sql, self).map_err(|error| by_translation(&error))?;
        self.make_ready(&statement);
        assert!(matches!(
            statement.kind,
            StatementKind::Query | StatementKind::Dml | StatementKind::Explain(_)
        ));
        let (last, first) = statement.sqlite.split_last().unwrap();
        for text in first {
            self.batch(text)?;
        }
        let mut prepared = self
            .connection
            .prepare(last)
            .map_err(|error| by_sqlite(&error))?;
        let width = prepared.column_count();
        if !statement.columns.is_empty() {
            assert_eq!(statement.columns.len(), width, "{last}");
        }
        let nulls = vec![rusqlite::types::Null; prepared.parameter_count()];
        let mut rows = prepared
            .query(rusqlite::params_from_iter(nulls))
            .map_err(|error| by_sqlite(&error))?;
        let mut out = Vec::new();
        while let Some(row) = rows.next().map_err(|error| by_sqlite(&error))? {
            let cells: Vec<String> = (0..width)
                .map(|at| {
                    let ty = statement.columns.get(at).copied().flatten();
                    shown(stored(row.get_ref(at).unwrap()), ty)
                })
                .collect();
            out.push(cells.join("|"));
        }
        Ok(out)
    }

    /// The first value of a query that needs no parameters, as it is stored.
    pub(crate) fn try_value(&self, sql: &str) -> Result<SqlValue, String> {
        let statement = analyze(sql, self).map_err(|error| by_translation(&error))?;
        let last = statement.sqlite.last().unwrap();
        self.connection
            .query_row(last, [], |row| Ok(owned(&stored(row.get_ref(0)?))))
            .map_err(|error| by_sqlite(&error))
    }

    /// Where expressions in the place of `{}` give something else than they should, a line each.
    pub(crate) fn differences(&self, query: &str, cases: &[(&str, &str)]) -> String {
        let mut found = Vec::new();
        for (expression, expected) in cases {
            let rows = self.try_rows(&query.replace("{}", expression));
            let given = rows.map_or_else(|error| error, |rows| rows.join(" "));
            if given != *expected {
                found.push(format!("{expression}: {given}, not {expected}"));
            }
        }
        found.join("\n")
    }

    pub(crate) fn one(&self, sql: &str) -> String {
        let rows = self.rows(sql);
        assert_eq!(rows.len(), 1, "{sql}: {rows:?}");
        rows[0].clone()
    }

    /// A value that SQLite gives by itself, of what clients can't ask for.
    pub(crate) fn raw(&self, sql: &str) -> String {
        self.connection
            .query_row(sql, [], |row| Ok(shown(stored(row.get_ref(0)?), None)))
            .unwrap()
    }

    /// How SQLite goes about a statement, a line for each step.
    pub(crate) fn plan(&self, sql: &str) -> String {
        let text = format!("EXPLAIN QUERY PLAN {}", self.analyze(sql).sqlite[0]);
        let mut prepared = self.connection.prepare(&text).unwrap();
        let nulls = vec![rusqlite::types::Null; prepared.parameter_count()];
        let steps = prepared.query_map(rusqlite::params_from_iter(nulls), |row| row.get("detail"));
        let steps: Vec<String> = steps.unwrap().map(Result::unwrap).collect();
        steps.join("\n")
    }

    /// Names of the result columns.
    pub(crate) fn names(&self, sql: &str) -> Vec<String> {
        let statement = self.analyze(sql);
        if !statement.names.is_empty() {
            return statement.names;
        }
        let prepared = self
            .connection
            .prepare(statement.sqlite.last().unwrap())
            .unwrap();
        prepared.column_names().map(str::to_owned).collect()
    }

    fn fill_catalog(&self) {
        let mut input = pg_catalog::CatalogInput {
            database: "shop".to_owned(),
            databases: ["shop", "other"]
                .map(|name| (name.to_owned(), pg_catalog::Owned::default()))
                .to_vec(),
            user: "dba".to_owned(),
            roles: vec![pg_catalog::CatalogRole {
                name: "dba".to_owned(),
                superuser: true,
                inherit: true,
                login: true,
                connection_limit: -1,
                ..pg_catalog::CatalogRole::default()
            }],
            search_path: ["pg_catalog", "public"].map(str::to_owned).to_vec(),
            schemas: Vec::new(),
            sequences: session::sequences(&self.connection, dialect::SequenceInfo::PRESENT, "")
                .unwrap(),
            ..pg_catalog::CatalogInput::default()
        };
        let sql = "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' ORDER BY name";
        let mut statement = self.connection.prepare(sql).unwrap();
        let names = statement.query_map([], |row| row.get(0)).unwrap();
        let names: Vec<String> = names.map(Result::unwrap).collect();
        for name in names {
            let mut info = (*self.table_info(&name).unwrap()).clone();
            info.indexes = self
                .dependents(&name)
                .into_iter()
                .filter(|sql| sql.contains("INDEX"))
                .collect();
            input.tables.push(info);
        }
        let contents = pg_catalog::contents(&input);
        *self.objects.lock().unwrap() = contents.objects;
        for table in pg_catalog::tables() {
            self.batch(&table.create()).unwrap();
            self.batch(&format!("DELETE FROM temp.\"{}\"", table.name))
                .unwrap();
        }
        for table in pg_catalog::fixed_rows().iter().chain(&contents.rows) {
            for row in &table.rows {
                let marks = vec!["?"; row.len()].join(",");
                let sql = format!("INSERT INTO temp.\"{}\" VALUES ({marks})", table.table);
                let values = row.iter().cloned().map(Answer);
                self.connection
                    .prepare_cached(&sql)
                    .and_then(|mut insert| insert.execute(rusqlite::params_from_iter(values)))
                    .unwrap_or_else(|error| panic!("{error}: {sql}"));
            }
        }
    }
}

/// A value as a client reads it.
fn shown(value: SqlValueRef<'_>, ty: Option<PgType>) -> String {
    if value.is_null() {
        return "NULL".to_owned();
    }
    pgtypes::to_text(value, &ty.unwrap_or(PgType::Text))
}

/// A type by its name in the catalog, with modifiers: `varchar(20)`.
pub(crate) fn short(ty: &PgType) -> String {
    if let PgType::Composed(oid, _) = ty {
        return TypeId::new(oid.get()).name();
    }
    let declared = ty.declaration();
    let modifiers = declared.find('(').map_or("", |at| &declared[at..]);
    format!("{}{modifiers}", ty.typname())
}
