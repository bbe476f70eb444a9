//! Roles as statements name them.

use crate::error::DialectError;
use crate::source::Source;
use crate::statement::Role;

/// What OWNER TO another can't do.
pub(crate) const OWNER: &str = "an owner other than the session's user";

/// The role at a token; `None` for the session's own: `CURRENT_USER` and its kin.
pub(crate) fn read(
    src: &Source<'_>,
    at: usize,
    only_own: Option<&'static str>,
) -> Result<Option<Role>, DialectError> {
    let name = src.name(at).ok_or_else(|| src.syntax(at))?;
    if src.is_any(at, &["CURRENT_USER", "SESSION_USER", "CURRENT_ROLE"]) {
        return Ok(None);
    }
    Ok(Some(Role { name, only_own }))
}
