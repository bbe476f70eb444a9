//! All segments of a log, in the order that their headers give.

use std::io;
use std::path::{Path, PathBuf};

use disk::Disk;

use crate::chain::ChainHash;
use crate::damage::{Damage, During, ReadError};
use crate::header::SegmentHeader;
use crate::location::LogLocation;
use crate::position::{Position, SegmentId};
use crate::reader::SegmentReader;
use crate::seal::Seal;

/// What is known of a segment without reading its blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentInfo {
    /// Which segment it is, as its header says.
    pub id: SegmentId,
    /// Its file, whatever that is called.
    pub path: PathBuf,
    /// Its header.
    pub header: SegmentHeader,
    /// Its seal, if it is sealed.
    pub sealed: Option<Seal>,
    /// Length of the file in bytes.
    pub file_length: u64,
}

impl SegmentInfo {
    fn read(disk: &Disk, path: &Path) -> Result<Self, ReadError> {
        let reader = SegmentReader::open(disk, path)?;
        Ok(Self {
            id: reader.header().id,
            path: path.to_owned(),
            header: reader.header().clone(),
            sealed: reader.sealed(),
            file_length: reader.file_length()?,
        })
    }

    /// Whether this segment goes on where `earlier` ends.
    pub fn follows(&self, earlier: &Self) -> bool {
        let numbered = self.id.may_follow(earlier.id);
        let same_log = self.header.environment == earlier.header.environment
            && self.header.kind == earlier.header.kind;
        let chained = earlier.sealed.is_some_and(|seal| {
            seal.chain == self.header.previous && seal.last_commit == self.header.last_commit
        });
        numbered && same_log && chained
    }
}

/// Two segments with something missing, or something else, between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The segment before.
    pub before: SegmentId,
    /// The segment behind.
    pub behind: SegmentId,
}

/// A file that is called as a segment, and whose header can't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DamagedSegment {
    /// Which segment it should be by its name.
    pub id: SegmentId,
    /// What is wrong with it.
    pub error: ReadError,
}

/// The segments of a log, sorted by header. Looks at them once: see [`LogDirectory::scan`] again
/// for what came later.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogDirectory {
    disk: Disk,
    segments: Vec<SegmentInfo>,
    damaged: Vec<DamagedSegment>,
}

impl LogDirectory {
    /// Reads the headers of all segments at a location. One that can't be read does not keep the
    /// others from being used: see [`LogDirectory::need`] and [`LogDirectory::whole`].
    pub fn scan(location: &LogLocation) -> Result<Self, ReadError> {
        let LogLocation {
            disk,
            directory,
            naming,
        } = location;
        let (mut segments, mut damaged) = (Vec::new(), Vec::new());
        for name in disk.list(directory).during("list", directory)? {
            let Some(id) = name.to_str().and_then(|name| naming.segment_of(name)) else {
                continue;
            };
            match SegmentInfo::read(disk, &directory.join(name)) {
                Ok(info) => segments.push((id, info)),
                // It was there a moment ago; somebody removed an old segment.
                Err(ReadError::Io(failure)) if failure.kind == io::ErrorKind::NotFound => {}
                Err(error) => damaged.push(DamagedSegment { id, error }),
            }
        }
        // Of two files with one segment, the one that is called so goes first.
        segments.sort_by_key(|(name, info)| (info.id, *name != info.id));
        let mut kept: Vec<SegmentInfo> = Vec::with_capacity(segments.len());
        for (id, info) in segments {
            match kept.last().filter(|last| last.id == info.id) {
                None => kept.push(info),
                Some(same) => {
                    let error = twice(same, &info);
                    damaged.push(DamagedSegment { id, error });
                }
            }
        }
        damaged.sort_by_key(|segment| segment.id);
        Ok(Self {
            disk: disk.clone(),
            segments: kept,
            damaged,
        })
    }

    /// Reads the headers of these files, whatever they are called; each must be good.
    pub fn from_files(disk: &Disk, paths: &[PathBuf]) -> Result<Self, ReadError> {
        let segments: Result<Vec<_>, _> = paths
            .iter()
            .map(|path| SegmentInfo::read(disk, path))
            .collect();
        let mut segments = segments?;
        segments.sort_by_key(|info| info.id);
        for (one, other) in segments.iter().zip(segments.iter().skip(1)) {
            if one.id == other.id {
                return Err(twice(one, other));
            }
        }
        Ok(Self {
            disk: disk.clone(),
            segments,
            damaged: Vec::new(),
        })
    }

    /// The same directory, unless something in it is damaged: for who needs all of the log.
    pub fn whole(self) -> Result<Self, ReadError> {
        match self.damaged.into_iter().next() {
            Some(damaged) => Err(damaged.error),
            None => Ok(Self {
                damaged: Vec::new(),
                ..self
            }),
        }
    }

    /// Where the files are.
    pub fn disk(&self) -> &Disk {
        &self.disk
    }

    /// The files whose headers can't be read, in the order of their names.
    pub fn damaged(&self) -> &[DamagedSegment] {
        &self.damaged
    }

    /// The segment with this number; an error where the file that is called so is damaged.
    pub fn need(&self, id: SegmentId) -> Result<Option<&SegmentInfo>, ReadError> {
        match self.get(id) {
            Some(info) => Ok(Some(info)),
            None => self.undamaged(|damaged| damaged == id).map(|()| None),
        }
    }

    /// The first segment behind this number; an error where a damaged file may be that one.
    pub fn need_after(&self, id: SegmentId) -> Result<Option<&SegmentInfo>, ReadError> {
        let next = self.segments.iter().find(|info| info.id > id);
        let before = |damaged| next.is_none_or(|next| damaged < next.id);
        self.undamaged(|damaged| damaged > id && before(damaged))?;
        Ok(next)
    }

    /// An error where a damaged file is one that it concerns, by its number.
    pub fn undamaged(&self, concerns: impl Fn(SegmentId) -> bool) -> Result<(), ReadError> {
        let mut damaged = self.damaged.iter();
        match damaged.find(|damaged| concerns(damaged.id)) {
            Some(damaged) => Err(damaged.error.clone()),
            None => Ok(()),
        }
    }

    /// All segments in order.
    pub fn segments(&self) -> &[SegmentInfo] {
        &self.segments
    }

    /// The segment with this number.
    pub fn get(&self, id: SegmentId) -> Option<&SegmentInfo> {
        let index = self
            .segments
            .binary_search_by_key(&id, |info| info.id)
            .ok()?;
        self.segments.get(index)
    }

    /// The segment that goes on where this one ends.
    pub fn successor(&self, id: SegmentId) -> Option<&SegmentInfo> {
        let earlier = self.get(id)?;
        let next = self.segments.iter().find(|info| info.id > id)?;
        next.follows(earlier).then_some(next)
    }

    /// Where one segment does not go on from the one before it.
    pub fn gaps(&self) -> Vec<Gap> {
        let pairs = self.segments.iter().zip(self.segments.iter().skip(1));
        pairs
            .filter(|(earlier, later)| !later.follows(earlier))
            .map(|(earlier, later)| Gap {
                before: earlier.id,
                behind: later.id,
            })
            .collect()
    }
}

fn twice(one: &SegmentInfo, other: &SegmentInfo) -> ReadError {
    ReadError::corrupt(&other.path, 0, Damage::Twice(one.path.clone()))
}

/// The chain hash at a position: `None` where there is no block border, or no such segment.
pub fn hash_at(location: &LogLocation, position: Position) -> Result<Option<ChainHash>, ReadError> {
    let directory = LogDirectory::scan(location)?;
    let Some(info) = directory.need(position.segment)? else {
        return Ok(None);
    };
    if position.offset == 0 {
        return Ok(Some(info.header.previous));
    }
    SegmentReader::open(&location.disk, &info.path)?.skip_to(position.offset)
}
