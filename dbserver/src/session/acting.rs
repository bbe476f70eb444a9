//! What a session that acts for a user of a slave may not do: what would outlive its transaction in a session that
//! the user never sees again.

use dialect::{CommandTag, Statement, StatementKind};

use crate::failure::Failure;
use crate::session::need::takes_advisory_locks;

/// Refuses such a statement by its name (0A000).
pub(super) fn check(statement: &Statement) -> Result<(), Failure> {
    let Some(what) = outlives(statement) else {
        return Ok(());
    };
    Err(
        Failure::unsupported(format!("{what} is not forwarded to the master"))
            .detail("It would outlive its transaction, in the session that the slave has there.")
            .hint("Open the database with options='-c eloqdb.open_mode=1': then the whole session is the master's (RedirectWrite)."),
    )
}

fn outlives(statement: &Statement) -> Option<&'static str> {
    if let StatementKind::DeclareCursor { hold: true, .. } = statement.kind {
        return Some("DECLARE CURSOR WITH HOLD");
    }
    if let StatementKind::Listen { .. } = statement.kind {
        return Some("LISTEN");
    }
    if statement.makes_temporary {
        return Some(match statement.tag {
            CommandTag::Fixed("CREATE VIEW") => "CREATE TEMPORARY VIEW",
            _ => "CREATE TEMPORARY TABLE",
        });
    }
    let texts = &statement.sqlite;
    let count =
        |words: &str| -> usize { texts.iter().map(|text| text.matches(words).count()).sum() };
    let of_session = count("advisory_") > count("advisory_xact_") + count("advisory_unlock_all");
    (takes_advisory_locks(statement) && of_session).then_some("an advisory lock of a session")
}

#[cfg(test)]
mod tests {
    use dialect::{NoSchema, analyze};

    use super::*;

    #[test]
    fn what_outlives_its_transaction_is_refused_by_name() {
        for (sql, what) in [
            (
                "CREATE TEMP TABLE t (a int)",
                Some("CREATE TEMPORARY TABLE"),
            ),
            (
                "CREATE TEMPORARY TABLE t AS SELECT 1 AS a",
                Some("CREATE TEMPORARY TABLE"),
            ),
            (
                "create temp table t (a int)",
                Some("CREATE TEMPORARY TABLE"),
            ),
            (
                "/* c */ create table if not exists pg_temp.t (a int)",
                Some("CREATE TEMPORARY TABLE"),
            ),
            ("SELECT 1 AS a INTO TEMP t", Some("CREATE TEMPORARY TABLE")),
            (
                "CREATE TEMP VIEW v AS SELECT 1 AS a",
                Some("CREATE TEMPORARY VIEW"),
            ),
            (
                "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
                Some("DECLARE CURSOR WITH HOLD"),
            ),
            (
                "SELECT pg_advisory_lock(1)",
                Some("an advisory lock of a session"),
            ),
            (
                "SELECT pg_try_advisory_lock_shared(1)",
                Some("an advisory lock of a session"),
            ),
            (
                "SELECT pg_advisory_unlock(1)",
                Some("an advisory lock of a session"),
            ),
            ("SELECT pg_advisory_xact_lock(1)", None),
            ("SELECT pg_advisory_unlock_all()", None),
            ("DECLARE c CURSOR FOR SELECT 1", None),
            ("CREATE TABLE t (a int)", None),
        ] {
            let refused = check(&analyze(sql, &NoSchema).unwrap()).err();
            let message = refused.map(|failure| failure.fields().message.clone());
            let expected = what.map(|what| format!("{what} is not forwarded to the master"));
            assert_eq!(message, expected, "{sql}");
        }
    }
}
