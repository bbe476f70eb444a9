//! Transaction blocks: BEGIN, COMMIT, ROLLBACK, savepoints, their modes.

use dialect::{LockMode, Statement, StatementKind, TransactionModes};
use pgtypes::SqlState;
use pgwire::messages::response::TransactionStatus;

use crate::failure::Failure;
use crate::session::Session;
use crate::session::reply::Reply;

/// BEGIN.
pub(super) fn begin(session: &mut Session, modes: TransactionModes) -> Result<(), Failure> {
    if session.transaction().is_explicit() {
        session.notices().warn(
            SqlState::ACTIVE_SQL_TRANSACTION,
            "there is already a transaction in progress",
        );
        return Ok(());
    }
    session.begin(modes)
}

/// COMMIT or ROLLBACK; with `chain` the next block begins at once, in the same modes.
pub(super) fn end(session: &mut Session, commit: bool, chain: bool) -> Result<Reply, Failure> {
    let transaction = session.transaction();
    let commits = commit && transaction.status() != TransactionStatus::Error;
    let modes = TransactionModes {
        isolation: Some(transaction.isolation()),
        read_only: Some(transaction.is_read_only()),
        deferrable: Some(transaction.is_deferrable()),
    };
    if chain {
        let what = if commit { "COMMIT" } else { "ROLLBACK" };
        transaction.check_in_block(&format!("{what} AND CHAIN"))?;
    } else if !transaction.is_explicit() {
        session.notices().warn(
            SqlState::NO_ACTIVE_SQL_TRANSACTION,
            "there is no transaction in progress",
        );
    }
    if commits {
        session.commit()?;
    } else {
        session.rollback();
    }
    if chain {
        session.begin(modes)?;
    }
    Ok(Reply::Tag(
        if commits { "COMMIT" } else { "ROLLBACK" }.to_owned(),
    ))
}

/// SAVEPOINT, RELEASE, ROLLBACK TO.
pub(super) fn savepoint(session: &mut Session, kind: &StatementKind) -> Result<(), Failure> {
    if matches!(kind, StatementKind::RollbackTo { .. }) {
        // What they read may be what is undone.
        session.portals().clear();
    }
    let (transaction, scope) = session.transaction_mut();
    match kind {
        StatementKind::Savepoint { name } => transaction.savepoint(scope, name)?,
        StatementKind::Release { name } => transaction.release(scope, name)?,
        StatementKind::RollbackTo { name } => transaction.rollback_to(scope, name)?,
        _ => return Ok(()),
    }
    session.settings_follow_savepoint(kind);
    Ok(())
}

/// Isolation level and access of the running transaction.
pub(super) fn set_modes(session: &mut Session, modes: TransactionModes) -> Result<(), Failure> {
    let barrier = session.backend().mode_barrier();
    session.transaction_mut().0.set_modes(modes, barrier)
}

/// PREPARE TRANSACTION: there is no second phase, so the transaction is over.
pub(super) fn prepare_transaction(session: &mut Session) -> Result<Reply, Failure> {
    if !session.transaction().is_explicit() {
        session.notices().warn(
            SqlState::NO_ACTIVE_SQL_TRANSACTION,
            "there is no transaction in progress",
        );
        return Ok(Reply::Tag("ROLLBACK".to_owned()));
    }
    if session.transaction().is_failed() {
        session.rollback();
        return Ok(Reply::Tag("ROLLBACK".to_owned()));
    }
    session.rollback();
    Err(Failure::new(
        SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE,
        "prepared transactions are disabled",
    )
    .hint("Set max_prepared_transactions to a nonzero value."))
}

/// COMMIT PREPARED and ROLLBACK PREPARED: no transaction was ever prepared.
pub(super) fn finish_prepared(
    session: &Session,
    statement: &Statement,
    id: &str,
) -> Result<Reply, Failure> {
    let what = statement.tag.render(0);
    session.transaction().check_outside_block(&what)?;
    Err(Failure::new(
        SqlState::UNDEFINED_OBJECT,
        format!("prepared transaction with identifier \"{id}\" does not exist"),
    ))
}

/// LOCK TABLE.
pub(super) fn lock_tables(
    session: &mut Session,
    tables: &[String],
    mode: LockMode,
    nowait: bool,
) -> Result<(), Failure> {
    session.transaction().check_in_block("LOCK TABLE")?;
    if mode != LockMode::AccessShare {
        session.check_write("LOCK TABLE")?;
    }
    for table in tables {
        if session.backend().sqlite().is_own_table(table)? {
            continue;
        }
        let (transaction, scope) = session.transaction_mut();
        transaction.lock_table(scope, table, mode, nowait)?;
    }
    Ok(())
}

/// SET CONSTRAINTS for the rest of the transaction.
pub(super) fn set_constraints(
    session: &mut Session,
    names: Option<&[String]>,
    deferred: bool,
) -> Result<(), Failure> {
    if let Err(failure) = session.transaction().check_in_block("SET CONSTRAINTS") {
        let message = &failure.fields().message;
        session.notices().warn(failure.sqlstate(), message);
        return Ok(());
    }
    let (transaction, scope) = session.transaction_mut();
    transaction.set_constraints(scope, names, deferred)
}
