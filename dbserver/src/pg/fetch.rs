//! FETCH: rows of an SQL cursor.

use std::rc::Rc;

use dialect::FetchCount;

use crate::failure::Failure;
use crate::pg::connection::Connection;
use crate::session::cursor::Portion;
use crate::session::execution::wanted;
use crate::session::portal::Portal;
use crate::session::row;

/// Sends rows of the named cursor in the formats of the portal that fetches.
pub(super) async fn fetch(
    connection: &mut Connection,
    portal: &mut Portal,
    (name, count): (&str, &FetchCount),
    describe: bool,
) -> Result<String, Failure> {
    let mut cursor = connection.session().portals().take_cursor(name)?;
    let formats = Rc::clone(portal.formats());
    if describe && let Some(columns) = cursor.told() {
        row::describe(connection.out(), columns, &formats);
    }
    let mut left = wanted(count);
    let mut sent = 0;
    while left > 0 {
        let (portion, rows) = cursor.advance(connection.out(), &formats, left)?;
        left -= rows;
        sent += rows;
        match portion {
            Portion::Full => connection.flush().await?,
            Portion::Enough | Portion::End => break,
        }
    }
    let portals = connection.session().portals();
    portals.insert(name.to_owned(), cursor);
    portal.finish();
    Ok(portal.prepared().statement.tag.render(sent))
}
