//! The file beside the master's log that says how far the slave is, for `dbctl replication status`
//! there.
//!
//! dbrepl only needs to read the log; where it may not write, there is no such file.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use dbconfig::HostService;
use dbproto::{Shipper, SlaveReport, Status};
use fwlog::Timestamp;

/// The status file of one slave.
pub(super) struct StatusFile {
    file: Option<File>,
    instance: String,
    address: String,
}

impl StatusFile {
    /// The file of the slave that the shipper talks to, in the directory of the log.
    pub(super) fn new(directory: &Path, shipper: &Shipper, slave: &HostService) -> Self {
        let instance = shipper
            .slave()
            .map(|slave| slave.instance.clone())
            .unwrap_or_default();
        let path = directory.join(SlaveReport::file_name(&instance));
        // A slave names its instance itself: a name is no path.
        let plain = !instance.is_empty() && !instance.contains(['/', '\0']);
        let file = if plain {
            open(&path)
        } else {
            Err(io::ErrorKind::InvalidInput.into())
        };
        if let Err(error) = &file {
            tracing::debug!(%error, path = %path.display(), "the master will not know this slave's state");
        }
        Self {
            file: file.ok(),
            instance,
            address: slave.to_string(),
        }
    }

    /// Writes what the slave has said last.
    pub(super) fn write(&mut self, status: Option<&Status>) {
        let (Some(file), Some(status)) = (&self.file, status) else {
            return;
        };
        let report = SlaveReport::new(&self.instance, &self.address, status, Timestamp::now());
        if let Err(error) = file.write_all_at(&report.encode(), 0) {
            tracing::debug!(%error, "the slave's state can't be written beside the log");
            self.file = None;
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o640)
        .open(path)
}
