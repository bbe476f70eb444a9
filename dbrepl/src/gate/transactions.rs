//! The transactions of a block, as the filter is told of them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use fwlog::{
    Block, BlockDecoder, Commit, CommitNumber, PageBody, Pages, Position, Record, TransactionId,
};
use serde_json::json;

use super::names::Names;

/// Page numbers of a transaction that are told; the count says how many there are.
const MAX_NUMBERS: usize = 1000;

/// Pages that a transaction has written.
#[derive(Debug, Default)]
struct Written {
    pages: u64,
    /// The first of them.
    numbers: Vec<u32>,
    bytes: u64,
}

impl Written {
    /// Errors: what is wrong with a page.
    fn add(&mut self, pages: Pages<'_>) -> Result<(), String> {
        for change in pages {
            let change = change.map_err(|why| why.to_string())?;
            self.pages += 1;
            self.bytes += match change.body {
                PageBody::Full(image) => image.len(),
                PageBody::Delta(delta) => delta.size(),
            } as u64;
            if self.numbers.len() < MAX_NUMBERS {
                self.numbers.push(change.page.get());
            }
        }
        Ok(())
    }
}

/// What is known of the log up to where it was read.
#[derive(Debug)]
pub(super) struct Transactions {
    names: Names,
    data_dir: PathBuf,
    /// Those whose commit has not come yet.
    parts: HashMap<TransactionId, Written>,
    decoder: BlockDecoder,
}

impl Transactions {
    /// Names of databases may be found in this directory.
    pub(super) fn new(data_dir: &Path) -> Self {
        Self {
            names: Names::read(data_dir),
            data_dir: data_dir.to_owned(),
            parts: HashMap::new(),
            decoder: BlockDecoder::new(),
        }
    }

    /// A line of JSON for each transaction that commits in the block that begins there.
    ///
    /// Errors: what is wrong with the block.
    pub(super) fn of(
        &mut self,
        mut bytes: Bytes,
        at: Position,
    ) -> Result<Vec<(CommitNumber, String)>, String> {
        let block = Block::split_from(&mut bytes, at).map_err(|why| why.to_string())?;
        let records = self
            .decoder
            .records(&block)
            .map_err(|why| why.to_string())?;
        let mut lines = Vec::new();
        for record in records {
            let record = record.map_err(|why| why.to_string())?;
            self.names.follow(&record);
            match record {
                Record::Part(part) => {
                    let written = self.parts.entry(part.transaction).or_default();
                    written.add(part.pages)?;
                }
                Record::Commit(commit) => {
                    let parts = commit.transaction.and_then(|it| self.parts.remove(&it));
                    let mut written = parts.unwrap_or_default();
                    written.add(commit.pages)?;
                    self.names.look_for(commit.database, &self.data_dir);
                    lines.push((commit.number, line(&commit, &written, &self.names, at)));
                }
                // Transactions that began before it and have not committed never will.
                Record::Generation(_) => self.parts.clear(),
                _ => {}
            }
        }
        Ok(lines)
    }
}

fn line(commit: &Commit<'_>, written: &Written, names: &Names, at: Position) -> String {
    let line = json!({
        "commit": commit.number.get(),
        "time": commit.time.to_string().replace(' ', "T"),
        "database": names.of(commit.database),
        "database_number": commit.database.get(),
        "block": at.to_string(),
        "pages": written.pages,
        "page_numbers": written.numbers,
        "bytes": written.bytes,
    });
    format!("{line}\n")
}
