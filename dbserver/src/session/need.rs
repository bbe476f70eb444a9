//! What a statement asks for of the server that runs its transaction: the one list of what needs the master.

use dialect::{LockMode, Sequences, Statement, StatementKind};

/// What a statement asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// It writes, locks, or reads what only the session that writes knows.
    Master,
    /// There is nothing to be done, as far as this server knows: IF EXISTS of what is not there. The master may know more.
    Nothing,
    /// It reads tables.
    Read,
    /// It belongs to the transaction, wherever that runs, and decides nothing.
    Mark,
    /// It sets what the session has on both servers.
    Setting,
    /// It begins a block.
    Begin,
    /// It ends the transaction.
    End { commit: bool },
    /// It is about a cursor, which is where it was declared.
    Cursor,
    /// It has no effect on anything but the session here.
    Own,
}

/// What a statement asks for. A new kind of statement does not compile before it is decided.
pub(super) fn need(statement: &Statement) -> Need {
    use StatementKind as Kind;
    match &statement.kind {
        Kind::Dml
        | Kind::Ddl
        | Kind::CopyIn { .. }
        | Kind::CreateDatabase { .. }
        | Kind::DropDatabase { .. }
        | Kind::AlterDatabaseRename { .. }
        | Kind::AlterDatabaseOwner { .. }
        | Kind::AlterDatabaseLimit { .. }
        | Kind::CreateRole { .. }
        | Kind::AlterRole { .. }
        | Kind::Membership(_)
        | Kind::Grant(_)
        | Kind::ChangeOwner { .. }
        | Kind::AlterDefaults { .. }
        | Kind::DropUser { .. }
        | Kind::Notify { .. }
        | Kind::Analyze { .. }
        | Kind::Reindex(_)
        | Kind::Vacuum { .. } => Need::Master,
        Kind::Query | Kind::Explain(_) | Kind::CopyOut { .. } | Kind::DeclareCursor { .. } => {
            if statement.writes
                || statement.locks_rows
                || !statement.before.is_empty()
                || statement.sequences != Sequences::None
                || takes_advisory_locks(statement)
                || tells(statement)
            {
                Need::Master
            } else {
                Need::Read
            }
        }
        Kind::LockTable { mode, .. } => match mode {
            LockMode::AccessShare => Need::Read,
            _ => Need::Master,
        },
        Kind::Savepoint { .. }
        | Kind::Release { .. }
        | Kind::RollbackTo { .. }
        | Kind::SetConstraints { .. } => Need::Mark,
        Kind::Set { .. }
        | Kind::Reset { .. }
        | Kind::SetTransaction(_)
        | Kind::SetCharacteristics(_) => Need::Setting,
        Kind::NoOperation => Need::Nothing,
        Kind::Begin(_) => Need::Begin,
        Kind::Commit { .. } => Need::End { commit: true },
        Kind::Rollback { .. } | Kind::PrepareTransaction => Need::End { commit: false },
        Kind::Fetch { .. } | Kind::Move { .. } | Kind::CloseCursor { .. } => Need::Cursor,
        Kind::Empty
        | Kind::Refused { .. }
        | Kind::Prepare { .. }
        | Kind::Execute { .. }
        | Kind::Deallocate { .. }
        | Kind::Show { .. }
        | Kind::SetRole { .. }
        | Kind::Discard { .. }
        | Kind::FinishPrepared { .. }
        | Kind::Dbctl { .. }
        | Kind::Listen { .. }
        | Kind::Unlisten { .. }
        | Kind::Checkpoint => Need::Own,
    }
}

/// Whether names may mean something else behind a statement.
pub(super) fn defines(kind: &StatementKind) -> bool {
    matches!(
        kind,
        StatementKind::Ddl
            | StatementKind::NoOperation
            | StatementKind::CreateDatabase { .. }
            | StatementKind::DropDatabase { .. }
            | StatementKind::AlterDatabaseRename { .. }
            | StatementKind::CreateRole { .. }
            | StatementKind::DropUser { .. }
    )
}

/// Whether a query takes or gives back advisory locks. Poolers give back all that a session has, which is nothing.
pub(super) fn takes_advisory_locks(statement: &Statement) -> bool {
    let calls = |text: &String| {
        let all = text.matches("advisory_").count();
        all > text.matches("advisory_unlock_all").count()
            && (text.contains("pg_pg_advisory_") || text.contains("pg_pg_try_advisory_"))
    };
    statement.sqlite.iter().any(calls)
}

/// Whether a query tells other sessions something.
fn tells(statement: &Statement) -> bool {
    let mut texts = statement.sqlite.iter();
    texts.any(|text| text.contains("pg_pg_notify("))
}

#[cfg(test)]
mod tests {
    use dialect::{NoSchema, analyze};

    use super::*;

    fn statement(sql: &str) -> Statement {
        analyze(sql, &NoSchema).unwrap_or_else(|error| panic!("{sql}: {error:?}"))
    }

    #[test]
    fn what_only_the_master_can_do_is_told_from_reads() {
        for sql in [
            "CREATE TABLE t (a int)",
            "SELECT lastval()",
            "NOTIFY c",
            "SELECT pg_notify('c', '')",
            "SELECT pg_advisory_xact_lock(1)",
            "SELECT pg_try_advisory_lock(1)",
            "SELECT pg_advisory_unlock(1)",
            "ANALYZE",
            "CREATE DATABASE d",
            "CREATE USER u PASSWORD 'p'",
            "DROP USER u",
        ] {
            assert_eq!(need(&statement(sql)), Need::Master, "{sql}");
        }
        for sql in [
            "SELECT 1",
            "VALUES (1)",
            "SELECT pg_advisory_unlock_all()",
            "DECLARE c CURSOR FOR SELECT 1",
            "COPY (SELECT 1) TO STDOUT",
            "EXPLAIN SELECT 1",
        ] {
            assert_eq!(need(&statement(sql)), Need::Read, "{sql}");
        }
    }
}
