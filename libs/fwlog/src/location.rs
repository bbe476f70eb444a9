//! Where segments are: a directory, and a pattern for their names.

use std::io;
use std::path::{Path, PathBuf};

use disk::Disk;

use crate::durable_end::POSITION_FILE;
use crate::position::SegmentId;

/// What stands for `<generation>-<sequence>` in a pattern.
const NUMBER: &str = "%N";

/// The pattern of segment file names: `fw-%N` gives `fw-12-3`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentNaming {
    prefix: String,
    suffix: String,
}

/// A pattern that can't name segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocationError {
    /// `%N` must stand in the file name exactly once.
    #[error("the file name must hold %N exactly once, as in fw-%N")]
    NumberPlace,
    /// The path names no file.
    #[error("the path has no file name")]
    NoFileName,
    /// The name would be taken for a temporary file or for `fw.position`.
    #[error("the file name can't end in .new")]
    Reserved,
}

impl SegmentNaming {
    /// Understands a file name that holds `%N` once.
    pub fn parse(pattern: &str) -> Result<Self, LocationError> {
        let (prefix, suffix) = pattern
            .split_once(NUMBER)
            .ok_or(LocationError::NumberPlace)?;
        if suffix.contains(NUMBER) || pattern.contains('/') {
            return Err(LocationError::NumberPlace);
        }
        if suffix.ends_with(TEMPORARY) {
            return Err(LocationError::Reserved);
        }
        Ok(Self {
            prefix: prefix.to_owned(),
            suffix: suffix.to_owned(),
        })
    }

    /// The name of a segment's file.
    pub fn file_name(&self, id: SegmentId) -> String {
        format!("{}{id}{}", self.prefix, self.suffix)
    }

    /// Which segment a file of this name holds; `None` for a file of another kind.
    pub fn segment_of(&self, file_name: &str) -> Option<SegmentId> {
        let number = file_name.strip_prefix(self.prefix.as_str())?;
        let id = number.strip_suffix(self.suffix.as_str())?.parse().ok()?;
        (self.file_name(id) == file_name).then_some(id)
    }

    /// The name that a segment has until it is complete.
    pub(crate) fn temporary_name(&self, id: SegmentId) -> String {
        format!("{}{TEMPORARY}", self.file_name(id))
    }
}

/// End of the name of a segment that is being made.
const TEMPORARY: &str = ".new";

/// A directory of a disk, and the naming of the segments in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLocation {
    /// The disk.
    pub disk: Disk,
    /// The directory.
    pub directory: PathBuf,
    /// How the segments in it are called.
    pub naming: SegmentNaming,
}

impl LogLocation {
    /// Understands a path such as `/fwlog/fw-%N`, on the disk of this machine.
    pub fn parse(path: impl AsRef<Path>) -> Result<Self, LocationError> {
        let path = path.as_ref();
        let name = path.file_name().and_then(|name| name.to_str());
        let naming = SegmentNaming::parse(name.ok_or(LocationError::NoFileName)?)?;
        let directory = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        Ok(Self {
            disk: Disk::real(),
            directory: directory.to_owned(),
            naming,
        })
    }

    /// The same place on another disk.
    #[must_use]
    pub fn on(mut self, disk: Disk) -> Self {
        self.disk = disk;
        self
    }

    /// The path of a segment.
    pub fn path(&self, id: SegmentId) -> PathBuf {
        self.directory.join(self.naming.file_name(id))
    }

    /// All segments there are, in order, by the names of their files.
    pub fn list(&self) -> io::Result<Vec<SegmentId>> {
        let names = self.disk.list(&self.directory)?;
        let mut segments: Vec<_> = names
            .iter()
            .filter_map(|name| self.naming.segment_of(name.to_str()?))
            .collect();
        segments.sort_unstable();
        Ok(segments)
    }

    /// The path of `fw.position`.
    pub fn position_path(&self) -> PathBuf {
        self.directory.join(POSITION_FILE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_names_its_segments_and_knows_them_again() {
        let location = LogLocation::parse("/fwlog/fw-%N.log").unwrap();
        let id = SegmentId::new(32, 2);
        assert_eq!(location.path(id), Path::new("/fwlog/fw-32-2.log"));
        assert_eq!(location.naming.segment_of("fw-32-2.log"), Some(id));
        assert_eq!(
            LogLocation::parse("%N").unwrap().path(id),
            Path::new("./32-2")
        );
    }

    #[test]
    fn other_files_of_the_directory_are_no_segments() {
        let naming = SegmentNaming::parse("fw-%N").unwrap();
        for name in [
            "fw.position",
            "fw-1-1.new",
            "fw-1",
            "fw-01-1",
            "fw-+1-1",
            "fw-1-1-1",
            "x1-1",
        ] {
            assert_eq!(naming.segment_of(name), None, "{name}");
        }
    }

    #[test]
    fn a_pattern_has_its_number_in_the_file_name_once() {
        for path in ["/fwlog/fw", "/fw%N/log", "/fwlog/%N-%N", "/", ""] {
            assert!(LogLocation::parse(path).is_err(), "{path}");
        }
        assert_eq!(
            LogLocation::parse("fw-%N.new"),
            Err(LocationError::Reserved)
        );
    }
}
