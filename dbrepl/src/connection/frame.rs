//! Messages of the PostgreSQL protocol as bytes: a type, a length, a body.

use bytes::{Buf, BytesMut};
use dbproto::MAX_MESSAGE;
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::error::ShipError;

/// Type byte and length.
const HEAD: usize = 5;

/// Longest message during start-up: errors, parameters, authentication.
pub(crate) const MAX_START_UP: usize = 64 << 10;

/// Longest message while replicating.
pub(crate) const MAX_COPY: usize = MAX_MESSAGE + HEAD;

/// Takes messages off a stream.
#[derive(Debug)]
pub(crate) struct FrameReader<S> {
    stream: S,
    buffer: BytesMut,
}

/// One message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// Type byte.
    pub(crate) kind: u8,
    /// All of it, head included.
    pub(crate) bytes: BytesMut,
}

impl Frame {
    /// What follows the head.
    pub(crate) fn body(&self) -> &[u8] {
        self.bytes.get(HEAD..).unwrap_or_default()
    }

    /// What follows the head.
    pub(crate) fn into_body(mut self) -> BytesMut {
        self.bytes.advance(HEAD);
        self.bytes
    }
}

impl<S: AsyncRead + Unpin> FrameReader<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream,
            buffer: BytesMut::with_capacity(8 << 10),
        }
    }

    /// The next message, or `None` at the end of the stream. Cancelling loses nothing.
    pub(crate) async fn next(&mut self, limit: usize) -> Result<Option<Frame>, ShipError> {
        loop {
            if let Some(frame) = self.take(limit)? {
                return Ok(Some(frame));
            }
            let read = self.stream.read_buf(&mut self.buffer).await;
            match read {
                Ok(0) if self.buffer.is_empty() => return Ok(None),
                Ok(0) => {
                    return Err(ShipError::unreachable(
                        "the slave closed the connection inside a message",
                    ));
                }
                Ok(_) => {}
                Err(error) => {
                    return Err(ShipError::unreachable(format!(
                        "the connection to the slave was lost: {error}"
                    )));
                }
            }
        }
    }

    fn take(&mut self, limit: usize) -> Result<Option<Frame>, ShipError> {
        let Some(head) = self.buffer.first_chunk::<HEAD>() else {
            return Ok(None);
        };
        let [kind, length @ ..] = *head;
        // The protocol of PostgreSQL has its lengths in network order, without the type byte.
        let length = length
            .iter()
            .fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte))
            + 1;
        if !(HEAD..=limit).contains(&length) {
            return Err(ShipError::new(
                crate::error::ExitCode::Error,
                format!(
                    "the slave sent a message '{}' of {length} bytes",
                    kind.escape_ascii()
                ),
            )
            .hint("is this the service port of an eloqdb server?"));
        }
        if self.buffer.len() < length {
            self.buffer.reserve(length - self.buffer.len());
            return Ok(None);
        }
        Ok(Some(Frame {
            kind,
            bytes: self.buffer.split_to(length),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(bytes: &[u8]) -> (Vec<u8>, Option<ShipError>) {
        let mut reader = FrameReader::new(bytes);
        let mut kinds = Vec::new();
        loop {
            match reader.next(20).await {
                Ok(Some(frame)) => kinds.push(frame.kind),
                Ok(None) => return (kinds, None),
                Err(failure) => return (kinds, Some(failure)),
            }
        }
    }

    #[tokio::test]
    async fn messages_come_one_by_one() {
        let (kinds, failure) = read(b"Z\0\0\0\x05Id\0\0\0\x04").await;
        assert_eq!((kinds.as_slice(), failure), (b"Zd".as_slice(), None));
    }

    #[tokio::test]
    async fn impossible_lengths_are_refused_before_memory_is_taken() {
        for bytes in [b"Z\0\0\0\x03", b"Z\xff\xff\xff\xff", b"Z\0\0\0\x14"] {
            let (kinds, failure) = read(bytes).await;
            assert!(kinds.is_empty());
            assert!(failure.unwrap().message.contains("message 'Z'"));
        }
    }

    #[tokio::test]
    async fn an_end_inside_a_message_is_a_lost_connection() {
        let (_, failure) = read(b"Z\0\0\0\x06I").await;
        assert!(failure.unwrap().message.contains("inside a message"));
    }
}
