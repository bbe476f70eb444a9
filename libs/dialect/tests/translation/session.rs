//! What only a server can answer: who is asking, and the numbers that sequences give.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use dialect::sqlite::session_functions::SESSION_FUNCTIONS;
use dialect::{SequenceInfo, bare_name};
use pgtypes::{SqlState, SqlValue, SqlValueRef, ValueError};
use rusqlite::{Connection, Result};

use crate::functions::{Answer, arguments, flags, refused};

/// The sequences of one session, which counts alone.
#[derive(Default)]
pub(crate) struct Sequences {
    stamp: i64,
    /// By their numbers.
    counters: HashMap<i64, SequenceInfo>,
    /// The last number of each that the session was given.
    given: HashMap<i64, i64>,
    last: Option<i64>,
}

impl Sequences {
    /// What the database says: a sequence of a newer definition counts anew.
    pub(crate) fn read(&mut self, connection: &Connection) -> Result<()> {
        let rows = sequences(connection, SequenceInfo::COLUMNS, "")?;
        let known = |id: &i64| rows.iter().any(|row| row.id == *id);
        self.counters.retain(|id, _| known(id));
        for row in rows {
            let counter = self.counters.entry(row.id).or_insert_with(|| row.clone());
            if counter.generation == row.generation {
                counter.name = row.name;
            } else {
                *counter = row;
            }
        }
        Ok(())
    }

    fn named(&mut self, name: &str) -> Result<&mut SequenceInfo, ValueError> {
        let bare = bare_name(name);
        let found = self.counters.values_mut().find(|row| row.name == bare);
        found.ok_or_else(|| {
            let message = format!("relation \"{name}\" does not exist");
            ValueError::new(SqlState::UNDEFINED_TABLE, message)
        })
    }

    fn next(&mut self, name: &str) -> Result<SqlValue, ValueError> {
        let row = self.named(name)?;
        if row.is_called {
            row.last_value += row.increment;
        }
        row.is_called = true;
        let (id, number) = (row.id, row.last_value);
        self.given.insert(id, number);
        self.last = Some(id);
        Ok(SqlValue::Integer(number))
    }

    fn set(&mut self, name: &str, value: i64, called: bool) -> Result<SqlValue, ValueError> {
        let row = self.named(name)?;
        (row.last_value, row.is_called) = (value, called);
        let id = row.id;
        if called {
            self.given.insert(id, value);
        }
        Ok(SqlValue::Integer(value))
    }

    fn given(&self, id: Option<i64>) -> Result<SqlValue, ValueError> {
        let number = id.and_then(|id| self.given.get(&id));
        let number = number.ok_or_else(|| {
            ValueError::new(
                SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE,
                "no number was given yet",
            )
        })?;
        Ok(SqlValue::Integer(*number))
    }

    fn present(&self, id: i64, generation: i64) -> Option<&SequenceInfo> {
        let known = self.counters.get(&id);
        known.filter(|known| known.generation == generation)
    }

    fn call(
        &mut self,
        function: &str,
        arguments: &[SqlValueRef<'_>],
    ) -> Option<Result<SqlValue, ValueError>> {
        use SqlValueRef::{Integer, Text};
        Some(match (function, arguments) {
            ("nextval", [Text(name)]) => self.next(name),
            ("currval", [Text(name)]) => {
                let id = self.named(name).map(|row| row.id);
                id.and_then(|id| self.given(Some(id)))
            }
            ("lastval", []) => self.given(self.last),
            ("setval", [Text(name), Integer(value)]) => self.set(name, *value, true),
            ("setval", [Text(name), Integer(value), Integer(called)]) => {
                self.set(name, *value, *called != 0)
            }
            ("eq_sequence_stamp", []) => {
                self.stamp += 1;
                Ok(SqlValue::Integer(self.stamp))
            }
            ("eq_sequence_last", [Integer(id), Integer(generation), Integer(kept)]) => {
                let present = self.present(*id, *generation);
                Ok(SqlValue::Integer(
                    present.map_or(*kept, |row| row.last_value),
                ))
            }
            ("eq_sequence_called", [Integer(id), Integer(generation), Integer(kept)]) => {
                let present = self.present(*id, *generation);
                let called = present.map_or(*kept, |row| i64::from(row.is_called));
                Ok(SqlValue::Integer(called))
            }
            _ => return None,
        })
    }
}

/// Registers what a server would answer, in a database `shop`, to a user `dba`.
pub(crate) fn register(connection: &Connection, state: &Arc<Mutex<Sequences>>) -> Result<()> {
    for (name, count, function) in SESSION_FUNCTIONS {
        let state = Arc::clone(state);
        connection.create_scalar_function(*name, *count, flags(false), move |context| {
            let arguments = arguments(context);
            let counted = state.lock().unwrap().call(function, &arguments);
            counted
                .unwrap_or_else(|| answer(function, &arguments))
                .map(Answer)
                .map_err(|error| refused(&error))
        })?;
    }
    Ok(())
}

fn answer(function: &str, arguments: &[SqlValueRef<'_>]) -> Result<SqlValue, ValueError> {
    let text = match (function, arguments) {
        ("version", []) => "PostgreSQL 15",
        ("current_database", []) => "shop",
        ("current_user" | "session_user", []) => "dba",
        ("current_schema", []) => "public",
        ("current_schemas", [_]) => "{public}",
        ("pg_is_in_recovery", []) => return Ok(SqlValue::Integer(0)),
        ("set_config", [_, SqlValueRef::Text(value), _]) => value,
        _ => {
            return Err(ValueError::new(
                SqlState::FEATURE_NOT_SUPPORTED,
                format!("{function}({arguments:?}) has no answer here"),
            ));
        }
    };
    Ok(SqlValue::Text(text.to_owned()))
}

/// The sequences of a database that meet a condition.
pub(crate) fn sequences(
    connection: &Connection,
    columns: &str,
    condition: &str,
) -> Result<Vec<SequenceInfo>> {
    let made = "SELECT 1 FROM main.sqlite_schema WHERE name = ?1";
    if !connection.prepare(made)?.exists([SequenceInfo::TABLE])? {
        return Ok(Vec::new());
    }
    let table = SequenceInfo::TABLE;
    let sql = format!("SELECT {columns} FROM main.{table} {condition} ORDER BY name");
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map([], |row| {
        let table: Option<String> = row.get(10)?;
        let column: Option<String> = row.get(11)?;
        Ok(SequenceInfo {
            id: row.get(0)?,
            generation: row.get(1)?,
            name: row.get(2)?,
            data_type: row.get(3)?,
            start: row.get(4)?,
            increment: row.get(5)?,
            min: row.get(6)?,
            max: row.get(7)?,
            cycle: row.get(8)?,
            cache: row.get(9)?,
            owner: table.zip(column),
            identity: row.get(12)?,
            last_value: row.get(13)?,
            is_called: row.get(14)?,
        })
    })?;
    rows.collect()
}
