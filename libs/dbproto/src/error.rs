//! What can be wrong with a message.

/// A message that breaks the protocol. The connection it came from can't be used any further.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// There was no type byte.
    #[error("empty message")]
    Empty,
    /// The type byte is none of this protocol.
    #[error("unknown message type {kind:#04x}")]
    UnknownType {
        /// The byte.
        kind: u8,
    },
    /// The message is longer than [`crate::MAX_MESSAGE`].
    #[error(
        "message of {length} bytes exceeds the limit of {} bytes",
        crate::MAX_MESSAGE
    )]
    Oversized {
        /// Bytes, type byte included.
        length: usize,
    },
    /// The message ends before its last field.
    #[error("message '{kind}' ends early")]
    TooShort {
        /// Type of the message.
        kind: char,
    },
    /// Bytes follow the last field.
    #[error("message '{kind}' has bytes after its last field")]
    TooLong {
        /// Type of the message.
        kind: char,
    },
    /// A field holds a value that it can't have.
    #[error("message '{kind}': bad {field}")]
    BadField {
        /// Type of the message.
        kind: char,
        /// Name of the field.
        field: &'static str,
    },
    /// The other side sent a message that has no place at this point of the conversation.
    #[error("unexpected message {message} while {state}")]
    Unexpected {
        /// Name of the message.
        message: &'static str,
        /// What this side was doing.
        state: &'static str,
    },
    /// The other side speaks another version.
    #[error("replication protocol version {theirs}, this side speaks {ours}")]
    Version {
        /// [`crate::PROTOCOL_VERSION`]
        ours: u16,
        /// As received.
        theirs: u16,
    },
    /// The compressed form of a message can't be unpacked.
    #[error("packed blocks can't be unpacked: {0}")]
    Unpack(String),
}
