//! The row that violates a constraint. SQLite names the constraint alone, or says only that there is one: where a change
//! was refused, it is made once more in a way that refuses nothing, looked at, and taken back.

use std::rc::Rc;

use dialect::{ConstraintKind, TableInfo};
use pgtypes::{SqlState, SqlValue};

use crate::failure::Failure;
use crate::session::constraints;
use crate::session::mapping;
use crate::session::noted_row::NotedRow;
use crate::session::schema::View;
use crate::session::sqlite::Sqlite;
use crate::session::violation::{OF_DOMAIN, named_in};

/// How many rows of a table are looked through for one that violates a foreign key.
const LOOKED_THROUGH: i64 = 200_000;

/// Fills in what the row that was refused tells. Asked before the failed statement is undone.
pub(super) fn explained(
    sqlite: &Sqlite,
    text: &str,
    values: &[SqlValue],
    failure: Failure,
) -> Failure {
    let Some(change) = Change::of(text).filter(|_| sqlite.in_transaction()) else {
        return failure;
    };
    let failure = checked(sqlite, &change, failure);
    let found = match failure.sqlstate() {
        SqlState::FOREIGN_KEY_VIOLATION if failure.fields().constraint.is_none() => {
            return foreign_key(sqlite, &change, values).unwrap_or(failure);
        }
        SqlState::UNIQUE_VIOLATION if !failure.fields().key.is_empty() => {
            let columns = &failure.fields().key;
            let refused = change.refused_row(sqlite, values, "REPLACE", Some(columns));
            refused
                .or_else(|| change.noted(sqlite, values, |row| row.texts_of(columns)))
                .map(|values| taken(columns, &values))
        }
        SqlState::UNIQUE_VIOLATION => change.taken_terms(sqlite, values, &failure),
        SqlState::NOT_NULL_VIOLATION => named_in(&failure.fields().message)
            .and_then(|(column, _)| {
                change.noted(sqlite, values, |row| {
                    // What SQLite had not come to is another row.
                    row.is_null(&column).then(|| row.texts())?
                })
            })
            .map(|row| failing(&row)),
        SqlState::CHECK_VIOLATION if failure.fields().message.starts_with(OF_DOMAIN) => None,
        SqlState::CHECK_VIOLATION => failing_row(sqlite, &change, values)
            .or_else(|| change.noted(sqlite, values, all_texts))
            .map(|row| failing(&row)),
        _ => None,
    };
    match found {
        Some(detail) => failure.detail(detail),
        None => failure,
    }
}

/// Tables may have checks of one name: the one that is meant is that of the changed table.
fn checked(sqlite: &Sqlite, change: &Change<'_>, mut failure: Failure) -> Failure {
    let of_table = failure.sqlstate() == SqlState::CHECK_VIOLATION
        && failure.fields().table.is_none()
        && !failure.fields().message.starts_with(OF_DOMAIN);
    let name = failure.fields().constraint.clone().filter(|_| of_table);
    let (Some(name), Some(info)) = (name, change.info(sqlite)) else {
        return failure;
    };
    let has = info.constraints.iter().any(|constraint| {
        constraint.name == name && matches!(constraint.kind, ConstraintKind::Check { .. })
    });
    if has {
        let fields = failure.fields_mut();
        let table = info.shown_name();
        fields.message =
            format!("new row for relation \"{table}\" violates check constraint \"{name}\"");
        fields.table = Some(info.name.clone());
    }
    failure
}

/// A statement that changes the rows of one table.
struct Change<'a> {
    /// `INSERT`, `UPDATE` or `DELETE`.
    verb: &'static str,
    /// What stands behind the verb, without RETURNING.
    rest: &'a str,
    place: &'a str,
    table: String,
}

impl<'a> Change<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let verbs = [
            ("INSERT", "INSERT INTO "),
            ("UPDATE", "UPDATE "),
            ("DELETE", "DELETE FROM "),
        ];
        let (verb, named) = verbs
            .into_iter()
            .find_map(|(verb, words)| Some((verb, text.strip_prefix(words)?)))?;
        let (place, name) = named.split_once('.')?;
        let (table, _) = dialect::quoted_part(name.strip_prefix('"')?)?;
        let rest = text.strip_prefix(verb)?;
        Some(Self {
            verb,
            rest: rest
                .rfind(" RETURNING ")
                .map_or(rest, |at| rest.get(..at).unwrap_or(rest)),
            place,
            table,
        })
    }

    /// The table.
    fn info(&self, sqlite: &Sqlite) -> Option<Rc<TableInfo>> {
        let view = View::new(sqlite);
        match self.place {
            "main" => view.stored(&self.table),
            _ => view.table(&self.table),
        }
    }

    /// What the last row tells that it was about to write.
    fn noted<T>(
        &self,
        sqlite: &Sqlite,
        values: &[SqlValue],
        tell: impl FnOnce(&NotedRow<'_>) -> Option<T>,
    ) -> Option<T> {
        let table = self.info(sqlite)?;
        let text = format!("{}{}", self.verb, self.rest);
        tried(sqlite, || {
            let work = || sqlite.change(&text, values).is_err();
            tell(&NotedRow::of(sqlite, (self.place, &table), work)?)
        })
    }

    /// What a unique index over expressions holds already.
    fn taken_terms(
        &self,
        sqlite: &Sqlite,
        values: &[SqlValue],
        failure: &Failure,
    ) -> Option<String> {
        let index = failure.fields().constraint.as_deref()?;
        let sql = sqlite.trusted(|connection| {
            let sql = format!(
                "SELECT sql FROM {}.sqlite_schema WHERE type = 'index' AND name = ?1",
                self.place
            );
            connection.query_row(&sql, [index], |row| row.get::<_, String>(0))
        });
        let sql = sql
            .inspect_err(|error| tracing::debug!(%error, "an index could not be read"))
            .ok()?;
        self.noted(sqlite, values, |row| {
            let terms = dialect::pg_catalog::index_terms(&sql, row.table())?;
            let values = row.computed(sqlite, &terms)?;
            let shown: Vec<String> = terms.into_iter().map(|term| term.shown).collect();
            Some(taken(&shown, &values))
        })
    }

    /// The values of the row that was refused: as many rows were written before it as until the statement fails, and
    /// then all are written, in the way that `instead` says.
    fn refused_row(
        &self,
        sqlite: &Sqlite,
        values: &[SqlValue],
        instead: &str,
        columns: Option<&[String]>,
    ) -> Option<Vec<String>> {
        let before = self.written_before(sqlite, values)?;
        self.row_at(sqlite, values, (before, instead), columns)
    }

    /// The values of a row of those that the statement writes.
    fn row_at(
        &self,
        sqlite: &Sqlite,
        values: &[SqlValue],
        (before, instead): (u64, &str),
        columns: Option<&[String]>,
    ) -> Option<Vec<String>> {
        let before = usize::try_from(before).ok()?;
        tried_deferred(sqlite, || {
            let row = self
                .written(sqlite, values, instead)?
                .get(before)
                .copied()?;
            let table = View::new(sqlite).table(&self.table)?;
            let all: Vec<String> = table.columns.iter().map(|c| c.name.clone()).collect();
            constraints::values_of(sqlite, (self.place, &table), columns.unwrap_or(&all), row)
        })
    }

    /// How many rows are written before the statement fails.
    fn written_before(&self, sqlite: &Sqlite, values: &[SqlValue]) -> Option<u64> {
        if self.verb == "DELETE" || self.rest.contains(" ON CONFLICT") {
            return None;
        }
        let failing = format!("{} OR FAIL{}", self.verb, self.rest);
        tried(sqlite, || {
            let failed = sqlite.change(&failing, values).is_err();
            failed.then(|| sqlite.changes())
        })
    }

    /// The numbers of all rows that the statement writes.
    fn written(&self, sqlite: &Sqlite, values: &[SqlValue], instead: &str) -> Option<Vec<i64>> {
        let text = format!("{} OR {instead}{} RETURNING rowid", self.verb, self.rest);
        let mut statement = sqlite.prepare(&text).ok()?;
        mapping::bind(&mut statement, values).ok()?;
        let mut rows = statement.raw_query();
        let mut numbers = Vec::new();
        while let Some(row) = rows.next().ok()? {
            numbers.push(row.get(0).ok()?);
        }
        Some(numbers)
    }
}

/// Does something in a savepoint, and takes it back.
fn tried<T>(sqlite: &Sqlite, work: impl FnOnce() -> Option<T>) -> Option<T> {
    sqlite.run("SAVEPOINT violated_row").ok()?;
    sqlite.sequences().repeat(true);
    let result = work();
    sqlite.sequences().repeat(false);
    let undone = sqlite
        .run("ROLLBACK TO violated_row")
        .and_then(|()| sqlite.run("RELEASE violated_row"));
    if let Err(error) = undone {
        tracing::warn!(%error, "a change that was looked at could not be taken back");
    }
    result
}

/// The same while all foreign keys wait; afterwards they wait as they did before.
fn tried_deferred<T>(sqlite: &Sqlite, work: impl FnOnce() -> Option<T>) -> Option<T> {
    let wait_already = sqlite.defers_foreign_keys().ok()?;
    let result = tried(sqlite, || {
        sqlite.defer_foreign_keys(true).ok()?;
        work()
    });
    if !wait_already && let Err(error) = sqlite.defer_foreign_keys(false) {
        tracing::warn!(%error, "foreign keys could not be made immediate again");
    }
    result
}

/// What a CHECK has refused.
fn failing_row(sqlite: &Sqlite, change: &Change<'_>, values: &[SqlValue]) -> Option<Vec<String>> {
    let before = change.written_before(sqlite, values)?;
    // The row is counted with the check, and written without it.
    sqlite.run("PRAGMA ignore_check_constraints = ON").ok()?;
    let row = change.row_at(sqlite, values, (before, "ABORT"), None);
    sqlite.run("PRAGMA ignore_check_constraints = OFF").ok()?;
    row
}

fn all_texts(row: &NotedRow<'_>) -> Option<Vec<String>> {
    row.texts()
}

/// The DETAIL of a key that is there already.
fn taken(terms: &[String], values: &[String]) -> String {
    format!(
        "Key ({})=({}) already exists.",
        terms.join(", "),
        values.join(", ")
    )
}

/// The values of a row that was refused, in one line; long ones are cut.
fn failing(row: &[String]) -> String {
    let shown = row.iter().map(|value| {
        let mut characters = value.char_indices();
        match characters.nth(64) {
            Some((end, _)) => format!("{}...", value.get(..end).unwrap_or_default()),
            None => value.clone(),
        }
    });
    let shown: Vec<String> = shown.collect();
    format!("Failing row contains ({}).", shown.join(", "))
}

/// The foreign key that a change violates: the change is made with all keys deferred.
fn foreign_key(sqlite: &Sqlite, change: &Change<'_>, values: &[SqlValue]) -> Option<Failure> {
    let removes = change.verb == "DELETE";
    let text = format!("{}{}", change.verb, change.rest);
    tried_deferred(sqlite, || {
        sqlite.change(&text, values).ok()?;
        constraints::violation_by(sqlite, &change.table, removes, LOOKED_THROUGH)
    })
}
