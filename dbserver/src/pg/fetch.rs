//! FETCH: rows of an SQL cursor.

use std::rc::Rc;

use dialect::FetchCount;

use crate::failure::Failure;
use crate::pg::connection::Connection;
use crate::session::cursor::Portion;
use crate::session::execution::wanted;
use crate::session::portal::Portal;
use crate::session::row;
use crate::wire::output::FLUSH_BYTES;

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
    let mut sent = 0;
    let mut left = match wanted(count) {
        Some(rows) if !cursor.scrolls() => rows,
        _ => {
            for row in cursor.go(count)? {
                cursor.write(connection.out(), &formats, row)?;
                if connection.out().len() >= FLUSH_BYTES {
                    connection.flush().await?;
                }
                sent += 1;
            }
            0
        }
    };
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
