//! The simple protocol: a text of any number of statements, one implicit transaction around them.

use std::rc::Rc;

use dialect::StatementKind;
use pgtypes::SqlState;

use crate::failure::Failure;
use crate::pg::connection::Connection;
use crate::pg::perform::{Ending, complete, perform};
use crate::session::execution::resolve_execute;
use crate::session::known_texts;
use crate::session::portal::Portal;
use crate::session::prepared::Prepared;
use crate::session::refusals::in_block;
use crate::wire::output;

/// Runs the statements of a Query message up to the first that fails. Gives how the last one ended, which
/// the client is told only when the implicit transaction is committed: a refused one is an error alone.
pub(super) async fn run(connection: &mut Connection, sql: &str) -> Result<Option<Ending>, Failure> {
    // The unnamed portal and statement do not outlive a simple query.
    let session = connection.session();
    session.portals().take("");
    session.statements().close("");
    let statements = dialect::split(sql);
    if statements.is_empty() {
        output::empty_query(connection.out());
        return Ok(None);
    }
    let alone = statements.len() == 1;
    let mut last = None;
    for range in statements {
        if let Some(ending) = last.take() {
            complete(connection, &ending);
        }
        let text = sql.get(range.clone()).unwrap_or_default();
        let ending = statement(connection, text, alone)
            .await
            .map_err(|failure| {
                let before = sql.get(..range.start).unwrap_or_default();
                failure.shifted(before.chars().count())
            })?;
        last = Some(ending);
    }
    Ok(last)
}

/// Runs one of them; `alone`: it is the only one of its message.
async fn statement(
    connection: &mut Connection,
    text: &str,
    alone: bool,
) -> Result<Ending, Failure> {
    let began = connection.begin_measured();
    let session = connection.session();
    let (mut prepared, mut values) = match known_texts::prepare(session, text) {
        Ok(found) => found,
        // It may be about what the transaction has made on the master.
        Err(_) if session.forwarding().is_there() && !session.transaction().is_failed() => (
            Rc::new(Prepared::told_by_master(text, &[], None)),
            Vec::new(),
        ),
        Err(failure) => return Err(failure),
    };
    if let (false, Some(what)) = (alone, prepared.statement.outside_block) {
        return Err(in_block(what));
    }
    let mut own_text = Some(text);
    if let StatementKind::Execute { name, arguments } = &prepared.statement.kind {
        (prepared, values) = resolve_execute(session, name, arguments)?;
        own_text = None;
    } else if prepared.parameters.len() != values.len() {
        return Err(Failure::new(
            SqlState::UNDEFINED_PARAMETER,
            "there is no parameter $1",
        ));
    }
    session.note(&prepared, text.trim());
    let mut portal = Portal::new(Rc::clone(&prepared), values, Vec::new(), None);
    let ending = perform(connection, &mut portal, own_text, u64::MAX, true).await;
    connection.end_measured(began, (&prepared, text), &ending);
    ending
}
