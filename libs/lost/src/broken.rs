//! What was never committed: parts of transactions without their commit, and bytes behind the last complete block.

use std::path::Path;

use disk::{Access, Disk};
use fwlog::{Position, SegmentStore};
use serde::Serialize;

use crate::error::Error;
use crate::hashed_file::HashedFile;

/// A transaction without a commit.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Broken {
    /// Its number in the log.
    pub(crate) transaction: u64,
    /// The database.
    pub(crate) database: String,
    /// Pages that its parts have.
    pub(crate) pages: u64,
    /// Where the block of the first of them begins.
    pub(crate) first: String,
}

/// The names of the files that were made, below the directory.
pub(crate) fn write(
    disk: &Disk,
    directory: &Path,
    broken: &[Broken],
    torn: Option<(&SegmentStore, Position)>,
) -> Result<Vec<String>, Error> {
    let mut names = Vec::new();
    if broken.is_empty() && torn.is_none() {
        return Ok(names);
    }
    let below = directory.join("broken");
    disk.make_directory(&below, 0o700)
        .map_err(Error::io("make the directory", &below))?;
    if !broken.is_empty() {
        let path = below.join("transactions.jsonl");
        let mut file = HashedFile::create(disk, path)?;
        for transaction in broken {
            let mut line = serde_json::to_string(transaction).unwrap_or_default();
            line.push('\n');
            file.put(line.as_bytes())?;
        }
        file.end()?;
        names.push("broken/transactions.jsonl".to_owned());
    }
    if let Some((store, at)) = torn {
        let name = format!("tail-{}-{}", at.segment, at.offset);
        copy_from(store, at, disk, &below.join(&name))?;
        names.push(format!("broken/{name}"));
    }
    disk.sync_directory(&below)
        .map_err(Error::io("sync", &below))?;
    Ok(names)
}

/// All that a segment has behind an offset.
fn copy_from(store: &SegmentStore, at: Position, disk: &Disk, to: &Path) -> Result<(), Error> {
    let from = store.path(at.segment);
    let file = store.location().disk.open(&from, Access::Read);
    let file = file.map_err(Error::io("open", &from))?;
    let mut copy = HashedFile::create(disk, to.to_owned())?;
    let mut buffer = vec![0; 1 << 20];
    let mut offset = at.offset;
    loop {
        let count = file.read_at(offset, &mut buffer);
        let count = count.map_err(Error::io("read", &from))?;
        copy.put(buffer.get(..count).unwrap_or_default())?;
        offset += count as u64;
        if count < buffer.len() {
            return copy.end().map(drop);
        }
    }
}
