//! What dbrepl leaves beside the log of how far a slave is, so that the master can show it.
//!
//! A small text file, one `key = value` a line, padded with blanks to one size and rewritten in
//! place. It is neither synced nor replaced as a whole: a reader that meets it half-written knows by its
//! checksum, and takes it as unknown. How much of the log is kept for a slave goes by what it says.

use std::collections::HashMap;
use std::str::FromStr;
use std::time::Duration;

use fwlog::{BootNonce, CommitNumber, InstanceId, Position, Timestamp};

use crate::{Progress, Standing};

/// Bytes of the file.
pub const REPORT_SIZE: usize = 2048;
/// The file of the slave instance `north` is `slave-north.status`.
const PREFIX: &str = "slave-";
const SUFFIX: &str = ".status";
/// Bytes of the longest address, and of the longest reason; more is cut.
const MAX_ADDRESS: usize = 100;
const MAX_REASON: usize = 900;

/// How a slave was when dbrepl last knew of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlaveReport {
    /// Name of the slave's instance.
    pub instance: String,
    /// Its id, and the nonce of its last start, where it has told them.
    pub speaker: Option<(InstanceId, BootNonce)>,
    /// Where dbrepl reaches it.
    pub address: String,
    /// Another address that a dbrepl writes this same file for, and since when that is known: two slaves
    /// have one name.
    pub rival: Option<(String, Timestamp)>,
    /// How replication to it stands.
    pub standing: Standing,
    /// Since when.
    pub since: Timestamp,
    /// Why, where there is something to say.
    pub reason: Option<String>,
    /// When the connection was made that feeds it, or fed it last.
    pub connected: Timestamp,
    /// When dbrepl wrote this: each second while it is connected.
    pub written: Timestamp,
    /// When the slave was last heard of.
    pub heard: Timestamp,
    /// In the slave's log, on disk.
    pub durable: Option<Progress>,
    /// Visible to the slave's readers.
    pub applied: Option<Progress>,
    /// So long after its commit a transaction is sent; zero: at once.
    pub delay: Duration,
    /// It leaves databases out.
    pub partial: bool,
}

impl SlaveReport {
    /// Name of the file for a slave instance.
    pub fn file_name(instance: &str) -> String {
        format!("{PREFIX}{instance}{SUFFIX}")
    }

    /// Whether it is of a repository that the log is archived in: that is reached by a URL.
    pub fn is_archive(&self) -> bool {
        self.address.contains("://")
    }

    /// Whether a file beside the log is such a report.
    pub fn is_file_name(name: &str) -> bool {
        name.starts_with(PREFIX) && name.ends_with(SUFFIX)
    }

    /// An address as the file has it: on one line, and cut where it is very long.
    pub fn address_of(slave: &str) -> String {
        line(slave, MAX_ADDRESS)
    }

    /// The file's content, [`REPORT_SIZE`] bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut lines = vec![
            format!("instance = {}", line(&self.instance, MAX_ADDRESS)),
            format!("address = {}", Self::address_of(&self.address)),
            format!("standing = {}", self.standing),
            format!("since = {}", self.since.micros()),
        ];
        let speaker = self.speaker.as_ref();
        lines.extend(speaker.map(|(id, boot)| format!("identity = {id} {boot}")));
        lines.push(format!("connected = {}", self.connected.micros()));
        let rival = self.rival.as_ref().map(|(address, since)| {
            let address = Self::address_of(address);
            format!("rival = {} {address}", since.micros())
        });
        lines.extend(rival);
        let reason = self.reason.as_ref();
        lines.extend(reason.map(|reason| format!("reason = {}", line(reason, MAX_REASON))));
        if !self.delay.is_zero() {
            lines.push(format!("delay = {}", self.delay.as_micros()));
        }
        if self.partial {
            lines.push("partial = true".to_owned());
        }
        lines.push(format!("written = {}", self.written.micros()));
        lines.push(format!("heard = {}", self.heard.micros()));
        for (name, progress) in [("durable", &self.durable), ("applied", &self.applied)] {
            lines.extend(progress.as_ref().map(|progress| {
                let (position, commit) = (progress.point.position, progress.commit.get());
                format!("{name} = {position} {commit} {}", progress.time.micros())
            }));
        }
        let body = lines.join("\n");
        let crc = crc32c::crc32c(body.as_bytes());
        let mut bytes = format!("{body}\ncrc = {crc:08x}\nend\n").into_bytes();
        bytes.resize(REPORT_SIZE, b' ');
        bytes
    }

    /// Reads a file's content; `None`: it is no whole report.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let (sealed, _blanks) = text.split_once("\nend\n")?;
        let (body, crc) = sealed.rsplit_once("\ncrc = ")?;
        if u32::from_str_radix(crc, 16) != Ok(crc32c::crc32c(body.as_bytes())) {
            return None;
        }
        let values: HashMap<&str, &str> = body
            .lines()
            .filter_map(|line| line.split_once(" = "))
            .collect();
        let micros = |key: &str| Some(Timestamp::from_micros(parse(&values, key)?));
        Some(Self {
            instance: parse(&values, "instance")?,
            speaker: values.get("identity").and_then(|text| speaker(text)),
            address: parse(&values, "address")?,
            rival: values.get("rival").and_then(|text| rival(text)),
            standing: parse(&values, "standing")?,
            since: micros("since")?,
            reason: parse(&values, "reason"),
            // An older dbrepl does not say so.
            connected: micros("connected").or(micros("since"))?,
            written: micros("written")?,
            heard: micros("heard")?,
            durable: values.get("durable").and_then(|text| progress(text)),
            applied: values.get("applied").and_then(|text| progress(text)),
            delay: parse(&values, "delay").map_or(Duration::ZERO, Duration::from_micros),
            partial: parse(&values, "partial").unwrap_or(false),
        })
    }
}

/// The text on one line, cut to so many bytes.
fn line(text: &str, limit: usize) -> String {
    let mut line = String::new();
    for c in text.chars() {
        let c = if c.is_control() { ' ' } else { c };
        if line.len() + c.len_utf8() > limit {
            break;
        }
        line.push(c);
    }
    line
}

/// `12-3:184320 4711 1799999999000000`; the chain hash is nobody's business here.
fn progress(text: &str) -> Option<Progress> {
    let mut words = text.split(' ');
    let position: Position = words.next()?.parse().ok()?;
    let commit = words.next()?.parse().ok()?;
    let time = words.next()?.parse().ok()?;
    Some(Progress {
        point: fwlog::LogPoint::new(position, fwlog::ChainHash::ZERO),
        commit: CommitNumber::new(commit),
        time: Timestamp::from_micros(time),
    })
}

/// The id of an instance, and its boot nonce.
fn speaker(text: &str) -> Option<(InstanceId, BootNonce)> {
    let (id, boot) = text.split_once(' ')?;
    Some((id.parse().ok()?, boot.parse().ok()?))
}

/// `1799999000000000 slave.example.com:8102`
fn rival(text: &str) -> Option<(String, Timestamp)> {
    let (since, address) = text.split_once(' ')?;
    let since = Timestamp::from_micros(since.parse().ok()?);
    Some((address.to_owned(), since))
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
            speaker: speaker(&format!("{} {}", "01".repeat(16), "02".repeat(16))),
            address: "slave.example.com:8102".into(),
            rival: Some(("other:8102".into(), Timestamp::from_micros(7))),
            standing: Standing::Suspended,
            since: Timestamp::from_micros(1_799_999_000_000_000),
            reason: Some("no room = none".into()),
            connected: Timestamp::from_micros(1_799_999_000_000_001),
            written: Timestamp::from_micros(1_800_000_000_500_000),
            heard: Timestamp::from_micros(1_800_000_000_000_000),
            durable: progress("12-3:184320 4712 1799999999000000"),
            applied: None,
            delay: Duration::from_hours(1),
            partial: true,
        }
    }

    #[test]
    fn an_archive_is_known_by_its_place() {
        let mut it = report();
        assert!(!it.is_archive());
        it.address = "s3://bucket/prefix".into();
        assert!(it.is_archive());
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
        // One that was written before, and half of one that is written over it.
        let newer = SlaveReport {
            durable: progress("12-4:99 4713 1799999999000000"),
            ..report()
        };
        let (old, new) = (report().encode(), newer.encode());
        let differ = old.iter().zip(&new).filter(|(a, b)| a != b).count();
        let mixed = |at: usize| [&new[..at], &old[at..]].concat();
        let unknown = (0..REPORT_SIZE).filter(|at| SlaveReport::decode(&mixed(*at)).is_none());
        assert!(unknown.count() >= differ - 1, "{differ}");
    }

    #[test]
    fn the_longest_words_leave_room_for_the_rest() {
        let long = SlaveReport {
            instance: "ü".repeat(100_000),
            speaker: report().speaker,
            address: "x".repeat(100_000),
            rival: Some(("y".repeat(100_000), Timestamp::from_micros(u64::MAX))),
            reason: Some("two\nlines ".repeat(10_000)),
            standing: Standing::LogOff,
            since: Timestamp::from_micros(u64::MAX),
            connected: Timestamp::from_micros(u64::MAX),
            written: Timestamp::from_micros(u64::MAX),
            heard: Timestamp::from_micros(u64::MAX),
            durable: progress(
                "4294967295-4294967295:18446744073709551615 18446744073709551615 18446744073709551615",
            ),
            applied: report().durable,
            delay: Duration::from_micros(u64::MAX),
            partial: true,
        };
        let bytes = long.encode();
        assert_eq!(bytes.len(), REPORT_SIZE);
        assert!(SlaveReport::decode(&bytes).is_some());
        assert!(SlaveReport::is_file_name(&SlaveReport::file_name("north")));
        assert!(!SlaveReport::is_file_name("fw-1-1"));
    }
}
