//! Where the programs are: ours beside the test executable, others in PATH.

use std::env;
use std::path::PathBuf;
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
    let path = directory().join(name);
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
fn directory() -> PathBuf {
    if let Some(directory) = env::var_os("ELOQDB_PROGRAMS") {
        return directory.into();
    }
    let own = env::current_exe().expect("the path of the test executable");
    let deps = own.parent().expect("a directory");
    deps.parent().unwrap_or(deps).to_owned()
}
