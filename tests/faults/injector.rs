//! File operations of a process that fail on demand: a library is put between it and the system.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use dbtests::data::manifest;
use dbtests::{Server, files, process};

use crate::history::At;

/// As in injector.c.
const RULES: u64 = 16;
const RULE_SIZE: u64 = 256;
const PATH_AT: usize = 32;

/// Kinds of operations; they can be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Operation(u32);

pub(crate) const CREATE: Operation = Operation(2);
pub(crate) const READ: Operation = Operation(4);
pub(crate) const WRITE: Operation = Operation(8);
pub(crate) const SYNC: Operation = Operation(16);
pub(crate) const TRUNCATE: Operation = Operation(32);
pub(crate) const RENAME: Operation = Operation(64);
pub(crate) const UNLINK: Operation = Operation(128);

impl std::ops::BitOr for Operation {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// What happens to an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// EIO.
    IoError,
    /// ENOSPC.
    NoSpace,
    /// EINTR: it is to be tried again.
    Interrupted,
    /// Only half of the bytes.
    Half,
    /// It takes so many microseconds longer.
    Slow(u32),
}

/// The rules of one process.
#[derive(Debug)]
pub(crate) struct Injector {
    control: File,
    path: PathBuf,
    next: std::cell::Cell<u64>,
}

/// A rule in force, until it is dropped.
#[derive(Debug)]
pub(crate) struct Rule<'a> {
    injector: &'a Injector,
    number: u64,
}

/// Compiles the library into a folder.
pub(crate) fn library(folder: &Path) -> PathBuf {
    let library = folder.join("injector.so");
    if !library.exists() {
        let mut compiler = Command::new("cc");
        compiler
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-o"])
            .arg(&library)
            .arg(manifest("faults/injector.c"))
            .arg("-ldl");
        process::run(&mut compiler, b"").ok();
    }
    library
}

impl Injector {
    /// Puts the library between a server and the system, from its next start on.
    pub(crate) fn on(server: &mut Server) -> Self {
        let folder = server.folder().to_owned();
        let injector = Self::in_folder(&folder);
        for (name, value) in injector.variables(&library(&folder)) {
            server.set_variable(name, &value);
        }
        injector
    }

    /// Rules in a file of this folder.
    pub(crate) fn in_folder(folder: &Path) -> Self {
        let path = folder.join("faults");
        files::write(
            &path,
            vec![0; usize::try_from(RULES * RULE_SIZE).expect("small")],
        );
        let control = OpenOptions::new().read(true).write(true).open(&path);
        Self {
            control: control.expect("the control file"),
            path,
            next: std::cell::Cell::new(0),
        }
    }

    /// What the environment of a process must have.
    pub(crate) fn variables(&self, library: &Path) -> [(&'static str, String); 2] {
        [
            ("LD_PRELOAD", library.display().to_string()),
            ("ELOQDB_FAULTS", self.path.display().to_string()),
        ]
    }

    /// All such operations on files with that in their path, from now on.
    pub(crate) fn always(&self, operations: Operation, path: &str, what: What) -> Rule<'_> {
        self.rule(operations, path, what, (0, 0))
    }

    /// Only one such operation, after `skip` of them.
    pub(crate) fn once(
        &self,
        operations: Operation,
        path: &str,
        what: What,
        skip: u32,
    ) -> Rule<'_> {
        self.rule(operations, path, what, (skip, 1))
    }

    fn rule(
        &self,
        operations: Operation,
        path: &str,
        what: What,
        (skip, times): (u32, u32),
    ) -> Rule<'_> {
        let number = self.next.get();
        assert!(number < RULES, "rules are dropped in the reverse order");
        self.next.set(number + 1);
        let (what, delay) = match what {
            What::IoError => (5, 0),
            What::NoSpace => (28, 0),
            What::Interrupted => (4, 0),
            What::Half => (-1, 0),
            What::Slow(delay) => (0, delay),
        };
        let mut bytes = Vec::new();
        bytes.extend(operations.0.to_le_bytes());
        bytes.extend(i32::to_le_bytes(what));
        for field in [skip, times, delay, 0, 0] {
            bytes.extend(u32::to_le_bytes(field));
        }
        bytes.extend(path.as_bytes());
        bytes.push(0);
        assert!(bytes.len() < usize::try_from(RULE_SIZE).expect("small"));
        assert_eq!(PATH_AT, bytes.len() + 4 - path.len() - 1);
        let rule = Rule {
            injector: self,
            number,
        };
        rule.write(4, &bytes);
        rule.write(0, &1_u32.to_le_bytes());
        rule
    }
}

impl Rule<'_> {
    /// How many operations it has affected.
    pub(crate) fn hits(&self) -> u32 {
        let mut bytes = [0; 4];
        let at = self.number * RULE_SIZE + 28;
        let read = self.injector.control.read_exact_at(&mut bytes, at);
        read.expect("the control file");
        u32::from_le_bytes(bytes)
    }

    fn write(&self, at: u64, bytes: &[u8]) {
        let written = self
            .injector
            .control
            .write_all_at(bytes, self.number * RULE_SIZE + at);
        written.expect("the control file");
    }
}

impl Drop for Rule<'_> {
    fn drop(&mut self) {
        self.write(0, &0_u32.to_le_bytes());
        self.injector.next.set(self.number);
    }
}

/// The name of a server's folder, for rules about its files.
pub(crate) fn folder_of(at: At) -> String {
    match at {
        At::Master => "/master/".to_owned(),
        At::Slave(slave) => format!("/slave{slave}/"),
    }
}
