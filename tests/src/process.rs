//! Child processes: those that run to their end, and those that stay.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use crate::waiting::{LONG, SHORT, longest, wait_for};

/// What a process that ran to its end left.
#[derive(Debug)]
pub struct Run {
    /// Exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Run {
    /// The standard output of a run that must have succeeded.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{}\n{}", self.err, self.out);
        self.out
    }

    /// Standard error of a run that must have failed with this code.
    #[track_caller]
    pub fn fails(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{}\n{}", self.err, self.out);
        assert!(!self.err.is_empty(), "a failure says why");
        self.err
    }
}

/// Runs a command to its end, with a text on its standard input.
pub fn run(command: &mut Command, input: &[u8]) -> Run {
    run_within(command, input, longest())
}

/// The same with a deadline of its own.
pub fn run_within(command: &mut Command, input: &[u8], deadline: Duration) -> Run {
    let shown = format!("{command:?} ends");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    let mut stdout = child.stdout.take().expect("a pipe");
    let mut stderr = child.stderr.take().expect("a pipe");
    let mut child = Background { child, log: None };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let status = thread::scope(|scope| {
        scope.spawn(move || {
            // A program that does not read its input may have ended already.
            let _unread = stdin.write_all(input);
        });
        scope.spawn(|| stdout.read_to_end(&mut out).expect("readable output"));
        scope.spawn(|| stderr.read_to_end(&mut err).expect("readable output"));
        let ended = child.ended_within(deadline);
        if ended.is_none() {
            child.kill9();
        }
        ended
    });
    let (out, err) = (text(&out), text(&err));
    let status =
        status.unwrap_or_else(|| panic!("waited {deadline:?} in vain until {shown}\n{err}\n{out}"));
    Run {
        code: status.code(),
        out,
        err,
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A process that stays until it is ended; the latest when this is dropped.
#[derive(Debug)]
pub struct Background {
    child: Child,
    log: Option<PathBuf>,
}

impl Background {
    /// Starts a process whose output goes to the end of a file.
    pub fn start(command: &mut Command, log: &Path) -> Self {
        let output = open_log(log);
        let errors = output.try_clone().expect("one more handle of the log");
        let child = command
            .stdout(output)
            .stderr(errors)
            .spawn()
            .expect("the program runs");
        Self {
            child,
            log: Some(log.to_owned()),
        }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("the state of a child")
    }

    /// Waits for its end.
    pub fn ended_within(&mut self, deadline: Duration) -> Option<ExitStatus> {
        let end = std::time::Instant::now() + deadline;
        wait_for("the end of a process", deadline + SHORT, || {
            match self.ended() {
                Some(status) => Some(Some(status)),
                None if std::time::Instant::now() > end => Some(None),
                None => None,
            }
        })
    }

    /// Ends it without a warning, and waits until it is gone.
    pub fn kill9(&mut self) {
        // It may have ended by itself; either way it is gone after wait().
        let _gone = self.child.kill();
        self.child.wait().expect("the end of a child");
    }

    /// Sends a signal by name, as in `TERM`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("sh")
            .args(["-c", "kill -s \"$0\" \"$1\"", name, &self.pid().to_string()])
            .status()
            .expect("a shell");
        assert!(sent.success(), "signal {name} to {}", self.pid());
    }

    /// Asks it to stop, and waits until it has.
    #[track_caller]
    pub fn terminate(&mut self) -> ExitStatus {
        if self.ended().is_none() {
            self.signal("TERM");
        }
        wait_for("a process to stop on SIGTERM", LONG, || self.ended())
    }

    /// What it has printed.
    pub fn output(&self) -> String {
        self.log.as_deref().map(read_log).unwrap_or_default()
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.kill9();
    }
}

/// A log file's text; empty when there is none.
pub fn read_log(path: &Path) -> String {
    std::fs::read(path)
        .map(|bytes| text(&bytes))
        .unwrap_or_default()
}

fn open_log(path: &Path) -> File {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .expect("a log file")
}
