//! An SQLite database behind the translation, as the server would run it.

use dialect::functions::Value;
use dialect::{
    ColumnInfo, FunctionSpec, Implementation, Needs, REQUIRED_FUNCTIONS, REQUIRED_PRAGMAS,
    SchemaView, Statement, StatementKind, analyze, parse_create_table, pg_catalog, split,
};
use pgtypes::PgType;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension};

pub(crate) struct Database {
    pub(crate) connection: Connection,
}

impl SchemaView for Database {
    fn columns(&self, table: &str) -> Option<Vec<ColumnInfo>> {
        if let Some(info) = self
            .create_sql(table)
            .and_then(|sql| parse_create_table(&sql))
        {
            return Some(
                info.columns
                    .into_iter()
                    .map(|column| ColumnInfo {
                        name: column.name,
                        type_name: column.type_name,
                        not_null: column.not_null,
                        default: column.default,
                        identity: column.identity,
                    })
                    .collect(),
            );
        }
        let mut statement = self
            .connection
            .prepare("SELECT name FROM pragma_table_info(?1)")
            .unwrap();
        let names: Vec<String> = statement
            .query_map([table], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        (!names.is_empty()).then(|| {
            names
                .into_iter()
                .map(|name| ColumnInfo::new(name, None))
                .collect()
        })
    }

    fn create_sql(&self, table: &str) -> Option<String> {
        let sql = "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?1 COLLATE NOCASE";
        self.connection
            .query_row(sql, [table], |row| row.get(0))
            .optional()
            .unwrap()
    }

    fn dependents(&self, table: &str) -> Vec<String> {
        let sql = "SELECT sql FROM sqlite_schema WHERE type IN ('index', 'trigger') AND tbl_name = ?1 COLLATE NOCASE AND sql IS NOT NULL";
        let mut statement = self.connection.prepare(sql).unwrap();
        statement
            .query_map([table], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect()
    }

    fn is_referenced(&self, table: &str) -> bool {
        let sql = "SELECT count(*) FROM sqlite_schema AS s, pragma_foreign_key_list(s.name) AS f \
                   WHERE s.type = 'table' AND f.\"table\" = ?1 COLLATE NOCASE AND s.name <> ?1 COLLATE NOCASE";
        self.connection
            .query_row(sql, [table], |row| row.get::<_, i64>(0))
            .unwrap()
            > 0
    }

    fn index_table(&self, index: &str) -> Option<String> {
        let sql =
            "SELECT tbl_name FROM sqlite_schema WHERE type = 'index' AND name = ?1 COLLATE NOCASE";
        self.connection
            .query_row(sql, [index], |row| row.get(0))
            .optional()
            .unwrap()
    }
}

fn argument(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(value) => Value::Integer(value),
        ValueRef::Real(value) => Value::Real(value),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
    }
}

fn result(value: Value) -> rusqlite::types::Value {
    match value {
        Value::Null => rusqlite::types::Value::Null,
        Value::Integer(value) => rusqlite::types::Value::Integer(value),
        Value::Real(value) => rusqlite::types::Value::Real(value),
        Value::Text(text) => rusqlite::types::Value::Text(text),
        Value::Blob(bytes) => rusqlite::types::Value::Blob(bytes),
    }
}

fn call(
    function: &FunctionSpec,
    context: &Context<'_>,
) -> rusqlite::Result<rusqlite::types::Value> {
    let arguments: Vec<Value> = (0..context.len())
        .map(|at| argument(context.get_raw(at)))
        .collect();
    if function.strict && arguments.contains(&Value::Null) {
        return Ok(rusqlite::types::Value::Null);
    }
    match function.implementation {
        Implementation::Pure(run) => run(&arguments)
            .map(result)
            .map_err(|error| rusqlite::Error::UserFunctionError(Box::new(error))),
        Implementation::Session => Ok(rusqlite::types::Value::Text(
            match function.name {
                "now" | "clock_timestamp" | "statement_timestamp" => "2024-06-09 15:04:05.25+00",
                "current_database" => "shop",
                "current_user" => "dba",
                other => other,
            }
            .to_owned(),
        )),
    }
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
        for function in REQUIRED_FUNCTIONS {
            let mut flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_INNOCUOUS;
            if function.deterministic {
                flags |= FunctionFlags::SQLITE_DETERMINISTIC;
            }
            let run = move |context: &Context<'_>| call(function, context);
            connection
                .create_scalar_function(function.name, function.arguments, flags, run)
                .unwrap();
        }
        Self { connection }
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
        let statement = analyze(sql, self).map_err(|error| error.to_string())?;
        if let Some(needs) = &statement.needs {
            return self.with_needs(&statement, needs);
        }
        for text in &statement.sqlite {
            self.connection
                .execute_batch(text)
                .map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    fn with_needs(&self, statement: &Statement, needs: &Needs) -> Result<(), String> {
        let run = |sql: &str| {
            self.connection
                .execute_batch(sql)
                .map_err(|error| format!("{error}: {sql}"))
        };
        let (checks, violation) = match needs {
            Needs::SchemaRebuild {
                checks,
                violation,
                foreign_keys_off,
                ..
            } => {
                if *foreign_keys_off {
                    run("PRAGMA foreign_keys = OFF")?;
                }
                run("PRAGMA legacy_alter_table = ON; BEGIN")?;
                for text in &statement.sqlite {
                    run(text)?;
                }
                (checks, violation)
            }
            Needs::SchemaEdit {
                table,
                sql,
                checks,
                violation,
            } => {
                run("BEGIN; PRAGMA writable_schema = ON")?;
                self.connection
                    .execute(Needs::SCHEMA_EDIT, [sql, table])
                    .unwrap();
                let version: i64 = self
                    .connection
                    .query_row("PRAGMA schema_version", [], |row| row.get(0))
                    .unwrap();
                run(&format!(
                    "PRAGMA schema_version = {}; PRAGMA writable_schema = RESET",
                    version + 1
                ))?;
                (checks, violation)
            }
        };
        let mut failed = false;
        for check in checks {
            let found: Option<i64> = self
                .connection
                .query_row(check, [], |row| row.get(0))
                .optional()
                .map_err(|error| format!("{error}: {check}"))?;
            failed |= found.is_some();
        }
        run(if failed { "ROLLBACK" } else { "COMMIT" })?;
        run("PRAGMA legacy_alter_table = OFF; PRAGMA foreign_keys = ON")?;
        if failed {
            Err(format!("{} {}", violation.0, violation.1))
        } else {
            Ok(())
        }
    }

    /// Rows of a query as texts, `|` between columns.
    pub(crate) fn rows(&self, sql: &str) -> Vec<String> {
        self.try_rows(sql)
            .unwrap_or_else(|error| panic!("{error}\n{sql}\n{:?}", self.analyze(sql).sqlite))
    }

    pub(crate) fn try_rows(&self, sql: &str) -> Result<Vec<String>, String> {
        let statement = analyze(sql, self).map_err(|error| error.to_string())?;
        if statement.catalog {
            self.fill_catalog();
        }
        assert!(matches!(
            statement.kind,
            StatementKind::Query | StatementKind::Dml | StatementKind::Explain { .. }
        ));
        let (last, first) = statement.sqlite.split_last().unwrap();
        for text in first {
            self.connection
                .execute_batch(text)
                .map_err(|error| error.to_string())?;
        }
        let mut prepared = self
            .connection
            .prepare(last)
            .map_err(|error| error.to_string())?;
        let width = prepared.column_count();
        if !statement.columns.is_empty() {
            assert_eq!(statement.columns.len(), width, "{last}");
        }
        let nulls = vec![rusqlite::types::Value::Null; prepared.parameter_count()];
        let mut rows = prepared
            .query(rusqlite::params_from_iter(nulls))
            .map_err(|error| error.to_string())?;
        let mut out = Vec::new();
        while let Some(row) = rows.next().map_err(|error| error.to_string())? {
            let cells: Vec<String> = (0..width)
                .map(|at| shown(row.get_ref(at).unwrap()))
                .collect();
            out.push(cells.join("|"));
        }
        Ok(out)
    }

    /// The first value of a query that needs no parameters, as it is stored.
    pub(crate) fn try_value(&self, sql: &str) -> Result<Value, String> {
        let statement = analyze(sql, self).map_err(|error| error.to_string())?;
        let last = statement.sqlite.last().unwrap();
        self.connection
            .query_row(last, [], |row| row.get_ref(0).map(argument))
            .map_err(|error| error.to_string())
    }

    pub(crate) fn one(&self, sql: &str) -> String {
        let rows = self.rows(sql);
        assert_eq!(rows.len(), 1, "{sql}: {rows:?}");
        rows[0].clone()
    }

    /// A value that SQLite gives by itself, of what clients can't ask for.
    pub(crate) fn raw(&self, sql: &str) -> String {
        let value: i64 = self
            .connection
            .query_row(sql, [], |row| row.get(0))
            .unwrap();
        value.to_string()
    }

    /// Names of the result columns.
    pub(crate) fn names(&self, sql: &str) -> Vec<String> {
        let statement = self.analyze(sql);
        let prepared = self
            .connection
            .prepare(statement.sqlite.last().unwrap())
            .unwrap();
        prepared.column_names().map(str::to_owned).collect()
    }

    pub(crate) fn fill_catalog(&self) {
        let mut input = pg_catalog::CatalogInput {
            database: "shop".to_owned(),
            databases: vec!["shop".to_owned(), "other".to_owned()],
            users: vec!["dba".to_owned()],
            ..pg_catalog::CatalogInput::default()
        };
        let sql = "SELECT type, name, sql FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' ORDER BY name";
        let mut statement = self.connection.prepare(sql).unwrap();
        let found: Vec<(String, String, String)> = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        for (kind, name, sql) in found {
            let mut info = if kind == "view" {
                let mut info = dialect::TableInfo {
                    name: name.clone(),
                    view: Some(sql),
                    ..Default::default()
                };
                for column in self.columns(&name).unwrap_or_default() {
                    info.columns.push(dialect::TableColumn {
                        name: column.name,
                        type_name: column.type_name,
                        ..dialect::TableColumn::default()
                    });
                }
                info
            } else {
                parse_create_table(&sql).unwrap()
            };
            info.indexes = self
                .dependents(&name)
                .into_iter()
                .filter(|sql| sql.contains("INDEX"))
                .collect();
            input.tables.push(info);
        }
        for table in pg_catalog::tables() {
            self.connection
                .execute_batch(table.create)
                .unwrap_or_else(|error| panic!("{error}: {}", table.create));
        }
        for table in pg_catalog::rows(&input) {
            self.connection
                .execute_batch(&format!("DELETE FROM temp.{}", table.table))
                .unwrap();
            for row in table.rows {
                let marks = vec!["?"; row.len()].join(",");
                let values: Vec<rusqlite::types::Value> = row.into_iter().map(result).collect();
                let sql = format!("INSERT INTO temp.{} VALUES ({marks})", table.table);
                self.connection
                    .execute(&sql, rusqlite::params_from_iter(values))
                    .unwrap_or_else(|error| panic!("{error}: {sql}"));
            }
        }
    }
}

fn shown(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(value) => value.to_string(),
        ValueRef::Real(value) => value.to_string(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Blob(bytes) => format!("{bytes:?}"),
    }
}

/// A type by its name in the catalog, with modifiers: `varchar(20)`.
pub(crate) fn short(ty: &PgType) -> String {
    match ty.declared_as() {
        Some(_) => ty.typname().to_owned(),
        None => ty.declaration(),
    }
}
