//! A directory of lost transactions, read.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use disk::{Access, Disk};

use crate::description::Description;
use crate::error::Error;
use crate::hashed_file::proof_of;
use crate::line::{End, Line, Read};
use crate::write::LOST_JSON;

/// A directory, and what came of opening it.
pub type Found = (PathBuf, Result<Directory, Error>);

/// A directory whose `lost.json` is whole.
#[derive(Clone, Debug)]
pub struct Directory {
    disk: Disk,
    path: PathBuf,
    description: Description,
}

impl Directory {
    /// Opens a directory, by its path or by that of a file in it.
    ///
    /// Errors: there is no `lost.json`, or it is damaged; the other files are not looked at.
    pub fn open(disk: &Disk, path: &Path) -> Result<Self, Error> {
        let is_file = path.file_name().is_some_and(|name| {
            [LOST_JSON, "lost.jsonl", "lost.sql"]
                .iter()
                .any(|it| name == *it)
        });
        let directory = match path.parent() {
            Some(parent) if is_file => parent,
            _ => path,
        };
        let file = directory.join(LOST_JSON);
        let content = disk.read(&file).map_err(Error::io("read", &file))?;
        let text = String::from_utf8_lossy(&content);
        let description = Description::open(&text).map_err(|why| Error::damaged(&file, why))?;
        Ok(Self {
            disk: disk.clone(),
            path: directory.to_owned(),
            description,
        })
    }

    /// All directories below `lost`, by name; what is no directory of lost transactions is left out.
    ///
    /// Errors: the directory can't be listed. Whether each can be read is said of each.
    pub fn all(disk: &Disk, lost: &Path) -> Result<Vec<Found>, Error> {
        let names = match disk.list(lost) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            names => names.map_err(Error::io("list", lost))?,
        };
        let mut found = Vec::new();
        for path in names.into_iter().map(|name| lost.join(name)) {
            let file = path.join(LOST_JSON);
            if matches!(disk.exists(&file), Ok(true)) {
                let opened = Self::open(disk, &path);
                found.push((path, opened));
            }
        }
        Ok(found)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it is about.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// Proves every file: that it is there, as long as it was, and has the content that it had.
    pub fn prove(&self) -> Result<(), Error> {
        for (name, expected) in &self.description.files {
            let path = self.file(name)?;
            let found = proof_of(&self.disk, &path)?;
            if found.bytes != expected.bytes {
                let why = format!("it has {} bytes, and had {}", found.bytes, expected.bytes);
                return Err(Error::damaged(&path, why));
            }
            if found != *expected {
                return Err(Error::damaged(&path, "its hash does not fit its content"));
            }
        }
        let mut transactions = 0;
        for line in self.lines()? {
            transactions += u64::from(matches!(line?, Line::Transaction(_)));
        }
        let told = self.description.transactions;
        if transactions != told {
            let path = self.path.join("lost.jsonl");
            let why = format!("it has {transactions} transactions, and lost.json says {told}");
            return Err(Error::damaged(&path, why));
        }
        Ok(())
    }

    /// Proves `lost.jsonl` alone: where only that was copied, with `lost.json`.
    pub fn prove_lines(&self) -> Result<(), Error> {
        let name = "lost.jsonl";
        let path = self.path.join(name);
        let expected = self.description.files.get(name);
        if expected == Some(&proof_of(&self.disk, &path)?) {
            return Ok(());
        }
        Err(Error::damaged(
            &path,
            "it is not what lost.json says: cut off, or altered",
        ))
    }

    /// A name of `files`; none of them leads out of the directory.
    fn file(&self, name: &str) -> Result<PathBuf, Error> {
        let parts = Path::new(name).components();
        let is_plain =
            |part: std::path::Component<'_>| matches!(part, std::path::Component::Normal(_));
        if parts.into_iter().all(is_plain) {
            return Ok(self.path.join(name));
        }
        Err(Error::damaged(
            &self.path.join(LOST_JSON),
            format!("'{name}' is no file of the directory"),
        ))
    }

    /// Removes it, `lost.json` first: what a crash leaves is no directory of lost transactions any more.
    pub fn remove(self) -> Result<(), Error> {
        let (disk, path) = (&self.disk, &self.path);
        let removed = |path: &Path| disk.remove(path).map_err(Error::io("remove", path));
        removed(&path.join(LOST_JSON))?;
        for below in ["segments", "broken", ""].map(|name| path.join(name)) {
            if !disk.exists(&below).map_err(Error::io("look for", &below))? {
                continue;
            }
            for name in disk.list(&below).map_err(Error::io("list", &below))? {
                removed(&below.join(name))?;
            }
            disk.remove_directory(&below)
                .map_err(Error::io("remove", &below))?;
        }
        Ok(())
    }

    /// The lines of `lost.jsonl`, one after another. The last one is an error where the file is cut or altered.
    pub fn lines(&self) -> Result<Lines, Error> {
        let path = self.path.join("lost.jsonl");
        let file = self.disk.open(&path, Access::Read);
        let file = file.map_err(Error::io("open", &path))?;
        Ok(Lines {
            reader: BufReader::new(Stream { file, at: 0 }),
            path,
            hasher: blake3::Hasher::new(),
            transactions: 0,
            number: 0,
            ended: false,
        })
    }
}

/// A file from its beginning on.
#[derive(Debug)]
struct Stream {
    file: Box<dyn disk::DiskFile>,
    at: u64,
}

impl std::io::Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.file.read_at(self.at, buffer)?;
        self.at += count as u64;
        Ok(count)
    }
}

/// See [`Directory::lines`].
#[derive(Debug)]
pub struct Lines {
    reader: BufReader<Stream>,
    path: PathBuf,
    hasher: blake3::Hasher,
    transactions: u64,
    number: u64,
    ended: bool,
}

impl Lines {
    fn read(&mut self) -> Result<Option<Line>, Error> {
        let mut text = Vec::new();
        let read = self.reader.read_until(b'\n', &mut text);
        read.map_err(Error::io("read", &self.path))?;
        self.number += 1;
        if text.pop() != Some(b'\n') {
            return Err(
                self.wrong("it is cut off: its last line, with the count and the hash, is missing")
            );
        }
        let line = std::str::from_utf8(&text).map_err(|_| self.wrong("it is no text"))?;
        let parsed = Read::parse(line).map_err(|error| self.wrong(&error.to_string()))?;
        match parsed {
            Read::Line(line) => {
                self.hasher.update(&text);
                self.hasher.update(b"\n");
                self.transactions += u64::from(matches!(line, Line::Transaction(_)));
                Ok(Some(line))
            }
            Read::End(end) => {
                self.check(&end)?;
                Ok(None)
            }
        }
    }

    fn check(&mut self, end: &End) -> Result<(), Error> {
        if end.end != self.transactions {
            let why = format!(
                "it has {} transactions, and had {}",
                self.transactions, end.end
            );
            return Err(self.wrong(&why));
        }
        if end.blake3 != self.hasher.finalize().to_hex().as_str() {
            return Err(self.wrong("its hash does not fit its content"));
        }
        let rest = self
            .reader
            .fill_buf()
            .map_err(Error::io("read", &self.path))?;
        if rest.is_empty() {
            return Ok(());
        }
        Err(self.wrong("something stands behind its last line"))
    }

    fn wrong(&self, why: &str) -> Error {
        Error::damaged(&self.path, format!("line {}: {why}", self.number))
    }
}

impl Iterator for Lines {
    type Item = Result<Line, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let read = self.read();
        self.ended = !matches!(read, Ok(Some(_)));
        read.transpose()
    }
}
