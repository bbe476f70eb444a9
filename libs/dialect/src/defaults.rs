//! What sessions begin with: ALTER DATABASE, ALTER ROLE … SET, RESET.

use crate::error::DialectError;
use crate::session::{assignment, end_at, setting};
use crate::source::Source;

/// Whose sessions begin with a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DefaultRole {
    /// Everybody's.
    All,
    /// Those of the session's user.
    Own,
    /// Those of this role.
    Named(String),
}

/// What happens to the settings that sessions begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DefaultChange {
    /// SET name TO value.
    Set(String, String),
    /// SET name FROM CURRENT.
    Current(String),
    /// RESET name, SET name TO DEFAULT.
    Reset(String),
    /// RESET ALL.
    ResetAll,
}

/// SET or RESET of what sessions begin with, up to the end.
pub(crate) fn change(src: &Source<'_>, at: usize) -> Result<DefaultChange, DialectError> {
    if src.is(at, "RESET") {
        if src.is(at + 1, "ALL") {
            end_at(src, at + 2)?;
            return Ok(DefaultChange::ResetAll);
        }
        let (name, to) = setting(src, at + 1)?;
        end_at(src, to)?;
        return Ok(DefaultChange::Reset(name));
    }
    let (name, to) = setting(src, at + 1)?;
    if src.are(to, &["FROM", "CURRENT"]) {
        end_at(src, to + 2)?;
        return Ok(DefaultChange::Current(name));
    }
    Ok(match assignment(src, at + 1)? {
        (name, Some(value)) => DefaultChange::Set(name, value),
        (name, None) => DefaultChange::Reset(name),
    })
}
