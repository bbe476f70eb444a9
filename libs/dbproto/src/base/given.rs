//! What the giver says, and its bytes: one type byte, then fields, little-endian.

use bytes::{Bytes, BytesMut};
use fwlog::Position;
use pagehash::{GroupNumber, Root};

use super::{CutOffer, MAX_DATABASES, MAX_VALUES, PageSum, Pages, kind};
use crate::wire::{FieldReader, FieldWriter};
use crate::{ProtocolError, Refuse};

/// A message of the giver, payload of one `CopyData` message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Given {
    /// → What there is. It is kept for the taker while the connection lasts.
    Cut(CutOffer),
    /// → Answer to [`Asked::Have`]. For each group that differs a [`Given::PageSums`] follows.
    Compared {
        /// As asked.
        database: u32,
        /// As asked.
        first: GroupNumber,
        /// Whether each is equal.
        equal: Vec<bool>,
    },
    /// → What tells the pages of a group apart.
    PageSums {
        /// The database.
        database: u32,
        /// The group.
        group: GroupNumber,
        /// Of each page that the group has in the cut.
        sums: Vec<PageSum>,
    },
    /// → Answer to [`Asked::Want`].
    Pages(Pages),
    /// → Some of the log, as it is in its file.
    Log {
        /// Of the first byte.
        start: Position,
        /// [`MAX_LOG`](super::MAX_LOG) at most, of one segment.
        bytes: Bytes,
    },
    /// → The checksums, by ascending number of the database.
    Roots(Vec<(u32, Root)>),
    /// → The giver is at work, or has nothing to do; each second.
    Busy,
    /// ↔ The last message of a side that won't go on.
    Refuse(Refuse),
}

impl Given {
    /// Name of the message, as in the documentation.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Cut(_) => "Cut",
            Self::Compared { .. } => "Compared",
            Self::PageSums { .. } => "PageSums",
            Self::Pages(_) => "Pages",
            Self::Log { .. } => "Log",
            Self::Roots(_) => "Roots",
            Self::Busy => "Busy",
            Self::Refuse(_) => "Refuse",
        }
    }

    /// Appends all but a long tail, and returns that: the message is what was appended followed by what is returned.
    pub fn encode_parts(&self, out: &mut BytesMut) -> Bytes {
        let mut out = FieldWriter(out);
        match self {
            Self::Cut(cut) => {
                out.u8(kind::CUT);
                cut.write(&mut out);
            }
            Self::Compared {
                database,
                first,
                equal,
            } => {
                out.u8(kind::COMPARED);
                out.place(*database, *first);
                return equal.iter().map(|equal| u8::from(*equal)).collect();
            }
            Self::PageSums {
                database,
                group,
                sums,
            } => {
                out.u8(kind::PAGE_SUMS);
                out.place(*database, *group);
                return sums.iter().flat_map(|sum| *sum.as_bytes()).collect();
            }
            Self::Pages(pages) => {
                out.u8(kind::PAGES);
                return pages.write(&mut out);
            }
            Self::Log { start, bytes } => {
                out.u8(kind::LOG);
                out.position(*start);
                return bytes.clone();
            }
            Self::Roots(roots) => {
                out.u8(kind::ROOTS);
                for (database, root) in roots {
                    out.u32(*database);
                    out.bytes(root.as_bytes());
                }
            }
            Self::Busy => out.u8(kind::BUSY),
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
            kind::CUT => Self::Cut(CutOffer::read(from)?),
            kind::COMPARED => {
                let (database, first) = from.place()?;
                let mut equal = Vec::new();
                while !from.is_at_end() {
                    if equal.len() == MAX_VALUES {
                        return Err(from.bad("number of items"));
                    }
                    equal.push(from.flag()?);
                }
                Self::Compared {
                    database,
                    first,
                    equal,
                }
            }
            kind::PAGE_SUMS => {
                let (database, group) = from.place()?;
                let sums = from.items(pagehash::GROUP_PAGES as usize)?;
                let sums = sums.into_iter().map(PageSum::from_bytes).collect();
                Self::PageSums {
                    database,
                    group,
                    sums,
                }
            }
            kind::PAGES => Self::Pages(Pages::read(from)?),
            kind::LOG => Self::Log {
                start: from.position()?,
                bytes: from.rest(),
            },
            kind::ROOTS => {
                let mut roots = Vec::new();
                while !from.is_at_end() {
                    if roots.len() == MAX_DATABASES {
                        return Err(from.bad("number of items"));
                    }
                    roots.push((from.u32()?, Root::from_bytes(from.array()?)));
                }
                Self::Roots(roots)
            }
            kind::BUSY => Self::Busy,
            kind::REFUSE => Self::Refuse(Refuse::read(from)?),
            kind => return Err(ProtocolError::UnknownType { kind }),
        })
    }
}
