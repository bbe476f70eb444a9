//! COPY TO STDOUT: rows of a table or a query to the client, a line a message.

use std::rc::Rc;

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
        let mut encoder = Box::new(Encoder::new(
            copy::options(options, &names)?,
            columns.len(),
        )?);
        self.session.start(portal)?;
        self.send_notices();
        let out = self.stream.write_buffer_mut();
        output::copy_response(out, b'H', columns.len());
        let mut header = bytes::BytesMut::new();
        encoder.header(names.iter().map(String::as_str), &mut header);
        if !header.is_empty() {
            output::frame(out, b'd', |out| out.extend_from_slice(&header));
        }
        loop {
            let Some(cursor) = portal.cursor() else { break };
            let (portion, returned) = cursor.copy_out(self.stream.write_buffer_mut(), encoder);
            encoder = returned;
            if portion? == Portion::End {
                break;
            }
            self.flush().await?;
        }
        let rows = portal.cursor().map_or(0, |cursor| cursor.rows());
        portal.finish();
        output::copy_done(self.stream.write_buffer_mut());
        Ok(prepared.statement.tag.render(rows))
    }
}
