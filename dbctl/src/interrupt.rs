//! Ctrl-C: a running statement is cancelled on its server; where none runs, the program ends. What reads files ends
//! at the next place that is whole.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use peers::driver::DriverTls;
use tokio::sync::Notify;
use tokio_postgres::{CancelToken, Client};

use crate::error::{CommandError, Result};
use crate::output;

/// Listens for Ctrl-C.
#[derive(Clone)]
pub(crate) struct Interrupt {
    running: Arc<Mutex<Option<CancelToken>>>,
    tls: DriverTls,
}

/// A statement runs as long as this lives.
pub(crate) struct Running<'a>(&'a Interrupt);

impl Interrupt {
    /// Listens from now on, on a thread of its own: the program may be waiting for its input.
    pub(crate) fn listen(tls: DriverTls) -> Result<Self> {
        let running = Arc::default();
        let own = Self { running, tls };
        on_a_thread(own.clone().serve())?;
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
            if token.cancel_query(self.tls.clone()).await.is_err() {
                output::interrupted();
            }
        }
    }

    fn set(&self, token: Option<CancelToken>) -> Option<CancelToken> {
        let mut held = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut held, token)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.set(None);
    }
}

/// Ctrl-C as a wish: who reads a log ends when it has printed what it has read.
#[derive(Clone, Default)]
pub(crate) struct Wish(Arc<(AtomicBool, Notify)>);

impl Wish {
    /// Listens from now on.
    pub(crate) fn listen() -> Result<Self> {
        let own = Self::default();
        on_a_thread(own.clone().serve())?;
        Ok(own)
    }

    /// Whether it was uttered.
    pub(crate) fn is_there(&self) -> bool {
        self.0.0.load(Ordering::Relaxed)
    }

    /// Returns when it is.
    pub(crate) async fn comes(&self) {
        if !self.is_there() {
            self.0.1.notified().await;
        }
    }

    async fn serve(self) {
        while tokio::signal::ctrl_c().await.is_ok() {
            // A second one ends the program, whoever does not read what it prints.
            if self.0.0.swap(true, Ordering::Relaxed) {
                output::interrupted();
            }
            self.0.1.notify_one();
        }
    }
}

/// The program may be waiting for its input, or for a disk.
fn on_a_thread(serve: impl Future<Output = ()> + Send + 'static) -> Result<()> {
    let cannot = |error: std::io::Error| CommandError::error(format!("cannot listen: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(cannot)?;
    thread::Builder::new()
        .name("interrupt".to_owned())
        .spawn(move || runtime.block_on(serve))
        .map_err(cannot)?;
    Ok(())
}
