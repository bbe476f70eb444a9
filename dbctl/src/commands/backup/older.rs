//! `--delta OLD_DIR`: an older state of the server, whose pages need not be fetched where they are right.
//!
//! Nothing of it is believed: a page is taken where its value is the one that the backup has. So the directory may be damaged,
//! or that of a server that runs.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use crate::error::{CommandError, Result};

/// The data files of the directory, by the numbers of their databases.
#[derive(Debug, Default)]
pub(super) struct Older(BTreeMap<u32, (PathBuf, File)>);

impl Older {
    /// What the control file there names. A file that is gone is none.
    pub(super) fn open(directory: &Path) -> Result<Self> {
        let path = directory.join("control");
        let text = fs::read_to_string(&path).map_err(|error| {
            CommandError::io("read", &path, &error)
                .with_hint("--delta takes the DataDir of a server, or a copy of one")
        })?;
        let mut files = BTreeMap::new();
        for entry in text
            .lines()
            .filter_map(|line| line.strip_prefix("database = "))
        {
            let mut words = entry.splitn(3, ' ');
            let number = words.next().and_then(|number| number.parse().ok());
            let (Some(number), Some(name)) = (number, words.next()) else {
                return Err(CommandError::error(format!(
                    "{}: a database in it has no number and no file",
                    path.display()
                )));
            };
            let path = if name == "system.db" {
                directory.join(name)
            } else {
                directory.join("db").join(name)
            };
            match File::open(&path) {
                Ok(file) => drop(files.insert(number, (path, file))),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(CommandError::io("open", &path, &error)),
            }
        }
        Ok(Self(files))
    }

    /// What it has of a database from this byte on; less than asked for where the file ends.
    pub(super) fn read<'b>(&self, database: u32, at: u64, into: &'b mut [u8]) -> Result<&'b [u8]> {
        let Some((path, file)) = self.0.get(&database) else {
            return Ok(&[]);
        };
        let mut have = 0;
        while let Some(rest) = into.get_mut(have..).filter(|rest| !rest.is_empty()) {
            match file.read_at(rest, at + have as u64) {
                Ok(0) => break,
                Ok(count) => have += count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(CommandError::io("read", path, &error)),
            }
        }
        Ok(into.get(..have).unwrap_or_default())
    }
}
