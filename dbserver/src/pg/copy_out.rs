//! COPY TO STDOUT: rows of a table or a query to the client, a line a message.

use std::rc::Rc;

use bytes::BytesMut;
use pgtypes::Format;
use pgtypes::copy::Encoder;

use crate::failure::Failure;
use crate::pg::client::Client;
use crate::session::copy;
use crate::session::cursor::{CopyLines, Portion};
use crate::session::portal::Portal;
use crate::wire::output;

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
        let encoder = Encoder::new(copy::options(options, &names), columns.len())?;
        let mut lines = Box::new(CopyLines {
            encoder,
            prefix: BytesMut::new(),
        });
        self.session.start(portal)?;
        self.send_notices();
        let out = self.stream.write_buffer_mut();
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
            let (portion, returned) = cursor.copy_out(self.stream.write_buffer_mut(), lines);
            lines = returned;
            if portion? == Portion::End {
                break;
            }
            self.flush().await?;
        }
        let rows = portal.cursor().map_or(0, |cursor| cursor.rows());
        portal.finish();
        let mut end = std::mem::take(&mut lines.prefix);
        lines.encoder.finish(&mut end);
        copy_data(self.stream.write_buffer_mut(), &end);
        output::copy_done(self.stream.write_buffer_mut());
        Ok(prepared.statement.tag.render(rows))
    }
}

/// A `CopyData` message, unless there is nothing in it.
fn copy_data(out: &mut BytesMut, bytes: &[u8]) {
    if !bytes.is_empty() {
        output::frame(out, b'd', |out| out.extend_from_slice(bytes));
    }
}
