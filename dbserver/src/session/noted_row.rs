//! The row that a statement was about to write when it was refused. SQLite calls the triggers that stand before a change
//! with the row as it would be, before it looks at any constraint; so the statement is run once more with a trigger of
//! the session's own that notes it. The caller takes all of that back.

use dialect::TableInfo;
use dialect::pg_catalog::IndexTerm;
use pgtypes::{PgType, SqlValue};

use crate::databases::functions::Answer;
use crate::session::constraints;
use crate::session::copy::quoted;
use crate::session::mapping;
use crate::session::sqlite::Sqlite;

/// As many values as one call of the function takes: fewer than SQLite lets a function have.
const VALUES: usize = 100;

/// A row of a table.
pub(super) struct NotedRow<'a> {
    table: &'a TableInfo,
    /// As they would be stored.
    values: Vec<SqlValue>,
    /// With labels in the place of numbers.
    shown: Vec<SqlValue>,
}

impl<'a> NotedRow<'a> {
    /// The last row that `work` was about to write to the table in SQLite's schema `place`; `None` if it wrote none, or
    /// was not refused.
    pub(super) fn of(
        sqlite: &Sqlite,
        (place, table): (&str, &'a TableInfo),
        work: impl FnOnce() -> bool,
    ) -> Option<Self> {
        drop(sqlite.take_noted_row());
        let made = sqlite.trusted(|connection| {
            for event in ["INSERT", "UPDATE"] {
                connection.execute_batch(&trigger(place, table, event))?;
            }
            Ok(())
        });
        made.inspect_err(|error| tracing::debug!(%error, "a row could not be noted"))
            .ok()?;
        // With a trigger SQLite computes all rows before it writes the first.
        sqlite.sequences().go_beyond(true);
        let refused = work();
        sqlite.sequences().go_beyond(false);
        let values = sqlite.take_noted_row();
        let whole = refused && values.len() == table.columns.len();
        let shown = whole.then(|| shown(sqlite, table, &values)).flatten()?;
        Some(Self {
            table,
            values,
            shown,
        })
    }

    /// Its table.
    pub(super) fn table(&self) -> &TableInfo {
        self.table
    }

    /// Whether a column has no value.
    pub(super) fn is_null(&self, column: &str) -> bool {
        let mut columns = self.table.columns.iter().zip(&self.values);
        columns.any(|(known, value)| known.name == column && value.is_null())
    }

    /// The values of all columns as PostgreSQL prints them.
    pub(super) fn texts(&self) -> Option<Vec<String>> {
        let columns = self.table.columns.iter().zip(&self.shown);
        columns
            .map(|(column, value)| {
                let ty = column.type_name.map_or(PgType::Text, PgType::sent_as);
                constraints::text_of(value.as_ref(), &ty)
            })
            .collect()
    }

    /// The values of an index's terms.
    pub(super) fn computed(&self, sqlite: &Sqlite, terms: &[IndexTerm]) -> Option<Vec<String>> {
        let columns = self.table.columns.iter();
        let columns: Vec<String> = columns
            .map(|column| format!("? AS {}", quoted(&column.name)))
            .collect();
        let stored: Vec<&str> = terms.iter().map(|term| term.stored.as_str()).collect();
        let sql = format!(
            "SELECT {} FROM (SELECT {})",
            stored.join(", "),
            columns.join(", ")
        );
        let texts = sqlite.trusted(|connection| {
            let values = self.values.iter().cloned().map(Answer);
            connection.query_row(&sql, rusqlite::params_from_iter(values), |row| {
                let mut texts = Vec::with_capacity(terms.len());
                for (place, term) in terms.iter().enumerate() {
                    let value = mapping::value(row.get_ref(place)?).ok();
                    texts.push(value.and_then(|value| constraints::text_of(value, &term.ty)));
                }
                Ok(texts)
            })
        });
        texts
            .inspect_err(|error| tracing::debug!(%error, "the terms of an index were not computed"))
            .ok()?
            .into_iter()
            .collect()
    }

    /// The values of some columns.
    pub(super) fn texts_of(&self, columns: &[String]) -> Option<Vec<String>> {
        let texts = self.texts()?;
        let text = |name: &String| {
            let place = self.table.columns.iter().position(|own| own.name == *name);
            texts.get(place?).cloned()
        };
        columns.iter().map(text).collect()
    }
}

/// The values of a row with the labels of enums in the place of their numbers.
fn shown(sqlite: &Sqlite, table: &TableInfo, values: &[SqlValue]) -> Option<Vec<SqlValue>> {
    let mut shown = Vec::with_capacity(values.len());
    for (column, value) in table.columns.iter().zip(values) {
        let label = match column.type_name {
            Some(ty @ PgType::Enum(_)) => {
                let sql = format!("SELECT {}", dialect::shown_place(&ty, "?1"));
                let text = sqlite.trusted(|connection| {
                    connection.query_row(&sql, [Answer(value.clone())], |row| {
                        row.get::<_, Option<String>>(0)
                    })
                });
                text.inspect_err(
                    |error| tracing::debug!(%error, "the label of a value was not found"),
                )
                .ok()?
            }
            _ => None,
        };
        shown.push(label.map_or_else(|| value.clone(), SqlValue::Text));
    }
    Some(shown)
}

fn trigger(place: &str, table: &TableInfo, event: &str) -> String {
    let names: Vec<String> = table
        .columns
        .iter()
        .map(|column| format!("NEW.{}", quoted(&column.name)))
        .collect();
    let calls = names.chunks(VALUES).enumerate();
    let calls: Vec<String> = calls
        .map(|(chunk, names)| format!("eq_note_row({}, {})", chunk * VALUES, names.join(", ")))
        .collect();
    format!(
        "CREATE TEMP TRIGGER \"eloqdb note {event}\" BEFORE {event} ON {place}.{} BEGIN SELECT {}; END",
        quoted(&table.name),
        calls.join(", ")
    )
}
