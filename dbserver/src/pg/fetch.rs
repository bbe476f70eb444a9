//! FETCH: rows of an SQL cursor.

use std::rc::Rc;

use dialect::FetchCount;

use crate::failure::Failure;
use crate::pg::client::Client;
use crate::session::command::no_cursor;
use crate::session::cursor::Portion;
use crate::session::portal::Portal;
use crate::session::row;

impl Client {
    /// Sends rows of the named cursor in the formats of the portal that fetches.
    pub(super) async fn fetch(
        &mut self,
        portal: &mut Portal,
        name: &str,
        count: &FetchCount,
        describe: bool,
    ) -> Result<String, Failure> {
        let mut cursor = self
            .session
            .portals
            .remove(name)
            .ok_or_else(|| no_cursor(name))?;
        let formats = Rc::clone(&portal.formats);
        if describe && let Some(columns) = &cursor.told {
            row::describe(self.stream.write_buffer_mut(), columns, &formats);
        }
        let mut left = wanted(count);
        let mut sent = 0;
        while left > 0 {
            let (portion, rows) = cursor.advance(self.stream.write_buffer_mut(), &formats, left)?;
            left -= rows;
            sent += rows;
            match portion {
                Portion::Full => self.flush().await?,
                Portion::Enough | Portion::End => break,
            }
        }
        self.session.portals.insert(name.to_owned(), cursor);
        portal.finish();
        Ok(portal.prepared.statement.tag.render(sent))
    }
}

/// The number of rows that are asked for.
pub(crate) fn wanted(count: &FetchCount) -> u64 {
    match count {
        FetchCount::Forward(rows) => *rows,
        FetchCount::All => u64::MAX,
    }
}
