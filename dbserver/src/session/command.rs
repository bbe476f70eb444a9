//! Statements that SQLite does not see: transactions, settings, prepared statements, databases.

use std::rc::Rc;

use dialect::StatementKind;
use pgtypes::SqlState;

use crate::failure::Failure;
use crate::session::barrier::Barrier;
use crate::session::prepared::{Column, Columns, Prepared};
use crate::session::reply::Reply;
use crate::session::{Session, block, maintenance, named, rights, roles, server_object, set};

/// Runs a command.
pub fn run(session: &mut Session, prepared: &Rc<Prepared>) -> Result<Reply, Failure> {
    let statement = &prepared.statement;
    let kind = &statement.kind;
    session.follow_set_config()?;
    match kind {
        StatementKind::Commit { chain } => return block::end(session, true, *chain),
        StatementKind::Rollback { chain } => return block::end(session, false, *chain),
        StatementKind::Show { name } => return set::show(session, name.as_deref()),
        StatementKind::Dbctl { command } => return server_object::dbctl(session, command),
        StatementKind::Begin(modes) => block::begin(session, *modes)?,
        StatementKind::Savepoint { .. }
        | StatementKind::Release { .. }
        | StatementKind::RollbackTo { .. } => block::savepoint(session, kind)?,
        StatementKind::Set { .. }
        | StatementKind::Reset { .. }
        | StatementKind::SetTransaction(_)
        | StatementKind::SetCharacteristics(_)
        | StatementKind::SetConstraints { .. }
        | StatementKind::Discard { .. } => set::run(session, kind)?,
        StatementKind::SetRole {
            name,
            session: authorization,
            local,
        } => roles::set(session, name.as_deref(), *authorization, *local)?,
        StatementKind::Grant(_) | StatementKind::ChangeOwner { .. } => {
            waited(session, |session| rights::change(session, prepared))?;
        }
        StatementKind::Refused { what } => {
            return Err(Failure::unsupported(format!("{what} is not supported")));
        }
        StatementKind::PrepareTransaction => return block::prepare_transaction(session),
        StatementKind::FinishPrepared { id } => {
            return block::finish_prepared(session, statement, id);
        }
        StatementKind::Prepare { .. }
        | StatementKind::Deallocate { .. }
        | StatementKind::CloseCursor { .. } => named::run(session, kind)?,
        StatementKind::CreateDatabase { .. }
        | StatementKind::DropDatabase { .. }
        | StatementKind::AlterDatabaseRename { .. }
        | StatementKind::AlterDatabaseOwner { .. }
        | StatementKind::AlterDatabaseLimit { .. }
        | StatementKind::CreateRole { .. }
        | StatementKind::AlterRole { .. }
        | StatementKind::Membership(_)
        | StatementKind::AlterDefaults { .. }
        | StatementKind::DropUser { .. } => {
            waited(session, |session| server_object::run(session, prepared))?;
        }
        StatementKind::Listen { .. }
        | StatementKind::Notify { .. }
        | StatementKind::Unlisten { .. } => notify(session, kind)?,
        StatementKind::Checkpoint => {
            server_object::need_operator(session)?;
            session.backend().env().checkpoint()?;
        }
        StatementKind::Analyze { tables } => maintenance::analyze(session, tables)?,
        StatementKind::Reindex(what) => maintenance::reindex(session, what)?,
        StatementKind::Vacuum {
            full,
            analyze,
            tables,
        } => maintenance::vacuum(session, *full, *analyze, tables)?,
        StatementKind::LockTable {
            tables,
            mode,
            nowait,
        } => block::lock_tables(session, tables, *mode, *nowait)?,
        _ => {}
    }
    Ok(Reply::Tag(statement.tag.render(0)))
}

/// What the server has done by itself waits for slaves as a commit of the session does.
fn waited<T>(
    session: &mut Session,
    run: impl FnOnce(&mut Session) -> Result<T, Failure>,
) -> Result<(), Failure> {
    run(session)?;
    let level = session.settings().frequent().synchronous_commit;
    let waited = session.backend().wait_for_own_statements(level);
    waited.map_err(Failure::from)
}

/// The columns of a command's answer; `None` when it has no rows.
pub fn columns(session: &mut Session, kind: &StatementKind) -> Option<Columns> {
    match kind {
        StatementKind::Show { name } => Some(set::columns(name.as_deref())),
        StatementKind::Dbctl { .. } => Some([Column::text("dbctl")].into()),
        StatementKind::Fetch { name, .. } => session.portals().get(name)?.told().cloned(),
        StatementKind::Execute { name, .. } => {
            let prepared = session.statements().get(name).ok()?;
            let sqlite = session.backend().sqlite();
            prepared
                .has_rows()
                .then(|| prepared.describe_now(sqlite).ok())?
        }
        _ => None,
    }
}

/// LISTEN, NOTIFY and UNLISTEN.
///
/// Errors: 25006 on a slave, as on a hot standby, but for UNLISTEN; 22023.
fn notify(session: &Session, kind: &StatementKind) -> Result<(), Failure> {
    let listening = session.backend().listening();
    let on_master = |command: &str| {
        if session.backend().barrier() != Some(Barrier::Slave) {
            return Ok(());
        }
        let message = format!("cannot execute {command} during recovery");
        let failure = Failure::new(SqlState::READ_ONLY_SQL_TRANSACTION, message);
        Err(failure.hint(session.backend().env().where_to_write()))
    };
    match kind {
        StatementKind::Listen { channel } => {
            on_master("LISTEN")?;
            listening.listen(channel);
        }
        StatementKind::Notify { channel, payload } => {
            on_master("NOTIFY")?;
            let told = listening.notify(channel, payload);
            told.map_err(|(state, why)| Failure::new(state, why))?;
        }
        StatementKind::Unlisten { channel } => listening.unlisten(channel.as_deref()),
        _ => {}
    }
    Ok(())
}
