//! What databases were before the log: `--base`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rowdiff::PAGE_SIZE;

use crate::error::{CommandError, Result};

/// One database as it was at a commit.
#[derive(Debug)]
pub(crate) struct Base {
    /// Its number in the log, where it is known.
    pub(crate) id: Option<u32>,
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) file: File,
    pub(crate) pages: u32,
}

/// All bases of a command, and the commit that they are of.
#[derive(Debug, Default)]
pub(crate) struct Bases {
    pub(crate) databases: Vec<Base>,
    /// The newest commit in them.
    pub(crate) after: u64,
}

impl Bases {
    /// From the words behind `--base`, and the commit behind `--after`.
    pub(crate) fn open(words: &[String], after: Option<u64>) -> Result<Self> {
        let mut bases = Self::default();
        for word in words {
            if let Some((name, file)) = word.split_once('=') {
                bases
                    .databases
                    .push(Base::open(None, name, Path::new(file))?);
                continue;
            }
            if words.len() > 1 || after.is_some() {
                return Err(CommandError::usage(
                    "a directory is the only base, and says its commit itself",
                )
                .with_hint("name single databases as NAME=FILE"));
            }
            return Self::of_environment(Path::new(word));
        }
        if after.is_none() && !words.is_empty() {
            return Err(CommandError::usage("--base NAME=FILE needs --after COMMIT")
                .with_hint("the newest commit in the file: 0 for none of the log"));
        }
        bases.after = after.unwrap_or_default();
        Ok(bases)
    }

    /// The data files of an environment, as its control file says.
    pub(crate) fn of_environment(directory: &Path) -> Result<Self> {
        let path = directory.join("control");
        let text =
            fs::read_to_string(&path).map_err(|error| CommandError::io("read", &path, &error))?;
        let value = |key: &str| {
            let mut pairs = text.lines().filter_map(|line| line.split_once(" = "));
            pairs.find_map(|(name, value)| (name == key).then_some(value))
        };
        let unusable = |why: &str| CommandError::error(format!("{}: {why}", path.display()));
        if value("clean") != Some("true") {
            return Err(
                unusable("the server was not stopped cleanly, so its data files are of no one commit")
                    .with_hint("copy the directory of a server that was stopped, or name single databases as NAME=FILE"),
            );
        }
        let after = value("redo_commit")
            .and_then(|commit| commit.parse().ok())
            .ok_or_else(|| unusable("it does not say a commit (redo_commit)"))?;
        let mut databases = Vec::new();
        for line in text.lines() {
            let Some(entry) = line.strip_prefix("database = ") else {
                continue;
            };
            let mut words = entry.splitn(3, ' ');
            let (Some(id), Some(file), Some(name)) = (words.next(), words.next(), words.next())
            else {
                return Err(unusable("a database in it has no number, file and name"));
            };
            let id = id
                .parse()
                .map_err(|_| unusable("a database in it has no number"))?;
            let file = if file == "system.db" {
                directory.join(file)
            } else {
                directory.join("db").join(file)
            };
            databases.push(Base::open(Some(id), name, &file)?);
        }
        Ok(Self { databases, after })
    }
}

impl Base {
    fn open(id: Option<u32>, name: &str, path: &Path) -> Result<Self> {
        let failed = |error| CommandError::io("read", path, &error);
        let file = File::open(path).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        let pages = u32::try_from(length / PAGE_SIZE as u64)
            .ok()
            .filter(|_| length.is_multiple_of(PAGE_SIZE as u64))
            .ok_or_else(|| {
                CommandError::error(format!(
                    "{}: its length is no number of pages of 4096 bytes",
                    path.display()
                ))
            })?;
        Ok(Self {
            id,
            name: name.to_owned(),
            path: path.to_owned(),
            file,
            pages,
        })
    }
}
