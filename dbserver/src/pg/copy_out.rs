//! COPY TO STDOUT: rows of a table or a query to the client, a line a message.

use std::rc::Rc;

use bytes::BytesMut;
use pgtypes::Format;
use pgtypes::copy::Encoder;

use crate::failure::Failure;
use crate::pg::connection::Connection;
use crate::session::cursor::{CopyLines, Portion};
use crate::session::portal::Portal;
use crate::session::{copy, execution};
use crate::wire::output;

/// Runs COPY TO STDOUT; gives its tag.
pub(super) async fn copy_out(
    connection: &mut Connection,
    portal: &mut Portal,
    options: &dialect::CopyOptions,
) -> Result<String, Failure> {
    let prepared = Rc::clone(portal.prepared());
    let session = connection.session();
    if prepared.statement.catalog {
        session.refresh_catalog()?;
    }
    let columns = prepared.describe_now(session.backend().sqlite())?;
    portal.tell(Rc::clone(&columns));
    let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
    let encoder = Encoder::new(copy::options(options, &names), columns.len())?;
    let mut lines = Box::new(CopyLines {
        encoder,
        prefix: BytesMut::new(),
    });
    execution::start(session, portal)?;
    connection.add_notices();
    let out = connection.out();
    let binary = options.format == dialect::CopyFormat::Binary;
    let format = if binary { Format::Binary } else { Format::Text };
    output::copy_response(out, b'H', (columns.len(), format));
    let mut header = BytesMut::new();
    lines
        .encoder
        .header(names.iter().map(String::as_str), &mut header);
    if binary {
        lines.prefix = header;
    } else {
        copy_data(out, &header);
    }
    while let Some(cursor) = portal.cursor() {
        let (portion, returned) = cursor.copy_out(connection.out(), lines);
        lines = returned;
        if portion? == Portion::End {
            break;
        }
        connection.flush().await?;
    }
    let rows = portal.cursor().map_or(0, |cursor| cursor.rows());
    portal.finish();
    let mut end = std::mem::take(&mut lines.prefix);
    lines.encoder.finish(&mut end);
    copy_data(connection.out(), &end);
    output::copy_done(connection.out());
    Ok(prepared.statement.tag.render(rows))
}

/// A `CopyData` message, unless there is nothing in it.
fn copy_data(out: &mut BytesMut, bytes: &[u8]) {
    if !bytes.is_empty() {
        output::frame(out, b'd', |out| out.extend_from_slice(bytes));
    }
}
