//! What dbrepl leaves beside the log of how far a slave is, so that the master can show it.
//!
//! A small text file, one `key = value` a line, padded with blanks to one size and rewritten in
//! place: nothing depends on it, so it is neither synced nor replaced as a whole, and a reader that
//! meets it half-written takes it as unknown.

use std::collections::HashMap;
use std::str::FromStr;

use fwlog::{CommitNumber, Position, Timestamp};

use crate::Status;

/// Bytes of the file.
pub const REPORT_SIZE: usize = 512;
/// The file of the slave instance `north` is `slave-north.status`.
const PREFIX: &str = "slave-";
const SUFFIX: &str = ".status";

/// How far a slave was when dbrepl last heard of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlaveReport {
    /// Name of the slave's instance.
    pub instance: String,
    /// Where dbrepl reaches it.
    pub address: String,
    /// When dbrepl wrote this.
    pub reported: Timestamp,
    /// In the slave's log, on disk.
    pub durable: Position,
    /// Visible to the slave's readers.
    pub applied: Position,
    /// The newest commit there.
    pub commit: CommitNumber,
    /// Time of that commit.
    pub commit_time: Timestamp,
}

impl SlaveReport {
    /// A report of this moment.
    pub fn new(instance: &str, address: &str, status: &Status, reported: Timestamp) -> Self {
        Self {
            instance: instance.to_owned(),
            address: address.to_owned(),
            reported,
            durable: status.durable.point.position,
            applied: status.applied.point.position,
            commit: status.applied.commit,
            commit_time: status.applied.time,
        }
    }

    /// Name of the file for a slave instance.
    pub fn file_name(instance: &str) -> String {
        format!("{PREFIX}{instance}{SUFFIX}")
    }

    /// Whether a file beside the log is such a report.
    pub fn is_file_name(name: &str) -> bool {
        name.starts_with(PREFIX) && name.ends_with(SUFFIX)
    }

    /// The file's content, [`REPORT_SIZE`] bytes; addresses that are too long are cut.
    pub fn encode(&self) -> Vec<u8> {
        let address: String = self
            .address
            .chars()
            .filter(|c| !c.is_control())
            .take(60)
            .collect();
        let mut text = format!(
            "instance = {}\naddress = {address}\nreported = {}\ndurable = {}\napplied = {}\ncommit = {}\ncommit_time = {}\nend\n",
            self.instance,
            self.reported.micros(),
            self.durable,
            self.applied,
            self.commit.get(),
            self.commit_time.micros(),
        )
        .into_bytes();
        text.resize(REPORT_SIZE, b' ');
        text
    }

    /// Reads a file's content; `None`: it is no whole report.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes.get(..REPORT_SIZE)?).ok()?;
        let (body, _blanks) = text.split_once("\nend\n")?;
        let values: HashMap<&str, &str> = body
            .lines()
            .filter_map(|line| line.split_once(" = "))
            .collect();
        let micros = |key: &str| Some(Timestamp::from_micros(parse(&values, key)?));
        Some(Self {
            instance: parse(&values, "instance")?,
            address: parse(&values, "address")?,
            reported: micros("reported")?,
            durable: parse(&values, "durable")?,
            applied: parse(&values, "applied")?,
            commit: CommitNumber::new(parse(&values, "commit")?),
            commit_time: micros("commit_time")?,
        })
    }
}

fn parse<T: FromStr>(values: &HashMap<&str, &str>, key: &str) -> Option<T> {
    values.get(key)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> SlaveReport {
        SlaveReport {
            instance: "north".into(),
            address: "slave.example.com:8102".into(),
            reported: Timestamp::from_micros(1_800_000_000_000_000),
            durable: "12-3:184320".parse().unwrap(),
            applied: "12-3:180000".parse().unwrap(),
            commit: CommitNumber::new(4711),
            commit_time: Timestamp::from_micros(1_799_999_999_000_000),
        }
    }

    #[test]
    fn a_report_reads_back_and_half_a_report_is_unknown() {
        let bytes = report().encode();
        assert_eq!(bytes.len(), REPORT_SIZE);
        assert_eq!(SlaveReport::decode(&bytes), Some(report()));
        assert_eq!(SlaveReport::decode(&bytes[..100]), None);
        let mut torn = bytes;
        torn[20..].fill(0);
        assert_eq!(SlaveReport::decode(&torn), None);
    }

    #[test]
    fn the_longest_address_leaves_room_for_the_rest() {
        let long = SlaveReport {
            address: "x".repeat(100_000),
            ..report()
        };
        assert!(SlaveReport::decode(&long.encode()).is_some());
        assert!(SlaveReport::is_file_name(&SlaveReport::file_name("north")));
        assert!(!SlaveReport::is_file_name("fw-1-1"));
    }
}
