//! The database whose pages are looked at.

use std::fs;
use std::sync::Arc;

use rowdiff::{Change, Error, Image, PAGE_SIZE, Pages, RowDiff, Step};
use rusqlite::{Connection, params};
use tempfile::TempDir;

use crate::history::{Act, Kind};

const SCHEMA: &str = "
    CREATE TABLE t0 (id INTEGER PRIMARY KEY, a TEXT, r REAL, b BLOB, n NUMERIC DEFAULT 7);
    CREATE TABLE t1 (x INT, y TEXT);
    CREATE INDEX t1_y ON t1 (y);
    CREATE TABLE t2 (v BLOB, k TEXT COLLATE NOCASE, j INT, PRIMARY KEY (k, j DESC)) WITHOUT ROWID;
    CREATE TABLE t3 (a, g AS (a || 'x') VIRTUAL, h TEXT AS (upper(a)) STORED, id INTEGER, z REAL, PRIMARY KEY (id DESC));
    CREATE TABLE t4 (id INTEGER PRIMARY KEY AUTOINCREMENT, u TEXT UNIQUE);
    CREATE TABLE log (what TEXT);
    CREATE TRIGGER noted AFTER UPDATE ON t4 BEGIN INSERT INTO log VALUES (new.u); END;
    CREATE VIEW seen AS SELECT * FROM log;";

/// The file at one commit.
#[derive(Clone, Default)]
pub(crate) struct Database(pub(crate) Vec<Image>);

impl Pages for Database {
    fn count(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap()
    }

    fn page(&self, number: u32) -> Result<Image, Error> {
        let image = self.0.get(number as usize - 1);
        image.cloned().ok_or(Error::Missing { page: number })
    }
}

pub(crate) struct Source {
    directory: TempDir,
    connection: Connection,
    pub(crate) pages: Database,
    diff: RowDiff,
    /// The pages of the last commit that differ.
    pub(crate) changed: Vec<u32>,
    made: u32,
}

impl Source {
    /// With the schema, which nobody is told of: the first changes are those of what is done then.
    pub(crate) fn new(auto_vacuum: bool) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let connection = Connection::open(directory.path().join("db")).unwrap();
        let mode = if auto_vacuum { "FULL" } else { "NONE" };
        connection
            .execute_batch(&format!(
                "PRAGMA page_size = 4096; PRAGMA auto_vacuum = {mode}; PRAGMA synchronous = OFF; PRAGMA cache_size = 5000"
            ))
            .unwrap();
        Self {
            directory,
            connection,
            pages: Database::default(),
            diff: RowDiff::empty(),
            changed: Vec::new(),
            made: 0,
        }
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(crate) fn changed_pages(&self) -> usize {
        self.changed.len()
    }

    /// Forgets what was learnt.
    pub(crate) fn begin_anew(&mut self) {
        self.diff = RowDiff::of(&self.pages).unwrap();
    }

    /// One transaction of one statement, behind the one that makes the tables.
    pub(crate) fn sql(&mut self, sql: &str) -> Vec<Change> {
        self.make_tables();
        self.step();
        self.connection.execute_batch(sql).unwrap();
        self.step()
    }

    pub(crate) fn vacuum(&mut self) -> Vec<Change> {
        self.connection.execute_batch("VACUUM").unwrap();
        let told = self.step();
        let rows = told
            .iter()
            .filter(|change| matches!(change, Change::Row(_)));
        assert_eq!(rows.count(), 0, "VACUUM changes no row: {told:?}");
        told
    }

    /// One transaction. What can't be done is left out.
    pub(crate) fn run(&mut self, acts: &[Act]) -> Vec<Change> {
        let vacuums = acts.first().is_some_and(|act| act.kind == Kind::Vacuum);
        if vacuums && !self.pages.0.is_empty() {
            return self.vacuum();
        }
        self.connection.execute_batch("BEGIN").unwrap();
        self.make_tables();
        let mut columns_change = false;
        for act in acts {
            // A column renamed and another dropped at once can't be told from two dropped and one added.
            let changes_columns = matches!(act.kind, Kind::DropColumn | Kind::RenameColumn);
            if !(changes_columns && columns_change) {
                self.act(*act);
            }
            columns_change |= changes_columns;
        }
        self.connection.execute_batch("COMMIT").unwrap();
        self.step()
    }

    fn make_tables(&self) {
        if self.pages.0.is_empty() && self.tables().is_empty() {
            self.connection.execute_batch(SCHEMA).unwrap();
        }
    }

    /// What the commit has changed.
    fn step(&mut self) -> Vec<Change> {
        let bytes = fs::read(self.directory.path().join("db")).unwrap();
        let images = bytes
            .chunks(PAGE_SIZE)
            .map(|page| Arc::new(page.try_into().unwrap()));
        let after = Database(images.collect());
        let differs = |number: &u32| {
            let index = *number as usize - 1;
            self.pages.0.get(index) != after.0.get(index)
        };
        let changed: Vec<u32> = (1..=after.count()).filter(differs).collect();
        let mut told = Vec::new();
        let step = Step {
            before: &self.pages,
            after: &after,
            changed: &changed,
        };
        self.diff
            .commit(step, &mut |change| {
                told.push(change);
                Ok(())
            })
            .unwrap();
        self.pages = after;
        self.changed = changed;
        told
    }

    fn names(&self, sql: &str) -> Vec<String> {
        let mut statement = self.connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    fn tables(&self) -> Vec<String> {
        self.names(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name",
        )
    }

    fn columns(&self, table: &str) -> Vec<String> {
        self.names(&format!(
            "SELECT name FROM pragma_table_xinfo('{table}') WHERE hidden = 0"
        ))
    }

    fn act(&mut self, act: Act) {
        let tables = self.tables();
        let Some(table) = tables.get(usize::from(act.which) % tables.len().max(1)) else {
            return;
        };
        self.made += 1;
        let made = self.made;
        let sql = match act.kind {
            Kind::Insert => return self.insert(table, 1 + u32::from(act.amount % 300), false),
            Kind::InsertLarge => return self.insert(table, 1 + u32::from(act.amount % 4), true),
            kind => Self::statement(kind, act, table, &self.columns(table), made),
        };
        // A column in use, a table that a view reads: it stays as it is.
        let done = self.connection.execute_batch(&sql);
        if let Err(error) = done {
            assert!(!error.to_string().contains("syntax"), "{sql}: {error}");
        }
    }

    fn statement(kind: Kind, act: Act, table: &str, columns: &[String], made: u32) -> String {
        let last = columns.last().cloned().unwrap_or_default();
        let some = columns
            .get(usize::from(act.amount) % columns.len().max(1))
            .cloned()
            .unwrap_or_default();
        let modulus = 2 + act.amount % 50;
        let part = format!("abs(unicode(hex({some})) + length({some})) % {modulus} = 0");
        match kind {
            Kind::Update => format!("UPDATE {table} SET {last} = '{made}' || {last} WHERE {part}"),
            Kind::UpdateInPlace => format!(
                "UPDATE {table} SET {last} = CAST(substr({last}, 1, length({last}) - 1) || '#' AS TEXT) WHERE {part}"
            ),
            Kind::UpdateKey => {
                format!("UPDATE OR IGNORE {table} SET {some} = {some} + 1000 * {made} WHERE {part}")
            }
            Kind::Delete => format!("DELETE FROM {table} WHERE {part}"),
            Kind::DeleteAll => format!("DELETE FROM {table}"),
            Kind::AddColumn => {
                let defaults = [
                    "REAL DEFAULT 5",
                    "TEXT DEFAULT (-7)",
                    "INT DEFAULT '12'",
                    "BLOB DEFAULT x'0102'",
                    "",
                    "NUMERIC DEFAULT 1.50",
                ];
                let default = defaults[usize::from(act.amount) % defaults.len()];
                format!("ALTER TABLE {table} ADD COLUMN \"c {made}\" {default}")
                    .replace("\"c ", "\"c_")
            }
            Kind::DropColumn => format!("ALTER TABLE {table} DROP COLUMN {some}"),
            Kind::RenameColumn => format!("ALTER TABLE {table} RENAME COLUMN {last} TO r_{made}"),
            Kind::RenameTable => format!("ALTER TABLE {table} RENAME TO n_{made}"),
            Kind::CreateIndex => format!("CREATE INDEX i_{made} ON {table} ({last})"),
            Kind::CreateTable => format!("CREATE TABLE n_{made} (p TEXT PRIMARY KEY, q REAL)"),
            Kind::CreateTableAs => format!("CREATE TABLE n_{made} AS SELECT * FROM {table}"),
            Kind::DropTable => format!("DROP TABLE {table}"),
            Kind::Recreate => {
                format!("DROP TABLE {table}; CREATE TABLE {table} (p INTEGER PRIMARY KEY, q)")
            }
            Kind::Swap => format!(
                "CREATE TABLE s_{made} AS SELECT * FROM {table}; DROP TABLE {table}; ALTER TABLE s_{made} RENAME TO {table}"
            ),
            Kind::Analyze => "ANALYZE".to_owned(),
            Kind::Insert | Kind::InsertLarge | Kind::Vacuum => String::new(),
        }
    }

    fn insert(&self, table: &str, rows: u32, large: bool) {
        let columns = self.columns(table);
        if columns.is_empty() {
            return;
        }
        let value = |index: usize| {
            let salt = index * 7 + usize::try_from(self.made).unwrap();
            match (large, index == columns.len() - 1) {
                (true, true) => format!(
                    "zeroblob(?1 * 3000 + i * 777) || printf('%0{}d', i)",
                    1 + salt
                ),
                _ => format!(
                    "CASE (i * 31 + {salt}) % 9 WHEN 0 THEN i * {salt} WHEN 1 THEN 'k' || i || '.' || {salt} WHEN 2 THEN i * 1.5 WHEN 3 THEN NULL WHEN 4 THEN -i * 100000000000 WHEN 5 THEN i * 1.0 WHEN 6 THEN 9007199254740993 + i WHEN 7 THEN CAST(printf('b%d', i) AS BLOB) ELSE printf('%050d', i) END"
                ),
            }
        };
        let values: Vec<String> = (0..columns.len()).map(value).collect();
        let sql = format!(
            "INSERT OR IGNORE INTO {table} ({}) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) SELECT {} FROM n",
            columns.join(", "),
            values.join(", ")
        );
        // INTEGER PRIMARY KEY takes no text: then that table gets rows with keys that SQLite chooses.
        if self.connection.execute(&sql, params![rows]).is_err() {
            let rest: Vec<&String> = columns
                .iter()
                .filter(|name| *name != "id" && *name != "p")
                .collect();
            let names: Vec<&str> = rest.iter().map(|name| name.as_str()).collect();
            let values: Vec<String> = (columns.len() - rest.len()..columns.len())
                .map(value)
                .collect();
            let sql = format!(
                "INSERT OR IGNORE INTO {table} ({}) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) SELECT {} FROM n",
                names.join(", "),
                values.join(", ")
            );
            if !names.is_empty() {
                // A key may have another name by now: then there are no rows.
                drop(self.connection.execute(&sql, params![rows]));
            }
        }
    }
}
