//! Which files are meant.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use disk::Disk;
use fwlog::{
    Damage, Durable, DurableEnd, IoFailure, LogDirectory, LogLocation, POSITION_FILE, ReadError,
    SegmentId, SegmentNaming, SegmentReader,
};

use crate::args::FwlogFiles;
use crate::commands::fwlog::read_failure;
use crate::commands::fwlog::twins::{Twin, set_apart};
use crate::error::{CommandError, Result};
use crate::invocation::Invocation;
use crate::output;

/// The segments to look at, and the files that should be segments and can't be read as such.
pub(crate) struct Files {
    pub(crate) log: LogDirectory,
    pub(crate) damaged: Vec<DamagedFile>,
    /// The directory, when all of its segments are meant.
    pub(crate) directory: Option<PathBuf>,
    /// The durable end of that directory. It was read before the segments were listed: a server
    /// that runs only makes the log longer.
    pub(crate) durable: Option<Durable>,
    /// There is a file for it, and it makes no sense: torn by a power cut, or damaged.
    pub(crate) position_unreadable: bool,
}

/// A file without a readable header, or with a segment that another file has.
pub(crate) struct DamagedFile {
    pub(crate) path: PathBuf,
    pub(crate) offset: u64,
    pub(crate) damage: Damage,
    /// How the two are alike.
    pub(crate) twin: Option<Twin>,
}

impl DamagedFile {
    /// The second file with the segment of the first one.
    pub(crate) fn twin(path: PathBuf, first: PathBuf, twin: Twin) -> Self {
        Self {
            path,
            offset: 0,
            damage: Damage::Twice(first),
            twin: Some(twin),
        }
    }

    /// What is wrong with it.
    pub(crate) fn what(&self) -> String {
        match self.twin {
            Some(twin) => format!("{}, {twin}", self.damage),
            None => self.damage.to_string(),
        }
    }
}

impl Files {
    /// The files and directories of the command line, else those of `FwLog`.
    pub(crate) fn collect(invocation: &Invocation, arguments: &FwlogFiles) -> Result<Self> {
        let (directory, naming) = match arguments.paths.as_slice() {
            [] => {
                let location = configured_location(invocation)?;
                (Some(location.directory), Some(location.naming))
            }
            [one] if one.is_dir() => (Some(one.clone()), None),
            _ => (None, None),
        };
        let files = Self::read(&Disk::real(), directory, &arguments.paths, naming.as_ref())?;
        if files.is_nothing() {
            output::note("there are no forward-log segments");
        }
        Ok(files)
    }

    fn is_nothing(&self) -> bool {
        self.log.segments().is_empty() && self.damaged.is_empty()
    }

    /// Fails where there is no segment: a log whose disk is not mounted must not pass for an empty one.
    pub(crate) fn refuse_nothing(&self, what: &str) -> Result<()> {
        if self.is_nothing() {
            return Err(CommandError::error(what)
                .with_hint("is it the directory of FwLog, and is its disk mounted?"));
        }
        Ok(())
    }

    /// The segments in a directory, or else in these files and directories.
    pub(crate) fn read(
        disk: &Disk,
        directory: Option<PathBuf>,
        paths: &[PathBuf],
        naming: Option<&SegmentNaming>,
    ) -> Result<Self> {
        let failed = |error: IoFailure| CommandError::error(error.to_string());
        let (mut durable, mut position_unreadable) = (None, false);
        let mut found = Vec::new();
        if let Some(directory) = &directory {
            durable = DurableEnd::read(disk, directory).map_err(failed)?;
            let position = directory.join(POSITION_FILE);
            position_unreadable = durable.is_none()
                && disk
                    .exists(&position)
                    .map_err(|error| CommandError::io("look for", &position, &error))?;
            found = segments_in(disk, directory, naming)?;
        } else {
            for path in paths {
                if path.is_dir() {
                    found.extend(segments_in(disk, path, naming)?);
                } else {
                    found.push(path.clone());
                }
            }
        }
        let (good, mut damaged) = sort(disk, found)?;
        let (good, twins) = set_apart(disk, good)?;
        damaged.extend(twins);
        Ok(Self {
            log: LogDirectory::from_files(disk, &good).map_err(read_failure)?,
            damaged,
            directory,
            durable: durable.map(|end| end.durable),
            position_unreadable,
        })
    }

    /// Whether a file that can't be read is called as this segment.
    pub(crate) fn is_unreadable(&self, id: SegmentId) -> bool {
        let number = [id.generation.get(), id.sequence.get()].map(u64::from);
        let named =
            |file: &DamagedFile| file.twin.is_none() && numbers(&file.path).ends_with(&number);
        self.damaged.iter().any(named)
    }

    /// Fails for files that can't be read, for commands that need them all.
    pub(crate) fn undamaged(self) -> Result<LogDirectory> {
        match self.damaged.first() {
            None => Ok(self.log),
            Some(file) => Err(CommandError::error(file.to_string())),
        }
    }
}

impl std::fmt::Display for DamagedFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (path, what) = (self.path.display(), self.what());
        if self.twin.is_some() {
            return write!(f, "{path}: {what}");
        }
        write!(f, "{path} at offset {}: {what}", self.offset)
    }
}

pub(crate) fn configured_location(invocation: &Invocation) -> Result<LogLocation> {
    let config = invocation.config()?;
    let log = config.forward_log;
    let path = log.audit_location().or(log.location).ok_or_else(|| {
        CommandError::usage(format!("{}: FwLog is not set", config.path.display()))
            .with_hint("name the files or their directory")
    })?;
    LogLocation::parse(&path)
        .map_err(|error| CommandError::usage(format!("{}: FwLog: {error}", config.path.display())))
}

/// The segments of a directory, in the order of the numbers in their names: `fw-1-9` before `fw-1-10`.
fn segments_in(
    disk: &Disk,
    directory: &Path,
    naming: Option<&SegmentNaming>,
) -> Result<Vec<PathBuf>> {
    let names = disk
        .list(directory)
        .map_err(|error| CommandError::io("list", directory, &error))?;
    let paths = names.into_iter().map(|name| directory.join(name));
    let files = paths.filter(|path| !path.is_dir());
    let mut paths: Vec<PathBuf> = match naming {
        Some(naming) => files
            .filter(|path| file_name(path).is_some_and(|name| naming.segment_of(name).is_some()))
            .collect(),
        None => segments_among(files.collect()),
    };
    paths.sort_by_cached_key(|path| numbers(path));
    Ok(paths)
}

/// The numbers in the name of a file: with them segments are sorted as the log goes.
pub(crate) fn numbers(path: &Path) -> Vec<u64> {
    let name = file_name(path).unwrap_or_default();
    let parts = name.split(|c: char| !c.is_ascii_digit());
    parts.filter_map(|part| part.parse().ok()).collect()
}

fn file_name(path: &Path) -> Option<&str> {
    path.file_name().and_then(|name| name.to_str())
}

/// What stands before and behind `<number>-<number>` in the name of a file; `None` where there is no such thing,
/// as in `fw.position`, and for a segment that is being made.
fn parts(path: &Path) -> Option<(&str, &str)> {
    let name = file_name(path)?;
    let digit = |c: char| c.is_ascii_digit();
    // The last one: what stands before may have numbers, too.
    let at = name.rmatch_indices('-').find_map(|(at, _)| {
        let (before, behind) = (name.get(..at)?, name.get(at + 1..)?);
        (before.ends_with(digit) && behind.starts_with(digit)).then_some((before, behind))
    });
    let (before, behind) = at?;
    let parts = (
        before.trim_end_matches(digit),
        behind.trim_start_matches(digit),
    );
    let made = path.extension().is_some_and(|extension| extension == "new");
    (!made).then_some(parts)
}

/// The segments among the files of a directory that is named without a pattern: those with
/// `<number>-<number>` in their names. Beside `fw-1-2`, `fw-1-3.bak` and `fw-1-3.aside` are what a person, or the
/// server, has put aside.
fn segments_among(paths: Vec<PathBuf>) -> Vec<PathBuf> {
    let all: BTreeSet<(String, String)> = paths
        .iter()
        .filter_map(|path| parts(path))
        .map(|(before, behind)| (before.to_owned(), behind.to_owned()))
        .collect();
    let put_aside = |(before, behind): (&str, &str)| {
        all.iter().any(|(prefix, suffix)| {
            (prefix.as_str(), suffix.as_str()) != (before, behind)
                && before
                    .strip_suffix(prefix.as_str())
                    .is_some_and(|rest| !rest.ends_with(|c: char| c.is_ascii_digit()))
                && behind
                    .strip_prefix(suffix.as_str())
                    .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
        })
    };
    let is_segment = |path: &PathBuf| parts(path).is_some_and(|parts| !put_aside(parts));
    paths.into_iter().filter(is_segment).collect()
}

/// Files with a good header, and the others.
fn sort(disk: &Disk, paths: Vec<PathBuf>) -> Result<(Vec<PathBuf>, Vec<DamagedFile>)> {
    let (mut good, mut damaged) = (Vec::new(), Vec::new());
    for path in paths {
        match SegmentReader::open(disk, &path) {
            Ok(_) => good.push(path),
            Err(ReadError::Corrupt { path, offset, kind }) => {
                damaged.push(DamagedFile {
                    path,
                    offset,
                    damage: kind,
                    twin: None,
                });
            }
            Err(error @ ReadError::Io(_)) => return Err(read_failure(error)),
        }
    }
    Ok((good, damaged))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_known_by_the_number_in_its_name() {
        assert!(numbers(Path::new("/2/fw-1-9")) < numbers(Path::new("/1/fw-1-10")));
        let among = |names: &[&str]| {
            let paths = names.iter().map(|name| Path::new("/fwlog").join(name));
            let segments = segments_among(paths.collect());
            let names = segments.iter().filter_map(|path| file_name(path));
            names.map(str::to_owned).collect::<Vec<_>>()
        };
        let all = [
            "fw-1-1",
            "fw-1-1.new",
            "fw-1-2.bak",
            "fw-1-3.aside",
            "fw-1-4.cut-4096",
            "old.fw-1-5",
            "fw.position",
            "notes-2",
            "README",
        ];
        assert_eq!(among(&all), ["fw-1-1"]);
        let numbered = ["db2-1-1", "db2-1-2", "db2-1-10", "db2-2-1", "db2-1-1.bak"];
        assert_eq!(among(&numbered), numbered[..4]);
        let dated = ["fw-2026-1-1", "fw-2026-1-10"];
        assert_eq!(among(&dated), dated);
        let other = ["12-3.log", "12-4.log", "12-5.log.1"];
        assert_eq!(among(&other), other[..2]);
        assert_eq!(
            among(&["fw-1-2.bak"]),
            ["fw-1-2.bak"],
            "a directory of copies"
        );
    }
}
