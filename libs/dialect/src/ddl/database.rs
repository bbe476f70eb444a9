//! Databases and roles.

use crate::ddl::grant::Membership;
use crate::ddl::role::Who;
use crate::ddl::role_options::{RoleOptions, limit};
use crate::defaults::{self, DefaultRole};
use crate::error::DialectError;
use crate::session::end_at;
use crate::source::Source;
use crate::statement::{Statement, StatementKind};

/// CREATE DATABASE name [options]; DATABASE at `at`. Encoding UTF8 and any template are accepted.
pub(crate) fn create(src: &Source<'_>, at: usize) -> Result<Statement, DialectError> {
    let if_not_exists = src.are(at + 1, &["IF", "NOT", "EXISTS"]);
    let at = at + if if_not_exists { 4 } else { 1 };
    let name = src.name(at).ok_or_else(|| src.syntax(at))?;
    if let Some(encoding) = (at + 1..src.len()).find(|token| src.is(*token, "ENCODING")) {
        let value = encoding + 1 + usize::from(src.sign(encoding + 1, "="));
        let text = src
            .string(value)?
            .unwrap_or_else(|| src.text(value).to_owned());
        if !matches!(
            text.to_ascii_lowercase().as_str(),
            "utf8" | "utf-8" | "unicode" | "default" | "-1" | "6"
        ) {
            return Err(src.unsupported(value, &format!("a database with encoding \"{text}\"")));
        }
    }
    let options = [
        "WITH",
        "OWNER",
        "TEMPLATE",
        "ENCODING",
        "LC_COLLATE",
        "LC_CTYPE",
        "LOCALE",
        "CONNECTION",
        "TABLESPACE",
        "STRATEGY",
        "IS_TEMPLATE",
        "ALLOW_CONNECTIONS",
        "ICU_LOCALE",
        "LOCALE_PROVIDER",
        "OID",
        "COLLATION_VERSION",
    ];
    if at + 1 < src.len() && !src.is_any(at + 1, &options) {
        return Err(src.syntax(at + 1));
    }
    let mut owner = None;
    if let Some(word) = (at + 1..src.len()).find(|token| src.is(*token, "OWNER")) {
        let value = word + 1 + usize::from(src.sign(word + 1, "="));
        owner = (!src.is(value, "DEFAULT"))
            .then(|| Who::role(src, value))
            .transpose()?;
    }
    let limited = (at + 1..src.len()).find(|token| src.are(*token, &["CONNECTION", "LIMIT"]));
    let limited = limited.map(|word| limit(src, word + 2)).transpose()?;
    Ok(Statement {
        roles: owner.as_ref().and_then(Who::named).into_iter().collect(),
        ..Statement::session(
            StatementKind::CreateDatabase {
                name,
                if_not_exists,
                owner,
                limit: limited.map(|(limit, _)| limit),
            },
            "CREATE DATABASE",
        )
    })
}

/// ALTER DATABASE name RENAME TO new | OWNER TO … | CONNECTION LIMIT n | SET … | RESET …
pub(crate) fn alter(src: &Source<'_>) -> Result<Statement, DialectError> {
    const TAG: &str = "ALTER DATABASE";
    let name = src.name(2).ok_or_else(|| src.syntax(2))?;
    if src.are(3, &["RENAME", "TO"]) {
        let to = src.name(5).ok_or_else(|| src.syntax(5))?;
        end_at(src, 6)?;
        return Ok(Statement::session(
            StatementKind::AlterDatabaseRename { name, to },
            TAG,
        ));
    }
    if src.are(3, &["OWNER", "TO"]) {
        let to = Who::role(src, 5)?;
        end_at(src, 6)?;
        return Ok(Statement {
            roles: to.named().into_iter().collect(),
            ..Statement::session(StatementKind::AlterDatabaseOwner { name, to }, TAG)
        });
    }
    let at = 3 + usize::from(src.is(3, "WITH"));
    if src.are(at, &["CONNECTION", "LIMIT"]) {
        let (limit, to) = limit(src, at + 2)?;
        end_at(src, to)?;
        return Ok(Statement::session(
            StatementKind::AlterDatabaseLimit { name, limit },
            TAG,
        ));
    }
    if src.is(3, "REFRESH") {
        return Ok(Statement::accepted(TAG));
    }
    if src.is_any(3, &["SET", "RESET"]) && !src.is(4, "TABLESPACE") {
        let kind = StatementKind::AlterDefaults {
            database: Some(name),
            role: DefaultRole::All,
            change: defaults::change(src, 3)?,
        };
        return Ok(Statement::session(kind, TAG));
    }
    Err(src.unsupported(
        3,
        &format!("ALTER DATABASE … {}", src.text(3).to_ascii_uppercase()),
    ))
}

/// CREATE USER | ROLE | GROUP name [[WITH] options]
pub(crate) fn create_user(src: &Source<'_>, at: usize) -> Result<Statement, DialectError> {
    if src.is(at + 1, "MAPPING") {
        return Err(src.unsupported(at, "CREATE USER MAPPING"));
    }
    let name = src.name(at + 1).ok_or_else(|| src.syntax(at + 1))?;
    let mut options = RoleOptions::read(src, at + 2, true)?;
    // A user is a role that may log in.
    options.login = options.login.or(Some(src.is(at, "USER")));
    let named = [&options.in_roles, &options.members, &options.admins];
    Ok(Statement {
        roles: named.into_iter().flatten().filter_map(Who::named).collect(),
        ..Statement::session(
            StatementKind::CreateRole {
                name,
                options: Box::new(options),
            },
            "CREATE ROLE",
        )
    })
}

/// ALTER USER name options; ALTER ROLE name | ALL [IN DATABASE name] SET … | RESET …; ALTER GROUP name ADD | DROP USER …
pub(crate) fn alter_user(src: &Source<'_>) -> Result<Statement, DialectError> {
    let name = src.name(2).ok_or_else(|| src.syntax(2))?;
    if name == "mapping" && src.is(3, "FOR") {
        return Err(src.unsupported(1, "ALTER USER MAPPING"));
    }
    if src.is_any(3, &["ADD", "DROP"]) && src.is(4, "USER") {
        return alter_group(src, src.is(3, "DROP"));
    }
    let in_database = src.are(3, &["IN", "DATABASE"]);
    let at = if in_database { 6 } else { 3 };
    if src.is_any(at, &["SET", "RESET"]) {
        let database = in_database
            .then(|| src.name(5).ok_or_else(|| src.syntax(5)))
            .transpose()?;
        let role = match src.text(2).to_ascii_uppercase().as_str() {
            "ALL" => DefaultRole::All,
            "CURRENT_USER" | "SESSION_USER" | "CURRENT_ROLE" => DefaultRole::Own,
            _ => DefaultRole::Named(name),
        };
        let kind = StatementKind::AlterDefaults {
            database,
            role,
            change: defaults::change(src, at)?,
        };
        return Ok(Statement::session(kind, "ALTER ROLE"));
    }
    if src.are(3, &["RENAME", "TO"]) {
        return Err(src.unsupported(1, "ALTER ROLE … RENAME"));
    }
    let role = Who::role(src, 2)?;
    let options = RoleOptions::read(src, 3, false)?;
    if options == RoleOptions::default() {
        end_at(src, 3)?;
    }
    Ok(Statement::session(
        StatementKind::AlterRole {
            role,
            options: Box::new(options),
        },
        "ALTER ROLE",
    ))
}

/// ALTER GROUP group ADD | DROP USER name, …
fn alter_group(src: &Source<'_>, drops: bool) -> Result<Statement, DialectError> {
    let group = Who::role(src, 2)?;
    let one = |src: &Source<'_>, at| Ok((Who::role(src, at)?, at + 1));
    let (members, to) = Who::list(src, 5, one)?;
    end_at(src, to)?;
    Ok(Statement {
        tag: crate::CommandTag::Fixed("ALTER ROLE"),
        ..Membership {
            revokes: drops,
            option: false,
            roles: vec![group],
            members,
            cascade: false,
        }
        .statement()
    })
}
