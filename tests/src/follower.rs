//! dbrepl: one that runs to its end, and one that follows.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use crate::process::{Background, Run, run};
use crate::programs::ours;
use crate::server::{PASSWORD, Server, show_log};
use crate::waiting::{LONG, wait_for};

/// The command line of dbrepl between two servers, with more options. It has the log alone: what that can't tell stays
/// untold, unless the options say otherwise.
pub fn dbrepl(master: &Server, slave: &Server, options: &[&str]) -> Command {
    dbrepl_to(master, slave.address(), options)
}

/// The same, to whatever answers at an address.
pub fn dbrepl_to(master: &Server, address: SocketAddr, options: &[&str]) -> Command {
    dbrepl_to_all(master, &[address.to_string()], options)
}

/// The same, to several slaves.
pub fn dbrepl_to_all(master: &Server, addresses: &[String], options: &[&str]) -> Command {
    let mut command = ours("dbrepl");
    if !options.contains(&"--init") {
        command.args(["--init", "never"]);
    }
    command
        .arg("-c")
        .arg(master.config_path())
        .args(options)
        .args(addresses)
        .env("EQ_DBPASSWORD", PASSWORD);
    command
}

/// `dbrepl -v` with options that let it end.
pub fn replicate(master: &Server, slave: &Server, options: &[&str]) -> Run {
    let options: Vec<&str> = ["-v"].iter().chain(options).copied().collect();
    run(&mut dbrepl(master, slave, &options), b"")
}

/// A dbrepl that follows the master until it is ended.
#[derive(Debug)]
pub struct Follower {
    process: Background,
    log: PathBuf,
}

impl Follower {
    /// Starts it; its output goes to a file in `folder`.
    pub fn start(folder: &Path, master: &Server, slave: &Server) -> Self {
        let command = dbrepl(master, slave, &["-v"]);
        Self::run(command, folder.join("dbrepl.log"))
    }

    /// Starts a dbrepl of that command line, which is one without an end; its output goes to `log`.
    pub fn run(mut command: Command, log: PathBuf) -> Self {
        let process = Background::start(&mut command, &log);
        Self { process, log }
    }

    /// Its process.
    pub fn process(&mut self) -> &mut Background {
        &mut self.process
    }

    /// What it has printed, over all starts in this folder.
    pub fn output(&self) -> String {
        self.process.output()
    }

    /// Waits until it has printed this.
    #[track_caller]
    pub fn wait_for_line(&mut self, part: &str) {
        wait_for(&format!("dbrepl to say '{part}'"), LONG, || {
            self.output().contains(part).then_some(())
        });
    }

    /// It has not ended.
    pub fn is_running(&mut self) -> bool {
        self.process.ended().is_none()
    }

    /// Waits for its end.
    #[track_caller]
    pub fn ended(&mut self) -> ExitStatus {
        wait_for("dbrepl to end", LONG, || self.process.ended())
    }

    /// Ends it at once.
    pub fn kill9(&mut self) {
        self.process.kill9();
    }

    /// Asks it to stop: that is no failure.
    #[track_caller]
    pub fn stop(&mut self) {
        let status = self.process.terminate();
        assert!(
            status.success(),
            "dbrepl stopped with {status}\n{}",
            self.output()
        );
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        if std::thread::panicking() {
            show_log(&self.log.display().to_string(), &self.output());
        }
    }
}
