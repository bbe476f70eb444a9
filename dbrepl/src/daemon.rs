//! Running in the background: `-D` and the pid file.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use dbconfig::LogTarget;

use crate::error::{ExitCode, ShipError};
use crate::options::Options;

/// Set for the process in the background, so that it doesn't start another one.
const MARK: &str = "ELOQDB_DBREPL_DETACHED";

/// What the system calls this program.
const NAME: &str = "dbrepl";

/// How often to look whether the background process runs, and the pause between.
const START_LOOKS: u32 = 500;
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Whether this process is to start another one in the background and leave.
pub fn must_detach(options: &Options) -> bool {
    options.daemon && std::env::var_os(MARK).is_none()
}

/// Starts this program again, with the same words, in a process group of its own and without a
/// terminal. Returns when that process runs: when it has written its pid file, if it is to write
/// one. The options were checked before, and the pid file is tried here: what is wrong with them is told at
/// the terminal.
pub fn detach(
    words: impl IntoIterator<Item = OsString>,
    options: &Options,
) -> Result<(), ShipError> {
    let cannot = |error: std::io::Error| {
        ShipError::new(
            ExitCode::Error,
            format!("can't go into the background: {error}"),
        )
    };
    drop(
        options
            .pid_file
            .as_deref()
            .map(PidFile::create)
            .transpose()?,
    );
    let program = std::env::current_exe().map_err(cannot)?;
    let mut child = Command::new(program)
        .args(words.into_iter().skip(1))
        .env(MARK, "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(cannot)?;
    let (_never, timer) = channel::<()>();
    for _ in 0..START_LOOKS {
        if let Some(status) = child.try_wait().map_err(cannot)? {
            return ended_at_once(status, &options.log);
        }
        let written = options
            .pid_file
            .as_deref()
            .is_none_or(|path| pid_in(path) == Some(child.id()));
        if written {
            return Ok(());
        }
        // Nobody sends: this is a pause.
        let (Ok(()) | Err(_)) = timer.recv_timeout(LOOK_AGAIN);
    }
    Err(ShipError::new(
        ExitCode::Error,
        "the process in the background does not start",
    ))
}

/// Done already is fine, as with `-S` and nothing to send.
fn ended_at_once(status: ExitStatus, log: &LogTarget) -> Result<(), ShipError> {
    let code = match status.code() {
        Some(0) => return Ok(()),
        Some(2) => ExitCode::Usage,
        Some(3) => ExitCode::Unreachable,
        Some(4) => ExitCode::Access,
        Some(5) => ExitCode::NoSynchronizationPoint,
        _ => ExitCode::Error,
    };
    let hint = match log {
        LogTarget::File(path) => format!("{} says why", path.display()),
        LogTarget::Console | LogTarget::Syslog => {
            "the system's log says why: 'journalctl -t dbrepl'".to_owned()
        }
    };
    let what = format!(
        "the process in the background has ended with {} ({})",
        code as u8,
        code.meaning()
    );
    Err(ShipError::new(code, what).hint(hint))
}

/// A pid file that goes away with this.
#[derive(Debug)]
pub struct PidFile(PathBuf);

impl PidFile {
    /// Writes the id of this process. One that is alive and has the file already is an error.
    pub fn create(path: &Path) -> Result<Self, ShipError> {
        if let Some((pid, name)) = running(path) {
            let file = path.display();
            return Err(if name == NAME {
                let why = format!("dbrepl runs already: process {pid} in {file}");
                ShipError::new(ExitCode::Error, why)
                    .hint("stop that process first, or use another pid file")
            } else {
                ShipError::usage(format!(
                    "{file} has the number of process {pid}, which runs and is no dbrepl: {name}"
                ))
                .hint("use another pid file; where a dbrepl that was killed has left this one, remove it")
            });
        }
        if is_foreign(path) {
            return Err(ShipError::usage(format!(
                "{} is there, and it is no pid file",
                path.display()
            ))
            .hint("give the pid file a name of its own, or remove that file"));
        }
        let text = format!("{}\n", std::process::id());
        disk::Disk::real()
            .write_atomic(path, text.as_bytes(), 0o644)
            .map_err(|error| {
                ShipError::usage(format!(
                    "can't write the pid file {}: {error}",
                    path.display()
                ))
                .hint(disk::directory_hint(path).unwrap_or_default())
            })?;
        Ok(Self(path.to_owned()))
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        // Another process may have begun with the same file meanwhile.
        if pid_in(&self.0) == Some(std::process::id()) {
            drop(std::fs::remove_file(&self.0));
        }
    }
}

fn pid_in(path: &Path) -> Option<u32> {
    std::fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// Whether something else than one number is in a file that is there.
fn is_foreign(path: &Path) -> bool {
    match std::fs::read(path) {
        Ok(content) => {
            let text = String::from_utf8_lossy(&content);
            !text.trim().is_empty() && text.trim().parse::<u32>().is_err()
        }
        Err(error) => error.kind() != std::io::ErrorKind::NotFound,
    }
}

/// The process that the file names, when it is alive and not this one, and the name of its program.
fn running(path: &Path) -> Option<(u32, String)> {
    let pid = pid_in(path).filter(|pid| *pid != std::process::id())?;
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some((pid, name.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pid_file_is_there_as_long_as_the_process_needs_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pid");
        let file = PidFile::create(&path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, format!("{}\n", std::process::id()));
        drop(file);
        assert!(!path.exists());
    }

    #[test]
    fn a_process_that_has_ended_in_the_background_has_its_code_and_its_log_named() {
        use std::os::unix::process::ExitStatusExt as _;
        let log = LogTarget::File("/var/log/repl.log".into());
        let ended = |code: i32, log| ended_at_once(ExitStatus::from_raw(code << 8), log);
        assert!(ended(0, &log).is_ok());
        let failure = ended(5, &log).unwrap_err();
        assert_eq!(failure.code, ExitCode::NoSynchronizationPoint);
        let words = "ended with 5 (no synchronization point)";
        assert!(failure.message.ends_with(words), "{failure}");
        assert_eq!(failure.hint, "/var/log/repl.log says why");
        let hint = ended(1, &LogTarget::Syslog).unwrap_err().hint;
        assert!(hint.contains("journalctl -t dbrepl"), "{hint}");
    }

    #[test]
    fn a_file_that_is_no_pid_file_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("eloqdb.cfg");
        let disk = disk::Disk::real();
        disk.write_atomic(&path, b"[Server]\n", 0o600).unwrap();
        let refused = PidFile::create(&path).unwrap_err();
        assert_eq!(refused.code, ExitCode::Usage);
        assert!(refused.message.contains("no pid file"), "{refused}");
        assert_eq!(std::fs::read(&path).unwrap(), b"[Server]\n");
        assert!(
            PidFile::create(folder.path()).is_err(),
            "nor is a directory"
        );
    }

    #[test]
    fn the_file_of_another_program_that_runs_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("other.pid");
        disk::Disk::real()
            .write_atomic(&path, b"1\n", 0o644)
            .unwrap();
        let refused = PidFile::create(&path).unwrap_err();
        assert_eq!(refused.code, ExitCode::Usage);
        assert!(
            refused.message.contains("process 1, which runs"),
            "{refused}"
        );
        assert_eq!(std::fs::read(&path).unwrap(), b"1\n");
    }

    #[test]
    fn a_missing_folder_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let refused = PidFile::create(&folder.path().join("run/pid")).unwrap_err();
        assert!(refused.hint.contains("mkdir -m 700"), "{refused}");
    }

    #[test]
    fn the_file_of_a_process_that_is_gone_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pid");
        // No process has this id: it is above the largest that Linux gives.
        disk::Disk::real()
            .write_atomic(&path, b"4194305\n", 0o644)
            .unwrap();
        assert!(PidFile::create(&path).is_ok());
    }
}
