//! Where each event of the log goes, with its severity: standard error, a file, the system's log.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use dbconfig::syslog::{Severity, Syslog, stderr_prefix};
use fwlog::Timestamp;
use tracing::Metadata;
use tracing_subscriber::fmt::MakeWriter;

use crate::process::json;
use crate::process::lines::Lines;
use crate::process::log_file::LogFile;
use crate::process::recent::Recent;
use crate::process::repeats::Repeats;

/// Where events go.
#[derive(Debug, Clone)]
pub(super) enum Place {
    Console,
    File(LogFile),
    Syslog(Arc<Syslog>),
}

/// What the line of a repeated failure looks like.
#[derive(Debug, Clone, Copy)]
pub(super) enum Format {
    Text,
    Json,
}

/// Takes events. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Sink {
    place: Place,
    format: Format,
    repeats: Arc<Mutex<Repeats>>,
    recent: Recent,
}

impl Sink {
    pub(super) fn new(place: Place, format: Format, recent: Recent) -> Self {
        Self {
            place,
            format,
            repeats: Arc::default(),
            recent,
        }
    }

    /// Takes the line of an event, and its words without the time: what is the same when it comes again.
    pub(super) fn tell(&self, severity: Severity, words: &str, line: &[u8]) -> io::Result<()> {
        self.recent.count(severity);
        let tell = match severity {
            Severity::Error | Severity::Warning => self.repeats().tell(words, Instant::now()),
            Severity::Info => {
                let part = words.split_whitespace().nth(1).unwrap_or_default();
                self.repeats().news_of(part);
                true
            }
            Severity::Debug => true,
        };
        if !tell {
            return Ok(());
        }
        self.recent.note(severity, words);
        self.put(severity, line)
    }

    /// Says how often failures have come that were told before.
    pub(super) fn tell_repeats(&self) {
        for (words, count) in self.repeats().due(Instant::now()) {
            let severity = severity_of(&words);
            let line = match (self.format, &self.place) {
                (Format::Json, _) => json::repeated(&words, count),
                (Format::Text, Place::Syslog(_)) => format!("{words} ({count} times more)\n"),
                (Format::Text, Place::Console | Place::File(_)) => {
                    let time = Timestamp::now().to_string().replace(' ', "T");
                    format!("{time} {words} ({count} times more)\n")
                }
            };
            // There is nowhere to say that it could not be said.
            drop(self.put(severity, line.as_bytes()));
        }
    }

    fn repeats(&self) -> std::sync::MutexGuard<'_, Repeats> {
        self.repeats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, severity: Severity, event: &[u8]) -> io::Result<()> {
        match &self.place {
            Place::Console => {
                let mut line = stderr_prefix(severity).into_bytes();
                line.extend_from_slice(event);
                io::stderr().write_all(&line)
            }
            Place::File(file) => file.write(event),
            Place::Syslog(syslog) => {
                syslog.send(severity, String::from_utf8_lossy(event).trim_end())
            }
        }
    }

    /// A text event without its time.
    fn words<'a>(&self, event: &'a str) -> &'a str {
        let event = event.trim_end_matches('\n');
        match &self.place {
            Place::Syslog(_) => event,
            Place::Console | Place::File(_) => {
                event.split_once(' ').map_or(event, |(_, rest)| rest)
            }
        }
    }
}

/// What tracing writes before the words.
fn severity_of(words: &str) -> Severity {
    let level = words.split_whitespace().next().unwrap_or_default();
    Severity::of_level(level)
}

/// Takes one event.
pub(super) struct Event {
    to: Sink,
    severity: Severity,
}

impl MakeWriter<'_> for Sink {
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
        let text = String::from_utf8_lossy(event);
        let words = self.to.words(&text);
        self.to.tell(self.severity, words, event)?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;

    use tracing_subscriber::fmt;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    fn text(place: Place) -> Sink {
        Sink::new(place, Format::Text, Recent::default())
    }

    #[test]
    fn an_event_goes_to_the_systems_log_with_the_severity_of_its_level() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let listener = UnixDatagram::bind(&path).unwrap();
        let syslog = Syslog::at(&path, "dbserver").unwrap();
        let sink = text(Place::Syslog(Arc::new(syslog)));
        let layer = fmt::layer().without_time().with_writer(sink);
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

    #[test]
    fn a_failure_that_comes_again_is_a_few_lines_in_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let sink = text(Place::File(LogFile::open(&path).unwrap()));
        let layer = fmt::layer().with_ansi(false).with_writer(sink);
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, || {
            for _ in 0..1000 {
                tracing::error!(disk = "full", "no room");
            }
        });
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.matches("no room").count(), 3);
    }
}
