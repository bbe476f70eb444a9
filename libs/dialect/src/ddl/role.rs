//! Roles as statements name them.

use pgtypes::SqlState;

use crate::error::DialectError;
use crate::source::Source;
use crate::statement::Role;

/// What OWNER TO another can't do.
pub(crate) const OWNER: &str = "an owner other than the session's user";

/// A role, or everybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// PUBLIC
    Public,
    /// The role of that name.
    Named(String),
    /// `CURRENT_USER`, `CURRENT_ROLE`
    Current,
    /// `SESSION_USER`
    Session,
}

impl Who {
    /// The role at a token, which is not everybody.
    ///
    /// Errors: 42601; 42939 for a name that no role has.
    pub(crate) fn role(src: &Source<'_>, at: usize) -> Result<Self, DialectError> {
        let name = src.name(at).ok_or_else(|| src.syntax(at))?;
        if src.is_any(at, &["CURRENT_USER", "CURRENT_ROLE"]) {
            return Ok(Self::Current);
        }
        if src.is(at, "SESSION_USER") {
            return Ok(Self::Session);
        }
        if name == "public" {
            let message = "role \"public\" does not exist";
            return Err(DialectError::new(SqlState::UNDEFINED_OBJECT, message));
        }
        if name == "none" {
            let message = "role name \"none\" is reserved";
            return Err(DialectError::new(SqlState::RESERVED_NAME, message));
        }
        Ok(Self::Named(name))
    }

    /// The same, or PUBLIC; the word GROUP before it says nothing.
    pub(crate) fn grantee(src: &Source<'_>, at: usize) -> Result<(Self, usize), DialectError> {
        let at = at + usize::from(src.is(at, "GROUP"));
        if src.name(at).as_deref() == Some("public") {
            return Ok((Self::Public, at + 1));
        }
        Ok((Self::role(src, at)?, at + 1))
    }

    /// Names with commas between them; the token behind them.
    pub(crate) fn list(
        src: &Source<'_>,
        mut at: usize,
        each: impl Fn(&Source<'_>, usize) -> Result<(Self, usize), DialectError>,
    ) -> Result<(Vec<Self>, usize), DialectError> {
        let mut found = Vec::new();
        loop {
            let (one, to) = each(src, at)?;
            found.push(one);
            if !src.sign(to, ",") {
                return Ok((found, to));
            }
            at = to + 1;
        }
    }

    /// What must exist: the role that is named.
    pub(crate) fn named(&self) -> Option<Role> {
        match self {
            Self::Named(name) => Some(Role {
                name: name.clone(),
                only_own: None,
            }),
            Self::Public | Self::Current | Self::Session => None,
        }
    }
}

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
