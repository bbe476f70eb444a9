//! What the tests of the program share: running it, and a server that answers as it is told.

pub(crate) mod fake_server;

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// What a run of the program left.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Run {
    /// The standard output of a run that must have succeeded.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.out
    }

    /// Standard error of a run that must have failed with this code.
    #[track_caller]
    pub(crate) fn fails(self, code: i32) -> String {
        assert_eq!(self.code, code, "{self:?}");
        assert!(!self.err.is_empty(), "a failure says why");
        self.err
    }
}

/// The program, with nothing from the environment of the test.
pub(crate) fn dbctl() -> Command {
    program(env!("CARGO_BIN_EXE_dbctl"))
}

/// A copy of the program, or another one, with nothing from the environment of the test.
pub(crate) fn program(path: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(path);
    for name in [
        "EQ_CONFIG",
        "EQ_DBUSER",
        "EQ_DBPASSWORD",
        "EQ_NEWPASSWORD",
        "EQ_DBSERVER",
    ] {
        command.env_remove(name);
    }
    command.stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Run {
    finished(command.output().expect("the program runs"))
}

/// Runs a command with a text on its standard input.
pub(crate) fn run_with_input(command: &mut Command, input: &str) -> Run {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    // A program that does not read its input may have ended already.
    let _unread = stdin.write_all(input.as_bytes());
    drop(stdin);
    finished(child.wait_with_output().expect("the program ends"))
}

fn finished(output: std::process::Output) -> Run {
    Run {
        code: output.status.code().expect("no signal"),
        out: String::from_utf8(output.stdout).expect("text"),
        err: String::from_utf8(output.stderr).expect("text"),
    }
}

/// Writes a file of a test.
pub(crate) fn write(path: &Path, content: &str) {
    disk::Disk::real()
        .write_atomic(path, content.as_bytes(), 0o640)
        .expect("a written file");
}
