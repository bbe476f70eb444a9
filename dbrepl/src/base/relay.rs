//! One direction of a conversation: whole messages are carried over, and looked at by their first byte.

use bytes::{Bytes, BytesMut};
use dbproto::SILENCE_LIMIT;
use link::{Frame, FrameReader, MAX_COPY};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

use crate::bandwidth::BandwidthLimit;
use crate::error::{ExitCode, ShipError};

/// Type byte of `CopyData`, in both directions.
const COPY_DATA: u8 = b'd';

/// A message of the base conversation.
pub(super) struct Carried(Frame);

impl Carried {
    /// Its type byte.
    pub(super) fn kind(&self) -> u8 {
        self.0.body().first().copied().unwrap_or_default()
    }

    /// Its bytes.
    pub(super) fn message(&self) -> Bytes {
        Bytes::copy_from_slice(self.0.body())
    }

    /// Bytes on the way.
    pub(super) fn size(&self) -> u64 {
        self.0.bytes.len() as u64
    }
}

/// The next message of a server; `None`: it has finished. `who` names it.
pub(super) async fn next<R: AsyncRead + Unpin>(
    reader: &mut FrameReader<R>,
    who: &str,
) -> Result<Option<Carried>, ShipError> {
    loop {
        let frame = timeout(SILENCE_LIMIT, reader.next(MAX_COPY)).await;
        let frame = frame.map_err(|_| {
            let limit = SILENCE_LIMIT.as_secs();
            ShipError::unreachable(format!("{who} has said nothing for {limit} seconds"))
        })??;
        let Some(frame) = frame else {
            return Err(ShipError::unreachable(format!(
                "{who} closed the connection"
            )));
        };
        match frame.kind {
            COPY_DATA => return Ok(Some(Carried(frame))),
            b'c' | b'C' | b'Z' => return Ok(None),
            b'E' => return Err(crate::connection::refused(&frame)),
            b'N' | b'S' | b'A' => {}
            kind => {
                let kind = kind.escape_ascii();
                let what = format!("{who} sent an unexpected message '{kind}'");
                return Err(ShipError::new(ExitCode::Error, what));
            }
        }
    }
}

/// Carries a message over.
pub(super) async fn pass<W: AsyncWrite + Unpin>(
    write: &mut W,
    limit: &mut BandwidthLimit,
    carried: Carried,
    who: &str,
) -> Result<(), ShipError> {
    let mut bytes = carried.0.bytes.freeze();
    let sent = match limit.write_all(write, &mut bytes).await {
        Ok(()) => write.flush().await,
        failed => failed,
    };
    sent.map_err(|error| lost(who, &error))
}

/// Sends a message of this side.
pub(super) async fn send<W: AsyncWrite + Unpin>(
    write: &mut W,
    kind: u8,
    message: &[u8],
    who: &str,
) -> Result<(), ShipError> {
    let mut bytes = BytesMut::with_capacity(5 + message.len());
    link::frame_head(kind, message.len(), &mut bytes);
    bytes.extend_from_slice(message);
    let sent = match write.write_all(&bytes).await {
        Ok(()) => write.flush().await,
        failed => failed,
    };
    sent.map_err(|error| lost(who, &error))
}

fn lost(who: &str, error: &std::io::Error) -> ShipError {
    ShipError::unreachable(format!("the connection to {who} was lost: {error}"))
}
