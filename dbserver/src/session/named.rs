//! PREPARE and DEALLOCATE of statements, CLOSE of cursors.

use dialect::StatementKind;

use crate::failure::Failure;
use crate::session::Session;

/// Makes or forgets what has a name in the session.
pub(super) fn run(session: &mut Session, kind: &StatementKind) -> Result<(), Failure> {
    match kind {
        StatementKind::Prepare {
            name,
            types,
            statement,
        } => {
            session.statements().check_free(name)?;
            let oids: Vec<u32> = types.iter().map(|ty| ty.sent_as().oid().get()).collect();
            let prepared = session.prepare(statement, &oids)?;
            session.statements().insert(name.clone(), prepared);
            Ok(())
        }
        StatementKind::Deallocate { name: Some(name) } => session.statements().remove(name),
        StatementKind::CloseCursor { name: Some(name) } => {
            session.portals().take_cursor(name).map(drop)
        }
        StatementKind::Deallocate { name: None } => {
            session.statements().clear();
            Ok(())
        }
        StatementKind::CloseCursor { name: None } => {
            session.portals().clear();
            Ok(())
        }
        _ => Ok(()),
    }
}
