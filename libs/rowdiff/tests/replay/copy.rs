//! The database to which the changes are done again.

use rowdiff::{Change, Definition, ObjectKind, Row, RowChange, SchemaChange, Table, Value};
use rusqlite::config::DbConfig;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, params, params_from_iter};

use crate::history::Act;

pub(crate) struct Copy {
    pub(crate) connection: Connection,
}

impl Copy {
    pub(crate) fn new() -> Self {
        let connection = Connection::open_in_memory().unwrap();
        // What a trigger has done is among the changes.
        connection
            .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)
            .unwrap();
        connection
            .execute_batch("PRAGMA writable_schema = ON; PRAGMA legacy_alter_table = ON")
            .unwrap();
        Self { connection }
    }

    pub(crate) fn replay(&self, told: Vec<Change>) {
        let kept = self.keep_own_tables();
        let mut rows = Vec::new();
        let mut schema = Vec::new();
        let mut renumbered = Vec::new();
        for change in told {
            match change {
                Change::Schema(change) => schema.push(change),
                Change::Row(change) => rows.push(change),
                Change::Renumbered(table) => renumbered.push(table),
            }
        }
        // What hangs on a table goes before it and comes behind it.
        schema.sort_by_key(|change| (change.after.is_some(), change.kind));
        for change in &schema {
            self.schema(change);
        }
        let own = |change: &RowChange| change.table.name.starts_with("sqlite_");
        let (own, others): (Vec<_>, Vec<_>) = rows.into_iter().partition(own);
        self.rows(&others, &schema);
        self.put_back_own_tables(&kept);
        self.rows(&own, &schema);
        for table in &renumbered {
            self.renumber(table);
        }
    }

    fn rows(&self, rows: &[RowChange], schema: &[SchemaChange]) {
        let befores = rows
            .iter()
            .filter_map(|change| Some((change, change.before.as_ref()?)));
        for (change, row) in befores.filter(|(_, row)| !is_made_anew(schema, row)) {
            self.remove(change, row);
        }
        for change in rows {
            if let Some(row) = &change.after {
                self.put(change, row);
            }
        }
    }

    /// The tables that SQLite changes by itself when something is done to others.
    fn own_tables(&self) -> Vec<String> {
        let names = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'sqlite^_%' ESCAPE '^'";
        let mut statement = self.connection.prepare(names).unwrap();
        let names = statement.query_map([], |row| row.get(0)).unwrap();
        names.map(Result::unwrap).collect()
    }

    fn keep_own_tables(&self) -> Vec<String> {
        let names = self.own_tables();
        for name in &names {
            self.execute(&format!("CREATE TEMP TABLE kept_{name} AS SELECT rowid AS number, * FROM {name} ORDER BY rowid"));
        }
        names
    }

    /// What SQLite has made of them while changes were done again is told, too, so it is undone.
    fn put_back_own_tables(&self, kept: &[String]) {
        for name in self.own_tables() {
            self.execute(&format!("DELETE FROM {name}"));
            if kept.contains(&name) {
                let sql = format!("SELECT group_concat(name) FROM pragma_table_info('{name}')");
                let columns: String = self
                    .connection
                    .query_row(&sql, [], |row| row.get(0))
                    .unwrap();
                self.execute(&format!(
                    "INSERT INTO {name} (rowid, {columns}) SELECT * FROM temp.kept_{name}"
                ));
            }
        }
        for name in kept {
            self.execute(&format!("DROP TABLE temp.kept_{name}"));
        }
    }

    fn execute(&self, sql: &str) {
        self.connection
            .execute_batch(sql)
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    fn is_there(&self, kind: ObjectKind, definition: &Definition) -> bool {
        self.connection
            .query_row(
                "SELECT count(*) FROM sqlite_schema WHERE type = ?1 AND name = ?2 COLLATE NOCASE",
                params![kind.to_string(), definition.name],
                |row| row.get::<_, i64>(0),
            )
            .unwrap()
            > 0
    }

    fn schema(&self, change: &SchemaChange) {
        let kind = change.kind;
        match (&change.before, &change.after) {
            // VACUUM drops it, and nobody else can.
            (Some(old), None) if old.name == "sqlite_sequence" => {
                self.execute("DELETE FROM sqlite_sequence");
            }
            (Some(old), None) if self.is_there(kind, old) && !old.sql.is_empty() => {
                self.execute(&format!("DROP {kind} \"{}\"", old.name));
            }
            (None, Some(new)) if !self.is_there(kind, new) && !new.sql.is_empty() => {
                self.execute(&new.sql);
            }
            (Some(old), Some(new)) => self.alter(kind, old, new),
            _ => {}
        }
    }

    fn alter(&self, kind: ObjectKind, old: &Definition, new: &Definition) {
        if kind != ObjectKind::Table {
            if !self.is_there(kind, new) && !new.sql.is_empty() {
                self.execute(&new.sql);
            }
            self.set_definition(kind, new);
            return;
        }
        if old.name != new.name {
            self.execute(&format!(
                "ALTER TABLE \"{}\" RENAME TO \"{}\"",
                old.name, new.name
            ));
        }
        let (before, after) = (table(old), table(new));
        if !after.has_keys_of(&before) {
            self.make_anew(new);
            return;
        }
        let constraints = |definition: &Definition| {
            let count = |word| definition.sql.to_uppercase().matches(word).count();
            count("PRIMARY KEY") + count("UNIQUE")
        };
        let unnamed = |column: &rowdiff::Column| {
            let mut column = column.clone();
            column.name.clear();
            column
        };
        let mut places = before.columns.iter().zip(&after.columns);
        let appended = before.columns.len() > after.columns.len()
            || places.all(|(old, new)| unnamed(old) == unnamed(new));
        if !appended || constraints(old) != constraints(new) {
            self.rebuild(&before, &after, new);
            return;
        }
        let known = |column: &rowdiff::Column| before.column(&column.name).is_some();
        if before.columns.len() > after.columns.len() {
            if !after.columns.iter().any(known) {
                self.rebuild(&before, &after, new);
                return;
            }
            for column in &before.columns {
                if after.column(&column.name).is_none() && self.has_column(&new.name, &column.name)
                {
                    self.execute(&format!(
                        "ALTER TABLE \"{}\" DROP COLUMN \"{}\"",
                        new.name, column.name
                    ));
                }
            }
        }
        self.set_definition(kind, new);
    }

    /// A table of another definition with the rows of the old one.
    fn rebuild(&self, before: &Table, after: &Table, new: &Definition) {
        let (mut from, mut to) = (Vec::new(), Vec::new());
        for (index, column) in after
            .columns
            .iter()
            .enumerate()
            .filter(|(_, column)| !column.generated)
        {
            if let Some(old) = after.counterpart(index, before) {
                from.push(format!("\"{}\"", before.columns[old].name));
                to.push(format!("\"{}\"", column.name));
            }
        }
        if !after.without_rowid && after.rowid_column.is_none() {
            from.push("rowid AS number".to_owned());
            to.push("rowid".to_owned());
        }
        let (from, names, name) = (from.join(", "), to.join(", "), &new.name);
        self.execute(&format!(
            "CREATE TEMP TABLE rows AS SELECT {from} FROM \"{name}\""
        ));
        self.make_anew(new);
        self.execute(&format!(
            "INSERT INTO \"{name}\" ({names}) SELECT * FROM temp.rows; DROP TABLE temp.rows"
        ));
    }

    /// An empty table of another definition, and what hung on the old one.
    fn make_anew(&self, new: &Definition) {
        let hung = "SELECT sql FROM sqlite_schema WHERE tbl_name = ?1 AND type IN ('index', 'trigger') AND sql IS NOT NULL";
        let mut statement = self.connection.prepare(hung).unwrap();
        let texts = statement
            .query_map([&new.name], |row| row.get::<_, String>(0))
            .unwrap();
        let texts: Vec<String> = texts.map(Result::unwrap).collect();
        self.execute(&format!("DROP TABLE \"{}\"", new.name));
        self.execute(&new.sql);
        for text in texts {
            // One that names a column that is gone is told with its new text.
            drop(self.connection.execute_batch(&text));
        }
    }

    fn has_column(&self, table: &str, column: &str) -> bool {
        let sql = "SELECT count(*) FROM pragma_table_xinfo(?1) WHERE name = ?2 COLLATE NOCASE";
        let count: i64 = self
            .connection
            .query_row(sql, [table, column], |row| row.get(0))
            .unwrap();
        count > 0
    }

    /// As ALTER TABLE does it: the text is another one.
    fn set_definition(&self, kind: ObjectKind, new: &Definition) {
        self.connection
            .execute(
                "UPDATE sqlite_schema SET sql = nullif(?3, '') WHERE type = ?1 AND name = ?2",
                params![kind.to_string(), new.name, new.sql],
            )
            .unwrap();
        let version: i64 = self
            .connection
            .query_row("PRAGMA schema_version", [], |row| row.get(0))
            .unwrap();
        self.execute(&format!("PRAGMA schema_version = {}", version + 1));
    }

    fn renumber(&self, table: &Table) {
        let name = &table.name;
        let names: Vec<String> = table
            .columns
            .iter()
            .filter(|c| !c.generated)
            .map(|c| format!("\"{}\"", c.name))
            .collect();
        let names = names.join(", ");
        self.execute(&format!(
            "CREATE TEMP TABLE rows AS SELECT {names} FROM \"{name}\" ORDER BY rowid;
             DELETE FROM \"{name}\";
             INSERT INTO \"{name}\" ({names}) SELECT * FROM rows ORDER BY rowid;
             DROP TABLE temp.rows"
        ));
    }

    fn remove(&self, change: &RowChange, row: &Row) {
        let name = &change.table.name;
        // All columns that are still there must be what the change says that they were.
        let mut tests = Vec::new();
        let mut values = Vec::new();
        for (column, value) in row.table.columns.iter().zip(&row.values) {
            let same = row.table.columns == change.table.columns || change.rowid.is_none();
            if same && self.has_column(name, &column.name) {
                values.push(value);
                tests.push(format!(
                    "\"{}\" IS ?{} COLLATE BINARY AND typeof(\"{0}\") = typeof(?{1})",
                    column.name,
                    values.len()
                ));
            }
        }
        if let Some(rowid) = change.rowid {
            tests.push(format!("rowid = {rowid}"));
        }
        let sql = format!("DELETE FROM \"{name}\" WHERE {}", tests.join(" AND "));
        let done = self
            .connection
            .execute(&sql, params_from_iter(values.into_iter().map(bound)));
        assert_eq!(done.unwrap(), 1, "{sql}: {change:?}");
    }

    fn put(&self, change: &RowChange, row: &Row) {
        let mut names = Vec::new();
        let mut values = Vec::new();
        if let (Some(rowid), None) = (change.rowid, row.table.rowid_column) {
            names.push("rowid".to_owned());
            values.push(rusqlite::types::Value::Integer(rowid));
        }
        for (column, value) in row.table.columns.iter().zip(&row.values) {
            if !column.generated {
                names.push(format!("\"{}\"", column.name));
                values.push(bound(value));
            }
        }
        let places: Vec<String> = (1..=names.len()).map(|n| format!("?{n}")).collect();
        let sql = format!(
            "INSERT INTO \"{}\" ({}) VALUES ({})",
            row.table.name,
            names.join(", "),
            places.join(", ")
        );
        self.connection
            .execute(&sql, params_from_iter(values))
            .unwrap_or_else(|error| panic!("{sql}: {error}: {change:?}"));
    }

    pub(crate) fn assert_same_as(&self, source: &Connection, index: usize, transaction: &[Act]) {
        let schema = "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name <> 'sqlite_sequence' ORDER BY type, name";
        let context = format!("transaction {index} {transaction:?}");
        assert_eq!(
            rows(&self.connection, schema),
            rows(source, schema),
            "{context}"
        );
        let tables = "SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name <> 'sqlite_schema'";
        for table in rows(source, tables) {
            let [name, without_rowid] = &table[..] else {
                panic!("{table:?}")
            };
            let name = name.trim_matches('\'');
            let rowid = if without_rowid == "1" { "" } else { "rowid, " };
            let sql = format!("SELECT {rowid}* FROM \"{name}\" ORDER BY 1, 2");
            let (copied, own) = (rows(&self.connection, &sql), rows(source, &sql));
            let differs = copied.iter().zip(&own).find(|(one, other)| one != other);
            let counts = (copied.len(), own.len());
            assert!(
                copied == own,
                "{context}, table {name}: {counts:?} rows, {:.2000}",
                format!("{differs:?}")
            );
        }
    }
}

/// Whether the table of a row has keys of another kind now: then it was made anew without rows.
fn is_made_anew(schema: &[SchemaChange], row: &Row) -> bool {
    let of_table = |change: &&SchemaChange| {
        let old = change.before.as_ref();
        change.kind == ObjectKind::Table && old.is_some_and(|old| old.name == row.table.name)
    };
    let after = schema
        .iter()
        .find(of_table)
        .and_then(|change| change.after.as_ref());
    after.is_some_and(|after| !table(after).has_keys_of(&row.table))
}

fn table(definition: &Definition) -> Table {
    Table::parse(&definition.name, &definition.sql).unwrap()
}

fn bound(value: &Value) -> rusqlite::types::Value {
    match value.clone() {
        Value::Null => rusqlite::types::Value::Null,
        Value::Integer(value) => rusqlite::types::Value::Integer(value),
        Value::Real(value) => rusqlite::types::Value::Real(value),
        Value::Text(value) => rusqlite::types::Value::Text(String::from_utf8(value).unwrap()),
        Value::Blob(value) => rusqlite::types::Value::Blob(value),
    }
}

/// Rows as text in which values of different kinds differ.
fn rows(connection: &Connection, sql: &str) -> Vec<Vec<String>> {
    let mut statement = connection.prepare(sql).unwrap();
    let count = statement.column_count();
    let mut rows = statement.query([]).unwrap();
    let mut all = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        let value = |index| match row.get_ref(index).unwrap() {
            ValueRef::Null => "NULL".to_owned(),
            ValueRef::Integer(value) => value.to_string(),
            ValueRef::Real(value) => format!("{value:?}r"),
            ValueRef::Text(bytes) => format!("'{}'", String::from_utf8_lossy(bytes)),
            ValueRef::Blob(bytes) => format!("x{bytes:02x?}"),
        };
        all.push((0..count).map(value).collect());
    }
    all
}
