//! What objects are called. A name is made from what it names, and parses back to it.

use std::fmt;
use std::str::FromStr;

use fwlog::{EnvironmentId, Generation, GenerationId, Sequence};

use crate::backup_name::{BACKUP, BackupId, BackupObject, PACK, PackId};

/// Bytes of the id of a generation that are in names.
const HASH: usize = 4;

/// The object that makes a store a repository.
const MARKER: &str = "eloqdb.repository";
const LOG: &str = "log";
const GENERATION: &str = "generation";
const WHOLE: &str = "whole";
const CHILDREN: &str = "children";
const HEARTBEAT: &str = "heartbeat";

/// One generation of a log: its number, and the beginning of its id. Two histories that have given one number do not
/// share a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HistoryId {
    /// The number of the generation.
    pub generation: Generation,
    hash: [u8; HASH],
}

impl HistoryId {
    /// Of the generation with this number and this id.
    pub fn new(generation: Generation, id: GenerationId) -> Self {
        let [a, b, c, d, ..] = id.hash().to_bytes();
        Self {
            generation,
            hash: [a, b, c, d],
        }
    }

    /// Whether it can be the name of a generation with this id.
    pub fn is_of(self, id: GenerationId) -> bool {
        self == Self::new(self.generation, id)
    }

    fn in_names(self) -> String {
        format!("{:010}-{}", self.generation.get(), hex::encode(self.hash))
    }

    fn of_name(text: &str) -> Option<Self> {
        let (generation, hash) = text.split_once('-')?;
        let history = Self {
            generation: Generation::new(generation.parse().ok()?),
            hash: hash_of(hash)?,
        };
        (history.in_names() == text).then_some(history)
    }
}

fn hash_of(text: &str) -> Option<[u8; HASH]> {
    let mut hash = [0; HASH];
    hex::decode_to_slice(text, &mut hash).ok()?;
    Some(hash)
}

/// `12-9f86d081`, as people read and type it.
impl fmt::Display for HistoryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.generation, hex::encode(self.hash))
    }
}

impl FromStr for HistoryId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let odd = || format!("'{text}' is no history: write GENERATION-HASH, as 12-9f86d081");
        let (generation, hash) = text.split_once('-').ok_or_else(odd)?;
        Ok(Self {
            generation: Generation::new(generation.parse().map_err(|_| odd())?),
            hash: hash_of(hash).ok_or_else(odd)?,
        })
    }
}

/// An object of one history of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogObject {
    /// Why, when and after what the generation began.
    Generation,
    /// The bytes of a segment from this offset on.
    Part(Sequence, u64),
    /// A whole segment.
    Whole(Sequence),
    /// A history that goes on from this one.
    Child(HistoryId),
    /// Up to when nothing is missing.
    Heartbeat,
}

/// The name of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectName {
    /// What makes a store a repository.
    Marker,
    /// Something of the log of an environment.
    Log(EnvironmentId, HistoryId, LogObject),
    /// Something of a backup of an environment.
    Backup(EnvironmentId, BackupId, BackupObject),
    /// Pages of an environment, which any number of its backups have.
    Pack(EnvironmentId, PackId),
}

impl ObjectName {
    /// What all objects of the log of an environment have before the rest of their names.
    pub fn log_prefix(environment: EnvironmentId) -> String {
        format!("{environment}/{LOG}")
    }

    /// The same of its backups.
    pub fn backup_prefix(environment: EnvironmentId) -> String {
        format!("{environment}/{BACKUP}")
    }

    /// The same of its packs.
    pub fn pack_prefix(environment: EnvironmentId) -> String {
        format!("{environment}/{PACK}")
    }

    /// The environment that it is of.
    pub fn environment(&self) -> Option<EnvironmentId> {
        match self {
            Self::Marker => None,
            Self::Log(environment, ..)
            | Self::Backup(environment, ..)
            | Self::Pack(environment, _) => Some(*environment),
        }
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (environment, history, object) = match self {
            Self::Marker => return f.write_str(MARKER),
            Self::Log(environment, history, object) => (environment, history, object),
            Self::Backup(environment, id, object) => {
                return write!(f, "{environment}/{BACKUP}/{id}/{object}");
            }
            Self::Pack(environment, id) => return write!(f, "{environment}/{PACK}/{id}"),
        };
        write!(f, "{environment}/{LOG}/{}/", history.in_names())?;
        match object {
            LogObject::Generation => f.write_str(GENERATION),
            LogObject::Part(sequence, offset) => write!(f, "{:010}/{offset:016x}", sequence.get()),
            LogObject::Whole(sequence) => write!(f, "{:010}/{WHOLE}", sequence.get()),
            LogObject::Child(child) => write!(f, "{CHILDREN}/{}", child.in_names()),
            LogObject::Heartbeat => f.write_str(HEARTBEAT),
        }
    }
}

/// A name that no object of this version has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the name of an object that this version knows")]
pub struct UnknownName;

impl FromStr for ObjectName {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let name = parse(text).ok_or(UnknownName)?;
        // One form each: what is spelled otherwise is another object's name.
        (name.to_string() == text)
            .then_some(name)
            .ok_or(UnknownName)
    }
}

fn parse(text: &str) -> Option<ObjectName> {
    if text == MARKER {
        return Some(ObjectName::Marker);
    }
    let words: Vec<&str> = text.split('/').collect();
    match words.as_slice() {
        [environment, BACKUP, id, object @ ..] => {
            return Some(ObjectName::Backup(
                environment.parse().ok()?,
                id.parse().ok()?,
                BackupObject::of_words(object)?,
            ));
        }
        [environment, PACK, id] => {
            return Some(ObjectName::Pack(
                environment.parse().ok()?,
                id.parse().ok()?,
            ));
        }
        _ => {}
    }
    let [environment, LOG, history, object @ ..] = words.as_slice() else {
        return None;
    };
    let object = match object {
        [GENERATION] => LogObject::Generation,
        [HEARTBEAT] => LogObject::Heartbeat,
        [CHILDREN, child] => LogObject::Child(HistoryId::of_name(child)?),
        [sequence, WHOLE] => LogObject::Whole(sequence.parse().ok()?),
        [sequence, offset] => LogObject::Part(
            sequence.parse().ok()?,
            u64::from_str_radix(offset, 16).ok()?,
        ),
        _ => return None,
    };
    let environment = environment.parse().ok()?;
    Some(ObjectName::Log(
        environment,
        HistoryId::of_name(history)?,
        object,
    ))
}

#[cfg(test)]
mod tests {
    use fwlog::ChainHash;
    use proptest::prelude::*;

    use super::*;

    fn history() -> impl Strategy<Value = HistoryId> {
        any::<(u32, [u8; 32])>().prop_map(|(generation, hash)| {
            let id = GenerationId::new(ChainHash::from_bytes(hash));
            HistoryId::new(Generation::new(generation), id)
        })
    }

    fn object() -> impl Strategy<Value = LogObject> {
        prop_oneof![
            Just(LogObject::Generation),
            Just(LogObject::Heartbeat),
            history().prop_map(LogObject::Child),
            any::<u32>().prop_map(|it| LogObject::Whole(Sequence::new(it))),
            any::<(u32, u64)>()
                .prop_map(|(sequence, at)| LogObject::Part(Sequence::new(sequence), at)),
        ]
    }

    fn backup_object() -> impl Strategy<Value = BackupObject> {
        prop_oneof![
            Just(BackupObject::Begun),
            Just(BackupObject::Pages),
            Just(BackupObject::Manifest),
            Just(BackupObject::Doomed),
            any::<(u32, u32, u64)>().prop_map(|(generation, sequence, at)| BackupObject::Log(
                fwlog::SegmentId::new(generation, sequence),
                at
            )),
        ]
    }

    proptest! {
        #[test]
        fn a_name_of_a_backup_parses_back(
            environment: [u8; 16], time in 0_u64..250_000_000_000_000_000, commit: u64, object in backup_object(), pack: [u8; 32]
        ) {
            let environment = EnvironmentId::from_bytes(environment);
            let id = BackupId::new(fwlog::Timestamp::from_micros(time), fwlog::CommitNumber::new(commit));
            for name in [
                ObjectName::Backup(environment, id, object),
                ObjectName::Pack(environment, PackId::from_bytes(pack)),
            ] {
                prop_assert_eq!(name.to_string().parse(), Ok(name));
            }
        }

        #[test]
        fn a_name_parses_back_to_what_it_names(
            environment: [u8; 16], history in history(), object in object()
        ) {
            let name = ObjectName::Log(EnvironmentId::from_bytes(environment), history, object);
            prop_assert_eq!(name.to_string().parse(), Ok(name));
            prop_assert_eq!(history.to_string().parse(), Ok(history));
        }

        #[test]
        fn a_text_is_one_name_or_none(text in "[0-9a-f]{32}/log/[0-9]{9,11}-[0-9a-fA-F]{8}/[0-9]{9,11}/[0-9a-fA-F]{15,17}") {
            if let Ok(name) = text.parse::<ObjectName>() {
                prop_assert_eq!(name.to_string(), text);
            }
        }

        #[test]
        fn names_of_parts_sort_as_the_log_does(
            environment: [u8; 16], history in history(), one: (u32, u64), other: (u32, u64)
        ) {
            let name = |(sequence, at)| {
                let object = LogObject::Part(Sequence::new(sequence), at);
                ObjectName::Log(EnvironmentId::from_bytes(environment), history, object).to_string()
            };
            prop_assert_eq!(name(one).cmp(&name(other)), one.cmp(&other));
        }
    }

    #[test]
    fn names_are_those_of_the_page() {
        let environment = EnvironmentId::from_bytes([0xab; 16]);
        let id = GenerationId::new(ChainHash::from_bytes([0x9f; 32]));
        let history = HistoryId::new(Generation::new(12), id);
        let name = |object| ObjectName::Log(environment, history, object).to_string();
        let begin = format!("{}/log/0000000012-9f9f9f9f", "ab".repeat(16));
        assert_eq!(name(LogObject::Generation), format!("{begin}/generation"));
        assert_eq!(
            name(LogObject::Part(Sequence::new(3), 184_320)),
            format!("{begin}/0000000003/000000000002d000")
        );
        assert_eq!(
            name(LogObject::Child(history)),
            format!("{begin}/children/0000000012-9f9f9f9f")
        );
        assert_eq!(name(LogObject::Heartbeat), format!("{begin}/heartbeat"));
        assert_eq!(ObjectName::Marker.to_string(), "eloqdb.repository");
        for odd in ["", "log", "eloqdb.repository/x", "tmp/0a", &begin] {
            assert!(odd.parse::<ObjectName>().is_err(), "{odd}");
        }
    }
}
