//! What a transaction has done in all: the rows that it touched, and how they are read and made again.

use std::collections::hash_map::Entry;
use std::rc::Rc;

use pgtypes::SqlState;
use rusqlite::Connection;
use rusqlite::hooks::Action;
use rusqlite::types::Value;
use rustc_hash::FxHashMap;

use crate::databases::locks::{Mode, RowMode, TableMode, Thing};
use crate::failure::Failure;
use crate::session::changes::plan::Plan;
use crate::session::changes::{TableName, Touched};
use crate::session::row_locks::Needed;
use crate::session::sqlite::Sqlite;

/// The rows of a transaction.
#[derive(Debug, Default)]
pub struct Changes {
    tables: Vec<Table>,
    rows: Vec<Row>,
    places: FxHashMap<(usize, i64), usize>,
}

#[derive(Debug)]
struct Table {
    name: TableName,
    thing: Thing,
    plan: Rc<Plan>,
}

#[derive(Debug)]
struct Row {
    table: usize,
    /// Its number in SQLite's present transaction; `None`: it is not there, and its number may be that of another row.
    rowid: Option<i64>,
    /// It was there before the transaction.
    existed: bool,
    /// SQLite's present transaction has it as this one wants it.
    made: bool,
}

/// What the rows were at one moment, in their order; `None` for one that was not there.
pub type Captured = Vec<Option<Vec<Value>>>;

impl Changes {
    /// Whether nothing was changed.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How many rows were.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// The locks for what a statement has done, in the order of its changes.
    ///
    /// Errors: 0A000 for a table whose rows can't be told apart.
    pub fn locks_for(
        &mut self,
        sqlite: &Sqlite,
        touched: &Touched,
    ) -> Result<Option<Vec<Needed>>, Failure> {
        let mut needed = Vec::with_capacity(touched.rows.len() + touched.tables.len());
        let mut places = Vec::with_capacity(touched.tables.len());
        for name in &touched.tables {
            let place = self.table(sqlite, name)?;
            let Some(place) = place else {
                return Ok(None);
            };
            places.push(place);
        }
        let mut seen = Vec::new();
        for row in &touched.rows {
            let Some(place) = places.get(row.table).copied() else {
                continue;
            };
            let Some(table) = self.tables.get(place).filter(|table| !table.name.temporary) else {
                continue;
            };
            if !seen.contains(&place) {
                seen.push(place);
                needed.push(Needed {
                    thing: table.thing,
                    mode: Mode::Table(TableMode::RowExclusive),
                });
            }
            let own = self
                .places
                .get(&(place, row.rowid))
                .and_then(|at| self.rows.get(*at));
            let is_new = match own {
                Some(own) => !own.existed,
                None => row.action == Action::SQLITE_INSERT,
            };
            // A new row without a key is nobody else's business.
            if !is_new || table.plan.has_key {
                let mode = match row.action {
                    Action::SQLITE_UPDATE => RowMode::NoKeyUpdate,
                    _ => RowMode::Update,
                };
                needed.push(Needed {
                    thing: Thing::row(table.thing, row.rowid),
                    mode: Mode::Row(mode),
                });
            }
            if row.action != Action::SQLITE_DELETE {
                for key in &table.plan.unique {
                    let thing = sqlite.trusted(|connection| key.thing(connection, row.rowid))?;
                    needed.extend(thing.map(|thing| Needed {
                        thing,
                        mode: Mode::Row(RowMode::Update),
                    }));
                }
            }
        }
        Ok(Some(needed))
    }

    /// What a statement has done is the transaction's.
    pub fn add(&mut self, sqlite: &Sqlite, touched: &Touched) -> Result<(), Failure> {
        for change in &touched.rows {
            let Some(name) = touched.tables.get(change.table) else {
                continue;
            };
            let Some(table) = self.table(sqlite, name)? else {
                continue;
            };
            if let Entry::Vacant(place) = self.places.entry((table, change.rowid)) {
                place.insert(self.rows.len());
                self.rows.push(Row {
                    table,
                    rowid: Some(change.rowid),
                    existed: change.action != Action::SQLITE_INSERT,
                    made: true,
                });
            }
        }
        Ok(())
    }

    fn table(&mut self, sqlite: &Sqlite, name: &TableName) -> Result<Option<usize>, Failure> {
        if let Some(place) = self.tables.iter().position(|table| table.name == *name) {
            return Ok(Some(place));
        }
        let Some(plan) = sqlite.row_plan(name)? else {
            return Ok(None);
        };
        self.tables.push(Table {
            name: name.clone(),
            thing: Thing::table(&name.name),
            plan,
        });
        Ok(Some(self.tables.len() - 1))
    }

    /// Whether no two transactions that have changed different rows contradict each other: what they have locked tells
    /// all that they have done. References do not.
    pub fn are_independent(&self) -> bool {
        self.tables
            .iter()
            .all(|table| !table.plan.referring && !table.name.temporary)
    }

    /// The rows as they are now.
    pub fn capture(&self, sqlite: &Sqlite) -> Result<Captured, Failure> {
        sqlite.trusted(|connection| {
            self.rows
                .iter()
                .map(|row| match (self.tables.get(row.table), row.rowid) {
                    (Some(table), Some(rowid)) => read(connection, &table.plan, rowid),
                    _ => Ok(None),
                })
                .collect()
        })
    }

    /// SQLite's transaction is a new one, which has nothing of this yet.
    pub fn begin(&mut self) {
        for row in &mut self.rows {
            row.made = false;
            if !row.existed {
                row.rowid = None;
            }
        }
        self.note_places();
    }

    /// Makes the rows what they were. New ones may get other numbers.
    ///
    /// Errors: 40001 where a row is not what it must be, because the table was changed meanwhile.
    pub fn apply(&mut self, sqlite: &Sqlite, captured: &Captured) -> Result<(), Failure> {
        if captured.is_empty() {
            return Ok(());
        }
        self.check_tables(sqlite)?;
        for (at, wanted) in captured.iter().enumerate() {
            let Some(row) = self.rows.get_mut(at) else {
                break;
            };
            let Some(table) = self.tables.get(row.table) else {
                continue;
            };
            let plan = &table.plan;
            let first = !std::mem::replace(&mut row.made, true);
            let present = match row.rowid {
                None => None,
                Some(rowid) => {
                    let values = sqlite.trusted(|connection| read(connection, plan, rowid))?;
                    values.map(|values| (rowid, values))
                }
            };
            match (present, wanted) {
                (None, None) => {}
                (None, Some(_)) if first && row.existed => return Err(moved()),
                (None, Some(values)) => {
                    row.rowid = Some(sqlite.trusted(|connection| {
                        let mut insert = connection.prepare_cached(&plan.insert)?;
                        bind(&mut insert, values)?;
                        insert.raw_execute()?;
                        Ok(connection.last_insert_rowid())
                    })?);
                }
                (Some((rowid, _)), None) => {
                    sqlite.trusted(|connection| {
                        connection.prepare_cached(&plan.delete)?.execute([rowid])
                    })?;
                }
                (Some((rowid, present)), Some(values)) => {
                    update(sqlite, plan, rowid, &present, values)?;
                }
            }
        }
        self.note_places();
        Ok(())
    }

    fn note_places(&mut self) {
        self.places = self
            .rows
            .iter()
            .enumerate()
            .filter_map(|(at, row)| Some(((row.table, row.rowid?), at)))
            .collect();
    }

    /// The tables are those that the rows were read from.
    fn check_tables(&mut self, sqlite: &Sqlite) -> Result<(), Failure> {
        for table in &mut self.tables {
            let plan = sqlite.row_plan(&table.name)?;
            match plan {
                Some(plan) if plan.definition == table.plan.definition => table.plan = plan,
                _ => return Err(moved()),
            }
        }
        Ok(())
    }
}

fn moved() -> Failure {
    Failure::new(
        SqlState::SERIALIZATION_FAILURE,
        "could not serialize access due to concurrent update",
    )
    .detail("A table that the transaction has changed was defined anew.")
    .hint("Run the transaction again.")
}

fn read(connection: &Connection, plan: &Plan, rowid: i64) -> rusqlite::Result<Option<Vec<Value>>> {
    let mut select = connection.prepare_cached(&plan.select)?;
    let mut rows = select.query([rowid])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let mut values = Vec::with_capacity(plan.width());
    for place in 0..plan.width() {
        values.push(row.get(place)?);
    }
    Ok(Some(values))
}

fn bind(statement: &mut rusqlite::Statement<'_>, values: &[Value]) -> rusqlite::Result<()> {
    for (index, value) in values.iter().enumerate() {
        statement.raw_bind_parameter(index + 1, value)?;
    }
    Ok(())
}

fn update(
    sqlite: &Sqlite,
    plan: &Plan,
    rowid: i64,
    present: &[Value],
    wanted: &[Value],
) -> Result<(), Failure> {
    let differ: Vec<usize> = (0..wanted.len())
        .filter(|place| present.get(*place) != wanted.get(*place))
        .collect();
    if differ.is_empty() {
        return Ok(());
    }
    let text = plan.update(&differ);
    sqlite.trusted(|connection| {
        let mut update = connection.prepare_cached(&text)?;
        for (index, place) in differ.iter().enumerate() {
            update.raw_bind_parameter(index + 1, wanted.get(*place))?;
        }
        update.raw_bind_parameter(differ.len() + 1, rowid)?;
        update.raw_execute().map(drop)
    })
}
