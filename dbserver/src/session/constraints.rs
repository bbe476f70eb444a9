//! SET CONSTRAINTS: which foreign keys wait for the end of the transaction, and what is told of one that is violated.
//!
//! SQLite lets a transaction defer all foreign keys or those that were declared so. Everything between is looked after
//! here: after each change the rows that violate a key are looked for, and a key that may not wait refuses the change.

use std::collections::HashMap;

use bytes::BytesMut;
use dialect::{Constraint, ConstraintKind, TableInfo};
use pgtypes::{Format, PgType, SqlState, SqlValueRef, ValueError, encode};
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
        let found = violations(sqlite, table);
        for (row, number) in found {
            let key = usize::try_from(number).ok().and_then(|at| keys.get(at));
            if let Some(key) = key.filter(|key| concerned(key)) {
                return Some(failure(sqlite, table, key, row));
            }
        }
    }
    None
}

/// The foreign key that a change of this table has violated, of those that it has and those that refer to it. Tables
/// with more rows are not looked through: then the key is known only where there is one.
pub(super) fn violation_by(
    sqlite: &Sqlite,
    changed: &str,
    removes: bool,
    most_rows: i64,
) -> Option<Failure> {
    let tables = tables(sqlite).ok()?;
    let is_changed = |name: &str| name.eq_ignore_ascii_case(changed);
    let own = |table: &TableInfo| !removes && is_changed(&table.name);
    let concerned =
        |table: &TableInfo, key: &Key<'_>| !key.deferred && (own(table) || is_changed(key.parent));
    let mut candidates = Vec::new();
    let mut all_looked_through = true;
    for table in &tables {
        let mut keys: Vec<Key<'_>> = table.constraints.iter().filter_map(key).collect();
        keys.reverse();
        if !keys.iter().any(|key| concerned(table, key)) {
            continue;
        }
        for key in keys.iter().filter(|key| concerned(table, key)) {
            candidates.push((table, key.constraint));
        }
        if is_large(sqlite, table, most_rows) {
            all_looked_through = false;
            continue;
        }
        let mut found = violations(sqlite, table);
        // Keys are checked in the order in which they were declared.
        found.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
        for (row, number) in found {
            let key = usize::try_from(number).ok().and_then(|at| keys.get(at));
            if let Some(key) = key.filter(|key| concerned(table, key)) {
                return Some(if own(table) {
                    failure(sqlite, table, key, row)
                } else {
                    still_referenced(sqlite, table, key, row)
                });
            }
        }
    }
    let ([(table, constraint)], false) = (candidates.as_slice(), all_looked_through) else {
        return None;
    };
    let key = key(constraint)?;
    Some(if own(table) {
        failure(sqlite, table, &key, None)
    } else {
        still_referenced(sqlite, table, &key, None)
    })
}

fn is_large(sqlite: &Sqlite, table: &TableInfo, most_rows: i64) -> bool {
    let name = table.name.replace('"', "\"\"");
    let last = sqlite.trusted(|connection| {
        let sql = format!("SELECT max(rowid) FROM main.\"{name}\"");
        connection.query_row(&sql, [], |row| row.get::<_, Option<i64>>(0))
    });
    last.ok().flatten().is_none_or(|last| last > most_rows)
}

/// The rows of a table that violate foreign keys, and the numbers of the keys.
fn violations(sqlite: &Sqlite, table: &TableInfo) -> Vec<(Option<i64>, i64)> {
    let found = sqlite.trusted(|connection| {
        let mut statement =
            connection.prepare_cached("SELECT rowid, fkid FROM pragma_foreign_key_check(?1)")?;
        let rows = statement.query_map([&table.name], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect::<rusqlite::Result<Vec<(Option<i64>, i64)>>>()
    });
    found
        .inspect_err(|error| tracing::warn!(%error, "foreign keys could not be checked"))
        .unwrap_or_default()
}

/// The failure of a change that takes a row away from those that refer to it.
fn still_referenced(
    sqlite: &Sqlite,
    table: &TableInfo,
    key: &Key<'_>,
    row: Option<i64>,
) -> Failure {
    let mut failure = failure(sqlite, table, key, row);
    let fields = failure.fields_mut();
    fields.message = format!(
        "update or delete on table \"{}\" violates foreign key constraint \"{}\" on table \"{}\"",
        key.parent, key.constraint.name, table.name
    );
    let values =
        row.and_then(|row| values_of(sqlite, ("main", table), &key.constraint.columns, row));
    let parent = View::new(sqlite).stored(key.parent);
    let columns = parent.and_then(|parent| referenced(key.constraint, &parent));
    fields.detail = match (columns, values) {
        (Some(columns), Some(values)) => Some(format!(
            "Key ({})=({}) is still referenced from table \"{}\".",
            columns.join(", "),
            values.join(", "),
            table.name
        )),
        _ => None,
    };
    failure
}

/// The columns that a foreign key refers to: those that it names, or the primary key.
fn referenced(constraint: &Constraint, parent: &TableInfo) -> Option<Vec<String>> {
    if let ConstraintKind::ForeignKey { columns, .. } = &constraint.kind
        && !columns.is_empty()
    {
        return Some(columns.clone());
    }
    let mut keys = parent.constraints.iter();
    keys.find(|key| matches!(key.kind, ConstraintKind::PrimaryKey))
        .map(|key| key.columns.clone())
}

/// The values of a row as PostgreSQL prints them.
pub(super) fn values_of(
    sqlite: &Sqlite,
    table: (&str, &TableInfo),
    columns: &[String],
    row: i64,
) -> Option<Vec<String>> {
    let values = sqlite.trusted(|connection| values(connection, table, columns, row));
    values
        .inspect_err(|error| tracing::debug!(%error, "a row could not be read"))
        .ok()
        .flatten()
}

fn failure(sqlite: &Sqlite, table: &TableInfo, key: &Key<'_>, row: Option<i64>) -> Failure {
    let name = &key.constraint.name;
    let message = format!(
        "insert or update on table \"{}\" violates foreign key constraint \"{name}\"",
        table.shown_name()
    );
    let mut failure = Failure::new(SqlState::FOREIGN_KEY_VIOLATION, message);
    let fields = failure.fields_mut();
    let columns = &key.constraint.columns;
    let values = row.and_then(|row| values_of(sqlite, ("main", table), columns, row));
    fields.detail = values.map(|values| {
        format!(
            "Key ({})=({}) is not present in table \"{}\".",
            columns.join(", "),
            values.join(", "),
            dialect::base_name(key.parent)
        )
    });
    fields.schema = Some(table.schema().to_owned());
    fields.table = Some(table.shown_name().to_owned());
    fields.constraint = Some(name.clone());
    failure
}

/// The values of a row as PostgreSQL prints them.
fn values(
    connection: &Connection,
    (place, table): (&str, &TableInfo),
    columns: &[String],
    row: i64,
) -> rusqlite::Result<Option<Vec<String>>> {
    let ty = |name: &String| {
        let column = table.columns.iter().find(|column| column.name == *name);
        let ty = column.and_then(|column| column.type_name);
        ty.map_or(PgType::Text, PgType::sent_as)
    };
    let list: Vec<String> = columns
        .iter()
        .map(|column| {
            let quoted = format!("\"{}\"", column.replace('"', "\"\""));
            dialect::shown_place(&ty(column), &quoted)
        })
        .collect();
    let sql = format!(
        "SELECT {} FROM {place}.\"{}\" WHERE rowid = ?1",
        list.join(", "),
        table.name.replace('"', "\"\"")
    );
    connection.query_row(&sql, [row], |row| {
        let mut texts = Vec::with_capacity(columns.len());
        for (place, name) in columns.iter().enumerate() {
            let ty = ty(name);
            let Ok(value) = mapping::value(row.get_ref(place)?) else {
                return Ok(None);
            };
            let Some(text) = text_of(value, &ty) else {
                return Ok(None);
            };
            texts.push(text);
        }
        Ok(Some(texts))
    })
}

/// A value as PostgreSQL prints it where it tells of a row.
pub(super) fn text_of(value: SqlValueRef<'_>, ty: &PgType) -> Option<String> {
    if value.is_null() {
        return Some("null".to_owned());
    }
    shown(value, ty).ok()
}

/// The text of a value that is not NULL.
pub(super) fn shown(value: SqlValueRef<'_>, ty: &PgType) -> Result<String, ValueError> {
    let mut out = BytesMut::new();
    encode(value, ty, Format::Text, &mut out)?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}
