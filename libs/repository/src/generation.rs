//! What is said of a generation of a log: why it began, after what, and where its archive begins.

use fwlog::{
    Block, BlockDecoder, GenerationId, HEADER_SIZE, HistoryLine, Position, Record, Sequence,
};

use crate::error::ArchiveError;
use crate::name::{HistoryId, ObjectName};
use crate::part::{Part, Wrong};
use crate::text::{Lines, begin};

/// A generation in the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchivedGeneration {
    /// Its record, as in the history of the log.
    pub line: HistoryLine,
    /// Where its archive begins: with the generation, or with the first segment that the log still had then.
    pub begins: Position,
}

impl ArchivedGeneration {
    /// What it is called in names.
    pub fn history(&self) -> HistoryId {
        HistoryId::new(self.line.number, self.line.id)
    }

    /// The record of the generation that begins with this part; `None`: none does.
    pub fn record_in(part: &Part) -> Result<Option<HistoryLine>, Wrong> {
        let Some(header) = part.header().filter(|it| it.id.sequence == Sequence::FIRST) else {
            return Ok(None);
        };
        let mut bytes = part.payload.slice(HEADER_SIZE.min(part.payload.len())..);
        let block = Block::split_from(&mut bytes, header.start().position)
            .map_err(|damage| damage.to_string())?;
        let mut decoder = BlockDecoder::new();
        let mut records = decoder.records(&block).map_err(|it| it.to_string())?;
        let first = records.next().transpose().map_err(|it| it.to_string())?;
        let Some(Record::Generation(start)) = first else {
            return Err("a generation begins without its record".to_owned());
        };
        let id = GenerationId::new(block.end.hash);
        let line = HistoryLine::new(header.id.generation, &start, id, header.last_commit);
        Ok(Some(line))
    }

    /// The object.
    pub fn encode(&self) -> Vec<u8> {
        let mut body = begin();
        body.line("generation", &self.line);
        body.line("begins", self.begins);
        body.seal().into_bytes()
    }

    /// Reads the object of this name, which must be that of the generation.
    pub fn decode(
        name: &ObjectName,
        history: HistoryId,
        bytes: &[u8],
    ) -> Result<Self, ArchiveError> {
        let lines = Lines::read(name, bytes)?;
        let generation = Self {
            line: lines.get("generation")?,
            begins: lines.get("begins")?,
        };
        if generation.history() != history {
            return Err(ArchiveError::damaged(
                name,
                format!("it is of history {}", generation.history()),
            ));
        }
        if generation.begins.segment.generation != history.generation {
            return Err(ArchiveError::damaged(
                name,
                format!("it begins at {}", generation.begins),
            ));
        }
        Ok(generation)
    }
}
