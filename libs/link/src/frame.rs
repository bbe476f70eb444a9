//! Messages of the PostgreSQL protocol as bytes: a type, a length, a body.

use bytes::{Buf, BufMut, BytesMut};
use dbproto::MAX_MESSAGE;
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::error::LinkError;

/// Type byte and length.
const HEAD: usize = 5;

/// Longest message during start-up: errors, parameters, authentication.
pub(crate) const MAX_START_UP: usize = 64 << 10;

/// Longest message while replicating.
pub const MAX_COPY: usize = MAX_MESSAGE + HEAD;

/// Type byte and length of a message of the PostgreSQL protocol; the length counts itself and goes
/// in network order.
pub fn frame_head(kind: u8, body: usize, out: &mut BytesMut) {
    out.put_u8(kind);
    out.put_u32(u32::try_from(body + 4).unwrap_or(u32::MAX));
}

/// Takes messages off a stream.
#[derive(Debug)]
pub struct FrameReader<S> {
    stream: S,
    buffer: BytesMut,
}

/// One message.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame {
    /// Type byte.
    pub kind: u8,
    /// All of it, head included.
    pub bytes: BytesMut,
}

impl Frame {
    /// What follows the head.
    pub fn body(&self) -> &[u8] {
        self.bytes.get(HEAD..).unwrap_or_default()
    }

    /// What follows the head.
    pub fn into_body(mut self) -> BytesMut {
        self.bytes.advance(HEAD);
        self.bytes
    }
}

impl<S: AsyncRead + Unpin> FrameReader<S> {
    /// Of this stream.
    pub fn new(stream: S) -> Self {
        Self {
            stream,
            buffer: BytesMut::with_capacity(8 << 10),
        }
    }

    /// The next message, or `None` at the end of the stream. Cancelling loses nothing.
    pub async fn next(&mut self, limit: usize) -> Result<Option<Frame>, LinkError> {
        loop {
            if let Some(frame) = self.take(limit)? {
                return Ok(Some(frame));
            }
            let read = self.stream.read_buf(&mut self.buffer).await;
            match read {
                Ok(0) if self.buffer.is_empty() => return Ok(None),
                Ok(0) => {
                    return Err(LinkError::Left("closed the connection inside a message"));
                }
                Ok(_) => {}
                Err(error) => {
                    return Err(LinkError::Lost(error.to_string()));
                }
            }
        }
    }

    fn take(&mut self, limit: usize) -> Result<Option<Frame>, LinkError> {
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
            return Err(LinkError::ImpossibleLength { kind, length });
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

    async fn read(bytes: &[u8]) -> (Vec<u8>, Option<LinkError>) {
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
            assert!(failure.unwrap().to_string().contains("message 'Z'"));
        }
    }

    #[tokio::test]
    async fn an_end_inside_a_message_is_a_lost_connection() {
        let (_, failure) = read(b"Z\0\0\0\x06I").await;
        assert!(failure.unwrap().to_string().contains("inside a message"));
    }
}
