//! The threads that copy bytes, for all redirected sessions of a server.
//!
//! A relay computes nothing and waits for nothing but its two sockets, so many share a thread: it is at the next message
//! while the one before is with its master, and wakes once for all that has come meanwhile. With a thread for each
//! session, a message of 16 busy clients took a third more of the slave's time.

use std::future::Future;
use std::io;
use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use futures::FutureExt as _;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// More threads than these were never busy.
const MOST: usize = 4;

/// They are started by the first session, and end with this.
#[derive(Default)]
pub(in crate::pg) struct Relays {
    threads: Mutex<Threads>,
}

#[derive(Default)]
struct Threads {
    all: Vec<Relaying>,
    next: usize,
}

struct Relaying {
    handle: Handle,
    end: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Relays {
    /// Runs a session to its end, beside others. A panic ends that one alone.
    ///
    /// Error: no thread can be made.
    pub(super) fn spawn(
        &self,
        session: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        let handle = self.next()?;
        handle.spawn(async move {
            if AssertUnwindSafe(session).catch_unwind().await.is_err() {
                tracing::error!("the relay of a redirected session has panicked and was ended");
            }
        });
        Ok(())
    }

    /// The threads in turn; half as many as there are processors, which serve readers, too.
    fn next(&self) -> io::Result<Handle> {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let processors = thread::available_parallelism().map_or(1, usize::from);
        let wanted = (processors / 2).clamp(1, MOST);
        if threads.all.len() < wanted {
            let one = Relaying::start()?;
            threads.all.push(one);
        }
        threads.next += 1;
        let at = threads.next % threads.all.len();
        let chosen = threads.all.get(at).map(|one| one.handle.clone());
        chosen.ok_or_else(|| io::Error::other("there is no thread for redirected sessions"))
    }
}

impl Drop for Relays {
    fn drop(&mut self) {
        let threads = self
            .threads
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        for one in threads.all.drain(..) {
            // One that has ended hears nothing.
            let _ended = one.end.send(());
            if one.thread.join().is_err() {
                tracing::error!("a thread of redirected sessions has panicked");
            }
        }
    }
}

impl Relaying {
    fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (end, ended) = oneshot::channel::<()>();
        let thread = thread::Builder::new()
            .name("relay".to_owned())
            .spawn(move || {
                // Whether it is told, or nobody is there to tell it.
                drop(runtime.block_on(ended));
                runtime.shutdown_background();
            })?;
        Ok(Self {
            handle,
            end,
            thread,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::sync::mpsc;

    #[test]
    fn a_panic_ends_one_session_and_the_end_of_all_ends_the_threads() {
        let relays = Relays::default();
        let (sender, receiver) = mpsc::channel();
        for number in 0..20 {
            let sender = sender.clone();
            let session = async move {
                tokio::task::yield_now().await;
                assert_ne!(number, 3, "this one panics");
                sender
                    .send(thread::current().name().map(str::to_owned))
                    .unwrap();
            };
            relays.spawn(session).unwrap();
        }
        drop(sender);
        let names: Vec<_> = receiver.iter().collect();
        assert_eq!(names, vec![Some("relay".to_owned()); 19]);
        // One that never ends goes with the thread.
        relays.spawn(std::future::pending()).unwrap();
        drop(relays);
    }
}
