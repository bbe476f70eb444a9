//! Statements that SQLite does not see: transactions, settings, prepared statements, databases.

use dialect::StatementKind;

use crate::failure::Failure;
use crate::session::prepared::{Column, Columns, Prepared};
use crate::session::reply::Reply;
use crate::session::{Session, block, maintenance, named, rights, roles, server_object, set};

/// Runs a command.
pub fn run(session: &mut Session, prepared: &Prepared) -> Result<Reply, Failure> {
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
        StatementKind::Grant(grant) => rights::grant(session, grant)?,
        StatementKind::ChangeOwner { relation, to } => {
            rights::change_owner(session, relation, to)?;
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
        | StatementKind::DropUser { .. } => server_object::run(session, prepared)?,
        StatementKind::Checkpoint => session.backend().env().checkpoint()?,
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
