//! Lines with a severity: for the system's log, which `LogFile = syslog` means, and for standard
//! error where the journal reads it.

use std::env;
use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::LazyLock;

/// Where the system's log listens.
pub const SYSTEM_LOG: &str = "/dev/log";

/// The facility of daemons, as syslog(3) counts.
const DAEMON: u8 = 3 << 3;

/// How much a line matters, as syslog(3) counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Something has failed.
    Error = 3,
    /// Something may fail, or has failed and is tried again.
    Warning = 4,
    /// What happens.
    Info = 6,
    /// For those who look for a fault.
    Debug = 7,
}

impl Severity {
    /// The severity of messages of a level, `ERROR` to `TRACE`.
    pub fn of_level(level: &str) -> Self {
        match level {
            "ERROR" => Self::Error,
            "WARN" => Self::Warning,
            "INFO" => Self::Info,
            _ => Self::Debug,
        }
    }
}

/// The system's log.
#[derive(Debug)]
pub struct Syslog {
    socket: UnixDatagram,
    path: PathBuf,
    program: &'static str,
}

impl Syslog {
    /// The log of this machine, with lines of that program. An error says that nobody listens.
    pub fn open(program: &'static str) -> io::Result<Self> {
        Self::at(Path::new(SYSTEM_LOG), program)
    }

    /// A log that listens elsewhere.
    pub fn at(path: &Path, program: &'static str) -> io::Result<Self> {
        UnixDatagram::unbound()?.connect(path)?;
        Ok(Self {
            socket: UnixDatagram::unbound()?,
            path: path.to_owned(),
            program,
        })
    }

    /// Sends a line, to whoever listens by now: the log may have been restarted.
    pub fn send(&self, severity: Severity, line: &str) -> io::Result<()> {
        let priority = DAEMON | severity as u8;
        let message = format!("<{priority}>{}[{}]: {line}", self.program, process::id());
        self.socket
            .send_to(message.as_bytes(), &self.path)
            .map(drop)
    }
}

/// What stands before a line on standard error: where the journal reads that, the severity as
/// sd-daemon(3) wants it.
pub fn stderr_prefix(severity: Severity) -> String {
    static JOURNAL: LazyLock<bool> = LazyLock::new(stderr_is_journal);
    if *JOURNAL {
        format!("<{}>", severity as u8)
    } else {
        String::new()
    }
}

/// `JOURNAL_STREAM` names the journal's end by device and inode; a program inherits the variable
/// even when its standard error goes elsewhere.
fn stderr_is_journal() -> bool {
    let stderr = io::stderr().as_fd().try_clone_to_owned();
    let known = stderr.and_then(|stderr| File::from(stderr).metadata());
    known.is_ok_and(|file| {
        env::var("JOURNAL_STREAM")
            .is_ok_and(|name| name == format!("{}:{}", file.dev(), file.ino()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(listener: &UnixDatagram) -> String {
        let mut buffer = [0; 256];
        let length = listener.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    #[test]
    fn a_line_carries_facility_severity_program_and_process() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let listener = UnixDatagram::bind(&path).unwrap();
        let syslog = Syslog::at(&path, "prog").unwrap();
        let id = process::id();
        for (level, priority) in [("ERROR", 27), ("WARN", 28), ("INFO", 30), ("TRACE", 31)] {
            syslog.send(Severity::of_level(level), "words").unwrap();
            assert_eq!(
                received(&listener),
                format!("<{priority}>prog[{id}]: words")
            );
        }
    }

    #[test]
    fn a_log_that_was_restarted_gets_the_next_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        assert!(Syslog::at(&path, "prog").is_err(), "nobody listens");
        let before = UnixDatagram::bind(&path).unwrap();
        let syslog = Syslog::at(&path, "prog").unwrap();
        drop(before);
        std::fs::remove_file(&path).unwrap();
        assert!(syslog.send(Severity::Info, "lost").is_err());
        let after = UnixDatagram::bind(&path).unwrap();
        syslog.send(Severity::Info, "words").unwrap();
        assert!(received(&after).ends_with(": words"));
    }
}
