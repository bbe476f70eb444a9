//! What the taker says, and its bytes: one type byte, then fields, little-endian.

use bytes::{Bytes, BytesMut};
use fwlog::Position;
use pagehash::{GROUP_VALUE_SIZE, GroupNumber, GroupValue};

use super::{MAX_VALUES, PageSet, StageStatus, kind};
use crate::wire::{FieldReader, FieldWriter};
use crate::{ProtocolError, Refuse};

/// A message of the taker, payload of one `CopyData` message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// ← First message: a cut is wanted.
    OpenCut {
        /// The version that both sides speak, as dbrepl has found out from their offers.
        version: u16,
        /// Who will take it, for the giver's log and list.
        taker: String,
        /// Pages are to be compressed for the way.
        pack: bool,
    },
    /// ← The taker's own values of groups that follow one another, cut to the cut's size.
    Have {
        /// The database.
        database: u32,
        /// The first of the groups.
        first: GroupNumber,
        /// Their values, [`MAX_VALUES`] at most.
        values: Vec<GroupValue>,
    },
    /// ← These pages are wanted.
    Want {
        /// The database.
        database: u32,
        /// The group.
        group: GroupNumber,
        /// Which of its pages.
        pages: PageSet,
    },
    /// ← The log is wanted, from here on.
    AskLog {
        /// A byte of the cut's log.
        from: Position,
    },
    /// ← The checksums of all databases are wanted.
    AskRoots,
    /// ← How far the taker is; each second.
    Status(StageStatus),
    /// ← What the taker has on its disk is the cut: it needs the giver no more.
    Complete,
    /// ↔ The last message of a side that won't go on.
    Refuse(Refuse),
}

impl Asked {
    /// Name of the message, as in the documentation.
    pub fn name(&self) -> &'static str {
        match self {
            Self::OpenCut { .. } => "OpenCut",
            Self::Have { .. } => "Have",
            Self::Want { .. } => "Want",
            Self::AskLog { .. } => "AskLog",
            Self::AskRoots => "AskRoots",
            Self::Status(_) => "Status",
            Self::Complete => "Complete",
            Self::Refuse(_) => "Refuse",
        }
    }

    /// Appends all but a long tail, and returns that: the message is what was appended followed by what is returned.
    pub fn encode_parts(&self, out: &mut BytesMut) -> Bytes {
        let mut out = FieldWriter(out);
        match self {
            Self::OpenCut {
                version,
                taker,
                pack,
            } => {
                out.u8(kind::OPEN_CUT);
                out.u16(*version);
                out.text(taker);
                out.flag(*pack);
            }
            Self::Have {
                database,
                first,
                values,
            } => {
                out.u8(kind::HAVE);
                out.place(*database, *first);
                let values = values.iter().flat_map(|value| *value.as_bytes());
                return values.collect();
            }
            Self::Want {
                database,
                group,
                pages,
            } => {
                out.u8(kind::WANT);
                out.place(*database, *group);
                out.bytes(pages.as_bytes());
            }
            Self::AskLog { from } => {
                out.u8(kind::ASK_LOG);
                out.position(*from);
            }
            Self::AskRoots => out.u8(kind::ASK_ROOTS),
            Self::Status(status) => {
                out.u8(kind::STATUS);
                status.write(&mut out);
            }
            Self::Complete => out.u8(kind::COMPLETE),
            Self::Refuse(refuse) => {
                out.u8(kind::REFUSE);
                refuse.write(&mut out);
            }
        }
        Bytes::new()
    }

    /// Reads one message. Takes no more memory than a few times the message itself.
    pub fn decode(message: Bytes) -> Result<Self, ProtocolError> {
        FieldReader::decode(message, Self::decode_body)
    }

    fn decode_body(kind: u8, from: &mut FieldReader) -> Result<Self, ProtocolError> {
        Ok(match kind {
            kind::OPEN_CUT => Self::OpenCut {
                version: from.u16()?,
                taker: from.text()?,
                pack: from.flag()?,
            },
            kind::HAVE => {
                let (database, first) = from.place()?;
                let values = from.items::<GROUP_VALUE_SIZE>(MAX_VALUES)?;
                let values = values.into_iter().map(GroupValue::from_bytes).collect();
                Self::Have {
                    database,
                    first,
                    values,
                }
            }
            kind::WANT => {
                let (database, group) = from.place()?;
                Self::Want {
                    database,
                    group,
                    pages: PageSet::from_bytes(from.array()?),
                }
            }
            kind::ASK_LOG => Self::AskLog {
                from: from.position()?,
            },
            kind::ASK_ROOTS => Self::AskRoots,
            kind::STATUS => Self::Status(StageStatus::read(from)?),
            kind::COMPLETE => Self::Complete,
            kind::REFUSE => Self::Refuse(Refuse::read(from)?),
            kind => return Err(ProtocolError::UnknownType { kind }),
        })
    }
}
