//! Looks whether the segments that a restart needs are there, each under its own name.

use std::collections::{BTreeMap, BTreeSet};
use std::iter::successors;
use std::path::PathBuf;

use fwlog::{Damage, LogKind, LogLocation, ReadError, SegmentId, SegmentReader};

use crate::environment::core::Core;

/// So many looks lie between two attempts to do without what is missing.
const BETWEEN_ATTEMPTS: u32 = 10;
/// So many segments are named by `status`.
const NAMED: usize = 3;

/// What is wrong with a segment, in words for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wrong {
    /// It was there, and a restart needs it.
    Gone(String),
    /// Its header can't be read.
    Damaged(String),
    /// It is called as a segment, and is none of this log or another one.
    Misplaced(String),
}

impl Wrong {
    fn text(&self) -> &str {
        match self {
            Self::Gone(text) | Self::Damaged(text) | Self::Misplaced(text) => text,
        }
    }
}

/// What a look at a segment's header tells.
enum Header {
    Fits,
    Wrong(Wrong),
    /// It can't be looked at now, which is the log's own trouble, or nobody's.
    Unknown,
}

fn look_at(core: &Core, location: &LogLocation, id: SegmentId, needed: SegmentId) -> Header {
    let path = location.path(id);
    let why = match SegmentReader::open(&location.disk, &path) {
        Ok(reader) if reader.header().id != id => Damage::OtherSegment(reader.header().id),
        Ok(reader) if core.id() != Some(reader.header().environment) => {
            Damage::OtherEnvironment(reader.header().environment)
        }
        Ok(reader) if reader.header().kind != LogKind::Forward => {
            Damage::OtherKind(reader.header().kind)
        }
        Ok(_) => return Header::Fits,
        Err(error @ ReadError::Corrupt { .. }) if id >= needed => {
            return Header::Wrong(Wrong::Damaged(format!(
                "{error}; a restart that needs the segment fails: take it from the master, a slave or a backup, which have the same bytes"
            )));
        }
        Err(_) => return Header::Unknown,
    };
    let stops = if id >= needed {
        "the next start"
    } else {
        "a dbrepl that comes there"
    };
    Header::Wrong(Wrong::Misplaced(format!(
        "{} is out of place, and stops {stops}: {why}; move it out of the log directory",
        path.display()
    )))
}

/// What to do about segments that are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "where the server writes the log it can do without them"]
pub(crate) enum Missing {
    /// None is.
    Nothing,
    /// A checkpoint now would let a restart do without them.
    TryWithout,
    /// That was tried a moment ago.
    Wait,
}

/// What is known of the segments from one look to the next.
#[derive(Debug, Default)]
pub(crate) struct SegmentWatch {
    directory: PathBuf,
    /// All that were there at the last look.
    present: BTreeSet<SegmentId>,
    /// Those that a restart needs, and that were seen to be this log's.
    own: BTreeSet<SegmentId>,
    wrong: BTreeMap<SegmentId, Wrong>,
    looks: u32,
}

impl SegmentWatch {
    /// Finds out whether somebody has removed, renamed or replaced a segment behind the redo point, or has
    /// put one there that is none of this log's. Where the server writes the log, a checkpoint moves that
    /// point.
    ///
    /// Names and headers are looked at, and not what stands behind a header.
    pub(crate) fn look(&mut self, core: &Core) -> Missing {
        let Ok(location) = core.log_location() else {
            return Missing::Nothing;
        };
        // A directory that can't be read is the log's own trouble.
        let Ok(names) = location.disk.list(&location.directory) else {
            return Missing::Nothing;
        };
        // Asked for after the look: what the server itself removes lies before it.
        let (Some(redo), Ok(now)) = (core.redo(), core.log_location()) else {
            return Missing::Nothing;
        };
        if now != location {
            // The log has moved: what was seen was seen elsewhere.
            *self = Self::default();
            return Missing::Nothing;
        }
        let needed = redo.point.position.segment;
        let segments = names
            .iter()
            .filter_map(|name| location.naming.segment_of(name.to_str()?));
        let present: BTreeSet<SegmentId> = segments.collect();
        if self.directory != location.directory {
            *self = Self {
                directory: location.directory.clone(),
                // Any number of old ones may be kept: those that come later are looked at.
                present: present.range(..needed).copied().collect(),
                ..Self::default()
            };
        }
        self.look_at_headers(core, &location, &present, needed);
        self.look_for_gone(core, &location, &present, needed);
        self.present = present;
        self.do_without(needed)
    }

    /// What is wrong at present, in one line.
    pub(crate) fn trouble(&self) -> Option<String> {
        let texts: Vec<&str> = self.wrong.values().map(Wrong::text).collect();
        let named = texts.get(..NAMED).unwrap_or(&texts).join("; ");
        match texts.len().saturating_sub(NAMED) {
            0 if texts.is_empty() => None,
            0 => Some(named),
            more => Some(format!("{named}; and {more} more")),
        }
    }

    fn look_at_headers(
        &mut self,
        core: &Core,
        location: &LogLocation,
        present: &BTreeSet<SegmentId>,
        needed: SegmentId,
    ) {
        for id in present {
            let is_known = self.present.contains(id) && !self.wrong.contains_key(id);
            if *id < needed && is_known {
                continue;
            }
            match look_at(core, location, *id, needed) {
                Header::Unknown => {}
                Header::Fits => {
                    self.own.insert(*id);
                    if self.wrong.remove(id).is_some() {
                        tracing::info!("{} is back", location.path(*id).display());
                    }
                }
                Header::Wrong(wrong) => self.note(*id, wrong),
            }
        }
    }

    fn look_for_gone(
        &mut self,
        core: &Core,
        location: &LogLocation,
        present: &BTreeSet<SegmentId>,
        needed: SegmentId,
    ) {
        self.own.retain(|id| *id >= needed);
        // What came and went between two looks has left a gap.
        if let (Some(first), Some(last)) = (self.own.first().copied(), self.own.last().copied())
            && first.generation == last.generation
        {
            let all = successors(Some(first), |id| Some(id.next_sequence()));
            self.own.extend(all.take_while(|id| *id < last));
        }
        let mut gone: Vec<SegmentId> = self.own.difference(present).copied().collect();
        if !gone.is_empty() {
            // A slave's forward log that was interrupted has them elsewhere.
            let older = core.log_locations().into_iter().skip(1);
            let older: Vec<_> = older.flat_map(|it| it.list().unwrap_or_default()).collect();
            gone.retain(|id| !older.contains(id));
            self.own.retain(|id| !older.contains(id));
        }
        for id in gone {
            let path = location.path(id);
            let text = format!(
                "{} is gone, and a restart needs it; bring it back",
                path.display()
            );
            self.note(id, Wrong::Gone(text));
        }
        self.wrong.retain(|id, wrong| {
            let moved_away = !present.contains(id) && !matches!(wrong, Wrong::Gone(_));
            if moved_away {
                tracing::info!(
                    "{} is gone, and nothing needs it",
                    location.path(*id).display()
                );
            }
            !moved_away
        });
    }

    /// One line of the log for each thing that goes wrong.
    fn note(&mut self, id: SegmentId, wrong: Wrong) {
        let known = self.wrong.get(&id);
        if known.is_none_or(|known| std::mem::discriminant(known) != std::mem::discriminant(&wrong))
        {
            self.looks = 0;
            tracing::error!("{}", wrong.text());
        }
        self.wrong.insert(id, wrong);
    }

    fn do_without(&mut self, needed: SegmentId) -> Missing {
        let before = self.wrong.len();
        self.wrong
            .retain(|id, wrong| *id >= needed || matches!(wrong, Wrong::Misplaced(_)));
        if self.wrong.len() < before {
            tracing::warn!(
                "a restart does not need the missing segments any more; slaves that have not got them yet do"
            );
        }
        // Without what was never part of the log, a restart does as soon as it is moved away.
        if !self.wrong.keys().any(|id| self.own.contains(id)) {
            return Missing::Nothing;
        }
        let look = self.looks;
        self.looks = look.wrapping_add(1);
        if look.is_multiple_of(BETWEEN_ATTEMPTS) {
            Missing::TryWithout
        } else {
            Missing::Wait
        }
    }
}
