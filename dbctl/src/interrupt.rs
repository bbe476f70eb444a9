//! Ctrl-C: a running statement is cancelled on its server; where none runs, the program ends.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio_postgres::{CancelToken, Client, NoTls};

use crate::error::{CommandError, Result};
use crate::output;

/// Listens for Ctrl-C.
#[derive(Clone)]
pub(crate) struct Interrupt(Arc<Mutex<Option<CancelToken>>>);

/// A statement runs as long as this lives.
pub(crate) struct Running<'a>(&'a Interrupt);

impl Interrupt {
    /// Listens from now on, on a thread of its own: the program may be waiting for its input.
    pub(crate) fn listen() -> Result<Self> {
        let own = Self(Arc::default());
        let heard = own.clone();
        let cannot = |error: std::io::Error| CommandError::error(format!("cannot listen: {error}"));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(cannot)?;
        thread::Builder::new()
            .name("interrupt".to_owned())
            .spawn(move || runtime.block_on(heard.serve()))
            .map_err(cannot)?;
        Ok(own)
    }

    /// A statement of this client begins.
    pub(crate) fn running(&self, client: &Client) -> Running<'_> {
        self.set(Some(client.cancel_token()));
        Running(self)
    }

    async fn serve(self) {
        while tokio::signal::ctrl_c().await.is_ok() {
            // A second one ends the program, whatever the server does.
            let Some(token) = self.set(None) else {
                output::interrupted();
            };
            if token.cancel_query(NoTls).await.is_err() {
                output::interrupted();
            }
        }
    }

    fn set(&self, token: Option<CancelToken>) -> Option<CancelToken> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut held, token)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.set(None);
    }
}
