//! SET CONSTRAINTS: which foreign keys wait for the end of the transaction, and what is told of one that is violated.
//!
//! SQLite lets a transaction defer all foreign keys or those that were declared so. Everything between is looked after
//! here: after each change the rows that violate a key are looked for, and a key that may not wait refuses the change.

use std::collections::HashMap;

use bytes::BytesMut;
use dialect::{Constraint, ConstraintKind, TableInfo};
use pgtypes::{Format, PgType, SqlState, encode};
use rusqlite::Connection;

use crate::failure::Failure;
use crate::session::mapping;
use crate::session::schema::View;
use crate::session::sqlite::Sqlite;

/// What the transaction has said of its constraints.
#[derive(Debug, Clone, Default)]
pub(super) struct Constraints {
    all: Option<bool>,
    named: HashMap<String, bool>,
}

/// A foreign key.
struct Key<'a> {
    constraint: &'a Constraint,
    deferrable: bool,
    deferred: bool,
    parent: &'a str,
}

impl Constraints {
    /// Whether every constraint is as it was declared.
    pub(super) fn is_default(&self) -> bool {
        self.all.is_none() && self.named.is_empty()
    }

    /// Whether SQLite has to defer more than what was declared so.
    pub(super) fn defers(&self) -> bool {
        self.all == Some(true) || self.named.values().any(|deferred| *deferred)
    }

    /// SET CONSTRAINTS.
    ///
    /// Errors: 42704 for a constraint that is not there, 42809 for one that can't wait.
    pub(super) fn set(
        &mut self,
        sqlite: &Sqlite,
        names: Option<&[String]>,
        deferred: bool,
    ) -> Result<(), Failure> {
        let Some(names) = names else {
            self.all = Some(deferred);
            self.named.clear();
            return Ok(());
        };
        let tables = tables(sqlite)?;
        for name in names {
            let found: Vec<bool> = tables
                .iter()
                .flat_map(|table| &table.constraints)
                .filter(|constraint| constraint.name == *name)
                .map(|constraint| key(constraint).is_some_and(|key| key.deferrable))
                .collect();
            if found.is_empty() {
                let message = format!("constraint \"{name}\" does not exist");
                return Err(Failure::new(SqlState::UNDEFINED_OBJECT, message));
            }
            if !found.iter().any(|deferrable| *deferrable) {
                let message = format!("constraint \"{name}\" is not deferrable");
                return Err(Failure::new(SqlState::WRONG_OBJECT_TYPE, message));
            }
        }
        for name in names {
            self.named.insert(name.clone(), deferred);
        }
        Ok(())
    }

    fn is_deferred(&self, key: &Key<'_>) -> bool {
        let said = self.named.get(&key.constraint.name).copied().or(self.all);
        key.deferrable && said.unwrap_or(key.deferred)
    }

    /// Refuses what violates a foreign key that may not wait.
    ///
    /// Errors: 23503.
    pub(super) fn check(&self, sqlite: &Sqlite) -> Result<(), Failure> {
        if self.is_default() {
            return Ok(());
        }
        violation(sqlite, &|key| !self.is_deferred(key)).map_or(Ok(()), Err)
    }
}

/// The violation of a foreign key that COMMIT has found.
pub(super) fn explained(sqlite: &Sqlite, failure: Failure) -> Failure {
    if failure.sqlstate() != SqlState::FOREIGN_KEY_VIOLATION {
        return failure;
    }
    violation(sqlite, &|key| key.deferrable)
        .or_else(|| violation(sqlite, &|_| true))
        .unwrap_or(failure)
}

fn key(constraint: &Constraint) -> Option<Key<'_>> {
    match &constraint.kind {
        ConstraintKind::ForeignKey {
            table,
            deferrable,
            deferred,
            ..
        } => Some(Key {
            constraint,
            deferrable: *deferrable || *deferred,
            deferred: *deferred,
            parent: table,
        }),
        _ => None,
    }
}

/// The tables that have foreign keys.
fn tables(sqlite: &Sqlite) -> Result<Vec<TableInfo>, Failure> {
    let names: Vec<String> = sqlite.trusted(|connection| {
        let mut statement = connection.prepare_cached(
            "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND instr(lower(sql), 'references') ORDER BY name",
        )?;
        let rows = statement.query_map([], |row| row.get(0))?;
        rows.collect()
    })?;
    let view = View::new(sqlite);
    let known = names.iter().filter_map(|name| view.stored(name));
    Ok(known.map(|table| (*table).clone()).collect())
}

/// The first row that violates one of the foreign keys that `concerned` is true for.
fn violation(sqlite: &Sqlite, concerned: &dyn Fn(&Key<'_>) -> bool) -> Option<Failure> {
    let tables = tables(sqlite)
        .inspect_err(|error| tracing::warn!(%error, "foreign keys could not be looked up"))
        .ok()?;
    for table in &tables {
        // SQLite numbers them from the last to the first.
        let mut keys: Vec<Key<'_>> = table.constraints.iter().filter_map(key).collect();
        keys.reverse();
        if !keys.iter().any(concerned) {
            continue;
        }
        let found = sqlite.trusted(|connection| {
            let mut statement = connection
                .prepare_cached("SELECT rowid, fkid FROM pragma_foreign_key_check(?1)")?;
            let rows = statement.query_map([&table.name], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect::<rusqlite::Result<Vec<(Option<i64>, i64)>>>()
        });
        let found = found.unwrap_or_default();
        for (row, number) in found {
            let key = usize::try_from(number).ok().and_then(|at| keys.get(at));
            if let Some(key) = key.filter(|key| concerned(key)) {
                return Some(failure(sqlite, table, key, row));
            }
        }
    }
    None
}

fn failure(sqlite: &Sqlite, table: &TableInfo, key: &Key<'_>, row: Option<i64>) -> Failure {
    let name = &key.constraint.name;
    let message = format!(
        "insert or update on table \"{}\" violates foreign key constraint \"{name}\"",
        table.name
    );
    let mut failure = Failure::new(SqlState::FOREIGN_KEY_VIOLATION, message);
    let fields = failure.fields_mut();
    let columns = &key.constraint.columns;
    let values = row.and_then(|row| {
        let values = sqlite.trusted(|connection| values(connection, table, columns, row));
        values.ok().flatten()
    });
    fields.detail = values.map(|values| {
        format!(
            "Key ({})=({}) is not present in table \"{}\".",
            columns.join(", "),
            values.join(", "),
            key.parent
        )
    });
    fields.schema = Some("public".to_owned());
    fields.table = Some(table.name.clone());
    fields.constraint = Some(name.clone());
    failure
}

/// The values of a row as PostgreSQL prints them.
fn values(
    connection: &Connection,
    table: &TableInfo,
    columns: &[String],
    row: i64,
) -> rusqlite::Result<Option<Vec<String>>> {
    let list: Vec<String> = columns
        .iter()
        .map(|column| format!("\"{}\"", column.replace('"', "\"\"")))
        .collect();
    let sql = format!(
        "SELECT {} FROM main.\"{}\" WHERE rowid = ?1",
        list.join(", "),
        table.name.replace('"', "\"\"")
    );
    connection.query_row(&sql, [row], |row| {
        let mut texts = Vec::with_capacity(columns.len());
        for (place, name) in columns.iter().enumerate() {
            let column = table.columns.iter().find(|column| column.name == *name);
            let ty = column.and_then(|column| column.type_name);
            let ty = ty.map_or(PgType::Text, PgType::sent_as);
            let mut out = BytesMut::new();
            let Ok(value) = mapping::value(row.get_ref(place)?) else {
                return Ok(None);
            };
            if encode(value, &ty, Format::Text, &mut out).is_err() {
                return Ok(None);
            }
            texts.push(String::from_utf8_lossy(&out).into_owned());
        }
        Ok(Some(texts))
    })
}
