//! The simple protocol: a text of any number of statements, one implicit transaction around them.

use std::rc::Rc;

use dialect::StatementKind;
use pgtypes::SqlState;

use crate::failure::Failure;
use crate::pg::client::Client;
use crate::session::portal::Portal;
use crate::wire::output;

impl Client {
    /// Runs the statements of a Query message up to the first that fails.
    pub(super) async fn simple(&mut self, sql: &str) -> Result<(), Failure> {
        // The unnamed portal and statement do not outlive a simple query.
        self.session.portals.remove("");
        self.session.statements.remove("");
        let statements = dialect::split(sql);
        if statements.is_empty() {
            output::empty_query(self.stream.write_buffer_mut());
            return Ok(());
        }
        for range in statements {
            let text = sql.get(range.clone()).unwrap_or_default();
            self.statement(text).await.map_err(|failure| {
                let before = sql.get(..range.start).unwrap_or_default();
                failure.shifted(before.chars().count())
            })?;
        }
        Ok(())
    }

    async fn statement(&mut self, text: &str) -> Result<(), Failure> {
        let mut prepared = self.session.prepare(text, &[])?;
        let mut values = Vec::new();
        if let StatementKind::Execute { name, arguments } = &prepared.statement.kind {
            (prepared, values) = self.session.resolve_execute(name, arguments)?;
        } else if !prepared.parameters.is_empty() {
            return Err(Failure::new(
                SqlState::UNDEFINED_PARAMETER,
                "there is no parameter $1",
            ));
        }
        let mut portal = Portal::new(Rc::clone(&prepared), values, Vec::new(), None);
        let ending = self.perform(&mut portal, u64::MAX, true).await?;
        self.complete(&ending);
        Ok(())
    }
}
