//! What a session asks of rights.

use std::rc::Rc;

use crate::failure::Failure;
use crate::session::Session;
use crate::session::functions::rows::SessionRows;
use crate::system::authority::Known;

impl Session {
    /// Brings the catalog tables up to date. They must not go with a transaction that is carried over.
    pub fn refresh_catalog(&mut self) -> Result<(), Failure> {
        if self.transaction.has_written() {
            let scope = self.backend.scope(&self.settings);
            self.transaction.write(scope, &[])?;
        }
        let rows = SessionRows {
            statements: self.statements.shown(),
            cursors: self.portals.shown(),
        };
        self.backend.set_session_rows(rows);
        self.rights.refresh(&self.backend, &self.settings)?;
        let inside = self.rights.inside(&self.backend)?;
        let rights = (&**self.rights.known(), self.rights.role(), &*inside);
        self.catalog.refresh(&self.backend, &self.settings, rights)
    }

    /// What is known of roles and databases at this time.
    pub(in crate::session) fn known_roles(&mut self) -> Result<Rc<Known>, Failure> {
        self.rights.refresh(&self.backend, &self.settings)?;
        Ok(Rc::clone(self.rights.known()))
    }

    /// Whether the session's user may act as a role.
    pub(in crate::session) fn may_become(&mut self, role: &str) -> Result<bool, Failure> {
        let known = self.known_roles()?;
        Ok(known.roles.may_become(self.backend.user(), role))
    }
}
