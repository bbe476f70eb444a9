//! The file beside the master's log that says how the slave is, for `dbctl replication status` there.
//!
//! dbrepl only needs to read the log; where it may not write, there is no such file, and that is said once.
//! Each time the file is opened by its name: somebody may have removed it, and an open file would keep the disk
//! of the log from being unmounted.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use dbproto::{Below, Identity, Progress, SILENT, SlaveReport, Standing, Status};
use disk::Disk;
use fwlog::{EnvironmentId, LostForks, POSITION_FILE, Speaker, Timestamp};

use crate::error::ShipError;
use crate::report::Reporter;

/// What is known of the slave, over all connections to it.
#[derive(Debug)]
pub struct SlaveNote {
    directory: PathBuf,
    /// Empty until the slave is known.
    report: SlaveReport,
    /// When this has written the file last.
    wrote: Option<Timestamp>,
    reporter: Reporter,
    /// How often the file could not be written since that was said; `None`: it could.
    failed: Option<u64>,
}

impl SlaveNote {
    /// The note on the slave at an address; an earlier dbrepl may have left one, which is gone on with.
    pub fn new(directory: &Path, address: &str, reporter: Reporter) -> Self {
        let address = SlaveReport::address_of(address);
        let now = Timestamp::now();
        let report = known(directory, &address).unwrap_or(SlaveReport {
            instance: String::new(),
            speaker: None,
            address,
            rival: None,
            standing: Standing::NotConnected,
            since: now,
            connected: now,
            reason: None,
            written: now,
            heard: Timestamp::ZERO,
            durable: None,
            applied: None,
            delay: Duration::ZERO,
            partial: false,
        });
        Self {
            directory: directory.to_owned(),
            report,
            wrote: None,
            reporter,
            failed: None,
        }
    }

    /// The slave has said who it is. One of another environment, which was never this master's, is a mistaken
    /// address: the master has nothing to say about it.
    pub(crate) fn meet(&mut self, slave: &Identity, master: EnvironmentId) {
        if slave.environment.is_some_and(|it| it != master) {
            // Where it is means nothing in this log, also where the slave before it had this name.
            return;
        }
        if self.report.instance != slave.instance {
            self.report.instance.clone_from(&slave.instance);
            self.wrote = None;
        }
        let greeting = slave.greeting.as_deref();
        self.report.speaker = greeting.map(|it| (it.speaker.id, it.speaker.boot));
        self.report.durable = slave.durable;
        self.report.applied = slave.applied;
        self.report.heard = Timestamp::now();
        self.report.connected = self.report.heard;
        // What it told on another connection is no news; it tells anew, if it can.
        self.hear_below(&Below::default());
        self.hear_lost(&LostForks::default());
    }

    /// It is an archive, of this name among the slaves.
    pub(crate) fn meet_archive(&mut self, name: &str) {
        let now = Timestamp::now();
        name.clone_into(&mut self.report.instance);
        (self.report.connected, self.report.heard) = (now, now);
    }

    /// The archive has all up to there.
    pub(crate) fn archived(&mut self, end: Progress) {
        self.report.heard = Timestamp::now();
        (self.report.durable, self.report.applied) = (Some(end), Some(end));
    }

    /// The slave has said who is below it.
    pub(crate) fn hear_below(&mut self, below: &Below) {
        let name = &self.report.instance;
        if !self.has_place(name) {
            return;
        }
        let path = self.directory.join(Below::file_name(name));
        let result = if below == &Below::default() {
            match fs::remove_file(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                other => other,
            }
        } else {
            put_into(&path, &below.to_file())
        };
        // Where the note can't be written either, that is said once, and why.
        if let Err(error) = result {
            tracing::debug!("{}: {error}", path.display());
        }
    }

    /// The slave has said what it and those below it have lost.
    pub(crate) fn hear_lost(&mut self, forks: &LostForks) {
        let name = &self.report.instance;
        if !self.has_place(name) {
            return;
        }
        let path = self.directory.join(LostForks::file_name(name));
        let disk = Disk::real();
        let result = if forks.all().is_empty() {
            disk.remove_if_there(&path)
                .map_err(|error| error.to_string())
        } else {
            let written = forks.write(&disk, &path, 0o640);
            written.map_err(|error| error.to_string())
        };
        // Told again with the next connection; where nothing can be written here, that is said of the note.
        if let Err(error) = result {
            tracing::debug!("{}: {error}", path.display());
        }
    }

    /// Whether a note can be left beside the log under this name.
    fn has_place(&self, name: &str) -> bool {
        // A slave names its instance itself: a name is no path.
        let is_name = !name.is_empty() && !name.contains(['/', '\0']);
        // Without a log in it, the directory may be the place where its disk is to be mounted.
        is_name && self.directory.join(POSITION_FILE).exists()
    }

    /// The address of another slave that has this name, and that a dbrepl feeds at this moment.
    pub(crate) fn named_elsewhere(&self, slave: &Speaker) -> Option<String> {
        let path = self.directory.join(SlaveReport::file_name(&slave.name));
        let there = SlaveReport::decode(&fs::read(path).ok()?)?;
        let age = Timestamp::now()
            .micros()
            .saturating_sub(there.written.micros());
        let is_fed = there.standing.is_connected() && u128::from(age) < SILENT.as_micros();
        let is_other = there.address != self.report.address
            && there.speaker.is_some_and(|it| it != (slave.id, slave.boot));
        (is_fed && is_other).then_some(there.address)
    }

    /// The slave has said how far it is.
    pub(crate) fn hear(&mut self, status: &Status) {
        self.report.durable = Some(status.durable);
        self.report.applied = Some(status.applied);
        self.report.heard = Timestamp::now();
    }

    /// Whether the slave leaves databases out.
    pub(crate) fn is_partial(&mut self, partial: bool) {
        self.report.partial = partial;
    }

    /// So long after its commit a transaction is sent.
    pub(crate) fn delay(&mut self, delay: Duration) {
        self.report.delay = delay;
    }

    /// How replication stands now.
    pub(crate) fn write(&mut self, standing: Standing, reason: Option<&str>) {
        let now = Timestamp::now();
        if self.report.standing != standing {
            let is_lost = standing == Standing::NotConnected && self.report.standing.is_connected();
            // Since it was last heard, however late it is given up.
            let heard = self.report.heard.max(self.report.since).min(now);
            self.report.since = if is_lost { heard } else { now };
            self.report.standing = standing;
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

    /// This dbrepl feeds the slave no more, if it did.
    pub(crate) fn end(&mut self, why: &str) {
        if self.report.standing.is_connected() && self.wrote.is_some() {
            self.write(Standing::NotConnected, Some(why));
        }
    }

    fn put(&mut self) {
        let name = &self.report.instance;
        if !self.has_place(name) {
            return;
        }
        let path = self.directory.join(SlaveReport::file_name(name));
        self.look_for_rival(&path);
        let result = put_into(&path, &self.report.encode());
        if result.is_ok() {
            self.wrote = Some(self.report.written);
        }
        match (result, &mut self.failed) {
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
                    "the master will not know how this slave stands, and keeps no log for it beyond FwKeep: can't write {}: {error}",
                    path.display()
                ));
            }
        }
    }

    /// Two slaves of one name share this file: the one would hide what is wrong with the other. That both
    /// were there stays in the file, until somebody forgets the slave.
    fn look_for_rival(&mut self, path: &Path) {
        let known = self.report.rival.take();
        let there = match fs::read(path) {
            Ok(bytes) => SlaveReport::decode(&bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            Err(_) => None,
        };
        let Some(there) = there else {
            // It is being written.
            self.report.rival = known;
            return;
        };
        let own = &self.report.address;
        // One from before this has written may have come back with the rest of the directory, from a backup.
        let was_written_since = self.wrote.is_some_and(|own| there.written > own);
        self.report.rival = if there.address == *own {
            there.rival
        } else if was_written_since || there.rival.is_some() {
            let since = there.rival.map(|(_, since)| since);
            Some((there.address, since.unwrap_or_else(Timestamp::now)))
        } else {
            None
        };
        if let (Some((rival, _)), None) = (&self.report.rival, known) {
            self.reporter.warning(&format!(
                "two slaves are called '{}': the one at {own}, and the one at {rival}, which is fed, too; the master can't tell how each of them stands; {}",
                self.report.instance, Standing::NAME_EACH
            ));
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
        let mut note = SlaveNote::new(directory, "slave:8102", Reporter::console());
        note.report.instance = "south".to_owned();
        note
    }

    #[test]
    fn a_note_that_was_removed_is_written_once_more() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path();
        Disk::real()
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
    fn whoever_ends_leaves_no_note_of_a_slave_that_is_fed_but_that_of_another_one() {
        let (folder, mut fed) = shared("slave:8102");
        let path = folder.path().join("slave-south.status");
        let standing = || SlaveReport::decode(&fs::read(&path).unwrap()).unwrap();
        fed.write(Standing::Following, None);
        // It was refused at once: the note is that of the one that feeds the slave.
        let mut second = note(folder.path());
        assert_eq!(second.report.standing, Standing::Following);
        second.end("in use");
        assert_eq!(standing().standing, Standing::Following);
        fed.end("stopped");
        let left = standing();
        assert_eq!(
            (left.standing, left.reason.as_deref()),
            (Standing::NotConnected, Some("stopped"))
        );
    }

    /// A directory with a log, and the note that another slave of that name would have there.
    fn shared(address: &str) -> (tempfile::TempDir, SlaveNote) {
        let folder = tempfile::tempdir().unwrap();
        Disk::real()
            .write_atomic(&folder.path().join(POSITION_FILE), b"", 0o600)
            .unwrap();
        let mut other = note(folder.path());
        other.report.address = address.to_owned();
        (folder, other)
    }

    #[test]
    fn an_old_note_that_comes_back_is_no_rival_and_one_that_is_written_is() {
        let (folder, mut other) = shared("elsewhere:8102");
        let path = folder.path().join("slave-south.status");
        other.write(Standing::Following, None);
        let old = fs::read(&path).unwrap();
        let mut note = note(folder.path());
        note.write(Standing::Following, None);
        assert_eq!(note.report.rival, None, "the slave has moved here");
        put_into(&path, &old).unwrap();
        note.write(Standing::Following, None);
        assert_eq!(note.report.rival, None, "the directory was restored");
        other.write(Standing::Following, None);
        note.write(Standing::Following, None);
        let (rival, _) = note.report.rival.clone().unwrap();
        assert_eq!(rival, "elsewhere:8102");
    }

    #[test]
    fn a_slave_with_a_very_long_address_is_no_rival_of_itself() {
        let (folder, _) = shared("");
        let slave = format!("{}:8102", "long.".repeat(40));
        for _ in 0..2 {
            let mut note = SlaveNote::new(folder.path(), &slave, Reporter::console());
            note.report.instance = "south".to_owned();
            for _ in 0..2 {
                note.write(Standing::Following, None);
                assert_eq!(note.report.rival, None);
            }
        }
        let again = SlaveNote::new(folder.path(), &slave, Reporter::console());
        assert_eq!(again.report.instance, "south", "the note is gone on with");
    }

    #[test]
    fn nothing_is_written_where_the_disk_of_the_log_is_not_mounted() {
        let folder = tempfile::tempdir().unwrap();
        note(folder.path()).write(Standing::Following, None);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
