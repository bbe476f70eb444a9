//! How far a taker is.

use std::fmt;

use crate::ProtocolError;
use crate::wire::{FieldReader, FieldWriter};

/// What a taker is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Pages are compared and taken.
    Pages,
    /// The log is taken.
    Log,
    /// What has come is read back and compared with the giver's roots.
    Proof,
}

impl Stage {
    fn code(self) -> u8 {
        match self {
            Self::Pages => 0,
            Self::Log => 1,
            Self::Proof => 2,
        }
    }

    fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Pages),
            1 => Some(Self::Log),
            2 => Some(Self::Proof),
            _ => None,
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pages => "pages",
            Self::Log => "log",
            Self::Proof => "proof",
        })
    }
}

/// How far a taker is, in pages of the cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StageStatus {
    /// What it is at.
    pub stage: Stage,
    /// Pages that it had already.
    pub equal: u64,
    /// Pages that have come.
    pub taken: u64,
    /// Pages of the cut.
    pub of: u64,
}

impl StageStatus {
    /// Pages that need no more work.
    pub fn done(&self) -> u64 {
        self.equal.saturating_add(self.taken)
    }

    pub(super) fn write(&self, out: &mut FieldWriter<'_>) {
        out.u8(self.stage.code());
        out.u64(self.equal);
        out.u64(self.taken);
        out.u64(self.of);
    }

    pub(super) fn read(from: &mut FieldReader) -> Result<Self, ProtocolError> {
        let code = from.u8()?;
        Ok(Self {
            stage: Stage::from_code(code).ok_or_else(|| from.bad("stage"))?,
            equal: from.u64()?,
            taken: from.u64()?,
            of: from.u64()?,
        })
    }
}
