//! SQL cursors: DECLARE, MOVE. FETCH sends rows and is the front end's.

use std::rc::Rc;

use dialect::FetchCount;
use pgtypes::SqlState;

use crate::failure::Failure;
use crate::session::Session;
use crate::session::command::no_cursor;
use crate::session::portal::Portal;
use crate::session::prepared::Prepared;

impl Session {
    /// DECLARE: a portal over a query, open until its transaction ends, or longer WITH HOLD.
    pub fn declare(
        &mut self,
        prepared: &Rc<Prepared>,
        name: &str,
        hold: bool,
    ) -> Result<(), Failure> {
        if !hold && !self.transaction.is_explicit() {
            return Err(Failure::new(
                SqlState::NO_ACTIVE_SQL_TRANSACTION,
                "DECLARE CURSOR can only be used in transaction blocks",
            ));
        }
        if self.portals.contains_key(name) {
            return Err(Failure::new(
                SqlState::DUPLICATE_CURSOR,
                format!("cursor \"{name}\" already exists"),
            ));
        }
        if prepared.statement.catalog {
            self.refresh_catalog()?;
        }
        let columns = prepared.describe_now(&self.sqlite)?;
        let mut portal = Portal::new(Rc::clone(prepared), Vec::new(), Vec::new(), Some(columns));
        portal.hold = hold;
        self.start(&mut portal)?;
        self.portals.insert(name.to_owned(), portal);
        Ok(())
    }

    /// MOVE: reads over rows; gives the tag.
    pub fn move_cursor(&mut self, name: &str, count: &FetchCount) -> Result<String, Failure> {
        let wanted = match count {
            FetchCount::Forward(rows) => *rows,
            FetchCount::All => u64::MAX,
        };
        let portal = self.portals.get_mut(name).ok_or_else(|| no_cursor(name))?;
        Ok(format!("MOVE {}", portal.skip(wanted)?))
    }
}
