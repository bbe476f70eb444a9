//! An S3 server for tests, in process, with faults in front of it.
//!
//! It keeps objects as files of a temporary directory, checks signatures, and knows conditional puts. It is no proof of what
//! is durable: nothing of it is synced.
#![warn(missing_docs)]

mod faults;
mod service;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

pub use faults::{Fault, Faults};

/// The one bucket that it has.
pub const BUCKET: &str = "backup";

const ACCESS_KEY: &str = "test";
const SECRET_KEY: &str = "a secret of tests";

/// A server that ends with this.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    faults: Arc<Faults>,
    folder: TempDir,
    runtime: Option<Runtime>,
}

impl Server {
    /// Begins one on a port that the system chooses.
    ///
    /// # Panics
    /// Where there is no room, no port or no thread for it.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a directory");
        std::fs::create_dir(folder.path().join(BUCKET)).expect("a bucket");
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
        let listener = listener.expect("a port");
        let address = listener.local_addr().expect("an address");
        let faults = Arc::new(Faults::default());
        let service =
            service::Service::new(folder.path(), (ACCESS_KEY, SECRET_KEY), Arc::clone(&faults));
        runtime.spawn(service::serve(listener, Arc::new(service)));
        Self {
            address,
            faults,
            folder,
            runtime: Some(runtime),
        }
    }

    /// `s3://backup/<prefix>?endpoint=http://…`
    pub fn url(&self, prefix: &str) -> String {
        format!("s3://{BUCKET}/{prefix}?endpoint=http://{}", self.address)
    }

    /// What goes wrong.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// The file that an object is in.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(BUCKET).join(name)
    }

    /// The credentials, as a process finds them in its environment.
    pub fn credentials() -> [(&'static str, &'static str); 2] {
        [
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
            ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
        ]
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let runtime = self.runtime.take();
        // Where it is dropped in an event loop, that may not wait.
        drop(thread::spawn(move || drop(runtime)).join());
    }
}
