//! Where log lines go: standard error, a file, the system's log.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixDatagram;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use dbconfig::{Config, LogTarget};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry, fmt, reload};

/// Changes the filter while the server runs.
pub type FilterHandle = reload::Handle<EnvFilter, Registry>;

/// Facility daemon, severity informational, as in RFC 3164.
const SYSLOG_PRIORITY: &str = "<30>dbserver: ";

/// Starts logging as the configuration says.
pub fn start(config: &Config) -> anyhow::Result<FilterHandle> {
    let (filter, handle) = reload::Layer::new(filter(config)?);
    let registry = tracing_subscriber::registry().with(filter);
    match &config.server.log_file {
        LogTarget::Console => registry
            .with(fmt::layer().with_ansi(false).with_writer(io::stderr))
            .init(),
        LogTarget::Syslog => {
            let socket =
                UnixDatagram::unbound().context("cannot make a socket for the system's log")?;
            socket
                .connect("/dev/log")
                .context("cannot reach the system's log at /dev/log")?;
            let writer = Shared::new(Syslog {
                socket,
                line: Vec::new(),
            });
            let layer = fmt::layer().with_ansi(false).without_time();
            registry
                .with(layer.with_writer(move || writer.clone()))
                .init();
        }
        LogTarget::File(path) => {
            let file: File = OpenOptions::new()
                .create(true)
                .append(true)
                .mode(0o640)
                .open(path)
                .with_context(|| format!("cannot open the log file {}", path.display()))?;
            let writer = Shared::new(file);
            let layer = fmt::layer().with_ansi(false);
            registry
                .with(layer.with_writer(move || writer.clone()))
                .init();
        }
    }
    Ok(handle)
}

/// LogFlags as a filter; the error names the key.
pub fn filter(config: &Config) -> anyhow::Result<EnvFilter> {
    EnvFilter::try_new(&config.server.log_flags)
        .with_context(|| format!("LogFlags = {} is not a filter", config.server.log_flags))
}

struct Shared<W>(Arc<Mutex<W>>);

impl<W> Shared<W> {
    fn new(writer: W) -> Self {
        Self(Arc::new(Mutex::new(writer)))
    }
}

impl<W> Clone for Shared<W> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<W: Write> Write for Shared<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .flush()
    }
}

struct Syslog {
    socket: UnixDatagram,
    line: Vec<u8>,
}

impl Write for Syslog {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.extend_from_slice(bytes);
        if bytes.ends_with(b"\n") {
            let mut datagram = SYSLOG_PRIORITY.as_bytes().to_vec();
            datagram.append(&mut self.line);
            self.socket.send(&datagram)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
