//! Functions that look objects of the catalog up, among those that the catalog tables show.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use dialect::pg_catalog::CatalogFunction;
use pgtypes::SqlValue;
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, Result};

use crate::session::functions::facts::Facts;
use crate::session::functions::refusal::Refusal;
use crate::session::functions::{Answer, values};

/// Registers all of them.
pub(super) fn register(connection: &Connection, facts: &Arc<Facts>) -> Result<()> {
    for function in dialect::pg_catalog::functions() {
        register_one(connection, function, facts)?;
    }
    Ok(())
}

fn register_one(
    connection: &Connection,
    function: &'static CatalogFunction,
    facts: &Arc<Facts>,
) -> Result<()> {
    let facts = AssertUnwindSafe(Arc::clone(facts));
    // The objects stay the same as long as a statement runs.
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_INNOCUOUS
        | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function(function.name, function.arguments, flags, move |context| {
        let values = values(context)?;
        if function.strict && values.iter().any(SqlValue::is_null) {
            return Ok(Answer(SqlValue::Null));
        }
        let objects = facts.objects();
        (function.run)(&objects, &values)
            .map(Answer)
            .map_err(|error| Refusal::new(error.sqlstate, error.message).into_error())
    })
}
