//! The file beside the master's log that says how the slave is, for `dbctl replication status` there.
//!
//! dbrepl only needs to read the log; where it may not write, there is no such file, and that is said once.
//! Each time the file is opened by its name: somebody may have removed it, and an open file would keep the disk
//! of the log from being unmounted.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use dbconfig::HostService;
use dbproto::{Identity, SlaveReport, Standing, Status};
use fwlog::{POSITION_FILE, Timestamp};

use crate::error::ShipError;
use crate::report::Reporter;

/// What is known of the slave, over all connections to it.
#[derive(Debug)]
pub struct SlaveNote {
    directory: PathBuf,
    /// Empty until the slave is known.
    report: SlaveReport,
    reporter: Reporter,
    /// How often the file could not be written since that was said; `None`: it could.
    failed: Option<u64>,
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
            reporter,
            failed: None,
        }
    }

    /// The slave has said who it is.
    pub(crate) fn meet(&mut self, slave: &Identity) {
        self.report.instance.clone_from(&slave.instance);
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
        // Without a log in it, the directory may be the place where its disk is to be mounted.
        if !self.directory.join(POSITION_FILE).exists() {
            return;
        }
        let path = self.directory.join(SlaveReport::file_name(name));
        match (put_into(&path, &self.report.encode()), &mut self.failed) {
            (Ok(()), None) => {}
            (Ok(()), Some(times)) => {
                let line = format!(
                    "the master knows again how this slave stands; the file could not be written {times} times"
                );
                self.reporter.state(&line);
                self.failed = None;
            }
            (Err(_), Some(times)) => *times += 1,
            (Err(error), None) => {
                self.failed = Some(1);
                self.reporter.warning(&format!(
                    "the master will not know how this slave stands: can't write {}: {error}",
                    path.display()
                ));
            }
        }
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

fn put_into(path: &Path, content: &[u8]) -> io::Result<()> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o640)
        .open(path)?;
    file.write_all_at(content, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(directory: &Path) -> SlaveNote {
        let slave = "slave:8102".parse().unwrap();
        let mut note = SlaveNote::new(directory, &slave, Reporter::console());
        note.report.instance = "south".to_owned();
        note
    }

    #[test]
    fn a_note_that_was_removed_is_written_once_more() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path();
        disk::Disk::real()
            .write_atomic(&directory.join(POSITION_FILE), b"", 0o600)
            .unwrap();
        let path = directory.join("slave-south.status");
        let mut note = note(directory);
        for reason in ["one", "two"] {
            note.write(Standing::Following, Some(reason));
            let written = SlaveReport::decode(&fs::read(&path).unwrap()).unwrap();
            assert_eq!(written.reason.as_deref(), Some(reason));
            fs::remove_file(&path).unwrap();
        }
        fs::create_dir(&path).unwrap();
        note.write(Standing::Following, None);
        note.write(Standing::Following, None);
        assert_eq!(note.failed, Some(2), "told once, then counted");
        fs::remove_dir(&path).unwrap();
        note.write(Standing::Following, None);
        assert!(path.exists() && note.failed.is_none());
    }

    #[test]
    fn nothing_is_written_where_the_disk_of_the_log_is_not_mounted() {
        let folder = tempfile::tempdir().unwrap();
        note(folder.path()).write(Standing::Following, None);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
