//! Where log lines go: standard error, a file, the system's log.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use dbconfig::syslog::{SYSTEM_LOG, Severity, Syslog, stderr_prefix};
use dbconfig::{Config, LogTarget};
use tracing::Metadata;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry, fmt, reload};

use crate::process::lines::Lines;

/// Changes the filter while the server runs.
pub type FilterHandle = reload::Handle<EnvFilter, Registry>;

/// The log file, which may be opened again or change while the server runs.
#[derive(Debug, Clone)]
pub struct LogFile(Shared<Opened>);

#[derive(Debug)]
struct Opened {
    file: File,
    path: PathBuf,
}

impl LogFile {
    fn open(path: &Path) -> io::Result<Self> {
        let file = options().create(true).open(path)?;
        Ok(Self(Shared::new(Opened {
            file,
            path: path.to_owned(),
        })))
    }

    /// Opens the file again under its name, or goes on in `new`, which must not exist yet. Gives
    /// the path; an error leaves the old file in use.
    pub fn switch(&self, new: Option<&Path>) -> Result<PathBuf, (PathBuf, io::Error)> {
        let mut opened = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let path = new.map_or_else(|| opened.path.clone(), Path::to_path_buf);
        let mut options = options();
        let options = if new.is_some() {
            options.create_new(true)
        } else {
            options.create(true)
        };
        match options.open(&path) {
            Ok(file) => {
                *opened = Opened {
                    file,
                    path: path.clone(),
                };
                Ok(path)
            }
            Err(error) => Err((path, error)),
        }
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.append(true).mode(0o640);
    options
}

/// What can be changed about logging while the server runs.
pub struct Logging {
    /// The filter, LogFlags.
    pub filter: FilterHandle,
    /// The file, if the log goes to one.
    pub file: Option<LogFile>,
}

/// Starts logging as the configuration says.
pub fn start(config: &Config) -> anyhow::Result<Logging> {
    let (filter, handle) = reload::Layer::new(filter(config)?);
    let mut file = None;
    let registry = tracing_subscriber::registry().with(filter);
    match &config.server.log_file {
        LogTarget::Console => registry
            .with(fmt::layer().with_ansi(false).with_writer(Graded::Console))
            .init(),
        LogTarget::Syslog => {
            let syslog = Syslog::open("dbserver")
                .with_context(|| format!("cannot reach the system's log at {SYSTEM_LOG}"))?;
            let layer = fmt::layer().with_ansi(false).without_time();
            registry
                .with(layer.with_writer(Graded::Syslog(Arc::new(syslog))))
                .init();
        }
        LogTarget::File(path) => {
            let log_file = LogFile::open(path)
                .with_context(|| format!("cannot open the log file {}", path.display()))?;
            let writer = log_file.0.clone();
            let layer = fmt::layer().with_ansi(false);
            registry
                .with(layer.with_writer(move || Lines(writer.clone())))
                .init();
            file = Some(log_file);
        }
    }
    Ok(Logging {
        filter: handle,
        file,
    })
}

/// LogFlags as a filter; the error names the key.
pub fn filter(config: &Config) -> anyhow::Result<EnvFilter> {
    EnvFilter::try_new(&config.server.log_flags)
        .with_context(|| format!("LogFlags = {} is not a filter", config.server.log_flags))
}

#[derive(Debug)]
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

impl Write for Opened {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Where each event goes with its severity.
#[derive(Debug, Clone)]
enum Graded {
    Console,
    Syslog(Arc<Syslog>),
}

/// Takes one event.
struct Event {
    to: Graded,
    severity: Severity,
}

impl MakeWriter<'_> for Graded {
    type Writer = Lines<Event>;

    fn make_writer(&self) -> Self::Writer {
        Lines(Event {
            to: self.clone(),
            severity: Severity::Info,
        })
    }

    fn make_writer_for(&self, event: &Metadata<'_>) -> Self::Writer {
        Lines(Event {
            to: self.clone(),
            severity: Severity::of_level(event.level().as_str()),
        })
    }
}

impl Write for Event {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        match &self.to {
            Graded::Console => {
                let mut line = stderr_prefix(self.severity).into_bytes();
                line.extend_from_slice(event);
                io::stderr().write_all(&line)?;
            }
            Graded::Syslog(syslog) => {
                syslog.send(self.severity, String::from_utf8_lossy(event).trim_end())?;
            }
        }
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;

    use super::*;

    #[test]
    fn an_event_goes_to_the_systems_log_with_the_severity_of_its_level() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let listener = UnixDatagram::bind(&path).unwrap();
        let syslog = Syslog::at(&path, "dbserver").unwrap();
        let layer = fmt::layer()
            .without_time()
            .with_writer(Graded::Syslog(Arc::new(syslog)));
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, || {
            tracing::error!("broken");
            tracing::warn!("dry");
            tracing::info!("two\nlines");
        });
        let mut buffer = [0; 256];
        for (priority, words) in [(27, "broken"), (28, "dry"), (30, "two\\nlines")] {
            let length = listener.recv(&mut buffer).unwrap();
            let line = std::str::from_utf8(&buffer[..length]).unwrap();
            assert!(
                line.starts_with(&format!("<{priority}>dbserver[")),
                "{line}"
            );
            assert!(line.ends_with(words), "{line}");
        }
    }
}
