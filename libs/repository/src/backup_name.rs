//! Names of backups, and of their objects.

use std::fmt;
use std::str::FromStr;

use fwlog::{CommitNumber, SegmentId, Timestamp};

/// The directory of backups.
pub(crate) const BACKUP: &str = "backup";
/// The directory of packs.
pub(crate) const PACK: &str = "pack";
const BEGUN: &str = "begun";
const LOG: &str = "log";
const PAGES: &str = "pages";
const MANIFEST: &str = "manifest";
const DOOMED: &str = "doomed";

/// A backup: when it was begun, by the clock of who made it, and the commit that it is of. Sorts by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BackupId {
    /// As the decimal digits `YYYYMMDD`.
    date: u32,
    /// As the decimal digits `HHMMSS`.
    clock: u32,
    commit: CommitNumber,
    /// Above 1 where others of that second and commit were there before.
    attempt: u16,
}

impl BackupId {
    /// Of a backup that begins at this time.
    pub fn new(begun: Timestamp, commit: CommitNumber) -> Self {
        let shown = begun.to_string();
        let (date, clock) = shown.split_once(' ').unwrap_or((&shown, ""));
        let clock = clock.split('.').next().unwrap_or_default();
        let digits = |text: &str| {
            let digits = text.bytes().filter(u8::is_ascii_digit);
            digits.fold(0_u32, |sum, digit| {
                sum.saturating_mul(10)
                    .saturating_add(u32::from(digit - b'0'))
            })
        };
        Self {
            date: digits(date),
            clock: digits(clock),
            commit,
            attempt: 1,
        }
    }

    /// The next one of the same second and commit.
    pub(crate) fn next_attempt(self) -> Option<Self> {
        let attempt = self.attempt.checked_add(1)?;
        Some(Self { attempt, ..self })
    }

    /// The commit that it is of.
    pub fn commit(&self) -> CommitNumber {
        self.commit
    }
}

/// `20261128T120000Z-000000070412`
impl fmt::Display for BackupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (date, clock, commit) = (self.date, self.clock, self.commit.get());
        write!(f, "{date:08}T{clock:06}Z-{commit:012}")?;
        if self.attempt > 1 {
            write!(f, "-{}", self.attempt)?;
        }
        Ok(())
    }
}

impl FromStr for BackupId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = || {
            let (time, rest) = text.split_once("Z-")?;
            let (date, clock) = time.split_once('T')?;
            let (commit, attempt) = match rest.split_once('-') {
                Some((commit, attempt)) => (commit, attempt.parse().ok()?),
                None => (rest, 1),
            };
            let id = Self {
                date: date.parse().ok()?,
                clock: clock.parse().ok()?,
                commit: CommitNumber::new(commit.parse().ok()?),
                attempt,
            };
            // One spelling each.
            (id.to_string() == text).then_some(id)
        };
        parsed().ok_or_else(|| {
            format!("'{text}' is no backup: write it as 'backup list' shows it, as 20261128T120000Z-000000070412")
        })
    }
}

/// The BLAKE3 hash of a pack, which is its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackId([u8; Self::SIZE]);

impl PackId {
    /// Bytes of it.
    pub const SIZE: usize = 32;

    /// Of the pack with these bytes.
    pub fn of(pack: &[u8]) -> Self {
        Self(blake3::hash(pack).into())
    }

    /// As it was stored.
    pub const fn from_bytes(bytes: [u8; Self::SIZE]) -> Self {
        Self(bytes)
    }

    /// To be stored.
    pub const fn as_bytes(&self) -> &[u8; Self::SIZE] {
        &self.0
    }
}

impl fmt::Display for PackId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl FromStr for PackId {
    type Err = hex::FromHexError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; Self::SIZE];
        hex::decode_to_slice(text, &mut bytes)?;
        Ok(Self(bytes))
    }
}

/// An object of one backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BackupObject {
    /// Its name is taken. It exists when its manifest does.
    Begun,
    /// Some of the log that belongs to it: bytes of a segment from this offset on.
    Log(SegmentId, u64),
    /// Where each group of its pages is.
    Pages,
    /// What it is; written last.
    Manifest,
    /// It is to be removed.
    Doomed,
}

impl fmt::Display for BackupObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begun => f.write_str(BEGUN),
            Self::Log(segment, at) => write!(
                f,
                "{LOG}/{:010}-{:010}/{at:016x}",
                segment.generation.get(),
                segment.sequence.get()
            ),
            Self::Pages => f.write_str(PAGES),
            Self::Manifest => f.write_str(MANIFEST),
            Self::Doomed => f.write_str(DOOMED),
        }
    }
}

impl BackupObject {
    /// From the words of its name behind those of its backup. The caller holds the spelling against the name.
    pub(crate) fn of_words(words: &[&str]) -> Option<Self> {
        Some(match words {
            [BEGUN] => Self::Begun,
            [LOG, segment, at] => {
                Self::Log(segment_of(segment)?, u64::from_str_radix(at, 16).ok()?)
            }
            [PAGES] => Self::Pages,
            [MANIFEST] => Self::Manifest,
            [DOOMED] => Self::Doomed,
            _ => return None,
        })
    }
}

fn segment_of(text: &str) -> Option<SegmentId> {
    let (generation, sequence) = text.split_once('-')?;
    Some(SegmentId::new(
        generation.parse().ok()?,
        sequence.parse().ok()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_is_called_by_its_time_and_its_commit() {
        let at = Timestamp::from_micros(1_145_386_457_000_000);
        let id = BackupId::new(at, CommitNumber::new(70_412));
        assert_eq!(id.to_string(), "20060418T185417Z-000000070412");
        assert_eq!(id.to_string().parse(), Ok(id));
        let next = id.next_attempt().unwrap();
        assert_eq!(next.to_string(), "20060418T185417Z-000000070412-2");
        assert_eq!(next.to_string().parse(), Ok(next));
        assert!(id < next);
        for odd in [
            "",
            "20060418T185417Z",
            "20060418T185417Z-70412",
            "20060418T185417Z-000000070412-1",
            "20060418T185417Z-000000070412-",
            "2006-04-18",
        ] {
            assert!(odd.parse::<BackupId>().is_err(), "{odd}");
        }
    }
}
