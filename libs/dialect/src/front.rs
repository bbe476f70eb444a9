//! The front end with types, in front of the translation: it refuses what PostgreSQL refuses, in PostgreSQL's words,
//! and tells the types of results and parameters.
//!
//! What it does not know yet (0A000, and queries on the catalog) is left to the translation.

use pgtypes::{PgType, SqlState};

use crate::analysis::{self, Analyzed};
use crate::error::DialectError;
use crate::known_schema::KnownSchema;
use crate::pg_catalog;
use crate::schema::SchemaView;
use crate::statement::Statement;
use crate::syntax;

/// What is known of a statement before it is translated; `None` where nothing is.
pub(crate) fn check(sql: &str, schema: &dyn SchemaView) -> Result<Option<Analyzed>, DialectError> {
    let Some(tree) = syntax::parse(sql)? else {
        return Ok(None);
    };
    if pg_catalog::is_catalog_query(sql) {
        return Ok(None);
    }
    let known = KnownSchema::new(schema);
    match analysis::analyze(sql, &tree, &known, &[]) {
        _ if known.is_untyped() => Ok(None),
        Ok(analyzed) => Ok(analyzed),
        Err(error) if error.sqlstate == SqlState::FEATURE_NOT_SUPPORTED => Ok(None),
        Err(error) => Err(error),
    }
}

/// Puts the types that were found into a translated statement.
pub(crate) fn tell(analyzed: &Analyzed, statement: &mut Statement) {
    let columns = analyzed.columns();
    if columns.len() == statement.columns.len() {
        for (known, column) in statement.columns.iter_mut().zip(columns) {
            // The translation knows the digits behind the point that a numeric result shows.
            let numeric = matches!(known, Some(PgType::Numeric { .. }));
            if let (false, Some(ty)) = (numeric, column.ty.pg_type()) {
                *known = Some(ty);
            }
        }
    }
    for (index, ty) in analyzed.parameters.iter().enumerate() {
        if let (Some(slot), Some(ty)) = (statement.parameters.get_mut(index), ty.pg_type()) {
            // The translation has put the limits of the column there that the value goes to.
            if slot.map(PgType::base) != Some(ty.base()) {
                *slot = Some(ty);
            }
        }
    }
}
