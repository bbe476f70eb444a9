//! Where the programs are: ours beside the test executable, others in PATH.

use std::env;
use std::ffi::OsString;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Variables that would change what our programs do.
const OURS: [&str; 7] = [
    "EQ_CONFIG",
    "EQ_DBUSER",
    "EQ_DBPASSWORD",
    "EQ_NEWPASSWORD",
    "EQ_DBSERVER",
    "NOTIFY_SOCKET",
    "RUST_LOG",
];

/// One of our programs, with nothing from the environment of the test.
pub fn ours(name: &str) -> Command {
    of(&directory(), name)
}

/// The same of another build, whose programs are in this directory.
pub fn of(directory: &Path, name: &str) -> Command {
    let path = directory.join(name);
    assert!(
        path.is_file(),
        "{} is not built; run tests/run.sh, or: cargo build --workspace --bins",
        path.display()
    );
    let mut command = Command::new(path);
    for variable in OURS {
        command.env_remove(variable);
    }
    command.stdin(Stdio::null());
    command
}

/// A command that other words run, as in `nice -n 19 COMMAND`.
pub fn behind(words: &[impl AsRef<str>], command: &Command) -> Command {
    let mut line = words.iter().map(|word| OsString::from(word.as_ref()));
    let Some(first) = line.next() else {
        return copy(command.get_program().to_owned(), command);
    };
    let mut wrapped = copy(first, command);
    wrapped.args(line).arg(command.get_program());
    wrapped.args(command.get_args());
    wrapped
}

/// A command with the variables of another one.
fn copy(program: OsString, of: &Command) -> Command {
    let mut command = Command::new(program);
    for (name, value) in of.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.stdin(Stdio::null());
    command
}

/// The words that run a program without the rights of root over other people's files and against
/// permission bits; none where there is nothing to give up.
pub fn without_rights() -> &'static [&'static str] {
    let root = std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0);
    if root {
        &["setpriv", "--inh-caps=-all", "--bounding-set=-all", "--"]
    } else {
        &[]
    }
}

/// Another program; `None` when this machine does not have it.
pub fn other(name: &str) -> Option<Command> {
    let path = env::split_paths(&env::var_os("PATH")?)
        .map(|directory| directory.join(name))
        .find(|path| path.is_file())?;
    let mut command = Command::new(path);
    for (variable, _) in env::vars_os() {
        if variable.to_string_lossy().starts_with("PG") {
            command.env_remove(variable);
        }
    }
    command.stdin(Stdio::null());
    Some(command)
}

/// Another program that the tests cannot do without.
pub fn needed(name: &str, package: &str) -> Command {
    other(name).unwrap_or_else(|| fail_missing(name, package))
}

fn fail_missing(name: &str, package: &str) -> ! {
    panic!("this test needs {name} (Debian package {package}); tests/run.sh installs it")
}

/// `target/debug`, because the test executable is in `target/debug/deps`; or the directory that
/// `ELOQDB_PROGRAMS` names, to test another build.
pub fn directory() -> PathBuf {
    if let Some(directory) = env::var_os("ELOQDB_PROGRAMS") {
        return directory.into();
    }
    let own = env::current_exe().expect("the path of the test executable");
    let deps = own.parent().expect("a directory");
    deps.parent().unwrap_or(deps).to_owned()
}
