//! How the rows of one table are read and written, by the number that SQLite gives them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use rusqlite::{Connection, OptionalExtension as _};

use crate::session::changes::TableName;
use crate::session::changes::keys::{self, UniqueKey};
use crate::session::copy::quoted;

/// Names that SQLite has for the number of a row, unless a column has them.
const ROWID_NAMES: [&str; 3] = ["rowid", "_rowid_", "oid"];

/// Kept texts that change columns of a table.
const MAX_UPDATES: usize = 16;

/// The statements for one table.
#[derive(Debug)]
pub(in crate::session) struct Plan {
    /// The text that made the table: rows are those of the plan while it is the same.
    pub(super) definition: String,
    /// Whether a column is the number of the row.
    pub(super) has_key: bool,
    pub(super) unique: Vec<UniqueKey>,
    /// Foreign keys lead from it or to it.
    pub(super) referring: bool,
    columns: Vec<String>,
    table: String,
    rowid: &'static str,
    pub(super) select: String,
    pub(super) insert: String,
    pub(super) delete: String,
    /// The statements that change columns, by the columns.
    updates: RefCell<Vec<(Vec<usize>, Rc<str>)>>,
}

impl Plan {
    /// For a table of the connection; `None` for one whose rows have no number that can be named.
    pub(in crate::session) fn of(
        connection: &Connection,
        table: &TableName,
    ) -> rusqlite::Result<Option<Self>> {
        let schema = if table.temporary { "temp" } else { "main" };
        let definition =
            format!("SELECT sql FROM {schema}.sqlite_schema WHERE type = 'table' AND name = ?1");
        let definition: Option<String> = connection
            .prepare_cached(&definition)?
            .query_row([&*table.name], |row| row.get(0))
            .optional()?;
        let Some(definition) = definition else {
            return Ok(None);
        };
        let (columns, key) = columns(connection, schema, &table.name)?;
        let free = |name: &&str| {
            !columns
                .iter()
                .any(|column| column.eq_ignore_ascii_case(name))
        };
        let Some(rowid) = ROWID_NAMES.into_iter().find(free) else {
            return Ok(None);
        };
        if definition.to_ascii_uppercase().contains("WITHOUT ROWID") {
            return Ok(None);
        }
        let list: Vec<String> = columns.iter().map(|column| quoted(column)).collect();
        let list = list.join(", ");
        let name = format!("{schema}.{}", quoted(&table.name));
        let places = vec!["?"; columns.len()].join(", ");
        Ok(Some(Self {
            definition,
            has_key: key,
            referring: is_referring(connection, schema, &table.name)?,
            unique: keys::of(connection, schema, &table.name, &name, rowid)?,
            select: format!("SELECT {list} FROM {name} WHERE {rowid} = ?1"),
            insert: format!("INSERT INTO {name} ({list}) VALUES ({places})"),
            delete: format!("DELETE FROM {name} WHERE {rowid} = ?1"),
            columns: columns.iter().map(|column| quoted(column)).collect(),
            updates: RefCell::default(),
            table: name,
            rowid,
        }))
    }

    /// The number of columns of a row.
    pub(super) fn width(&self) -> usize {
        self.columns.len()
    }

    /// The statement that changes these columns; the last parameter is the row's number.
    pub(super) fn update(&self, places: &[usize]) -> Rc<str> {
        let known = self.updates.borrow();
        if let Some((_, text)) = known.iter().find(|(known, _)| known == places) {
            return Rc::clone(text);
        }
        drop(known);
        let text: Rc<str> = self.update_text(places).into();
        let mut known = self.updates.borrow_mut();
        if known.len() == MAX_UPDATES {
            known.clear();
        }
        known.push((places.to_vec(), Rc::clone(&text)));
        text
    }

    fn update_text(&self, places: &[usize]) -> String {
        let sets: Vec<String> = places
            .iter()
            .filter_map(|place| self.columns.get(*place))
            .map(|column| format!("{column} = ?"))
            .collect();
        format!(
            "UPDATE {} SET {} WHERE {} = ?",
            self.table,
            sets.join(", "),
            self.rowid
        )
    }
}

/// The plans of a connection's tables, while the schema stays.
#[derive(Debug, Default)]
pub(in crate::session) struct RowPlans {
    generation: u64,
    plans: HashMap<TableName, Option<Rc<Plan>>>,
}

impl RowPlans {
    /// Forgets what is of another schema.
    pub(in crate::session) fn of_generation(&mut self, generation: u64) {
        if self.generation != generation {
            self.plans.clear();
            self.generation = generation;
        }
    }

    /// The plan that is known; `Some(None)`: it is known that there is none.
    #[expect(clippy::option_option, reason = "whether it is known, and what")]
    pub(in crate::session) fn get(&self, table: &TableName) -> Option<Option<Rc<Plan>>> {
        self.plans.get(table).cloned()
    }

    pub(in crate::session) fn insert(&mut self, table: TableName, plan: Option<Rc<Plan>>) {
        self.plans.insert(table, plan);
    }
}

/// Whether the table has foreign keys, or another refers to it.
fn is_referring(connection: &Connection, schema: &str, table: &str) -> rusqlite::Result<bool> {
    let sql = format!(
        "SELECT EXISTS (SELECT 1 FROM {schema}.sqlite_schema AS s, pragma_foreign_key_list(s.name, '{schema}') AS f
         WHERE s.type = 'table' AND (s.name = ?1 OR f.\"table\" = ?1 COLLATE NOCASE))"
    );
    connection.query_row(&sql, [table], |row| row.get(0))
}

/// The stored columns, and whether one of them is the row's number.
fn columns(
    connection: &Connection,
    schema: &str,
    table: &str,
) -> rusqlite::Result<(Vec<String>, bool)> {
    let sql = format!("PRAGMA {schema}.table_xinfo({})", quoted(table));
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    let mut columns = Vec::new();
    let (mut keys, mut integer) = (0, false);
    while let Some(row) = rows.next()? {
        let (name, ty, pk, hidden): (String, String, i64, i64) =
            (row.get(1)?, row.get(2)?, row.get(5)?, row.get(6)?);
        if pk > 0 {
            keys += 1;
            integer |= ty.eq_ignore_ascii_case("INTEGER");
        }
        // What is computed is not written.
        if hidden == 0 {
            columns.push(name);
        }
    }
    Ok((columns, keys == 1 && integer))
}
