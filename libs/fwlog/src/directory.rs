//! All segments of a log, in the order that their headers give.

use std::io;
use std::path::{Path, PathBuf};

use disk::Disk;

use crate::chain::ChainHash;
use crate::damage::{Damage, During, IoFailure, ReadError};
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
        let numbered = is_successor(earlier.id, self.id);
        let same_log = self.header.environment == earlier.header.environment;
        let chained = earlier.sealed.is_some_and(|seal| {
            seal.chain == self.header.previous && seal.last_commit == self.header.last_commit
        });
        numbered && same_log && chained
    }
}

/// Whether the numbers allow `later` to be the segment after `earlier`: the next sequence, or the
/// first one of a later generation.
pub(crate) fn is_successor(earlier: SegmentId, later: SegmentId) -> bool {
    later == earlier.next_sequence()
        || (later.generation > earlier.generation && later.sequence == crate::Sequence::FIRST)
}

/// Two segments with something missing, or something else, between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The segment before.
    pub before: SegmentId,
    /// The segment behind.
    pub behind: SegmentId,
}

/// The segments of a log, sorted by header. Looks at them once: see [`LogDirectory::scan`] again
/// for what came later.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogDirectory {
    disk: Disk,
    segments: Vec<SegmentInfo>,
}

impl LogDirectory {
    /// Reads the headers of all segments at a location.
    pub fn scan(location: &LogLocation) -> Result<Self, ReadError> {
        let directory = &location.directory;
        let mut paths = Vec::new();
        for name in location.disk.list(directory).during("list", directory)? {
            if name
                .to_str()
                .is_some_and(|name| location.naming.segment_of(name).is_some())
            {
                paths.push(directory.join(name));
            }
        }
        Self::of_files(&location.disk, &paths, Missing::IsGone)
    }

    /// Reads the headers of these files, whatever they are called.
    pub fn from_files(disk: &Disk, paths: &[PathBuf]) -> Result<Self, ReadError> {
        Self::of_files(disk, paths, Missing::IsError)
    }

    fn of_files(disk: &Disk, paths: &[PathBuf], missing: Missing) -> Result<Self, ReadError> {
        let mut segments = Vec::with_capacity(paths.len());
        for path in paths {
            match SegmentInfo::read(disk, path) {
                Ok(info) => segments.push(info),
                Err(ReadError::Io(IoFailure {
                    kind: io::ErrorKind::NotFound,
                    ..
                })) if missing == Missing::IsGone => {}
                Err(error) => return Err(error),
            }
        }
        segments.sort_by_key(|info| info.id);
        for (one, other) in segments.iter().zip(segments.iter().skip(1)) {
            if one.id == other.id {
                let twice = Damage::Twice(one.path.clone());
                return Err(ReadError::corrupt(&other.path, 0, twice));
            }
        }
        Ok(Self {
            disk: disk.clone(),
            segments,
        })
    }

    /// Where the files are.
    pub fn disk(&self) -> &Disk {
        &self.disk
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

    /// The segment that holds what comes after `position`: its own, or the one after it where
    /// `position` is the end of a sealed segment.
    pub fn find(&self, position: Position) -> Option<&SegmentInfo> {
        let info = self.get(position.segment)?;
        match info.sealed {
            Some(seal) if position.offset > seal.length => None,
            Some(seal) if position.offset == seal.length => {
                Some(self.successor(info.id).unwrap_or(info))
            }
            _ => Some(info),
        }
    }

    /// The segment that goes on where this one ends.
    pub fn successor(&self, id: SegmentId) -> Option<&SegmentInfo> {
        let index = self
            .segments
            .binary_search_by_key(&id, |info| info.id)
            .ok()?;
        let earlier = self.segments.get(index)?;
        self.segments
            .get(index + 1)
            .filter(|later| later.follows(earlier))
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

/// What a file that is not there means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Missing {
    /// It was there a moment ago; somebody removed an old segment.
    IsGone,
    /// The caller named it.
    IsError,
}

/// The chain hash at a position: `None` where there is no block border, or no such segment.
pub fn hash_at(location: &LogLocation, position: Position) -> Result<Option<ChainHash>, ReadError> {
    let directory = LogDirectory::scan(location)?;
    let Some(info) = directory.get(position.segment) else {
        return Ok(None);
    };
    if position.offset == 0 {
        return Ok(Some(info.header.previous));
    }
    SegmentReader::open(&location.disk, &info.path)?.skip_to(position.offset)
}
