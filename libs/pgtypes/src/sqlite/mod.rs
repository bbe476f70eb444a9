//! SQLite's errors in a PostgreSQL client's language.
//!
//! SQLite tells errors apart by a result code, its extended form, and for most errors of a
//! statement only by the message. [`failure`] takes all three and gives what an `ErrorResponse`
//! carries.

mod constraint;
mod rules;

use crate::SqlState;

/// An error of SQLite, as a client sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What kind of error, for programs.
    pub sqlstate: SqlState,
    /// What is wrong, in PostgreSQL's words where PostgreSQL has the same error.
    pub message: String,
    /// More about it.
    pub detail: Option<String>,
    /// What to do.
    pub hint: Option<String>,
    /// The table, where SQLite names it.
    pub table: Option<String>,
    /// The columns, where SQLite names them.
    pub columns: Vec<String>,
    /// The constraint; where SQLite does not name it, the name PostgreSQL would have given it.
    pub constraint: Option<String>,
}

impl Failure {
    /// A failure that is only a code and a message.
    pub fn new(sqlstate: SqlState, message: impl Into<String>) -> Self {
        Self {
            sqlstate,
            message: message.into(),
            detail: None,
            hint: None,
            table: None,
            columns: Vec::new(),
            constraint: None,
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

/// The message by which a function that runs inside SQLite says what kind of error it met:
/// SQLite passes on nothing but text. [`failure`] takes it apart again.
pub fn tagged(sqlstate: SqlState, message: &str) -> String {
    format!("[{sqlstate}] {message}")
}

fn untag(message: &str) -> Option<Failure> {
    let (code, message) = message.strip_prefix('[')?.split_once("] ")?;
    Some(Failure::new(SqlState::from_code(code)?, message))
}

/// Translates an error: result code, extended result code, and message.
///
/// `code` may be the extended code too. A message that nothing here knows is passed on as it is,
/// with the SQLSTATE that fits the result code.
pub fn failure(code: i32, extended_code: i32, message: &str) -> Failure {
    let primary = code & 0xff;
    if let Some(failure) = untag(message) {
        return failure;
    }
    if primary == CONSTRAINT {
        return constraint::failure(extended_code, message);
    }
    // Only `SQLITE_ERROR` and `SQLITE_AUTH` say more in their message than in their code.
    let by_message = matches!(primary, ERROR | AUTH)
        .then(|| rules::by_message(message))
        .flatten();
    by_message.unwrap_or_else(|| by_code(primary, extended_code, message))
}

const ERROR: i32 = 1;
const CONSTRAINT: i32 = 19;
const AUTH: i32 = 23;
/// `SQLITE_BUSY_SNAPSHOT`: another transaction has committed since this one's snapshot.
const BUSY_SNAPSHOT: i32 = 517;
/// `SQLITE_IOERR_NOMEM`.
const IOERR_NOMEM: i32 = 3082;

fn by_code(primary: i32, extended_code: i32, message: &str) -> Failure {
    match extended_code {
        BUSY_SNAPSHOT => {
            return Failure::new(
                SqlState::SERIALIZATION_FAILURE,
                "could not serialize access due to concurrent update",
            );
        }
        IOERR_NOMEM => return Failure::new(SqlState::OUT_OF_MEMORY, "out of memory"),
        _ => {}
    }
    let (sqlstate, words) = match primary {
        ERROR => (SqlState::SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION, None),
        3 | AUTH => (SqlState::INSUFFICIENT_PRIVILEGE, Some("permission denied")),
        5 => (
            SqlState::LOCK_NOT_AVAILABLE,
            Some("could not obtain lock on database"),
        ),
        6 => (
            SqlState::LOCK_NOT_AVAILABLE,
            Some("could not obtain lock on relation"),
        ),
        7 => (SqlState::OUT_OF_MEMORY, Some("out of memory")),
        8 => (
            SqlState::READ_ONLY_SQL_TRANSACTION,
            Some("cannot execute statement in a read-only transaction"),
        ),
        4 | 9 => (
            SqlState::QUERY_CANCELED,
            Some("canceling statement due to user request"),
        ),
        10 | 14 => (SqlState::IO_ERROR, None),
        11 | 26 => (SqlState::DATA_CORRUPTED, None),
        12 => (SqlState::UNDEFINED_OBJECT, None),
        13 => (
            SqlState::DISK_FULL,
            Some("could not extend database: no space left"),
        ),
        15 => (SqlState::LOCK_NOT_AVAILABLE, None),
        17 => (
            SqlState::FEATURE_NOT_SUPPORTED,
            Some("cached plan must not change result type"),
        ),
        18 => (SqlState::PROGRAM_LIMIT_EXCEEDED, None),
        20 => (SqlState::DATATYPE_MISMATCH, None),
        25 => (
            SqlState::UNDEFINED_PARAMETER,
            Some("there is no such parameter"),
        ),
        _ => (SqlState::INTERNAL_ERROR, None),
    };
    Failure {
        // Who waits for whom SQLite does not know here: what it could not do, only its own words say.
        detail: (sqlstate == SqlState::LOCK_NOT_AVAILABLE && words.is_some())
            .then(|| format!("SQLite says: {message}.")),
        ..Failure::new(sqlstate, words.unwrap_or(message))
    }
}

#[cfg(test)]
mod tests {
    use super::{failure, tagged};
    use crate::SqlState;

    #[test]
    fn the_result_code_decides_where_the_message_says_nothing() {
        let cases = [
            (5, 5, "55P03"),
            (5, 517, "40001"),
            (6, 262, "55P03"),
            (7, 7, "53200"),
            (8, 8, "25006"),
            (9, 9, "57014"),
            (10, 778, "58030"),
            (10, 3082, "53200"),
            (11, 11, "XX001"),
            (13, 13, "53100"),
            (18, 18, "54000"),
            (20, 20, "42804"),
            (23, 23, "42501"),
            (26, 26, "XX001"),
            (21, 21, "XX000"),
            (99, 99, "XX000"),
            (-1, -1, "XX000"),
            (1, 1, "42000"),
        ];
        for (code, extended, sqlstate) in cases {
            let failure = failure(code, extended, "words of its own");
            assert_eq!(failure.sqlstate.as_str(), sqlstate, "{code}/{extended}");
            assert!(!failure.message.is_empty());
        }
    }

    #[test]
    fn an_extended_code_may_stand_for_the_result_code() {
        assert_eq!(
            failure(778, 778, "disk I/O error").sqlstate,
            SqlState::IO_ERROR
        );
    }

    #[test]
    fn a_function_can_name_the_sqlstate_in_its_message() {
        let message = tagged(SqlState::DIVISION_BY_ZERO, "division by zero");
        let failure = failure(1, 1, &message);
        assert_eq!(failure.sqlstate, SqlState::DIVISION_BY_ZERO);
        assert_eq!(failure.message, "division by zero");
        let unknown = super::failure(1, 1, "[99999] x");
        assert_eq!(unknown.message, "[99999] x");
    }
}
