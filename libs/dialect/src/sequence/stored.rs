//! The statements that keep sequences in the database.

use crate::literal::{quote, quote_name};
use crate::sequence::SequenceInfo;

/// The table, made by the first sequence.
pub(crate) const CREATE_TABLE: &str = "CREATE TABLE IF NOT EXISTS main.eloqdb_sequence (\
    id INTEGER PRIMARY KEY, generation BIGINT NOT NULL, name TEXT NOT NULL UNIQUE, data_type TEXT NOT NULL, \
    start_value BIGINT NOT NULL, increment_by BIGINT NOT NULL, min_value BIGINT NOT NULL, max_value BIGINT NOT NULL, \
    cycle BOOLEAN NOT NULL, cache_size BIGINT NOT NULL, owner_table TEXT, owner_column TEXT, \
    identity BOOLEAN NOT NULL, last_value BIGINT NOT NULL, is_called BOOLEAN NOT NULL)";

fn owner(info: &SequenceInfo) -> (String, String) {
    match &info.owner {
        Some((table, column)) => (quote(table), quote(column)),
        None => ("NULL".to_owned(), "NULL".to_owned()),
    }
}

/// A new sequence.
pub(crate) fn create(info: &SequenceInfo) -> Vec<String> {
    let (table, column) = owner(info);
    vec![
        CREATE_TABLE.to_owned(),
        format!(
            "INSERT INTO main.eloqdb_sequence ({}) VALUES (eq_sequence_stamp(), eq_sequence_stamp(), {}, {}, {}, {}, {}, {}, \
             {}, {}, {table}, {column}, {}, {}, {})",
            SequenceInfo::COLUMNS,
            quote(&info.name),
            quote(&info.data_type),
            info.start,
            info.increment,
            info.min,
            info.max,
            u8::from(info.cycle),
            info.cache,
            u8::from(info.identity),
            info.last_value,
            u8::from(info.is_called),
        ),
        view(&info.name),
    ]
}

/// The view that shows a sequence's state under its name.
fn view(name: &str) -> String {
    let columns = "\ncolumn bigint\ncolumn bigint\ncolumn boolean";
    format!(
        "CREATE VIEW main.{} AS /*eloqdb view{columns}\nquery sequence*/ SELECT eq_sequence_last(id, generation, last_value) \
         AS last_value, 0 AS log_cnt, eq_sequence_called(id, generation, is_called) AS is_called \
         FROM eloqdb_sequence WHERE name = {}",
        quote_name(name),
        quote(name)
    )
}

/// A changed definition. The sequence goes on from where it is, or from `restart`.
pub(crate) fn alter(info: &SequenceInfo, restart: bool) -> String {
    let (table, column) = owner(info);
    let state = if restart {
        format!(
            "last_value = {}, is_called = {}",
            info.last_value,
            u8::from(info.is_called)
        )
    } else {
        "last_value = eq_sequence_last(id, generation, last_value), \
         is_called = eq_sequence_called(id, generation, is_called)"
            .to_owned()
    };
    format!(
        "UPDATE main.eloqdb_sequence SET data_type = {}, start_value = {}, increment_by = {}, min_value = {}, max_value = {}, \
         cycle = {}, cache_size = {}, owner_table = {table}, owner_column = {column}, identity = {}, {state}, \
         generation = eq_sequence_stamp() WHERE name = {}",
        quote(&info.data_type),
        info.start,
        info.increment,
        info.min,
        info.max,
        u8::from(info.cycle),
        info.cache,
        u8::from(info.identity),
        quote(&info.name),
    )
}

/// Starts the sequences of a table again.
pub(crate) fn restart_of(table: &str) -> String {
    format!(
        "UPDATE main.eloqdb_sequence SET last_value = start_value, is_called = 0, generation = eq_sequence_stamp() \
         WHERE owner_table = {}",
        quote(table)
    )
}

/// Another name.
pub(crate) fn rename(from: &str, to: &str) -> Vec<String> {
    vec![
        format!("DROP VIEW main.{}", quote_name(from)),
        format!(
            "UPDATE main.eloqdb_sequence SET name = {} WHERE name = {}",
            quote(to),
            quote(from)
        ),
        view(to),
    ]
}

/// The sequence goes.
pub(crate) fn drop(name: &str) -> Vec<String> {
    vec![
        format!("DROP VIEW main.{}", quote_name(name)),
        format!(
            "DELETE FROM main.eloqdb_sequence WHERE name = {}",
            quote(name)
        ),
    ]
}

/// The table that owns sequences has another name.
pub(crate) fn rename_table(from: &str, to: &str) -> String {
    format!(
        "UPDATE main.eloqdb_sequence SET owner_table = {} WHERE owner_table = {}",
        quote(to),
        quote(from)
    )
}

/// The column that owns sequences has another name.
pub(crate) fn rename_column(table: &str, from: &str, to: &str) -> String {
    format!(
        "UPDATE main.eloqdb_sequence SET owner_column = {} WHERE owner_table = {} AND owner_column = {}",
        quote(to),
        quote(table),
        quote(from)
    )
}
