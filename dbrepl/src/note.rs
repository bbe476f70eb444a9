//! The file beside the master's log that says how the slave is, for `dbctl replication status` there.
//!
//! dbrepl only needs to read the log; where it may not write, there is no such file, and that is said once.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use dbconfig::HostService;
use dbproto::{Identity, SlaveReport, Standing, Status};
use fwlog::Timestamp;

use crate::error::ShipError;
use crate::report::Reporter;

/// What is known of the slave, over all connections to it.
#[derive(Debug)]
pub struct SlaveNote {
    directory: PathBuf,
    /// Empty until the slave is known.
    report: SlaveReport,
    file: Option<File>,
    reporter: Reporter,
    /// It has been said that the file can't be written.
    told: bool,
}

impl SlaveNote {
    /// The note on the slave at an address; an earlier dbrepl may have left one, which is gone on with.
    pub fn new(directory: &Path, slave: &HostService, reporter: Reporter) -> Self {
        let address = slave.to_string();
        let now = Timestamp::now();
        let report = known(directory, &address).unwrap_or(SlaveReport {
            instance: String::new(),
            address,
            standing: Standing::NotConnected,
            since: now,
            reason: None,
            written: now,
            heard: Timestamp::ZERO,
            durable: None,
            applied: None,
        });
        Self {
            directory: directory.to_owned(),
            report,
            file: None,
            reporter,
            told: false,
        }
    }

    /// The slave has said who it is.
    pub(crate) fn meet(&mut self, slave: &Identity) {
        if self.report.instance != slave.instance {
            self.report.instance.clone_from(&slave.instance);
            self.file = None;
        }
        self.report.durable = slave.durable;
        self.report.applied = slave.applied;
        self.report.heard = Timestamp::now();
    }

    /// The slave has said how far it is.
    pub(crate) fn hear(&mut self, status: &Status) {
        self.report.durable = Some(status.durable);
        self.report.applied = Some(status.applied);
        self.report.heard = Timestamp::now();
    }

    /// How replication stands now.
    pub(crate) fn write(&mut self, standing: Standing, reason: Option<&str>) {
        let now = Timestamp::now();
        if self.report.standing != standing {
            self.report.standing = standing;
            self.report.since = now;
        }
        self.report.reason = reason.map(str::to_owned);
        self.report.written = now;
        self.put();
    }

    /// Why an attempt has failed; what it says of the slave, if anything.
    pub(crate) fn fail(&mut self, failure: &ShipError) {
        if let Some(standing) = failure.standing {
            if standing == Standing::Suspended {
                // It was the slave itself that said so.
                self.report.heard = Timestamp::now();
            }
            self.write(standing, Some(&failure.in_full()));
        }
    }

    fn put(&mut self) {
        let name = &self.report.instance;
        // A slave names its instance itself: a name is no path.
        if name.is_empty() || name.contains(['/', '\0']) {
            return;
        }
        let path = self.directory.join(SlaveReport::file_name(name));
        match self.put_into(&path) {
            Ok(()) => self.told = false,
            Err(error) => {
                self.file = None;
                if !self.told {
                    self.told = true;
                    self.reporter.warning(&format!(
                        "the master will not know how this slave stands: can't write {}: {error}",
                        path.display()
                    ));
                }
            }
        }
    }

    fn put_into(&mut self, path: &Path) -> io::Result<()> {
        let file = match self.file.take() {
            Some(file) => file,
            None => open(path)?,
        };
        file.write_all_at(&self.report.encode(), 0)?;
        self.file = Some(file);
        Ok(())
    }
}

/// What an earlier dbrepl has left about the slave at this address.
fn known(directory: &Path, address: &str) -> Option<SlaveReport> {
    let entries = fs::read_dir(directory).ok()?;
    let names = entries.flatten().map(|entry| entry.path());
    let notes = names.filter(|path| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(SlaveReport::is_file_name)
    });
    notes
        .filter_map(|path| SlaveReport::decode(&fs::read(path).ok()?))
        .find(|report| report.address == address)
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o640)
        .open(path)
}
