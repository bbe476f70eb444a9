//! How new the data files may be: the file `data_up_to` of DataDir. It is durable before a page of a later commit goes to a
//! data file, so no data file has a commit behind it, wherever a checkpoint has ended.
//!
//! ```text
//!  note: K ─▶ data_up_to, durable ─▶ pages of commits up to K ─▶ sums ─▶ heads of the sum files
//! ```
//! The heads of sum files can't tell that: they come last, and a crash before them leaves pages of commits up to K under heads
//! that say less. Numbers of commits repeat after a fork, so the generation stands beside it.

use std::collections::BTreeMap;
use std::io;

use fwlog::sealed_text::{self, Body};
use fwlog::{CommitNumber, GenerationId};

use crate::databases::control::parse_value;
use crate::databases::layout::Layout;
use crate::error::EngineError;

/// Version of the file.
const FORMAT: u32 = 1;

/// See the module's page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DataMark {
    /// No page of a data file is of a later commit.
    pub(crate) commit: CommitNumber,
    /// The newest generation of the log when that was noted; the commit is of it or of one before it.
    pub(crate) generation: GenerationId,
}

impl DataMark {
    /// What was noted. `None`: nothing, or what is there can't be used; then nothing is known of the data files.
    ///
    /// Errors: it can't be read at present.
    pub(crate) fn read(layout: &Layout) -> Result<Option<Self>, EngineError> {
        let path = layout.data_mark();
        let content = match layout.disk().read(&path) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(EngineError::file("read", path, &error)),
        };
        let mark = Self::parse(&String::from_utf8_lossy(&content));
        Ok(mark
            .inspect_err(|why| {
                tracing::warn!(
                    "{} is damaged: {why}; the next checkpoint makes it anew",
                    path.display()
                );
            })
            .ok())
    }

    /// Replaces the file durably.
    pub(crate) fn write(&self, layout: &Layout) -> Result<(), EngineError> {
        let mut body = Body::default();
        body.line("format", FORMAT);
        body.line("commit", self.commit.get());
        body.line("generation", self.generation);
        let path = layout.data_mark();
        let written = layout
            .disk()
            .write_atomic(&path, body.seal().as_bytes(), 0o600);
        written.map_err(|error| EngineError::file("write", path, &error))
    }

    /// Nothing is known of the data files any more: they get pages otherwise than by checkpoints. Durable when it returns.
    pub(crate) fn forget(layout: &Layout) -> Result<(), EngineError> {
        let path = layout.data_mark();
        match layout.disk().remove(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(EngineError::file("remove", path, &error))
            }
            _ => Ok(()),
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut values = BTreeMap::new();
        for entry in sealed_text::entries(sealed_text::open(text)?) {
            let (key, value) = entry?;
            values.insert(key, value);
        }
        let format: u32 = parse_value(&values, "format")?;
        if format != FORMAT {
            return Err(format!("format {format}; this server reads {FORMAT}"));
        }
        Ok(Self {
            commit: CommitNumber::new(parse_value(&values, "commit")?),
            generation: parse_value(&values, "generation")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use disk::testing::SimulatedDisk;
    use fwlog::ChainHash;

    use super::*;

    #[test]
    fn a_mark_reads_back_and_one_that_is_damaged_is_none() {
        let machine = SimulatedDisk::new(1);
        let layout = Layout::new(machine.process().disk(), "/data");
        let made = layout.disk().make_directory("/data".as_ref(), 0o700);
        made.unwrap();
        assert_eq!(DataMark::read(&layout).unwrap(), None);
        let mark = DataMark {
            commit: CommitNumber::new(70_412),
            generation: GenerationId::new(ChainHash::from_bytes([9; 32])),
        };
        mark.write(&layout).unwrap();
        assert_eq!(DataMark::read(&layout).unwrap(), Some(mark));
        assert!(machine.flip(layout.data_mark(), 20, 0));
        assert_eq!(DataMark::read(&layout).unwrap(), None);
        DataMark::forget(&layout).unwrap();
        DataMark::forget(&layout).unwrap();
        assert_eq!(DataMark::read(&layout).unwrap(), None);
    }
}
