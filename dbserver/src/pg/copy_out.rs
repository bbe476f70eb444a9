//! COPY TO STDOUT: rows of a table or a query to the client, a line a message.

use std::rc::Rc;

use bytes::BytesMut;
use pgtypes::Format;
use pgtypes::copy::Encoder;

use crate::pg::client::Client;
use crate::pg::output;
use crate::session::copy;
use crate::session::cursor::Portion;
use crate::session::failure::Failure;
use crate::session::portal::Portal;

impl Client {
    /// Runs COPY TO STDOUT; gives its tag.
    pub(super) async fn copy_out(
        &mut self,
        portal: &mut Portal,
        options: &dialect::CopyOptions,
    ) -> Result<String, Failure> {
        let prepared = Rc::clone(&portal.prepared);
        if prepared.statement.catalog {
            self.session.prepare_catalog()?;
        }
        let columns = prepared.describe_now(self.session.sqlite())?;
        portal.told = Some(Rc::clone(&columns));
        let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
        let mut encoder = Box::new(Encoder::new(copy::options(options, &names), columns.len())?);
        self.session.start(portal)?;
        self.send_notices();
        let out = self.stream.write_buffer_mut();
        let binary = options.format == dialect::CopyFormat::Binary;
        let format = if binary { Format::Binary } else { Format::Text };
        output::copy_response(out, b'H', (columns.len(), format));
        copy_data(out, |out| {
            encoder.header(names.iter().map(String::as_str), out);
        });
        while let Some(cursor) = portal.cursor() {
            let (portion, returned) = cursor.copy_out(self.stream.write_buffer_mut(), encoder);
            encoder = returned;
            if portion? == Portion::End {
                break;
            }
            self.flush().await?;
        }
        let rows = portal.cursor().map_or(0, |cursor| cursor.rows());
        portal.finish();
        copy_data(self.stream.write_buffer_mut(), |out| encoder.finish(out));
        output::copy_done(self.stream.write_buffer_mut());
        Ok(prepared.statement.tag.render(rows))
    }
}

/// A `CopyData` message, unless there is nothing in it.
fn copy_data(out: &mut BytesMut, write: impl FnOnce(&mut BytesMut)) {
    let mut bytes = BytesMut::new();
    write(&mut bytes);
    if !bytes.is_empty() {
        output::frame(out, b'd', |out| out.extend_from_slice(&bytes));
    }
}
