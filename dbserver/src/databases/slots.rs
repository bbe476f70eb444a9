//! The file of the slots, `DataDir/slots`: from where on each slave that is known needs the log.
//!
//! One line a slot, and the hash of all of them: the file is replaced as a whole.

use std::fmt;
use std::io;
use std::path::Path;
use std::str::FromStr;

use disk::Disk;
use fwlog::sealed_text::{self, Body};
use fwlog::{Position, Timestamp};

use crate::error::EngineError;

/// The version of the file that this server reads and writes.
const VERSION: u32 = 1;

/// Who a slot is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotKind {
    /// A slave, which its dbrepl tells of.
    Slave,
}

impl SlotKind {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Slave => "slave",
        }
    }
}

/// Whether the log is kept for a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotState {
    /// It is.
    Active,
    /// Not any more: a part of what it needs is gone, or goes next.
    Lost,
}

impl SlotState {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Lost => "lost",
        }
    }
}

/// From where on somebody known needs the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// Name of the slave's instance.
    pub name: String,
    /// Who it is for.
    pub kind: SlotKind,
    /// From here on.
    pub needs: Position,
    /// When the slave was last heard of.
    pub heard: Timestamp,
    /// Whether the log is kept for it.
    pub state: SlotState,
    /// Since when it is so.
    pub since: Timestamp,
}

impl Slot {
    /// Whether a restart may find it as it was before this change: what it needs begins in the same segment.
    pub(crate) fn is_as_durable_as(&self, written: &Self) -> bool {
        self.needs.segment == written.needs.segment
            && (&self.name, self.kind, self.state) == (&written.name, written.kind, written.state)
    }
}

impl fmt::Display for Slot {
    /// As a line of the file has it; the name may be any text of one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, state) = (self.kind.as_str(), self.state.as_str());
        let (heard, since) = (self.heard.micros(), self.since.micros());
        let (needs, name) = (self.needs, &self.name);
        write!(f, "{kind} {needs} {heard} {state} {since} {name}")
    }
}

impl FromStr for Slot {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let mut words = line.splitn(6, ' ');
        let mut next = || words.next().ok_or(format!("odd slot '{line}'"));
        let kind = match next()? {
            "slave" => SlotKind::Slave,
            other => {
                return Err(format!(
                    "a slot of the kind '{other}': a newer version wrote it"
                ));
            }
        };
        let odd = |_| format!("odd slot '{line}'");
        let needs = next()?
            .parse()
            .map_err(|error| format!("'{line}': {error}"))?;
        let heard = Timestamp::from_micros(next()?.parse().map_err(odd)?);
        let state = match next()? {
            "active" => SlotState::Active,
            "lost" => SlotState::Lost,
            other => return Err(format!("a slot that is '{other}'")),
        };
        Ok(Self {
            kind,
            needs,
            heard,
            state,
            since: Timestamp::from_micros(next()?.parse().map_err(odd)?),
            name: next()?.to_owned(),
        })
    }
}

/// Reads the file; none where there is none. The error says what is wrong with it.
pub(crate) fn read(disk: &Disk, path: &Path) -> Result<Vec<Slot>, String> {
    let content = match disk.read(path) {
        Ok(content) => content,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(format!("can't read {}: {error}", path.display())),
    };
    let text = String::from_utf8(content).map_err(|_| "it is not text".to_owned());
    text.and_then(|text| parse(&text))
        .map_err(|why| format!("{} is damaged: {why}", path.display()))
}

/// Replaces the file durably.
pub(crate) fn write(disk: &Disk, path: &Path, slots: &[Slot]) -> Result<(), EngineError> {
    disk.write_atomic(path, to_text(slots).as_bytes(), 0o600)
        .map_err(|error| EngineError::file("write", path, &error))
}

fn to_text(slots: &[Slot]) -> String {
    let mut body = Body::default();
    body.line("version", VERSION);
    for slot in slots {
        body.line("slot", slot);
    }
    body.seal()
}

fn parse(text: &str) -> Result<Vec<Slot>, String> {
    let mut lines = sealed_text::open(text)?.lines();
    let version = lines
        .next()
        .and_then(|line| line.strip_prefix("version = "));
    if version != Some(&VERSION.to_string()) {
        let version = version.unwrap_or("no version");
        return Err(format!("{version}; this server reads {VERSION}"));
    }
    let slot = |line: &str| match line.strip_prefix("slot = ") {
        Some(slot) => slot.parse(),
        None => Err(format!("odd line '{line}'")),
    };
    lines.map(slot).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(name: &str, needs: &str, state: SlotState) -> Slot {
        Slot {
            name: name.to_owned(),
            kind: SlotKind::Slave,
            needs: needs.parse().unwrap(),
            heard: Timestamp::from_micros(7),
            state,
            since: Timestamp::from_micros(5),
        }
    }

    #[test]
    fn slots_read_back_and_no_byte_of_them_may_be_another() {
        let slots = vec![
            slot("north", "12-3:184320", SlotState::Active),
            slot("a name of its own", "1-1:0", SlotState::Lost),
        ];
        let text = to_text(&slots);
        assert_eq!(parse(&text), Ok(slots));
        for at in 0..text.len() {
            let mut other = text.clone().into_bytes();
            other[at] ^= 1;
            let other = String::from_utf8(other).unwrap();
            assert!(parse(&other).is_err(), "{other}");
            assert!(parse(&text[..at]).is_err(), "{at}");
        }
    }

    #[test]
    fn a_later_version_and_another_kind_are_named() {
        let later = |from: &str, to: &str| {
            let text = to_text(&[slot("north", "1-1:0", SlotState::Active)]);
            let body = sealed_text::open(&text).unwrap().replace(from, to);
            let mut sealed = Body::default();
            for line in body.lines() {
                let (key, value) = line.split_once(" = ").unwrap();
                sealed.line(key, value);
            }
            parse(&sealed.seal()).unwrap_err()
        };
        assert_eq!(
            later("version = 1", "version = 2"),
            "2; this server reads 1"
        );
        let archive = later("slave 1-1:0", "archive 1-1:0");
        assert!(archive.contains("of the kind 'archive'"), "{archive}");
    }

    #[test]
    fn a_slot_is_written_when_its_segment_or_its_state_is_another() {
        let known = slot("north", "12-3:100", SlotState::Active);
        let on = slot("north", "12-3:900", SlotState::Active);
        assert!(on.is_as_durable_as(&known));
        assert!(!slot("north", "12-4:0", SlotState::Active).is_as_durable_as(&known));
        assert!(!slot("north", "12-3:100", SlotState::Lost).is_as_durable_as(&known));
    }
}
