//! `archive fetch`

use std::io::{self, ErrorKind};
use std::path::Path;

use disk::{Access, Disk, DiskFile};
use fwlog::SegmentId;
use repository::{LineSegment, LogArchive};

use super::open::Opened;
use crate::archive_args::RepositoryArguments;
use crate::error::{CommandError, Result};
use crate::invocation::Invocation;
use crate::output::Table;

/// Bytes that are compared at a time.
const PIECE: usize = 1 << 20;

pub(super) fn run(
    invocation: &Invocation,
    arguments: &RepositoryArguments,
    segments: &str,
    directory: &Path,
) -> Result<()> {
    let wanted = Wanted::parse(segments)?;
    let opened = Opened::open(arguments)?;
    let line = opened.line()?;
    let chosen: Vec<_> = line
        .segments
        .iter()
        .filter(|it| wanted.has(it.id))
        .collect();
    if let Some(missing) = wanted.missing(&chosen) {
        return Err(CommandError::error(format!(
            "the archive has no segment {missing} on this line"
        ))
        .with_hint("'dbctl archive list' shows what it has"));
    }
    let disk = Disk::real();
    disk.make_directory(directory, 0o700)
        .map_err(|error| CommandError::io("make", directory, &error))?;
    let mut table = Table::new(&["segment", "state", "bytes", "file"]);
    for segment in chosen {
        let path = directory.join(format!("fw-{}", segment.id));
        let (whole, bytes) = fetch(&disk, &opened.archive, segment, &path)?;
        let state = if whole { "sealed" } else { "open" };
        table.push([
            segment.id.to_string(),
            state.to_owned(),
            bytes.to_string(),
            path.display().to_string(),
        ]);
    }
    invocation.output.result(&table)
}

/// Which segments are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    All,
    /// Both are included.
    From(SegmentId, SegmentId),
}

impl Wanted {
    fn parse(text: &str) -> Result<Self> {
        if text == "all" {
            return Ok(Self::All);
        }
        let (first, last) = text.split_once("..").unwrap_or((text, text));
        match (first.parse(), last.parse()) {
            (Ok(first), Ok(last)) if first <= last => Ok(Self::From(first, last)),
            _ => Err(CommandError::usage(format!(
                "'{text}' names no segments: write 12-3, 12-3..13-1, or all"
            ))),
        }
    }

    fn has(self, id: SegmentId) -> bool {
        match self {
            Self::All => true,
            Self::From(first, last) => (first..=last).contains(&id),
        }
    }

    /// One that was named and is not there.
    fn missing(self, chosen: &[&LineSegment]) -> Option<SegmentId> {
        let Self::From(first, last) = self else {
            return None;
        };
        let is_there = |id: SegmentId| chosen.iter().any(|it| it.id == id);
        [first, last].into_iter().find(|id| !is_there(*id))
    }
}

/// Why a segment could not be made.
enum Failed {
    Archive(repository::ArchiveError),
    Disk(io::Error),
}

impl From<repository::ArchiveError> for Failed {
    fn from(error: repository::ArchiveError) -> Self {
        Self::Archive(error)
    }
}

/// Makes the file of a segment; it is there whole or not at all. Gives whether the segment is, and its bytes.
fn fetch(
    disk: &Disk,
    archive: &LogArchive,
    segment: &LineSegment,
    path: &Path,
) -> Result<(bool, u64)> {
    let temporary = path.with_extension("new");
    let failed = |error: &io::Error| CommandError::io("write", &temporary, error);
    disk.remove_if_there(&temporary)
        .map_err(|error| failed(&error))?;
    let file = disk
        .open(&temporary, Access::CreateNew(0o600))
        .map_err(|error| failed(&error))?;
    let mut at = 0;
    let read = segment.read::<Failed>(archive, |bytes| {
        file.write_at(at, bytes).map_err(Failed::Disk)?;
        at += bytes.len() as u64;
        Ok(())
    });
    let whole = match read {
        Ok(whole) => whole,
        Err(failure) => {
            // What is there of it is nothing that anybody should find.
            drop(disk.remove_if_there(&temporary));
            return Err(match failure {
                Failed::Archive(error) => error.into(),
                Failed::Disk(error) => failed(&error),
            });
        }
    };
    match disk.rename_new(&temporary, path) {
        Ok(()) => Ok((whole, at)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let same = is_same(disk, file.as_ref(), path);
            drop(disk.remove_if_there(&temporary));
            if same.map_err(|error| CommandError::io("read", path, &error))? {
                return Ok((whole, at));
            }
            Err(CommandError::error(format!(
                "{} is there, and is not what the archive has of segment {}; it is left as it is",
                path.display(),
                segment.id
            ))
            .with_hint("fetch into an empty directory"))
        }
        Err(error) => Err(failed(&error)),
    }
}

fn is_same(disk: &Disk, new: &dyn DiskFile, path: &Path) -> io::Result<bool> {
    let there = disk.open(path, Access::Read)?;
    if there.length()? != new.length()? {
        return Ok(false);
    }
    let (mut one, mut other) = (vec![0; PIECE], vec![0; PIECE]);
    let mut at = 0;
    loop {
        let read = new.read_at(at, &mut one)?;
        if there.read_at(at, &mut other)? != read || one.get(..read) != other.get(..read) {
            return Ok(false);
        }
        if read < PIECE {
            return Ok(true);
        }
        at += read as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_named_alone_as_a_range_or_all() {
        let id = |text: &str| text.parse::<SegmentId>().unwrap();
        let range = Wanted::parse("12-3..13-1").unwrap();
        assert!(range.has(id("12-9")) && range.has(id("13-1")) && !range.has(id("13-2")));
        let one = Wanted::parse("12-3").unwrap();
        assert!(one.has(id("12-3")) && !one.has(id("12-4")));
        assert_eq!(one.missing(&[]), Some(id("12-3")));
        assert_eq!(Wanted::parse("all").unwrap(), Wanted::All);
        for odd in ["", "12", "12-4..12-3", "12-3..", "ALL"] {
            assert!(Wanted::parse(odd).is_err(), "{odd}");
        }
    }
}
