//! A master and a slave.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::client::Client;
use crate::compare;
use crate::follower::{Follower, replicate};
use crate::process::Run;
use crate::server::{PASSWORD, Server};
use crate::settings::Settings;
use crate::waiting::{LONG, wait_for};

/// A folder that goes with the test.
#[derive(Debug)]
pub struct Folder(TempDir);

impl Folder {
    /// A new, empty folder.
    #[expect(clippy::new_without_default, reason = "it makes a directory")]
    pub fn new() -> Self {
        Self(
            tempfile::Builder::new()
                .prefix("eloqdb-test-")
                .tempdir()
                .expect("a folder"),
        )
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// A path in it.
    pub fn join(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }
}

/// A master and a slave that knows nothing yet.
#[derive(Debug)]
pub struct Cluster {
    /// Takes writes.
    pub master: Server,
    /// Follows.
    pub slave: Server,
    folder: Folder,
}

impl Cluster {
    /// Makes and starts both.
    pub fn start() -> Self {
        Self::with(Settings::master(), Settings::slave())
    }

    /// Makes and starts both with settings.
    pub fn with(master: Settings, slave: Settings) -> Self {
        let folder = Folder::new();
        let mut cluster = Self {
            master: Server::create(folder.path(), master),
            slave: Server::create(folder.path(), slave),
            folder,
        };
        cluster.master.start();
        cluster.slave.start();
        cluster
    }

    /// The folder of both.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// `dbrepl -v -S`: the slave has all that the master's log has.
    #[track_caller]
    pub fn synchronize(&self) -> String {
        let run = self.replicate(&["-S"]);
        assert_eq!(run.code, Some(0), "{}", run.err);
        run.err
    }

    /// `dbrepl -v` with options that let it end.
    pub fn replicate(&self, options: &[&str]) -> Run {
        replicate(&self.master, &self.slave, options)
    }

    /// A dbrepl that follows.
    pub fn follow(&self) -> Follower {
        Follower::start(self.folder.path(), &self.master, &self.slave)
    }

    /// Waits until the slave shows all that is durable on the master. Nobody may write meanwhile.
    #[track_caller]
    pub fn wait_for_slave(&self, follower: &mut Follower) {
        wait_for("the slave to show what the master has", LONG, || {
            assert!(
                follower.is_running(),
                "dbrepl has given up:\n{}",
                follower.output()
            );
            let master = self
                .master
                .command("forwardlog status")
                .remove("position")?;
            // One that begins anew with a copy answers in a moment.
            let slave = Client::connect(self.slave.address(), "system", PASSWORD).ok()?;
            let status = slave.try_rows("DBCTL 'replication status'").ok()?;
            let applied = status.into_iter().find_map(|row| match row.as_slice() {
                [name, Some(value)] if name.as_deref() == Some("applied") => Some(value.clone()),
                _ => None,
            })?;
            (applied.split(' ').next() == Some(master.as_str())).then_some(())
        });
    }

    /// Both have the same data, and their logs are the same bytes. Gives the number of sealed
    /// segments.
    #[track_caller]
    pub fn compare(&self) -> usize {
        compare::databases(&self.master, &self.slave);
        compare::logs(&self.master, &self.slave)
    }
}
