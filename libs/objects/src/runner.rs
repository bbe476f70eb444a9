//! Waits for what is asynchronous on threads that are not.

use std::future::Future;
use std::io;
use std::sync::mpsc;

use tokio::runtime::{Builder, Runtime};

/// An event loop of its own, on a thread of its own. Callers wait, whether they are in an event loop or not.
#[derive(Debug)]
pub(crate) struct Runner {
    /// `None`: it has ended.
    runtime: Option<Runtime>,
}

impl Runner {
    pub(crate) fn new() -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("objects")
            .enable_all()
            .build()?;
        Ok(Self {
            runtime: Some(runtime),
        })
    }

    /// What comes of it. `None`: it has panicked.
    pub(crate) fn wait<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let (done, result) = mpsc::sync_channel(1);
        self.runtime.as_ref()?.spawn(async move {
            // Nobody waits any more only where the caller's thread has ended.
            drop(done.send(work.await));
        });
        result.recv().ok()
    }
}

impl Drop for Runner {
    /// In an event loop a runtime may not wait for its own end.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_waits_and_ends_inside_of_another_event_loop() {
        let outer = Builder::new_current_thread().build().unwrap();
        outer.block_on(async {
            let runner = Runner::new().unwrap();
            assert_eq!(runner.wait(async { 7 }), Some(7));
            drop(runner);
        });
    }
}
