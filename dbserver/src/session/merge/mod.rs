//! MERGE: what is to be done is known before the first row changes, and is done row by row, as PostgreSQL does it.

mod row;

use std::collections::HashSet;

use dialect::{ConstraintKind, MergeChange, Statement};
use pgtypes::{SqlState, SqlValue};

use crate::failure::Failure;
use crate::session::schema::View;
use crate::session::sqlite::Sqlite;
use crate::session::{constraints, mapping, violated_row};

pub(in crate::session) use row::register;

/// Makes the changes of a MERGE; gives the number of rows.
///
/// Errors: 21000 where a row of the table would be changed twice.
pub(super) fn run(
    sqlite: &Sqlite,
    statement: &Statement,
    values: &[SqlValue],
) -> Result<u64, Failure> {
    let query = statement.sqlite.last().map_or("", String::as_str);
    let rows = planned(sqlite, query, values)?;
    let waiting = Waiting::begin(sqlite, statement)?;
    let changed = run_all(sqlite, &statement.merges, &rows);
    let ended = waiting.map_or(Ok(()), |waiting| waiting.end(sqlite, changed.is_ok()));
    let changed = changed?;
    ended.map(|()| changed)
}

/// The changes that are to be made: the number of each, and its parameters.
fn planned(
    sqlite: &Sqlite,
    query: &str,
    values: &[SqlValue],
) -> Result<Vec<(usize, Vec<SqlValue>)>, Failure> {
    let mut statement = sqlite.prepare(query)?;
    mapping::bind(&mut statement, values)?;
    let mut rows = statement.raw_query();
    let mut planned = Vec::new();
    while let Some(row) = rows.next()? {
        if let rusqlite::types::ValueRef::Blob(bytes) = row.get_ref(0)? {
            planned.push(row::read(bytes)?);
        }
    }
    Ok(planned)
}

fn run_all(
    sqlite: &Sqlite,
    changes: &[MergeChange],
    rows: &[(usize, Vec<SqlValue>)],
) -> Result<u64, Failure> {
    let mut seen = HashSet::new();
    let mut changed = 0;
    for (number, parameters) in rows {
        let Some(change) = changes.get(*number) else {
            return Err(row::damaged());
        };
        if change.changes_row
            && let Some(SqlValue::Integer(row)) = parameters.first()
            && !seen.insert(*row)
        {
            let message = "MERGE command cannot affect row a second time";
            return Err(Failure::new(SqlState::CARDINALITY_VIOLATION, message)
                .hint("Ensure that not more than one source row matches any one target row."));
        }
        let text = &change.text;
        changed += sqlite
            .change(text, parameters)
            .map_err(|failure| violated_row::explained(sqlite, text, parameters, failure))?;
    }
    Ok(changed)
}

/// Foreign keys by which a table refers to itself, which hold when all of the rows are changed.
struct Waiting {
    table: String,
    /// SQLite was told so before.
    already: bool,
}

impl Waiting {
    fn begin(sqlite: &Sqlite, statement: &Statement) -> Result<Option<Self>, Failure> {
        let view = View::new(sqlite);
        let found = statement.tables.first().and_then(|name| view.stored(name));
        let table = found.filter(|info| {
            info.constraints.iter().any(|constraint| {
                matches!(&constraint.kind, ConstraintKind::ForeignKey { table, .. }
                    if table.eq_ignore_ascii_case(&info.name))
            })
        });
        let Some(table) = table else { return Ok(None) };
        let already = sqlite.defers_foreign_keys()?;
        sqlite.defer_foreign_keys(true)?;
        Ok(Some(Self {
            table: table.name.clone(),
            already,
        }))
    }

    fn end(self, sqlite: &Sqlite, check: bool) -> Result<(), Failure> {
        let violated = check
            .then(|| constraints::violation_by(sqlite, &self.table, false, i64::MAX))
            .flatten();
        sqlite.defer_foreign_keys(self.already)?;
        violated.map_or(Ok(()), Err)
    }
}
