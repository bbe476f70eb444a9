//! WITH whose queries change rows: they run before the main statement, which takes what they return as parameters.

use dialect::Before;
use pgtypes::SqlValue;
use serde_json::{Map, Value as Json};

use crate::failure::Failure;
use crate::session::sqlite::Sqlite;
use crate::session::{constraints, mapping, violated_row};

/// Runs the changes in their order. Gives the values of the main statement: the client's, and behind them what each
/// change has returned.
pub(super) fn run(
    sqlite: &Sqlite,
    changes: &[Before],
    given: &[SqlValue],
) -> Result<Vec<SqlValue>, Failure> {
    let mut values = given.to_vec();
    for change in changes {
        let returned = run_one(sqlite, change, &values)
            .map_err(|failure| violated_row::explained(sqlite, &change.text, &values, failure))?;
        values.push(SqlValue::Text(returned.to_string()));
    }
    Ok(values)
}

/// The rows that a change returns, as [`Before`] says.
fn run_one(sqlite: &Sqlite, change: &Before, values: &[SqlValue]) -> Result<Json, Failure> {
    if change.columns.is_empty() {
        sqlite.change(&change.text, values)?;
        return Ok(Json::Array(Vec::new()));
    }
    let mut statement = sqlite.prepare(&change.text)?;
    mapping::bind(&mut statement, values)?;
    let mut rows = statement.raw_query();
    let mut returned = Vec::new();
    while let Some(row) = rows.next()? {
        let mut members = Map::new();
        for (place, ty) in change.columns.iter().enumerate() {
            let value = mapping::value(row.get_ref(place)?)?;
            let text = if value.is_null() {
                Json::Null
            } else {
                Json::String(constraints::shown(value, ty)?)
            };
            members.insert(format!("c{place}"), text);
        }
        returned.push(Json::Object(members));
    }
    Ok(Json::Array(returned))
}
