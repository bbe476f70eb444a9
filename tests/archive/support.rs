//! A master with some rows, and a repository.

use std::path::{Path, PathBuf};
use std::process::Command;

use dbtests::process::{Run, run};
use dbtests::programs::ours;
use dbtests::{Folder, Server, Settings, files};

/// A master, and a repository that has nothing yet.
pub(crate) struct Archived {
    pub(crate) master: Server,
    pub(crate) url: String,
    pub(crate) repository: PathBuf,
    pub(crate) folder: Folder,
}

impl Archived {
    pub(crate) fn start() -> Self {
        let folder = Folder::new();
        let mut master = Server::create(folder.path(), Settings::master());
        master.start();
        let rows = "CREATE TABLE large (id SERIAL PRIMARY KEY, body BYTEA)";
        master.sql("system", "CREATE DATABASE shop");
        master.sql("shop", rows);
        let repository = folder.join("backup");
        let url = format!("file://{}", repository.display());
        dbctl(&["archive", "init", &url]).ok();
        Self {
            master,
            url,
            repository,
            folder,
        }
    }

    /// Some more rows, and the next segment.
    pub(crate) fn grow(&self, segments: u32) {
        for _ in 0..segments {
            self.fill();
            self.master.dbctl(&["forwardlog", "switch"]).ok();
        }
    }

    pub(crate) fn fill(&self) {
        let rows =
            "INSERT INTO large (body) SELECT gen_random_bytes(30000) FROM generate_series(1, 10)";
        self.master.sql("shop", rows);
    }

    /// dbrepl with the archive as its target.
    pub(crate) fn dbrepl(&self, options: &[&str]) -> Command {
        let mut command = ours("dbrepl");
        command
            .arg("-c")
            .arg(self.master.config_path())
            .args(options)
            .arg(&self.url);
        command
    }

    /// Archives all that there is.
    pub(crate) fn archive(&self, options: &[&str]) -> Run {
        let options: Vec<&str> = ["-S", "-v"].iter().chain(options).copied().collect();
        run(&mut self.dbrepl(&options), b"")
    }

    pub(crate) fn dbctl(&self, words: &[&str]) -> Run {
        let mut all = vec!["archive", words[0], self.url.as_str()];
        all.extend(&words[1..]);
        dbctl(&all)
    }

    /// All segments come back as they are on the master, which has sealed them.
    pub(crate) fn compare(&self, into: &str) -> usize {
        let into = self.folder.join(into);
        self.dbctl(&["fetch", "all", &into.display().to_string()])
            .ok();
        compare(&into, &self.master.fwlog_dir())
    }
}

/// The segments of both directories are the same files.
pub(crate) fn compare(fetched: &Path, log: &Path) -> usize {
    let segments = |directory: &Path| files::list(directory, "fw-");
    let (here, there) = (segments(fetched), segments(log));
    let names = |paths: &[PathBuf]| paths.iter().map(|it| files::name(it)).collect::<Vec<_>>();
    assert_eq!(names(&here), names(&there));
    for (one, other) in here.iter().zip(&there) {
        assert!(files::read(one) == files::read(other), "{}", one.display());
    }
    here.len()
}

/// All that a run has printed.
pub(crate) fn told(run: Run) -> String {
    assert_eq!(run.code, Some(0), "{}{}", run.err, run.out);
    run.err + &run.out
}

pub(crate) fn dbctl(words: &[&str]) -> Run {
    run(ours("dbctl").args(words), b"")
}
