//! What CREATE ROLE and ALTER ROLE say of a role.

use pgtypes::SqlState;

use crate::ddl::role::Who;
use crate::error::DialectError;
use crate::source::Source;

/// The options; `None`: not mentioned.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RoleOptions {
    /// SUPERUSER
    pub superuser: Option<bool>,
    /// CREATEDB
    pub create_databases: Option<bool>,
    /// CREATEROLE
    pub create_roles: Option<bool>,
    /// INHERIT
    pub inherit: Option<bool>,
    /// LOGIN
    pub login: Option<bool>,
    /// REPLICATION
    pub replication: Option<bool>,
    /// BYPASSRLS
    pub bypass_row_security: Option<bool>,
    /// CONNECTION LIMIT; -1: none.
    pub connection_limit: Option<i64>,
    /// PASSWORD
    pub password: PasswordChange,
    /// VALID UNTIL
    pub valid_until: Option<String>,
    /// IN ROLE: the groups that it becomes a member of.
    pub in_roles: Vec<Who>,
    /// ROLE: those who become its members.
    pub members: Vec<Who>,
    /// ADMIN: the same, and they may take others in.
    pub admins: Vec<Who>,
}

/// What is said of a password.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum PasswordChange {
    /// Nothing.
    #[default]
    No,
    /// NULL: with none he can't log in.
    Null,
    /// This one, or what is stored of it.
    To(String),
}

impl RoleOptions {
    /// `[WITH] option …` up to the end. `creates`: those of CREATE ROLE, too.
    ///
    /// Errors: 42601, also for an option that is said twice.
    pub(crate) fn read(src: &Source<'_>, at: usize, creates: bool) -> Result<Self, DialectError> {
        let mut options = Self::default();
        let mut seen: Vec<String> = Vec::new();
        let mut at = at + usize::from(src.is(at, "WITH"));
        while at < src.len() {
            let word = src.text(at).to_ascii_uppercase();
            let (option, to) = options.one(src, at, &word, creates)?;
            if seen.iter().any(|known| known == option) {
                let message = "conflicting or redundant options";
                return Err(src.error(at, SqlState::SYNTAX_ERROR, message));
            }
            seen.push(option.to_owned());
            at = to;
        }
        Ok(options)
    }

    /// One option; gives what it is about, and the token behind it.
    fn one<'w>(
        &mut self,
        src: &Source<'_>,
        at: usize,
        word: &'w str,
        creates: bool,
    ) -> Result<(&'w str, usize), DialectError> {
        let (about, yes) = match word.strip_prefix("NO") {
            Some(rest) if !rest.is_empty() => (rest, false),
            _ => (word, true),
        };
        let flag = match about {
            "SUPERUSER" => &mut self.superuser,
            "CREATEDB" => &mut self.create_databases,
            "CREATEROLE" => &mut self.create_roles,
            "INHERIT" => &mut self.inherit,
            "LOGIN" => &mut self.login,
            "REPLICATION" => &mut self.replication,
            "BYPASSRLS" => &mut self.bypass_row_security,
            _ => return self.with_value(src, at, word, creates),
        };
        *flag = Some(yes);
        Ok((about, at + 1))
    }

    fn with_value<'w>(
        &mut self,
        src: &Source<'_>,
        at: usize,
        word: &'w str,
        creates: bool,
    ) -> Result<(&'w str, usize), DialectError> {
        let text = |at: usize| src.string(at)?.ok_or_else(|| src.syntax(at));
        match word {
            "ENCRYPTED" if src.is(at + 1, "PASSWORD") => {
                self.password = PasswordChange::To(text(at + 2)?);
                Ok(("PASSWORD", at + 3))
            }
            "UNENCRYPTED" => Err(src
                .error(
                    at,
                    SqlState::FEATURE_NOT_SUPPORTED,
                    "UNENCRYPTED PASSWORD is no longer supported",
                )
                .hint("Remove UNENCRYPTED to store the password in encrypted form instead.")),
            "PASSWORD" => {
                self.password = if src.is(at + 1, "NULL") {
                    PasswordChange::Null
                } else {
                    PasswordChange::To(text(at + 1)?)
                };
                Ok((word, at + 2))
            }
            "CONNECTION" if src.is(at + 1, "LIMIT") => {
                let (limit, to) = limit(src, at + 2)?;
                self.connection_limit = Some(limit);
                Ok((word, to))
            }
            "VALID" if src.is(at + 1, "UNTIL") => {
                self.valid_until = Some(text(at + 2)?);
                Ok((word, at + 3))
            }
            "SYSID" if creates => Ok((word, at + 2)),
            "IN" if creates && src.is_any(at + 1, &["ROLE", "GROUP"]) => {
                let (roles, to) = roles(src, at + 2)?;
                self.in_roles = roles;
                Ok((word, to))
            }
            "ROLE" | "USER" if creates => {
                let (roles, to) = roles(src, at + 1)?;
                self.members = roles;
                Ok((word, to))
            }
            "ADMIN" if creates => {
                let (roles, to) = roles(src, at + 1)?;
                self.admins = roles;
                Ok((word, to))
            }
            _ => Err(src.error(
                at,
                SqlState::SYNTAX_ERROR,
                format!("unrecognized role option \"{}\"", word.to_ascii_lowercase()),
            )),
        }
    }
}

fn roles(src: &Source<'_>, at: usize) -> Result<(Vec<Who>, usize), DialectError> {
    Who::list(src, at, |src, at| Ok((Who::role(src, at)?, at + 1)))
}

/// A number of connections, -1 for any, and the token behind it.
///
/// Errors: 42601, 22023.
pub(crate) fn limit(src: &Source<'_>, at: usize) -> Result<(i64, usize), DialectError> {
    let at = at + usize::from(src.sign(at, "="));
    let negative = src.sign(at, "-");
    let at = at + usize::from(negative);
    let number: i64 = src.text(at).parse().map_err(|_| src.syntax(at))?;
    let number = if negative { -number } else { number };
    if !(-1..=i64::from(i32::MAX)).contains(&number) {
        let message = format!("invalid connection limit: {number}");
        return Err(DialectError::new(
            SqlState::INVALID_PARAMETER_VALUE,
            message,
        ));
    }
    Ok((number, at + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statement::StatementKind;

    fn options(sql: &str) -> Result<RoleOptions, DialectError> {
        match crate::analyze(sql, &crate::NoSchema)?.kind {
            StatementKind::CreateRole { options, .. }
            | StatementKind::AlterRole { options, .. } => Ok(*options),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn options_are_read_in_any_order() {
        let read = options(
            "CREATE ROLE r WITH NOINHERIT LOGIN CONNECTION LIMIT 3 VALID UNTIL '2030-01-01' PASSWORD 'x' IN ROLE a, b ADMIN c",
        )
        .unwrap();
        assert_eq!((read.inherit, read.login), (Some(false), Some(true)));
        assert_eq!(read.connection_limit, Some(3));
        assert_eq!(read.valid_until.as_deref(), Some("2030-01-01"));
        assert_eq!(read.password, PasswordChange::To("x".into()));
        assert_eq!((read.in_roles.len(), read.admins.len()), (2, 1));
        assert_eq!(
            options("ALTER ROLE r PASSWORD NULL CONNECTION LIMIT -1")
                .unwrap()
                .connection_limit,
            Some(-1)
        );
    }

    #[test]
    fn what_is_said_twice_or_unknown_is_refused() {
        for wrong in [
            "CREATE ROLE r LOGIN NOLOGIN",
            "CREATE ROLE r NONSENSE",
            "ALTER ROLE r IN ROLE a",
            "CREATE ROLE r PASSWORD",
            "CREATE ROLE r CONNECTION LIMIT -2",
        ] {
            assert!(options(wrong).is_err(), "{wrong}");
        }
    }
}
