//! What an archive has, by the names of its objects alone.

use std::collections::{BTreeMap, BTreeSet};

use fwlog::{EnvironmentId, Generation, Position, SegmentId, Sequence};

use crate::error::ArchiveError;
use crate::name::{HistoryId, LogObject, ObjectName};
use crate::store::Listed;

/// What there is of one history.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryObjects {
    /// What is said of the generation is there.
    pub has_generation: bool,
    /// The heartbeat is there.
    pub has_heartbeat: bool,
    /// Histories that go on from this one.
    pub children: BTreeSet<HistoryId>,
    /// Offsets and bytes of the parts of each segment.
    pub parts: BTreeMap<Sequence, BTreeMap<u64, u64>>,
}

impl HistoryObjects {
    /// How many parts there are.
    pub fn part_count(&self) -> usize {
        self.parts.values().map(BTreeMap::len).sum()
    }

    /// Bytes of all parts.
    pub fn bytes(&self) -> u64 {
        self.parts.values().flat_map(BTreeMap::values).sum()
    }

    /// The places where parts begin, in order.
    pub fn places(&self, generation: Generation) -> impl Iterator<Item = Position> {
        self.parts.iter().flat_map(move |(sequence, parts)| {
            let segment = SegmentId {
                generation,
                sequence: *sequence,
            };
            parts.keys().map(move |at| Position::new(segment, *at))
        })
    }

    pub(crate) fn last_part(&self, generation: Generation) -> Option<Position> {
        let (sequence, parts) = self.parts.last_key_value()?;
        let (at, _) = parts.last_key_value()?;
        let segment = SegmentId {
            generation,
            sequence: *sequence,
        };
        Some(Position::new(segment, *at))
    }

    /// Where the part begins that this place is in, or at the end of.
    pub(crate) fn part_around(&self, place: Position) -> Option<Position> {
        let parts = self.parts.get(&place.segment.sequence)?;
        let (at, _) = parts.range(..place.offset.max(1)).next_back()?;
        Some(Position::new(place.segment, *at))
    }
}

/// What there is of the log of one environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catalog {
    /// Whose log it is.
    pub environment: EnvironmentId,
    /// Its histories.
    pub histories: BTreeMap<HistoryId, HistoryObjects>,
    /// Names of objects that this version does not read.
    pub unknown: Vec<String>,
}

impl Catalog {
    pub(crate) fn new(environment: EnvironmentId, listed: Vec<Listed>) -> Self {
        let mut catalog = Self {
            environment,
            histories: BTreeMap::new(),
            unknown: Vec::new(),
        };
        for Listed { name, length } in listed {
            match name.parse() {
                Ok(ObjectName::Log(_, history, object))
                    if !matches!(object, LogObject::Whole(_)) =>
                {
                    catalog.add(history, object, length);
                }
                _ => catalog.unknown.push(name),
            }
        }
        catalog
    }

    fn add(&mut self, history: HistoryId, object: LogObject, length: u64) {
        let objects = self.histories.entry(history).or_default();
        match object {
            LogObject::Generation => objects.has_generation = true,
            LogObject::Heartbeat => objects.has_heartbeat = true,
            LogObject::Child(child) => {
                objects.children.insert(child);
            }
            LogObject::Part(sequence, at) => {
                objects
                    .parts
                    .entry(sequence)
                    .or_default()
                    .insert(at, length);
            }
            LogObject::Whole(_) => {}
        }
    }

    /// The history that this one goes on from, where that is in the archive.
    pub fn parent_of(&self, history: HistoryId) -> Option<HistoryId> {
        let mut all = self.histories.iter();
        let found = all.find(|(_, objects)| objects.children.contains(&history));
        found.map(|(parent, _)| *parent)
    }

    /// The history with the newest generation; an error where two have its number.
    pub fn newest(&self) -> Result<HistoryId, ArchiveError> {
        let Some((newest, _)) = self.histories.last_key_value() else {
            return Err(ArchiveError::NotThere(format!(
                "the archive has nothing of environment {}",
                self.environment
            )));
        };
        let same = self.histories.keys();
        let same: Vec<_> = same
            .filter(|it| it.generation == newest.generation)
            .map(ToString::to_string)
            .collect();
        if same.len() > 1 {
            return Err(ArchiveError::NotThere(format!(
                "generation {} was begun by several servers: say which one is meant, {}",
                newest.generation,
                same.join(" or ")
            )));
        }
        Ok(*newest)
    }
}
