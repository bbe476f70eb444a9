//! The messages and their bytes: one type byte, then fields, little-endian.

use bytes::{Bytes, BytesMut};
use fwlog::{Above, ChainHash, LogPoint, LostForks, Position};

use crate::lost::{read_lost, write_lost};
use crate::tree::{read_above, write_above};
use crate::wire::{FieldReader, FieldWriter};
use crate::{
    BRAKE, Below, Brake, Identify, Identity, PROMPT, ProtocolError, Refuse, SourceState, Status,
    pack,
};

/// Longest message in bytes, type byte included. Blocks are sent about 1 MiB at a time; the rest is
/// room for one block that is larger by itself (16 MiB of records at most).
pub const MAX_MESSAGE: usize = 20 << 20;

/// Type bytes: capitals come from the source, small letters from the slave.
pub mod kind {
    /// [`Message::Identify`](crate::Message::Identify)
    pub const IDENTIFY: u8 = b'I';
    /// [`Message::Identity`](crate::Message::Identity)
    pub const IDENTITY: u8 = b'i';
    /// [`Message::AskHash`](crate::Message::AskHash)
    pub const ASK_HASH: u8 = b'A';
    /// [`Message::Hash`](crate::Message::Hash)
    pub const HASH: u8 = b'h';
    /// [`Message::Start`](crate::Message::Start)
    pub const START: u8 = b'S';
    /// [`Message::Segment`](crate::Message::Segment)
    pub const SEGMENT: u8 = b'G';
    /// [`Message::Blocks`](crate::Message::Blocks), as they are on disk
    pub const BLOCKS: u8 = b'B';
    /// [`Message::Blocks`](crate::Message::Blocks), compressed for the way
    pub const PACKED_BLOCKS: u8 = b'Z';
    /// [`Message::Seal`](crate::Message::Seal)
    pub const SEAL: u8 = b'E';
    /// [`Message::KeepAlive`](crate::Message::KeepAlive)
    pub const KEEP_ALIVE: u8 = b'K';
    /// [`Message::Status`](crate::Message::Status)
    pub const STATUS: u8 = b's';
    /// [`Message::Above`](crate::Message::Above)
    pub const ABOVE: u8 = b'P';
    /// [`Message::Below`](crate::Message::Below)
    pub const BELOW: u8 = b't';
    /// [`Message::Lost`](crate::Message::Lost)
    pub const LOST: u8 = b'f';
    /// [`Message::Refuse`](crate::Message::Refuse), from the source
    pub const REFUSE: u8 = b'R';
}

/// Name, type bytes and direction of every message, for the table of the documentation and for logs.
pub const MESSAGES: &[(&str, u8, &str)] = &[
    ("Identify", kind::IDENTIFY, "→"),
    ("Identity", kind::IDENTITY, "←"),
    ("AskHash", kind::ASK_HASH, "→"),
    ("Hash", kind::HASH, "←"),
    ("Start", kind::START, "→"),
    ("Segment", kind::SEGMENT, "→"),
    ("Blocks", kind::BLOCKS, "→"),
    ("PackedBlocks", kind::PACKED_BLOCKS, "→"),
    ("Seal", kind::SEAL, "→"),
    ("KeepAlive", kind::KEEP_ALIVE, "→"),
    ("Status", kind::STATUS, "←"),
    ("Above", kind::ABOVE, "→"),
    ("Below", kind::BELOW, "←"),
    ("Lost", kind::LOST, "←"),
    ("Refuse", kind::REFUSE, "↔"),
];

/// One message, payload of one `CopyData` message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// → First message: who the source is.
    Identify(Identify),
    /// ← The answer: who the slave is and what it has.
    Identity(Identity),
    /// → Which chain hash does the slave's log have at this position?
    AskHash {
        /// A block border of the source's log.
        position: Position,
    },
    /// ← Answer to [`Message::AskHash`].
    Hash {
        /// As asked.
        position: Position,
        /// `None`: no block of the slave's log ends there.
        hash: Option<ChainHash>,
    },
    /// → The log follows from here.
    Start {
        /// The slave's own durable point; `None`: from the log's beginning.
        at: Option<LogPoint>,
    },
    /// → A segment begins.
    Segment {
        /// Its header as on disk.
        header: Bytes,
    },
    /// → Whole blocks, unchanged, in the segment that began last.
    Blocks {
        /// Position of the first byte.
        start: Position,
        /// The blocks as on disk.
        bytes: Bytes,
    },
    /// → The segment ends.
    Seal {
        /// The seal as on disk.
        bytes: Bytes,
    },
    /// → Nothing else to send, or time for a sign of life.
    KeepAlive {
        /// How the source is.
        source: SourceState,
        /// The source wants a [`Message::Status`] now.
        reply: bool,
    },
    /// ← What the slave has.
    Status(Status),
    /// → The tree above the slave is another one.
    Above(Box<Above>),
    /// ← How those stand that are below the slave.
    Below(Box<Below>),
    /// ← What the slave, and those below it, have lost behind a fork that the root does not know of yet.
    Lost(LostForks),
    /// ↔ The last message of a side that won't go on.
    Refuse(Refuse),
}

impl Message {
    /// Name of the message, as in the documentation.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Identify(_) => "Identify",
            Self::Identity(_) => "Identity",
            Self::AskHash { .. } => "AskHash",
            Self::Hash { .. } => "Hash",
            Self::Start { .. } => "Start",
            Self::Segment { .. } => "Segment",
            Self::Blocks { .. } => "Blocks",
            Self::Seal { .. } => "Seal",
            Self::KeepAlive { .. } => "KeepAlive",
            Self::Status(_) => "Status",
            Self::Above(_) => "Above",
            Self::Below(_) => "Below",
            Self::Lost(_) => "Lost",
            Self::Refuse(_) => "Refuse",
        }
    }

    /// Appends the message.
    pub fn encode(&self, out: &mut BytesMut) {
        let tail = self.encode_parts(out);
        out.extend_from_slice(&tail);
    }

    /// Appends all but the bytes of a log file, and returns those: the message is what was appended
    /// followed by what is returned. Spares a copy of every block.
    pub fn encode_parts(&self, out: &mut BytesMut) -> Bytes {
        let mut out = FieldWriter(out);
        match self {
            Self::Identify(identify) => {
                out.u8(kind::IDENTIFY);
                identify.write(&mut out);
            }
            Self::Identity(identity) => {
                out.u8(kind::IDENTITY);
                identity.write(&mut out);
            }
            Self::AskHash { position } => {
                out.u8(kind::ASK_HASH);
                out.position(*position);
            }
            Self::Hash { position, hash } => {
                out.u8(kind::HASH);
                out.position(*position);
                out.optional(hash.as_ref(), |out, hash| out.hash(*hash));
            }
            Self::Start { at } => {
                out.u8(kind::START);
                out.optional(at.as_ref(), FieldWriter::point);
            }
            Self::Segment { header } => {
                out.u8(kind::SEGMENT);
                return header.clone();
            }
            Self::Blocks { start, bytes } => {
                out.u8(kind::BLOCKS);
                out.position(*start);
                return bytes.clone();
            }
            Self::Seal { bytes } => {
                out.u8(kind::SEAL);
                return bytes.clone();
            }
            Self::KeepAlive { source, reply } => {
                out.u8(kind::KEEP_ALIVE);
                source.write(&mut out);
                out.flag(*reply);
                if !source.brake.is_off() {
                    // An older slave ends before it, and is told nothing of it.
                    out.text(BRAKE);
                    source.brake.write(&mut out);
                }
                if source.prompt {
                    out.text(PROMPT);
                }
            }
            Self::Status(status) => {
                out.u8(kind::STATUS);
                status.write(&mut out);
            }
            Self::Above(above) => {
                out.u8(kind::ABOVE);
                write_above(above, &mut out);
            }
            Self::Below(below) => {
                out.u8(kind::BELOW);
                below.write(&mut out);
            }
            Self::Lost(forks) => {
                out.u8(kind::LOST);
                write_lost(forks, &mut out);
            }
            Self::Refuse(refuse) => {
                out.u8(kind::REFUSE);
                refuse.write(&mut out);
            }
        }
        Bytes::new()
    }

    /// As [`Message::encode_parts`], but blocks go compressed where that makes them smaller by an
    /// eighth or more. [`Message::decode`] gives back the original.
    pub fn encode_packed(&self, out: &mut BytesMut) -> Bytes {
        if let Self::Blocks { start, bytes } = self
            && let Some(packed) = pack::pack(bytes)
        {
            let mut out = FieldWriter(out);
            out.u8(kind::PACKED_BLOCKS);
            out.position(*start);
            out.u32(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
            return packed;
        }
        self.encode_parts(out)
    }

    /// Reads one message. Takes no more memory than the message itself, or [`MAX_MESSAGE`] for
    /// packed blocks.
    pub fn decode(message: Bytes) -> Result<Self, ProtocolError> {
        FieldReader::decode(message, Self::decode_body)
    }

    fn decode_body(kind: u8, from: &mut FieldReader) -> Result<Self, ProtocolError> {
        Ok(match kind {
            kind::IDENTIFY => Self::Identify(Identify::read(from)?),
            kind::IDENTITY => Self::Identity(Identity::read(from)?),
            kind::ASK_HASH => Self::AskHash {
                position: from.position()?,
            },
            kind::HASH => Self::Hash {
                position: from.position()?,
                hash: from.optional(FieldReader::hash)?,
            },
            kind::START => Self::Start {
                at: from.optional(FieldReader::point)?,
            },
            kind::SEGMENT => Self::Segment {
                header: from.rest(),
            },
            kind::BLOCKS => Self::Blocks {
                start: from.position()?,
                bytes: from.rest(),
            },
            kind::PACKED_BLOCKS => {
                let start = from.position()?;
                let length = usize::try_from(from.u32()?).unwrap_or(usize::MAX);
                if length > MAX_MESSAGE {
                    return Err(ProtocolError::Oversized { length });
                }
                Self::Blocks {
                    start,
                    bytes: pack::unpack(&from.rest(), length)?,
                }
            }
            kind::SEAL => Self::Seal { bytes: from.rest() },
            kind::KEEP_ALIVE => {
                let mut source = SourceState::read(from)?;
                let reply = from.flag()?;
                while !from.is_at_end() {
                    match from.text()?.as_str() {
                        BRAKE => source.brake = Brake::read(from)?,
                        PROMPT => source.prompt = true,
                        _ => return Err(from.bad("name of what follows")),
                    }
                }
                Self::KeepAlive { source, reply }
            }
            kind::STATUS => Self::Status(Status::read(from)?),
            kind::ABOVE => Self::Above(Box::new(read_above(from)?)),
            kind::BELOW => Self::Below(Box::new(Below::read(from)?)),
            kind::LOST => Self::Lost(read_lost(from)?),
            kind::REFUSE => Self::Refuse(Refuse::read(from)?),
            kind => return Err(ProtocolError::UnknownType { kind }),
        })
    }
}

#[cfg(test)]
mod tests {
    use pgtypes::SqlState;

    use super::*;

    #[test]
    fn hostile_bytes_are_errors() {
        let refused =
            |bytes: &'static [u8]| Message::decode(Bytes::from_static(bytes)).unwrap_err();
        assert_eq!(refused(b""), ProtocolError::Empty);
        assert_eq!(refused(b"?"), ProtocolError::UnknownType { kind: b'?' });
        assert_eq!(refused(b"I"), ProtocolError::TooShort { kind: 'I' });
        assert_eq!(
            refused(b"I\x07\0"),
            ProtocolError::Version {
                ours: crate::PROTOCOL_VERSION,
                theirs: 7
            }
        );
        assert_eq!(
            refused(b"S\x02"),
            ProtocolError::BadField {
                kind: 'S',
                field: "flag"
            }
        );
        assert_eq!(refused(b"S\0x"), ProtocolError::TooLong { kind: 'S' });
        assert_eq!(
            refused(b"A\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0"),
            ProtocolError::BadField {
                kind: 'A',
                field: "segment number"
            }
        );
        assert_eq!(
            refused(b"R\xff\xff"),
            ProtocolError::BadField {
                kind: 'R',
                field: "text length"
            }
        );
    }

    #[test]
    fn what_the_other_side_says_is_one_line() {
        let refuse = Message::Refuse(Refuse::new(
            SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE,
            "no\n2026-01-01 ERROR \x1b[2Jforged",
        ));
        let mut out = BytesMut::new();
        refuse.encode(&mut out);
        let Ok(Message::Refuse(read)) = Message::decode(out.freeze()) else {
            panic!("a refusal was sent");
        };
        assert_eq!(read.message, "no 2026-01-01 ERROR  [2Jforged");
    }

    #[test]
    fn a_message_above_the_limit_is_refused_before_it_is_read() {
        let error = Message::decode(Bytes::from(vec![b'B'; MAX_MESSAGE + 1])).unwrap_err();
        assert_eq!(
            error,
            ProtocolError::Oversized {
                length: MAX_MESSAGE + 1
            }
        );
    }

    #[test]
    fn packed_blocks_come_out_as_they_went_in() {
        let start = Position::new(fwlog::SegmentId::FIRST, 128);
        let message = Message::Blocks {
            start,
            bytes: Bytes::from(vec![7; 100_000]),
        };
        let mut out = BytesMut::new();
        let tail = message.encode_packed(&mut out);
        out.extend_from_slice(&tail);
        assert_eq!(out.first(), Some(&kind::PACKED_BLOCKS));
        assert!(out.len() < 1000);
        assert_eq!(Message::decode(out.freeze()), Ok(message));
    }

    #[test]
    fn packed_blocks_that_promise_too_much_are_refused() {
        let mut out = BytesMut::new();
        let mut fields = FieldWriter(&mut out);
        fields.u8(kind::PACKED_BLOCKS);
        fields.position(Position::ORIGIN);
        fields.u32(u32::MAX);
        let error = Message::decode(out.freeze()).unwrap_err();
        assert_eq!(
            error,
            ProtocolError::Oversized {
                length: u32::MAX as usize
            }
        );
    }

    #[test]
    fn each_type_byte_is_used_once() {
        for (name, kind, _) in MESSAGES {
            assert_eq!(
                MESSAGES.iter().filter(|other| other.1 == *kind).count(),
                1,
                "{name}"
            );
        }
    }
}
