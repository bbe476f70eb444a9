//! Databases and users.

use crate::defaults::{self, DefaultRole};
use crate::error::DialectError;
use crate::source::Source;
use crate::statement::{Statement, StatementKind};

/// CREATE DATABASE name [options]; DATABASE at `at`. Encoding UTF8 and any owner or template are accepted.
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
    Ok(Statement::session(
        StatementKind::CreateDatabase {
            name,
            if_not_exists,
        },
        "CREATE DATABASE",
    ))
}

/// ALTER DATABASE name RENAME TO new | OWNER TO … | SET … | RESET …
pub(crate) fn alter(src: &Source<'_>) -> Result<Statement, DialectError> {
    let name = src.name(2).ok_or_else(|| src.syntax(2))?;
    if src.are(3, &["RENAME", "TO"]) {
        let to = src.name(5).ok_or_else(|| src.syntax(5))?;
        crate::session::end_at(src, 6)?;
        return Ok(Statement::session(
            StatementKind::AlterDatabaseRename { name, to },
            "ALTER DATABASE",
        ));
    }
    if src.are(3, &["OWNER", "TO"]) || src.is(3, "REFRESH") {
        return Ok(Statement::accepted("ALTER DATABASE"));
    }
    if src.is_any(3, &["SET", "RESET"]) && !src.is(4, "TABLESPACE") {
        let kind = StatementKind::AlterDefaults {
            database: Some(name),
            role: DefaultRole::All,
            change: defaults::change(src, 3)?,
        };
        return Ok(Statement::session(kind, "ALTER DATABASE"));
    }
    Err(src.unsupported(
        3,
        &format!("ALTER DATABASE … {}", src.text(3).to_ascii_uppercase()),
    ))
}

fn password(src: &Source<'_>, at: usize) -> Result<Option<String>, DialectError> {
    let word = (at..src.len()).find(|token| src.is(*token, "PASSWORD"));
    match word {
        Some(word) => src.string(word + 1),
        None => Ok(None),
    }
}

/// CREATE USER name [[WITH] … PASSWORD 'x' …]
pub(crate) fn create_user(src: &Source<'_>, at: usize) -> Result<Statement, DialectError> {
    if src.is(at + 1, "MAPPING") {
        return Err(src.unsupported(at, "CREATE USER MAPPING"));
    }
    let name = src.name(at + 1).ok_or_else(|| src.syntax(at + 1))?;
    let password = password(src, at + 2)?;
    Ok(Statement::session(
        StatementKind::CreateUser { name, password },
        "CREATE ROLE",
    ))
}

/// ALTER USER name … PASSWORD 'x'; ALTER ROLE name | ALL [IN DATABASE name] SET … | RESET …
pub(crate) fn alter_user(src: &Source<'_>) -> Result<Statement, DialectError> {
    let name = src.name(2).ok_or_else(|| src.syntax(2))?;
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
    match password(src, 3)? {
        Some(password) => Ok(Statement::session(
            StatementKind::AlterUserPassword { name, password },
            "ALTER ROLE",
        )),
        None => Err(src.unsupported(1, "ALTER USER without PASSWORD")),
    }
}
