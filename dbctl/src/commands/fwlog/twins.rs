//! Two files that hold one segment.

use std::fmt;
use std::path::{Path, PathBuf};

use disk::{Access, Disk};
use fwlog::{SegmentId, SegmentReader};

use crate::commands::fwlog::files::{DamagedFile, numbers};
use crate::commands::fwlog::read_failure;
use crate::error::{CommandError, Result};

/// Bytes that are compared at a time.
const PIECE: usize = 1 << 20;

/// What the second of two files with one segment has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Twin {
    /// The same bytes.
    Same,
    /// The same bytes up to the end of the shorter one.
    Shorter,
    /// Other bytes, from there on.
    Differs(u64),
}

impl fmt::Display for Twin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Same => f.write_str("with the same content, so one of the two can go"),
            Self::Shorter => f.write_str("one of the two is shorter, else they are the same"),
            Self::Differs(at) => write!(f, "their contents differ from byte {at} on"),
        }
    }
}

/// Keeps one file a segment, the one that is called so where there is one; the others are told of.
pub(crate) fn set_apart(
    disk: &Disk,
    files: Vec<PathBuf>,
) -> Result<(Vec<PathBuf>, Vec<DamagedFile>)> {
    let mut known = Vec::new();
    for path in files {
        let reader = SegmentReader::open(disk, &path).map_err(read_failure)?;
        let id = reader.header().id;
        known.push((id, !is_called(&path, id), path));
    }
    known.sort();
    let mut kept: Vec<(SegmentId, PathBuf)> = Vec::new();
    let mut twins = Vec::new();
    for (id, _, path) in known {
        match kept.last() {
            Some((same, first)) if *same == id => {
                let twin = compare(disk, first, &path)?;
                twins.push(DamagedFile::twin(path, first.clone(), twin));
            }
            _ => kept.push((id, path)),
        }
    }
    let kept = kept.into_iter().map(|(_, path)| path).collect();
    Ok((kept, twins))
}

fn is_called(path: &Path, id: SegmentId) -> bool {
    let number = [id.generation.get(), id.sequence.get()].map(u64::from);
    numbers(path).ends_with(&number)
}

fn compare(disk: &Disk, one: &Path, other: &Path) -> Result<Twin> {
    let open = |path: &Path| {
        let opened = disk.open(path, Access::Read);
        opened.map_err(|error| CommandError::io("open", path, &error))
    };
    let (a, b) = (open(one)?, open(other)?);
    let (mut of_a, mut of_b) = (vec![0; PIECE], vec![0; PIECE]);
    let mut at = 0;
    loop {
        let count_a = a.read_at(at, &mut of_a);
        let count_a = count_a.map_err(|error| CommandError::io("read", one, &error))?;
        let count_b = b.read_at(at, &mut of_b);
        let count_b = count_b.map_err(|error| CommandError::io("read", other, &error))?;
        let both = of_a.iter().zip(&of_b).take(count_a.min(count_b));
        let same = both.take_while(|(a, b)| a == b).count();
        at += same as u64;
        if same < count_a.min(count_b) {
            return Ok(Twin::Differs(at));
        }
        if count_a != count_b {
            return Ok(Twin::Shorter);
        }
        if count_a == 0 {
            return Ok(Twin::Same);
        }
    }
}
